"""Commands, receipts, status, adverts: both directions, and garbage."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.hub import HoldCause, HubStatus, Opcode, PhaseOrder, Receipt, ReceiptCode, TherapyState
from devices.errors import FrameError
from devices.hub import uuids
from devices.hub.advertising import (
    COMPANY,
    HubAdvert,
    address_bytes,
    advertising_data,
    decode_advert,
    encode_advert,
    is_of,
    private_address,
    resolves,
    scan_response,
)
from devices.hub.commands import (
    MOST,
    SIGNED,
    Acknowledge,
    Ask,
    Bare,
    Command,
    Enrol,
    Introduce,
    Revoke,
    Signed,
    Tell,
    Witness,
    Witnessed,
    decode_command,
    decode_phase,
    encode_command,
    encode_phase,
    opcode_of,
)
from devices.hub.receipts import ReceiptNotice, decode_query, decode_receipt, encode_query, encode_receipt
from devices.hub.session.control import decode_control
from devices.hub.session.wire import MAX_CONTROL
from devices.hub.status import NO_ENVELOPE, StatusReport, decode_status, encode_status

ORDER = PhaseOrder(phase=2, module=3, tooth=36, seconds=120, dose_percent=60, tissue_limit_c=39.5)
STATUS = StatusReport(
    status=HubStatus(
        therapy=TherapyState.HELD,
        cause=HoldCause.LEASE,
        phase=2,
        phase_elapsed_ms=12_345,
        hub_time_us=2**40,
        lease_ms=2999,
        command_counter=41,
        oldest_sequence=100,
        newest_sequence=2**32 - 2,
        battery_percent=87,
        rssi_dbm=-61,
        missed_events=5,
        memory_percent=3,
        swarm_dose_percent=60,
        patient_stop=True,
    ),
    boot=7,
    next_sequence=2**32 - 1,
    dropped=9,
    streaming=True,
    envelope=bytes(range(16)),
)
RECEIPT = ReceiptNotice(
    receipt=Receipt(
        opcode=Opcode.FETCH,
        counter=41,
        code=ReceiptCode.OUTSIDE_ENVELOPE,
        therapy=TherapyState.IDLE,
        cause=HoldCause.NONE,
        hub_time_us=2**40,
    ),
    detail=64,
)
LADEN: list[Command] = [
    Acknowledge(2**32 - 1),
    Tell(2**64 - 1),
    *(Ask(opcode, 17, most) for opcode, most in MOST.items()),
    *(Signed(opcode, b"cose", b"envelope" if opcode is Opcode.SET_ENVELOPE else b"") for opcode in sorted(SIGNED)),
    Enrol(b"root", b"certificate"),
    Introduce(b"certificate"),
    Witness(b"note", 2**64 - 1, (b"a" * 32, b"b" * 32)),
    Witness(b"note", 0, ()),
    Witnessed(b"origin"),
]
BARE = [Bare(opcode) for opcode in Opcode if opcode not in {opcode_of(one) for one in (*LADEN, Revoke(b""))}]


def carried(command: Command, extra: bytes = b"") -> Command | None:
    return decode_command(decode_control(encode_command(41, command) + extra))


@pytest.mark.parametrize("command", [*LADEN, *BARE, Revoke(b"list")], ids=repr)
def test_a_command_survives_the_wire(command: Command) -> None:
    control = decode_control(encode_command(41, command))
    assert (control.opcode, control.counter) == (opcode_of(command), 41)
    assert decode_command(control) == command


@pytest.mark.parametrize("command", [*LADEN, *BARE], ids=repr)
def test_what_a_later_minor_appends_is_ignored(command: Command) -> None:
    if command != Signed(Opcode.SET_ENVELOPE, b"cose", b"envelope"):
        assert carried(command, b"later") == command


def test_everything_behind_the_signature_of_an_envelope_is_the_envelope() -> None:
    assert carried(Signed(Opcode.SET_ENVELOPE, b"cose", b"en"), b"velope") == Signed(
        Opcode.SET_ENVELOPE, b"cose", b"envelope"
    )


@pytest.mark.parametrize("command", LADEN, ids=repr)
def test_a_short_payload_is_refused(command: Command) -> None:
    message = encode_command(41, command)
    least = len(message) - len(command.envelope) if isinstance(command, Signed) else len(message)
    for length in range(5, least):
        with pytest.raises(FrameError):
            decode_command(decode_control(message[:length]))


def test_each_opcode_is_carried_by_one_kind_of_command() -> None:
    assert {opcode_of(one) for one in (*LADEN, *BARE, Revoke(b""))} == set(Opcode)


def test_commands_are_laid_out_as_documented() -> None:
    assert encode_phase(ORDER) == bytes.fromhex("0200 0300 24 3c 7800 6e0f")
    assert decode_phase(encode_phase(ORDER) + b"later") == ORDER
    assert encode_command(41, Ask(Opcode.FETCH, 1151, 56)) == bytes.fromhex("04 29000000 7f040000 3800")
    assert encode_command(41, Enrol(b"ab", b"c")) == bytes.fromhex("40 29000000 0200 6162 0100 63")


def test_an_unknown_opcode_is_no_command() -> None:
    assert decode_command(decode_control(b"\x80\x01\x00\x00\x00")) is None


@pytest.mark.parametrize(
    "change", [{"dose_percent": 256}, {"seconds": -1}, {"phase": 2**16}, {"tissue_limit_c": 400.0}]
)
def test_a_phase_that_does_not_fit_is_never_sent(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="fit"):
        encode_phase(msgspec.structs.replace(ORDER, **change))


@pytest.mark.parametrize(
    "command",
    [Acknowledge(-1), Acknowledge(2**32), Tell(2**64), Ask(Opcode.FETCH, 0, 2**16), Revoke(bytes(MAX_CONTROL))],
)
def test_what_does_not_fit_is_never_sent(command: Command) -> None:
    with pytest.raises(ValueError, match="fit"):
        encode_command(1, command)


def test_a_phase_that_is_cut_short_is_refused() -> None:
    for length in range(len(encode_phase(ORDER))):
        with pytest.raises(FrameError):
            decode_phase(encode_phase(ORDER)[:length])


def test_a_receipt_survives() -> None:
    raw = encode_receipt(RECEIPT)
    assert len(raw) == 20
    notice = decode_receipt(raw)
    assert encode_receipt(notice) == raw
    assert (notice.receipt.counter, notice.receipt.code, notice.detail) == (41, ReceiptCode.OUTSIDE_ENVELOPE, 64)


@pytest.mark.parametrize(("offset", "value"), [(1, 0x77), (2, 4), (2, 255), (3, 9)])
def test_a_receipt_that_cannot_be_is_refused(offset: int, value: int) -> None:
    raw = bytearray(encode_receipt(RECEIPT))
    raw[offset] = value
    with pytest.raises(FrameError):
        decode_receipt(bytes(raw))


def test_a_query_survives() -> None:
    assert encode_query(50) == bytes.fromhex("32000000")
    assert decode_query(encode_query(50) + b"later") == 50


def test_a_status_survives() -> None:
    raw = encode_status(STATUS)
    assert len(raw) == 64
    assert decode_status(raw) == STATUS
    assert decode_status(raw + b"lat") == STATUS
    assert decode_status(raw[:48] + bytes(16)).envelope == NO_ENVELOPE


def test_a_status_tells_of_dropped_events_since_2_1_and_an_older_one_does_not_know() -> None:
    told = msgspec.structs.replace(STATUS, events_dropped=7)
    raw = encode_status(told)
    assert len(raw) == 68
    assert decode_status(raw) == decode_status(raw + b"later") == told
    for length in range(64, 68):
        assert decode_status(raw[:length]).events_dropped is None
    assert msgspec.structs.replace(decode_status(raw), events_dropped=None) == decode_status(raw[:64]) == STATUS


@pytest.mark.parametrize(("offset", "value"), [(0, 4), (0, 255), (1, 9), (3, 101), (44, 101), (46, 200)])
def test_a_status_that_cannot_be_is_refused(offset: int, value: int) -> None:
    raw = bytearray(encode_status(STATUS))
    raw[offset] = value
    with pytest.raises(FrameError):
        decode_status(bytes(raw))


def test_a_status_whose_memory_is_turned_round_is_refused() -> None:
    raw = bytearray(encode_status(STATUS))
    raw[28:32] = b"\xff\xff\xff\xff"
    raw[32:36] = b"\x01\x00\x00\x00"
    with pytest.raises(FrameError):
        decode_status(bytes(raw))


def test_every_truncation_is_refused() -> None:
    decoders: list[tuple[bytes, Callable[[bytes], object]]] = [
        (encode_status(STATUS), decode_status),
        (encode_receipt(RECEIPT), decode_receipt),
        (encode_query(1), decode_query),
    ]
    for whole, decode in decoders:
        for length in range(len(whole)):
            with pytest.raises(FrameError):
                decode(whole[:length])


def test_an_advert_survives() -> None:
    advert = HubAdvert(profile_major=2, profile_minor=0, enrolled=True, simulated=True, open=True, battery_percent=55)
    assert decode_advert({COMPANY: encode_advert(advert)}) == advert
    unknown = HubAdvert(profile_major=2, profile_minor=0)
    assert decode_advert({COMPANY: encode_advert(unknown)}) == unknown
    assert decode_advert({}) is None
    assert decode_advert({COMPANY: b"\x01"}) is None


IRK = bytes.fromhex("ec0234a357c8ad05341010a60a397d9b")
"""The sample data of the Bluetooth Core specification, Vol 3 Part H, D.7."""


def test_an_address_is_made_and_resolved_as_bluetooth_says() -> None:
    address = private_address(IRK, bytes.fromhex("708194"))
    assert address == address_bytes("70:81:94:0D:FB:AA")
    assert resolves(IRK, address)
    assert not resolves(bytes(16), address)
    assert not resolves(IRK, address[:5])


def test_an_advertisement_is_recognised_by_its_address_or_its_service_data() -> None:
    address = private_address(IRK, b"abc")
    shown = ":".join(f"{byte:02X}" for byte in address[::-1])
    hidden = "5C1A8F0E-2D4B-4B7C-9E3F-0A1B2C3D4E5F"
    assert is_of(IRK, shown, {})
    assert is_of(IRK, hidden, {uuids.SERVICE: address})
    assert not is_of(IRK, hidden, {})
    assert not is_of(IRK, "F0:5C:00:00:00:01", {uuids.SERVICE: bytes(6)})
    assert not is_of(IRK, hidden, {uuids.HANDSHAKE: address})


def test_what_is_on_the_air_fits_it() -> None:
    advert = HubAdvert(profile_major=2, profile_minor=0)
    assert len(advertising_data(advert)) == 31
    assert len(scan_response(bytes(6))) <= 31
    assert scan_response(None) == bytes.fromhex("0409487562")


@given(st.binary(max_size=600))
def test_garbage_raises_nothing_but_frame_error(data: bytes) -> None:
    decode_advert({COMPANY: data})
    is_of(IRK, "", {uuids.SERVICE: data})
    readers: list[Callable[[bytes], object]] = [
        decode_status,
        decode_receipt,
        decode_query,
        decode_phase,
        lambda raw: decode_command(decode_control(raw)),
    ]
    for decode in readers:
        try:
            decode(data)
        except FrameError:
            pass

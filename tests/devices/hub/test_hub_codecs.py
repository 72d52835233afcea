"""Commands, receipts, status, identity, adverts: both directions, and garbage."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.hub import (
    HoldCause,
    HubIdentity,
    HubStatus,
    Opcode,
    PhaseOrder,
    Receipt,
    ReceiptCode,
    TherapyState,
)
from devices.errors import FrameError
from devices.hub.advertising import COMPANY, HubAdvert, decode_advert, encode_advert
from devices.hub.commands import Acknowledge, Bare, Fetch, Order, decode_head, decode_order, encode_command
from devices.hub.identity import decode_identity, encode_identity
from devices.hub.receipts import ReceiptNotice, decode_receipt, encode_receipt
from devices.hub.status import StatusReport, decode_status, encode_status

ORDER = PhaseOrder(
    phase=2, module=3, tooth=36, seconds=120, dose_percent=60, tissue_limit_c=39.5, envelope_sha256=bytes(range(32))
)
IDENTITY = HubIdentity(
    serial="SH-0001",
    model="Smilescape Hub",
    firmware="1.0.0",
    hardware="A",
    profile_major=1,
    profile_minor=0,
    boot=7,
    simulated=True,
)
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
)
RECEIPT = ReceiptNotice(
    receipt=Receipt(
        opcode=Opcode.FETCH,
        counter=41,
        code=ReceiptCode.DONE,
        therapy=TherapyState.IDLE,
        cause=HoldCause.NONE,
        hub_time_us=2**40,
    ),
    detail=64,
)
ORDERS: list[Order] = [ORDER, Acknowledge(2**32 - 1), Fetch(17, 64)]
BARE = [op for op in Opcode if op not in (Opcode.ACKNOWLEDGE, Opcode.FETCH, Opcode.START_PHASE)]


@pytest.mark.parametrize("order", [*ORDERS, *map(Bare, BARE)])
def test_an_order_survives_the_wire(order: Order) -> None:
    value = encode_command(41, order)
    assert decode_head(value)[1] == 41
    assert decode_order(value) == order
    assert decode_order(value + b"later") == order


@pytest.mark.parametrize("order", ORDERS)
def test_a_short_payload_is_refused(order: Order) -> None:
    value = encode_command(41, order)
    for length in range(5, len(value)):
        with pytest.raises(FrameError):
            decode_order(value[:length])


def test_the_phase_order_is_laid_out_as_documented() -> None:
    expected = bytes.fromhex("10 29000000 0200 0300 24 3c 7800 6e0f") + bytes(range(32))
    assert encode_command(41, ORDER) == expected


def test_an_unknown_opcode_is_no_order() -> None:
    assert decode_order(b"\x80\x01\x00\x00\x00") is None


@pytest.mark.parametrize(
    "change", [{"dose_percent": 256}, {"seconds": -1}, {"envelope_sha256": b"short"}, {"tissue_limit_c": 400.0}]
)
def test_what_does_not_fit_is_never_sent(change: dict[str, object]) -> None:
    fields = {name: getattr(ORDER, name) for name in ORDER.__struct_fields__} | change
    with pytest.raises(ValueError, match="not"):
        encode_command(1, PhaseOrder(**fields))


def test_a_receipt_survives_and_keeps_its_bytes() -> None:
    raw = encode_receipt(RECEIPT)
    assert len(raw) == 20
    notice = decode_receipt(raw)
    assert notice.receipt.raw == raw
    assert encode_receipt(notice) == raw
    assert (notice.receipt.counter, notice.detail) == (41, 64)


def test_a_status_survives() -> None:
    raw = encode_status(STATUS)
    assert len(raw) == 48
    assert decode_status(raw) == STATUS
    assert decode_status(raw + b"later") == STATUS


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


def test_an_identity_survives() -> None:
    raw = encode_identity(IDENTITY)
    assert decode_identity(raw) == IDENTITY
    assert decode_identity(raw + b"later") == IDENTITY


@pytest.mark.parametrize("serial", ["", "x" * 33, "a\nb"])
def test_an_identity_without_a_usable_serial_is_refused(serial: str) -> None:
    fields = {name: getattr(IDENTITY, name) for name in IDENTITY.__struct_fields__} | {"serial": serial}
    with pytest.raises(FrameError):
        decode_identity(encode_identity(HubIdentity(**fields)))


def test_every_truncation_is_refused() -> None:
    decoders: list[tuple[bytes, Callable[[bytes], object]]] = [
        (encode_identity(IDENTITY), decode_identity),
        (encode_status(STATUS), decode_status),
        (encode_receipt(RECEIPT), decode_receipt),
    ]
    for whole, decode in decoders:
        for length in range(len(whole)):
            with pytest.raises(FrameError):
                decode(whole[:length])


def test_an_advert_survives() -> None:
    advert = HubAdvert(profile_major=1, profile_minor=0, paired=True, simulated=True, battery_percent=55)
    assert decode_advert({COMPANY: encode_advert(advert)}) == advert
    unknown = HubAdvert(profile_major=1, profile_minor=0)
    assert decode_advert({COMPANY: encode_advert(unknown)}) == unknown
    assert decode_advert({}) is None
    assert decode_advert({COMPANY: b"\x01"}) is None


@given(st.binary(max_size=600))
def test_garbage_raises_nothing_but_frame_error(data: bytes) -> None:
    decode_advert({COMPANY: data})
    for decode in (decode_identity, decode_status, decode_receipt, decode_order, decode_head):
        try:
            decode(data)
        except FrameError:
            pass

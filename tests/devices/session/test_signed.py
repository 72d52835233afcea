"""Signed commands and receipts: bound to hub, session, time and envelope."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model import cbor
from core.model.certificate import Role
from core.model.cose import sign1
from core.model.hub import HoldCause, Opcode, Receipt, ReceiptCode, TherapyState
from devices.hub.receipts import ReceiptNotice, encode_receipt
from devices.hub.session.control import (
    Control,
    decode_control,
    decode_parts,
    encode_control,
    encode_parts,
)
from devices.hub.session.errors import MessageMalformed, SignedRefused
from devices.hub.session.signed import (
    SignedCommand,
    check_command,
    request_hash,
    sign_command,
    sign_receipt,
    verify_command,
    verify_receipt,
)
from devices.hub.session.wire import LONGEST_LIFETIME_US, MAX_PLAINTEXT
from tests.devices.session.parties import CLINICIAN, HUB, ROOT, SERIAL, certificate, secret, signer

SESSION = secret("session")[:16]
ENVELOPE = secret("envelope")
KNOWN = {CLINICIAN.kid: CLINICIAN}
DOCTOR = signer("dr-kim")
COMMAND = SignedCommand(
    opcode=Opcode.START_PHASE,
    counter=7,
    not_after_us=5_000_000,
    procedure="visit-1",
    envelope_sha256=ENVELOPE,
    body=bytes(10),
)
RAW = sign_command(COMMAND, DOCTOR, hub_serial=SERIAL, session_id=SESSION)
RECEIPT = encode_receipt(
    ReceiptNotice(
        receipt=Receipt(
            opcode=0x10,
            counter=7,
            code=ReceiptCode.DONE,
            therapy=TherapyState.RUNNING,
            cause=HoldCause.NONE,
            hub_time_us=99,
        ),
        detail=3,
    )
)


def refused(raw: bytes, *, serial: str = SERIAL, session: bytes = SESSION) -> ReceiptCode:
    with pytest.raises(SignedRefused) as caught:
        verify_command(raw, KNOWN, hub_serial=serial, session_id=session)
    return caught.value.answer


def answer(
    command: SignedCommand = COMMAND,
    *,
    opcode: int = Opcode.START_PHASE,
    counter: int = 7,
    now: int = 0,
    envelope: bytes | None = ENVELOPE,
) -> ReceiptCode | None:
    try:
        check_command(command, opcode=opcode, counter=counter, hub_time_us=now, envelope_sha256=envelope)
    except SignedRefused as error:
        return error.answer
    return None


def test_a_command_is_what_the_clinician_signed() -> None:
    assert verify_command(RAW, KNOWN, hub_serial=SERIAL, session_id=SESSION) == (COMMAND, CLINICIAN)


def test_a_command_of_another_session_hub_or_key_is_not_signed() -> None:
    assert refused(RAW, session=secret("other")[:16]) is ReceiptCode.NOT_SIGNED
    assert refused(RAW, serial="SH-0002") is ReceiptCode.NOT_SIGNED
    stranger = sign_command(COMMAND, signer("stranger"), hub_serial=SERIAL, session_id=SESSION)
    assert refused(stranger) is ReceiptCode.NOT_SIGNED


def test_only_a_clinician_orders() -> None:
    station = certificate(ROOT, Role.WORKSTATION, "dr-kim")
    with pytest.raises(SignedRefused, match="clinician"):
        verify_command(RAW, {station.kid: station}, hub_serial=SERIAL, session_id=SESSION)


def test_no_bit_of_a_command_can_be_flipped() -> None:
    for bit in range(len(RAW) * 8):
        forged = bytearray(RAW)
        forged[bit // 8] ^= 1 << bit % 8
        assert refused(bytes(forged)) is ReceiptCode.NOT_SIGNED


def test_a_receipt_is_no_command_even_with_the_same_key() -> None:
    receipt = sign_receipt(RAW, RECEIPT, DOCTOR, hub_serial=SERIAL, session_id=SESSION)
    assert refused(receipt) is ReceiptCode.NOT_SIGNED


def test_what_was_signed_but_is_no_command_is_refused() -> None:
    aad = cbor.encode(["smilescape/command/2", SERIAL, SESSION])
    good = {1: 0x10, 2: 7, 3: 5, 4: "visit-1", 5: ENVELOPE, 6: b""}
    raw = sign1(cbor.encode(good), DOCTOR, aad)
    verify_command(raw, KNOWN, hub_serial=SERIAL, session_id=SESSION)
    for change in ({1: 256}, {2: -1}, {2: 2**32}, {3: True}, {4: ""}, {4: "x" * 65}, {5: b""}, {6: bytes(65)}, {7: 0}):
        assert refused(sign1(cbor.encode(good | change), DOCTOR, aad)) is ReceiptCode.NOT_SIGNED


def test_the_command_outside_has_to_be_the_signed_one() -> None:
    assert answer() is None
    assert answer(opcode=0x12) is ReceiptCode.NOT_SIGNED
    assert answer(counter=8) is ReceiptCode.NOT_SIGNED


def test_a_command_counts_until_its_time_and_never_long() -> None:
    assert answer(now=5_000_000) is None
    assert answer(now=5_000_001) is ReceiptCode.EXPIRED
    far = msgspec.structs.replace(COMMAND, not_after_us=LONGEST_LIFETIME_US)
    assert answer(far) is None
    assert answer(msgspec.structs.replace(far, not_after_us=LONGEST_LIFETIME_US + 1)) is ReceiptCode.EXPIRED


def test_what_treats_needs_the_envelope_in_force_and_what_ends_it_does_not() -> None:
    for opcode in (Opcode.START_PHASE, Opcode.RESUME, Opcode.SET_ENVELOPE):
        command = msgspec.structs.replace(COMMAND, opcode=int(opcode))
        assert answer(command, opcode=opcode, envelope=secret("other")) is ReceiptCode.NO_ENVELOPE
        assert answer(command, opcode=opcode, envelope=None) is ReceiptCode.NO_ENVELOPE
    for opcode in (Opcode.END_PHASE, Opcode.CLEAR):
        command = msgspec.structs.replace(COMMAND, opcode=int(opcode))
        assert answer(command, opcode=opcode, envelope=None) is None


def test_the_first_thing_that_is_wrong_is_the_answer() -> None:
    assert answer(opcode=0x12, now=9_000_000, envelope=None) is ReceiptCode.NOT_SIGNED
    assert answer(now=9_000_000, envelope=None) is ReceiptCode.EXPIRED


@pytest.mark.parametrize(
    "change", [{"counter": 2**32}, {"procedure": ""}, {"envelope_sha256": b""}, {"body": bytes(65)}]
)
def test_what_no_hub_would_read_is_not_signed(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Field"):
        sign_command(msgspec.structs.replace(COMMAND, **change), DOCTOR, hub_serial=SERIAL, session_id=SESSION)


def test_a_receipt_names_what_it_answers_and_fits_one_record() -> None:
    hub = signer(SERIAL)
    raw = sign_receipt(RAW, RECEIPT, hub, hub_serial=SERIAL, session_id=SESSION)
    assert len(raw) + 1 <= MAX_PLAINTEXT
    receipt = verify_receipt(raw, HUB)
    assert (receipt.request, receipt.session_id) == (request_hash(RAW), SESSION)
    assert receipt.notice.receipt.raw == raw, "the audit log keeps what the hub signed"
    assert encode_receipt(receipt.notice) == RECEIPT


def test_a_receipt_of_another_hub_or_altered_is_refused() -> None:
    raw = sign_receipt(RAW, RECEIPT, signer(SERIAL), hub_serial=SERIAL, session_id=SESSION)
    with pytest.raises(SignedRefused):
        verify_receipt(raw, certificate(ROOT, Role.HUB, "SH-0002"))
    with pytest.raises(SignedRefused):
        verify_receipt(raw, certificate(ROOT, Role.HUB, SERIAL, subject="SH-0002"))
    for bit in range(len(raw) * 8):
        forged = bytearray(raw)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SignedRefused):
            verify_receipt(bytes(forged), HUB)


def test_a_signed_receipt_of_an_unknown_code_is_refused() -> None:
    raw = sign_receipt(RAW, RECEIPT[:1] + b"\x77" + RECEIPT[2:], signer(SERIAL), hub_serial=SERIAL, session_id=SESSION)
    with pytest.raises(SignedRefused):
        verify_receipt(raw, HUB)


@given(st.binary(max_size=600))
def test_garbage_is_never_a_command_or_a_receipt(garbage: bytes) -> None:
    assert refused(garbage) is ReceiptCode.NOT_SIGNED
    with pytest.raises(SignedRefused):
        verify_receipt(garbage, HUB)


def test_a_control_message_is_head_and_payload() -> None:
    control = Control(0x40, 9, encode_parts(b"root", b"hub"))
    assert decode_control(encode_control(control)) == control
    assert decode_parts(control.payload, 2) == ((b"root", b"hub"), b"")
    assert decode_parts(encode_parts(RAW) + b"envelope", 1) == ((RAW,), b"envelope")
    with pytest.raises(ValueError, match="fit"):
        encode_control(Control(1, 1, bytes(4092)))
    with pytest.raises(ValueError, match="format"):
        encode_control(Control(256, 1))


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x02\x00a", b"\x00\x00", encode_parts(b"root")])
def test_parts_that_are_cut_short_are_refused(payload: bytes) -> None:
    with pytest.raises(MessageMalformed):
        decode_parts(payload, 2)


@given(st.binary(max_size=30))
def test_garbage_on_control_is_refused_in_a_typed_way(garbage: bytes) -> None:
    for read in (decode_control, lambda raw: decode_parts(raw, 2)):
        try:
            read(garbage)
        except MessageMalformed:
            continue

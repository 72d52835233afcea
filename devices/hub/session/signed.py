"""Commands signed by a clinician, receipts signed by the hub: made and verified.

A command is bound to its hub and its session without a byte on the air for it: both stand in the external data that is
signed. A receipt names the command that it answers by its hash.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from core.model import cbor
from core.model.certificate import Certificate, Role
from core.model.cose import CoseRefused, Signer, parse1, sign1
from core.model.hub import Opcode, ReceiptCode
from core.model.strict_cbor import CborRefused, Fields
from devices.errors import FrameError
from devices.hub.receipts import ReceiptNotice, decode_receipt
from devices.hub.session.errors import SignedRefused
from devices.hub.session.wire import LONGEST_LIFETIME_US, MAX_BODY, MAX_PROCEDURE

MAX_SIGNED: Final = 512
"""Largest signed command or receipt, bytes."""
SESSION_ID_BYTES: Final = 16
HASH_BYTES: Final = 32
REQUEST_BYTES: Final = 16
RECEIPT_BYTES: Final = 20

BOUND_TO_ENVELOPE: Final = frozenset({Opcode.START_PHASE, Opcode.RESUME, Opcode.SET_ENVELOPE})
"""The envelope's hash has to be right. What ends therapy needs none."""

_U8, _U32, _U64 = 0xFF, 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF


class SignedCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What a clinician signs.

    Attributes:
        not_after_us: hub time up to which it counts, µs.
        procedure: id of the procedure, 1–64 bytes.
        envelope_sha256: of the consent envelope in force; for SET_ENVELOPE of the new one.
        body: the payload that would follow in the clear: phase to ceiling of START_PHASE, otherwise nothing.
    """

    opcode: int
    counter: int
    not_after_us: int
    procedure: str
    envelope_sha256: bytes
    body: bytes = b""


class SignedReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt that the hub has signed.

    Attributes:
        request: first 16 bytes of the SHA-256 of the message that it answers.
        notice: the receipt itself; its `raw` are the signed bytes.
        session_id: of the session in which the command came; a kept receipt is of a former one.
    """

    request: bytes
    notice: ReceiptNotice
    session_id: bytes


def sign_command(command: SignedCommand, signer: Signer, *, hub_serial: str, session_id: bytes) -> bytes:
    """The COSE message. Raises ValueError when a field breaks the rules of the format."""
    payload = cbor.encode(
        {
            1: command.opcode,
            2: command.counter,
            3: command.not_after_us,
            4: command.procedure,
            5: command.envelope_sha256,
            6: command.body,
        }
    )
    try:
        _read_command(payload)
    except CborRefused as error:
        raise ValueError(str(error)) from error
    return sign1(payload, signer, _command_aad(hub_serial, session_id))


def verify_command(
    message: bytes, clinicians: Mapping[bytes, Certificate], *, hub_serial: str, session_id: bytes
) -> tuple[SignedCommand, Certificate]:
    """The command and who signed it.

    Args:
        clinicians: those that count now, by kid; the revoked are not among them.

    Raises:
        SignedRefused: NOT_SIGNED, whatever is wrong: kid, role, signature, hub, session, form.
    """
    try:
        signed = parse1(message, limit=MAX_SIGNED)
        who = clinicians.get(signed.kid)
        if who is None or who.role is not Role.CLINICIAN:
            raise SignedRefused(ReceiptCode.NOT_SIGNED, "its signer is not known as a clinician")
        return _read_command(signed.verify(who.signing_key, _command_aad(hub_serial, session_id))), who
    except (CoseRefused, CborRefused) as error:
        raise SignedRefused(ReceiptCode.NOT_SIGNED, str(error)) from error


def check_command(
    command: SignedCommand, *, opcode: int, counter: int, hub_time_us: int, envelope_sha256: bytes | None
) -> None:
    """What a hub asks of a command whose signature is right, in the order of the protocol.

    Args:
        opcode, counter: as they stood outside the signature.
        envelope_sha256: of the envelope in force, or of the one that came with SET_ENVELOPE; None when there is none.

    Raises:
        SignedRefused: NOT_SIGNED (another opcode or counter), EXPIRED, NO_ENVELOPE.
    """
    if (command.opcode, command.counter) != (opcode, counter):
        raise SignedRefused(ReceiptCode.NOT_SIGNED, "another command was signed")
    if not hub_time_us <= command.not_after_us <= hub_time_us + LONGEST_LIFETIME_US:
        raise SignedRefused(ReceiptCode.EXPIRED, "its time is over, or too far ahead")
    if opcode in BOUND_TO_ENVELOPE and command.envelope_sha256 != envelope_sha256:
        raise SignedRefused(ReceiptCode.NO_ENVELOPE, "another consent envelope is in force")


def request_hash(message: bytes) -> bytes:
    """How a receipt names the message that it answers: the control message, or the plaintext of STOP or a query."""
    return hashlib.sha256(message).digest()[:REQUEST_BYTES]


def sign_receipt(request: bytes, receipt: bytes, signer: Signer, *, hub_serial: str, session_id: bytes) -> bytes:
    """The COSE message that answers `request` (the message itself) with a receipt of 20 bytes."""
    payload = cbor.encode({1: request_hash(request), 2: receipt, 3: session_id})
    return sign1(payload, signer, _receipt_aad(hub_serial))


def verify_receipt(message: bytes, hub: Certificate) -> SignedReceipt:
    """The receipt. Whether it answers what was sent is for the caller to compare, by `request`.

    Raises:
        SignedRefused: not signed by this hub, or malformed within.
    """
    try:
        payload = parse1(message, limit=MAX_SIGNED).verify(hub.signing_key, _receipt_aad(hub.subject))
        fields = Fields(payload, 3, limit=MAX_SIGNED)
        notice = decode_receipt(fields.octets(2, RECEIPT_BYTES))
        receipt = msgspec.structs.replace(notice.receipt, raw=message)
        return SignedReceipt(
            request=fields.octets(1, REQUEST_BYTES),
            notice=ReceiptNotice(receipt=receipt, detail=notice.detail),
            session_id=fields.octets(3, SESSION_ID_BYTES),
        )
    except (CoseRefused, CborRefused, FrameError) as error:
        raise SignedRefused(ReceiptCode.NOT_SIGNED, str(error)) from error


def _read_command(payload: bytes) -> SignedCommand:
    fields = Fields(payload, 6, limit=MAX_SIGNED)
    return SignedCommand(
        opcode=fields.unsigned(1, _U8),
        counter=fields.unsigned(2, _U32),
        not_after_us=fields.unsigned(3, _U64),
        procedure=fields.text(4, MAX_PROCEDURE),
        envelope_sha256=fields.octets(5, HASH_BYTES),
        body=fields.octets(6, most=MAX_BODY),
    )


def _command_aad(hub_serial: str, session_id: bytes) -> bytes:
    return cbor.encode(["smilescape/command/2", hub_serial, session_id])


def _receipt_aad(hub_serial: str) -> bytes:
    return cbor.encode(["smilescape/receipt/2", hub_serial])

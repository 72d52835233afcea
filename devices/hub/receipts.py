"""Receipts: what became of a command (docs/hub-protocol.md, section 8)."""

import struct
from typing import Final

import msgspec

from core.model.hub import HoldCause, Receipt, ReceiptCode, TherapyState
from devices.errors import FrameError

OPCODE_STOP: Final = 0x00
OPCODE_NO_RECEIPT: Final = 0xFF

_LAYOUT: Final = struct.Struct("<BBBBIQI")
_QUERY: Final = struct.Struct("<I")


class ReceiptNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt and its detail, whose meaning depends on the opcode."""

    receipt: Receipt
    detail: int = 0


def encode_query(counter: int) -> bytes:
    """The plaintext of a receipt query."""
    return _QUERY.pack(counter)


def decode_query(plaintext: bytes) -> int:
    """The counter asked for. Raises FrameError: too short."""
    if len(plaintext) < _QUERY.size:
        raise FrameError(f"A receipt query of {len(plaintext)} bytes is too short.")
    return int(_QUERY.unpack_from(plaintext)[0])


def encode_receipt(notice: ReceiptNotice) -> bytes:
    """The receipt, 20 bytes, to be signed by session.signed. Raises struct.error when a number is out of its range."""
    receipt = notice.receipt
    return _LAYOUT.pack(
        receipt.opcode,
        receipt.code,
        receipt.therapy,
        receipt.cause,
        receipt.counter,
        receipt.hub_time_us,
        notice.detail,
    )


def decode_receipt(data: bytes) -> ReceiptNotice:
    """Decode a receipt; trailing bytes are ignored.

    Raises:
        FrameError: too short, or a code, state or cause that this version does not know.
    """
    if len(data) < _LAYOUT.size:
        raise FrameError(f"A receipt of {len(data)} bytes is too short.")
    opcode, code, therapy, cause, counter, hub_time_us, detail = _LAYOUT.unpack_from(data)
    if therapy == TherapyState.UNKNOWN:
        raise FrameError("A receipt does not know the therapy state.")
    try:
        receipt = Receipt(
            opcode=opcode,
            counter=counter,
            code=ReceiptCode(code),
            therapy=TherapyState(therapy),
            cause=HoldCause(cause),
            hub_time_us=hub_time_us,
            raw=bytes(data),
        )
    except ValueError as error:
        raise FrameError(f"A receipt cannot be read: {error}.") from error
    return ReceiptNotice(receipt=receipt, detail=detail)

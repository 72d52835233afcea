"""Control messages: opcode, counter, payload. What each opcode carries stands in devices/hub/commands.py."""

import struct
from typing import Final

import msgspec

from devices.hub.session.errors import MessageMalformed
from devices.hub.session.wire import MAX_CONTROL

_HEAD: Final = struct.Struct("<BI")
_LENGTH: Final = struct.Struct("<H")


class Control(msgspec.Struct, frozen=True):
    """A control message. The opcode may be one that this version does not know."""

    opcode: int
    counter: int
    payload: bytes = b""


def encode_control(control: Control) -> bytes:
    """The message, to be split into segments. Raises ValueError when a number is out of range or it is too long."""
    try:
        message = _HEAD.pack(control.opcode, control.counter) + control.payload
    except struct.error as error:
        raise ValueError(str(error)) from error
    if len(message) > MAX_CONTROL:
        raise ValueError(f"{len(message)} bytes do not fit a control message")
    return message


def decode_control(message: bytes) -> Control:
    """Raises MessageMalformed: shorter than its head."""
    if len(message) < _HEAD.size:
        raise MessageMalformed("it is too short")
    opcode, counter = _HEAD.unpack_from(message)
    return Control(opcode, counter, message[_HEAD.size :])


def encode_parts(*parts: bytes) -> bytes:
    """Parts, each behind its u16 length: a COSE message, or ENROL's two certificates."""
    return b"".join(_LENGTH.pack(len(part)) + part for part in parts)


def decode_parts(payload: bytes, count: int) -> tuple[tuple[bytes, ...], bytes]:
    """The first `count` parts and what follows them. Raises MessageMalformed: shorter than its lengths say."""
    parts: list[bytes] = []
    for _ in range(count):
        head, rest = payload[: _LENGTH.size], payload[_LENGTH.size :]
        size = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
        if not size or len(rest) < size:
            raise MessageMalformed("a part is cut short")
        parts.append(rest[:size])
        payload = rest[size:]
    return tuple(parts), payload

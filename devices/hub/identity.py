"""The identity characteristic (docs/hub-protocol.md, section 3)."""

import struct
from typing import Final

from core.model.hub import HubIdentity
from devices.errors import FrameError

PROFILE_MAJOR: Final = 1
PROFILE_MINOR: Final = 0

_HEAD: Final = struct.Struct("<BBBBI")
_SIMULATED: Final = 2
_MAX_SERIAL: Final = 32


def encode_identity(identity: HubIdentity) -> bytes:
    """The characteristic's value. Raises ValueError when a text is longer than 255 bytes."""
    flags = _SIMULATED if identity.simulated else 0
    parts = [_HEAD.pack(identity.profile_major, identity.profile_minor, flags, 0, identity.boot)]
    for text in (identity.serial, identity.model, identity.firmware, identity.hardware):
        raw = text.encode()
        parts += (bytes((len(raw),)), raw)
    return b"".join(parts)


def profile_major(data: bytes) -> int:
    """The major version, which stands first in every version to come. Raises FrameError when nothing is there."""
    if not data:
        raise FrameError("The hub's identity is empty.")
    return data[0]


def decode_identity(data: bytes) -> HubIdentity:
    """Decode an identity of major version 1.

    Raises:
        FrameError: too short, a text that is not UTF-8, an empty or overlong serial.
    """
    if len(data) < _HEAD.size:
        raise FrameError("The hub's identity is too short.")
    major, minor, flags, _, boot = _HEAD.unpack_from(data)
    texts: list[str] = []
    at = _HEAD.size
    for _ in range(4):
        if at >= len(data) or at + 1 + data[at] > len(data):
            raise FrameError("The hub's identity ends within a text.")
        try:
            texts.append(bytes(data[at + 1 : at + 1 + data[at]]).decode())
        except UnicodeDecodeError as error:
            raise FrameError("The hub's identity is not UTF-8.") from error
        at += 1 + data[at]
    serial, model, firmware, hardware = texts
    if not 1 <= len(serial.encode()) <= _MAX_SERIAL or not all(text.isprintable() for text in texts):
        raise FrameError("The hub's serial number is empty, too long or not printable.")
    return HubIdentity(
        serial=serial,
        model=model,
        firmware=firmware,
        hardware=hardware,
        profile_major=major,
        profile_minor=minor,
        boot=boot,
        simulated=bool(flags & _SIMULATED),
    )

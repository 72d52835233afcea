"""Who a hub says it is: in clear to anybody, and at length inside a session (docs/hub-protocol.md, 3 and 7)."""

import struct
from typing import Final

import msgspec

from core.model.certificate import MAX_SUBJECT, Certificate
from core.model.hub import HubIdentity
from devices.errors import FrameError
from devices.hub.session.documents import encode_document
from devices.hub.session.errors import IdentityDowngraded
from devices.hub.session.wire import IRK_BYTES, PROFILE, DocumentKind

ENROLLED, SIMULATED, OPEN = 1, 2, 4
"""Flags of the identity: enrolled in a practice; simulated; enrolment is open."""
MAX_SERIAL: Final = MAX_SUBJECT
"""A hub's serial is the subject of its certificate."""

_CLEAR: Final = struct.Struct("<BBBB")
_BOOT: Final = struct.Struct("<I")
_TAIL: Final = struct.Struct(f"<{IRK_BYTES}sIII")
_SPAN: Final = struct.Struct("<IQQ")


class ClearIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """The Identity characteristic of 2.0, readable by anybody: nothing that tells one hub from another."""

    major: int
    minor: int
    flags: int
    model: str


class BootSpan(msgspec.Struct, frozen=True):
    """A boot of which memory holds frames.

    Attributes:
        began_us: UTC µs at its time 0, as the hub was told; 0 for not known.
        newest_us: hub time of its newest frame; of the present boot, hub time now.
    """

    boot: int
    began_us: int
    newest_us: int


class HubCard(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of the identity document.

    Attributes:
        irk: 16 bytes; who has it recognises the hub's advertisements.
        revocations: number of the hub's revocation list, 0 for none.
        next_entry, next_event: numbers of the next journal entry and of the next event.
        boots: of which memory still holds frames, the present one last.
    """

    identity: HubIdentity
    flags: int
    irk: bytes
    revocations: int = 0
    next_entry: int = 0
    next_event: int = 0
    boots: tuple[BootSpan, ...] = ()


def encode_clear_identity(identity: ClearIdentity) -> bytes:
    """The characteristic's value. Raises struct.error, ValueError when a field is out of range."""
    model = identity.model.encode()
    return _CLEAR.pack(identity.major, identity.minor, identity.flags, 0) + bytes((len(model),)) + model


def decode_clear_identity(data: bytes) -> ClearIdentity:
    """Trailing bytes are ignored. Raises FrameError: cut short, or a model that is no printable text."""
    if len(data) <= _CLEAR.size or len(data) < _CLEAR.size + 1 + data[_CLEAR.size]:
        raise FrameError("The hub's identity is too short.")
    major, minor, flags, _ = _CLEAR.unpack_from(data)
    try:
        model = data[_CLEAR.size + 1 : _CLEAR.size + 1 + data[_CLEAR.size]].decode()
    except UnicodeDecodeError as error:
        raise FrameError("The hub's identity is not UTF-8.") from error
    if not model.isprintable():
        raise FrameError("The hub's model is not printable.")
    return ClearIdentity(major=major, minor=minor, flags=flags, model=model)


def encode_card(card: HubCard) -> bytes:
    """The identity document. Raises struct.error, ValueError when a field is out of range."""
    identity = card.identity
    parts = [_CLEAR.pack(identity.profile_major, identity.profile_minor, card.flags, 0), _BOOT.pack(identity.boot)]
    for text in (identity.serial, identity.model, identity.firmware, identity.hardware):
        raw = text.encode()
        parts.append(bytes((len(raw),)) + raw)
    parts.append(_TAIL.pack(card.irk, card.revocations, card.next_entry, card.next_event))
    parts.append(bytes((len(card.boots),)))
    parts += [_SPAN.pack(*msgspec.structs.astuple(span)) for span in card.boots]
    return encode_document(DocumentKind.IDENTITY, b"".join(parts))


def decode_card(body: bytes) -> HubCard:
    """The body of an identity document; trailing bytes are ignored.

    Raises:
        FrameError: cut short, another major version, a text that is not printable UTF-8, no serial or one too long,
            boots out of order or without the present one.
    """
    try:
        return _read_card(body)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise FrameError("The hub's identity cannot be read.") from error


def check_identity(clear: ClearIdentity, body: bytes, hub: Certificate) -> HubCard:
    """The hub's identity, when it fits what was read in clear and the certificate of the session.

    Raises:
        IdentityDowngraded: it does not.
        FrameError: it cannot be read.
    """
    card = decode_card(body)
    identity = card.identity
    said = (identity.profile_major, identity.profile_minor, card.flags, identity.model)
    for what, one, other in zip(
        ("major", "minor", "flags", "model"), msgspec.structs.astuple(clear), said, strict=True
    ):
        if one != other:
            raise IdentityDowngraded(what)
    if identity.serial != hub.subject:
        raise IdentityDowngraded("serial")
    return card


def _read_card(body: bytes) -> HubCard:
    major, minor, flags, _ = _CLEAR.unpack_from(body)
    if major != PROFILE[0]:
        raise FrameError(f"The hub's identity is of version {major}.")
    (boot,) = _BOOT.unpack_from(body, _CLEAR.size)
    texts: list[str] = []
    at = _CLEAR.size + _BOOT.size
    for _ in range(4):
        end = at + 1 + body[at]
        if end > len(body):
            raise FrameError("The hub's identity ends within a text.")
        texts.append(body[at + 1 : end].decode())
        at = end
    serial, model, firmware, hardware = texts
    if not 1 <= len(serial.encode()) <= MAX_SERIAL or not all(text.isprintable() for text in texts):
        raise FrameError("The hub's serial number is empty, too long or not printable.")
    irk, revocations, next_entry, next_event = _TAIL.unpack_from(body, at)
    at += _TAIL.size
    spans = tuple(BootSpan(*_SPAN.unpack_from(body, at + 1 + _SPAN.size * place)) for place in range(body[at]))
    boots = [span.boot for span in spans]
    if boots != sorted(set(boots)) or boots[-1:] != [boot]:
        raise FrameError("The hub's boots are not in order.")
    return HubCard(
        identity=HubIdentity(
            serial=serial,
            model=model,
            firmware=firmware,
            hardware=hardware,
            profile_major=major,
            profile_minor=minor,
            boot=boot,
            simulated=bool(flags & SIMULATED),
        ),
        flags=flags,
        irk=irk,
        revocations=revocations,
        next_entry=next_entry,
        next_event=next_event,
        boots=spans,
    )

"""What each control message carries, encoded and decoded for both sides (docs/hub-protocol.md, section 8)."""

import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from core.model.hub import Opcode, PhaseOrder
from core.model.merkle import HASH_BYTES
from devices.hub.session.control import Control, decode_parts, encode_control, encode_parts
from devices.hub.session.errors import MessageMalformed
from devices.hub.session.wire import MAX_DAYS, MAX_EVENTS, MAX_FETCH, MAX_JOURNAL_ENTRIES, MAX_PATH

STOP_PLAINTEXT: Final = b"STOP"
SIGNED: Final = frozenset(
    {Opcode.START_PHASE, Opcode.RESUME, Opcode.END_PHASE, Opcode.CLEAR, Opcode.SET_ENVELOPE},
)
"""Opcodes that count only with a clinician's signature."""
WRITTEN_FIRST: Final = SIGNED | {Opcode.ENROL, Opcode.REKEY}
"""Opcodes that change what is done to a patient, or whom the hub believes: written down before they are sent. STOP and
HOLD wait for no disk."""
MOST: Final[Mapping[Opcode, int]] = MappingProxyType(
    {
        Opcode.FETCH: MAX_FETCH,
        Opcode.JOURNAL: MAX_JOURNAL_ENTRIES,
        Opcode.EVENTS: MAX_EVENTS,
        Opcode.SUMMARIES: MAX_DAYS,
    }
)
"""How many may be asked for at once; the least is 1. Beyond, the hub answers OUTSIDE_LIMITS."""

_SEQUENCE: Final = struct.Struct("<I")
_TIME: Final = struct.Struct("<Q")
_RANGE: Final = struct.Struct("<IH")
_PROOF: Final = struct.Struct("<QB")
_PHASE: Final = struct.Struct("<HHBBHh")


class Bare(msgspec.Struct, frozen=True):
    """A command that carries nothing but its opcode."""

    opcode: Opcode


class Acknowledge(msgspec.Struct, frozen=True):
    """Everything up to `sequence` is durable; the hub may forget it."""

    sequence: int


class Tell(msgspec.Struct, frozen=True):
    """TIME: what time it is, UTC µs."""

    utc_us: int


class Ask(msgspec.Struct, frozen=True):
    """FETCH, JOURNAL, SUMMARIES or EVENTS: `count` of what the hub keeps, from `first` on."""

    opcode: Opcode
    first: int
    count: int


class Signed(msgspec.Struct, frozen=True):
    """A command that a clinician signed. `envelope`: of SET_ENVELOPE, the encoded envelope."""

    opcode: Opcode
    message: bytes
    envelope: bytes = b""


class Enrol(msgspec.Struct, frozen=True):
    """The practice's root, and its certificate over the hub's keys."""

    root: bytes
    certificate: bytes


class Revoke(msgspec.Struct, frozen=True):
    """A revocation list."""

    revocations: bytes


class Introduce(msgspec.Struct, frozen=True):
    """CLINICIAN: the certificate of somebody who will sign."""

    certificate: bytes


class Witness(msgspec.Struct, frozen=True):
    """A checkpoint of a log, to be countersigned.

    Attributes:
        checkpoint: a C2SP signed note, signed by this workstation.
        old, path: RFC 9162 consistency proof from the size `old`, hashes of 32 bytes.
    """

    checkpoint: bytes
    old: int
    path: tuple[bytes, ...]


class Witnessed(msgspec.Struct, frozen=True):
    """What did the hub countersign last of the log of this origin?"""

    origin: bytes


Command = Bare | Acknowledge | Tell | Ask | Signed | Enrol | Revoke | Introduce | Witness | Witnessed


def opcode_of(command: Command) -> Opcode:
    """The opcode under which a command travels."""
    match command:
        case Bare(opcode) | Ask(opcode) | Signed(opcode):
            return opcode
        case Acknowledge():
            return Opcode.ACKNOWLEDGE
        case Tell():
            return Opcode.TIME
        case Enrol():
            return Opcode.ENROL
        case Revoke():
            return Opcode.REVOKE
        case Introduce():
            return Opcode.CLINICIAN
        case Witness():
            return Opcode.WITNESS
        case Witnessed():
            return Opcode.WITNESSED


def encode_command(counter: int, command: Command) -> bytes:
    """The control message, to be split into segments.

    Raises:
        ValueError: a number does not fit its field, or the message is too long.
    """
    try:
        return encode_control(Control(opcode_of(command), counter, _payload(command)))
    except struct.error as error:
        raise ValueError(f"{command!r} does not fit the wire: {error}") from error


def decode_command(control: Control) -> Command | None:
    """What a control message carries; None for an opcode that this version does not know. Extra bytes are ignored.

    Raises:
        MessageMalformed: the payload is too short.
    """
    if control.opcode not in _OPCODES:
        return None
    opcode, payload = Opcode(control.opcode), control.payload
    try:
        if opcode in SIGNED:
            (message,), rest = decode_parts(payload, 1)
            return Signed(opcode, message, rest if opcode is Opcode.SET_ENVELOPE else b"")
        if opcode in MOST:
            return Ask(opcode, *_RANGE.unpack_from(payload))
        match opcode:
            case Opcode.ACKNOWLEDGE:
                return Acknowledge(*_SEQUENCE.unpack_from(payload))
            case Opcode.TIME:
                return Tell(*_TIME.unpack_from(payload))
            case Opcode.ENROL:
                return Enrol(*decode_parts(payload, 2)[0])
            case Opcode.CLINICIAN:
                return Introduce(*decode_parts(payload, 1)[0])
            case Opcode.REVOKE:
                return Revoke(payload)
            case Opcode.WITNESS:
                return _witness(payload)
            case Opcode.WITNESSED:
                return Witnessed(*decode_parts(payload, 1)[0])
            case _:
                return Bare(opcode)
    except struct.error as error:
        raise MessageMalformed("its payload is too short") from error


def encode_phase(order: PhaseOrder) -> bytes:
    """The body of START_PHASE, which stands inside the signature. Raises ValueError when a number does not fit."""
    try:
        return _PHASE.pack(
            order.phase, order.module, order.tooth, order.dose_percent, order.seconds, round(order.tissue_limit_c * 100)
        )
    except struct.error as error:
        raise ValueError(f"{order!r} does not fit the wire: {error}") from error


def decode_phase(body: bytes) -> PhaseOrder:
    """What a body of START_PHASE orders. Raises MessageMalformed: too short."""
    if len(body) < _PHASE.size:
        raise MessageMalformed("the order of a phase is too short")
    phase, module, tooth, dose, seconds, ceiling = _PHASE.unpack_from(body)
    return PhaseOrder(
        phase=phase, module=module, tooth=tooth, seconds=seconds, dose_percent=dose, tissue_limit_c=ceiling / 100
    )


_OPCODES: Final = frozenset(int(opcode) for opcode in Opcode)


def _payload(command: Command) -> bytes:
    match command:
        case Bare():
            return b""
        case Acknowledge(sequence):
            return _SEQUENCE.pack(sequence)
        case Tell(utc_us):
            return _TIME.pack(utc_us)
        case Ask(_, first, count):
            return _RANGE.pack(first, count)
        case Signed(_, message, envelope):
            return encode_parts(message) + envelope
        case Enrol(root, certificate):
            return encode_parts(root, certificate)
        case Revoke(revocations):
            return revocations
        case Introduce(certificate):
            return encode_parts(certificate)
        case Witness(checkpoint, old, path):
            return encode_parts(checkpoint) + _PROOF.pack(old, len(path)) + b"".join(path)
        case Witnessed(origin):
            return encode_parts(origin)


def _witness(payload: bytes) -> Witness:
    """Raises MessageMalformed: shorter than it says, or a proof that is too long; struct.error."""
    (checkpoint,), rest = decode_parts(payload, 1)
    old, count = _PROOF.unpack_from(rest)
    hashes = rest[_PROOF.size : _PROOF.size + count * HASH_BYTES]
    if count > MAX_PATH or len(hashes) < count * HASH_BYTES:
        raise MessageMalformed("its proof is cut short, or too long")
    path = (hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES))
    return Witness(checkpoint, old, tuple(path))

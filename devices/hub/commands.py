"""Commands, as they stand on the control point (docs/hub-protocol.md, section 6)."""

import struct
from typing import Final

import msgspec

from core.model.hub import Opcode, PhaseOrder
from devices.errors import FrameError

MAX_FETCH: Final = 256
"""Most frames that one FETCH may ask for."""
STOP_VALUE: Final = b"STOP"

HEAD: Final = struct.Struct("<BI")
_ACKNOWLEDGE: Final = struct.Struct("<I")
_FETCH: Final = struct.Struct("<IH")
_PHASE: Final = struct.Struct("<HHBBHh32s")
_BARE: Final = frozenset(Opcode) - {Opcode.ACKNOWLEDGE, Opcode.FETCH, Opcode.START_PHASE}


class Bare(msgspec.Struct, frozen=True):
    """A command that carries nothing but its opcode."""

    opcode: Opcode


class Acknowledge(msgspec.Struct, frozen=True):
    """Everything up to `sequence` is durable; the hub may forget it."""

    sequence: int


class Fetch(msgspec.Struct, frozen=True):
    """Send `count` stored frames again, from sequence `first` on."""

    first: int
    count: int


Order = Bare | Acknowledge | Fetch | PhaseOrder


def opcode_of(order: Order) -> Opcode:
    """The opcode under which an order travels."""
    match order:
        case Bare():
            return order.opcode
        case Acknowledge():
            return Opcode.ACKNOWLEDGE
        case Fetch():
            return Opcode.FETCH
        case PhaseOrder():
            return Opcode.START_PHASE


def encode_command(counter: int, order: Order) -> bytes:
    """The value to write.

    Raises:
        ValueError: a number does not fit its field, or the envelope hash is not 32 bytes.
    """
    try:
        return HEAD.pack(opcode_of(order), counter) + _payload(order)
    except struct.error as error:
        raise ValueError(f"{order!r} does not fit the wire: {error}") from error


def decode_head(data: bytes) -> tuple[int, int]:
    """Opcode and counter of a command. Raises FrameError when they are not there."""
    if len(data) < HEAD.size:
        raise FrameError(f"A command of {len(data)} bytes is too short.")
    opcode, counter = HEAD.unpack_from(data)
    return opcode, counter


def decode_order(data: bytes) -> Order | None:
    """The order of a command; None for an opcode that this version does not know. Trailing bytes are ignored.

    Raises:
        FrameError: the payload is too short.
    """
    opcode, _ = decode_head(data)
    if opcode in _BARE:
        return Bare(Opcode(opcode))
    try:
        if opcode == Opcode.ACKNOWLEDGE:
            return Acknowledge(*_ACKNOWLEDGE.unpack_from(data, HEAD.size))
        if opcode == Opcode.FETCH:
            return Fetch(*_FETCH.unpack_from(data, HEAD.size))
        if opcode == Opcode.START_PHASE:
            return _phase(data)
    except struct.error as error:
        raise FrameError(f"A command {opcode:#04x} is too short.") from error
    return None


def _payload(order: Order) -> bytes:
    match order:
        case Bare():
            return b""
        case Acknowledge(sequence):
            return _ACKNOWLEDGE.pack(sequence)
        case Fetch(first, count):
            return _FETCH.pack(first, count)
        case PhaseOrder():
            if len(order.envelope_sha256) != 32:
                raise ValueError(f"An envelope hash of {len(order.envelope_sha256)} bytes, not 32")
            return _PHASE.pack(
                order.phase,
                order.module,
                order.tooth,
                order.dose_percent,
                order.seconds,
                round(order.tissue_limit_c * 100),
                order.envelope_sha256,
            )


def _phase(data: bytes) -> PhaseOrder:
    phase, module, tooth, dose, seconds, ceiling, envelope = _PHASE.unpack_from(data, HEAD.size)
    return PhaseOrder(
        phase=phase,
        module=module,
        tooth=tooth,
        seconds=seconds,
        dose_percent=dose,
        tissue_limit_c=ceiling / 100,
        envelope_sha256=envelope,
    )

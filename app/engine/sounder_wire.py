"""What engine and sounder say to each other, one message a frame."""

import msgspec

from core.model.alarm import AlarmPriority, AudioState

MAX_FRAME = 4096


class _Frame(msgspec.Struct, frozen=True, tag=True):
    pass


class Play(_Frame, frozen=True):
    """Repeat the bursts of this priority from now on; None: be silent."""

    priority: AlarmPriority | None


class Ping(_Frame, frozen=True):
    """Answered by `Beat` with the same number."""

    number: int


class Render(_Frame, frozen=True):
    """When capturing to a file: let this much time pass. Answered by `Beat` number 0."""

    seconds: float


class Beat(_Frame, frozen=True):
    """The sounder lives. `audio` is ON only while a device takes sound; `device`: its name; `playing`: what repeats."""

    number: int
    audio: AudioState
    device: str
    playing: AlarmPriority | None = None


Order = Play | Ping | Render
_encoder = msgspec.msgpack.Encoder()
_order = msgspec.msgpack.Decoder(Order)
_beat = msgspec.msgpack.Decoder(Beat)


def encode(message: Order | Beat) -> bytes:
    return _encoder.encode(message)


def decode_order(data: bytes) -> Order:
    """Raises msgspec.MsgspecError."""
    order: Order = _order.decode(data)
    return order


def decode_beat(data: bytes) -> Beat:
    """Raises msgspec.MsgspecError."""
    return _beat.decode(data)

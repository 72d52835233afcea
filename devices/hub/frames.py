"""Telemetry and history frames, byte by byte: what a record carries (docs/hub-protocol.md, section 6)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.model.block import Provenance, SampleBlock
from devices.errors import FrameError
from devices.hub.session.wire import MAX_PLAINTEXT

MAX_FRAME: Final = MAX_PLAINTEXT
"""Largest frame, bytes."""
MAX_BLOCKS: Final = 12

HEADER: Final = struct.Struct("<BBBBIIQ")
BLOCK: Final = struct.Struct("<BBHIII")
END: Final = struct.Struct("<BBBBIIII")

TYPE_SAMPLES: Final = 0x01
TYPE_END: Final = 0x02

_SUSPECT: Final = 1
_U32: Final = 0xFFFF_FFFF
_WIRE_SAMPLES: Final = np.dtype("<i2")


@dataclass(frozen=True, slots=True)
class SampleFrame:
    """One sample frame. `hub_time_us` is when the hub closed it; every block carries its boot and sequence."""

    boot: int
    sequence: int
    hub_time_us: int
    blocks: tuple[SampleBlock, ...]


@dataclass(frozen=True, slots=True)
class FetchEnd:
    """All frames of one FETCH have been sent.

    Attributes:
        counter: counter of that FETCH.
        sent: number of frames sent for it.
        oldest, next_sequence: what the hub's memory holds now; equal when it is empty.
    """

    counter: int
    sent: int
    oldest: int
    next_sequence: int


Record = SampleFrame | FetchEnd


def block_size(samples: int) -> int:
    """Bytes that a block of so many samples takes in a frame."""
    return BLOCK.size + 2 * samples


FRAME_OVERHEAD: Final = HEADER.size


def encode_samples(boot: int, sequence: int, hub_time_us: int, blocks: Sequence[SampleBlock]) -> bytes:
    """One sample frame. A block's provenance SUSPECT becomes its flag.

    Raises:
        ValueError: the blocks do not fit, or a number is out of its range.
    """
    if not 1 <= len(blocks) <= MAX_BLOCKS:
        raise ValueError(f"{len(blocks)} blocks, not 1 to {MAX_BLOCKS}")
    try:
        parts = [HEADER.pack(TYPE_SAMPLES, 0, len(blocks), 0, boot, sequence, hub_time_us)]
        for block in blocks:
            flags = _SUSPECT if block.provenance is Provenance.SUSPECT else 0
            age_us = hub_time_us - block.start_us
            head = BLOCK.pack(block.channel, flags, len(block.samples), block.first_index, age_us, block.period_us)
            parts += (head, block.samples.astype(_WIRE_SAMPLES).tobytes())
    except struct.error as error:
        raise ValueError(str(error)) from error
    frame = b"".join(parts)
    if len(frame) > MAX_FRAME:
        raise ValueError(f"{len(frame)} bytes, more than {MAX_FRAME}")
    return frame


def encode_end(end: FetchEnd) -> bytes:
    """One end record."""
    return END.pack(TYPE_END, 0, 0, 0, end.counter, end.sent, end.oldest, end.next_sequence)


def decode_frame(data: bytes, provenance: Provenance) -> Record | None:
    """Decode the plaintext of one Telemetry or History record; None for a type unknown to this version.

    `provenance` is given to every block that the hub does not itself call suspect.

    Raises:
        FrameError: any rule of the protocol is broken. Nothing of the frame may be used.
    """
    if not data:
        raise FrameError("A frame is empty.")
    if data[0] == TYPE_SAMPLES:
        return _decode_samples(data, provenance)
    if data[0] == TYPE_END:
        return _decode_end(data)
    return None


def _decode_end(body: bytes) -> FetchEnd:
    if len(body) < END.size:
        raise FrameError("An end record is too short.")
    _, _, _, _, counter, sent, oldest, next_sequence = END.unpack_from(body)
    if oldest > next_sequence:
        raise FrameError(f"An end record holds from {oldest} to {next_sequence}.")
    return FetchEnd(counter, sent, oldest, next_sequence)


def _decode_samples(body: bytes, provenance: Provenance) -> SampleFrame:
    if len(body) < HEADER.size:
        raise FrameError("A sample frame is shorter than its header.")
    _, flags, count, _, boot, sequence, hub_time_us = HEADER.unpack_from(body)
    if not 1 <= count <= MAX_BLOCKS:
        raise FrameError(f"A sample frame says it has {count} blocks.")
    blocks: list[SampleBlock] = []
    at = HEADER.size
    for _ in range(count):
        block = _decode_block(body, at, boot, sequence, hub_time_us, Provenance.SUSPECT if flags & 1 else provenance)
        blocks.append(block)
        at += block_size(len(block.samples))
    if len({block.channel for block in blocks}) != count:
        raise FrameError("A sample frame carries a channel twice.")
    return SampleFrame(boot, sequence, hub_time_us, tuple(blocks))


def _decode_block(
    body: bytes, at: int, boot: int, sequence: int, hub_time_us: int, provenance: Provenance
) -> SampleBlock:
    if at + BLOCK.size > len(body):
        raise FrameError("A sample frame ends before a block that it announces.")
    channel, flags, count, first_index, age_us, period_us = BLOCK.unpack_from(body, at)
    if count == 0 or period_us == 0:
        raise FrameError(f"A block of channel {channel} has {count} samples every {period_us} µs.")
    if at + block_size(count) > len(body):
        raise FrameError(f"A block of channel {channel} announces {count} samples that are not there.")
    if age_us > hub_time_us or first_index + count - 1 > _U32:
        raise FrameError(f"A block of channel {channel} reaches beyond the boot.")
    samples = np.frombuffer(body, _WIRE_SAMPLES, count, at + BLOCK.size).astype(np.int16)
    samples.flags.writeable = False
    return SampleBlock(
        channel=channel,
        boot=boot,
        first_index=first_index,
        start_us=hub_time_us - age_us,
        period_us=period_us,
        samples=samples,
        provenance=Provenance.SUSPECT if flags & _SUSPECT else provenance,
        sequence=sequence,
    )

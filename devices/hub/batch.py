"""Many frames decoded at once, with the same result as `frames.decode_frame` has one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from core.model.block import Provenance
from devices.errors import FrameError
from devices.hub.frames import BLOCK, HEADER, MAX_BLOCKS, TYPE_SAMPLES, FetchEnd, decode_frame
from devices.hub.session.wire import MAX_PLAINTEXT

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_WIDTH: Final = MAX_PLAINTEXT
"""Bytes of a row; even, as every sample stands at an even place in its frame."""
_HEADER: Final = np.dtype(
    {
        "names": ("type", "flags", "count", "boot", "sequence", "time"),
        "formats": ("u1", "u1", "u1", "<u4", "<u4", "<u8"),
        "offsets": (0, 1, 2, 4, 8, 12),
        "itemsize": HEADER.size,
    }
)
_SUSPECT: Final = 1
_U32: Final = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Pieces:
    """The blocks of the sound frames of a batch, as columns of one length, in the order in which they came.

    Attributes:
        row: frame of the batch that carried it.
        start_us: hub time of the first sample, uint64.
        at: where the first sample stands among the 16-bit words of the batch.
    """

    row: Numbers
    channel: Numbers
    suspect: Flags
    count: Numbers
    first: Numbers
    start_us: npt.NDArray[np.uint64]
    period: Numbers
    at: Numbers


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch, decoded.

    Attributes:
        words: all frames as 16-bit words, where the samples are.
        boot, sequence: of each frame; without meaning where `sound` is False.
        sound: it is a sample frame that may be used.
        ends: the end records, with the number of the frame.
        refused: what breaks a rule, with the number of the frame.
    """

    words: npt.NDArray[np.int16]
    boot: Numbers
    sequence: Numbers
    sound: Flags
    pieces: Pieces
    ends: list[tuple[int, FetchEnd]]
    refused: list[tuple[int, FrameError]]


def decode_batch(frames: Sequence[bytes]) -> Batch:
    """Decode the plaintexts of Telemetry and History records; at least one, each of MAX_PLAINTEXT bytes at most.

    Frames of a type unknown to this version are neither sound nor refused.
    """
    matrix = np.frombuffer(b"".join([frame.ljust(_WIDTH, b"\0") for frame in frames]), np.uint8).reshape(-1, _WIDTH)
    size = np.fromiter(map(len, frames), np.int64, len(frames))
    head = np.ascontiguousarray(matrix[:, : HEADER.size]).view(_HEADER)[:, 0]
    sound, pieces = _walk(matrix, size, head)
    ends: list[tuple[int, FetchEnd]] = []
    refused: list[tuple[int, FrameError]] = []
    for row in np.flatnonzero(~sound).tolist():
        try:
            record = decode_frame(frames[row], Provenance.LIVE)
        except FrameError as error:
            refused.append((row, error))
            continue
        if isinstance(record, FetchEnd):
            ends.append((row, record))
    return Batch(
        words=matrix.reshape(-1).view("<i2").astype(np.int16, copy=False),
        boot=head["boot"].astype(np.int64),
        sequence=head["sequence"].astype(np.int64),
        sound=sound,
        pieces=pieces,
        ends=ends,
        refused=refused,
    )


def _walk(matrix: npt.NDArray[np.uint8], size: Numbers, head: npt.NDArray[np.void]) -> tuple[Flags, Pieces]:
    """Go through all frames block by block, all first blocks at once, then all second ones; what is wrong drops out."""
    count, time = head["count"].astype(np.int64), head["time"]
    sound = (head["type"] == TYPE_SAMPLES) & (size >= HEADER.size) & (count >= 1) & (count <= MAX_BLOCKS)
    heads = _heads(matrix)
    rows = np.flatnonzero(sound)
    begins = np.full(len(rows), HEADER.size, np.int64)
    seen: list[tuple[Numbers, Numbers, Numbers]] = []
    while len(rows):
        room = size[rows] - begins - BLOCK.size
        words = heads[np.minimum((rows * _WIDTH + begins) >> 1, len(heads) - 1)].astype(np.int64)
        samples, first, age, period = words[:, 0] >> 16, words[:, 1], words[:, 2], words[:, 3]
        right = (room >= 2 * samples) & (samples > 0) & (period > 0) & (age.astype(np.uint64) <= time[rows])
        right &= first + samples - 1 <= _U32
        sound[rows[~right]] = False
        seen.append((rows, begins + BLOCK.size, words))
        more = right & (count[rows] > len(seen))
        rows, begins = rows[more], (begins + BLOCK.size + 2 * samples)[more]
    if not seen:
        return sound, _pieces(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 4), np.int64), head)
    row, at, block = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    order = np.argsort(row, kind="stable")
    row, at, block = row[order], at[order], block[order]
    channels = np.sort(row << 8 | block[:, 0] & 0xFF)
    sound[channels[1:][channels[1:] == channels[:-1]] >> 8] = False
    kept = sound[row]
    if not kept.all():
        row, at, block = row[kept], at[kept], block[kept]
    return sound, _pieces(row, at, block, head)


def _heads(matrix: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """At each even place of the batch the words of a block's header, if one stands there, shape (n, 4)."""
    return np.ndarray(((matrix.size - BLOCK.size) // 2 + 1, 4), "<u4", matrix, strides=(2, 4))


def _pieces(row: Numbers, at: Numbers, block: Numbers, head: npt.NDArray[np.void]) -> Pieces:
    """`block`: header words as `_heads` has them."""
    of, first = head[row], block[:, 0]
    return Pieces(
        row=row,
        channel=first & 0xFF,
        suspect=((first >> 8 | of["flags"]) & _SUSPECT).astype(np.bool_),
        count=first >> 16,
        first=block[:, 1],
        start_us=of["time"] - block[:, 2].astype(np.uint64),
        period=block[:, 3],
        at=(row * _WIDTH + at) >> 1,
    )

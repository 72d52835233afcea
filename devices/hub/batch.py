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
_BLOCK: Final = np.dtype(
    [("channel", "u1"), ("flags", "u1"), ("count", "<u2"), ("first", "<u4"), ("age", "<u4"), ("period", "<u4")]
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
    at = np.full(len(matrix), HEADER.size, np.int64)
    rows_of, heads_of, at_of = [], [], []
    step = np.arange(BLOCK.size)
    for number in range(int(count[sound].max(initial=0))):
        rows = np.flatnonzero(sound & (count > number))
        fits = at[rows] + BLOCK.size <= size[rows]
        sound[rows[~fits]] = False
        rows = rows[fits]
        begins = at[rows]
        block = matrix[rows[:, None], begins[:, None] + step].view(_BLOCK)[:, 0]
        samples = block["count"].astype(np.int64)
        right = (samples > 0) & (block["period"] > 0) & (begins + BLOCK.size + 2 * samples <= size[rows])
        right &= (block["age"] <= time[rows]) & (block["first"].astype(np.int64) + samples - 1 <= _U32)
        sound[rows[~right]] = False
        at[rows] = begins + BLOCK.size + 2 * samples
        rows_of.append(rows)
        heads_of.append(block)
        at_of.append(begins + BLOCK.size)
    if not rows_of:
        return sound, _pieces(np.empty(0, np.int64), np.empty(0, _BLOCK), np.empty(0, np.int64), head)
    row, block, begin = np.concatenate(rows_of), np.concatenate(heads_of), np.concatenate(at_of)
    order = np.argsort(row, kind="stable")
    row, block, begin = row[order], block[order], begin[order]
    seen = np.sort(row * 256 + block["channel"])
    sound[seen[1:][seen[1:] == seen[:-1]] // 256] = False
    kept = sound[row]
    return sound, _pieces(row[kept], block[kept], begin[kept], head)


def _pieces(row: Numbers, block: npt.NDArray[np.void], at: Numbers, head: npt.NDArray[np.void]) -> Pieces:
    of = head[row]
    return Pieces(
        row=row,
        channel=block["channel"].astype(np.int64),
        suspect=((block["flags"] | of["flags"]) & _SUSPECT).astype(np.bool_),
        count=block["count"].astype(np.int64),
        first=block["first"].astype(np.int64),
        start_us=of["time"] - block["age"],
        period=block["period"].astype(np.int64),
        at=(row * _WIDTH + at) // 2,
    )

"""Rows with their samples, and which of them may become one block.

Rows are joined when they continue each other in every respect: stream, index, provenance, visit, period, and hub time
(to within half a period: a sensor without a clock of its own arrives with jitter, and then each sample's time is kept).
The UTC of joined samples is drawn straight from end to end; a row that this would move visibly begins a new block.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.model.block import Samples
from core.record.blocks import COLUMNS, LONGEST_US, BlockRow, block_rows, row_values
from core.record.sqlcipher import CipherFile
from core.signals.codec import DENSE, QUICK, Codec, decode, encode
from core.signals.pyramid import STRIDE, Pyramid

Offsets = npt.NDArray[np.int64]
_MOVED_US, _MOVED_PERIODS = 500, 20
"""A sample is moved twice, when it is compacted and when it settles, each time by half a millisecond at most or by a
twentieth of its period."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One row with its samples; `offsets`: hub time of each past `row.start_us`, µs, None when evenly spaced."""

    row: BlockRow
    samples: Samples
    offsets: Offsets | None

    @classmethod
    def of(cls, row: BlockRow, data: bytes) -> "Piece":
        """Raises CodecError."""
        return cls(row, *decode(row.codec, data, row.count))

    @property
    def end_us(self) -> int:
        """Hub time one period past the last sample."""
        last = (self.row.count - 1) * self.row.period_us if self.offsets is None else int(self.offsets[-1])
        return self.row.start_us + last + self.row.period_us

    def each_offset(self) -> Offsets:
        return np.arange(self.row.count) * self.row.period_us if self.offsets is None else self.offsets


def alike(a: BlockRow, b: BlockRow) -> bool:
    """Whether `b` may continue `a`, as far as can be said without their hub time."""
    return (a.stream, a.end_index, a.provenance, a.visit, a.period_us) == (
        b.stream,
        b.first_index,
        b.provenance,
        b.visit,
        b.period_us,
    )


def joins(left: Piece, right: Piece) -> bool:
    a, b = left.row, right.row
    late = b.start_us - left.end_us
    return alike(a, b) and -a.period_us < late <= a.period_us // 2 and b.utc_us > a.utc_us


def runs(pieces: list[Piece]) -> list[list[Piece]]:
    """Split where one row does not continue the other."""
    found: list[list[Piece]] = []
    for piece in pieces:
        if found and joins(found[-1][-1], piece):
            found[-1].append(piece)
        else:
            found.append([piece])
    return found


def groups(run: list[Piece], target: int) -> list[list[Piece]]:
    """Split a run into blocks: of at most about the target size, the longest span, and straight in UTC."""
    found: list[list[Piece]] = []
    current: list[Piece] = []
    count = 0
    for piece in run:
        if current and (count >= target or piece.row.end_utc_us - current[0].row.utc_us > LONGEST_US):
            found += _straight(current)
            current, count = [], 0
        current.append(piece)
        count += piece.row.count
    return found + _straight(current)


def _straight(group: list[Piece]) -> list[list[Piece]]:
    """Split where drawing UTC straight from end to end would move a row by more than it may."""
    if len(group) == 1:
        return [group]
    first, last = group[0].row, group[-1]
    slope = (last.row.end_utc_us - first.utc_us) / (last.end_us - first.start_us)
    hub, utc = np.array([(piece.row.start_us, piece.row.utc_us) for piece in group], np.int64).T
    moved = np.abs((hub - first.start_us) * slope - (utc - first.utc_us))
    worst = int(moved.argmax())
    if moved[worst] <= max(_MOVED_US, first.period_us // _MOVED_PERIODS):
        return [group]
    return _straight(group[:worst]) + _straight(group[worst:])


def replace(file: CipherFile, group: list[Piece], *, settled: bool) -> Piece:
    """Write one block in place of the rows of a group, in the open transaction, and return it."""
    first, last = group[0].row, group[-1].row
    samples, offsets = np.concatenate([piece.samples for piece in group]), _uneven(group)
    codec, data = encode(samples, offsets, level=DENSE if settled else QUICK)
    for table, key in (("tail", "id"), ("payload", "block"), ("pyramid", "block"), ("block", "id")):
        ids = [(piece.row.id,) for piece in group if (piece.row.table == 0) == (table == "tail")]
        file.many(f"DELETE FROM {table} WHERE {key} = ?", ids)
    values = row_values(
        stream=first.stream,
        channel=first.channel,
        first_index=first.first_index,
        start_us=first.start_us,
        period_us=first.period_us,
        utc_us=first.utc_us,
        end_utc_us=last.end_utc_us,
        provenance=first.provenance,
        visit=first.visit,
        codec=codec,
        data=data,
        samples=samples,
    )
    marks = ", ".join("?" * (len(values) + 1))
    block = file.execute(f"INSERT INTO block ({COLUMNS}, settled) VALUES ({marks})", (*values, int(settled)))
    file.execute("INSERT INTO payload (block, data) VALUES (?, ?)", (block, data))
    if codec == Codec.PCODEC and len(samples) >= 2 * STRIDE:
        pyramid = Pyramid.of(samples)
        stored = pyramid.packed(len(samples)) if settled else pyramid.to_bytes()
        file.execute("INSERT INTO pyramid (block, data) VALUES (?, ?)", (block, stored))
    (row,) = block_rows([(1, block, *values)])
    return Piece(row, samples, offsets)


def _uneven(group: list[Piece]) -> Offsets | None:
    """Hub time of each sample past the first, unless they are evenly spaced."""
    first = group[0].row
    at = 0
    for piece in group:
        if piece.offsets is not None or piece.row.start_us - first.start_us != at:
            break
        at += piece.row.count * first.period_us
    else:
        return None
    offsets = np.concatenate([piece.each_offset() + (piece.row.start_us - first.start_us) for piece in group])
    even = bool(np.array_equal(offsets, np.arange(len(offsets)) * first.period_us))
    return None if even else offsets

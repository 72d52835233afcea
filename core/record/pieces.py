"""Rows with their samples, and which of them may become one block.

Rows are joined when they continue each other in every respect: stream, index, provenance, visit, period, and hub time
(to within half a period: a sensor without a clock of its own arrives with jitter, and then each sample's time is kept).
The UTC of joined samples is drawn straight from end to end; a row that this would move visibly begins a new block.

What costs time, `pack`, needs no file, so that another thread can do it while commits go on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from core.model.block import Samples
from core.record.blocks import COLUMNS, LONGEST_US, BlockRow, block_rows, row_values, sample_times
from core.record.sqlcipher import CipherFile
from core.record.summary import SummaryBook
from core.record.tail import Tail
from core.signals.codec import DENSE, QUICK, Codec, encode
from core.signals.pyramid import STRIDE, Pyramid
from core.signals.summary import Cells

Offsets = npt.NDArray[np.int64]
_MOVED_US, _MOVED_PERIODS = 500, 20
"""A sample is moved twice, when it is compacted and when it settles, each time by half a millisecond at most or by a
twentieth of its period."""

_FIELDS = ("stream", "channel", "first_index", "count", "start_us", "period_us", "utc_us", "end_utc_us", "provenance")
_HEAD = np.dtype([(name, np.int64) for name in (*_FIELDS, "visit", "end_us")])


@dataclass(frozen=True, slots=True)
class Pieces:
    """Rows in order of stream and index.

    Attributes:
        head: shape (n,): what rows say of themselves. `visit` is a place in `visits`; `end_us`: hub time one period
            past the last sample.
        samples: of each row.
        offsets: hub time of each sample past `start_us`, µs, None when evenly spaced.
        ids: of the blocks among them, to be replaced.
    """

    head: npt.NDArray[np.void]
    visits: Sequence[str | None]
    samples: Sequence[Samples]
    offsets: Sequence[Offsets | None]
    ids: Sequence[int]

    @classmethod
    def of_tail(cls, tail: Tail, chosen: npt.NDArray[np.int64]) -> "Pieces":
        """Of these entries."""
        entries = tail.entries[chosen]
        order = np.lexsort((entries["first_index"], entries["stream"]))
        chosen, entries = chosen[order], entries[order]
        visits = list(dict.fromkeys(tail.visits))
        head = np.empty(len(chosen), _HEAD)
        for name in _FIELDS:
            head[name] = entries[name]
        places = np.array([visits.index(visit) for visit in tail.visits], np.int64)
        head["visit"] = places[tail.row[chosen]]
        head["end_us"] = head["start_us"] + head["count"] * head["period_us"]
        samples = [np.frombuffer(tail.data(entry), "<i2") for entry in chosen.tolist()]
        return cls(head, visits, samples, [None] * len(samples), ())

    @classmethod
    def of_blocks(cls, rows: Sequence[tuple[BlockRow, Samples, Offsets | None]]) -> "Pieces":
        """Of blocks with what they hold, in order of stream and index."""
        visits = list({row.visit: None for row, _, _ in rows})
        head = np.array(
            [
                (*(getattr(row, name) for name in _FIELDS), visits.index(row.visit), _end_us(row, offsets))
                for row, _, offsets in rows
            ],
            _HEAD,
        )
        return cls(head, visits, [one[1] for one in rows], [one[2] for one in rows], [one[0].id for one in rows])

    def groups(self, target: int) -> Iterator[tuple[int, int]]:
        """Ranges that may become one block each: of at most about the target size, and straight in UTC."""
        for first, end in self._runs():
            yield from self._cut(first, end, target)

    def _runs(self) -> Iterator[tuple[int, int]]:
        """Ranges of rows that continue each other."""
        a, b = self.head[:-1], self.head[1:]
        follows = (a["first_index"] + a["count"] == b["first_index"]) & (b["utc_us"] > a["utc_us"])
        for name in ("stream", "provenance", "visit", "period_us"):
            follows &= a[name] == b[name]
        late = b["start_us"] - a["end_us"]
        follows &= (late > -a["period_us"]) & (late <= a["period_us"] // 2)
        return pairwise([0, *(np.flatnonzero(~follows) + 1).tolist(), len(self.head)])

    def _cut(self, first: int, end: int, target: int) -> Iterator[tuple[int, int]]:
        """A run in blocks."""
        while first < end:
            head = self.head[first:end]
            full = int(np.searchsorted(np.cumsum(head["count"]), target)) + 1
            long = np.flatnonzero(head["end_utc_us"] - head["utc_us"][0] > LONGEST_US)
            last = first + max(1, min(full, len(head), int(long[0]) if len(long) else full))
            yield from self._straight(first, last)
            first = last

    def _straight(self, first: int, end: int) -> list[tuple[int, int]]:
        """Split where drawing UTC straight from end to end would move a row by more than it may."""
        if end - first == 1:
            return [(first, end)]
        head = self.head[first:end]
        hub, utc = head["start_us"] - head["start_us"][0], head["utc_us"] - head["utc_us"][0]
        last, period_us = head[-1], int(head["period_us"][0])
        slope = (last["end_utc_us"] - head["utc_us"][0]) / (last["end_us"] - head["start_us"][0])
        moved = np.abs(hub * slope - utc)
        worst = int(moved.argmax())
        if moved[worst] <= max(_MOVED_US, period_us // _MOVED_PERIODS):
            return [(first, end)]
        return self._straight(first, first + worst) + self._straight(first + worst, end)

    def joined(self, first: int, end: int) -> tuple[Samples, Offsets | None]:
        """The samples of a range, and their hub time past the first unless they are evenly spaced."""
        return np.concatenate(self.samples[first:end]), self._uneven(first, end)

    def _uneven(self, first: int, end: int) -> Offsets | None:
        head, some = self.head[first:end], self.offsets[first:end]
        count, period_us = head["count"], int(head["period_us"][0])
        starts = head["start_us"] - head["start_us"][0]
        even = all(offsets is None for offsets in some)
        if even and np.array_equal(starts, (np.cumsum(count) - count) * period_us):
            return None
        each = [np.arange(n) * period_us if one is None else one for one, n in zip(some, count.tolist(), strict=True)]
        offsets = np.concatenate([one + start for one, start in zip(each, starts.tolist(), strict=True)])
        return None if np.array_equal(offsets, np.arange(len(offsets)) * period_us) else offsets


def _end_us(row: BlockRow, offsets: Offsets | None) -> int:
    last = (row.count - 1) * row.period_us if offsets is None else int(offsets[-1])
    return row.start_us + last + row.period_us


@dataclass(frozen=True, slots=True)
class Block:
    """A block that is ready to be written in place of others.

    Attributes:
        replaced: ids of the blocks whose samples it holds.
        values: one for each of `COLUMNS`.
        cells: of one that settles, to be counted in.
    """

    replaced: Sequence[int]
    values: tuple[object, ...]
    data: bytes
    pyramid: bytes | None
    channel: int
    visit: str | None
    cells: Cells | None


def pack(pieces: Pieces, first: int, end: int, level: int | None) -> Block:
    """A range of pieces as one block; `level`: of the cells to make of it, when it settles."""
    head, last = pieces.head[first], pieces.head[end - 1]
    stream, channel, index, _, start_us, period_us, utc_us, _, provenance, place, _ = head.item()
    visit = pieces.visits[place]
    samples, offsets = pieces.joined(first, end)
    settled = level is not None
    codec, data = encode(samples, offsets, level=DENSE if settled else QUICK)
    values = row_values(
        stream=stream,
        channel=channel,
        first_index=index,
        start_us=start_us,
        period_us=period_us,
        utc_us=utc_us,
        end_utc_us=int(last["end_utc_us"]),
        provenance=provenance,
        visit=visit,
        codec=codec,
        data=data,
        samples=samples,
    )
    stored = None
    if codec == Codec.PCODEC and len(samples) >= 2 * STRIDE:
        pyramid = Pyramid.of(samples)
        stored = pyramid.packed(len(samples)) if settled else pyramid.to_bytes()
    cells = None
    if level is not None:
        (row,) = block_rows([(1, 0, *values)])
        cells = Cells.of(samples, sample_times(row, offsets), row.end_utc_us, period_us, level)
    return Block(pieces.ids[first:end], values, data, stored, channel, visit, cells)


def store(file: CipherFile, summary: SummaryBook, blocks: Sequence[Block]) -> None:
    """Write blocks in place of those that they replace, in the open transaction."""
    replaced = [(identity,) for block in blocks for identity in block.replaced]
    for table, key in (("payload", "block"), ("pyramid", "block"), ("block", "id")):
        file.many(f"DELETE FROM {table} WHERE {key} = ?", replaced)
    for block in blocks:
        values = (*block.values, int(block.cells is not None))
        marks = ", ".join("?" * len(values))
        identity = file.execute(f"INSERT INTO block ({COLUMNS}, settled) VALUES ({marks})", values)
        file.execute("INSERT INTO payload (block, data) VALUES (?, ?)", (identity, block.data))
        if block.pyramid is not None:
            file.execute("INSERT INTO pyramid (block, data) VALUES (?, ?)", (identity, block.pyramid))
        if block.cells is not None:
            summary.add(block.channel, block.visit, block.cells)

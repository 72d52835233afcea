"""Any range at any zoom, by one function: its cost follows from the columns asked for, not from the record's length.

From far away, settled blocks are seen as cells of the summary, at most half a column wide; from near, their pyramids or
samples are read, and then few blocks are as long as the range. What has not settled is little and read as from near.
"""

import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.model.block import Samples
from core.record.blocks import COLUMNS, LONGEST_US, BlockRow, block_rows, tail_rows
from core.record.errors import RecordDamaged
from core.record.signals import REMEDY, SignalReader
from core.record.sqlcipher import CipherFile
from core.record.summary import SummaryBook
from core.record.types import Columns, RecordedChannel
from core.signals.pyramid import STRIDE, Binner, Pyramid, PyramidError
from core.signals.summary import LEVELS, Cells

_SAMPLES_PER_COLUMN = 2 * STRIDE
"""Up to so many samples to a column the blocks are decoded; above, the pyramid serves."""

Gaps = tuple[tuple[int, int], ...]
_Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _View:
    """One channel over a range, as asked for."""

    spec: RecordedChannel
    from_us: int
    to_us: int
    columns: int
    visit: str | None

    @property
    def width_us(self) -> float:
        return (self.to_us - self.from_us) / self.columns


class Zoom:
    """Reads an open file within the caller's snapshot."""

    def __init__(self, file: CipherFile, signals: SignalReader) -> None:
        self._file = file
        self._signals = signals
        self._summary = SummaryBook(file)

    def columns(self, spec: RecordedChannel, from_us: int, to_us: int, columns: int, visit: str | None) -> Columns:
        """See RecordReader.columns."""
        if to_us <= from_us or columns < 1:
            raise ValueError(f"A range needs a beginning before its end and columns: {from_us}, {to_us}, {columns}.")
        view = _View(spec, from_us, to_us, columns, visit)
        fitting = [level for level in LEVELS if (1 << level) <= view.width_us / 2]
        found = self._from_afar(view, fitting[-1]) if fitting else None
        return found or self._from_near(view)

    def _from_afar(self, view: _View, level: int) -> Columns | None:
        """By cells; None when the channel has none so fine, or when there may be no more samples than columns."""
        cells = self._summary.read(view.spec.number, level, view.from_us, view.to_us, view.visit)
        if not len(cells) and level < (self._summary.base(view.spec.number) or LEVELS[-1] + 1):
            return None
        rows = self._rows(view, loose=True)
        begin = cells.index << level
        inside = (begin >= view.from_us) & (begin + (1 << level) <= view.to_us)
        if int(cells.count[inside].sum()) + _expected(rows, view) <= view.columns:
            return None
        binner = Binner(view.from_us, view.to_us, view.columns)
        low, high, total, count = (one.astype(np.float64) for one in (cells.low, cells.high, cells.total, cells.count))
        binner.add_entries(cells.first_us, cells.end_us - 1, low, high, total / count, count)
        self._gather(rows, view, binner)
        return _physical(*binner.result(), view.spec, _wide_gaps(cells, rows, view), samples=False)

    def _from_near(self, view: _View) -> Columns:
        """By blocks: their headers, pyramids or samples."""
        rows = self._rows(view, loose=False)
        gaps = _gaps(rows, view)
        binner = Binner(view.from_us, view.to_us, view.columns)
        if _expected(rows, view) <= view.columns * _SAMPLES_PER_COLUMN:
            at_us, raw = self._samples(rows, view)
            if len(at_us) <= view.columns:
                order = np.argsort(at_us, kind="stable")
                each = raw[order].astype(np.float64)
                return _physical(at_us[order], each, each, each, view.spec, gaps, samples=True)
            binner.add_samples(at_us, raw)
        else:
            self._gather(rows, view, binner)
        return _physical(*binner.result(), view.spec, gaps, samples=False)

    def _rows(self, view: _View, *, loose: bool) -> list[BlockRow]:
        """The rows that reach into the range, by time; `loose`: only those that no cell knows of."""
        # Drift and slew stretch a block by some percent at most.
        bounds: tuple[object, ...] = (view.spec.number, view.from_us - LONGEST_US * 11 // 10, view.to_us, view.from_us)
        table, only = ("block INDEXED BY block_loose", " AND settled = 0") if loose else ("block", "")
        sql = (
            f"SELECT 1, id, {COLUMNS} FROM {table} "
            f"WHERE channel = ? AND utc_us >= ? AND utc_us < ? AND end_utc_us > ?{only}"
        )
        if view.visit is not None:
            sql, bounds = f"{sql} AND visit = ?", (*bounds, view.visit)
        found = block_rows(self._file.rows(sql, bounds)) + self._raw(view)
        return sorted(found, key=lambda row: (row.utc_us, row.stream, row.first_index))

    def _raw(self, view: _View) -> list[BlockRow]:
        """What is not compacted yet and reaches into the range."""
        tail = self._signals.tail()
        if not len(tail):
            return []
        entries = tail.entries
        chosen = (entries["channel"] == view.spec.number) & (entries["utc_us"] < view.to_us)
        chosen &= entries["end_utc_us"] > view.from_us
        if view.visit is not None:
            chosen &= tail.of_visit(view.visit)
        return tail_rows(tail, chosen)

    def _samples(self, rows: list[BlockRow], view: _View) -> tuple[_Int64s, Samples]:
        """UTC and raw values of every sample in the range, row after row."""
        times, values = [np.empty(0, np.int64)], [np.empty(0, np.int16)]
        for row in rows:
            samples, at_us = self._signals.samples_between(row, view.from_us, view.to_us)
            times.append(at_us)
            values.append(samples)
        return np.concatenate(times), np.concatenate(values)

    def _gather(self, rows: list[BlockRow], view: _View, binner: Binner) -> None:
        """Whole blocks where they fit half a column, their pyramid where its entries do, else their samples."""
        half_us = view.width_us / 2
        whole = [row for row in rows if row.end_utc_us - row.utc_us <= half_us]
        if whole:
            table = np.array([(r.utc_us, _last_us(r), r.low, r.high, r.total, r.count) for r in whole], np.int64).T
            low, high, total, count = table[2:].astype(np.float64)
            binner.add_entries(table[0], table[1], low, high, total / count, count)
        long = [row for row in rows if row.end_utc_us - row.utc_us > half_us]
        pyramids = self._pyramids([row for row in long if row.period_us * STRIDE <= half_us])
        for row in long:
            if row not in pyramids:
                samples, at_us = self._signals.samples_between(row, view.from_us, view.to_us)
                binner.add_samples(at_us, samples)
        if pyramids:
            _add_pyramids(list(pyramids.items()), half_us, binner)

    def _pyramids(self, rows: list[BlockRow]) -> dict[BlockRow, Pyramid]:
        """The pyramids of those rows that have one."""
        by_id = {row.id: row for row in rows if row.table}
        if not by_id:
            return {}
        sql = "SELECT block, data FROM pyramid WHERE block IN (SELECT value FROM json_each(?))"
        found: dict[BlockRow, Pyramid] = {}
        for block, data in self._file.rows(sql, (json.dumps(list(by_id)),)):
            row = by_id[block]
            try:
                found[row] = Pyramid.from_bytes(data, row.count)
            except PyramidError as error:
                raise RecordDamaged(f"The pyramid of {row.where} cannot be read: {error}", REMEDY) from error
        return found


def _add_pyramids(layered: list[tuple[BlockRow, Pyramid]], half_us: float, binner: Binner) -> None:
    """All entries of many blocks at once, each made as wide as half a column lets it."""
    strides = [STRIDE << int(np.log2(half_us / (row.period_us * STRIDE))) for row, _ in layered]
    wide = [pyramid.coarser(n // STRIDE, row.count) for (row, pyramid), n in zip(layered, strides, strict=True)]
    lengths = [len(pyramid.low) for pyramid in wide]
    rows = [
        (row.utc_us, row.end_utc_us - row.utc_us, row.count, n) for (row, _), n in zip(layered, strides, strict=True)
    ]
    utc_us, lasts, count, stride = np.repeat(np.array(rows, np.int64), lengths, axis=0).T
    before = np.repeat(np.cumsum([0, *lengths[:-1]]), lengths)
    first = (np.arange(len(before)) - before) * stride
    n = np.minimum(stride, count - first)
    binner.add_entries(
        utc_us + first * lasts // count,
        utc_us + (first + n - 1) * lasts // count,
        np.concatenate([pyramid.low for pyramid in wide]).astype(np.float64),
        np.concatenate([pyramid.high for pyramid in wide]).astype(np.float64),
        np.concatenate([pyramid.mean for pyramid in wide]).astype(np.float64),
        n.astype(np.float64),
    )


def _last_us(row: BlockRow) -> int:
    """UTC µs of the last sample, near enough to place the whole."""
    return max(row.utc_us, row.end_utc_us - row.period_us)


def _expected(rows: list[BlockRow], view: _View) -> int:
    """About how many samples of these rows lie in the range."""
    total = 0.0
    for row in rows:
        inside = min(row.end_utc_us, view.to_us) - max(row.utc_us, view.from_us)
        total += row.count * min(1.0, inside / (row.end_utc_us - row.utc_us))
    return int(total)


def _wide_gaps(cells: Cells, rows: list[BlockRow], view: _View) -> Gaps:
    """Parts of the range in which nothing was recorded, of at least a cell's width: these, none within a cell hides."""
    begin = np.concatenate([cells.first_us, np.array([row.utc_us for row in rows], np.int64), [view.to_us]])
    end = np.concatenate([cells.end_us, np.array([row.end_utc_us for row in rows], np.int64), [view.to_us]])
    order = np.argsort(begin, kind="stable")
    begin = begin[order]
    reached = np.maximum.accumulate(np.append(view.from_us, end[order][:-1]))
    wide = begin - reached >= 1 << cells.level
    return tuple(zip(reached[wide].tolist(), begin[wide].tolist(), strict=True))


def _gaps(rows: list[BlockRow], view: _View) -> Gaps:
    """Parts of the range in which nothing was recorded, longer than a sample and a half takes.

    Within a stream hub time decides: where it runs on, a bend of the clock map is not a gap.
    """
    gaps: list[tuple[int, int]] = []
    reached = view.from_us
    last_of: dict[int, BlockRow] = {}
    longest = 0
    for row in rows:
        before = last_of.get(row.stream)
        follows = before is not None and _follows(before, row)
        slack = 0 if reached == view.from_us and not last_of else max(longest, row.period_us) // 2
        if row.utc_us - reached > slack and not follows:
            gaps.append((reached, row.utc_us))
        reached = max(reached, row.end_utc_us)
        longest = row.period_us
        last_of[row.stream] = row
    if reached < view.to_us:
        gaps.append((reached, view.to_us))
    return tuple(gaps)


def _follows(before: BlockRow, row: BlockRow) -> bool:
    """Whether `row` goes on where `before` of the same stream ended."""
    if before.end_index != row.first_index:
        return False
    slope = (before.end_utc_us - before.utc_us) / before.count / before.period_us
    lasted = (row.start_us - before.start_us) - before.count * before.period_us
    return lasted * min(slope, 1.0) <= before.period_us / 2 or before.codec == 2


def _physical(
    at_us: npt.NDArray[np.int64],
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
    mean: npt.NDArray[np.float64],
    spec: RecordedChannel,
    gaps: Gaps,
    *,
    samples: bool,
) -> Columns:
    low, high, mean = (values * spec.scale + spec.offset for values in (low, high, mean))
    f4 = np.float32
    return Columns(at_us, low.astype(f4), high.astype(f4), mean.astype(f4), gaps, samples)

"""Reading samples back: any zoom, or every one of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from core.model.block import Provenance, Samples
from core.record.blocks import COLUMNS, LONGEST_US, BlockRow, block_rows
from core.record.errors import NotFound, RecordDamaged
from core.record.sqlcipher import CipherFile, Row
from core.record.types import Columns, RecordedChannel, Span, StoredBlock
from core.signals.codec import CodecError, checksum, decode
from core.signals.pyramid import STRIDE, Binner, Pyramid, PyramidError

_SAMPLES_PER_COLUMN = 2 * STRIDE
"""Up to so many samples to a column the blocks are decoded; above, the pyramid serves."""
_BATCH = 64
"""Blocks to one read transaction when everything is read."""
_REMEDY = "Run `record verify` to see what is affected, and restore the record from a backup."


_BLOCK, _TAIL = (1, "NULL", "block"), (0, "data", "tail")
"""Number of the table, its samples where they stand in the row itself, its name."""


@dataclass(frozen=True, slots=True)
class _Range:
    channel: int
    from_us: int
    to_us: int
    visit: str | None


class SignalReader:
    """Reads the blocks of an open file, each call from one snapshot."""

    def __init__(self, file: CipherFile) -> None:
        self._file = file

    def channels(self) -> list[RecordedChannel]:
        """As the record describes them, then those it holds samples of without knowing what they are."""
        rows = self._file.rows("SELECT number, key, unit, scale, zero FROM channel ORDER BY number")
        found = [RecordedChannel(*row) for row in rows]
        known = {channel.number for channel in found}
        strange = self._file.rows("SELECT DISTINCT channel FROM stream ORDER BY channel")
        return found + [RecordedChannel(n, f"channel_{n}", "1", 1.0, 0.0) for (n,) in strange if n not in known]

    def channel(self, key: str) -> RecordedChannel:
        """Raises NotFound."""
        for channel in self.channels():
            if channel.key == key:
                return channel
        raise NotFound(f"The record knows no channel {key!r}.", "`record info` lists its channels.")

    def spans(self, visit: str | None) -> list[Span]:
        """What there is of each channel, in one visit or in all."""
        names = {channel.number: channel.key for channel in self.channels()}
        part = "SELECT channel, min(utc_us) a, max(end_utc_us) b, sum(count) n FROM {} {} GROUP BY channel"
        where, parameters = ("WHERE visit = ?", (visit, visit)) if visit is not None else ("", ())
        sql = (
            f"SELECT channel, min(a), max(b), sum(n) FROM ({part.format('block', where)} UNION ALL "
            f"{part.format('tail', where)}) GROUP BY channel ORDER BY channel"
        )
        return [Span(names[row[0]], row[1], row[2], row[3]) for row in self._file.rows(sql, parameters)]

    # ---- any zoom ----------------------------------------------------------------------------------

    def columns(self, channel: str, from_us: int, to_us: int, columns: int, visit: str | None) -> Columns:
        """See RecordReader.columns."""
        if to_us <= from_us or columns < 1:
            raise ValueError(f"A range needs a beginning before its end and columns: {from_us}, {to_us}, {columns}.")
        with self._file.reading():
            spec = self.channel(channel)
            wanted = _Range(spec.number, from_us, to_us, visit)
            rows = self._overlapping(wanted)
            gaps = _gaps(rows, from_us, to_us)
            if _expected(rows, from_us, to_us) <= columns * _SAMPLES_PER_COLUMN:
                return self._decoded(rows, wanted, columns, spec, gaps)
            binner = Binner(from_us, to_us, columns)
            self._gather(rows, (to_us - from_us) / columns, binner)
        return _physical(*binner.result(), spec, gaps, samples=False)

    def _overlapping(self, wanted: _Range) -> list[BlockRow]:
        """The rows that reach into the range, by time."""
        visit = "" if wanted.visit is None else "AND visit = ?"
        part = (
            f"SELECT {{}}, id, {COLUMNS}, {{}} FROM {{}} "
            f"WHERE channel = ? AND utc_us >= ? AND utc_us < ? AND end_utc_us > ? {visit}"
        )
        # Drift and slew stretch a block by some percent at most.
        bounds: tuple[object, ...] = (wanted.channel, wanted.from_us - LONGEST_US * 11 // 10, wanted.to_us)
        bounds += (wanted.from_us,) if wanted.visit is None else (wanted.from_us, wanted.visit)
        found = block_rows(self._file.rows(part.format(*_BLOCK), bounds))
        found += block_rows(self._file.rows(part.format(*_TAIL), bounds))
        return sorted(found, key=lambda row: (row.utc_us, row.stream, row.first_index))

    def _decoded(
        self,
        rows: list[BlockRow],
        wanted: _Range,
        columns: int,
        spec: RecordedChannel,
        gaps: tuple[tuple[int, int], ...],
    ) -> Columns:
        """Few enough samples to look at each."""
        times, values = [np.empty(0, np.int64)], [np.empty(0, np.int16)]
        for row in rows:
            samples, at_us, _ = self.samples_of(row)
            inside = (at_us >= wanted.from_us) & (at_us < wanted.to_us)
            times.append(at_us[inside])
            values.append(samples[inside])
        at_us, raw = np.concatenate(times), np.concatenate(values)
        if len(at_us) <= columns:
            order = np.argsort(at_us, kind="stable")
            each = raw[order].astype(np.float64)
            return _physical(at_us[order], each, each, each, spec, gaps, samples=True)
        binner = Binner(wanted.from_us, wanted.to_us, columns)
        binner.add_samples(at_us, raw)
        return _physical(*binner.result(), spec, gaps, samples=False)

    def _gather(self, rows: list[BlockRow], width_us: float, binner: Binner) -> None:
        """Whole blocks where they fit half a column, their pyramid where its entries do, else their samples."""
        whole = [row for row in rows if row.end_utc_us - row.utc_us <= width_us / 2]
        if whole:
            table = np.array([(r.utc_us, _last_us(r), r.low, r.high, r.total, r.count) for r in whole], np.int64).T
            low, high, total, count = table[2:].astype(np.float64)
            binner.add_entries(table[0], table[1], low, high, total / count, count)
        long = [row for row in rows if row.end_utc_us - row.utc_us > width_us / 2]
        pyramids = self._pyramids([row for row in long if row.period_us * STRIDE <= width_us / 2])
        for row in long:
            if row not in pyramids:
                samples, at_us, _ = self.samples_of(row)
                binner.add_samples(at_us, samples)
        if pyramids:
            _add_pyramids(list(pyramids.items()), binner)

    def _pyramids(self, rows: list[BlockRow]) -> dict[BlockRow, Pyramid]:
        """The pyramids of those rows that have one."""
        by_id = {row.id: row for row in rows if row.table}
        sql = "SELECT block, data FROM pyramid WHERE block IN (SELECT value FROM json_each(?))"
        found: dict[BlockRow, Pyramid] = {}
        for block, data in self._file.rows(sql, (json.dumps(list(by_id)),)):
            row = by_id[block]
            try:
                found[row] = Pyramid.from_bytes(data, row.count)
            except PyramidError as error:
                raise RecordDamaged(f"The pyramid of {row.where} cannot be read: {error}", _REMEDY) from error
        return found

    # ---- every sample ------------------------------------------------------------------------------

    def samples_of(self, row: BlockRow) -> tuple[Samples, npt.NDArray[np.int64], npt.NDArray[np.int64] | None]:
        """The samples of one row, their UTC µs, and their hub-time offsets when they are not evenly spaced.

        Raises:
            RecordDamaged: the bytes are missing, changed, or do not decode.
        """
        found = (
            (row.data,)
            if row.data is not None
            else self._file.row("SELECT data FROM payload WHERE block = ?", (row.id,))
        )
        if found is None:
            raise RecordDamaged(f"The samples of {row.where} are missing.", _REMEDY)
        data: bytes = found[0]
        if checksum(data) != row.crc:
            raise RecordDamaged(f"The samples of {row.where} fail their checksum.", _REMEDY)
        try:
            samples, offsets = decode(row.codec, data, row.count)
        except CodecError as error:
            raise RecordDamaged(f"The samples of {row.where} cannot be read: {error}", _REMEDY) from error
        if offsets is None:
            return samples, _times(row, np.arange(row.count)), None
        length = int(offsets[-1]) + row.period_us
        return samples, row.utc_us + offsets * (row.end_utc_us - row.utc_us) // length, offsets

    def samples(
        self, source: str | None, channel: str, from_us: int | None, to_us: int | None
    ) -> Iterator[StoredBlock]:
        """See RecordReader.samples."""
        spec = self.channel(channel)
        sql = (
            "SELECT stream.id, source.name, boot FROM stream JOIN source ON source.id = source "
            "WHERE channel = ? AND (? IS NULL OR name = ?) ORDER BY source.id, boot"
        )
        for stream, name, boot in self._file.rows(sql, (spec.number, source, source)):
            position = -(1 << 62)
            while batch := self._batch(stream, position, from_us, to_us):
                for row, samples, at_us, offsets in batch:
                    # Between two batches rows may have been compacted into one that begins before our place.
                    skip = max(0, position - row.first_index)
                    for start, end in _even(offsets, row.count, row.period_us, skip):
                        yield _stored(name, boot, spec.key, row, samples, at_us, offsets, start, end)
                    position = row.end_index

    def _batch(
        self, stream: int, position: int, from_us: int | None, to_us: int | None
    ) -> list[tuple[BlockRow, Samples, npt.NDArray[np.int64], npt.NDArray[np.int64] | None]]:
        """The next rows of a stream from index `position` on, decoded, from one short snapshot."""
        clauses = "stream = ? AND first_index + count > ? AND end_utc_us > ? AND utc_us < ?"
        low = -(1 << 62) if from_us is None else from_us
        high = 1 << 62 if to_us is None else to_us
        with self._file.reading():
            # The block that holds `position` begins before it: start the index search there.
            before = self._file.row(
                "SELECT max(first_index) FROM block WHERE stream = ? AND first_index <= ?", (stream, position)
            )
            floor = before[0] if before and before[0] is not None else position
            part = f"SELECT {{}}, id, {COLUMNS}, {{}} FROM {{}} WHERE {clauses}"
            sql = (
                f"{part.format(*_BLOCK)} AND first_index >= ? UNION ALL {part.format(*_TAIL)} "
                "ORDER BY first_index LIMIT ?"
            )
            bounds = (stream, position, low, high)
            rows = block_rows(self._file.rows(sql, (*bounds, floor, *bounds, _BATCH)))
            return [(row, *self.samples_of(row)) for row in rows]

    def all_rows(self) -> Iterator[BlockRow]:
        """Every row of both tables, in order of table and id, in pages."""
        for table, data, name in (_BLOCK, _TAIL):
            last = -1
            sql = f"SELECT {table}, id, {COLUMNS}, {data} FROM {name} WHERE id > ? ORDER BY id LIMIT 1000"
            while page := block_rows(self._file.rows(sql, (last,))):
                yield from page
                last = page[-1].id

    def totals(self) -> tuple[int, int]:
        """Blocks and samples in the record."""
        counted: Row | None = self._file.row(
            "SELECT sum(n), sum(m) FROM (SELECT count(*) n, sum(count) m FROM block "
            "UNION ALL SELECT count(*), sum(count) FROM tail)"
        )
        return (int(counted[0] or 0), int(counted[1] or 0)) if counted else (0, 0)


def _add_pyramids(layered: list[tuple[BlockRow, Pyramid]], binner: Binner) -> None:
    """All entries of many blocks at once."""
    lengths = [len(pyramid.low) for _, pyramid in layered]
    table = np.array([(row.utc_us, row.end_utc_us - row.utc_us, row.count) for row, _ in layered], np.int64)
    utc_us, lasts, count = np.repeat(table, lengths, axis=0).T
    before = np.repeat(np.cumsum([0, *lengths[:-1]]), lengths)
    first = (np.arange(len(before)) - before) * STRIDE
    n = np.minimum(STRIDE, count - first)
    binner.add_entries(
        utc_us + first * lasts // count,
        utc_us + (first + n - 1) * lasts // count,
        np.concatenate([pyramid.low for _, pyramid in layered]).astype(np.float64),
        np.concatenate([pyramid.high for _, pyramid in layered]).astype(np.float64),
        np.concatenate([pyramid.mean for _, pyramid in layered]).astype(np.float64),
        n.astype(np.float64),
    )


def _times(row: BlockRow, index: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """UTC µs of samples of an evenly spaced row."""
    return row.utc_us + index.astype(np.int64) * (row.end_utc_us - row.utc_us) // row.count


def _last_us(row: BlockRow) -> int:
    """UTC µs of the last sample, near enough to place the whole."""
    return max(row.utc_us, row.end_utc_us - row.period_us)


def _expected(rows: list[BlockRow], from_us: int, to_us: int) -> int:
    """About how many samples of these rows lie in the range."""
    total = 0.0
    for row in rows:
        inside = min(row.end_utc_us, to_us) - max(row.utc_us, from_us)
        total += row.count * min(1.0, inside / (row.end_utc_us - row.utc_us))
    return int(total)


def _gaps(rows: list[BlockRow], from_us: int, to_us: int) -> tuple[tuple[int, int], ...]:
    """Parts of the range in which nothing was recorded, longer than a sample and a half takes.

    Within a stream hub time decides: where it runs on, a bend of the clock map is not a gap.
    """
    gaps: list[tuple[int, int]] = []
    reached = from_us
    last_of: dict[int, BlockRow] = {}
    longest = 0
    for row in rows:
        before = last_of.get(row.stream)
        follows = before is not None and _follows(before, row)
        slack = 0 if reached == from_us and not last_of else max(longest, row.period_us) // 2
        if row.utc_us - reached > slack and not follows:
            gaps.append((reached, row.utc_us))
        reached = max(reached, row.end_utc_us)
        longest = row.period_us
        last_of[row.stream] = row
    if reached < to_us:
        gaps.append((reached, to_us))
    return tuple(gaps)


def _follows(before: BlockRow, row: BlockRow) -> bool:
    """Whether `row` goes on where `before` of the same stream ended."""
    if before.end_index != row.first_index:
        return False
    slope = (before.end_utc_us - before.utc_us) / before.count / before.period_us
    lasted = (row.start_us - before.start_us) - before.count * before.period_us
    return lasted * min(slope, 1.0) <= before.period_us / 2 or before.codec == 2


def _even(offsets: npt.NDArray[np.int64] | None, count: int, period_us: int, skip: int) -> list[tuple[int, int]]:
    """Stretches [start, end) of evenly spaced samples."""
    if offsets is None:
        return [(skip, count)]
    breaks = np.flatnonzero(np.diff(offsets) != period_us) + 1
    edges = [skip, *(int(at) for at in breaks if at > skip), count]
    return list(pairwise(edges))


def _stored(
    source: str,
    boot: int,
    channel: str,
    row: BlockRow,
    samples: Samples,
    at_us: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int64] | None,
    start: int,
    end: int,
) -> StoredBlock:
    if end == row.count:
        end_utc_us = row.end_utc_us
    elif offsets is None:
        end_utc_us = int(at_us[end])
    else:
        end_utc_us = int(at_us[end - 1]) + row.period_us
    return StoredBlock(
        source=source,
        boot=boot,
        channel=channel,
        first_index=row.first_index + start,
        start_us=row.start_us + (int(offsets[start]) if offsets is not None else start * row.period_us),
        period_us=row.period_us,
        utc_us=int(at_us[start]),
        end_utc_us=end_utc_us,
        provenance=Provenance(row.provenance),
        samples=samples[start:end],
    )


def _physical(
    at_us: npt.NDArray[np.int64],
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
    mean: npt.NDArray[np.float64],
    spec: RecordedChannel,
    gaps: tuple[tuple[int, int], ...],
    *,
    samples: bool,
) -> Columns:
    low, high, mean = (values * spec.scale + spec.offset for values in (low, high, mean))
    f4 = np.float32
    return Columns(at_us, low.astype(f4), high.astype(f4), mean.astype(f4), gaps, samples)

"""Reading samples back, every one of them; `zoom` reads them for a plot."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from core.model.block import Provenance, Samples
from core.record.blocks import COLUMNS, BlockRow, block_rows, sample_times, tail_rows
from core.record.errors import NotFound, RecordDamaged
from core.record.sqlcipher import CipherFile
from core.record.tail import Tail, read_tail
from core.record.types import RecordedChannel, Span, StoredBlock
from core.signals.codec import CodecError, checksum, decode

_BATCH, _BATCH_SAMPLES = 64, 1 << 20
"""Blocks, and samples, to one read transaction when everything is read: some 10 MB."""
REMEDY = "Run `record verify` to see what is affected, and restore the record from a backup."


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
        row = self._file.row("SELECT number, key, unit, scale, zero FROM channel WHERE key = ?", (key,))
        if row is not None:
            return RecordedChannel(*row)
        for channel in self.channels():
            if channel.key == key:
                return channel
        raise NotFound(f"The record knows no channel {key!r}.", "`record info` lists its channels.")

    def spans(self, visit: str | None) -> list[Span]:
        """What there is of each channel, in one visit or in all."""
        names = {channel.number: channel.key for channel in self.channels()}
        where, parameters = ("WHERE visit = ?", (visit,)) if visit is not None else ("", ())
        sql = f"SELECT channel, min(utc_us), max(end_utc_us), sum(count) FROM block {where} GROUP BY channel"
        found = {row[0]: row[1:] for row in self._file.rows(sql, parameters)}
        tail = self.tail()
        entries = tail.entries if visit is None else tail.entries[tail.of_visit(visit)]
        for channel in np.unique(entries["channel"]).tolist():
            some = entries[entries["channel"] == channel]
            first, last, count = found.get(channel, (1 << 62, -(1 << 62), 0))
            found[channel] = (
                min(first, int(some["utc_us"].min())),
                max(last, int(some["end_utc_us"].max())),
                count + int(some["count"].sum(dtype=np.int64)),
            )
        return [Span(names[channel], *found[channel]) for channel in sorted(found)]

    def tail(self) -> Tail:
        """What is not compacted yet. Raises RecordDamaged."""
        tail = read_tail(self._file)
        if tail.damaged:
            raise RecordDamaged(f"The samples of tail {tail.damaged[0]} cannot be read.", REMEDY)
        return tail

    # every sample

    def samples_of(self, row: BlockRow) -> tuple[Samples, npt.NDArray[np.int64], npt.NDArray[np.int64] | None]:
        """The samples of one row, their UTC µs, and their hub-time offsets when they are not evenly spaced.

        Raises:
            RecordDamaged: the bytes are missing, changed, or do not decode.
        """
        samples, offsets = self._decoded(row)
        return samples, sample_times(row, offsets), offsets

    def samples_between(self, row: BlockRow, from_us: int, to_us: int) -> tuple[Samples, npt.NDArray[np.int64]]:
        """The samples of one row in [from_us, to_us), and their UTC µs. Raises RecordDamaged."""
        samples, offsets = self._decoded(row)
        first, end = 0, row.count
        if offsets is None:
            span_us = row.end_utc_us - row.utc_us
            first = max(0, (from_us - row.utc_us) * row.count // span_us - 1)
            end = min(row.count, max(first, (to_us - row.utc_us) * row.count // span_us + 2))
        at_us = sample_times(row, offsets, first, end)
        a, b = np.searchsorted(at_us, (from_us, to_us))
        return samples[first + a : first + b], at_us[a:b]

    def _decoded(self, row: BlockRow) -> tuple[Samples, npt.NDArray[np.int64] | None]:
        found = (
            (row.data,)
            if row.data is not None
            else self._file.row("SELECT data FROM payload WHERE block = ?", (row.id,))
        )
        if found is None:
            raise RecordDamaged(f"The samples of {row.where} are missing.", REMEDY)
        data: bytes = found[0]
        if checksum(data) != row.crc:
            raise RecordDamaged(f"The samples of {row.where} fail their checksum.", REMEDY)
        try:
            return decode(row.codec, data, row.count)
        except CodecError as error:
            raise RecordDamaged(f"The samples of {row.where} cannot be read: {error}", REMEDY) from error

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
            sql = (
                f"SELECT 1, id, {COLUMNS} FROM block WHERE {clauses} AND first_index >= ? ORDER BY first_index LIMIT ?"
            )
            rows = block_rows(self._file.rows(sql, (stream, position, low, high, floor, _BATCH)))
            tail = self.tail()
            found = tail.entries
            chosen = (found["stream"] == stream) & (found["first_index"] + found["count"] > position)
            rows += tail_rows(tail, chosen & (found["end_utc_us"] > low) & (found["utc_us"] < high))
            batch, count = [], 0
            for row in sorted(rows, key=lambda row: row.first_index)[:_BATCH]:
                batch.append((row, *self.samples_of(row)))
                count += row.count
                if count >= _BATCH_SAMPLES:
                    break
            return batch

    def all_rows(self) -> Iterator[BlockRow]:
        """Every block, in order of id, then what is not compacted. A row that cannot be read is left out."""
        last = -1
        sql = f"SELECT 1, id, {COLUMNS} FROM block WHERE id > ? ORDER BY id LIMIT 1000"
        while page := block_rows(self._file.rows(sql, (last,))):
            yield from page
            last = page[-1].id
        yield from tail_rows(read_tail(self._file))

    def totals(self) -> tuple[int, int]:
        """Blocks and samples in the record."""
        ((blocks, samples),) = self._file.rows("SELECT count(*), coalesce(sum(count), 0) FROM block")
        tail = self.tail()
        return blocks + len(tail), samples + int(tail.entries["count"].sum(dtype=np.int64))


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

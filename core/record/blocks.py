"""Sample blocks as rows, and the rules by which new samples enter: once each, first come first kept.

New blocks are appended raw to the table `tail`, a row to each commit and visit; compaction moves them to `block`.
Together the two hold each sample once, keyed by (source, boot, channel, index).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.model.block import SampleBlock, Samples
from core.record.coverage import Coverage
from core.record.joining import joined
from core.record.sqlcipher import CipherFile, Row
from core.record.tail import Fresh, Tail, TailBook, read_tail
from core.record.types import StampedBlock
from core.signals.codec import Codec, checksum

COLUMNS = (
    "stream, channel, first_index, count, start_us, period_us, utc_us, end_utc_us, provenance, visit, codec, crc, "
    "low, high, total"
)
LONGEST_US = 3_600_000_000
"""No block lasts longer, so that a search by time knows how far back to look."""
LONGEST_COUNT = 65_536


@dataclass(frozen=True, slots=True)
class BlockRow:
    """One row of `block` (table 1) or one channel of a row of `tail` (table 0), whose samples are in `data`."""

    table: int
    id: int
    stream: int
    channel: int
    first_index: int
    count: int
    start_us: int
    period_us: int
    utc_us: int
    end_utc_us: int
    provenance: int
    visit: str | None
    codec: int
    crc: int
    low: int
    high: int
    total: int
    data: bytes | None = None

    @property
    def end_index(self) -> int:
        return self.first_index + self.count

    @property
    def where(self) -> str:
        return f"{'block' if self.table else 'tail'} {self.id}"


def block_rows(rows: Sequence[Row]) -> list[BlockRow]:
    return [BlockRow(*row) for row in rows]


def tail_rows(tail: Tail, chosen: npt.NDArray[np.bool_] | None = None) -> list[BlockRow]:
    """Those entries of a tail, or all, as if each were a row."""
    found = range(len(tail)) if chosen is None else np.flatnonzero(chosen).tolist()
    return block_rows([(0, tail.ids[int(tail.row[n])], *tail.values(n), tail.data(n)) for n in found])


def sample_times(
    row: BlockRow, offsets: npt.NDArray[np.int64] | None, first: int = 0, end: int | None = None
) -> npt.NDArray[np.int64]:
    """UTC µs of samples [first, end) of a row; `offsets`: their hub time past its start, None when evenly spaced."""
    if offsets is None:
        index = np.arange(first, row.count if end is None else end, dtype=np.int64)
        return row.utc_us + index * (row.end_utc_us - row.utc_us) // row.count
    offsets, last = offsets[first:end], offsets[-1]
    length = int(last) + row.period_us
    return row.utc_us + offsets * (row.end_utc_us - row.utc_us) // length


def row_values(  # one value for each of COLUMNS
    *,
    stream: int,
    channel: int,
    first_index: int,
    start_us: int,
    period_us: int,
    utc_us: int,
    end_utc_us: int,
    provenance: int,
    visit: str | None,
    codec: Codec,
    data: bytes,
    samples: Samples,
) -> tuple[object, ...]:
    n = len(samples)
    low, high, total = int(samples.min()), int(samples.max()), int(samples.sum(dtype=np.int64))
    return (
        *(stream, channel, first_index, n, start_us, period_us, utc_us, end_utc_us, provenance, visit),
        *(int(codec), checksum(data), low, high, total),
    )


class BlockStore:
    """Writes blocks. What it remembers of the file must be forgotten when a transaction fails: `forget`."""

    def __init__(self, file: CipherFile) -> None:
        self._file = file
        self.tail = TailBook(file)
        self._waiting: dict[str | None, list[Fresh]] = {}
        self._sources: dict[str, int] = {}
        self._streams: dict[tuple[int, int, int], int] = {}
        self._covered: dict[int, Coverage] = {}
        self._raw: dict[int, list[tuple[int, int]]] | None = None

    def forget(self) -> None:
        """Read everything from the file again when it is needed."""
        self._waiting.clear()
        self._sources.clear()
        self._streams.clear()
        self._covered.clear()
        self._raw = None
        self.tail.forget()

    def flush(self) -> None:
        """Write what was added in the open transaction: before it ends, and before anybody looks."""
        for visit, blocks in self._waiting.items():
            self.tail.write(visit, blocks)
        self._waiting.clear()

    def source(self, name: str) -> int:
        """The id of a source, given one when it is new."""
        found = self._sources.get(name)
        if found is None:
            row = self._file.row("SELECT id FROM source WHERE name = ?", (name,))
            found = int(row[0]) if row else self._file.execute("INSERT INTO source (name) VALUES (?)", (name,))
            self._sources[name] = found
        return found

    def newest_us(self, source: str, before_boot: int) -> int:
        """UTC µs one period past the newest sample of a source's earlier boots; 0 when there is none."""
        self.flush()
        of_source = (self.source(source), before_boot)
        newest = "SELECT id FROM block WHERE block.stream = stream.id ORDER BY first_index DESC LIMIT 1"
        row = self._file.row(
            f"SELECT max(end_utc_us) FROM stream JOIN block ON block.id = ({newest}) "
            "WHERE stream.source = ? AND stream.boot < ?",
            of_source,
        )
        streams = [one for (one,) in self._file.rows("SELECT id FROM stream WHERE source = ? AND boot < ?", of_source)]
        entries = read_tail(self._file).entries
        raw = entries["end_utc_us"][np.isin(entries["stream"], streams)]
        return max(int(row[0] or 0) if row else 0, int(raw.max(initial=0)))

    def add(self, source: str, blocks: Sequence[StampedBlock], visit: str | None) -> int:
        """Append what is new of `blocks`; returns how many samples that was."""
        source_id = self.source(source)
        waiting = self._waiting.setdefault(visit, [])
        stored = 0
        for stamped in joined(blocks):
            block = stamped.block
            stream = self._stream(source_id, block.boot, block.channel)
            for start, end in self._coverage(stream).take(block.first_index, block.end_index):
                for first, last in _cut(start, end, block.period_us):
                    waiting.append(_fresh(stream, stamped, first, last))
                    stored += last - first
        return stored

    def _stream(self, source: int, boot: int, channel: int) -> int:
        key = (source, boot, channel)
        found = self._streams.get(key)
        if found is None:
            row = self._file.row("SELECT id FROM stream WHERE source = ? AND boot = ? AND channel = ?", key)
            insert = "INSERT INTO stream (source, boot, channel) VALUES (?, ?, ?)"
            found = int(row[0]) if row else self._file.execute(insert, key)
            self._streams[key] = found
        return found

    def _coverage(self, stream: int) -> Coverage:
        """What there is of a stream. What waits is of streams that were asked about before."""
        found = self._covered.get(stream)
        if found is None:
            ranges = self._file.rows("SELECT first_index, first_index + count FROM block WHERE stream = ?", (stream,))
            found = Coverage([*((row[0], row[1]) for row in ranges), *self._raw_ranges(stream)])
            self._covered[stream] = found
        return found

    def _raw_ranges(self, stream: int) -> list[tuple[int, int]]:
        if self._raw is None:
            self._raw = {}
            entries = read_tail(self._file).entries
            end = entries["first_index"] + entries["count"]
            for one, *both in zip(*(a.tolist() for a in (entries["stream"], entries["first_index"], end)), strict=True):
                self._raw.setdefault(one, []).append((both[0], both[1]))
        return self._raw.pop(stream, [])


def _cut(start: int, end: int, period_us: int) -> list[tuple[int, int]]:
    """[start, end) in pieces that respect the longest block."""
    longest = max(1, min(LONGEST_COUNT, LONGEST_US // period_us))
    return [(at, min(at + longest, end)) for at in range(start, end, longest)]


def _fresh(stream: int, stamped: StampedBlock, first: int, last: int) -> Fresh:
    """Samples [first, last) of a block, by index."""
    block: SampleBlock = stamped.block
    skipped, count = first - block.first_index, len(block.samples)
    utc_us, end_utc_us, samples = stamped.utc_us, stamped.end_utc_us, block.samples
    if last - first < count:
        span_us = end_utc_us - utc_us
        end_utc_us = utc_us + span_us * (skipped + last - first) // count
        utc_us += span_us * skipped // count
        samples = samples[skipped : skipped + last - first]
    start_us = block.start_us + skipped * block.period_us
    place = (stream, block.channel, first, last - first, start_us, block.period_us, utc_us, end_utc_us)
    return Fresh(place, int(block.provenance), samples)

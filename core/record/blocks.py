"""Sample blocks as rows, and the rules by which new samples enter: once each, first come first kept.

New blocks are appended raw to the table `tail`; compaction moves them to `block`. Together the two hold each sample
once, keyed by (source, boot, channel, index).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.model.block import Provenance, SampleBlock, Samples
from core.record.coverage import Coverage
from core.record.joining import joined
from core.record.sqlcipher import CipherFile, Row
from core.record.types import StampedBlock
from core.signals.codec import Codec, checksum, encode_raw

COLUMNS = (
    "stream, channel, first_index, count, start_us, period_us, utc_us, end_utc_us, provenance, visit, codec, crc, "
    "low, high, total"
)
LONGEST_US = 3_600_000_000
"""No block lasts longer, so that a search by time knows how far back to look."""
LONGEST_COUNT = 65_536

_INSERT_TAIL = f"INSERT INTO tail ({COLUMNS}, data) VALUES ({', '.join('?' * 16)})"


@dataclass(frozen=True, slots=True)
class BlockRow:
    """One row of `tail` (table 0) or `block` (table 1), columns as in `COLUMNS`; `data` only of a row of `tail`."""

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
        self._sources: dict[str, int] = {}
        self._streams: dict[tuple[int, int, int], int] = {}
        self._covered: dict[int, Coverage] = {}

    def forget(self) -> None:
        """Read everything from the file again when it is needed."""
        self._sources.clear()
        self._streams.clear()
        self._covered.clear()

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
        streams = "SELECT id FROM stream WHERE source = ? AND boot < ?"
        newest = "SELECT id FROM block WHERE block.stream = stream.id ORDER BY first_index DESC LIMIT 1"
        row = self._file.row(
            f"SELECT max(end_utc_us) FROM (SELECT end_utc_us FROM tail WHERE stream IN ({streams}) "
            f"UNION ALL SELECT end_utc_us FROM stream JOIN block ON block.id = ({newest}) "
            "WHERE stream.source = ? AND stream.boot < ?)",
            (self.source(source), before_boot) * 2,
        )
        return int(row[0] or 0) if row else 0

    def add(self, source: str, blocks: Sequence[StampedBlock], visit: str | None) -> int:
        """Append what is new of `blocks`; returns how many samples that was."""
        source_id = self.source(source)
        rows: list[tuple[object, ...]] = []
        stored = 0
        for stamped in joined(blocks):
            block = stamped.block
            stream = self._stream(source_id, block.boot, block.channel)
            covered = self._coverage(stream)
            for start, end in covered.missing(block.first_index, block.end_index):
                for first, last in _cut(start, end, block.period_us):
                    rows.append(_tail_row(stream, stamped, first, last, visit))
                    stored += last - first
            covered.add(block.first_index, block.end_index)
        if rows:
            self._file.many(_INSERT_TAIL, rows)
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
        found = self._covered.get(stream)
        if found is None:
            ranges = "SELECT first_index, first_index + count FROM {} WHERE stream = ?"
            sql = f"{ranges.format('block')} UNION ALL {ranges.format('tail')}"
            found = self._covered[stream] = Coverage((row[0], row[1]) for row in self._file.rows(sql, (stream, stream)))
        return found


def _cut(start: int, end: int, period_us: int) -> list[tuple[int, int]]:
    """[start, end) in pieces that respect the longest block."""
    longest = max(1, min(LONGEST_COUNT, LONGEST_US // period_us))
    return [(at, min(at + longest, end)) for at in range(start, end, longest)]


def _tail_row(stream: int, stamped: StampedBlock, first: int, last: int, visit: str | None) -> tuple[object, ...]:
    block: SampleBlock = stamped.block
    skipped = first - block.first_index
    samples: npt.NDArray[np.int16] = block.samples[skipped : skipped + last - first]
    span_us, count = stamped.end_utc_us - stamped.utc_us, len(block.samples)
    data = encode_raw(samples)
    values = row_values(
        stream=stream,
        channel=block.channel,
        first_index=first,
        start_us=block.start_us + skipped * block.period_us,
        period_us=block.period_us,
        utc_us=stamped.utc_us + span_us * skipped // count,
        end_utc_us=stamped.utc_us + span_us * (skipped + len(samples)) // count,
        provenance=int(Provenance(block.provenance)),
        visit=visit,
        codec=Codec.RAW,
        data=data,
        samples=samples,
    )
    return (*values, data)

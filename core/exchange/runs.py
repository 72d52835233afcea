"""A record's samples as runs: stretches of one stream on an even grid of hub time, without a gap."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.model.block import Provenance, Samples
from core.model.progress import Watch, unwatched, within
from core.record import RecordDamaged, RecordReader
from core.record.types import RecordedChannel, StoredBlock

_SLACK_US = 5_000_000
"""A run is read again by its UTC; compaction may have moved it by a tenth of a period meanwhile, far less than this."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How samples [first, end), by index, reached the record."""

    first: int
    end: int
    provenance: Provenance


@dataclass(slots=True)
class Run:
    """Consecutive samples of one stream.

    Attributes:
        first_index, end_index: as the source counted.
        start_us: hub time of the first sample; sample i lies at start_us + i * period_us, give or take `off_us`.
        utc_us, end_utc_us: of the first sample, and of one period past the last.
        kept: how the samples came, in order, without holes.
        off_us: the farthest that any sample lies from the grid; 0 for a source with a clock of its own.
    """

    source: str
    boot: int
    channel: RecordedChannel
    first_index: int
    end_index: int
    start_us: int
    period_us: int
    utc_us: int
    end_utc_us: int
    kept: list[Kept] = field(default_factory=list)
    off_us: int = 0

    @property
    def count(self) -> int:
        return self.end_index - self.first_index

    @property
    def end_us(self) -> int:
        """Hub time one period past the last sample, on the grid."""
        return self.start_us + self.count * self.period_us


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a stored block that lies in a range of UTC."""

    block: StoredBlock
    first: int
    end: int

    @property
    def samples(self) -> Samples:
        return self.block.samples[self.first : self.end]

    @property
    def first_index(self) -> int:
        return self.block.first_index + self.first

    @property
    def end_index(self) -> int:
        return self.block.first_index + self.end

    @property
    def start_us(self) -> int:
        return self.block.start_us + self.first * self.block.period_us

    def utc_at(self, index: int) -> int:
        """UTC of the sample of that index; of one period past the last for the block's own end."""
        block = self.block
        return block.utc_us + (index - block.first_index) * (block.end_utc_us - block.utc_us) // len(block.samples)


def pieces(
    reader: RecordReader,
    channel: str,
    from_us: int,
    to_us: int,
    source: str | None = None,
) -> Iterator[Piece]:
    """Every sample of a channel whose UTC lies in [from_us, to_us), by source, boot and index."""
    for block in reader.samples(source, channel, from_us, to_us):
        first, end = np.searchsorted(block.times_us(), (from_us, to_us))
        if end > first:
            yield Piece(block, int(first), int(end))


def find_runs(
    reader: RecordReader, channels: Sequence[str], from_us: int, to_us: int, watch: Watch = unwatched
) -> list[list[Run]]:
    """The runs of each stream (source, boot, channel) that has samples in [from_us, to_us), UTC µs, in order.

    A run ends where samples are missing or the period changes, never where a clock map bends or provenance changes.

    Raises:
        NotFound: the record does not know a channel.
        RecordDamaged: a block cannot be read.
    """
    streams: dict[tuple[str, int, str], list[Run]] = {}
    for number, key in enumerate(channels):
        spec = reader.channel(key)
        progress = within(watch, number / len(channels), (number + 1) / len(channels))
        for piece in pieces(reader, key, from_us, to_us):
            runs = streams.setdefault((piece.block.source, piece.block.boot, key), [])
            _add(runs, piece, spec)
            progress((piece.block.end_utc_us - from_us) / (to_us - from_us))
    return list(streams.values())


def read_run(reader: RecordReader, run: Run, first: int, end: int) -> tuple[Samples, int, int]:
    """Samples [first, end) of a run, by index.

    Returns them raw, shape (end - first,); UTC µs of the first; UTC µs of one period past the last.

    Raises RecordDamaged.
    """
    slope = (run.end_utc_us - run.utc_us) / run.count
    around = (
        run.utc_us + int((first - run.first_index) * slope) - _SLACK_US - run.period_us,
        run.utc_us + int((end - run.first_index) * slope) + _SLACK_US + run.period_us,
    )
    found = np.empty(end - first, np.int16)
    have, begins, ends = 0, run.utc_us, run.end_utc_us
    for block in reader.samples(run.source, run.channel.key, *around):
        if block.boot != run.boot or block.first_index >= end or block.end_index <= first:
            continue
        piece = Piece(block, max(0, first - block.first_index), min(len(block.samples), end - block.first_index))
        found[piece.first_index - first : piece.end_index - first] = piece.samples
        have += len(piece.samples)
        begins = piece.utc_at(first) if piece.first_index == first else begins
        ends = piece.utc_at(end) if piece.end_index == end else ends
    if have != end - first:
        raise RecordDamaged(
            f"Samples {first} to {end} of {run.channel.key} are not all there.", "Run `record verify` on the record."
        )
    return found, begins, ends


def _add(runs: list[Run], piece: Piece, channel: RecordedChannel) -> None:
    block = piece.block
    last = runs[-1] if runs else None
    if last is None or last.end_index != piece.first_index or last.period_us != block.period_us:
        last = Run(
            *(block.source, block.boot, channel, piece.first_index, piece.first_index),
            *(piece.start_us, block.period_us, piece.utc_at(piece.first_index), 0),
        )
        runs.append(last)
    last.off_us = max(last.off_us, abs(piece.start_us - last.end_us))
    last.end_index = piece.end_index
    last.end_utc_us = piece.utc_at(piece.end_index)
    before = last.kept[-1] if last.kept else None
    if before is not None and before.provenance is block.provenance:
        last.kept[-1] = Kept(before.first, piece.end_index, block.provenance)
    else:
        last.kept.append(Kept(piece.first_index, piece.end_index, block.provenance))

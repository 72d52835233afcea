"""A record as long as asked for, block by block as the recorder would have left it, in minutes instead of weeks.

Each channel's noise is four settled blocks long and then repeats; every block is stored, encrypted, indexed and counted
into the summary for itself. Only what costs days is left out: arriving in fifths of a second, and packing the same
samples again.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.bench.common import say
from app.bench.noise import CHANNELS, Matrix, noisy
from core.model.clock import SystemClock
from core.record import Record
from core.record.blocks import COLUMNS, BlockRow, block_rows, row_values, sample_times
from core.record.settling import SETTLED
from core.record.sqlcipher import CipherFile
from core.record.summary import SummaryBook
from core.signals.catalogue import load_catalogue
from core.signals.codec import DENSE, Codec, encode
from core.signals.pyramid import Pyramid
from core.signals.summary import Cells, base_level

RATE_HZ: Final = 250
PERIOD_US: Final = 1_000_000 // RATE_HZ
UTC0_US: Final = 1_800_000_000_000_000 // (SETTLED * PERIOD_US) * (SETTLED * PERIOD_US)
HOUR_US: Final = 3_600_000_000
_TEMPLATES: Final = 4
_AT_ONCE: Final = 64
"""Blocks to a transaction."""


@dataclass(frozen=True, slots=True)
class LongRecord:
    """Where it is, how to open it, and what it holds. `alone`: bytes a sample of pcodec level 12 alone."""

    path: Path
    key: bytes
    channels: tuple[str, ...]
    from_us: int
    to_us: int
    samples: int
    alone: float

    @property
    def bytes_per_sample(self) -> float:
        return self.path.stat().st_size / self.samples


@dataclass(frozen=True, slots=True)
class _Template:
    samples: Matrix
    data: bytes
    pyramid: bytes


def eight() -> tuple[tuple[int, str], ...]:
    """Numbers and keys of eight channels of the catalogue, to carry the corpus."""
    return tuple((spec.number, spec.key) for spec in load_catalogue().from_source("hub"))[:CHANNELS]


def write_long(path: Path, hours: float) -> LongRecord:
    """Write a record of eight channels of 250 Hz, without a gap."""
    key = secrets.token_bytes(32)
    record = Record.create(path, key, chair=1, simulated=True, clock=SystemClock())
    with record.transaction():
        record.begin_frames("bench", 0)  # so that the source is known
    record.close()
    corpus = noisy(_TEMPLATES * SETTLED, RATE_HZ)
    file = CipherFile.open(path, key)
    writer = _Writer(file, corpus)
    total = round(hours * 3600 * RATE_HZ)
    starts = range(0, total, SETTLED)
    for begin in range(0, len(starts), _AT_ONCE // CHANNELS):
        with file.transaction():
            for first in starts[begin : begin + _AT_ONCE // CHANNELS]:
                writer.add(first, min(SETTLED, total - first))
    file.close()
    size = sum(len(writer.packed(row, number)) for row in range(CHANNELS) for number in range(_TEMPLATES))
    say(f"{hours:g} hours: {path.stat().st_size / 1e9:.2f} GB")
    keys = tuple(name for _, name in eight())
    to_us = UTC0_US + total * PERIOD_US
    return LongRecord(path, key, keys, UTC0_US, to_us, total * CHANNELS, size / corpus.size)


class _Writer:
    def __init__(self, file: CipherFile, corpus: Matrix) -> None:
        self._file = file
        self._summary = SummaryBook(file)
        self._corpus = corpus
        self._templates: dict[tuple[int, int, int], _Template] = {}
        self._cells: dict[tuple[int, int, int, int], Cells] = {}
        insert = "INSERT INTO stream (source, boot, channel) SELECT id, 1, ? FROM source"
        self._streams = [file.execute(insert, (number,)) for number, _ in eight()]

    def packed(self, row: int, number: int) -> bytes:
        return self._template(row, number, SETTLED).data

    def add(self, first: int, count: int) -> None:
        """One block of each channel."""
        for place, (channel, _) in enumerate(eight()):
            number = first // SETTLED % _TEMPLATES
            template = self._template(place, number, count)
            utc_us = UTC0_US + first * PERIOD_US
            values = row_values(
                stream=self._streams[place],
                channel=channel,
                first_index=first,
                start_us=first * PERIOD_US,
                period_us=PERIOD_US,
                utc_us=utc_us,
                end_utc_us=utc_us + count * PERIOD_US,
                provenance=0,
                visit=None,
                codec=Codec.PCODEC,
                data=template.data,
                samples=template.samples,
            )
            marks = ", ".join("?" * len(values))
            block = self._file.execute(f"INSERT INTO block ({COLUMNS}, settled) VALUES ({marks}, 1)", values)
            self._file.execute("INSERT INTO payload (block, data) VALUES (?, ?)", (block, template.data))
            self._file.execute("INSERT INTO pyramid (block, data) VALUES (?, ?)", (block, template.pyramid))
            (row,) = block_rows([(1, block, *values)])
            self._summary.add(channel, None, self._counted((place, number, count), row, template))

    def _template(self, place: int, number: int, count: int) -> _Template:
        found = self._templates.get((place, number, count))
        if found is None:
            samples = self._corpus[place, number * SETTLED : number * SETTLED + count]
            data = encode(samples, level=DENSE)[1]
            found = _Template(samples, data, Pyramid.of(samples).packed(count))
            self._templates[place, number, count] = found
        return found

    def _counted(self, which: tuple[int, int, int], row: BlockRow, template: _Template) -> Cells:
        """Cells of a block; of one that lies alike among the cells, the same, moved."""
        level = base_level(PERIOD_US)
        width = 1 << level
        key = (*which, row.utc_us % width)
        if key not in self._cells:
            self._cells[key] = Cells.of(template.samples, sample_times(row, None), row.end_utc_us, PERIOD_US, level)
        found = self._cells[key]
        return found.moved((row.utc_us >> level) - int(found.index[0]))

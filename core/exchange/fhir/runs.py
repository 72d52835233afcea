"""Samples as SampledData wants them: runs on an even grid, a short gap inside, a longer one between two runs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

import numpy as np
import numpy.typing as npt

from core.model.block import Provenance
from core.record.types import StoredBlock

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LONGEST_GAP = 10
"""So many samples may be missing within a run, each told as an error; above, another run begins."""
MOST_SLOTS = 140_000
"""At 7 characters a sample it stays below the 1 MiB that FHIR allows a string."""
MISSING = "E"
"""SampledData's word for a sample that is not there."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Every sample of one stream, in its own order. Arrays of shape (n,).

    Attributes:
        source, boot: the stream.
        period_us: what the source says that its period is.
        source_us: time by the source's clock, µs; on its grid, but for sensors whose samples are dated on arrival.
        utc_us: UTC.
        raw: int16 as stored.
        provenance: of each sample.
    """

    source: str
    boot: int
    period_us: int
    source_us: Ints
    utc_us: Ints
    raw: Ints
    provenance: Ints


@dataclass(frozen=True, slots=True)
class Run:
    """Samples on an even grid.

    Attributes:
        source: the device.
        period_us: UTC µs from one place of the grid to the next.
        slots: place of each sample on the grid, from 0, rising; shape (n,).
        utc_us: UTC of each sample, shape (n,).
        raw: shape (n,).
        suspect: whether the device itself says that these cannot be trusted.
    """

    source: str
    period_us: Decimal
    slots: Ints
    utc_us: Ints
    raw: Ints
    suspect: bool


def streams(blocks: Iterable[StoredBlock], from_us: int, to_us: int) -> Iterator[Samples]:
    """The samples of [from_us, to_us), UTC µs, stream by stream. `blocks` as `RecordReader.samples` gives them."""
    for (source, boot), group in groupby(blocks, key=lambda block: (block.source, block.boot)):
        parts = [_inside(block, from_us, to_us) for block in group if block.provenance is not Provenance.LOST]
        arrays = [np.concatenate(column) for column in zip(*(part[1:] for part in parts), strict=True)]
        if arrays and len(arrays[0]):
            yield Samples(source, boot, parts[0][0], *arrays)


def _inside(block: StoredBlock, from_us: int, to_us: int) -> tuple[int, Ints, Ints, Ints, Ints]:
    utc_us = block.times_us()
    inside = (utc_us >= from_us) & (utc_us < to_us)
    source_us = block.start_us + np.arange(len(block.samples), dtype=np.int64) * block.period_us
    raw = block.samples.astype(np.int64)
    provenance = np.full(len(raw), int(block.provenance), np.int64)
    return block.period_us, source_us[inside], utc_us[inside], raw[inside], provenance[inside]


def runs(samples: Samples) -> list[Run]:
    """Every sample in exactly one run; a sample's time is off its grid by half a period at most (1 ms where that is
    more)."""
    suspect = samples.provenance == int(Provenance.SUSPECT)
    found: list[Run] = []
    begin, n = 0, len(samples.raw)
    while begin < n:
        ahead = slice(begin, min(n, begin + MOST_SLOTS))
        since_us = samples.source_us[ahead] - samples.source_us[begin]
        slots = np.rint(since_us / samples.period_us).astype(np.int64)
        steps = np.diff(slots)
        ends = (steps < 1) | (steps > LONGEST_GAP + 1) | (slots[1:] >= MOST_SLOTS)
        ends |= suspect[ahead][1:] != suspect[ahead][:-1]
        count = int(np.argmax(ends)) + 1 if ends.any() else len(slots)
        count, period = _even(slots[:count], samples.utc_us[begin : begin + count], samples.period_us)
        part = slice(begin, begin + count)
        found.append(
            Run(
                samples.source,
                period,
                slots[:count],
                samples.utc_us[part],
                samples.raw[part],
                bool(suspect[begin]),
            )
        )
        begin += count
    return found


def _even(slots: Ints, utc_us: Ints, period_us: int) -> tuple[int, Decimal]:
    """How many samples, halved until it is true, lie evenly in UTC, and their period: clocks drift and are slewed."""
    tolerance = max(1_000, period_us / 2)
    count = len(slots)
    while True:
        last = int(slots[count - 1])
        fitted = (int(utc_us[count - 1]) - int(utc_us[0])) / last if last else float(period_us)
        nominal = abs(fitted - period_us) * last <= tolerance
        period = Decimal(period_us) if nominal else Decimal(f"{fitted:.6f}")
        off = utc_us[:count] - utc_us[0] - slots[:count] * float(period)
        if count == 1 or float(np.abs(off).max()) <= tolerance:
            return count, period
        count = (count + 1) // 2


def uneven(found: list[Run]) -> bool:
    """Whether there is no grid at all: a beat comes when it comes."""
    n = sum(len(run.raw) for run in found)
    return n > 20 and n < 5 * len(found)


def full_data(run: Run) -> str:
    """Every sample."""
    texts = np.full(int(run.slots[-1]) + 1, MISSING, dtype=object)
    texts[run.slots] = [str(value) for value in run.raw.tolist()]
    return " ".join(texts.tolist())


@dataclass(frozen=True, slots=True)
class Reduced:
    """A run in columns of `slots` places each: SampledData's text of lowest, mean and highest."""

    slots: int
    low: str
    mean: str
    high: str


def reduced_data(run: Run, slots: int) -> Reduced:
    """Lowest, mean and highest of each `slots` places; no extreme is lost. A mean has one more decimal."""
    column = run.slots // slots
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    counts = np.diff(np.append(starts, len(column)))
    filled, width = column[starts], int(column[-1]) + 1
    means = np.add.reduceat(run.raw, starts) / counts
    low, high = np.minimum.reduceat(run.raw, starts), np.maximum.reduceat(run.raw, starts)
    return Reduced(
        slots,
        _columns(filled, width, [str(value) for value in low.tolist()]),
        _columns(filled, width, [f"{value:.1f}" for value in means.tolist()]),
        _columns(filled, width, [str(value) for value in high.tolist()]),
    )


def _columns(filled: Ints, width: int, values: list[str]) -> str:
    texts = np.full(width, MISSING, dtype=object)
    texts[filled] = values
    return " ".join(texts.tolist())

"""Cells of fixed width in time, wide enough that a screen of any range needs a few thousand of them.

A cell says of the samples within it all that a plot wants to know. Cells of the same place merge, in whatever order
their samples became known; eight of one level make one of the next. A cell of level n is 2^n µs wide.
"""

import zlib
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from core.model.block import Samples
from core.model.errors import SmilescapeError

LEVELS: Final = (18, 21, 24, 27, 30, 33, 36)
"""From a quarter of a second to 19 hours."""
PAGE_BITS: Final = 8
"""256 cells are kept together."""
_PERIODS: Final = 8_192
"""The finest cells are at most so many samples wide: from there on down, the pyramids of a few blocks serve as well."""
_COARSEST_BASE: Final = 27
"""Nor wider than this, 134 s: blocks of a slow channel hold few samples, and reading many is what cells are for."""

# `slot` counts from the cell before in the same page, `first` and `end` from the cell's beginning; of a cell wider than
# 2^31 µs, in units that fit 32 bits.
_STORED: Final = np.dtype(
    {
        "names": ("slot", "low", "high", "total", "count", "first", "end"),
        "formats": ("u1", "<i2", "<i2", "<i8", "<u4", "<u4", "<u4"),
    }
)
_EXACT_BITS: Final = 31
_LEVEL: Final = 6

Int64s = npt.NDArray[np.int64]


class SummaryError(SmilescapeError):
    """Stored cells are none."""

    code = "signals.summary"


def base_level(period_us: int) -> int:
    """The finest level that is kept of a channel with this period."""
    fitting = [level for level in LEVELS if (1 << level) <= _PERIODS * period_us and level <= _COARSEST_BASE]
    return fitting[-1] if fitting else LEVELS[0]


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of one level that hold samples, in order of time; all arrays int64, shape (n,).

    Attributes:
        index: UTC µs of a cell's beginning, over its width.
        low, high, total, count: over the raw samples in it.
        first_us, end_us: UTC µs of its first sample, and at which its last one ends; less than a sample from the cell's
            own ends, these. So cells without a gap look all alike, and take little space.
    """

    level: int
    index: Int64s
    low: Int64s
    high: Int64s
    total: Int64s
    count: Int64s
    first_us: Int64s
    end_us: Int64s

    @classmethod
    def of(cls, samples: Samples, at_us: Int64s, end_us: int, period_us: int, level: int) -> "Cells":
        """Cells over `samples`, shape (n,), n ≥ 1, taken at `at_us`, never falling; the last one ends at `end_us`."""
        index = at_us >> level
        starts = np.append(0, np.flatnonzero(np.diff(index)) + 1)
        first, end = at_us[starts], np.append(at_us[starts[1:]], end_us)
        begin = index[starts] << level
        after = begin + (1 << level)
        return cls(
            level,
            index[starts],
            np.minimum.reduceat(samples, starts).astype(np.int64),
            np.maximum.reduceat(samples, starts).astype(np.int64),
            np.add.reduceat(samples, starts, dtype=np.int64),
            np.diff(np.append(starts, len(samples))),
            np.where(first - begin < period_us, begin, first),
            np.where(after - end < period_us, after, end),
        )

    @classmethod
    def none(cls, level: int) -> "Cells":
        """No cell at all."""
        return cls(level, *(np.empty(0, np.int64) for _ in range(7)))

    def __len__(self) -> int:
        return len(self.index)

    def coarser(self, level: int) -> "Cells":
        """The same samples in cells of a higher level."""
        return self._reduced(level, self.index >> (level - self.level))

    def merged(self, other: "Cells") -> "Cells":
        """The samples of both, of the same level."""
        columns = [np.concatenate(pair) for pair in zip(self._columns(), other._columns(), strict=True)]
        both = Cells(self.level, *columns)
        order = np.argsort(both.index, kind="stable")
        return both._taken(order)._reduced(self.level, both.index[order])

    def pages(self) -> list[tuple[int, "Cells"]]:
        """What belongs to each page, by its number."""
        page = self.index >> PAGE_BITS
        edges = [0, *(np.flatnonzero(np.diff(page)) + 1).tolist(), len(page)]
        return [(int(page[start]), self._taken(slice(start, end))) for start, end in pairwise(edges)]

    def to_bytes(self) -> bytes:
        """The cells of one page, as they are stored: byte after byte of all of them, since neighbours are alike."""
        begin, unit = self.index << self.level, max(0, self.level - _EXACT_BITS)
        stored = np.empty(len(self), _STORED)
        stored["slot"] = np.diff(self.index & ((1 << PAGE_BITS) - 1), prepend=0)
        for name in ("low", "high", "total", "count"):
            stored[name] = getattr(self, name)
        stored["first"] = (self.first_us - begin) >> unit
        stored["end"] = np.minimum(-((begin - self.end_us) >> unit), 0xFFFF_FFFF)
        planes = stored.view(np.uint8).reshape(len(self), _STORED.itemsize).T
        return zlib.compress(np.ascontiguousarray(planes).tobytes(), _LEVEL)

    @classmethod
    def from_bytes(cls, level: int, pages: list[tuple[int, bytes]]) -> "Cells":
        """Cells of many pages, each with its number, in the order given. Raises SummaryError."""
        try:
            whole = [np.frombuffer(zlib.decompress(data), np.uint8) for _, data in pages]
            planes = [one.reshape(_STORED.itemsize, -1) for one in whole]
        except (zlib.error, ValueError) as error:
            raise SummaryError(f"A page of cells of level {level} is damaged: {error}.") from error
        if not planes:
            return cls.none(level)
        lengths = np.array([one.shape[1] for one in planes])
        stored = np.ascontiguousarray(np.concatenate(planes, axis=1).T).view(_STORED)[:, 0]
        slot = np.cumsum(stored["slot"], dtype=np.int64)
        before = np.append(0, slot[np.cumsum(lengths)[:-1] - 1])  # each page counts anew
        index = slot + np.repeat((np.array([number for number, _ in pages], np.int64) << PAGE_BITS) - before, lengths)
        begin, unit = index << level, max(0, level - _EXACT_BITS)
        low, high, total, count, first, end = (
            stored[name].astype(np.int64) for name in ("low", "high", "total", "count", "first", "end")
        )
        return cls(level, index, low, high, total, count, begin + (first << unit), begin + (end << unit))

    def moved(self, cells: int) -> "Cells":
        """The same so many cells later."""
        later = cells << self.level
        return replace(self, index=self.index + cells, first_us=self.first_us + later, end_us=self.end_us + later)

    def within(self, from_us: int, to_us: int) -> "Cells":
        """Those with samples in [from_us, to_us)."""
        which = (self.end_us > from_us) & (self.first_us < to_us)
        return self if which.all() else self._taken(which)

    def _columns(self) -> tuple[Int64s, ...]:
        return (self.index, self.low, self.high, self.total, self.count, self.first_us, self.end_us)

    def _taken(self, which: "slice | npt.NDArray[np.bool_] | Int64s") -> "Cells":
        return Cells(self.level, *(column[which] for column in self._columns()))

    def _reduced(self, level: int, index: Int64s) -> "Cells":
        """Neighbours of the same `index`, which never falls, made one."""
        starts = np.append(0, np.flatnonzero(np.diff(index)) + 1)
        if not len(index):
            return Cells.none(level)
        return Cells(
            level,
            index[starts],
            np.minimum.reduceat(self.low, starts),
            np.maximum.reduceat(self.high, starts),
            np.add.reduceat(self.total, starts),
            np.add.reduceat(self.count, starts),
            np.minimum.reduceat(self.first_us, starts),
            np.maximum.reduceat(self.end_us, starts),
        )

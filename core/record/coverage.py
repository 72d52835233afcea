"""Which whole numbers are there: sample indexes of a stream, frame sequences of a boot."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable


class Coverage:
    """A set of whole numbers kept as disjoint, non-touching, half-open ranges in ascending order."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(ranges):
            self.add(start, end)

    def missing(self, start: int, end: int) -> list[tuple[int, int]]:
        """The parts of [start, end) that are not there, ascending."""
        parts: list[tuple[int, int]] = []
        at = start
        for index in range(bisect_right(self._ends, start), len(self._starts)):
            if self._starts[index] >= end:
                break
            if self._starts[index] > at:
                parts.append((at, self._starts[index]))
            at = max(at, self._ends[index])
        if at < end:
            parts.append((at, end))
        return parts

    def take(self, start: int, end: int) -> list[tuple[int, int]]:
        """Put [start, end) in, and return the parts of it that were not there."""
        if self._ends and self._ends[-1] == start < end:  # what goes on where it ended, as nearly everything does
            self._ends[-1] = end
            return [(start, end)]
        parts = self.missing(start, end)
        self.add(start, end)
        return parts

    def add(self, start: int, end: int) -> None:
        """Put [start, end) in; empty ranges change nothing."""
        if start >= end:
            return
        first = bisect_left(self._ends, start)
        last = bisect_right(self._starts, end)
        if first < last:
            start = min(start, self._starts[first])
            end = max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def end_of_run(self, start: int) -> int:
        """One past the last number of the unbroken run that `start` belongs to; `start` itself when it is not there."""
        index = bisect_right(self._starts, start) - 1
        return max(start, self._ends[index]) if index >= 0 else start

    def ranges(self) -> list[tuple[int, int]]:
        return list(zip(self._starts, self._ends, strict=True))

    def __len__(self) -> int:
        return sum(end - start for start, end in self.ranges())

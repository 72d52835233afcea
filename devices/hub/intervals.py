"""A set of whole numbers that come mostly in runs."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator


class IntervalSet:
    """Half-open intervals, sorted, never touching: size grows with the number of gaps, not of members."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []

    def add(self, start: int, stop: int) -> None:
        """Add every number of start … stop - 1."""
        if start >= stop:
            return
        first = bisect_left(self._stops, start)
        last = bisect_right(self._starts, stop)
        if first < last:
            start = min(start, self._starts[first])
            stop = max(stop, self._stops[last - 1])
        self._starts[first:last] = [start]
        self._stops[first:last] = [stop]

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._starts, number) - 1
        return at >= 0 and number < self._stops[at]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self._starts, self._stops, strict=True))

    def stop_of_run(self, start: int) -> int:
        """First number from `start` on that is not in the set."""
        at = bisect_right(self._starts, start) - 1
        return max(start, self._stops[at]) if at >= 0 else start

    def runs(self, start: int, stop: int) -> list[tuple[int, int]]:
        """What of start … stop - 1 is in the set, ascending."""
        if start >= stop:
            return []
        first, last = bisect_right(self._stops, start), bisect_left(self._starts, stop)
        found = zip(self._starts[first:last], self._stops[first:last], strict=True)
        return [(max(begin, start), min(end, stop)) for begin, end in found]

    def gaps(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """What of start … stop - 1 is not in the set, ascending."""
        at = bisect_right(self._stops, start)
        while start < stop:
            if at == len(self._starts) or self._starts[at] >= stop:
                yield start, stop
                return
            if start < self._starts[at]:
                yield start, self._starts[at]
            start = self._stops[at]
            at += 1

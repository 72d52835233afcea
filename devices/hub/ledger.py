"""Which frames of a hub were delivered, lost, committed; so each is delivered once and none is forgotten early."""

from typing import Final

from devices.errors import FrameError
from devices.hub.intervals import IntervalSet

FURTHEST_JUMP: Final = 65_536
"""A live frame this far beyond everything known is not believed: half an hour of frames."""


class Ledger:
    """Bookkeeping of one hub, over reboots: sequences belong to its keys. Ranges are half-open.

    Args:
        first: first sequence that we want; everything before is committed, or was never ours.
        next_sequence: sequence of the frame that the hub makes next.

    Attributes:
        next_sequence: one past the highest frame known to exist.
    """

    def __init__(self, first: int, next_sequence: int) -> None:
        self.next_sequence = next_sequence
        self._first = first
        self._taken = IntervalSet()
        self._settled = IntervalSet()

    def take(self, first: int, stop: int) -> list[tuple[int, int]]:
        """Which of these frames are new, and to be delivered; they are taken then.

        Raises:
            FrameError: they are further ahead than can be.
        """
        if first >= self.next_sequence + FURTHEST_JUMP:
            raise FrameError(f"Frame {first} is far ahead of {self.next_sequence}.")
        new = list(self._taken.gaps(max(first, self._first), stop))
        for start, end in new:
            self._taken.add(start, end)
        self.made(stop)
        return new

    def made(self, next_sequence: int) -> None:
        """The hub has made every frame before this one."""
        self.next_sequence = max(self.next_sequence, next_sequence)

    def lose(self, first: int, stop: int) -> list[tuple[int, int]]:
        """first … stop - 1 are gone from the hub. Which of them we never had."""
        gone = list(self._taken.gaps(max(first, self._first), min(stop, self.next_sequence)))
        for start, end in gone:
            self._taken.add(start, end)
            self._settled.add(start, end)
        return gone

    def commit(self, first: int, stop: int) -> None:
        """These are durable; what was never taken is not counted."""
        for start, end in self._taken.runs(first, stop):
            self._settled.add(start, end)

    @property
    def acknowledgeable(self) -> int:
        """Highest sequence up to which everything is committed or lost; -1 for none."""
        return self._settled.stop_of_run(self._first) - 1

    @property
    def missing(self) -> int:
        """Number of frames that exist and that we have not."""
        return self.missing_in(self._first, self.next_sequence)

    def missing_in(self, first: int, stop: int) -> int:
        return sum(end - start for start, end in self._taken.gaps(max(first, self._first), stop))

    def window(self, most: int) -> tuple[int, int] | None:
        """The oldest run of missing frames, cut to `most`; None when none is missing."""
        for start, stop in self._taken.gaps(self._first, self.next_sequence):
            return start, min(stop, start + most)
        return None

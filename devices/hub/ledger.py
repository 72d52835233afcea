"""Which frames of one boot were delivered, lost, committed; so each is delivered once and none is forgotten early."""

from collections.abc import Iterable
from typing import Final

from devices.errors import FrameError
from devices.hub.intervals import IntervalSet

FURTHEST_JUMP: Final = 65_536
"""A live frame this far beyond everything known is not believed: half an hour of frames."""


class Ledger:
    """Bookkeeping of one hub's boot.

    Args:
        first: first sequence that we want; everything before is committed, or was never ours.
        next_sequence: sequence of the frame that the hub makes next.

    Attributes:
        next_sequence: one past the highest frame known to exist.
    """

    def __init__(self, boot: int, first: int, next_sequence: int) -> None:
        self.boot = boot
        self.next_sequence = next_sequence
        self._first = first
        self._taken = IntervalSet()
        self._settled = IntervalSet()

    def take(self, sequence: int) -> bool:
        """Whether this frame is new, and to be delivered; it is taken then.

        Raises:
            FrameError: it is further ahead than can be.
        """
        if sequence >= self.next_sequence + FURTHEST_JUMP:
            raise FrameError(f"Frame {sequence} is far ahead of {self.next_sequence}.")
        if sequence < self._first or sequence in self._taken:
            return False
        self._taken.add(sequence, sequence + 1)
        self.made(sequence + 1)
        return True

    def made(self, next_sequence: int) -> None:
        """The hub has made every frame before this one."""
        self.next_sequence = max(self.next_sequence, next_sequence)

    def lose(self, first: int, stop: int) -> list[tuple[int, int]]:
        """first … stop - 1 are gone from the hub. Which of them we never had, half-open."""
        gone = list(self._taken.gaps(max(first, self._first), min(stop, self.next_sequence)))
        for start, end in gone:
            self._taken.add(start, end)
            self._settled.add(start, end)
        return gone

    def commit(self, sequences: Iterable[int]) -> None:
        """These are durable; what was never taken is not counted."""
        for sequence in sequences:
            if sequence in self._taken:
                self._settled.add(sequence, sequence + 1)

    @property
    def acknowledgeable(self) -> int:
        """Highest sequence up to which everything is committed or lost; -1 for none."""
        return self._settled.stop_of_run(self._first) - 1

    @property
    def missing(self) -> int:
        """Number of frames that exist and that we have not."""
        return sum(stop - start for start, stop in self._taken.gaps(self._first, self.next_sequence))

    def missing_in(self, first: int, stop: int) -> int:
        return sum(end - start for start, end in self._taken.gaps(max(first, self._first), stop))

    def window(self, most: int) -> tuple[int, int] | None:
        """The oldest run of missing frames, cut to `most`, half-open; None when none is missing."""
        for start, stop in self._taken.gaps(self._first, self.next_sequence):
            return start, min(stop, start + most)
        return None

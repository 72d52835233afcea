"""The hub's memory: encoded frames, kept until they are acknowledged."""

from collections import deque
from itertools import islice
from typing import Final

CAPACITY_FRAMES: Final = 36_000
"""A good 12 min at full rate, which is some 42 frames a second (6.5 MB at the largest frame size)."""


class Memory:
    """One contiguous range of frames, oldest to next - 1.

    Attributes:
        next_sequence: sequence that the next frame gets.
        dropped: frames that had to go unacknowledged, because memory was full.
    """

    def __init__(self, capacity: int = CAPACITY_FRAMES) -> None:
        self._capacity = capacity
        self._frames: deque[bytes] = deque()
        self.next_sequence = 0
        self.dropped = 0

    @property
    def oldest(self) -> int:
        """Sequence of the oldest frame held; equals `next_sequence` when nothing is."""
        return self.next_sequence - len(self._frames)

    @property
    def used_percent(self) -> int:
        """Rounded up, so that 100 means that the next frame drops one, and 0 that nothing is held."""
        return -(-100 * len(self._frames) // self._capacity)

    def store(self, frame: bytes) -> None:
        if len(self._frames) == self._capacity:
            self._frames.popleft()
            self.dropped += 1
        self._frames.append(frame)
        self.next_sequence += 1

    def acknowledge(self, sequence: int) -> bool:
        """Forget up to and including `sequence`. False: no such frame was ever made, and nothing is forgotten."""
        if sequence >= self.next_sequence:
            return False
        for _ in range(sequence + 1 - self.oldest):
            self._frames.popleft()
        return True

    def fetch(self, first: int, count: int) -> list[bytes]:
        """What is still held of the frames asked for, ascending."""
        oldest = self.oldest
        start = max(0, first - oldest)
        stop = max(start, first + count - oldest)
        return list(islice(self._frames, start, stop))

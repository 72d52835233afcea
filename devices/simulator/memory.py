"""The hub's memory: encoded frames, kept over reboots until they are acknowledged."""

import struct
from collections.abc import Sequence
from typing import Final

from devices.simulator.store import Store

_BOOT_AND_TIME: Final = struct.Struct("<4xI4xQ")
"""Where a sample frame carries its boot and the hub time at which it was closed."""


class Memory:
    """One contiguous range of frames, oldest to next − 1, of this and former boots.

    Attributes:
        dropped: frames that had to go unacknowledged since boot, because memory was full.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._newest: dict[int, int] = dict(_BOOT_AND_TIME.unpack_from(frame) for frame in store.frames)
        self.dropped = 0

    @property
    def next_sequence(self) -> int:
        """Sequence that the next frame gets."""
        return self._store.frames.next

    @property
    def oldest(self) -> int:
        """Sequence of the oldest frame held; equals `next_sequence` when nothing is."""
        return self._store.frames.oldest

    @property
    def used_percent(self) -> int:
        """Rounded up, so that 100 means that the next frame drops one, and 0 that nothing is held."""
        frames = self._store.frames
        return min(100, -(-100 * len(frames) // frames.keep))

    def store(self, frames: Sequence[bytes]) -> bool:
        """Keep frames. True when these are the first for which others had to go since boot."""
        before = self.dropped
        self.dropped += self._store.frames.append(frames)
        return not before and self.dropped > 0

    def acknowledge(self, sequence: int) -> bool:
        """Forget up to and including `sequence`. False: no such frame was ever made, and nothing is forgotten."""
        if sequence >= self.next_sequence:
            return False
        self._store.frames.forget(sequence + 1)
        return True

    def forget(self) -> None:
        """Forget everything; the numbers go on."""
        self._store.frames.forget(self.next_sequence)

    def fetch(self, first: int, count: int) -> list[bytes]:
        """What is still held of the frames asked for, ascending."""
        return self._store.frames.read(first, count)

    def former_boots(self) -> dict[int, int]:
        """Of each former boot of which frames are held, the hub time of its newest frame, µs; boots ascending."""
        oldest = self.fetch(self.oldest, 1)
        first = _BOOT_AND_TIME.unpack_from(oldest[0])[0] if oldest else None
        self._newest = {boot: at for boot, at in self._newest.items() if first is not None and boot >= first}
        return self._newest

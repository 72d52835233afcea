"""The last raw notifications of one link, kept before anything decodes them."""

from collections import deque
from dataclasses import dataclass

from core.model.clock import Clock


@dataclass(frozen=True, slots=True)
class TappedFrame:
    """One notification as it arrived: monotonic time in s, characteristic, value."""

    at: float
    uuid: str
    data: bytes


class Tap:
    """A ring bounded by count and by bytes; the oldest frames make room.

    A frame that alone exceeds `max_bytes` is counted and not kept.

    Attributes:
        total: frames ever added.
        total_bytes: value bytes ever added.
    """

    def __init__(self, clock: Clock, *, max_frames: int = 4096, max_bytes: int = 1 << 20) -> None:
        self._clock = clock
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._frames: deque[tuple[float, str, bytes]] = deque()
        self._held_bytes = 0
        self.total = 0
        self.total_bytes = 0

    def add(self, uuid: str, data: bytes | bytearray) -> None:
        """Keep a copy of one notification."""
        kept = bytes(data)
        self._frames.append((self._clock.monotonic(), uuid, kept))
        self._held_bytes += len(kept)
        self.total += 1
        self.total_bytes += len(kept)
        while len(self._frames) > self._max_frames or self._held_bytes > self._max_bytes:
            self._held_bytes -= len(self._frames.popleft()[2])

    def frames(self) -> tuple[TappedFrame, ...]:
        """What is held, oldest first."""
        return tuple(TappedFrame(*kept) for kept in self._frames)

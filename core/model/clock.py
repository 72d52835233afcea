"""The one source of time, injected everywhere so that tests run hours in seconds."""

import time
from typing import Protocol


class Clock(Protocol):
    """What every room asks for the time."""

    def monotonic(self) -> float:
        """Seconds on a clock that never jumps; the zero is arbitrary."""
        ...

    def utc_us(self) -> int:
        """Microseconds since 1970-01-01T00:00Z on the wall clock, which may jump."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def utc_us(self) -> int:
        return time.time_ns() // 1000


class ManualClock:
    """A clock that moves only when told; wall clock and monotonic clock can part ways on purpose."""

    def __init__(self, utc_us: int = 1_800_000_000_000_000, monotonic: float = 1000.0) -> None:
        self._utc_us = utc_us
        self._monotonic = monotonic

    def monotonic(self) -> float:
        return self._monotonic

    def utc_us(self) -> int:
        return self._utc_us

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both clocks."""
        self._monotonic += seconds
        self._utc_us += round(seconds * 1_000_000)

    def jump_wall(self, seconds: float) -> None:
        """Set the wall clock forward or back, as a time server or a user does."""
        self._utc_us += round(seconds * 1_000_000)

"""What time it is at the hub, as far as its last word tells."""

from typing import Final

from core.model.clock import Clock

_LONGEST_S: Final = 2.0
"""A hub speaks each second. What it did not say for longer is not made up: its clock may stand still."""


class HubTime:
    """Hub time of the present boot. A new one for each session."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told_us = 0
        self._at = clock.monotonic()

    def told(self, hub_time_us: int) -> None:
        """The hub said that it is so late now."""
        if hub_time_us >= self._told_us:
            self._told_us, self._at = hub_time_us, self._clock.monotonic()

    def now_us(self) -> int:
        """Hub time now, µs."""
        return self._told_us + round(min(self._clock.monotonic() - self._at, _LONGEST_S) * 1_000_000)

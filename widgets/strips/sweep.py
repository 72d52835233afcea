"""Where a moment stands in the picture."""

from dataclasses import dataclass

import numpy as np

from widgets.strips.history import Times

WINDOW_US = 30_000_000
GRID_US = 5_000_000
ERASE_US = 1_100_000


@dataclass(frozen=True, slots=True)
class Sweep:
    """The time axis: `columns` device pixels for one window, written again and again from the left.

    Columns are counted from `origin_us` without end; column c is drawn at x = c mod `columns`.

    Attributes:
        erase_us: the gap kept empty ahead of the head; 0 in a picture that is looked back at.
    """

    origin_us: int
    columns: int
    erase_us: int = ERASE_US
    window_us: int = WINDOW_US

    def column(self, utc_us: int) -> int:
        return (utc_us - self.origin_us) * self.columns // self.window_us

    def start_us(self, column: int) -> int:
        return self.origin_us + column * self.window_us // self.columns

    def x(self, utc_us: int) -> float:
        """Device pixels from the left."""
        return ((utc_us - self.origin_us) % self.window_us) * self.columns / self.window_us

    def edges(self, first: int, last: int, parts: int) -> Times:
        """UTC of the borders of columns first…last, each cut into `parts`."""
        steps = np.arange(first * parts, (last + 1) * parts + 1, dtype=np.int64)
        return self.origin_us + steps * self.window_us // (self.columns * parts)

    @property
    def erase_columns(self) -> int:
        return self.erase_us * self.columns // self.window_us

    def oldest(self, head: int) -> int:
        """The oldest column still to be seen when `head` is the newest."""
        return head - self.columns + 1 + self.erase_columns

    def visible(self, utc_us: int, head: int) -> bool:
        return self.oldest(head) <= self.column(utc_us) <= head

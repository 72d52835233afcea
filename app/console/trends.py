"""The last ten minutes of every chair's values, one point a second, for the spark lines."""

import math
from collections import deque

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject

from app.console.store import Store

SECONDS = 600
WINDOWS = (60, 120, 300, 600)
"""Lengths of a spark line, s: the shortest that holds what is known."""
_BREAK_S = 3.0
"""Points further apart than this are not joined."""

Floats = npt.NDArray[np.float64]


class Trends(QObject):
    """Listens from the start, so that the page finds its lines when it is opened."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._store = store
        self._points: dict[tuple[int, str], deque[tuple[float, float]]] = {}
        store.chair_changed.connect(self._take)

    def _take(self, number: int) -> None:
        chair = self._store.chair(number)
        if chair is None:
            return
        now = self._store.monotonic()
        for channel, value in chair.values.items():
            points = self._points.setdefault((number, channel), deque(maxlen=SECONDS + 1))
            if points and now - points[-1][0] < 0.9:
                continue
            if points and now - points[-1][0] > _BREAK_S:
                points.append((points[-1][0] + 1.0, math.nan))
            points.append((now, value))

    def line(self, number: int, channel: str) -> tuple[Floats, Floats, float | None]:
        """Times (s), values (NaN is a break), and since when the channel is silent (None: it is not).

        The last time is now.
        """
        now = self._store.monotonic()
        points = [point for point in self._points.get((number, channel), ()) if now - point[0] <= SECONDS]
        real = [at for at, value in points if not math.isnan(value)]
        silent = real[-1] if real and now - real[-1] > _BREAK_S else None
        points.append((now, math.nan if silent is not None or not real else points[-1][1]))
        array = np.asarray(points, dtype=np.float64)
        return array[:, 0], array[:, 1], silent

    def window(self, number: int, channel: str) -> int:
        """How long the line is, s."""
        now = self._store.monotonic()
        points = self._points.get((number, channel), ())
        known = now - points[0][0] if points else 0.0
        return next((window for window in WINDOWS if known <= window), WINDOWS[-1])

    def channels(self, number: int) -> set[str]:
        """Channels of which anything is known."""
        return {channel for chair, channel in self._points if chair == number}

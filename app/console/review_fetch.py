"""Asks the reader for what is in view: as many columns as pixels, one request at a time, the newest range wins."""

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from app.ipc.messages import RangeData, ReadRange, Refused, Reply, Request, Trace
from widgets.review_data import ReviewTrace

Ask = Callable[[Request, Callable[[Reply], None]], None]

PAUSE_MS = 40
"""A wheel turns faster than anybody reads."""


class RangeFetcher(QObject):
    """One visit's traces.

    Signals:
        fetched: list of ReviewTrace, for the newest range asked for.
        refused: app.ipc.messages.Refused.
    """

    fetched = Signal(object)
    refused = Signal(object)

    def __init__(self, ask: Ask, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ask = ask
        self._wanted: ReadRange | None = None
        self._asked: ReadRange | None = None
        self._origin_us = 0
        self._visit = 0
        self._timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._timer.timeout.connect(self.flush)

    def open_visit(self, origin_us: int) -> None:
        """Times will be relative to `origin_us`; answers still under way for another visit are dropped."""
        self._origin_us = origin_us
        self._visit += 1
        self._wanted = self._asked = None
        self._timer.stop()

    def want(
        self, *, chair: int, visit_id: str, channels: Sequence[str], begin: float, end: float, columns: int
    ) -> None:
        """Ask soon for `begin` to `end` (s since the visit began)."""
        self._wanted = ReadRange(
            chair=chair,
            visit_id=visit_id,
            channels=tuple(channels),
            from_us=self._origin_us + round(begin * 1e6),
            to_us=self._origin_us + round(end * 1e6),
            columns=max(2, columns),
        )
        if not self._timer.isActive():
            self._timer.start()

    def flush(self) -> None:
        """Ask now, unless an answer is still awaited: then right after it."""
        self._timer.stop()
        if self._wanted is None or self._asked is not None:
            return
        self._asked, self._wanted = self._wanted, None
        visit = self._visit
        self._ask(self._asked, lambda reply: self._take(reply, visit))

    def _take(self, reply: Reply, visit: int) -> None:
        if visit != self._visit:
            return
        self._asked = None
        if self._wanted is not None:
            self.flush()
        elif isinstance(reply, RangeData):
            self.fetched.emit([to_trace(trace, self._origin_us) for trace in reply.traces])
        elif isinstance(reply, Refused):
            self.refused.emit(reply)


def to_trace(trace: Trace, origin_us: int) -> ReviewTrace:
    """A trace as it came, in seconds since `origin_us`. Raises ValueError when its columns do not match."""
    at = (np.frombuffer(trace.at_us, dtype="<i8") - origin_us) / 1e6
    low = np.frombuffer(trace.low, dtype="<f4").astype(np.float64)
    high = np.frombuffer(trace.high, dtype="<f4").astype(np.float64)
    if not len(at) == len(low) == len(high):
        raise ValueError(f"{trace.channel}: {len(at)} times, {len(low)} lows and {len(high)} highs")
    gaps = tuple(((begin - origin_us) / 1e6, (end - origin_us) / 1e6) for begin, end in trace.gaps)
    return ReviewTrace(channel=trace.channel, at=at, low=low, high=high, gaps=gaps, exact=trace.samples)

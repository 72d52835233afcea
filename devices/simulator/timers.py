"""Time for what happens by itself: the present, and calls to come. A test moves it by hand."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import Protocol


class Cancellable(Protocol):
    """A call to come."""

    def cancel(self) -> None:
        """Not any more; without effect once it was made."""
        ...


class Timers(Protocol):
    """Whom to ask for the time and for calls to come."""

    def now(self) -> float:
        """Seconds on a clock that never jumps; the zero is arbitrary."""
        ...

    def call_at(self, when: float, callback: Callable[[], None]) -> Cancellable:
        """Call back at `when`, or as soon as may be when that is past."""
        ...


class LoopTimers:
    """The running event loop's own clock."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def call_at(self, when: float, callback: Callable[[], None]) -> Cancellable:
        return asyncio.get_running_loop().call_at(when, callback)


class _Call:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class ManualTimers:
    """Time that moves only when told."""

    def __init__(self, now: float = 1000.0) -> None:
        self._now = now
        self._calls: list[tuple[float, int, _Call]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        return self._now

    def call_at(self, when: float, callback: Callable[[], None]) -> Cancellable:
        call = _Call(callback)
        heapq.heappush(self._calls, (when, next(self._numbers), call))
        return call

    @property
    def due(self) -> float | None:
        """When the next call is due; None when there is none."""
        while self._calls and self._calls[0][2].callback is None:
            heapq.heappop(self._calls)
        return self._calls[0][0] if self._calls else None

    def step(self) -> None:
        """Let time pass until the next call, and make it. Without effect when there is none."""
        if self.due is None:
            return
        when, _, call = heapq.heappop(self._calls)
        self._now = max(self._now, when)
        callback, call.callback = call.callback, None
        if callback is not None:
            callback()

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass, making each call at its time."""
        until = self._now + seconds
        while (due := self.due) is not None and due <= until:
            self.step()
        self._now = until

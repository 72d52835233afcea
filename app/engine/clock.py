"""Time for the engine: the injected clock, with waiting, and with the seconds that the machine was asleep."""

import asyncio
import ctypes
import heapq
import itertools
import sys
import time
from collections.abc import Awaitable
from typing import Protocol, TypeVar

from core.model.clock import Clock, ManualClock, SystemClock

T = TypeVar("T")
NAP_SECONDS = 1.0
"""Differences between clocks below this are reading noise, no sleep of the machine."""
_TURNS = 50


class AsyncClock(Clock, Protocol):
    """A clock that one can wait on."""

    async def sleep(self, seconds: float) -> None: ...

    def asleep(self) -> float:
        """Seconds that the machine has been suspended, since an arbitrary zero; grows only while it sleeps."""
        ...


class SystemAsyncClock(SystemClock):
    """The machine's own clocks."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def asleep(self) -> float:
        # One clock that counts on during suspension, less one that stands still.
        if sys.platform == "linux":
            return time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
        elif sys.platform == "darwin":  # noqa: RET505 - mypy tells platforms apart by this shape
            return time.clock_gettime(time.CLOCK_MONOTONIC) - time.clock_gettime(time.CLOCK_UPTIME_RAW)
        elif sys.platform == "win32":
            awake = ctypes.c_ulonglong()
            ctypes.windll.kernel32.QueryUnbiasedInterruptTime(ctypes.byref(awake))
            return time.monotonic() - awake.value / 10_000_000
        else:
            return time.time() - time.monotonic()


class ManualAsyncClock(ManualClock):
    """A clock for tests: waiting ends when the test lets time pass, in the order of the due times."""

    def __init__(self, utc_us: int = 1_800_000_000_000_000, monotonic: float = 1000.0) -> None:
        super().__init__(utc_us, monotonic)
        self._asleep = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def asleep(self) -> float:
        return self._asleep

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.monotonic() + seconds, next(self._order), future))
        await future

    @property
    def sleepers(self) -> int:
        """How many wait now."""
        return sum(not future.done() for _, _, future in self._sleepers)

    def advance(self, seconds: float) -> None:
        """Let time pass at once, and wake whoever is due; they run when the loop turns next."""
        super().advance(seconds)
        while self._sleepers and self._sleepers[0][0] <= self.monotonic() + 1e-9:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)

    async def run(self, seconds: float) -> None:
        """Let time pass step by step: each sleeper wakes at its own due time, and works before the next one wakes."""
        end = self.monotonic() + seconds
        await settle()
        while (due := self._next_due()) is not None and due <= end:
            self.advance(max(0.0, due - self.monotonic()))
            await settle()
        self.advance(max(0.0, end - self.monotonic()))
        await settle()

    def suspend(self, seconds: float) -> None:
        """The machine sleeps: the wall clock goes on, the monotonic clock stands still."""
        self._asleep += seconds
        self.jump_wall(seconds)

    def _next_due(self) -> float | None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None


class WakeDetector:
    """Tells when the machine was suspended; therapy is held after that."""

    def __init__(self, clock: AsyncClock) -> None:
        self._clock = clock
        self._asleep = clock.asleep()

    def check(self) -> float:
        """Seconds slept since the last check; 0.0 when it did not sleep. Wall-clock jumps do not count."""
        before, self._asleep = self._asleep, self._clock.asleep()
        slept = self._asleep - before
        return slept if slept >= NAP_SECONDS else 0.0


async def within(clock: AsyncClock, seconds: float, work: Awaitable[T]) -> T:
    """The result of `work`, cancelled after `seconds` of `clock`.

    Raises:
        TimeoutError: it took longer.
    """
    task = asyncio.ensure_future(work)
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise TimeoutError
    finally:
        for each in (task, timer):
            if not each.done():
                each.cancel()
        await asyncio.gather(task, timer, return_exceptions=True)


async def settle() -> None:
    """Let every callback run that is ready now, and those which they make ready."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)

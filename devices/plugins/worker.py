"""A thread with an event loop for code that may block, raise anything, or never return."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TypeVar

from core.model.clock import Clock

T = TypeVar("T")


class PluginFailed(Exception):  # noqa: N818 - what happened, told to the host
    """Foreign code raised something."""


class Worker:
    """Runs what it is given, one thing after another. A worker that is stuck is left behind: no thread can be ended."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._clock = clock
        self._loop = asyncio.new_event_loop()
        self._lock = threading.Lock()
        self._waiting = 0
        self._busy_since: float | None = None
        threading.Thread(target=self._run, name=name, daemon=True).start()

    @property
    def waiting(self) -> int:
        """Calls that are not done yet."""
        return self._waiting

    @property
    def busy_s(self) -> float:
        """How long the present call has been running."""
        since = self._busy_since
        return 0.0 if since is None else self._clock.monotonic() - since

    def call(self, what: Callable[[], object], failed: Callable[[BaseException], None]) -> None:
        """Call something later, in its thread; `failed` is called there, too."""
        with self._lock:
            self._waiting += 1

        def do() -> None:
            self._busy_since = self._clock.monotonic()
            try:
                what()
            except BaseException as error:  # even SystemExit must not end the thread
                failed(error)
            finally:
                self._busy_since = None
                with self._lock:
                    self._waiting -= 1

        self._loop.call_soon_threadsafe(do)

    def run(self, work: Callable[[], Coroutine[object, object, T]]) -> "Future[T]":
        """Run a coroutine that is made there. Its future raises PluginFailed, whatever the coroutine raised."""

        async def guarded() -> T:
            try:
                return await work()
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                raise PluginFailed(f"{type(error).__name__}: {error}") from error

        return asyncio.run_coroutine_threadsafe(guarded(), self._loop)

    def stop(self) -> None:
        """End after what runs now."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0))
        finally:
            self._loop.close()

"""Awaiting Bumble safely: translated errors, an end when the transport is lost, no torn requests.

Bumble 0.0.236 waits for ever when the transport closes under an operation, cancels the caller's task when a peer
disconnects, and mistakes the late answer of a cancelled request for the answer to the next one.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from bleak.exc import BleakError, BleakGATTProtocolError
from bumble import att, core

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Operations:
    """Runs what belongs to one adapter or one connection, each in a task that nobody's cancellation can tear."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._reason: str | None = None

    @property
    def ended(self) -> bool:
        """Whether no operation can succeed any more."""
        return self._reason is not None

    async def run(self, operation: Coroutine[Any, Any, T]) -> T:
        """Await `operation`. A cancelled caller leaves at once; what was sent still runs to its end, unheard.

        Raises:
            BleakError: the peer refused, the link or the transport was lost.
            BleakGATTProtocolError: the peer answered with an ATT error.
            TimeoutError: the peer did not answer.
        """
        return await self.result(self.start(operation))

    async def result(self, task: asyncio.Task[T]) -> T:
        """Await a started operation, as `run` does."""
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.add_done_callback(_note_unheard)
            raise
        if task.cancelled():
            raise BleakError(self._reason or "The device disconnected")
        error = task.exception()
        if error is not None:
            raise _translated(error) from error
        return task.result()

    def start(self, operation: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """The operation's own task. Raises BleakError when adapter or connection are gone."""
        if self._reason is not None:
            operation.close()
            raise BleakError(self._reason)
        task = asyncio.get_running_loop().create_task(operation)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def end(self, reason: str) -> None:
        """Let everything that waits fail with `reason`, and everything that is still to come."""
        self._reason = self._reason or reason
        for task in tuple(self._tasks):
            task.cancel()


def _translated(error: BaseException) -> BaseException:
    if isinstance(error, att.ATT_Error):
        return BleakGATTProtocolError(int(error.error_code))
    if isinstance(error, core.TimeoutError | core.CommandTimeoutError):
        return TimeoutError(str(error) or "The device did not answer")
    if isinstance(error, core.BaseBumbleError):
        return BleakError(str(error) or type(error).__name__)
    if isinstance(error, OSError) and not isinstance(error, TimeoutError):
        return BleakError(f"The transport failed: {error}")
    return error


def _note_unheard(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.debug("An operation whose caller had left failed: %r", task.exception())

"""Keep the machine awake during therapy. Never fails: when it cannot be done, it says so."""

import asyncio
import ctypes
import logging
import sys
from collections.abc import Sequence
from enum import StrEnum

from app.engine.clock import AsyncClock, within
from core.model.words import Text

_log = logging.getLogger(__name__)
_READY = b"held"
_PATIENCE_SECONDS = 5.0
# Runs inside the inhibitor: says that the inhibition is in force, then waits for the engine's end, however it ends.
_HOLDER = ("sh", "-c", "echo held; exec cat")
_INHIBITORS = {
    "linux": (
        "systemd-inhibit",
        "--what=sleep:idle:handle-lid-switch",
        "--who=Smilescape",
        "--why=Treatment is running",
        "--mode=block",
    ),
    "darwin": ("caffeinate", "-ims"),
}


class SleepState(StrEnum):
    """`Text(f"sleep.{state}")` says it."""

    OFF = "off"
    """Nobody needs the machine awake."""
    ACTIVE = "active"
    UNAVAILABLE = "unavailable"
    """It was tried and does not work here; the machine may fall asleep, and the hub holds by its lease."""


def inhibitor() -> tuple[str, ...] | None:
    """The command that keeps this system awake while its child runs; None where there is none."""
    return _INHIBITORS.get(sys.platform)


class SleepGuard:
    """Holds the machine awake between `hold` and `release`; both may be called again and again."""

    def __init__(self, clock: AsyncClock, command: Sequence[str] | None = None) -> None:
        self._clock = clock
        self._command = tuple(command) if command is not None else inhibitor()
        self._process: asyncio.subprocess.Process | None = None
        self._state = SleepState.OFF

    @property
    def state(self) -> SleepState:
        """Where things stand now; an inhibitor that died is noticed."""
        if self._state is SleepState.ACTIVE and self._process is not None and self._process.returncode is not None:
            self._state = SleepState.UNAVAILABLE
        return self._state

    @property
    def text(self) -> Text:
        return Text(f"sleep.{self.state}")

    async def hold(self) -> SleepState:
        """Keep awake from now on. Tries again when it did not work before."""
        if self.state is not SleepState.ACTIVE:
            self._state = SleepState.ACTIVE if await self._begin() else SleepState.UNAVAILABLE
        return self._state

    async def release(self) -> None:
        """Let the machine sleep again."""
        if sys.platform == "win32":
            _windows_state(on=False)
        await self._end()
        self._state = SleepState.OFF

    async def _begin(self) -> bool:
        if sys.platform == "win32":
            return _windows_state(on=True)
        if self._command is None:
            return False
        await self._end()
        pipe = asyncio.subprocess.PIPE
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, *_HOLDER, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
            )
            assert self._process.stdout is not None
            line = await within(self._clock, _PATIENCE_SECONDS, self._process.stdout.readline())
        except (OSError, TimeoutError) as error:
            _log.warning("sleep cannot be inhibited: %r", error)
            await self._end()
            return False
        if line.strip() == _READY:
            return True
        _log.warning("sleep cannot be inhibited: %s refused", self._command[0])
        await self._end()
        return False

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        if process.returncode is None:
            try:
                await within(self._clock, _PATIENCE_SECONDS, process.wait())
            except TimeoutError:
                process.kill()
                await process.wait()


def _windows_state(*, on: bool) -> bool:
    """ES_CONTINUOUS | ES_SYSTEM_REQUIRED, for the calling thread's life: call it on the engine's loop."""
    if sys.platform == "win32":
        return bool(ctypes.windll.kernel32.SetThreadExecutionState(0x80000000 | (0x00000001 if on else 0)))
    return False

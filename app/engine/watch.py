"""Watches what stands around the chairs: consoles that answer, sleep of the machine, disk space, sound."""

import asyncio
import logging
from typing import TYPE_CHECKING

from app.engine.clock import WakeDetector
from app.engine.sleep import SleepGuard
from core.model.words import Text
from core.procedure.events import ClockJumped, ConsoleLost, Woke

if TYPE_CHECKING:
    from app.engine.house import Engine

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
FROZEN_SECONDS = 3.0
"""A console that has not said `Alive` for this long cannot see what therapy does."""
CATCH_UP_SECONDS = 1.0
"""After we stood still ourselves, what was said meanwhile is heard before anybody is taken for frozen."""
DISK_LOW_BYTES = 500 * 1024 * 1024
"""Told while less is free: eight hours of eight chairs, whose compacted samples take about 2 kB/s each. It is a day's
warning; what a procedure needs to end is kept apart for each chair (`core/record/ballast.py`)."""
DISK_EVERY_SECONDS = 10.0
JUMP_SECONDS = 2.0


class Watch:
    """Runs beside the chairs."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._wake = WakeDetector(engine.clock)
        self._inhibitor = SleepGuard(engine.clock)
        self._awake = False
        self._present = False
        self._alone_since = engine.clock.monotonic()
        self._disk_at = 0.0
        self._looked_at = engine.clock.monotonic()
        self._catching_up_until = 0.0
        self._offset_us = self._wall_offset()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._looks())
            group.create_task(self._stays_awake())

    async def _looks(self) -> None:
        while True:
            await self._engine.clock.sleep(LOOK_SECONDS)
            try:
                self.look()
            except Exception:
                log.exception("the watch stumbled and goes on")

    async def _stays_awake(self) -> None:
        """Beside the looks: the system may take seconds to answer, and nobody would see a window freeze meanwhile."""
        while True:
            await self._engine.clock.sleep(LOOK_SECONDS)
            try:
                await self._sleep()
            except Exception:
                log.exception("the machine could not be kept awake")

    async def close(self) -> None:
        await self._inhibitor.release()

    def console_came(self) -> None:
        """A console attached: say what happened while it was away."""
        self.look()

    def look(self) -> None:
        """Notice what changed since the last look."""
        self._consoles()
        self._woke()
        self._jumped()
        self._disk()
        self._engine.alarms.tick()
        self._engine.screen.look()

    def _consoles(self) -> None:
        engine = self._engine
        now = engine.clock.monotonic()
        if now - self._looked_at > FROZEN_SECONDS / 2:
            self._catching_up_until = now + CATCH_UP_SECONDS
        self._looked_at = now
        heard = [session.heard_monotonic for session in engine.server.sessions if session.role == "console"]
        present = any(now - at <= FROZEN_SECONDS for at in heard)
        if heard and not present and now < self._catching_up_until:
            return
        if present == self._present:
            self._leave_if_idle(now)
            return
        self._present = present
        if present:
            engine.alarms.clear("console.lost", 0)
            return
        self._alone_since = now
        held = [chair for chair in engine.chairs.values() if chair.view is not None and chair.view.treating]
        for chair in engine.chairs.values():
            chair.observe(ConsoleLost())
            if chair.busy:
                chair.log("console", Text("log.console_lost"), voice="device")
        if held:
            engine.alarms.raise_("console.lost", 0)
            engine.notice = Text("notice.console_back")
            engine.touched()

    def _leave_if_idle(self, now: float) -> None:
        engine = self._engine
        limit = engine.config.idle_exit_s
        if limit <= 0 or self._present or now - self._alone_since < limit:
            return
        if not any(chair.view is not None and chair.view.treating for chair in engine.chairs.values()):
            log.info("no console for %.0f s: ending", limit)
            engine.request_shutdown()

    def _woke(self) -> None:
        slept = self._wake.check()
        if not slept:
            return
        self._offset_us = self._wall_offset()  # sleeping moves the wall clock on, which is no jump
        for chair in self._engine.chairs.values():
            chair.observe(Woke(slept))
            chair.log("wake", Text("log.woke", {"seconds": round(slept)}), voice="device")
        self._engine.screen.woke()

    def _wall_offset(self) -> float:
        clock = self._engine.clock
        return clock.utc_us() - clock.monotonic() * 1e6

    def _jumped(self) -> None:
        """The wall clock was set. Samples keep their order: their times do not follow it."""
        offset = self._wall_offset()
        seconds = (offset - self._offset_us) / 1e6
        self._offset_us = offset
        if abs(seconds) < JUMP_SECONDS:
            return
        self._engine.alarms.raise_("clock.jump", 0, seconds=round(seconds))
        for chair in self._engine.chairs.values():
            chair.observe(ClockJumped(seconds))

    async def _sleep(self) -> None:
        """Keep the machine awake while dose may flow."""
        treating = any(chair.view is not None and chair.view.treating for chair in self._engine.chairs.values())
        if treating == self._awake:
            return
        self._awake = treating
        await (self._inhibitor.hold() if treating else self._inhibitor.release())

    def _disk(self) -> None:
        engine = self._engine
        now = engine.clock.monotonic()
        if now < self._disk_at:
            return
        self._disk_at = now + DISK_EVERY_SECONDS
        free = engine.folder.free_bytes()
        if free < DISK_LOW_BYTES:
            engine.alarms.raise_("disk.low", 0, megabytes=free // (1024 * 1024))
        else:
            engine.alarms.clear("disk.low", 0)
        for chair in engine.chairs.values():
            chair.look_at_reserve()

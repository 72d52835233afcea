"""A backup each day, by itself, in the places that a person named for it; and a notice when none is good any more."""

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.backup.making import make_backup
from core.backup.places import Place, places
from core.model.errors import SmilescapeError
from core.model.words import Text

if TYPE_CHECKING:
    from app.engine.house import Engine

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 600.0
DAY_US: Final = 86_400 * 1_000_000
LATE_US: Final = 3 * DAY_US
"""A last good backup that is older than this is told of, at any place."""


class BackupDesk:
    """Runs beside the chairs."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._stopped = False

    async def run(self) -> None:
        """Look every ten minutes, until cancelled; a backup under way is then broken off."""
        try:
            while True:
                await self._engine.clock.sleep(LOOK_SECONDS)
                await self.look()
        finally:
            self._stopped = True

    async def look(self) -> None:
        """Make what is due, if nobody is treated, and say when the last good backup is too old. Never raises."""
        try:
            for place in self._due():
                if self._quiet():
                    await self._make(place)
            self._tell()
        except SmilescapeError as error:
            log.error("backups: %s", error)

    def _due(self) -> list[Place]:
        now_us = self._engine.clock.utc_us()
        return [one for one in places(self._engine.practice_file) if one.daily and now_us - one.made_us >= DAY_US]

    def _quiet(self) -> bool:
        return not any(chair.busy for chair in self._engine.chairs.values())

    async def _make(self, place: Place) -> None:
        try:
            made = await asyncio.to_thread(self._work, place)
        except SmilescapeError as error:
            log.error("the daily backup was not made: %s", error)
        else:
            log.info("daily backup %s", made)

    def _work(self, place: Place) -> str:
        engine = self._engine
        folder = make_backup(
            Path(place.path),
            engine.backed_up(),
            engine.practice_file,
            clock=engine.clock,
            simulated=engine.simulated,
            scratch=engine.folder.runtime_dir,
            watch=lambda _: not self._stopped and self._quiet(),
        )
        return folder.name

    def _tell(self) -> None:
        """Where nobody ever asked for backups, nothing is told: Set-up and the guide do that."""
        known = places(self._engine.practice_file)
        newest = max((one.made_us for one in known), default=0)
        if known and self._engine.clock.utc_us() - newest >= LATE_US and self._engine.notice is None:
            days = (self._engine.clock.utc_us() - newest) // DAY_US if newest else 0
            self._engine.notice = Text("notice.backup_late", {"days": days}) if newest else Text("notice.backup_never")
            self._engine.touched()

"""Backups while the workstation runs: one a day by itself, others by hand, and what is told of them."""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import msgspec

from app.engine.clock import AsyncClock
from app.engine.reader_host import Ticket
from app.engine.runtime import Folder
from app.engine.vault_host import run_task
from app.engine.vault_wire import Ended, Failed, Outcome, VaultFile, VaultTask
from app.ipc.backup_messages import BackupState
from app.ipc.messages import Job
from core.backup.erasing import new_keys_wanted, pending
from core.backup.errors import BackupFailed
from core.backup.making import Source, one_at_a_time
from core.backup.places import Place, outstanding, places, sweep
from core.backup.sheet import CHECKED_LINE, sheet_in_force
from core.model.errors import SmilescapeError
from core.model.words import Text
from core.record.practice import FILE_NAME, PracticeFile

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 600.0
DAY_US: Final = 86_400 * 1_000_000
LATE_US: Final = 3 * DAY_US
"""A last good backup that is older than this is told of, at any place."""
_SHEET: Final = "notice.backup_sheet"
NOTICES: Final = frozenset({"notice.backup_late", "notice.backup_never", _SHEET, "notice.erase_pending"})


_JOB: Final = "backup-"


def is_backup(job: str) -> bool:
    """Whether a job, by its id, makes or opens a backup."""
    return job.startswith(_JOB)


class Seat(Protocol):
    """A chair, as a backup sees it."""

    @property
    def busy(self) -> bool: ...


class BackupHouse(Protocol):
    """What is needed of the engine around."""

    clock: AsyncClock
    folder: Folder
    practice_file: PracticeFile
    simulated: bool
    notice: Text | None

    @property
    def chairs(self) -> Mapping[int, Seat]: ...
    def backed_up(self) -> list[Source]: ...
    def names(self) -> dict[str, str]: ...
    def touched(self) -> None: ...


@dataclass(eq=False)
class _Running:
    text: Text
    ticket: Ticket
    by_itself: bool
    percent: int = 0


class BackupDesk:
    """Runs beside the chairs. The work is done in a process of its own: neither the loop nor a record waits for it.

    Attributes:
        state: what everybody is shown; `refresh` brings it up to date.
        sheet_waits: a sheet was written and is to be typed back.
    """

    def __init__(self, house: BackupHouse) -> None:
        self._house = house
        self._running: dict[str, _Running] = {}
        self._numbers = itertools.count(1)
        self.sheet_waits = False
        self.state = BackupState()

    async def run(self) -> None:
        """Look every ten minutes, until cancelled; a backup under way is then broken off."""
        self.refresh()
        while True:
            await self._house.clock.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Make what is due, if nobody is treated, and say when the last good backup is too old. Never raises."""
        try:
            await asyncio.to_thread(self._sweep, [Path(one.path) for one in places(self._house.practice_file)])
            for place in self._due():
                if self.quiet and not self._running:
                    await self._daily(place)
            self.refresh()
        except SmilescapeError as error:
            log.error("backups: %s", error)

    @property
    def quiet(self) -> bool:
        """Whether no visit is open."""
        return not any(chair.busy for chair in self._house.chairs.values())

    @property
    def busy(self) -> bool:
        """Whether a backup is made or opened: places and keys stay as they are meanwhile."""
        return bool(self._running)

    def jobs(self) -> tuple[Job, ...]:
        return tuple(
            Job(id=key, text=one.text, percent=one.percent, may_cancel=True) for key, one in self._running.items()
        )

    def cancel(self, key: str) -> bool:
        """End a job; False when it has ended already."""
        one = self._running.get(key)
        if one is not None:
            one.ticket.cancel()
        return one is not None

    def chairs_changed(self) -> None:
        """A visit may have begun: what is made by itself gives way."""
        if not self.quiet:
            for one in self._running.values():
                if one.by_itself:
                    one.ticket.cancel()

    async def make(self, place: Path, *, by_itself: bool = False) -> Outcome:
        """Make a backup; what came of it."""
        task = VaultTask(work="make", files=self.files(), simulated=self._house.simulated, place=str(place))
        return await self._work(task, Text("backup.job.making", {"place": str(place)}), by_itself=by_itself)

    async def check(self, place: Path, name: str) -> Outcome:
        """Open a backup to see whether it holds; what came of it."""
        task = VaultTask(work="check", files=self.files(), place=str(place), name=name)
        return await self._work(task, Text("backup.job.checking", {"name": name}))

    def files(self) -> tuple[VaultFile, ...]:
        """The practice's file first, then all chairs'."""
        found = sorted(self._house.backed_up(), key=lambda one: one.path.name != FILE_NAME)
        return tuple(VaultFile(str(one.path), one.key) for one in found)

    def refresh(self) -> None:
        """What is known now, also as a notice: a person has to be told."""
        house = self._house
        practice = house.practice_file
        known, sheet = places(practice), sheet_in_force(practice.keys)
        newest = max((one.made_us for one in known), default=0)
        self.state = BackupState(
            made_us=newest,
            late=bool(known) and house.clock.utc_us() - newest >= LATE_US,
            places=len(known),
            outstanding=len(outstanding(practice)),
            sheet_by=house.names().get(sheet[0], "") if sheet is not None else "",
            sheet_us=sheet[1] if sheet is not None else 0,
            sheet_wanted=sheet is None and not house.simulated,
            line=CHECKED_LINE if self.sheet_waits else 0,
            pending=pending(practice),
            new_keys=new_keys_wanted(practice),
        )
        said, shown = self._said(), house.notice
        first_day = shown is not None and shown.key == "notice.recovery_sheet"  # it asks for the sheet as well
        if shown is None or shown.key in NOTICES or (first_day and said is not None and said.key != _SHEET):
            house.notice = said
        house.touched()

    def _sweep(self, folders: list[Path]) -> None:
        with contextlib.suppress(BackupFailed), one_at_a_time(self._house.folder.runtime_dir):
            for folder in folders:
                for name in sweep(folder):
                    log.warning("%s in %s was left by a backup that was cut off: taken away", name, folder)

    def _said(self) -> Text | None:
        """The worst of it. Where nobody ever asked for backups, only the sheet is asked for."""
        state, now_us = self.state, self._house.clock.utc_us()
        if state.pending:
            return Text("notice.erase_pending")
        if state.late and not state.made_us:
            return Text("notice.backup_never")
        if state.late:
            return Text("notice.backup_late", {"days": (now_us - state.made_us) // DAY_US})
        return Text(_SHEET) if state.sheet_wanted and self._house.names() else None

    def _due(self) -> list[Place]:
        now_us = self._house.clock.utc_us()
        return [one for one in places(self._house.practice_file) if one.daily and now_us - one.made_us >= DAY_US]

    async def _daily(self, place: Place) -> None:
        outcome = await self.make(Path(place.path), by_itself=True)
        if isinstance(outcome, Failed):
            log.error("the daily backup was not made: %s %s", outcome.said, outcome.remedy)
        elif isinstance(outcome, Ended):
            log.info("daily backup %s", outcome.name)

    async def _work(self, task: VaultTask, text: Text, *, by_itself: bool = False) -> Outcome:
        key = f"{_JOB}{next(self._numbers)}"
        at_us, scratch = self._house.clock.utc_us(), str(self._house.folder.runtime_dir)
        task = msgspec.structs.replace(task, at_us=at_us, scratch=scratch)

        def told(done: float) -> None:
            if (percent := int(done * 100)) != one.percent:
                one.percent = percent
                self._house.touched()

        one = self._running[key] = _Running(text, Ticket(told), by_itself)
        self._house.touched()
        try:
            return await run_task(task, one.ticket)
        finally:
            del self._running[key]
            self.refresh()

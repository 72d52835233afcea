"""What consoles ask about backups and their recovery sheet. Every act stands in the audit log, with its actor."""

import asyncio
import contextlib
from collections.abc import Mapping
from functools import singledispatchmethod
from pathlib import Path
from typing import Protocol

import msgspec

from app.engine.backups import BackupDesk
from app.engine.clock import AsyncClock
from app.engine.erasures import ErasureDesk
from app.engine.vault_wire import Ended, Failed, Outcome
from app.ipc import backup_messages as ipc
from app.ipc.messages import Done, Refused, Reply
from core.backup.checking import look_at
from core.backup.places import Place, forget_place, keep_place, outstanding, places, renew_keys
from core.backup.sheet import CHECKED_LINE, SheetDraft
from core.model.people import Operator
from core.model.words import Text
from core.procedure.refusal import Refusal
from core.record.drafts import free_name
from core.record.practice import PracticeFile

SHEET_NAME = "backup-recovery-sheet.pdf"


class BackupsHouse(Protocol):
    """What is needed of the engine around."""

    backups: BackupDesk
    erasures: ErasureDesk
    practice_file: PracticeFile
    clock: AsyncClock
    notice: Text | None

    @property
    def practice(self) -> str: ...
    @property
    def data_folder(self) -> str: ...
    def audit(self, kind: str, text: Text, actor: str, body: Mapping[str, object], *, chair: int = 0) -> None: ...


def _no(code: str, **values: str | int | float) -> Refusal:
    return Refusal(code, Text(f"refused.{code}", values), Text(f"refused.{code}_remedy", values))


class BackupsService:
    """Whoever asks was admitted by `Access`."""

    def __init__(self, house: BackupsHouse) -> None:
        self._house = house
        self._draft: tuple[SheetDraft, Path] | None = None

    async def serve(self, request: ipc.BackupRequest, actor: Operator) -> Reply:
        """Raises Refusal and SmilescapeError."""
        return await self._serve(request, actor)

    def cancel(self, key: str) -> Reply:
        self._house.backups.cancel(key)
        return Done()

    async def drop_sheet(self) -> None:
        """Whoever wrote a sheet has gone: what was not typed back counts for nothing, and its file goes."""
        draft, self._draft = self._draft, None
        if draft is not None:
            await asyncio.to_thread(_remove, draft[1])
            self._house.backups.sheet_waits = False
            self._house.backups.refresh()

    @singledispatchmethod
    async def _serve(self, request: ipc.BackupRequest, actor: Operator) -> Reply:
        raise TypeError(type(request).__name__)

    # places

    @_serve.register
    async def _list(self, request: ipc.ListBackups, actor: Operator) -> Reply:
        return await self._shelves()

    @_serve.register
    async def _place(self, request: ipc.SetBackupPlace, actor: Operator) -> Reply:
        self._idle()
        folder = self._folder(request.path)
        known = next((one for one in places(self._practice) if one.path == str(folder)), Place(path=str(folder)))
        keep_place(self._practice, msgspec.structs.replace(known, daily=request.daily))
        self._note("place", actor, place=str(folder), daily=request.daily)
        return await self._shelves()

    @_serve.register
    async def _forget(self, request: ipc.ForgetBackupPlace, actor: Operator) -> Reply:
        self._idle()
        if forget_place(self._practice, request.path):
            self._note("forgotten", actor, place=request.path)
        return await self._shelves()

    @_serve.register
    async def _renew(self, request: ipc.RenewBackupKeys, actor: Operator) -> Reply:
        self._idle()
        await asyncio.to_thread(renew_keys, self._practice)
        self._note("keys_renewed", actor, left=len(outstanding(self._practice)))
        return await self._shelves()

    # backups

    @_serve.register
    async def _make(self, request: ipc.MakeBackup, actor: Operator) -> Reply:
        self._idle()
        folder = self._folder(request.path)
        outcome = await self._house.backups.make(folder)
        if isinstance(outcome, Ended):
            self._note("made", actor, place=str(folder), backup=outcome.name)
        return _reply(outcome)

    @_serve.register
    async def _check(self, request: ipc.CheckBackup, actor: Operator) -> Reply:
        self._idle()
        outcome = await self._house.backups.check(Path(request.path), request.name)
        result = "sound" if isinstance(outcome, Ended) else outcome.code if isinstance(outcome, Failed) else ""
        self._note("checked", actor, backup=request.name, result=result)
        return _reply(outcome)

    # the sheet

    @_serve.register
    async def _print(self, request: ipc.PrintSheet, actor: Operator) -> Reply:
        folder = _folder(request.folder)
        await self.drop_sheet()
        draft, path = SheetDraft.draw(), await asyncio.to_thread(free_name, folder / SHEET_NAME)
        await asyncio.to_thread(self._write, draft, path)
        self._draft = (draft, path)
        self._house.backups.sheet_waits = True
        self._house.backups.refresh()
        return ipc.SheetWritten(path=str(path), line=CHECKED_LINE)

    @_serve.register
    async def _confirm(self, request: ipc.ConfirmSheet, actor: Operator) -> Reply:
        self._idle()
        if self._draft is None:
            raise _no("no_sheet_waits")
        draft, _ = self._draft
        if not draft.read_back(request.line):
            raise _no("sheet_line", line=CHECKED_LINE)
        draft.take(self._practice.keys, author=actor.id)
        said = Text("log.keys.backup_sheet", {"name": actor.name})
        self._house.audit("keys.backup_sheet", said, actor.id, {})
        await self.drop_sheet()
        await asyncio.to_thread(renew_keys, self._practice)
        self._house.backups.refresh()
        return await self._shelves()

    @_serve.register
    async def _drop(self, request: ipc.DropSheet, actor: Operator) -> Reply:
        await self.drop_sheet()
        return Done()

    # erasing

    @_serve.register
    async def _plan(self, request: ipc.PlanErasure, actor: Operator) -> Reply:
        return await self._house.erasures.plan(request.patient_id)

    @_serve.register
    async def _erase(self, request: ipc.ErasePatient, actor: Operator) -> Reply:
        self._idle()
        return await self._house.erasures.erase(request.patient_id, request.name, request.reason, actor)

    # helpers

    @property
    def _practice(self) -> PracticeFile:
        return self._house.practice_file

    def _idle(self) -> None:
        """Places and keys are not changed while a backup writes them down. Raises Refusal."""
        if self._house.backups.busy or self._house.erasures.patient:
            raise _no("backup_busy")

    def _folder(self, path: str) -> Path:
        """Raises Refusal: it is no folder, or lies beside the data and would be lost with it."""
        folder = _folder(path)
        if folder.resolve().is_relative_to(Path(self._house.data_folder).resolve()):
            raise _no("backup_beside", path=path)
        return folder

    async def _shelves(self) -> ipc.Backups:
        """Also what else is told of them is brought up to date."""
        behind = {one.path for one in outstanding(self._practice)}
        shelves = await asyncio.to_thread(look_at, self._practice)
        self._house.backups.refresh()
        return ipc.Backups(
            places=tuple(
                ipc.BackupPlace(
                    path=shelf.place.path,
                    there=shelf.there,
                    daily=shelf.place.daily,
                    made_us=shelf.place.made_us,
                    outstanding=shelf.place.path in behind,
                    kept=tuple(
                        ipc.KeptBackup(
                            name=one.name,
                            made_us=one.made_us,
                            bytes=one.bytes,
                            chairs=one.chairs,
                            ours=one.ours,
                            checked_us=one.checked_us,
                        )
                        for one in shelf.kept
                    ),
                    cut_off=shelf.cut_off,
                )
                for shelf in sorted(shelves, key=lambda one: one.place.path)
            )
        )

    def _write(self, draft: SheetDraft, path: Path) -> None:
        from core.reports.recovery import write_recovery_sheet

        write_recovery_sheet(draft.lines, self._house.practice, self._house.clock.utc_us(), path)

    def _note(self, step: str, actor: Operator, **values: str | int) -> None:
        said = Text(f"log.backup.{step}", {"name": actor.name, **values})
        self._house.audit(f"backup.{step}", said, actor.id, values)


def _folder(path: str) -> Path:
    """Raises Refusal."""
    folder = Path(path)
    if not folder.is_absolute() or not folder.is_dir():
        raise _no("backup_folder", path=path)
    return folder


def _reply(outcome: Outcome) -> Reply:
    match outcome:
        case Failed():
            remedy = Text("ipc.said", {"text": outcome.remedy}) if outcome.remedy else None
            return Refused(code=outcome.code, text=Text("ipc.said", {"text": outcome.said}), remedy=remedy)
        case Ended():
            return Done(id=outcome.name)
        case _:
            raise TypeError(type(outcome).__name__)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)

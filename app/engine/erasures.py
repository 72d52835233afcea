"""Erasing a patient while the workstation runs: planned beside it, done by the threads that own the records.

Nobody may be in a visit. What a hub or the ring of live samples still holds of the last visit is wiped as well.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.engine.backups import BackupDesk
from app.engine.clock import AsyncClock
from app.engine.people_desk import PeopleDesk
from app.engine.reader_host import ReaderHost, Ticket
from app.engine.runtime import Folder
from app.engine.vault_host import run_task
from app.engine.vault_wire import Failed, Planned, VaultTask
from app.ipc.backup_messages import Erased, ErasurePlan, Share
from app.ipc.messages import Refused, Reply
from core.backup import erasing
from core.backup.belongings import Wearers
from core.backup.erasing import Plan
from core.backup.making import one_at_a_time
from core.backup.places import outstanding, places, renew_keys
from core.backup.retention import load_retention
from core.model.people import Operator, Patient
from core.model.words import Text
from core.procedure.refusal import Refusal
from core.record import Record
from core.record.practice import PracticeFile

if TYPE_CHECKING:
    from app.engine.chair import Chair


class ErasureHouse(Protocol):
    """What is needed of the engine around."""

    chairs: "dict[int, Chair]"
    backups: BackupDesk
    practice_file: PracticeFile
    reader: ReaderHost
    folder: Folder
    clock: AsyncClock
    people: PeopleDesk

    async def operator_changed(self) -> None: ...
    def audit(self, kind: str, text: Text, actor: str, body: Mapping[str, object], *, chair: int = 0) -> None: ...


def _no(code: str, **values: str | int | float) -> Refusal:
    return Refusal(code, Text(f"refused.{code}", values), Text(f"refused.{code}_remedy", values))


class ErasureDesk:
    """
    Attributes:
        patient: whose erasure is under way; empty: nobody's. Nobody begins a visit meanwhile.
    """

    def __init__(self, house: ErasureHouse) -> None:
        self._house = house
        self.patient = ""

    async def plan(self, patient_id: str) -> Reply:
        """What would go and what would stay. Raises Refusal, RetentionWrong."""
        patient = await self._known(patient_id)
        if patient is None:
            raise _no("nobody_to_erase")
        found = await self._planned(patient_id)
        if not isinstance(found, Planned):
            return found
        known = places(self._house.practice_file)
        rules = load_retention()
        return ErasurePlan(
            patient_id=patient_id,
            name=patient.name,
            codes=found.codes,
            goes=tuple(Share(what, count) for what, count in found.goes.items()),
            stays=tuple(Share(one.what, found.stays.get(one.what, 0), one.why) for one in rules.stays),
            exports=tuple(Path(one).name for one in found.exports),
            nobodys=sum(found.nobodys.values()),
            places=tuple(one.path for one in known),
            away=await asyncio.to_thread(_away, [one.path for one in known]),
        )

    async def erase(self, patient_id: str, name: str, reason: str, actor: Operator) -> Reply:
        """Do it. Raises Refusal; and what a record raises: it is then pending, and is done again from the beginning."""
        house = self._house
        self._nobody_in_a_visit()
        if stray := set(house.folder.chairs()) - set(house.chairs):
            raise _no("erase_chair", chair=min(stray))
        patient = await self._known(patient_id)
        cut_off = erasing.pending(house.practice_file) == patient_id
        if patient is None and not cut_off:
            raise _no("nobody_to_erase")
        if not cut_off and (patient is None or _plain(name) != _plain(patient.name)):
            raise _no("erase_name")
        if not reason.strip():
            raise _no("reason")
        with one_at_a_time(house.folder.runtime_dir):
            self.patient = patient_id
            try:
                found = await self._planned(patient_id)
                if not isinstance(found, Planned):
                    return found
                self._nobody_in_a_visit()  # a visit that was on its way when this began has begun by now
                await self._destroy(found, patient_id, reason.strip(), actor)
                left = await asyncio.to_thread(_remove, found.exports)
                await asyncio.to_thread(renew_keys, house.practice_file)
            finally:
                self.patient = ""
                await house.operator_changed()  # they may read again
                house.backups.refresh()
        return Erased(outstanding=tuple(one.path for one in outstanding(house.practice_file)), left=left)

    def _nobody_in_a_visit(self) -> None:
        for chair in self._house.chairs.values():
            if chair.busy:
                raise _no("erase_visit_open", chair=chair.number)

    async def _destroy(self, found: Planned, patient_id: str, reason: str, actor: Operator) -> None:
        house, kept, at_us = self._house, load_retention().kept_kinds, self._house.clock.utc_us()
        await house.reader.close()  # nobody has the former pages open
        plan = Plan(patient_id, Counter(found.goes), Counter(found.stays), found.codes, Counter(found.nobodys))
        chairs = list(house.chairs.values())
        erasing.want_new_keys(house.practice_file, wanted=True)
        erasing.begin(house.practice_file, patient_id)
        wearers = Wearers.together([await chair.do(lambda record: Wearers.of([record.file])) for chair in chairs])

        def rows(record: Record) -> None:
            erasing.take_rows(record, wearers, patient_id, kept, author=actor.id, reason=reason, at_us=at_us)

        def versions(record: Record) -> None:
            erasing.take_versions(record, plan, kept, author=actor.id, at_us=at_us)

        for chair in chairs:
            await chair.do(rows)
        for chair in chairs:
            await chair.do(versions)
        for chair in chairs:
            await chair.recorder.alone(erasing.fold)
            await chair.forget_patient(patient_id)
        for one in house.people.companions.everybody:
            if one.patient_id == patient_id and one.withdrawn_us is None:
                house.people.companions.withdraw(one.operator_id)
                await house.people.close_account(one.operator_id)
        await asyncio.to_thread(erasing.end, house.practice_file, patient_id)
        house.audit("erasure.done", Text("log.erased", {"name": actor.name}), actor.id, {"patient": patient_id})

    async def _planned(self, patient_id: str) -> Planned | Refused:
        house = self._house
        task = VaultTask(
            work="plan",
            files=house.backups.files(),
            patient=patient_id,
            kept=tuple(load_retention().kept_kinds),
            exports=str(house.folder.exports),
        )
        outcome = await run_task(task, Ticket(lambda _: None))
        if isinstance(outcome, Planned):
            return outcome
        said = outcome if isinstance(outcome, Failed) else Failed("backup.failed", "", "")
        remedy = Text("ipc.said", {"text": said.remedy}) if said.remedy else None
        return Refused(code=said.code, text=Text("ipc.said", {"text": said.said}), remedy=remedy)

    async def _known(self, patient_id: str) -> Patient | None:
        """In their newest version over all chairs."""
        found = [await chair.do(lambda record: record.patient(patient_id)) for chair in self._house.chairs.values()]
        return max((one for one in found if one is not None), key=lambda one: one.version, default=None)


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _remove(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Names of those that could not go."""
    left = []
    for path in map(Path, paths):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        if path.exists():
            left.append(path.name)
    return tuple(left)


def _away(folders: list[str]) -> tuple[str, ...]:
    return tuple(folder for folder in folders if not Path(folder).is_dir())

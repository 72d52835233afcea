"""Who is on record over all chairs: looked up one at a time, so that it costs the same with ten and 100,000 of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from app.engine.people_desk import no
from core.model.people import Operator, Patient
from core.people.patients import is_date
from core.record import Record

if TYPE_CHECKING:
    from app.engine.chair import Chair


class PatientsDesk:
    """A patient's versions may lie in several chairs' files; the highest counts."""

    def __init__(self, chairs: "Mapping[int, Chair]") -> None:
        self._chairs = chairs

    async def find(self, patient_id: str) -> Patient | None:
        """The newest version; None for nobody."""
        found = await self._newest(patient_id)
        return found[0] if found is not None else None

    async def correct(self, wanted: Patient, actor: Operator, reason: str) -> Patient:
        """The next version, in the file that has the newest. Code and simulation stay; whoever sits there is shown so.

        Args:
            wanted: as it shall be; `version` is the one that the person was looking at.

        Raises:
            Refusal: no reason, no name, no date, nobody of that id.
            StaleVersion: there is a newer version.
        """
        if not reason.strip():
            raise no("reason")
        if not wanted.given_name.strip():
            raise no("empty_name")
        if not is_date(wanted.birth_date):
            raise no("birth_date")
        found = await self._newest(wanted.id)
        if found is None:
            raise no("unknown_patient")
        newest, chair = found
        patient = msgspec.structs.replace(
            newest,
            version=min(wanted.version, newest.version),
            given_name=wanted.given_name.strip(),
            family_name=wanted.family_name.strip(),
            birth_date=wanted.birth_date,
            allergies=wanted.allergies.strip(),
            notes=wanted.notes.strip(),
            phone=wanted.phone.strip(),
        )
        saved = await self.save(chair, patient, actor, reason.strip())
        for one in self._chairs.values():
            now = one.visits.now
            if now is not None and now.patient.id == saved.id:
                one.visits.corrected(saved)
        return saved

    async def save(self, chair: "Chair", patient: Patient, actor: Operator, reason: str) -> Patient:
        """A version into a chair's file, with its audit entry. Raises StaleVersion."""
        at_us = chair.house.clock.utc_us()

        def write(record: Record) -> Patient:
            saved = record.save_patient(patient, author=actor.id, reason=reason, at_us=at_us)
            # The reason is a person's words and stands with the version: the log outlives the patient.
            body = {"patient": patient.id, "version": saved.version}
            record.audit("patient.saved", actor=actor.id, at_us=at_us, body=body)
            return saved

        return await chair.do(write)

    async def _newest(self, patient_id: str) -> "tuple[Patient, Chair] | None":
        """With a chair whose file holds it, that in which they sit before others."""
        newest: tuple[Patient, Chair] | None = None
        for chair in self._chairs.values():
            patient = await chair.do(lambda record: record.patient(patient_id))
            if patient is None:
                continue
            now = chair.visits.now
            sits = now is not None and now.open and now.patient.id == patient_id
            if newest is None or (patient.version, sits) > (newest[0].version, False):
                newest = patient, chair
        return newest

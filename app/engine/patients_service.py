"""Serves who the patients are: taken down, corrected, listed."""

from datetime import date
from functools import singledispatchmethod
from typing import TYPE_CHECKING

from app.engine.people_desk import no
from app.engine.workstation import Workstation, actor_of, chair_of
from app.ipc import messages as ipc
from core.model.people import Operator, Patient
from core.people.patients import new_patient
from core.record import Record

if TYPE_CHECKING:
    from app.engine.chair import Chair


class PatientsService:
    """Whoever asks was admitted by `Access`."""

    def __init__(self, house: Workstation) -> None:
        self._house = house

    async def serve(self, request: ipc.PatientsRequest) -> ipc.Reply:
        return await self._serve(request)

    @singledispatchmethod
    async def _serve(self, request: ipc.PatientsRequest) -> ipc.Reply:
        raise TypeError(type(request).__name__)

    @_serve.register
    async def _add_patient(self, request: ipc.AddPatient) -> ipc.Reply:
        actor = actor_of(self._house)
        if not request.given_name.strip():
            raise no("empty_name")
        if not _is_date(request.birth_date):
            raise no("birth_date")
        patient = new_patient(
            given_name=request.given_name,
            family_name=request.family_name,
            birth_date=request.birth_date,
            allergies=request.allergies,
            phone=request.phone,
            simulated=self._house.simulated,
        )
        await self._save_patient(chair_of(self._house, request.chair), patient, actor, "added")
        return ipc.Done(id=patient.id)

    @_serve.register
    async def _correct_patient(self, request: ipc.CorrectPatient) -> ipc.Reply:
        actor = actor_of(self._house)
        if not request.reason.strip():
            raise no("reason")
        await self._save_patient(chair_of(self._house, request.chair), request.patient, actor, request.reason.strip())
        return ipc.Done(id=request.patient.id)

    @_serve.register
    async def _list_patients(self, request: ipc.ListPatients) -> ipc.Reply:
        wanted, seen = request.query.strip().casefold(), self._house.access.seen
        found = [
            patient
            for patient in (await self.patients()).values()
            if wanted in _findable(patient, by_name=seen(patient.id).identities)
        ]
        if self._house.access.seen().identities:
            self._house.views.listed([patient.id for patient in found])
        return ipc.Patients(
            patients=tuple(sorted(found, key=lambda patient: (patient.family_name, patient.given_name)))
        )

    async def _save_patient(self, chair: "Chair", patient: Patient, actor: Operator, reason: str) -> None:
        at_us = chair.house.clock.utc_us()

        def write(record: Record) -> None:
            saved = record.save_patient(patient, author=actor.id, reason=reason, at_us=at_us)
            # The reason is a person's words and stands with the version: the log outlives the patient.
            body = {"patient": patient.id, "version": saved.version}
            record.audit("patient.saved", actor=actor.id, at_us=at_us, body=body)

        await chair.do(write)

    async def patients(self) -> dict[str, Patient]:
        """The newest version of every patient over all chair files."""
        newest: dict[str, Patient] = {}
        for chair in self._house.chairs.values():
            for patient in await chair.do(lambda record: record.patients()):
                known = newest.get(patient.id)
                if known is None or patient.version > known.version:
                    newest[patient.id] = patient
        return newest


def _findable(patient: Patient, *, by_name: bool) -> str:
    """What a patient is found by: that somebody of that name is found would tell the name."""
    return (f"{patient.name} {patient.code} {patient.birth_date}" if by_name else patient.code).casefold()


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False

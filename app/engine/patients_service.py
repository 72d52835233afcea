"""Serves who the patients are: taken down and corrected."""

from functools import singledispatchmethod

from app.engine.patients_desk import PatientsDesk
from app.engine.people_desk import no
from app.engine.workstation import Workstation, actor_of, chair_of
from app.ipc import messages as ipc
from core.people.patients import is_date, new_patient


class PatientsService:
    """Whoever asks was admitted by `Access`."""

    def __init__(self, house: Workstation, desk: PatientsDesk) -> None:
        self._house = house
        self._desk = desk

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
        if not is_date(request.birth_date):
            raise no("birth_date")
        patient = new_patient(
            given_name=request.given_name,
            family_name=request.family_name,
            birth_date=request.birth_date,
            allergies=request.allergies,
            phone=request.phone,
            simulated=self._house.simulated,
        )
        await self._desk.save(chair_of(self._house, request.chair), patient, actor, "added")
        return ipc.Done(id=patient.id)

    @_serve.register
    async def _correct_patient(self, request: ipc.CorrectPatient) -> ipc.Reply:
        saved = await self._desk.correct(request.patient, actor_of(self._house), request.reason)
        return ipc.Done(id=saved.id)

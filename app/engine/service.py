"""Serves what consoles ask, or hands it to who does. Who may ask for it is decided before, by `Access`."""

import os
from functools import singledispatchmethod

from app.engine.access_service import AccessService
from app.engine.backups import is_backup
from app.engine.backups_service import BackupsService
from app.engine.clinical_service import ClinicalService
from app.engine.devices_service import DevicesService
from app.engine.doubts_service import lift_doubt
from app.engine.exports_service import ExportsService
from app.engine.imports_service import ImportsService
from app.engine.keys_service import KeysService
from app.engine.patients_desk import PatientsDesk
from app.engine.patients_service import PatientsService
from app.engine.people_desk import no
from app.engine.people_service import PeopleService
from app.engine.reader_wire import READ_REQUESTS
from app.engine.reads_service import ReadsService
from app.engine.server import Session
from app.engine.workstation import Workstation, actor_of, chair_of
from app.ipc import messages as ipc
from app.ipc.access_messages import ACCESS_REQUESTS
from app.ipc.backup_messages import BACKUP_REQUESTS
from app.ipc.clinical_messages import CLINICAL_REQUESTS
from app.ipc.doubt_messages import LiftDoubt
from app.ipc.export_messages import EXPORT_REQUESTS, CancelJob
from app.ipc.import_messages import IMPORT_REQUESTS
from app.ipc.key_messages import KEY_REQUESTS
from core.model.intents import Pause
from core.model.people import Operator, Role
from core.model.words import Text
from core.people.permissions import load_permissions

PATIENT = Operator(id="patient", name="", role=Role.ASSISTANT)
"""Who pauses from the patient's own screen while nobody is logged in who might."""


class Service:
    """The handler behind the server."""

    def __init__(self, house: Workstation) -> None:
        self._house = house
        self._keys = KeysService(house)
        self._reads = ReadsService(house)
        self._people = PeopleService(house)
        self._desk = PatientsDesk(house.chairs)
        self._patients = PatientsService(house, self._desk)
        self._devices = DevicesService(house)
        self._access = AccessService(house, self._desk.find)
        self._clinical = ClinicalService(house)
        self._exports = ExportsService(house)
        self._imports = ImportsService(house)
        self._backups = BackupsService(house)

    async def handle(self, request: ipc.Request, session: Session) -> ipc.Reply:
        """Nothing is served that `Access` did not admit, and nothing is answered that it did not cut."""
        access = self._house.access
        await access.admit(request)
        return access.cut_reply(await self._answer(request))

    async def _answer(self, request: ipc.Request) -> ipc.Reply:
        if isinstance(request, READ_REQUESTS):
            return await self._reads.serve(request)
        if isinstance(request, ipc.PEOPLE_REQUESTS):
            if isinstance(request, ipc.Login | ipc.Logout):
                await self._backups.drop_sheet()
            return await self._people.serve(request)
        if isinstance(request, ipc.PATIENTS_REQUESTS):
            return await self._patients.serve(request)
        if isinstance(request, ipc.DEVICES_REQUESTS):
            return await self._devices.serve(request)
        if isinstance(request, KEY_REQUESTS):
            return await self._keys.serve(request, actor_of(self._house))
        if isinstance(request, ACCESS_REQUESTS):
            return await self._access.serve(request, self._house.people.operator)
        if isinstance(request, CLINICAL_REQUESTS):
            return await self._clinical.serve(request, actor_of(self._house))
        if isinstance(request, BACKUP_REQUESTS):
            return await self._backups.serve(request, actor_of(self._house))
        if isinstance(request, CancelJob) and is_backup(request.id):
            return self._backups.cancel(request.id)
        if isinstance(request, EXPORT_REQUESTS):
            return await self._exports.serve(request, actor_of(self._house))
        if isinstance(request, IMPORT_REQUESTS):
            return await self._imports.serve(request, actor_of(self._house))
        return await self._serve(request)

    @singledispatchmethod
    async def _serve(self, request: ipc.Request) -> ipc.Reply:
        """One method for each type of request."""
        raise no("internal", reason=type(request).__name__)

    def stop(self, chair: int) -> None:
        """STOP for one chair, or for all with 0. Needs nobody logged in."""
        operator = self._house.people.operator
        by = operator.id if operator is not None else ""
        for number, one in self._house.chairs.items():
            if chair in (0, number):
                one.stop(by)

    def attached(self, session: Session) -> None:
        if session.role == "console":
            self._house.console_came()

    def detached(self, session: Session) -> None:
        if session.role == "console":
            self._house.consoles_changed()

    @_serve.register
    async def _hello(self, request: ipc.Hello) -> ipc.Reply:
        house = self._house
        return ipc.Welcome(
            protocol=ipc.PROTOCOL,
            engine_pid=os.getpid(),
            data_folder=str(house.data_folder),
            rings=house.rings(),
            practice=house.practice,
            simulated=house.simulated,
        )

    @_serve.register
    async def _shutdown(self, request: ipc.Shutdown) -> ipc.Reply:
        treating = [chair for chair in self._house.chairs.values() if chair.view is not None and chair.view.treating]
        if treating and not request.hold_confirmed:
            raise no("treating", "treating_remedy")
        for chair in treating:
            chair.stop(actor_of(self._house).id if self._house.people.operator else "")
        self._house.request_shutdown()
        return ipc.Done()

    @_serve.register
    async def _seat_patient(self, request: ipc.SeatPatient) -> ipc.Reply:
        actor = actor_of(self._house)
        chair = chair_of(self._house, request.chair)
        if chair.busy:
            raise no("visit_open", "visit_open_remedy")
        if self._house.erasures.patient:
            raise no("erasing", "erasing_remedy")
        patient = await self._desk.find(request.patient_id)
        if patient is None:
            raise no("unknown_patient")
        teeth = await self._house.people.teeth(patient.id, patient.birth_date)
        return ipc.Done(id=await chair.seat(patient, teeth, actor))

    @_serve.register
    async def _act(self, request: ipc.Act) -> ipc.Reply:
        chair = chair_of(self._house, request.chair)
        if chair.view is None:
            raise no("no_procedure")
        patient = request.intent == Pause(by="patient")
        treats = load_permissions().may_want
        there = self._house.people.operator
        known = there is not None and (not patient or treats(there, request.intent, chair.view.step))
        actor = PATIENT if patient and not known else actor_of(self._house)
        chair.act(request.intent, actor=actor, revision=request.revision)
        return ipc.Done()

    @_serve.register
    async def _add_mark(self, request: ipc.AddMark) -> ipc.Reply:
        actor = actor_of(self._house)
        text = Text("log.mark_named", {"label": request.label}) if request.label else Text("log.mark")
        chair_of(self._house, request.chair).log("mark", text, author=actor.id)
        return ipc.Done()

    @_serve.register
    async def _alarm_seen(self, request: ipc.AlarmSeen) -> ipc.Reply:
        chair = next(iter(self._house.chairs.values()))
        try:
            chair.house.alarms.seen(request.alarm_id, actor_of(self._house))
        except KeyError:
            raise no("no_alarm") from None
        return ipc.Done()

    @_serve.register
    async def _pause_audio(self, request: ipc.PauseAudio) -> ipc.Reply:
        chair = next(iter(self._house.chairs.values()))
        chair.house.alarms.pause_audio(min(max(request.seconds, 0.0), 120.0))
        return ipc.Done()

    @_serve.register
    async def _lift_doubt(self, request: LiftDoubt) -> ipc.Reply:
        return ipc.Done(id=lift_doubt(self._house, request, actor_of(self._house)))

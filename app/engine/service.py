"""Serves what consoles ask: one method for each request. Who may ask for it is decided before, by `Access`."""

import logging
import os
from datetime import date
from functools import singledispatchmethod
from typing import TYPE_CHECKING, Protocol

import msgspec

from app.engine.access import Access
from app.engine.access_service import AccessHouse, AccessService
from app.engine.clinical_service import ClinicalService
from app.engine.doubts_service import DoubtsHouse, lift_doubt
from app.engine.exports_service import ExportsHouse, ExportsService
from app.engine.imports_service import ImportsService
from app.engine.keys_service import KeysService
from app.engine.people_desk import no
from app.engine.reader_wire import READ_REQUESTS, ReadRequest
from app.engine.server import Session
from app.engine.view_log import ViewLog
from app.ipc import messages as ipc
from app.ipc.access_messages import ACCESS_REQUESTS, ListViews, Views
from app.ipc.clinical_messages import CLINICAL_REQUESTS, ReadAttachment, SaveAttachment, SearchRecords
from app.ipc.doubt_messages import LiftDoubt
from app.ipc.export_messages import EXPORT_REQUESTS
from app.ipc.import_messages import IMPORT_REQUESTS
from app.ipc.key_messages import KEY_REQUESTS
from core.keys.authority import LEFT
from core.keys.errors import KeysLocked
from core.model.hub import DeviceSeen
from core.model.intents import Pause
from core.model.people import Operator, Patient, Role
from core.model.words import Text
from core.people.patients import new_patient
from core.people.permissions import load_permissions
from core.record import Record
from devices.kinds import HUB, kind_named

if TYPE_CHECKING:
    from app.engine.chair import Chair

log = logging.getLogger(__name__)


PATIENT = Operator(id="patient", name="", role=Role.ASSISTANT)
"""Who pauses from the patient's own screen while nobody is logged in who might."""


class Reader(Protocol):
    """What the service needs of the reader process."""

    async def request(self, body: ReadRequest) -> ipc.Reply: ...


class Workstation(DoubtsHouse, ExportsHouse, AccessHouse, Protocol):
    """What the service needs of the engine around it."""

    reader: Reader
    access: Access
    views: ViewLog
    simulated: bool
    notice: Text | None

    @property
    def data_folder(self) -> str: ...
    @property
    def practice(self) -> str: ...

    def rings(self) -> dict[int, str]: ...
    async def operator_changed(self) -> None: ...
    async def set_practice(self, name: str, phone: str) -> None: ...
    def console_came(self) -> None: ...
    def consoles_changed(self) -> None: ...
    async def bind(self, chair: int, kind: str, address: str, *, serial: str, enrol: bool) -> None: ...
    async def forget(self, chair: int, address: str) -> None: ...
    async def seal(self, chair: int, reason: str) -> None: ...
    async def scan(self, seconds: float) -> tuple[DeviceSeen, ...]: ...
    def request_shutdown(self) -> None: ...


class Service:
    """The handler behind the server."""

    def __init__(self, house: Workstation) -> None:
        self._house = house
        self._keys = KeysService(house)
        self._access = AccessService(house, self._patients)
        self._clinical = ClinicalService(house)
        self._exports = ExportsService(house)
        self._imports = ImportsService(house)

    # ---- the server's seam

    async def handle(self, request: ipc.Request, session: Session) -> ipc.Reply:
        """Nothing is served that `Access` did not admit, and nothing is answered that it did not cut."""
        access = self._house.access
        await access.admit(request)
        return access.cut_reply(await self._answer(request))

    async def _answer(self, request: ipc.Request) -> ipc.Reply:
        if isinstance(request, READ_REQUESTS):
            return await self._read(request)
        if isinstance(request, KEY_REQUESTS):
            return await self._keys.serve(request, self._actor())
        if isinstance(request, ACCESS_REQUESTS):
            return await self._access.serve(request, self._house.people.operator)
        if isinstance(request, CLINICAL_REQUESTS):
            return await self._clinical.serve(request, self._actor())
        if isinstance(request, EXPORT_REQUESTS):
            return await self._exports.serve(request, self._actor())
        if isinstance(request, IMPORT_REQUESTS):
            return await self._imports.serve(request, self._actor())
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

    # ---- the workstation

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
            chair.stop(self._actor().id if self._house.people.operator else "")
        self._house.request_shutdown()
        return ipc.Done()

    # ---- people

    @_serve.register
    async def _login(self, request: ipc.Login) -> ipc.Reply:
        people, before = self._house.people, self._house.people.operator
        operator = await people.login(request.operator_id, request.pin)
        said = Text("log.login", {"name": operator.name})
        if before is not None and before.id != operator.id:
            said = Text("log.switched", {"name": operator.name, "before": before.name})
        self._log_house("login", said, operator.id)
        self._house.active()
        if operator.role is Role.DENTIST and not self._house.keys_desk.unlocked:
            self._house.notice = Text("notice.no_key", {"name": operator.name})
        standing = people.emergencies.standing
        if operator.role is Role.DENTIST and standing:
            self._house.notice = Text("notice.emergency", {"count": len(standing), "name": standing[0].who})
        await self._house.operator_changed()
        return ipc.Done(id=operator.id)

    @_serve.register
    async def _logout(self, request: ipc.Logout) -> ipc.Reply:
        operator = self._house.people.logout()
        if operator is not None:
            self._log_house("logout", Text("log.logout", {"name": operator.name}), operator.id)
        await self._house.operator_changed()
        return ipc.Done()

    @_serve.register
    async def _add_operator(self, request: ipc.AddOperator) -> ipc.Reply:
        first = not self._house.people.operators()
        if request.role == Role.COMPANION:
            raise no("role_companion", "role_companion_remedy")
        if first and request.role != Role.DENTIST:
            raise no("first_dentist")  # nobody is known yet: whoever sets the workstation up answers for it
        made = await self._house.people.add(request.name, request.role, request.pin)
        actor = self._house.people.operator or made
        body = {"operator": made.id, "role": made.role.value}
        self._house.audit("people.added", Text("log.person_added", {"name": made.name}), actor.id, body)
        if first:
            self._house.notice = Text("notice.recovery_sheet")
        self._house.touched()
        return ipc.Done(id=made.id)

    @_serve.register
    async def _close_operator(self, request: ipc.CloseOperator) -> ipc.Reply:
        actor = self._actor()
        leaving = [one for one in self._house.people.operators() if one.id == request.operator_id]
        if any(one.role is Role.DENTIST for one in leaving):
            for chair in self._house.chairs.values():
                self._not_treating(chair)  # a hub holds what was ordered with a key that is revoked
        await self._house.people.close_account(request.operator_id)
        name = self._house.people.names().get(request.operator_id, "")
        body = {"operator": request.operator_id, "reason": LEFT}
        self._house.audit("people.closed", Text("log.account_closed", {"name": name}), actor.id, body)
        await self._house.operator_changed()
        return ipc.Done()

    @_serve.register
    async def _set_practice(self, request: ipc.SetPractice) -> ipc.Reply:
        actor = self._actor()
        if not request.name.strip():
            raise no("empty_name")
        await self._house.set_practice(request.name.strip(), request.phone.strip())
        self._log_house("practice", Text("log.practice_set", {"name": request.name.strip()}), actor.id)
        return ipc.Done()

    @_serve.register
    async def _add_patient(self, request: ipc.AddPatient) -> ipc.Reply:
        actor = self._actor()
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
        await self._save_patient(self._chair(request.chair), patient, actor, "added")
        return ipc.Done(id=patient.id)

    @_serve.register
    async def _correct_patient(self, request: ipc.CorrectPatient) -> ipc.Reply:
        actor = self._actor()
        if not request.reason.strip():
            raise no("reason")
        await self._save_patient(self._chair(request.chair), request.patient, actor, request.reason.strip())
        return ipc.Done(id=request.patient.id)

    @_serve.register
    async def _list_patients(self, request: ipc.ListPatients) -> ipc.Reply:
        wanted, seen = request.query.strip().casefold(), self._house.access.seen
        found = [
            patient
            for patient in (await self._patients()).values()
            if wanted in _findable(patient, by_name=seen(patient.id).identities)
        ]
        if self._house.access.seen().identities:
            self._house.views.listed([patient.id for patient in found])
        return ipc.Patients(
            patients=tuple(sorted(found, key=lambda patient: (patient.family_name, patient.given_name)))
        )

    # ---- devices

    @_serve.register
    async def _scan(self, request: ipc.Scan) -> ipc.Reply:
        return ipc.Devices(devices=await self._house.scan(min(max(request.seconds, 0.5), 15.0)))

    @_serve.register
    async def _attach_device(self, request: ipc.AttachDevice) -> ipc.Reply:
        actor = self._actor()
        chair = self._chair(request.chair)
        if kind_named(request.kind) is None or (request.enrol and request.kind != HUB):
            raise no("device_kind")
        serial = request.serial.strip()
        if request.enrol and not self._house.keys_desk.unlocked:
            raise KeysLocked
        if request.enrol and not serial:
            raise no("enrol_serial", "enrol_serial_remedy")
        for other in self._house.chairs.values():
            taken = request.address in other.sensors or (other.hub is not None and other.hub.address == request.address)
            if taken and other is not chair:
                raise no("device_busy", "device_remedy", chair=other.number)
        self._not_treating(chair)
        await self._house.bind(chair.number, request.kind, request.address, serial=serial, enrol=request.enrol)
        chair.log("device", Text("log.device_bound", {"address": request.address}), author=actor.id)
        if request.enrol:
            said = Text("log.keys.enrol_asked", {"serial": serial, "chair": chair.number})
            self._house.audit("keys.enrol_asked", said, actor.id, {**said.values, "address": request.address})
        return ipc.Done()

    @_serve.register
    async def _forget_device(self, request: ipc.ForgetDevice) -> ipc.Reply:
        actor = self._actor()
        chair = self._chair(request.chair)
        self._not_treating(chair)
        await self._house.forget(chair.number, request.address)
        chair.log("device", Text("log.device_forgotten", {"address": request.address}), author=actor.id)
        return ipc.Done()

    # ---- the procedure

    @_serve.register
    async def _seat_patient(self, request: ipc.SeatPatient) -> ipc.Reply:
        actor = self._actor()
        chair = self._chair(request.chair)
        if chair.busy:
            raise no("visit_open", "visit_open_remedy")
        patient = (await self._patients()).get(request.patient_id)
        if patient is None:
            raise no("unknown_patient")
        return ipc.Done(id=await chair.seat(patient, await self._house.people.teeth(patient.id), actor))

    @_serve.register
    async def _act(self, request: ipc.Act) -> ipc.Reply:
        chair = self._chair(request.chair)
        if chair.view is None:
            raise no("no_procedure")
        patient = request.intent == Pause(by="patient")
        treats = load_permissions().may_want
        there = self._house.people.operator
        known = there is not None and (not patient or treats(there, request.intent, chair.view.step))
        actor = PATIENT if patient and not known else self._actor()
        chair.act(request.intent, actor=actor, revision=request.revision)
        return ipc.Done()

    @_serve.register
    async def _add_mark(self, request: ipc.AddMark) -> ipc.Reply:
        actor = self._actor()
        text = Text("log.mark_named", {"label": request.label}) if request.label else Text("log.mark")
        self._chair(request.chair).log("mark", text, author=actor.id)
        return ipc.Done()

    # ---- alarms and log

    @_serve.register
    async def _alarm_seen(self, request: ipc.AlarmSeen) -> ipc.Reply:
        chair = next(iter(self._house.chairs.values()))
        try:
            chair.house.alarms.seen(request.alarm_id, self._actor())
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
        return ipc.Done(id=lift_doubt(self._house, request, self._actor()))

    # ---- helpers

    async def _read(self, request: ReadRequest) -> ipc.Reply:
        """Answered by the reader process, for an operator who is logged in; who looked at whom is written down.

        What was done before is in the files before they are read: a visit just signed is complete. A search waits for
        nothing and is no view: what it finds is one once it is opened.
        """
        if isinstance(request, SearchRecords):
            return await self._house.reader.request(self._house.access.narrowed(request))
        await self._look(request)
        for chair in self._read_from(request):
            await chair.do(lambda record: None)
            if isinstance(request, ipc.MakeReport):
                await self._house.seal(chair.number, "export")
        return self._with_names(await self._house.reader.request(request))

    def _read_from(self, request: ReadRequest) -> tuple["Chair", ...]:
        """The chairs whose files an answer is read from."""
        match request:
            case ipc.GetTimeline() | ListViews() | SearchRecords() | ipc.ListLog(chair=0):
                return tuple(self._house.chairs.values())
            case _:
                return (self._chair(request.chair),)

    async def _look(self, request: ReadRequest) -> None:
        """Write down what is looked at; a log is nobody's."""
        viewed = self._house.views.viewed
        match request:
            case ipc.GetTimeline():
                viewed("timeline", 0, patient=request.patient_id)
            case ListViews():
                viewed("views", 0, patient=request.patient_id)
            case ipc.GetVisit():
                viewed("visit", self._chair(request.chair).number, visit=request.visit_id)
            case ipc.MakeReport():
                viewed("report", self._chair(request.chair).number, visit=request.visit_id)
            case ipc.ReadRange():
                viewed("signals", self._chair(request.chair).number, visit=request.visit_id, once=True)
            case ReadAttachment() | SaveAttachment():
                chair = self._chair(request.chair)
                patient = await self._house.access.patient_of(request)
                viewed("attachment", chair.number, patient=patient, attachment=request.attachment_id)

    def _with_names(self, reply: ipc.Reply) -> ipc.Reply:
        """The record knows people by id; who reads a log or a time line knows them by name."""
        names, replace = self._house.people.names(), msgspec.structs.replace
        match reply:
            case ipc.Timeline(entries=rows):
                named = (replace(row, author=names.get(row.author, row.author)) for row in rows)
                return replace(reply, entries=tuple(named))
            case ipc.LogPage(entries=lines):
                signed = (replace(line, actor=names.get(line.actor, line.actor)) for line in lines)
                return replace(reply, entries=tuple(signed))
            case Views(views=views):
                return Views(views=tuple(replace(view, who=names.get(view.who, view.who)) for view in views))
        return reply

    async def _save_patient(self, chair: "Chair", patient: Patient, actor: Operator, reason: str) -> None:
        at_us = chair.house.clock.utc_us()

        def write(record: Record) -> None:
            saved = record.save_patient(patient, author=actor.id, reason=reason, at_us=at_us)
            # The reason is a person's words and stands with the version: the log outlives the patient.
            body = {"patient": patient.id, "version": saved.version}
            record.audit("patient.saved", actor=actor.id, at_us=at_us, body=body)

        await chair.do(write)

    async def _patients(self) -> dict[str, Patient]:
        """The newest version of every patient over all chair files."""
        newest: dict[str, Patient] = {}
        for chair in self._house.chairs.values():
            for patient in await chair.do(lambda record: record.patients()):
                known = newest.get(patient.id)
                if known is None or patient.version > known.version:
                    newest[patient.id] = patient
        return newest

    def _actor(self) -> Operator:
        operator = self._house.people.operator
        if operator is None:
            raise no("login")
        return operator

    def _chair(self, number: int) -> "Chair":
        chair = self._house.chairs.get(number)
        if chair is None:
            raise no("chair", chair=number)
        return chair

    @staticmethod
    def _not_treating(chair: "Chair") -> None:
        if chair.view is not None and chair.view.treating:
            raise no("treating", "treating_remedy")

    def _log_house(self, kind: str, text: Text, author: str) -> None:
        """What belongs to no chair stands in the first one's log."""
        self._house.chairs[min(self._house.chairs)].log(kind, text, author=author)


def _findable(patient: Patient, *, by_name: bool) -> str:
    """What a patient is found by: that somebody of that name is found would tell the name."""
    return (f"{patient.name} {patient.code} {patient.birth_date}" if by_name else patient.code).casefold()


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False

"""The visits of one chair: begun, taken up after a restart, and ended by a signature."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from app.engine.clock import AsyncClock
from app.engine.flow import SampleFlow, Stay
from app.engine.recorder import Recorder
from app.engine.runner import NOBODY, Hub, ProcedureRunner
from core.model.hub import Opcode
from core.model.ids import new_id
from core.model.people import Operator, Patient, ToothState, VisitSummary
from core.model.procedure import ProcedureView
from core.model.words import Text
from core.people.codes import visit_code
from core.procedure.events import Note
from core.procedure.machine import ProcedureMachine
from core.procedure.modules import ModuleCatalogue
from core.record import Record
from devices.hub.credentials import Clinician

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a visit needs of its chair."""

    chair: int
    simulated: bool
    modules: ModuleCatalogue
    clock: AsyncClock
    recorder: Recorder
    flow: SampleFlow
    hub: Callable[[], Hub | None]
    clinician: Callable[[str], Clinician | None]
    proven: Callable[[], bool | None]
    changed: Callable[[], None]
    noted: Callable[[Note, str], None]
    unknown: Callable[[Opcode | None], None]


@dataclass(frozen=True, slots=True)
class Visit:
    """A patient, their visit as it is listed, and the procedure that runs in it."""

    summary: VisitSummary
    patient: Patient
    runner: ProcedureRunner

    @property
    def open(self) -> bool:
        return self.summary.ended_us is None

    @property
    def view(self) -> ProcedureView:
        return self.runner.view


class Visits:
    """
    Attributes:
        now: the open visit, or the last one until the next patient is seated; None before the first.
    """

    def __init__(self, around: Surroundings) -> None:
        self.now: Visit | None = None
        self._around = around

    async def begin(self, patient: Patient, teeth: tuple[ToothState, ...], actor: Operator) -> Visit:
        """Seat a patient; returns once it is durable. Raises RecordError."""
        around = self._around
        at_us = around.clock.utc_us()
        summary = VisitSummary(
            id=new_id(),
            patient_id=patient.id,
            code=visit_code(),
            chair=around.chair,
            began_us=at_us,
            ended_us=None,
            state="open",
            title_key="visit.title.procedure",
            simulated=around.simulated,
        )
        machine = ProcedureMachine.begin(
            around.modules,
            visit_id=summary.id,
            visit_code=summary.code,
            patient=patient,
            chair=around.chair,
            teeth=teeth,
            at_us=at_us,
            simulated=around.simulated,
        )
        seated = Text("log.seated", {"patient": patient.initials})

        def write(record: Record) -> None:
            if record.patient(patient.id) != patient:
                record.save_patient(patient, author=actor.id, reason="seated", at_us=at_us)
            record.begin_visit(summary)
            record.save_procedure(machine.view, author=actor.id, at_us=at_us)
            record.add_event("seated", seated, at_us=at_us, visit_id=summary.id, author=actor.id)
            body = {"visit": summary.id, "patient": patient.id}
            record.audit("visit.begun", actor=actor.id, at_us=at_us, body=body)

        await around.recorder.run(write)
        return await self._enter(summary, patient, machine)

    async def take_up(self) -> Visit | None:
        """The visit that was open when the engine ended, if any."""
        record = self._around.recorder
        summary = await record.run(lambda record: record.open_visit())
        if summary is None:
            return None
        visit_id, patient_id = summary.id, summary.patient_id
        view = await record.run(lambda record: record.procedure(visit_id))
        patient = await record.run(lambda record: record.patient(patient_id))
        if view is None or patient is None:
            log.error("the open visit %s has no procedure or patient", summary.code)
            return None
        return await self._enter(summary, patient, ProcedureMachine(self._around.modules, view))

    async def forget(self, patient_id: str) -> bool:
        """Show nothing more of somebody who was erased; whether it was they who were here last."""
        visit = self.now
        if visit is None or visit.open or visit.patient.id != patient_id:
            return False
        self.now = None
        self._around.flow.visit = None
        await visit.runner.close()
        return True

    def corrected(self, patient: Patient) -> None:
        """Who sits there is shown as they were corrected; their allergies count from now on."""
        if self.now is not None:
            self.now = replace(self.now, patient=patient)
            self._around.changed()

    def end_if_closed(self) -> None:
        """Write the end of the visit once its procedure is closed."""
        visit = self.now
        if visit is None or not visit.open or not visit.view.closed:
            return
        at_us = self._around.clock.utc_us()
        view = visit.view
        mdas = sum(view.comfort.values()) if view.comfort and all(view.comfort.values()) else None
        done = msgspec.structs.replace(
            visit.summary,
            ended_us=at_us,
            state="ended_early" if view.ended_early else "complete",
            teeth=tuple(tooth.fdi for tooth in view.teeth if tooth.done),
            mdas=mdas,
        )
        self.now = Visit(done, visit.patient, visit.runner)
        self._around.flow.visit = Stay(done.id, done.began_us, at_us)

        def write(record: Record) -> None:
            record.end_visit(
                done.id, at_us, state=done.state, teeth=done.teeth, title_key=done.title_key, mdas=done.mdas
            )
            body = {"visit": done.id, "state": done.state}
            record.audit("visit.ended", actor=view.signed_by or NOBODY, at_us=at_us, body=body)

        self._around.recorder.note(write)

    async def _enter(self, summary: VisitSummary, patient: Patient, machine: ProcedureMachine) -> Visit:
        around = self._around
        if self.now is not None:
            await self.now.runner.close()
        around.flow.visit = Stay(summary.id, summary.began_us)
        runner = ProcedureRunner(
            machine,
            hub=around.hub,
            clinician=around.clinician,
            proven=around.proven,
            recorder=around.recorder,
            clock=around.clock,
            changed=around.changed,
            noted=around.noted,
            unknown=around.unknown,
        )
        self.now = Visit(summary, patient, runner)
        around.changed()
        return self.now

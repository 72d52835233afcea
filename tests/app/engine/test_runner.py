"""What a procedure wants, carried out: in which order, and what is written about it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from app.engine.clock import ManualAsyncClock, settle
from app.engine.recorder import Recorder
from app.engine.runner import ProcedureRunner
from core.model import cbor
from core.model import certificate as certificates
from core.model.cose import KeySigner
from core.model.hub import HoldCause, HubStatus, Opcode, PhaseOrder, Receipt, ReceiptCode, TherapyState
from core.model.intents import (
    CheckHub,
    ConfirmCheck,
    NextStep,
    PatientYes,
    Pause,
    Resume,
    SetComfort,
    SetPlan,
    SignConsent,
    StartBaseline,
    StartTherapy,
)
from core.model.people import Operator, Role
from core.model.procedure import Choice, Facts, ModulePlan, PhaseState
from core.people.demo import load_demo
from core.procedure.events import BaselineSample, HubReported, OrderClear, StopPressed
from core.procedure.machine import ProcedureMachine
from core.procedure.modules import load_modules
from core.record import Record, RecordReader
from devices.hub.credentials import Clinician
from devices.hub.errors import CommandUnknown, HubUnreachable
from devices.hub.session.envelope import HubEnvelope

KEY = bytes(range(32))
DENTIST = Operator(id="d", name="Dentist", role=Role.DENTIST)
GOOD = Facts(
    link_up=True,
    identity_known=True,
    status_fresh=True,
    battery_percent=80,
    recording=True,
    high_alarm=False,
    hub_idle=True,
    limits_quiet=True,
    hub_proven=True,
)
STATUS = HubStatus(
    hub_time_us=0,
    lease_ms=3000,
    command_counter=0,
    oldest_sequence=0,
    newest_sequence=0,
    battery_percent=80,
    rssi_dbm=-50,
    missed_events=0,
    memory_percent=0,
    swarm_dose_percent=0,
    patient_stop=False,
    therapy=TherapyState.IDLE,
    cause=HoldCause.NONE,
    phase=0,
    phase_elapsed_ms=0,
)


def clinician() -> Clinician:
    root, key = KeySigner(), KeySigner()
    role = certificates.Role.CLINICIAN
    raw = certificates.issue(root, role=role, subject="dr-kim", not_before_s=1, not_after_s=2, signing_key=key.public)
    return Clinician(certificates.read_unverified(raw), key)


DOCTOR = clinician()


class Hub:
    """Answers as a hub does, or as it is told to; `sent` is what reached it."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.stopped = asyncio.Event()
        self.status = STATUS
        self.trouble: dict[str, Exception] = {}
        self.envelope: HubEnvelope | None = None

    async def start_phase(self, order: PhaseOrder, envelope: HubEnvelope, by: Clinician) -> Receipt:
        self.envelope = envelope
        return self._answer("start_phase", Opcode.START_PHASE, TherapyState.RUNNING)

    async def hold(self) -> Receipt:
        return self._answer("hold", Opcode.HOLD, TherapyState.HELD)

    async def resume(self, envelope: HubEnvelope, by: Clinician) -> Receipt:
        return self._answer("resume", Opcode.RESUME, TherapyState.RUNNING)

    async def end_phase(self, procedure: str, by: Clinician) -> Receipt:
        return self._answer("end_phase", Opcode.END_PHASE, TherapyState.IDLE)

    async def clear(self, procedure: str, by: Clinician) -> Receipt:
        return self._answer("clear", Opcode.CLEAR, TherapyState.IDLE)

    async def stop(self) -> Receipt:
        self.stopped.set()
        return self._answer("stop", 0, TherapyState.HELD)

    async def read_status(self) -> HubStatus:
        return self.status

    def _answer(self, name: str, opcode: int, therapy: TherapyState) -> Receipt:
        self.sent.append(name)
        if name in self.trouble:
            raise self.trouble[name]
        return Receipt(
            opcode=opcode,
            counter=1,
            code=ReceiptCode.DONE,
            therapy=therapy,
            cause=HoldCause.NONE,
            hub_time_us=0,
            raw=name.encode(),
        )


class Room:
    """A runner on a real record, at the moment before treatment starts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = ManualAsyncClock()
        self.hub: Hub | None = Hub()
        self.doctor: Clinician | None = DOCTOR
        self.proven: bool | None = True
        self.unknown: list[Opcode | None] = []
        person = load_demo().patients[0]
        machine = ProcedureMachine.begin(
            load_modules(),
            visit_id="v",
            visit_code="V",
            patient=person.patient,
            chair=1,
            teeth=person.teeth,
            at_us=self.clock.utc_us(),
        )
        record = Record.create(path, KEY, chair=1, simulated=True, clock=self.clock)
        self.recorder = Recorder(record, committed=lambda _: None, failed=lambda _: None)
        self.recorder.start()
        self.runner = ProcedureRunner(
            machine,
            hub=lambda: self.hub,
            clinician=lambda actor: self.doctor,
            proven=lambda: self.proven,
            recorder=self.recorder,
            clock=self.clock,
            changed=lambda: None,
            noted=lambda note, actor: None,
            unknown=self.unknown.append,
        )
        self._to_preflight()

    def act(self, *intents: msgspec.Struct) -> None:
        for intent in intents:
            self.runner.act(intent, actor=DENTIST, revision=None)  # type: ignore[arg-type]

    def state(self) -> PhaseState:
        view = self.runner.view
        return next(phase.state for phase in view.phases if phase.number == (view.current_phase or 1))

    def block(self) -> Callable[[], None]:
        """Keep the record's thread busy until the returned function is called."""
        go = threading.Event()
        self.recorder.do(lambda record: go.wait(30))
        return go.set

    async def audited(self) -> list[tuple[str, int]]:
        """(kind, opcode) of every command entry, in order."""
        await self.recorder.run(lambda record: None)
        with RecordReader.open(self.path, KEY) as reader:
            entries = [cbor.decode(found.entry) for found in reader.audit_entries()]
        found = []
        for entry in entries:
            assert isinstance(entry, dict)
            body = entry["body"]
            assert isinstance(body, dict)
            found.append((str(entry["kind"]), int(str(body["opcode"]))))
        return found

    def _to_preflight(self) -> None:
        self.runner.observe(GOOD)
        self.act(NextStep(), SetComfort(answers={f"mdas{item}": 2 for item in range(1, 6)}))
        self.act(NextStep(), StartBaseline())
        self.runner.observe(BaselineSample({"pulp_temperature": 35.5, "saliva_ph": 6.9}, 20.0))
        repair = ModulePlan(module="repair", choice=Choice.INCLUDED, teeth=(36,), dose_percent=100)
        self.act(NextStep(), SetPlan(modules=(repair,), own_limits=(), data_choice="data.ask_me"), NextStep())
        self.act(SignConsent(how="aloud"), NextStep())
        self.act(*(ConfirmCheck(key=item.key, passed=True) for item in self.runner.view.preflight if item.by_hand))
        self.act(NextStep())


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    one = Room(tmp_path / "chair-1.sqlite")
    yield one
    await one.runner.close()
    await asyncio.to_thread(one.recorder.close)


def hub(room: Room) -> Hub:
    assert room.hub is not None
    return room.hub


START = int(Opcode.START_PHASE)


async def test_an_order_stands_in_the_audit_log_before_it_is_sent_and_its_receipt_after(room: Room) -> None:
    release = room.block()
    room.act(StartTherapy())
    await settle()
    assert hub(room).sent == [], "nothing that starts dose is sent before it is written down"
    release()
    await room.runner.settled()
    assert hub(room).sent == ["start_phase"]
    assert await room.audited() == [("command.intended", START), ("command.receipt", START)]
    assert room.state() is PhaseState.RUNNING


async def test_stop_does_not_wait_for_the_record_and_what_it_overtook_is_not_sent(room: Room) -> None:
    release = room.block()
    room.act(StartTherapy())
    room.runner.observe(StopPressed("d"))
    async with asyncio.timeout(10):
        await hub(room).stopped.wait()
    assert hub(room).sent == ["stop"]
    release()
    await room.runner.settled()
    assert hub(room).sent == ["stop"]
    audited = await room.audited()
    assert ("command.unsent", START) in audited
    assert ("command.receipt", 0) in audited
    assert room.runner.view.hold is not None


async def test_an_order_that_cannot_be_written_down_is_not_sent(room: Room) -> None:
    await room.recorder.run(lambda record: record._file.execute("PRAGMA query_only = 1"))
    room.act(StartTherapy())
    await room.runner.settled()
    assert hub(room).sent == []
    assert room.state() is not PhaseState.RUNNING
    room.act(Pause())
    await room.runner.settled()
    assert hub(room).sent[-1] == "hold", "a halt needs no paper"
    await room.recorder.run(lambda record: record._file.execute("PRAGMA query_only = 0"))


async def test_an_unknown_outcome_is_asked_for_and_never_sent_again(room: Room) -> None:
    hub(room).trouble["start_phase"] = CommandUnknown(START, 7)
    hub(room).status = msgspec.structs.replace(STATUS, therapy=TherapyState.RUNNING, phase=1, swarm_dose_percent=100)
    room.act(StartTherapy())
    await room.runner.settled()
    assert room.unknown == [Opcode.START_PHASE]
    assert hub(room).sent == ["start_phase"]
    assert await room.audited() == [("command.intended", START), ("command.unknown", START)]
    assert room.state() is PhaseState.RUNNING, "the hub's own word settled it"


async def test_without_a_link_an_order_is_said_to_be_unsent(room: Room) -> None:
    hub(room).trouble["start_phase"] = HubUnreachable()
    room.act(StartTherapy())
    await room.runner.settled()
    assert await room.audited() == [("command.intended", START), ("command.unsent", START)]
    assert room.runner.view.hold is not None
    assert hub(room).sent == ["start_phase"]


async def test_without_a_hub_a_halt_is_written_down_all_the_same(room: Room) -> None:
    room.act(StartTherapy())
    await room.runner.settled()
    room.hub = None
    room.act(Pause())
    await room.runner.settled()
    audited = await room.audited()
    assert audited[-2:] == [("command.intended", int(Opcode.HOLD)), ("command.unsent", int(Opcode.HOLD))]
    assert room.runner.view.hold is not None


async def test_a_hold_pressed_before_resume_was_sent_wins(room: Room) -> None:
    room.act(StartTherapy())
    await room.runner.settled()
    phase = room.runner.view.current_phase
    held = msgspec.structs.replace(STATUS, therapy=TherapyState.HELD, phase=phase, cause=HoldCause.COMMAND)
    hub(room).status = held
    room.act(Pause())
    await room.runner.settled()
    room.runner.observe(HubReported(held))
    room.act(CheckHub())
    await room.runner.settled()
    room.act(PatientYes(how="aloud"))
    release = room.block()
    room.runner.observe(GOOD)
    room.act(Resume(), Pause())
    release()
    await room.runner.settled()
    assert "resume" not in hub(room).sent
    assert hub(room).sent[-1] == "hold"


async def test_an_order_carries_what_the_patient_consented_to(room: Room) -> None:
    room.act(StartTherapy())
    await room.runner.settled()
    envelope, view = hub(room).envelope, room.runner.view
    assert envelope is not None
    assert view.envelope is not None
    assert (envelope.procedure, envelope.consent_sha256) == (view.visit_id, view.envelope.sha256)
    assert [one.phase for one in envelope.phases] == [phase.number for phase in view.phases]
    assert {one.tooth for one in envelope.phases} == {36}


async def test_nobody_logged_in_means_nothing_is_signed_and_what_ends_dose_still_goes(room: Room) -> None:
    room.doctor = None
    room.act(StartTherapy())
    await room.runner.settled()
    assert await room.audited() == [("command.intended", START), ("command.unsent", START)]
    assert room.runner.view.hold is not None
    room.act(Pause())
    await room.runner.settled()
    assert hub(room).sent == ["hold"]


@pytest.mark.parametrize("proven", [None, False])
async def test_a_hub_that_is_not_proven_is_never_told_to_treat(room: Room, proven: bool | None) -> None:
    room.proven = proven
    room.act(StartTherapy())
    await room.runner.settled()
    assert hub(room).sent == []
    assert room.runner.view.hold is not None


async def test_a_hub_that_cannot_be_cleared_yet_is_not_asked_over_and_over(room: Room) -> None:
    room.act(StartTherapy())
    await room.runner.settled()
    room.doctor = None
    room.runner._dispatch(OrderClear(), "workstation")
    await room.runner.settled()
    assert "clear" not in hub(room).sent
    assert (("command.intended", int(Opcode.CLEAR))) not in await room.audited()

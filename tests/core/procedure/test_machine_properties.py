"""Whatever people do and whatever happens, in whatever order: what must never be seen."""

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.model import cbor
from core.model.hub import HoldCause, HubStatus, Opcode, PhaseOrder, Receipt, ReceiptCode, TherapyState
from core.model.intents import (
    BackToStep,
    CheckHub,
    CheckIn,
    ConfirmCheck,
    EndEarly,
    Intent,
    NextStep,
    PatientYes,
    Pause,
    Resume,
    SetComfort,
    SetPlan,
    SignConsent,
    SignSummary,
    SkipPhase,
    StartBaseline,
    StartTherapy,
)
from core.model.limits import Limit, LimitOwner
from core.model.people import Operator, Role
from core.model.procedure import Choice, Doubt, ModulePlan, PhaseState, ProcedureView, Step
from core.people.demo import load_demo
from core.procedure.consent import digest
from core.procedure.events import (
    BaselineSample,
    ConsoleLost,
    DiskFull,
    Distrusted,
    Effect,
    Elapsed,
    EngineRestarted,
    Event,
    Facts,
    HubReported,
    LimitCrossed,
    LinkLost,
    LinkUp,
    OrderPhase,
    OrderRefused,
    OrderResume,
    OrderStop,
    OrderUnknown,
    ReceiptCame,
    StopPressed,
    Woke,
)
from core.procedure.machine import ProcedureMachine
from core.procedure.modules import load_modules
from core.procedure.plan import make_phases
from core.procedure.refusal import Refusal
from core.safety.limits import tightest

SECOND = 1_000_000
MODULES = load_modules()
PERSON = load_demo().patients[0]
DENTIST = Operator(id="d", name="Dentist", role=Role.DENTIST)
OWN = Limit(channel="pulp_temperature", owner=LimitOwner.PATIENT, high=38.0, reason="limit.reason.own", holds=True)
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
COMFORT = dict.fromkeys(("mdas1", "mdas2", "mdas3", "mdas4", "mdas5"), 2)

plans = st.lists(
    st.builds(
        ModulePlan,
        module=st.sampled_from(["repair", "balance", "augment"]),
        choice=st.sampled_from(list(Choice)),
        teeth=st.sampled_from([(), (36,), (36, 26)]),
        dose_percent=st.integers(1, 100),
    ),
    max_size=3,
    unique_by=lambda row: row.module,
).map(tuple)

intents = st.one_of(
    st.sampled_from(
        [
            NextStep(),
            SetComfort(answers=COMFORT),
            StartBaseline(),
            SignConsent(how="aloud"),
            StartTherapy(),
            Pause(),
            Pause(by="patient"),
            CheckHub(),
            PatientYes(how="aloud"),
            Resume(),
            SkipPhase(),
            CheckIn(answer="fine"),
            CheckIn(answer="stop"),
            EndEarly(reason="x"),
            SignSummary(),
        ]
    ),
    st.builds(BackToStep, step=st.sampled_from([step.value for step in Step])),
    st.builds(ConfirmCheck, key=st.sampled_from(["comfortable", "teeth", "eyes", "well"]), passed=st.booleans()),
    st.builds(SetPlan, modules=plans, own_limits=st.sampled_from([(), (OWN,)]), data_choice=st.just("data.ask_me")),
)

statuses = st.builds(
    HubStatus,
    therapy=st.sampled_from(list(TherapyState)),
    cause=st.sampled_from(list(HoldCause)),
    phase=st.integers(0, 9),
    phase_elapsed_ms=st.sampled_from([0, 1000, 5000, 6000, 12000, 400000]),
    hub_time_us=st.just(0),
    lease_ms=st.just(0),
    command_counter=st.just(0),
    oldest_sequence=st.just(0),
    newest_sequence=st.just(0),
    battery_percent=st.just(80),
    rssi_dbm=st.just(-50),
    missed_events=st.just(0),
    memory_percent=st.just(0),
    swarm_dose_percent=st.sampled_from([0, 0, 0, 60]),
    patient_stop=st.sampled_from([False, False, False, True]),
)
receipts = st.builds(
    Receipt,
    opcode=st.just(0),
    counter=st.just(1),
    code=st.sampled_from(list(ReceiptCode)),
    therapy=st.sampled_from(list(TherapyState)),
    cause=st.sampled_from(list(HoldCause)),
    hub_time_us=st.just(0),
)
opcodes = st.sampled_from([0, Opcode.START_PHASE, Opcode.RESUME, Opcode.HOLD, Opcode.END_PHASE, Opcode.CLEAR])
facts = st.builds(
    msgspec.structs.replace,
    st.just(GOOD),
    link_up=st.sampled_from([True, True, False, None]),
    limits_quiet=st.sampled_from([True, True, False, None]),
    hub_proven=st.sampled_from([True, True, True, False, None]),
    values=st.sampled_from([{}, {"saliva_ph": 6.9}]),
)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(HubReported, statuses),
    st.builds(ReceiptCame, opcodes, receipts),
    st.builds(OrderUnknown, opcodes),
    st.builds(OrderRefused, opcodes, receipts),
    st.sampled_from(
        [
            LinkLost(),
            LinkUp(),
            ConsoleLost(),
            EngineRestarted(),
            Woke(60.0),
            DiskFull(),
            Distrusted(Doubt.DOSE),
            LimitCrossed(OWN, 38.4),
            StopPressed("d"),
            BaselineSample({"saliva_ph": 6.9}, 20.0),
            GOOD,
        ]
    ),
    facts,
    st.builds(Elapsed, st.sampled_from([0.5, 1.0, 30.0])),
)


class Procedure(RuleBasedStateMachine):
    """Drives two machines alike: one lives on, the other is made anew from its stored view before each step."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_800_000_000 * SECOND

    @initialize(ahead=st.sampled_from(["seat", "plan", "preflight", "running", "running", "held", "held"]))
    def begin(self, ahead: str) -> None:
        self.machine = ProcedureMachine.begin(
            MODULES,
            visit_id="0190a000-0000-7000-8000-000000000001",
            visit_code="V-TEST",
            patient=PERSON.patient,
            chair=1,
            teeth=PERSON.teeth,
            at_us=self.now,
        )
        if ahead == "seat":
            return
        self.happen(GOOD)
        first: tuple[Intent, ...] = (NextStep(), SetComfort(answers=COMFORT), NextStep(), StartBaseline())
        for intent in first:
            self.want(intent)
        self.happen(BaselineSample({"saliva_ph": 6.9}, 20.0))
        self.want(NextStep())
        if ahead == "plan":
            return
        for intent in (NextStep(), SignConsent(how="aloud"), NextStep()):
            self.want(intent)
        for key in ("comfortable", "teeth", "eyes"):
            self.want(ConfirmCheck(key=key, passed=True))
        if ahead == "preflight":
            return
        self.want(StartTherapy())
        self.receive(running=True)
        if ahead == "held":
            self.want(Pause())

    @rule(intent=intents)
    def want(self, intent: Intent) -> None:
        before = self.machine.view
        twin = self.twin()
        code, effects = self.attempt(self.machine, intent)
        assert self.attempt(twin, intent) == (code, effects), "a restored machine does something else"
        assert twin.view == self.machine.view
        if code:
            assert self.machine.view == before
        else:
            self.judge(before, effects, intent)

    def attempt(self, machine: ProcedureMachine, intent: Intent) -> tuple[str, tuple[Effect, ...]]:
        """The code of a refusal, or what is to be done."""
        try:
            effects = machine.act(intent, actor=DENTIST, at_us=self.now, revision=machine.view.revision)
        except Refusal as refusal:
            return str(refusal.code), ()
        return "", effects

    @rule(event=events)
    def happen(self, event: Event) -> None:
        before = self.machine.view
        twin = self.twin()
        effects = self.machine.observe(event, at_us=self.now)
        assert twin.observe(event, at_us=self.now) == effects
        assert twin.view == self.machine.view
        if isinstance(event, StopPressed):
            assert any(isinstance(effect, OrderStop) for effect in effects)
        self.judge(before, effects, event)

    @precondition(lambda self: self.machine.view.current_phase)
    @rule(running=st.booleans())
    def receive(self, running: bool) -> None:
        """A receipt that fits: without it random events rarely get a phase to run."""
        therapy = TherapyState.RUNNING if running else TherapyState.HELD
        opcode = Opcode.START_PHASE if running else Opcode.HOLD
        receipt = Receipt(
            opcode=opcode, counter=1, code=ReceiptCode.DONE, therapy=therapy, cause=HoldCause.COMMAND, hub_time_us=0
        )
        self.happen(ReceiptCame(opcode, receipt))

    @precondition(lambda self: self.machine.view.hold is not None)
    @rule(touches=st.integers(1, 3), pause=st.sampled_from([0.0, 5.0, 61.0]))
    def touch(self, touches: int, pause: float) -> None:
        """The three touches, or the first of them: random intents rarely hit the order."""
        self.happen(GOOD)
        self.want(CheckHub())
        number = self.machine.view.current_phase
        idle = HubStatus(
            therapy=TherapyState.HELD, cause=HoldCause.COMMAND, phase=number, phase_elapsed_ms=1000, hub_time_us=0,
            lease_ms=0, command_counter=0, oldest_sequence=0, newest_sequence=0, battery_percent=80, rssi_dbm=-50,
            missed_events=0, memory_percent=0, swarm_dose_percent=0, patient_stop=False,
        )  # fmt: skip
        self.happen(HubReported(idle))
        if touches > 1:
            self.want(PatientYes(how="aloud"))
        self.pass_time(pause)
        if touches > 2:
            self.want(Resume())

    @rule(seconds=st.sampled_from([0.1, 1.0, 30.0, 61.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += round(seconds * SECOND)

    def twin(self) -> ProcedureMachine:
        """A machine as a fresh engine would make it from the stored view."""
        plain = cbor.decode(cbor.encode(self.machine.view))
        return ProcedureMachine(MODULES, msgspec.convert(plain, ProcedureView))

    def judge(self, before: ProcedureView, effects: tuple[Effect, ...], cause: Intent | Event) -> None:
        """Nothing gets a held therapy going but three touches; nothing is ordered twice or outside the envelope."""
        view = self.machine.view
        begins = [effect for effect in effects if isinstance(effect, OrderPhase | OrderResume)]
        assert len(begins) <= 1
        if before.hold is not None and (begins or view.treating):
            assert isinstance(cause, Resume)
            checked, agreed = before.hold.hub_checked_us, before.hold.patient_yes_us
            assert checked is not None
            assert agreed is not None
            assert checked <= agreed <= self.now
            assert agreed - checked <= 60 * SECOND
            assert self.now - agreed <= 60 * SECOND
            assert before.hold.hub_confirmed
        if begins:
            unsure = (PhaseState.STARTING, PhaseState.UNKNOWN)
            current = [phase for phase in before.phases if phase.number == before.current_phase]
            if any(phase.state in unsure for phase in current):
                assert isinstance(cause, ReceiptCame | HubReported)
                assert current[0].state is PhaseState.UNKNOWN, "ordered again while the first order was under way"
        for effect in begins:
            if isinstance(effect, OrderPhase):
                self.inside_envelope(view, effect.order)

    def inside_envelope(self, view: ProcedureView, order: PhaseOrder) -> None:
        envelope = view.envelope
        assert envelope is not None
        assert envelope.plan == view.plan
        assert order.envelope_sha256 == envelope.sha256 == digest(envelope)
        agreed = {phase.number: phase for phase in make_phases(MODULES, envelope.plan, simulated=view.simulated)}
        phase = agreed[order.phase]
        assert (order.tooth, order.module) == (phase.tooth, MODULES.key(phase.module).number)
        assert order.dose_percent <= phase.dose_percent
        assert 1 <= order.seconds <= phase.seconds
        heat = tightest(envelope.limits, "pulp_temperature", high=True)
        assert heat is not None
        assert heat.high is not None
        assert order.tissue_limit_c <= heat.high

    @invariant()
    def never_treating_while_held(self) -> None:
        view = self.machine.view
        assert not (view.treating and view.hold is not None)

    @invariant()
    def at_most_one_phase_is_live(self) -> None:
        view = self.machine.view
        over = (PhaseState.WAITING, PhaseState.DONE, PhaseState.SKIPPED)
        live = [phase for phase in view.phases if phase.state not in over]
        assert [phase.number for phase in live] == ([view.current_phase] if view.current_phase else [])
        assert all(0 <= phase.elapsed_s <= phase.seconds for phase in view.phases)

    @invariant()
    def only_a_consented_treatment_has_begun(self) -> None:
        view = self.machine.view
        if any(phase.state is not PhaseState.WAITING for phase in view.phases) and not view.ended_early:
            assert view.envelope is not None
            assert view.envelope.plan == view.plan


Procedure.TestCase.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestProcedure = Procedure.TestCase

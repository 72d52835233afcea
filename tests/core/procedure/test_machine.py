"""The procedure from seat to signature, and everything that may go wrong on the way."""

from typing import Any

import msgspec
import pytest

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
from core.model.procedure import (
    Choice,
    Doubt,
    Envelope,
    Hold,
    HoldOrigin,
    ModulePlan,
    PhaseState,
    PhaseView,
    ProcedureView,
    Step,
)
from core.model.words import load_words
from core.people.demo import load_demo
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
    Note,
    OrderClear,
    OrderEnd,
    OrderHold,
    OrderPhase,
    OrderRefused,
    OrderResume,
    OrderStop,
    OrderUnknown,
    ReadHub,
    ReceiptCame,
    StopPressed,
    Woke,
)
from core.procedure.machine import ProcedureMachine
from core.procedure.modules import load_modules
from core.procedure.refusal import Refusal

SECOND = 1_000_000
DENTIST = Operator(id="d", name="Dentist", role=Role.DENTIST)
ASSISTANT = Operator(id="a", name="Assistant", role=Role.ASSISTANT)
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
REPAIR_36 = (ModulePlan(module="repair", choice=Choice.INCLUDED, teeth=(36,), dose_percent=100),)
ORDERS = (OrderPhase, OrderResume)


def status(
    therapy: TherapyState, phase: int = 0, seconds: float = 0.0, *, cause: HoldCause = HoldCause.NONE, **more: int
) -> HubStatus:
    fields: dict[str, Any] = {
        "hub_time_us": 0,
        "lease_ms": 3000,
        "command_counter": 0,
        "oldest_sequence": 0,
        "newest_sequence": 0,
        "battery_percent": 80,
        "rssi_dbm": -50,
        "missed_events": 0,
        "memory_percent": 0,
        "swarm_dose_percent": 100 if therapy is TherapyState.RUNNING else 0,
        "patient_stop": False,
    }
    return HubStatus(
        therapy=therapy, cause=cause, phase=phase, phase_elapsed_ms=round(seconds * 1000), **{**fields, **more}
    )


def receipt(opcode: int, therapy: TherapyState, code: ReceiptCode = ReceiptCode.DONE) -> Receipt:
    return Receipt(opcode=opcode, counter=1, code=code, therapy=therapy, cause=HoldCause.NONE, hub_time_us=0)


class Room:
    """A machine with a clock, a dentist and shorthand for what happens."""

    def __init__(self, patient: int = 0) -> None:
        person = load_demo().patients[patient]
        self.now = 1_800_000_000 * SECOND
        self.machine = ProcedureMachine.begin(
            load_modules(),
            visit_id="0190a000-0000-7000-8000-000000000001",
            visit_code="V-TEST",
            patient=person.patient,
            chair=1,
            teeth=person.teeth,
            at_us=self.now,
        )

    @property
    def view(self) -> ProcedureView:
        return self.machine.view

    @property
    def phase(self) -> PhaseView:
        return next(phase for phase in self.view.phases if phase.number == self.view.current_phase)

    def step(self) -> Step:
        """A method, so that type narrowing does not outlive the next event; so are those below."""
        return self.view.step

    def state(self) -> PhaseState:
        return self.phase.state

    def hold(self) -> Hold | None:
        return self.view.hold

    def envelope(self) -> Envelope | None:
        return self.view.envelope

    def blocked(self) -> list[str]:
        return [text.key for text in self.view.blocked]

    def act(self, *intents: Intent, by: Operator = DENTIST) -> tuple[Effect, ...]:
        effects: tuple[Effect, ...] = ()
        for intent in intents:
            effects = self.machine.act(intent, actor=by, at_us=self.now, revision=self.view.revision)
        return effects

    def see(self, *events: Event) -> tuple[Effect, ...]:
        effects: tuple[Effect, ...] = ()
        for event in events:
            effects = self.machine.observe(event, at_us=self.now)
        return effects

    def hub(
        self, therapy: TherapyState, phase: int | None = None, seconds: float = 0.0, **more: object
    ) -> tuple[Effect, ...]:
        number = self.view.current_phase if phase is None else phase
        return self.see(HubReported(status(therapy, number, seconds, **more)))  # type: ignore[arg-type]

    def wait(self, seconds: float) -> tuple[Effect, ...]:
        self.now += round(seconds * SECOND)
        return self.see(Elapsed(seconds))

    def refused(self, intent: Intent, by: Operator = DENTIST) -> str:
        before = self.view
        with pytest.raises(Refusal) as caught:
            self.act(intent, by=by)
        assert self.view == before
        words = load_words()
        assert caught.value.text.key in words, caught.value.text
        assert caught.value.remedy_text is None or caught.value.remedy_text.key in words, caught.value.remedy_text
        return str(caught.value.code)

    def to_plan(self) -> None:
        self.see(GOOD)
        self.act(NextStep(), SetComfort(answers=dict.fromkeys(("mdas1", "mdas2", "mdas3", "mdas4", "mdas5"), 2)))
        self.act(NextStep(), StartBaseline())
        self.see(BaselineSample({"pulp_temperature": 35.5, "saliva_ph": 6.9}, 20.0))
        self.act(NextStep())

    def to_preflight(self, modules: tuple[ModulePlan, ...] = REPAIR_36, own: tuple[Limit, ...] = ()) -> None:
        self.to_plan()
        self.act(SetPlan(modules=modules, own_limits=own, data_choice="data.ask_me"), NextStep())
        self.act(SignConsent(how="patient_screen"), NextStep())

    def confirm(self) -> None:
        for key in ("comfortable", "teeth", "eyes"):
            self.act(ConfirmCheck(key=key, passed=True))

    def to_running(self) -> None:
        self.to_preflight()
        self.confirm()
        self.act(NextStep(), StartTherapy())
        self.see(ReceiptCame(Opcode.START_PHASE, receipt(Opcode.START_PHASE, TherapyState.RUNNING)))
        assert self.phase.state is PhaseState.RUNNING

    def finish_phase(self) -> tuple[Effect, ...]:
        self.hub(TherapyState.RUNNING, seconds=self.phase.seconds - 0.5)
        return self.hub(TherapyState.IDLE, seconds=self.phase.seconds)

    def held(self) -> None:
        self.to_running()
        self.act(Pause())
        self.hub(TherapyState.HELD, seconds=2.0, cause=HoldCause.COMMAND)

    def touches(self) -> None:
        self.act(CheckHub())
        self.hub(TherapyState.HELD, seconds=2.0, cause=HoldCause.COMMAND)
        self.act(PatientYes(how="aloud"))


def orders(effects: tuple[Effect, ...]) -> list[PhaseOrder]:
    return [effect.order for effect in effects if isinstance(effect, OrderPhase)]


def has(effects: tuple[Effect, ...], kind: type) -> bool:
    return any(isinstance(effect, kind) for effect in effects)


# The way through


def test_a_whole_visit_from_seat_to_signature() -> None:
    room = Room()
    room.to_running()
    for number in range(1, 5):
        assert room.view.current_phase == number
        effects = room.finish_phase()
        if number < 4:
            assert [order.phase for order in orders(effects)] == [number + 1]
            room.see(ReceiptCame(Opcode.START_PHASE, receipt(Opcode.START_PHASE, TherapyState.RUNNING)))
    assert room.view.current_phase == 0
    assert not room.view.treating
    tooth = next(tooth for tooth in room.view.teeth if tooth.fdi == 36)
    assert (tooth.done, tooth.planned) == ("MO", "")
    room.act(NextStep())
    assert room.step() is Step.RECOVER
    assert room.refused(NextStep()) == "blocked"
    room.see(msgspec.structs.replace(GOOD, values={"pulp_temperature": 35.9, "saliva_ph": 6.8}))
    room.act(ConfirmCheck(key="well", passed=True), NextStep())
    assert room.refused(SignSummary(), by=ASSISTANT) == "role"
    room.act(SignSummary(note="All well"))
    assert room.view.closed
    assert room.view.signed_by == "d"
    assert room.refused(CheckIn(answer="fine")) == "closed"


def test_a_visit_where_everything_is_declined_goes_straight_to_its_summary() -> None:
    room = Room()
    room.to_plan()
    room.act(SetPlan(modules=(), own_limits=(), data_choice="data.never"), NextStep())
    assert room.step() is Step.CLOSE
    assert room.view.phases == ()
    room.act(BackToStep(step="plan"))
    assert room.step() is Step.PLAN


def test_each_tooth_gets_its_own_phases_in_order() -> None:
    room = Room()
    room.to_plan()
    both = (ModulePlan(module="repair", choice=Choice.INCLUDED, teeth=(36, 26)), *REPAIR_36[1:])
    room.act(SetPlan(modules=both, own_limits=(), data_choice="data.ask_me"), NextStep(), SignConsent(how="aloud"))
    assert [(phase.number, phase.tooth) for phase in room.view.phases] == [
        *((number, 36) for number in range(1, 5)),
        *((number, 26) for number in range(5, 9)),
    ]


def test_real_visits_last_their_full_time_and_simulated_ones_the_demo_time() -> None:
    person = load_demo().patients[0]
    lengths = {}
    for simulated in (True, False):
        room = Room()
        room.machine = ProcedureMachine.begin(
            load_modules(), visit_id="v", visit_code="V", patient=person.patient, chair=1, teeth=person.teeth,
            at_us=room.now, simulated=simulated,
        )  # fmt: skip
        room.see(GOOD)
        lengths[simulated] = room.view.baseline.needed
    assert lengths == {True: 20.0, False: 60.0}


# Interlocks


def test_nobody_leaves_the_seat_without_a_known_hub() -> None:
    room = Room()
    assert room.refused(NextStep()) == "blocked"
    room.see(Facts(link_up=True))
    assert [text.key for text in room.view.blocked] == ["blocked.identity"]
    room.see(GOOD)
    room.act(NextStep())
    room.see(LinkLost())
    assert room.step() is Step.LISTEN


def test_declining_the_comfort_questions_is_an_answer_but_silence_is_not() -> None:
    room = Room()
    room.see(GOOD)
    room.act(NextStep())
    assert room.refused(NextStep()) == "blocked"
    assert room.refused(SetComfort(answers={"mdas1": 3})) == "comfort"
    assert (
        room.refused(SetComfort(answers=dict.fromkeys(("mdas1", "mdas2", "mdas3", "mdas4", "mdas5"), 6))) == "comfort"
    )
    room.act(SetComfort(answers=dict.fromkeys(("mdas1", "mdas2", "mdas3", "mdas4", "mdas5"), 0)), NextStep())
    assert room.step() is Step.BASELINE


def test_a_baseline_that_a_lost_link_broke_begins_anew() -> None:
    room = Room()
    room.see(GOOD)
    room.act(
        NextStep(), SetComfort(answers=dict.fromkeys(("mdas1", "mdas2", "mdas3", "mdas4", "mdas5"), 0)), NextStep()
    )
    room.act(StartBaseline())
    room.see(BaselineSample({"saliva_ph": 6.9}, 19.0))
    assert room.refused(NextStep()) == "blocked"
    room.see(LinkLost())
    assert room.view.baseline.seconds == 0
    room.see(BaselineSample({"saliva_ph": 6.9}, 25.0))
    assert room.refused(NextStep()) == "blocked"
    room.act(StartBaseline())
    room.see(BaselineSample({"saliva_ph": 6.9}, 20.0))
    assert not room.view.baseline.running
    room.act(NextStep())


@pytest.mark.parametrize(
    ("facts", "open_line"),
    [
        ({"link_up": None}, "check.link.open"),
        ({"status_fresh": False}, "check.status.open"),
        ({"battery_percent": 19}, "check.battery.open"),
        ({"battery_percent": None}, "check.battery.open"),
        ({"recording": None}, "check.recording.open"),
        ({"high_alarm": True}, "check.alarms.open"),
        ({"high_alarm": None}, "check.alarms.open"),
        ({"hub_idle": None}, "check.hub_idle.open"),
        ({"limits_quiet": None}, "check.limits.open"),
        ({"hub_proven": None}, "check.proven.open"),
        ({"hub_proven": False}, "check.proven.open"),
    ],
)
def test_an_unknown_or_failed_check_blocks_therapy(facts: dict[str, bool | int | None], open_line: str) -> None:
    room = Room()
    room.to_preflight()
    room.confirm()
    assert room.blocked() == []
    room.see(msgspec.structs.replace(GOOD, **facts))
    assert room.blocked() == [open_line]
    assert room.refused(StartTherapy()) == "blocked"
    room.see(GOOD)
    room.act(NextStep())
    room.see(msgspec.structs.replace(GOOD, **facts))
    assert room.refused(StartTherapy()) == "blocked"


def test_what_a_person_must_confirm_is_asked_again_after_a_detour() -> None:
    room = Room()
    room.to_preflight()
    assert room.refused(ConfirmCheck(key="link", passed=True)) == "check"
    room.confirm()
    room.act(BackToStep(step="consent"), NextStep())
    assert [item.passed for item in room.view.preflight if item.by_hand] == [None, None, None]


def test_an_assistant_prepares_and_pauses_but_plans_and_treats_nothing() -> None:
    room = Room()
    room.see(GOOD)
    room.act(
        NextStep(), SetComfort(answers=dict.fromkeys(("mdas1", "mdas2", "mdas3", "mdas4", "mdas5"), 1)), by=ASSISTANT
    )
    room.act(NextStep(), StartBaseline(), by=ASSISTANT)
    room.see(BaselineSample({}, 20.0))
    room.act(NextStep(), by=ASSISTANT)
    assert room.refused(SetPlan(modules=(), own_limits=(), data_choice="data.ask_me"), by=ASSISTANT) == "role"
    assert room.refused(NextStep(), by=ASSISTANT) == "role"
    other = Room()
    other.to_running()
    assert has(other.act(Pause(), by=ASSISTANT), OrderHold)
    for intent in (CheckHub(), PatientYes(how="aloud"), Resume(), SkipPhase(), EndEarly(reason="x")):
        assert other.refused(intent, by=ASSISTANT) == "role"


def test_a_closed_account_may_do_nothing() -> None:
    room = Room()
    room.see(GOOD)
    assert room.refused(NextStep(), by=msgspec.structs.replace(DENTIST, active=False)) == "role"


def test_an_intent_against_an_older_view_is_refused_but_a_pause_never() -> None:
    room = Room()
    room.to_running()
    old = room.view.revision
    room.finish_phase()
    with pytest.raises(Refusal, match="stale"):
        room.machine.act(SkipPhase(), actor=DENTIST, at_us=room.now, revision=old)
    assert has(room.machine.act(Pause(), actor=DENTIST, at_us=room.now, revision=old), OrderHold)


def test_progress_does_not_make_a_view_older() -> None:
    room = Room()
    room.to_running()
    before = room.view.revision
    room.hub(TherapyState.RUNNING, seconds=1.0)
    room.see(GOOD, msgspec.structs.replace(GOOD, battery_percent=79))
    room.wait(1.0)
    assert room.view.revision == before
    assert room.phase.elapsed_s == 1.0


# Consent


def own_heat(high: float) -> Limit:
    return Limit(channel="pulp_temperature", owner=LimitOwner.PATIENT, high=high, reason="limit.reason.own")


def test_own_limits_only_tighten_and_reach_the_hub() -> None:
    room = Room()
    room.to_plan()
    looser = SetPlan(modules=REPAIR_36, own_limits=(own_heat(39.5),), data_choice="data.ask_me")
    assert room.refused(looser) == "limit_looser"
    stranger = msgspec.structs.replace(own_heat(38.0), owner=LimitOwner.DEVICE)
    assert (
        room.refused(SetPlan(modules=REPAIR_36, own_limits=(stranger,), data_choice="data.ask_me")) == "limit_unsound"
    )
    room.act(SetPlan(modules=REPAIR_36, own_limits=(own_heat(38),), data_choice="data.ask_me"))
    room.act(NextStep(), SignConsent(how="aloud"), NextStep())
    room.confirm()
    (order,) = orders(room.act(StartTherapy()))
    assert order.tissue_limit_c == 38.0
    assert order.envelope_sha256 == (room.view.envelope.sha256 if room.view.envelope else b"")
    assert len(order.envelope_sha256) == 32


def test_a_gentler_module_brings_its_own_ceilings_whatever_was_asked() -> None:
    room = Room()
    room.to_preflight((ModulePlan(module="repair", choice=Choice.GENTLER, teeth=(36,), dose_percent=100),))
    room.confirm()
    (order,) = orders(room.act(StartTherapy()))
    assert order.tissue_limit_c == 38.0
    assert [phase.dose_percent for phase in room.view.phases] == [12, 60, 30, 6]


def test_changing_the_plan_voids_the_consent_and_saying_the_same_does_not() -> None:
    room = Room()
    room.to_preflight()
    first = room.envelope()
    assert first is not None
    room.act(SetPlan(modules=REPAIR_36, own_limits=(), data_choice="data.ask_me"))
    assert room.envelope() == first
    room.act(SetPlan(modules=REPAIR_36, own_limits=(own_heat(38.5),), data_choice="data.ask_me"))
    assert room.envelope() is None
    assert room.step() is Step.PLAN
    room.act(NextStep())
    assert room.refused(NextStep()) == "blocked"
    room.act(SignConsent(how="aloud"))
    second = room.envelope()
    assert second is not None
    assert second.version > first.version
    assert second.sha256 != first.sha256


def test_a_consent_that_was_altered_afterwards_covers_nothing() -> None:
    room = Room()
    room.to_preflight()
    room.confirm()
    view = room.view
    assert view.envelope is not None
    forged = msgspec.structs.replace(view.envelope, witness="somebody else")
    room.machine = ProcedureMachine(load_modules(), msgspec.structs.replace(view, envelope=forged))
    assert room.refused(StartTherapy()) == "blocked"


@pytest.mark.parametrize(
    ("modules", "code"),
    [
        ((ModulePlan(module="unheard", choice=Choice.INCLUDED),), "plan_module"),
        (REPAIR_36 * 2, "plan_module"),
        ((ModulePlan(module="repair", choice=Choice.INCLUDED),), "plan_teeth"),
        ((ModulePlan(module="repair", choice=Choice.INCLUDED, teeth=(18,)),), "plan_tooth"),
        ((ModulePlan(module="repair", choice=Choice.INCLUDED, teeth=(49,)),), "plan_tooth"),
        ((ModulePlan(module="balance", choice=Choice.INCLUDED, dose_percent=0),), "plan_dose"),
    ],
)
def test_a_plan_that_cannot_be_done_is_refused(modules: tuple[ModulePlan, ...], code: str) -> None:
    room = Room()
    room.to_plan()
    assert room.refused(SetPlan(modules=modules, own_limits=(), data_choice="data.ask_me")) == code


# Following the hub


def test_elapsed_time_is_the_hubs_own() -> None:
    room = Room()
    room.to_running()
    room.wait(100)
    assert room.phase.elapsed_s == 0.0
    room.hub(TherapyState.RUNNING, seconds=3.2)
    assert room.phase.elapsed_s == 3.2
    assert room.state() is PhaseState.RUNNING


def test_an_order_without_a_receipt_is_unknown_and_nothing_is_ordered_before_it_is_known() -> None:
    room = Room()
    room.to_preflight()
    room.confirm()
    room.act(StartTherapy())
    assert room.state() is PhaseState.STARTING
    effects = room.see(OrderUnknown(Opcode.START_PHASE))
    assert has(effects, ReadHub)
    assert room.state() is PhaseState.UNKNOWN
    assert room.view.treating
    assert room.refused(SkipPhase()) == "wait"
    assert room.refused(StartTherapy()) == "started"
    for _ in range(3):
        assert not has(room.wait(1.0), ORDERS[0])
    room.hub(TherapyState.RUNNING, seconds=2.4)
    assert room.state() is PhaseState.RUNNING


def test_a_lost_order_that_never_reached_the_hub_is_held_not_repeated() -> None:
    room = Room()
    room.to_preflight()
    room.confirm()
    room.act(StartTherapy())
    room.see(OrderUnknown(Opcode.START_PHASE))
    effects = room.hub(TherapyState.IDLE, phase=0)
    hold = room.hold()
    assert hold is not None
    assert hold.origin is HoldOrigin.HUB
    assert not any(has(effects, kind) for kind in ORDERS)


def test_an_idle_hub_still_showing_an_older_phase_one_does_not_finish_ours() -> None:
    room = Room()
    room.to_preflight()
    room.confirm()
    room.act(StartTherapy())
    room.hub(TherapyState.IDLE, phase=1, seconds=999.0)
    assert room.state() is PhaseState.STARTING
    room.see(OrderUnknown(Opcode.START_PHASE))
    room.hub(TherapyState.IDLE, phase=1, seconds=999.0)
    assert room.state() is PhaseState.HELD
    assert room.phase.elapsed_s == 0.0


def test_a_refused_order_holds_and_says_what_the_hub_said() -> None:
    room = Room()
    room.to_preflight()
    room.confirm()
    room.act(StartTherapy())
    refusal = receipt(Opcode.START_PHASE, TherapyState.IDLE, ReceiptCode.OUTSIDE_LIMITS)
    room.see(OrderRefused(Opcode.START_PHASE, refusal))
    hold = room.hold()
    assert hold is not None
    said = load_words().tell(hold.reason)
    assert "outside the device's own limits" in said
    assert "{" not in said


@pytest.mark.parametrize(
    ("cause", "origin"),
    [
        (HoldCause.STOP, HoldOrigin.OPERATOR),
        (HoldCause.COMMAND, HoldOrigin.OPERATOR),
        (HoldCause.LEASE, HoldOrigin.LEASE),
        (HoldCause.LINK, HoldOrigin.LINK),
        (HoldCause.LIMIT, HoldOrigin.LIMIT),
        (HoldCause.PATIENT, HoldOrigin.PATIENT),
        (HoldCause.FAULT, HoldOrigin.HUB),
        (HoldCause.BOOT, HoldOrigin.HUB),
    ],
)
def test_a_hold_by_the_hub_is_told_with_its_cause(cause: HoldCause, origin: HoldOrigin) -> None:
    room = Room()
    room.to_running()
    room.hub(TherapyState.HELD, seconds=2.0, cause=cause)
    hold = room.view.hold
    assert hold is not None
    assert hold.origin is origin
    assert hold.hub_confirmed
    assert room.phase.elapsed_s == 2.0
    words = load_words()
    assert hold.reason.key in words
    assert hold.next_step.key in words


HOLDING: list[tuple[Event, HoldOrigin]] = [
    (ConsoleLost(), HoldOrigin.CONSOLE),
    (Woke(300.0), HoldOrigin.WAKE),
    (DiskFull(), HoldOrigin.DISK),
    *((Distrusted(doubt), HoldOrigin.TRUST) for doubt in Doubt),
    (LinkLost(), HoldOrigin.LINK),
    (EngineRestarted(), HoldOrigin.ENGINE),
    (StopPressed("d"), HoldOrigin.OPERATOR),
    (StopPressed("patient"), HoldOrigin.PATIENT),
    (LimitCrossed(msgspec.structs.replace(own_heat(38.0), holds=True), 38.2), HoldOrigin.LIMIT),
]


@pytest.mark.parametrize(("event", "origin"), HOLDING)
@pytest.mark.parametrize("state", ["starting", "unknown", "running"])
def test_whatever_goes_wrong_holds_therapy_and_tells_the_hub(event: Event, origin: HoldOrigin, state: str) -> None:
    room = Room()
    room.to_preflight()
    room.confirm()
    room.act(StartTherapy())
    if state == "unknown":
        room.see(OrderUnknown(Opcode.START_PHASE))
    if state == "running":
        room.hub(TherapyState.RUNNING, seconds=1.0)
    effects = room.see(event)
    hold = room.view.hold
    assert hold is not None
    assert hold.origin is origin
    assert not hold.hub_confirmed
    assert room.state() is PhaseState.HELD
    assert not room.view.treating
    assert has(effects, OrderHold) or has(effects, OrderStop) or isinstance(event, LinkLost)
    words = load_words()
    for text in (hold.reason, hold.next_step):
        assert "[" not in words.tell(text)
        assert "{" not in words.tell(text)


def test_a_limit_that_only_warns_holds_nothing() -> None:
    room = Room()
    room.to_running()
    assert room.see(LimitCrossed(own_heat(38.0), 38.2)) == ()
    assert room.hold() is None


def test_a_start_that_arrives_after_the_hold_is_held_again() -> None:
    room = Room()
    room.to_preflight()
    room.confirm()
    room.act(StartTherapy(), Pause())
    late = ReceiptCame(Opcode.START_PHASE, receipt(Opcode.START_PHASE, TherapyState.RUNNING))
    assert has(room.see(late), OrderHold)
    assert has(room.hub(TherapyState.RUNNING, seconds=0.5), OrderHold)
    hold = room.hold()
    assert hold is not None
    assert not hold.hub_confirmed


def test_a_hub_that_runs_though_it_confirmed_the_hold_is_stopped() -> None:
    room = Room()
    room.held()
    effects = room.hub(TherapyState.RUNNING, seconds=3.0)
    assert has(effects, OrderStop)
    assert [effect.kind for effect in effects if isinstance(effect, Note)] == ["hub_unexpected"]


def test_a_hub_that_runs_outside_treatment_is_held() -> None:
    room = Room()
    room.to_plan()
    assert has(room.hub(TherapyState.RUNNING, phase=7), OrderHold)


def test_a_hub_that_runs_another_phase_is_held() -> None:
    room = Room()
    room.to_running()
    assert has(room.hub(TherapyState.RUNNING, phase=9), OrderHold)
    assert room.hold() is not None


@pytest.mark.parametrize("step", list(Step))
def test_stop_reaches_the_hub_from_every_state(step: Step) -> None:
    room = Room()
    room.to_running()
    room.machine = ProcedureMachine(load_modules(), msgspec.structs.replace(room.view, step=step))
    assert has(room.see(StopPressed()), OrderStop)
    room.machine = ProcedureMachine(load_modules(), msgspec.structs.replace(room.view, closed=True))
    assert has(room.see(StopPressed()), OrderStop)


# Going on


def test_therapy_goes_on_after_three_touches_in_order() -> None:
    room = Room()
    room.held()
    assert room.refused(Resume()) == "hub_unchecked"
    assert room.refused(PatientYes(how="aloud")) == "hub_unchecked"
    assert has(room.act(CheckHub()), ReadHub)
    assert room.refused(PatientYes(how="aloud")) == "hub_unchecked"
    room.hub(TherapyState.HELD, seconds=2.0, cause=HoldCause.COMMAND)
    assert room.refused(Resume()) == "no_yes"
    room.act(PatientYes(how="patient_screen"))
    effects = room.act(Resume())
    assert has(effects, OrderResume)
    assert not has(effects, OrderPhase)
    assert room.hold() is None
    assert room.state() is PhaseState.STARTING
    room.hub(TherapyState.HELD, seconds=2.0, cause=HoldCause.COMMAND)
    assert room.hold() is None, "a status from before the order is not news"
    room.see(ReceiptCame(Opcode.RESUME, receipt(Opcode.RESUME, TherapyState.RUNNING)))
    room.hub(TherapyState.RUNNING, seconds=2.5)
    assert room.state() is PhaseState.RUNNING
    assert room.phase.elapsed_s == 2.5


def test_reports_alone_never_check_the_hub() -> None:
    room = Room()
    room.held()
    for _ in range(10):
        room.wait(1.0)
        room.hub(TherapyState.HELD, seconds=2.0, cause=HoldCause.COMMAND)
    hold = room.hold()
    assert hold is not None
    assert hold.hub_checked_us is None


def test_touches_are_void_after_a_minute() -> None:
    room = Room()
    room.held()
    room.touches()
    room.now += 61 * SECOND
    assert room.refused(Resume()) == "no_yes"
    room.wait(0.0)
    hold = room.hold()
    assert hold is not None
    assert hold.hub_checked_us is None
    room.act(CheckHub())
    room.hub(TherapyState.HELD, seconds=2.0, cause=HoldCause.COMMAND)
    room.now += 61 * SECOND
    assert room.refused(PatientYes(how="aloud")) == "hub_unchecked"


def test_a_clock_set_back_does_not_stretch_a_touch() -> None:
    room = Room()
    room.held()
    room.touches()
    room.now -= 3600 * SECOND
    assert room.refused(Resume()) == "no_yes"


@pytest.mark.parametrize(("event", "origin"), HOLDING)
def test_any_new_hold_voids_the_touches(event: Event, origin: HoldOrigin) -> None:
    room = Room()
    room.held()
    room.touches()
    room.see(event)
    hold = room.hold()
    assert hold is not None
    assert hold.hub_checked_us is None
    assert hold.patient_yes_us is None
    assert room.refused(Resume()) == "hub_unchecked"


def test_the_patients_button_voids_the_touches_and_its_hold_until_released() -> None:
    room = Room()
    room.held()
    room.touches()
    room.hub(TherapyState.HELD, seconds=2.0, cause=HoldCause.PATIENT, patient_stop=True)
    hold = room.hold()
    assert hold is not None
    assert hold.origin is HoldOrigin.PATIENT
    room.act(CheckHub())
    room.hub(TherapyState.HELD, seconds=2.0, cause=HoldCause.PATIENT, patient_stop=True)
    assert room.refused(PatientYes(how="aloud")) == "hub_unchecked"


@pytest.mark.parametrize("fact", ["link_up", "hub_proven", "recording", "limits_quiet"])
def test_therapy_does_not_go_on_against_what_is_measured(fact: str) -> None:
    room = Room()
    room.held()
    room.touches()
    for value in (False, None):
        room.see(msgspec.structs.replace(GOOD, **{fact: value}))
        assert room.refused(Resume()).startswith("resume_")
    room.see(GOOD)
    room.act(Resume())


def test_after_a_reboot_the_hub_is_cleared_and_the_rest_is_ordered_anew() -> None:
    room = Room()
    room.to_running()
    room.finish_phase()
    room.see(ReceiptCame(Opcode.START_PHASE, receipt(Opcode.START_PHASE, TherapyState.RUNNING)))
    room.hub(TherapyState.RUNNING, seconds=5.0)
    room.see(LinkLost(), LinkUp(), GOOD)
    room.hub(TherapyState.HELD, seconds=5.0, cause=HoldCause.BOOT)
    room.act(CheckHub())
    assert has(room.hub(TherapyState.HELD, seconds=5.0, cause=HoldCause.BOOT), OrderClear)
    assert room.refused(PatientYes(how="aloud")) == "hub_unchecked"
    room.hub(TherapyState.IDLE, phase=0)
    room.act(PatientYes(how="aloud"))
    (order,) = orders(room.act(Resume()))
    assert (order.phase, order.seconds) == (2, 7)
    room.see(ReceiptCame(Opcode.START_PHASE, receipt(Opcode.START_PHASE, TherapyState.RUNNING)))
    room.hub(TherapyState.RUNNING, seconds=1.0)
    assert room.phase.elapsed_s == 6.0
    room.hub(TherapyState.IDLE, seconds=7.0)
    assert room.view.phases[1].state is PhaseState.DONE
    assert room.view.phases[1].elapsed_s == 12.0


def test_an_engine_that_restarts_holds_and_never_goes_on_by_itself() -> None:
    room = Room()
    room.to_running()
    stored = cbor.encode(room.view)
    room.machine = ProcedureMachine(load_modules(), msgspec.convert(cbor.decode(stored), ProcedureView))
    effects = room.see(EngineRestarted())
    assert has(effects, OrderHold)
    assert has(effects, ReadHub)
    hold = room.hold()
    assert hold is not None
    assert hold.origin is HoldOrigin.ENGINE
    for _ in range(5):
        effects = room.hub(TherapyState.HELD, seconds=2.0, cause=HoldCause.LEASE)
        assert not any(has(effects, kind) for kind in ORDERS)
    assert room.hold() is not None


# Skipping, asking, ending


def test_a_skipped_phase_runs_until_the_hub_says_that_it_ended() -> None:
    room = Room()
    room.to_running()
    assert has(room.act(SkipPhase()), OrderEnd)
    assert room.state() is PhaseState.RUNNING
    effects = room.see(ReceiptCame(Opcode.END_PHASE, receipt(Opcode.END_PHASE, TherapyState.IDLE)))
    assert room.view.phases[0].state is PhaseState.SKIPPED
    assert [order.phase for order in orders(effects)] == [2]


def test_a_phase_skipped_while_held_leaves_the_hold_in_place() -> None:
    room = Room()
    room.held()
    room.touches()
    assert has(room.act(SkipPhase()), OrderClear)
    assert room.hold() is not None
    assert (room.view.current_phase, room.phase.state) == (2, PhaseState.HELD)
    assert room.refused(Resume()) == "hub_unchecked"
    room.act(CheckHub())
    room.hub(TherapyState.IDLE, phase=0)
    room.act(PatientYes(how="aloud"))
    assert [order.phase for order in orders(room.act(Resume()))] == [2]


def test_a_tooth_with_a_skipped_phase_is_not_done() -> None:
    room = Room()
    room.to_running()
    room.act(SkipPhase())
    room.see(ReceiptCame(Opcode.END_PHASE, receipt(Opcode.END_PHASE, TherapyState.IDLE)))
    for _ in range(3):
        room.see(ReceiptCame(Opcode.START_PHASE, receipt(Opcode.START_PHASE, TherapyState.RUNNING)))
        room.finish_phase()
    assert room.view.current_phase == 0
    assert next(tooth for tooth in room.view.teeth if tooth.fdi == 36).done == ""


def test_an_end_that_is_not_confirmed_is_held() -> None:
    room = Room()
    room.to_running()
    room.act(SkipPhase())
    assert has(room.see(OrderUnknown(Opcode.END_PHASE)), OrderHold)
    assert room.hold() is not None


def test_check_ins_fall_due_every_two_minutes_and_are_repeated_every_twenty_seconds() -> None:
    room = Room()
    room.to_running()
    due = [second for second in range(1, 165) if has(room.wait(1.0), Note)]
    assert due == [120, 140, 160]
    room.act(CheckIn(answer="fine"))
    assert [second for second in range(1, 125) if has(room.wait(1.0), Note)] == [120]


def test_a_patient_who_asks_to_stop_is_paused_at_once() -> None:
    room = Room()
    room.to_running()
    assert has(room.act(CheckIn(answer="stop", words="warm"), by=ASSISTANT), OrderHold)
    hold = room.hold()
    assert hold is not None
    assert hold.origin is HoldOrigin.PATIENT


def test_ending_early_waits_for_the_hub_and_then_goes_to_recovery() -> None:
    room = Room()
    room.to_running()
    assert has(room.act(EndEarly(reason="enough")), OrderEnd)
    assert room.step() is Step.TREAT
    room.hub(TherapyState.IDLE, seconds=1.0)
    assert room.step() is Step.RECOVER
    assert room.view.ended_early
    assert {phase.state for phase in room.view.phases} == {PhaseState.SKIPPED}


def test_ending_early_while_held_parks_the_hub_and_recovery_waits_for_it() -> None:
    room = Room()
    room.held()
    effects = room.act(EndEarly(reason="enough"))
    assert has(effects, OrderClear)
    assert room.step() is Step.RECOVER
    room.see(msgspec.structs.replace(GOOD, hub_idle=False, values={"saliva_ph": 6.9}))
    room.act(ConfirmCheck(key="well", passed=True))
    assert [text.key for text in room.view.blocked] == ["check.parked.open"]
    assert has(room.hub(TherapyState.HELD, phase=1), OrderClear)
    room.see(GOOD)
    room.act(NextStep())
    assert room.step() is Step.CLOSE


def test_recovery_names_the_value_that_is_not_back() -> None:
    room = Room()
    room.held()
    room.act(EndEarly(reason="enough"))
    room.see(msgspec.structs.replace(GOOD, values={"pulp_temperature": 36.9, "saliva_ph": 6.9}))
    item = next(item for item in room.view.recovery if item.key == "values")
    assert item.passed is False
    assert item.detail is not None
    assert load_words().tell(item.detail) == "Pulp temperature 36.9, at rest 35.5"


def test_ending_before_treatment_goes_to_the_summary() -> None:
    room = Room()
    room.to_plan()
    room.act(EndEarly(reason="another day"))
    assert room.step() is Step.CLOSE
    assert room.refused(BackToStep(step="plan")) == "back"


def test_there_is_no_way_back_once_treatment_began() -> None:
    room = Room()
    room.to_running()
    assert room.refused(BackToStep(step="plan")) == "back"
    assert room.refused(SetPlan(modules=(), own_limits=(), data_choice="data.ask_me")) == "begun"

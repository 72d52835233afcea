"""The Smilescape procedure as everybody sees it: steps, plan, phases, holds."""

from enum import StrEnum

import msgspec

from core.model.hub import HoldCause
from core.model.limits import Limit
from core.model.people import ToothState
from core.model.words import Text


class Step(StrEnum):
    """The nine steps, in order."""

    SEAT = "seat"
    LISTEN = "listen"
    BASELINE = "baseline"
    PLAN = "plan"
    CONSENT = "consent"
    PREFLIGHT = "preflight"
    TREAT = "treat"
    RECOVER = "recover"
    CLOSE = "close"


STEPS: tuple[Step, ...] = tuple(Step)


class Choice(StrEnum):
    """What the patient chose for one module."""

    INCLUDED = "included"
    GENTLER = "gentler"
    DECLINED = "declined"


class PhaseState(StrEnum):
    WAITING = "waiting"
    STARTING = "starting"
    """Ordered, not yet confirmed by the hub."""
    RUNNING = "running"
    HELD = "held"
    DONE = "done"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    """Ordered, and no receipt came: the hub is being asked."""


class HoldOrigin(StrEnum):
    """Who or what held therapy."""

    PATIENT = "patient"
    OPERATOR = "operator"
    LIMIT = "limit"
    LINK = "link"
    LEASE = "lease"
    CONSOLE = "console"
    """The console died or was closed."""
    ENGINE = "engine"
    """The engine restarted."""
    WAKE = "wake"
    """The machine slept."""
    DISK = "disk"
    HUB = "hub"
    """The hub held by itself, for a reason it reports."""
    TRUST = "trust"
    """The hub, or what it says, does not behave as expected."""


class Doubt(StrEnum):
    """Why a hub is not trusted; each has its words below `hold.trust_…`."""

    DOSE = "dose"
    """Its energy tells of dose that nobody ordered, or more than was ordered."""
    REPEATED = "repeated"
    """It sends a recording as if it were live."""
    FROZEN = "frozen"
    """A sensor stands still."""
    JOURNAL = "journal"
    """Its journal does not fit what was sent to it."""
    SESSION = "session"
    """Somebody forges, repeats or alters what is sent."""
    FIRMWARE = "firmware"
    """What it runs is not proven."""


class ModulePlan(msgspec.Struct, frozen=True, kw_only=True):
    """One module in the patient's plan."""

    module: str
    choice: Choice
    teeth: tuple[int, ...] = ()
    dose_percent: int = 100
    tissue_limit_c: float | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What will be done, as chosen together.

    Attributes:
        version: counts up with each change.
        modules: one for each module offered, declined ones included.
        own_limits: limits that the patient set.
        data_choice: words key of what may leave the practice.
    """

    version: int = 1
    modules: tuple[ModulePlan, ...] = ()
    own_limits: tuple[Limit, ...] = ()
    data_choice: str = "data.ask_me"


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What the patient consented to: the ceiling over everything that follows. A change makes a new version.

    Attributes:
        sha256: over the canonical CBOR of every other field.
        signed_by: how the patient agreed (`patient_screen` or `aloud`), with the operator who witnessed it.
    """

    id: str
    version: int
    patient_id: str
    visit_id: str
    plan: Plan
    limits: tuple[Limit, ...]
    signed_by: str
    witness: str
    signed_us: int
    sha256: bytes


class PhaseView(msgspec.Struct, frozen=True, kw_only=True):
    """One phase of the treatment.

    Attributes:
        number: 1…, the number on the wire.
        elapsed_s: time really delivered, from the hub's own status.
        delivered_before_s: delivered under an earlier order of this phase, which the hub has forgotten (it restarted).
        ending: its end was ordered; it counts as running until the hub says that it is idle.
    """

    number: int
    module: str
    key: str
    tooth: int
    seconds: int
    dose_percent: int
    state: PhaseState = PhaseState.WAITING
    elapsed_s: float = 0.0
    delivered_before_s: float = 0.0
    ending: bool = False


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Therapy is held, and why.

    Attributes:
        hub_confirmed: whether the hub has confirmed that the dose is zero. False is unknown, not safe.
        hub_was_held: whether it had confirmed that, when it was last heard of within this hold.
        hub_checked_us, patient_yes_us: the first two of the three touches to resume; None until done.
        hub_asked_us: when somebody asked to check the hub; its next report answers.
        hub_holds_phase: the hub still holds this phase and can go on with it; otherwise the rest is ordered anew.
        hub_cause: the cause that the hub itself reports; None until it has reported.
    """

    origin: HoldOrigin
    reason: Text
    next_step: Text
    since_us: int
    phase: int
    hub_confirmed: bool = False
    hub_was_held: bool = False
    hub_checked_us: int | None = None
    patient_yes_us: int | None = None
    hub_asked_us: int | None = None
    hub_holds_phase: bool = False
    hub_cause: HoldCause | None = None


class CheckItem(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the pre-flight (or recovery) check. `passed` None is not yet known."""

    key: str
    passed: bool | None
    detail: Text | None = None
    by_hand: bool = False
    """A person confirms it; the others are measured."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured about chair and hub, for the interlocks. None is not known, and blocks like False.

    Attributes:
        status_fresh: the hub's status is less than 2 s old.
        recording: samples reach the disk durably.
        high_alarm: an alarm of high priority is active on this chair.
        hub_idle: the hub is idle and delivers no dose.
        limits_quiet: no limit is crossed and every limited channel speaks.
        hub_proven: the hub's firmware is proven, its journal fits, and nothing about it is suspect.
        values: channel key → present physical value; compared with the baseline in the recovery check, kept nowhere.
    """

    link_up: bool | None = None
    identity_known: bool | None = None
    status_fresh: bool | None = None
    battery_percent: int | None = None
    recording: bool | None = None
    high_alarm: bool | None = None
    hub_idle: bool | None = None
    limits_quiet: bool | None = None
    hub_proven: bool | None = None
    values: dict[str, float] = {}


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """Resting values of one minute before anything is done.

    Attributes:
        seconds: how long it has been measured; `needed` is how long it must be.
        means: channel key → mean, physical.
    """

    seconds: float = 0.0
    needed: float = 60.0
    running: bool = False
    means: dict[str, float] = {}


class ProcedureView(msgspec.Struct, frozen=True, kw_only=True):
    """The procedure of one chair as it stands. Persisted at each transition, and sent to the console.

    Attributes:
        revision: counts what changes the meaning of a button; progress (elapsed time, measured facts) leaves it alone.
        simulated: the visit runs on simulated devices; phases then last their `demo_seconds`.
        facts: the last measured facts.
        blocked: why the step cannot be left yet; empty when it can.
        comfort: MDAS answers, five of 1–5 (0: not asked), and agreed words and signals.
        check_in_due_us: when the next check-in with the patient is due.
    """

    visit_id: str
    visit_code: str
    patient_id: str
    chair: int
    step: Step
    revision: int = 0
    began_us: int = 0
    comfort: dict[str, int] = {}
    comfort_words: str = ""
    baseline: Baseline = Baseline()
    plan: Plan | None = None
    envelope: Envelope | None = None
    preflight: tuple[CheckItem, ...] = ()
    phases: tuple[PhaseView, ...] = ()
    current_phase: int = 0
    """Number of the phase being delivered; 0 before the first and after the last."""
    hold: Hold | None = None
    recovery: tuple[CheckItem, ...] = ()
    teeth: tuple[ToothState, ...] = ()
    limits: tuple[Limit, ...] = ()
    blocked: tuple[Text, ...] = ()
    check_in_due_us: int | None = None
    ended_early: bool = False
    signed_by: str | None = None
    signed_us: int | None = None
    closed: bool = False
    simulated: bool = False
    facts: Facts = Facts()

    @property
    def step_number(self) -> int:
        return STEPS.index(self.step) + 1

    @property
    def treating(self) -> bool:
        """Whether dose may be flowing: a phase is running, starting or of unknown state."""
        live = (PhaseState.RUNNING, PhaseState.STARTING, PhaseState.UNKNOWN)
        return self.step is Step.TREAT and any(phase.state in live for phase in self.phases)

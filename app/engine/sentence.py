"""The state sentence of a chair: state, reason, next step. Unknown is said as unknown."""

from dataclasses import dataclass
from datetime import UTC, datetime

from core.model.hub import HubStatus, LinkState, TherapyState
from core.model.procedure import Hold, HoldOrigin, PhaseState, PhaseView, ProcedureView, Step
from core.model.words import Text

FRESH_SECONDS = 2.5
"""A status older than this says nothing about the present."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known about a chair at one moment.

    Attributes:
        link_reason: why the link is as it is, where that is known.
        status: the hub's newest status, None when there is none or it is older than `FRESH_SECONDS`.
        silent_s: how long the link has been down.
        heard_us: when the hub last spoke, UTC µs; None when this engine has not heard it.
    """

    bound: bool
    link: LinkState
    link_reason: Text | None
    status: HubStatus | None
    view: ProcedureView | None
    patient: str
    silent_s: float
    now_us: int
    heard_us: int | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """`state` is a stable key (`idle`, `planning`, `treating`, `held`, `unknown`, …); the rest is for people."""

    state: str
    headline: Text
    reason: Text
    next_step: Text


def sentence(now: Situation) -> Sentence:
    """Say how a chair is."""
    if not now.bound:
        return _plain("no_hub")
    if now.link is LinkState.REFUSED:
        said = _plain("refused")
        return Sentence(said.state, said.headline, now.link_reason or said.reason, said.next_step)
    view = now.view
    if view is not None and not view.closed and view.step is Step.TREAT:
        return _treatment(now, view)
    if now.status is not None and now.status.therapy is TherapyState.RUNNING:
        return _plain("unexpected")
    if now.link is not LinkState.UP or now.status is None:
        return _plain("unreachable", seconds=round(now.silent_s))
    if view is None or view.closed:
        return _plain("idle")
    return Sentence(
        _STATES.get(view.step, "planning"),
        Text(f"sentence.{view.step.value}.headline"),
        Text(f"sentence.{view.step.value}.reason", {"patient": now.patient}),
        view.blocked[0] if view.blocked else Text(f"sentence.{view.step.value}.next"),
    )


_STATES = {
    Step.SEAT: "seating",
    Step.LISTEN: "planning",
    Step.BASELINE: "measuring",
    Step.PLAN: "planning",
    Step.CONSENT: "planning",
    Step.PREFLIGHT: "checking",
    Step.RECOVER: "recovering",
    Step.CLOSE: "closing",
}


def _treatment(now: Situation, view: ProcedureView) -> Sentence:
    if view.hold is not None:
        return _held(now, view.hold)
    phase = next((phase for phase in view.phases if phase.number == view.current_phase), None)
    if phase is not None and phase.state is PhaseState.UNKNOWN:
        return _plain("asking")
    if now.link is not LinkState.UP or now.status is None:
        return _plain("unreachable", seconds=round(now.silent_s))
    if phase is None or phase.state is PhaseState.WAITING:
        return _plain("ready", patient=now.patient)
    if phase.state is PhaseState.STARTING:
        return _with_phase("starting", phase, view)
    told = _with_phase("treating", phase, view)
    due = view.check_in_due_us
    if due is None:
        return told
    left = max(0, (due - now.now_us) // 1_000_000)
    key = "sentence.treating.check_in" if left else "sentence.treating.check_in_now"
    return Sentence(told.state, told.headline, told.reason, Text(key, {"left": f"{left // 60}:{left % 60:02d}"}))


def _held(now: Situation, hold: Hold) -> Sentence:
    """What the hub said of a hold counts while it is heard; afterwards it is told as past."""
    way_out = _way_out(now, hold)
    if now.link is LinkState.UP and now.status is not None:
        quiet = now.status.therapy in (TherapyState.HELD, TherapyState.IDLE)
        state = "held" if hold.hub_confirmed or quiet else "holding"
    elif now.heard_us is not None and (hold.hub_confirmed or hold.hub_was_held):
        state = "was_held"
        at = datetime.fromtimestamp(now.heard_us / 1_000_000, UTC).astimezone().strftime("%H:%M")
        way_out = Text("sentence.was_held.next", {"at": at})
    else:
        state = "holding"
    return Sentence(state, Text(f"sentence.{state}.headline"), hold.reason, way_out)


def _way_out(now: Situation, hold: Hold) -> Text:
    """What to do next about a hold: what its reason asks for, until the link or the touches already given say more."""
    if now.link is not LinkState.UP or now.status is None:
        return Text("hold.link.next")
    if hold.patient_yes_us is not None:
        return Text("sentence.held.resume")
    if hold.hub_checked_us is not None:
        return Text("sentence.held.yes", {"patient": now.patient})
    return Text("sentence.held.check") if hold.origin is HoldOrigin.LINK else hold.next_step


def _with_phase(state: str, phase: PhaseView, view: ProcedureView) -> Sentence:
    values: dict[str, str | int | float] = {
        "phase": f"@module.{phase.module}.phase.{phase.key}",
        "number": phase.number,
        "count": len(view.phases),
        "tooth": phase.tooth,
    }
    reason = f"sentence.{state}.reason_tooth" if phase.tooth else f"sentence.{state}.reason"
    return Sentence(state, Text(f"sentence.{state}.headline"), Text(reason, values), Text(f"sentence.{state}.next"))


def _plain(state: str, **values: str | int | float) -> Sentence:
    return Sentence(
        state,
        Text(f"sentence.{state}.headline"),
        Text(f"sentence.{state}.reason", dict(values)),
        Text(f"sentence.{state}.next", dict(values)),
    )

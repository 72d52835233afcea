"""Treatment as pure steps from view to view: start, follow, hold, end.

A phase is what the hub says it is. Elapsed time is the hub's own; nothing here counts seconds. Nothing in this module
lets therapy go on after a hold: that is `core.procedure.resume`, which only a person's intent reaches.
"""

import msgspec

from core.model.hub import HoldCause, HubStatus, TherapyState
from core.model.people import ToothState
from core.model.procedure import Hold, HoldOrigin, PhaseState, PhaseView, ProcedureView, Step
from core.model.words import Text
from core.procedure.checks import OVER
from core.procedure.consent import covers_plan, make_order, ordered_seconds
from core.procedure.events import (
    Effect,
    Note,
    OrderClear,
    OrderHold,
    OrderPhase,
    OrderStop,
    ReadHub,
)
from core.procedure.modules import ModuleCatalogue

Values = dict[str, str | int | float]
Outcome = tuple[ProcedureView, tuple[Effect, ...]]

CHECK_IN_US = 120_000_000
"""Between two check-ins with the patient, µs."""
END_SLACK_MS = 100
"""How much short of its seconds a phase may end and still be whole: one tick of a hub."""

_ORIGIN = {
    HoldCause.STOP: HoldOrigin.OPERATOR,
    HoldCause.COMMAND: HoldOrigin.OPERATOR,
    HoldCause.LEASE: HoldOrigin.LEASE,
    HoldCause.LINK: HoldOrigin.LINK,
    HoldCause.LIMIT: HoldOrigin.LIMIT,
    HoldCause.PATIENT: HoldOrigin.PATIENT,
}


def change(view: ProcedureView, **fields: object) -> ProcedureView:
    return msgspec.structs.replace(view, **fields)


def put_phase(view: ProcedureView, number: int, **fields: object) -> ProcedureView:
    """The view with one phase changed."""
    phases = tuple(
        msgspec.structs.replace(phase, **fields) if phase.number == number else phase for phase in view.phases
    )
    return change(view, phases=phases)


def put_hold(view: ProcedureView, **fields: object) -> ProcedureView:
    assert view.hold is not None
    return change(view, hold=msgspec.structs.replace(view.hold, **fields))


def current(view: ProcedureView) -> PhaseView | None:
    """The phase being delivered or held."""
    return next((phase for phase in view.phases if phase.number == view.current_phase), None)


def waiting(view: ProcedureView) -> PhaseView | None:
    """The first phase that waits."""
    return next((phase for phase in view.phases if phase.state is PhaseState.WAITING), None)


def note(kind: str, voice: str = "staff", /, **values: str | int | float) -> Note:
    return Note(kind, Text(f"note.{kind}", values), voice)


def phase_values(phase: PhaseView) -> Values:
    """What a sentence may say of a phase; `where` is its tooth, or the whole mouth."""
    return {
        "number": phase.number,
        "phase": f"@module.{phase.module}.phase.{phase.key}",
        "module": f"@module.{phase.module}.name",
        "where": phase.tooth or "@module.whole_mouth",
    }


# Holding


def hold(
    view: ProcedureView,
    origin: HoldOrigin,
    at_us: int,
    *,
    variant: str = "",
    cause: HoldCause | None = None,
    confirmed: bool = False,
    values: Values | None = None,
) -> ProcedureView:
    """The view with therapy held. A hold upon a hold takes the newer reason and voids the touches given.

    Without a phase that is live or held there is nothing to hold, and the view stays.
    """
    phase = current(view)
    if view.step is not Step.TREAT or phase is None:
        return view
    key = f"hold.{origin.value}{'_' + variant if variant else ''}"
    old = view.hold
    new = Hold(
        origin=origin,
        reason=Text(f"{key}.reason", values or {}),
        next_step=Text(f"{key}.next", values or {}),
        since_us=old.since_us if old else at_us,
        phase=phase.number,
        hub_confirmed=confirmed or (old is not None and old.hub_confirmed and origin is not HoldOrigin.LINK),
        hub_was_held=old is not None and (old.hub_confirmed or old.hub_was_held),
        hub_holds_phase=old.hub_holds_phase if old else False,
        hub_cause=cause if cause is not None else (old.hub_cause if old else None),
    )
    held = put_phase(view, phase.number, state=PhaseState.HELD, ending=False)
    return change(held, hold=new, check_in_due_us=None)


def hold_noted(view: ProcedureView, held: ProcedureView, *effects: Effect) -> Outcome:
    """`held`, with the effects given and a note when the hold is new."""
    if held.hold is None or (view.hold is not None and view.hold.origin is held.hold.origin):
        return held, effects
    voice = "patient" if held.hold.origin is HoldOrigin.PATIENT else "staff"
    return held, (*effects, Note("held", held.hold.reason, voice))


# Starting


def start(modules: ModuleCatalogue, view: ProcedureView, number: int, at_us: int) -> Outcome:
    """Order a phase (or the rest of it). What the envelope does not cover is held instead."""
    phase = next(phase for phase in view.phases if phase.number == number)
    view = change(view, current_phase=number)
    view = put_phase(view, number, delivered_before_s=phase.elapsed_s, state=PhaseState.STARTING, ending=False)
    envelope = view.envelope
    started = current(view)
    assert started is not None
    order = None
    if envelope is not None and covers_plan(envelope, view.plan):
        order = make_order(modules, envelope, started, simulated=view.simulated)
    if order is None:
        return hold_noted(view, hold(view, HoldOrigin.ENGINE, at_us, variant="envelope", confirmed=True))
    return view, (OrderPhase(order), note("phase_ordered", **phase_values(started)))


def start_next(modules: ModuleCatalogue, view: ProcedureView, at_us: int) -> Outcome:
    """Order the first phase that waits; after the last one the treatment is over."""
    following = waiting(view)
    if following is None:
        over = change(view, current_phase=0, check_in_due_us=None)
        if view.ended_early:
            over = change(over, step=Step.RECOVER)
        return over, (note("phases_over"),)
    return start(modules, view, following.number, at_us)


def now_running(view: ProcedureView, phase: PhaseView, at_us: int) -> ProcedureView:
    due = view.check_in_due_us if view.check_in_due_us is not None else at_us + CHECK_IN_US
    return change(put_phase(view, phase.number, state=PhaseState.RUNNING), check_in_due_us=due)


# Following the hub


def finished(phase: PhaseView, status: HubStatus) -> bool:
    """Whether the hub says that it delivered all of this phase.

    An idle hub still shows the last phase of an earlier visit, which may bear the same number: only a phase that was
    seen running can be finished.
    """
    return (
        status.therapy is TherapyState.IDLE
        and status.phase == phase.number
        and seen_running(phase)
        and status.phase_elapsed_ms >= ordered_seconds(phase) * 1000 - END_SLACK_MS
    )


def seen_running(phase: PhaseView) -> bool:
    """Whether the hub confirmed the present order of this phase."""
    return phase.state is PhaseState.RUNNING or phase.elapsed_s > phase.delivered_before_s


def finish(modules: ModuleCatalogue, view: ProcedureView, number: int, state: PhaseState, at_us: int) -> Outcome:
    """A phase is over: mark teeth, and go on to the next (or, while held, make the next the one that is held)."""
    phase = next(phase for phase in view.phases if phase.number == number)
    elapsed = float(phase.seconds) if state is PhaseState.DONE else phase.elapsed_s
    view = put_phase(view, number, state=state, elapsed_s=elapsed, ending=False)
    view = change(view, teeth=_mark_done(modules, view))
    said = note("phase_done" if state is PhaseState.DONE else "phase_skipped", **phase_values(phase))
    if view.hold is not None:
        return hold_next(view), (said,)
    view, effects = start_next(modules, view, at_us)
    return view, (said, *effects)


def hold_next(view: ProcedureView) -> ProcedureView:
    """While held: the next waiting phase takes the place of the one that is over. The touches begin anew."""
    assert view.hold is not None
    following = waiting(view)
    if following is None:
        view = change(view, current_phase=0)
        return put_hold(view, phase=0, hub_holds_phase=False, hub_checked_us=None, patient_yes_us=None)
    view = change(view, current_phase=following.number)
    view = put_phase(view, following.number, state=PhaseState.HELD)
    return put_hold(view, phase=following.number, hub_holds_phase=False, hub_checked_us=None, patient_yes_us=None)


def follow(modules: ModuleCatalogue, view: ProcedureView, status: HubStatus, at_us: int) -> Outcome:
    """The hub's status while a phase is starting, running or of unknown state."""
    phase = current(view)
    if phase is None:
        return unexpected(view, status)
    same = status.phase == phase.number
    if status.therapy is TherapyState.FAULT:
        return _held_by_hub(view, status, at_us)
    if status.therapy is TherapyState.RUNNING and not same:
        held = hold(view, HoldOrigin.HUB, at_us, variant="other_phase")
        return hold_noted(view, held, OrderHold(), ReadHub())
    if status.therapy is TherapyState.RUNNING:
        return now_running(_elapsed(view, phase, status), phase, at_us), ()
    if phase.state is PhaseState.STARTING:
        return view, ()  # It may have left the hub before the order arrived; the receipt is on its way.
    if finished(phase, status):
        return finish(modules, view, phase.number, PhaseState.DONE, at_us)
    if status.therapy is TherapyState.HELD:
        return _held_by_hub(_elapsed(view, phase, status), status, at_us)
    if status.therapy is not TherapyState.IDLE:
        return view, (ReadHub(),)
    if phase.ending:
        return finish(modules, view, phase.number, PhaseState.SKIPPED, at_us)
    variant = "not_started" if phase.state is PhaseState.UNKNOWN else "ended"
    view = _elapsed(view, phase, status)
    return hold_noted(view, hold(view, HoldOrigin.HUB, at_us, variant=variant, confirmed=still(status)))


def follow_held(modules: ModuleCatalogue, view: ProcedureView, status: HubStatus, at_us: int) -> Outcome:
    """The hub's status while therapy is held."""
    held = view.hold
    assert held is not None
    phase = current(view)
    if status.therapy is TherapyState.RUNNING:
        view = put_hold(view, hub_confirmed=False, hub_was_held=False, hub_holds_phase=False)
        view = put_hold(view, hub_checked_us=None, patient_yes_us=None)
        if held.hub_confirmed:
            return view, (OrderStop(), ReadHub(), note("hub_unexpected", "device"))
        return view, (OrderHold(),)
    if phase is None:
        if status.therapy is TherapyState.IDLE and still(status):
            view = change(view, hold=None, check_in_due_us=None)
            return (change(view, step=Step.RECOVER) if view.ended_early else view), ()
        return view, ()
    if finished(phase, status):
        view, effects = finish(modules, view, phase.number, PhaseState.DONE, at_us)
        return put_hold(view, hub_confirmed=still(status)), effects
    view = _newer_cause(_elapsed(view, phase, status), status, at_us)
    view = put_hold(view, hub_confirmed=still(status), hub_holds_phase=resumable(phase, status))
    if status.patient_stop or not still(status):
        return put_hold(view, hub_checked_us=None, patient_yes_us=None), ()
    return view, ()


def unexpected(view: ProcedureView, status: HubStatus) -> Outcome:
    """The hub's status while nothing should run: whatever runs is held, and after treatment a held hub is parked."""
    if status.therapy is TherapyState.RUNNING:
        return view, (OrderHold(), note("hub_unexpected", "device"))
    if status.therapy is TherapyState.HELD and view.step is Step.RECOVER:
        return view, (OrderClear(),)
    return view, ()


def _elapsed(view: ProcedureView, phase: PhaseView, status: HubStatus) -> ProcedureView:
    if status.phase != phase.number or (status.therapy is TherapyState.IDLE and not seen_running(phase)):
        return view
    elapsed = min(float(phase.seconds), phase.delivered_before_s + status.phase_elapsed_ms / 1000)
    return put_phase(view, phase.number, elapsed_s=max(phase.elapsed_s, elapsed))


def still(status: HubStatus) -> bool:
    """Whether the hub says that no dose flows."""
    return status.swarm_dose_percent == 0 and status.therapy in (TherapyState.HELD, TherapyState.IDLE)


def resumable(phase: PhaseView, status: HubStatus) -> bool:
    """Whether the hub holds this phase and would go on with it; after a boot or a fault it would not."""
    lost = (HoldCause.BOOT, HoldCause.FAULT)
    return status.therapy is TherapyState.HELD and status.phase == phase.number and status.cause not in lost


def _held_by_hub(view: ProcedureView, status: HubStatus, at_us: int) -> Outcome:
    """The hub holds by itself, or has a fault."""
    origin = _ORIGIN.get(status.cause, HoldOrigin.HUB)
    variant = "fault" if status.therapy is TherapyState.FAULT else ""
    if status.cause is HoldCause.BOOT:
        variant = "boot"
    if variant:
        origin = HoldOrigin.HUB
    held = hold(view, origin, at_us, variant=variant, cause=status.cause, confirmed=still(status))
    phase = current(held)
    if held.hold is not None and phase is not None:
        held = put_hold(held, hub_holds_phase=resumable(phase, status))
    return hold_noted(view, held)


def _newer_cause(view: ProcedureView, status: HubStatus, at_us: int) -> ProcedureView:
    """A cause that the hub had not given before is a new hold; its first word only when it weighs more than ours."""
    held = view.hold
    assert held is not None
    cause = status.cause
    if cause in (HoldCause.NONE, held.hub_cause):
        return view
    weighs = (HoldCause.PATIENT, HoldCause.LIMIT, HoldCause.FAULT, HoldCause.BOOT)
    if held.hub_cause is None and cause not in weighs:
        return put_hold(view, hub_cause=cause)
    if _ORIGIN.get(cause) is held.origin or cause not in weighs:
        return put_hold(view, hub_cause=cause, hub_checked_us=None, patient_yes_us=None)
    return _held_by_hub(view, status, at_us)[0]


def _mark_done(modules: ModuleCatalogue, view: ProcedureView) -> tuple[ToothState, ...]:
    """Planned surfaces count as done when every phase of every module on that tooth is done, none left out."""
    marked: list[ToothState] = []
    for tooth in view.teeth:
        phases = [phase for phase in view.phases if phase.tooth == tooth.fdi and modules.key(phase.module).per_tooth]
        if tooth.planned and phases and all(phase.state is PhaseState.DONE for phase in phases):
            surfaces = "".join(surface for surface in "MDBLO" if surface in tooth.done + tooth.planned)
            tooth = msgspec.structs.replace(tooth, done=surfaces, planned="")
        marked.append(tooth)
    return tuple(marked)


def skip_rest(view: ProcedureView, *, keep: int = 0) -> ProcedureView:
    """Every phase that is not over becomes skipped, but for the one numbered `keep`."""
    phases = tuple(
        phase
        if phase.state in OVER or phase.number == keep
        else msgspec.structs.replace(phase, state=PhaseState.SKIPPED, ending=False)
        for phase in view.phases
    )
    return change(view, phases=phases)

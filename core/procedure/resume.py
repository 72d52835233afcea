"""The three touches by which held therapy goes on, and by which alone: hub checked, patient's yes, resume."""

from core.model.hub import HubStatus, TherapyState
from core.model.procedure import PhaseState, ProcedureView
from core.procedure.consent import WAYS, covers_plan
from core.procedure.events import Effect, OrderClear, OrderResume, ReadHub
from core.procedure.modules import ModuleCatalogue
from core.procedure.refusal import refuse
from core.procedure.treatment import (
    Outcome,
    change,
    current,
    note,
    phase_values,
    put_hold,
    put_phase,
    resumable,
    start,
    still,
)

TOUCH_US = 60_000_000
"""How long a touch counts, µs."""
ANSWER_US = 10_000_000
"""How long a question to the hub waits for its answer, µs."""


def check_hub(view: ProcedureView, at_us: int) -> Outcome:
    """First touch: ask the hub. Only a report that comes after the question answers it."""
    if view.hold is None or current(view) is None:
        raise refuse("not_held")
    return put_hold(view, hub_asked_us=at_us, hub_checked_us=None, patient_yes_us=None), (ReadHub(),)


def answer(view: ProcedureView, status: HubStatus, at_us: int) -> Outcome:
    """The hub's answer to the first touch: it counts when no dose flows and the hub is ready to go on.

    A hub that holds what it cannot go on with (after a boot, or another phase) is cleared first and asked again.
    """
    held, phase = view.hold, current(view)
    if held is None or phase is None or held.hub_asked_us is None:
        return view, ()
    if not 0 <= at_us - held.hub_asked_us <= ANSWER_US:
        return put_hold(view, hub_asked_us=None), ()
    if not still(status) or status.patient_stop:
        return view, ()
    if status.therapy is TherapyState.HELD and not resumable(phase, status):
        return view, (OrderClear(),)
    return put_hold(view, hub_asked_us=None, hub_checked_us=at_us), (note("hub_checked", "device"),)


def patient_yes(view: ProcedureView, how: str, at_us: int) -> Outcome:
    """Second touch: the patient agrees, within a minute of the first."""
    if view.hold is None or current(view) is None:
        raise refuse("not_held")
    if how not in WAYS:
        raise refuse("consent_way", how=how)
    if not _counts(view.hold.hub_checked_us, at_us) or not view.hold.hub_confirmed:
        raise refuse("hub_unchecked")
    return put_hold(view, patient_yes_us=at_us), (note("patient_yes", "patient", how=how),)


def resume(modules: ModuleCatalogue, view: ProcedureView, at_us: int) -> Outcome:
    """Third touch: therapy goes on, when both others are there and nothing measured speaks against it."""
    held, phase = view.hold, current(view)
    if held is None or phase is None:
        raise refuse("not_held")
    if held.hub_checked_us is None or not held.hub_confirmed:
        raise refuse("hub_unchecked")
    if not _counts(held.patient_yes_us, at_us):
        raise refuse("no_yes")
    facts = view.facts
    measured = (
        ("link", facts.link_up),
        ("proven", facts.hub_proven),
        ("recording", facts.recording),
        ("limits", facts.limits_quiet),
    )
    for key, met in measured:
        if met is not True:
            raise refuse(f"resume_{key}")
    if not covers_plan(view.envelope, view.plan):
        raise refuse("consent_void")
    goes_on = held.hub_holds_phase
    view = change(view, hold=None)
    said: tuple[Effect, ...] = (note("resumed", **phase_values(phase)),)
    if goes_on:
        return put_phase(view, phase.number, state=PhaseState.STARTING), (OrderResume(), *said)
    view, effects = start(modules, view, phase.number, at_us)
    return view, (*effects, *said)


def void_touches(view: ProcedureView) -> ProcedureView:
    if view.hold is None:
        return view
    return put_hold(view, hub_asked_us=None, hub_checked_us=None, patient_yes_us=None)


def expire(view: ProcedureView, at_us: int) -> ProcedureView:
    """The view with touches older than a minute taken back, so that nobody sees a tick that no longer counts."""
    held = view.hold
    if held is None:
        return view
    newest = held.patient_yes_us if held.patient_yes_us is not None else held.hub_checked_us
    return view if newest is None or _counts(newest, at_us) else void_touches(view)


def _counts(touch_us: int | None, at_us: int) -> bool:
    # A touch from the future was given before the wall clock was set back: it cannot be timed, so it does not count.
    return touch_us is not None and 0 <= at_us - touch_us <= TOUCH_US

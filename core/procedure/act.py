"""What a person wants, worked into the view. Pure; `core.procedure.machine` has checked role and revision."""

import msgspec

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
from core.model.people import Operator
from core.model.procedure import (
    STEPS,
    Baseline,
    HoldOrigin,
    PhaseState,
    ProcedureView,
    Step,
)
from core.procedure.checks import (
    MDAS_KEYS,
    begun,
    blocked,
    confirm,
    conventional,
    open_items,
    preflight_items,
)
from core.procedure.consent import WAYS, covers_plan, sign_envelope
from core.procedure.events import Effect, OrderClear, OrderEnd, OrderHold, ReadHub
from core.procedure.modules import ModuleCatalogue
from core.procedure.plan import check_plan, default_plan, limits_in_force, make_phases, mark_planned
from core.procedure.refusal import Refusal, refuse
from core.procedure.resume import check_hub, patient_yes, resume
from core.procedure.treatment import (
    CHECK_IN_US,
    Outcome,
    change,
    current,
    hold,
    hold_next,
    hold_noted,
    note,
    phase_values,
    put_phase,
    skip_rest,
    start_next,
    waiting,
)

COMFORT_STEPS = (Step.SEAT, Step.LISTEN, Step.BASELINE, Step.PLAN, Step.CONSENT, Step.PREFLIGHT)
PLAN_STEPS = (Step.PLAN, Step.CONSENT, Step.PREFLIGHT, Step.TREAT)


def act(  # noqa: PLR0912  # one branch an intent: a table would hide which fields each carries
    modules: ModuleCatalogue, view: ProcedureView, intent: Intent, actor: Operator, at_us: int
) -> Outcome:
    """The view after an intent, and what is to be done. Raises Refusal."""
    match intent:
        case NextStep():
            return _next_step(modules, view)
        case BackToStep(step=step):
            return _back(view, step)
        case SetComfort(answers=answers, words=words):
            return _comfort(view, answers, words)
        case StartBaseline():
            _need(view, Step.BASELINE)
            return change(view, baseline=Baseline(needed=view.baseline.needed, running=True)), ()
        case SetPlan():
            return _set_plan(modules, view, intent)
        case SignConsent(how=how):
            return _sign_consent(modules, view, how, actor, at_us)
        case ConfirmCheck(key=key, passed=passed):
            return _confirm(view, key, passed)
        case StartTherapy():
            return _start(modules, view, at_us)
        case Pause(by=by):
            return _pause(view, HoldOrigin.PATIENT if by == "patient" else HoldOrigin.OPERATOR, at_us)
        case CheckHub():
            return check_hub(view, at_us)
        case PatientYes(how=how):
            return patient_yes(view, how, at_us)
        case Resume():
            return resume(modules, view, at_us)
        case SkipPhase():
            return _skip(view)
        case CheckIn(answer=answer, words=words):
            return _check_in(view, answer, words, at_us)
        case EndEarly(reason=reason):
            return _end_early(view, reason)
        case SignSummary(note=text):
            _need(view, Step.CLOSE)
            view = change(view, closed=True, signed_by=actor.id, signed_us=at_us)
            return view, (note("signed", name=actor.name, note=text),)


def _need(view: ProcedureView, *steps: Step) -> None:
    if view.step not in steps:
        raise refuse("step", step=view.step.value)


def _go(view: ProcedureView, step: Step) -> Outcome:
    return change(view, step=step), (note("step", step=f"@step.{step.value}.name"),)


def _next_step(modules: ModuleCatalogue, view: ProcedureView) -> Outcome:
    _need(view, *STEPS[:-1])
    if reasons := blocked(view):
        raise Refusal("blocked", reasons[0])
    if view.step is Step.PLAN and conventional(view):
        return _go(view, Step.CLOSE)
    step = STEPS[STEPS.index(view.step) + 1]
    if step is Step.PLAN and view.plan is None:
        plan = default_plan(modules, view.teeth)
        view = change(view, plan=plan, limits=limits_in_force(modules, plan))
    if step is Step.PREFLIGHT:
        view = change(view, preflight=())  # What was confirmed by hand before a detour is asked again.
    if step is Step.RECOVER:
        view = change(view, recovery=(), check_in_due_us=None)
    return _go(view, step)


def _back(view: ProcedureView, name: str) -> Outcome:
    earlier = STEPS[: STEPS.index(view.step)]
    if begun(view) or view.ended_early or name not in [step.value for step in earlier]:
        raise refuse("back")
    view = change(view, baseline=msgspec.structs.replace(view.baseline, running=False))
    step = Step(name)
    if conventional(view) and STEPS.index(step) > STEPS.index(Step.PLAN):
        step = Step.PLAN
    return _go(view, step)


def _comfort(view: ProcedureView, answers: dict[str, int], words: str) -> Outcome:
    _need(view, *COMFORT_STEPS)
    if set(answers) != set(MDAS_KEYS) or any(not 0 <= value <= 5 for value in answers.values()):
        raise refuse("comfort")
    said: tuple[Effect, ...] = (note("comfort_words", "patient", words=words),) if words else ()
    return change(view, comfort=dict(answers), comfort_words=words), said


def _set_plan(modules: ModuleCatalogue, view: ProcedureView, intent: SetPlan) -> Outcome:
    _need(view, *PLAN_STEPS)
    if begun(view):
        raise refuse("begun")
    version = view.plan.version + 1 if view.plan is not None else 1
    plan = check_plan(modules, view.teeth, intent.modules, intent.own_limits, intent.data_choice, version=version)
    if view.plan is not None and msgspec.structs.replace(plan, version=view.plan.version) == view.plan:
        return view, ()
    voided = view.envelope is not None
    view = change(
        view,
        step=Step.PLAN,
        plan=plan,
        envelope=None,
        phases=(),
        preflight=(),
        teeth=mark_planned(modules, plan, view.teeth),
        limits=limits_in_force(modules, plan),
    )
    return view, (note("plan", version=plan.version), *((note("consent_void"),) if voided else ()))


def _sign_consent(modules: ModuleCatalogue, view: ProcedureView, how: str, actor: Operator, at_us: int) -> Outcome:
    _need(view, Step.CONSENT)
    if how not in WAYS:
        raise refuse("consent_way", how=how)
    if view.plan is None or conventional(view):
        raise refuse("plan_empty")
    envelope = sign_envelope(
        view.plan,
        limits_in_force(modules, view.plan),
        patient_id=view.patient_id,
        visit_id=view.visit_id,
        how=how,
        witness=actor.id,
        at_us=at_us,
    )
    phases = make_phases(modules, view.plan, simulated=view.simulated)
    return change(view, envelope=envelope, phases=phases), (note("consent", "patient", version=envelope.version),)


def _confirm(view: ProcedureView, key: str, passed: bool) -> Outcome:
    if view.step is Step.RECOVER:
        items = confirm(view.recovery, key, passed)
        if items is not None:
            return change(view, recovery=items), ()
    elif view.step in (Step.PREFLIGHT, Step.TREAT) and not begun(view):
        items = confirm(view.preflight, key, passed)
        if items is not None:
            return change(view, preflight=items), ()
    raise refuse("check", key=key)


def _start(modules: ModuleCatalogue, view: ProcedureView, at_us: int) -> Outcome:
    _need(view, Step.PREFLIGHT, Step.TREAT)
    if view.hold is not None or view.current_phase or begun(view):
        raise refuse("started")
    if reasons := open_items(preflight_items(view)):
        raise Refusal("blocked", reasons[0])
    if not covers_plan(view.envelope, view.plan) or waiting(view) is None:
        raise refuse("consent_void")
    return start_next(modules, change(view, step=Step.TREAT), at_us)


def _pause(view: ProcedureView, origin: HoldOrigin, at_us: int) -> Outcome:
    """Hold, whatever the view believes: an order to hold does no harm to a hub that is idle."""
    return hold_noted(view, hold(view, origin, at_us), OrderHold())


def _check_in(view: ProcedureView, answer: str, words: str, at_us: int) -> Outcome:
    _need(view, Step.TREAT)
    if answer not in ("fine", "unsure", "stop"):
        raise refuse("answer", answer=answer)
    said = note(f"check_in_{answer}", "patient", words=words)
    if answer == "stop":
        view, effects = _pause(view, HoldOrigin.PATIENT, at_us)
        return view, (*effects, said)
    if view.check_in_due_us is not None:
        view = change(view, check_in_due_us=at_us + CHECK_IN_US)
    return view, (said,)


def _skip(view: ProcedureView) -> Outcome:
    _need(view, Step.TREAT)
    phase = current(view)
    if phase is None:
        raise refuse("nothing_to_skip" if waiting(view) is None else "not_started")
    if phase.state is PhaseState.RUNNING and not phase.ending:
        return put_phase(view, phase.number, ending=True), (OrderEnd(),)
    if phase.state is not PhaseState.HELD:
        raise refuse("wait")
    view = hold_next(put_phase(view, phase.number, state=PhaseState.SKIPPED))
    return view, (OrderClear(), ReadHub(), note("phase_skipped", **phase_values(phase)))


def _end_early(view: ProcedureView, reason: str) -> Outcome:
    _need(view, *STEPS[:-1])
    said = note("ended_early", reason=reason)
    view = change(view, ended_early=True, check_in_due_us=None)
    if view.step is Step.RECOVER or not begun(view):
        return change(skip_rest(view), step=Step.CLOSE), (said,)
    phase = current(view)
    if phase is not None and phase.state is PhaseState.RUNNING:
        view = put_phase(skip_rest(view, keep=phase.number), phase.number, ending=True)
        return view, (OrderEnd(), said)
    view = change(skip_rest(view), step=Step.RECOVER, hold=None, current_phase=0, recovery=())
    return view, (OrderHold(), OrderClear(), ReadHub(), said)

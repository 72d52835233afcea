"""What the world did, worked into the view. Pure; `core.procedure.machine` dispatches here."""

from core.model.hub import HubStatus, Opcode, Receipt, TherapyState
from core.model.procedure import (
    Baseline,
    Facts,
    HoldOrigin,
    PhaseState,
    ProcedureView,
    Step,
)
from core.procedure.events import (
    BaselineSample,
    ClockJumped,
    ConsoleLost,
    DiskFull,
    Distrusted,
    Effect,
    Elapsed,
    EngineRestarted,
    Event,
    HubReported,
    LimitCrossed,
    LinkLost,
    LinkUp,
    OrderHold,
    OrderRefused,
    OrderStop,
    OrderUnknown,
    ReadHub,
    ReceiptCame,
    StopPressed,
    Woke,
)
from core.procedure.modules import ModuleCatalogue
from core.procedure.resume import answer, expire, void_touches
from core.procedure.treatment import (
    Outcome,
    Values,
    change,
    current,
    finish,
    follow,
    follow_held,
    hold,
    hold_noted,
    note,
    now_running,
    put_hold,
    put_phase,
    unexpected,
)

REMINDER_US = 20_000_000
"""Between two reminders of a check-in that is due, µs."""
STOP_OPCODE = 0
OWN_REASON = "limit.reason.own"
_BEGINS = (Opcode.START_PHASE, Opcode.RESUME)
_QUIETS = (STOP_OPCODE, Opcode.HOLD)


def observe(  # noqa: PLR0912  # one branch an event: a table would hide which fields each carries
    modules: ModuleCatalogue, view: ProcedureView, event: Event, at_us: int
) -> Outcome:
    """The view after an event, and what is to be done."""
    match event:
        case HubReported(status=status):
            return _reported(modules, view, status, at_us)
        case ReceiptCame(opcode=opcode, receipt=receipt) if receipt.accepted:
            return _accepted(modules, view, opcode, receipt, at_us)
        case ReceiptCame(opcode=opcode, receipt=receipt):
            return _refused(view, opcode, receipt, at_us)
        case OrderRefused(opcode=opcode, receipt=receipt):
            return _refused(view, opcode, receipt, at_us)
        case OrderUnknown(opcode=opcode):
            return _unknown(view, opcode, at_us)
        case StopPressed(by=by):
            return _stopped(view, by, at_us)
        case LimitCrossed(limit=limit, value=value):
            if not limit.holds:
                return view, ()
            values: Values = {
                "channel": f"@channel.{limit.channel}.name",
                "value": round(value, 2),
                "reason": f"@{limit.reason or OWN_REASON}",
            }
            return _holding(view, hold(view, HoldOrigin.LIMIT, at_us, values=values))
        case LinkLost():
            return _link_lost(view, at_us)
        case LinkUp():
            view = change(view, facts=_with_link(view.facts))
            return view, ((OrderHold(), ReadHub()) if view.hold is not None else (ReadHub(),))
        case ConsoleLost():
            return _holding(view, hold(view, HoldOrigin.CONSOLE, at_us))
        case Woke(slept_s=slept_s):
            return _holding(view, hold(view, HoldOrigin.WAKE, at_us, values={"seconds": round(slept_s)}), ReadHub())
        case Distrusted(why=why):
            return _holding(view, hold(view, HoldOrigin.TRUST, at_us, variant=why.value))
        case DiskFull():
            return _holding(view, hold(view, HoldOrigin.DISK, at_us))
        case EngineRestarted():
            return _restarted(view, at_us)
        case ClockJumped():
            return void_touches(view), ()
        case BaselineSample(means=means, seconds=seconds):
            return _baseline(view, means, seconds)
        case Elapsed(seconds=seconds):
            return expire(view, at_us), _reminders(view, seconds, at_us)
        case Facts():
            return change(view, facts=_without_values(event)), ()


def _without_values(facts: Facts) -> Facts:
    """The facts without the present values, which change all the time and are used once."""
    return Facts(**{name: getattr(facts, name) for name in Facts.__struct_fields__ if name != "values"})


def _with_link(facts: Facts) -> Facts:
    return Facts(link_up=True, recording=facts.recording, high_alarm=facts.high_alarm)


def _holding(before: ProcedureView, held: ProcedureView, *more: Effect) -> Outcome:
    """Therapy is held because of us: tell the hub, whatever it is believed to do."""
    if held.hold is None:
        return held, ()
    return hold_noted(before, held, OrderHold(), *more)


def _reported(modules: ModuleCatalogue, view: ProcedureView, status: HubStatus, at_us: int) -> Outcome:
    if view.step is not Step.TREAT:
        return unexpected(view, status)
    if view.hold is None:
        return follow(modules, view, status, at_us)
    view, effects = follow_held(modules, view, status, at_us)
    view, more = answer(view, status, at_us)
    return view, (*effects, *more)


def _accepted(modules: ModuleCatalogue, view: ProcedureView, opcode: int, receipt: Receipt, at_us: int) -> Outcome:
    phase = current(view)
    if opcode in _BEGINS:
        if receipt.therapy is not TherapyState.RUNNING:
            return view, (ReadHub(),)
        if view.hold is not None or phase is None or view.step is not Step.TREAT:
            return view, (OrderHold(),)
        if phase.state in (PhaseState.STARTING, PhaseState.UNKNOWN):
            return now_running(view, phase, at_us), ()
        return view, ()
    if opcode in _QUIETS and view.hold is not None:
        confirmed = receipt.therapy in (TherapyState.HELD, TherapyState.IDLE)
        return put_hold(view, hub_confirmed=confirmed), ()
    if opcode == Opcode.END_PHASE and phase is not None and phase.ending and receipt.therapy is TherapyState.IDLE:
        return finish(modules, view, phase.number, PhaseState.SKIPPED, at_us)
    if opcode in (Opcode.CLEAR, Opcode.END_PHASE):
        return view, (ReadHub(),)
    return view, ()


def _refused(view: ProcedureView, opcode: int, receipt: Receipt | None, at_us: int) -> Outcome:
    phase = current(view)
    waits = phase is not None and phase.state in (PhaseState.STARTING, PhaseState.UNKNOWN)
    if opcode in _BEGINS and view.hold is None and waits:
        code = receipt.code.name.lower() if receipt is not None else "not_sent"
        held = hold(view, HoldOrigin.HUB, at_us, variant="refused", values={"code": f"@receipt.{code}"})
        return hold_noted(view, held, ReadHub())
    if opcode == Opcode.END_PHASE and phase is not None and phase.ending:
        return _holding(view, hold(view, HoldOrigin.HUB, at_us, variant="not_ended"), ReadHub())
    return view, ((ReadHub(),) if receipt is not None else ())


def _unknown(view: ProcedureView, opcode: int, at_us: int) -> Outcome:
    phase = current(view)
    if view.hold is not None:
        return put_hold(view, hub_confirmed=False, hub_checked_us=None, patient_yes_us=None), (ReadHub(),)
    if opcode in _BEGINS and phase is not None and phase.state is PhaseState.STARTING:
        view = put_phase(view, phase.number, state=PhaseState.UNKNOWN)
        return view, (ReadHub(), note("order_unknown", "device"))
    if opcode == Opcode.END_PHASE and phase is not None and phase.ending:
        return _holding(view, hold(view, HoldOrigin.HUB, at_us, variant="not_ended"), ReadHub())
    return view, (ReadHub(),)


def _stopped(view: ProcedureView, by: str, at_us: int) -> Outcome:
    """STOP reaches the hub in every state, whatever this view believes."""
    origin = HoldOrigin.PATIENT if by == "patient" else HoldOrigin.OPERATOR
    held = hold(view, origin, at_us, variant="stop")
    held, effects = hold_noted(view, held)
    voice = "patient" if by == "patient" else "staff"
    return held, (OrderStop(), *effects, note("stop", voice))


def _link_lost(view: ProcedureView, at_us: int) -> Outcome:
    facts = Facts(link_up=False, recording=view.facts.recording, high_alarm=view.facts.high_alarm)
    view = change(view, facts=facts)
    if view.baseline.running:
        view = change(view, baseline=Baseline(needed=view.baseline.needed))
    held = hold(view, HoldOrigin.LINK, at_us)
    if held.hold is None:
        return held, ()
    return hold_noted(view, held)


def _restarted(view: ProcedureView, at_us: int) -> Outcome:
    view = change(view, facts=Facts())
    if view.baseline.running:
        view = change(view, baseline=Baseline(needed=view.baseline.needed))
    held = hold(view, HoldOrigin.ENGINE, at_us)
    if held.hold is None:
        return held, (ReadHub(),)
    held = put_hold(held, hub_confirmed=False)
    return hold_noted(view, held, OrderHold(), ReadHub())


def _baseline(view: ProcedureView, means: dict[str, float], seconds: float) -> Outcome:
    baseline = view.baseline
    if view.step is not Step.BASELINE or not baseline.running:
        return view, ()
    done = seconds >= baseline.needed
    view = change(view, baseline=Baseline(seconds=seconds, needed=baseline.needed, running=not done, means=dict(means)))
    return view, ((note("baseline_done", seconds=round(seconds)),) if done else ())


def _reminders(view: ProcedureView, seconds: float, at_us: int) -> tuple[Effect, ...]:
    """One note for each reminder that fell due since the last tick: at the due time, and every 20 s after it."""
    due = view.check_in_due_us
    if due is None or at_us < due:
        return ()
    before = at_us - round(seconds * 1_000_000)
    reached = (at_us - due) // REMINDER_US
    already = (before - due) // REMINDER_US if before >= due else -1
    return (note("check_in_due"),) if reached > already else ()

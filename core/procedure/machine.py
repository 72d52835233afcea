"""The procedure's state machine: nine steps, interlocks, and a treatment that nothing re-arms by itself.

Pure: no I/O and no clock of its own. The whole state is the view, so a machine made from a stored view goes on as the
one that stored it would have.
"""

import msgspec

from core.model.intents import Intent, Pause
from core.model.people import Operator, Patient, ToothState
from core.model.procedure import Baseline, Facts, Hold, ProcedureView, Step
from core.people.permissions import load_permissions
from core.procedure.act import act
from core.procedure.checks import begun, blocked, fresh_baseline, preflight_items, recovery_items
from core.procedure.events import Effect, Event, OrderHold
from core.procedure.modules import ModuleCatalogue
from core.procedure.observe import observe
from core.procedure.plan import limits_in_force
from core.procedure.refusal import refuse


class ProcedureMachine:
    """One chair's procedure.

    Attributes:
        modules: what there is to choose from.
        view: the state; a new value with each change, never altered in place.
    """

    def __init__(self, modules: ModuleCatalogue, view: ProcedureView) -> None:
        self.modules = modules
        self.view = view

    @classmethod
    def begin(
        cls,
        modules: ModuleCatalogue,
        *,
        visit_id: str,
        visit_code: str,
        patient: Patient,
        chair: int,
        teeth: tuple[ToothState, ...],
        at_us: int,
        simulated: bool | None = None,
    ) -> "ProcedureMachine":
        """A visit that begins: the patient is being seated.

        Args:
            simulated: whether the devices are; None takes it from the patient. Phases then last their `demo_seconds`.
        """
        simulated = patient.simulated if simulated is None else simulated
        view = ProcedureView(
            visit_id=visit_id,
            visit_code=visit_code,
            patient_id=patient.id,
            chair=chair,
            step=Step.SEAT,
            began_us=at_us,
            baseline=fresh_baseline(simulated),
            teeth=teeth,
            limits=limits_in_force(modules, None),
            simulated=simulated,
        )
        return cls(modules, _derive(modules, view, Facts()))

    def act(self, intent: Intent, *, actor: Operator, at_us: int, revision: int | None) -> tuple[Effect, ...]:
        """Carry out what a person wants.

        Args:
            revision: of the view that the person was looking at; None is not compared.

        Raises:
            Refusal: `role`, `stale`, `closed`, `blocked`, or a reason of the intent's own. The view is unchanged then.
        """
        if not load_permissions().may_want(actor, intent, self.view.step):
            raise refuse("role")
        if revision is not None and revision != self.view.revision and not isinstance(intent, Pause):
            raise refuse("stale")
        if self.view.closed:
            if isinstance(intent, Pause):
                return (OrderHold(),)
            raise refuse("closed")
        view, effects = act(self.modules, self.view, intent, actor, at_us)
        self._become(view, self.view.facts)
        return effects

    def observe(self, event: Event, *, at_us: int) -> tuple[Effect, ...]:
        """Take in what the world did. Never refuses."""
        view, effects = observe(self.modules, self.view, event, at_us)
        self._become(view, event if isinstance(event, Facts) else view.facts)
        return effects

    def _become(self, view: ProcedureView, facts: Facts) -> None:
        view = _derive(self.modules, view, facts)
        if _meaning(view) != _meaning(self.view):
            view = msgspec.structs.replace(view, revision=self.view.revision + 1)
        self.view = view


def _derive(modules: ModuleCatalogue, view: ProcedureView, facts: Facts) -> ProcedureView:
    """What follows from the rest of the view: check lists and what blocks the step."""
    if view.step is Step.PREFLIGHT or (view.step is Step.TREAT and not begun(view)):
        view = msgspec.structs.replace(view, preflight=preflight_items(view))
    if view.step is Step.RECOVER:
        view = msgspec.structs.replace(view, recovery=recovery_items(view, modules, facts))
    return msgspec.structs.replace(view, blocked=blocked(view))


def _meaning(view: ProcedureView) -> ProcedureView:
    """The view without what only shows progress. Two views of one meaning share their revision."""
    hold: Hold | None = view.hold
    if hold is not None:
        hold = msgspec.structs.replace(
            hold, hub_confirmed=False, hub_was_held=False, hub_asked_us=None, hub_holds_phase=False, hub_cause=None
        )
    return msgspec.structs.replace(
        view,
        revision=0,
        hold=hold,
        facts=Facts(),
        blocked=(),
        check_in_due_us=None,
        baseline=Baseline(needed=view.baseline.needed, running=view.baseline.running),
        preflight=tuple(item for item in view.preflight if item.by_hand),
        recovery=tuple(item for item in view.recovery if item.by_hand),
        phases=tuple(msgspec.structs.replace(phase, elapsed_s=0.0, delivered_before_s=0.0) for phase in view.phases),
    )

"""Who may do what. STOP needs no role and is no intent."""

from core.model.intents import (
    BackToStep,
    CheckIn,
    Intent,
    NextStep,
    Pause,
    SetComfort,
    StartBaseline,
)
from core.model.people import Operator, Role
from core.model.procedure import STEPS, Step

BEFORE_PLAN = (Step.SEAT, Step.LISTEN, Step.BASELINE)


def may(actor: Operator, intent: Intent, step: Step) -> bool:
    """Whether the actor's role allows this intent at this step.

    An assistant prepares (seat, comfort, baseline), asks how the patient is and pauses. Plan, consent, treatment,
    recovery and signature are a dentist's.
    """
    if not actor.active:
        return False
    if actor.role is Role.DENTIST:
        return True
    match intent:
        case SetComfort() | StartBaseline() | Pause() | CheckIn():
            return True
        case NextStep():
            return step in BEFORE_PLAN
        case BackToStep(step=target):
            return STEPS.index(step) <= STEPS.index(Step.PLAN) and target in BEFORE_PLAN
        case _:
            return False

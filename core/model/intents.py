"""What a person wants of a procedure, as said at the screen. Tagged, so that one message can carry any of them."""

import msgspec

from core.model.limits import Limit
from core.model.procedure import ModulePlan


class Intention(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The base of all."""


class NextStep(Intention, frozen=True, kw_only=True):
    """Leave the present step for the next; refused while something blocks it."""


class BackToStep(Intention, frozen=True, kw_only=True):
    """Go back to an earlier step before treatment. Consent given is void when the plan is changed after it."""

    step: str


class SetComfort(Intention, frozen=True, kw_only=True):
    """MDAS answers by item key (`mdas1`…`mdas5`), 1–5 each, and the agreed words in the patient's own voice."""

    answers: dict[str, int]
    words: str = ""


class StartBaseline(Intention, frozen=True, kw_only=True):
    """Measure the resting values (again)."""


class SetPlan(Intention, frozen=True, kw_only=True):
    """The plan as it now stands; checked against the module catalogue."""

    modules: tuple[ModulePlan, ...]
    own_limits: tuple[Limit, ...]
    data_choice: str


class SignConsent(Intention, frozen=True, kw_only=True):
    """The patient agreed. `how`: `patient_screen` or `aloud`."""

    how: str


class ConfirmCheck(Intention, frozen=True, kw_only=True):
    """A person confirms one line of the pre-flight or recovery check."""

    key: str
    passed: bool


class StartTherapy(Intention, frozen=True, kw_only=True):
    """Start the first phase that waits."""


class Pause(Intention, frozen=True, kw_only=True):
    """Hold therapy. `by`: `operator` or `patient`."""

    by: str = "operator"


class CheckHub(Intention, frozen=True, kw_only=True):
    """First touch to resume: read the hub's state afresh."""


class PatientYes(Intention, frozen=True, kw_only=True):
    """Second touch to resume. `how`: `patient_screen` or `aloud`."""

    how: str


class Resume(Intention, frozen=True, kw_only=True):
    """Third touch to resume."""


class SkipPhase(Intention, frozen=True, kw_only=True):
    """Leave out the phase that runs, or the next one."""


class CheckIn(Intention, frozen=True, kw_only=True):
    """Asked the patient; `answer`: `fine`, `unsure` or `stop`, with their words."""

    answer: str
    words: str = ""


class EndEarly(Intention, frozen=True, kw_only=True):
    """End the treatment here and go on to recovery (or, before treatment, to the summary)."""

    reason: str


class SignSummary(Intention, frozen=True, kw_only=True):
    """The signature that closes the visit."""

    note: str = ""


Intent = (
    NextStep
    | BackToStep
    | SetComfort
    | StartBaseline
    | SetPlan
    | SignConsent
    | ConfirmCheck
    | StartTherapy
    | Pause
    | CheckHub
    | PatientYes
    | Resume
    | SkipPhase
    | CheckIn
    | EndEarly
    | SignSummary
)

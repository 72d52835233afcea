"""The lock after idle: when it falls, and when it only takes names off the screen.

It never locks away a person who treats: from consent to recovery names go and everything else stays.
"""

from collections.abc import Callable
from enum import StrEnum

from app.engine.clock import AsyncClock
from core.model.people import Operator, Role
from core.model.procedure import ProcedureView, Step

DEFAULT_MINUTES, MOST_MINUTES = 5, 15
"""Five: a patient is often alone in the chair for some minutes, seldom for more (our judgement, check). Fifteen is the
most that PCI DSS 4.0, 8.2.8, allows for a session of anybody."""
ATTENDED = (Step.CONSENT, Step.PREFLIGHT, Step.TREAT, Step.RECOVER)
CLINICIANS = (Role.DENTIST, Role.ASSISTANT)


class Idle(StrEnum):
    """What is to be done now."""

    NOTHING = "nothing"
    DIM = "dim"
    LOCK = "lock"


def attended(view: ProcedureView | None) -> bool:
    """Whether somebody agrees to treatment, is treated, held or not, or recovers: a dentist is with them."""
    return view is not None and not view.closed and view.step in ATTENDED


class IdleWatch:
    """Knows when somebody last touched anything; a monotonic clock counts."""

    def __init__(self, clock: AsyncClock, minutes: Callable[[], int], attended: Callable[[], bool]) -> None:
        self._clock = clock
        self._minutes = minutes
        self._attended = attended
        self._touched = clock.monotonic()

    def touched(self) -> None:
        self._touched = self._clock.monotonic()

    def look(self, operator: Operator | None) -> Idle:
        """The demo's operator has no PIN and nothing that is real; it stays."""
        if operator is None or operator.demo or self._clock.monotonic() - self._touched < 60.0 * self._minutes():
            return Idle.NOTHING
        return Idle.DIM if operator.role in CLINICIANS and self._attended() else Idle.LOCK

"""Companions: what each patient let somebody see, until when, and that it was taken back."""

import msgspec

from app.engine.clock import AsyncClock
from core.model.access import Companion
from core.model.people import Operator, Role
from core.model.words import Text
from core.procedure.refusal import Refusal
from core.record.practice import PracticeFile

SETTING = "access.companions"
MOST_DAYS = 365
WAYS = ("patient_screen", "aloud")
_DAY_US = 86_400_000_000


class CompanionDesk:
    """In the practice's file; nothing is overwritten there, so that former agreements can be found."""

    def __init__(self, practice: PracticeFile, clock: AsyncClock) -> None:
        self._practice = practice
        self._clock = clock
        stored = practice.setting(SETTING, "[]") or "[]"
        self._known = {one.operator_id: one for one in msgspec.json.decode(stored, type=list[Companion])}

    @property
    def everybody(self) -> tuple[Companion, ...]:
        return tuple(self._known.values())

    def of(self, operator: Operator | None) -> Companion | None:
        """What counts now for this person; None for anybody else, and when it is over."""
        if operator is None or operator.role is not Role.COMPANION:
            return None
        one = self._known.get(operator.id)
        over = one is None or one.withdrawn_us is not None or self._clock.utc_us() >= one.until_us
        return None if over else one

    def agreed(
        self,
        operator: Operator,
        *,
        patient_id: str,
        code: str,
        scope: frozenset[str],
        days: int,
        how: str,
        witness: str,
    ) -> Companion:
        """Keep what a patient agreed to. `scope`: of `live`, `reports`, `history`. Raises Refusal, RecordError."""
        self.check(scope=scope, days=days, how=how)
        now = self._clock.utc_us()
        one = Companion(
            operator_id=operator.id,
            patient_id=patient_id,
            code=code,
            live="live" in scope,
            reports="reports" in scope,
            history="history" in scope,
            until_us=now + days * _DAY_US,
            consented_us=now,
            how=how,
            witness=witness,
        )
        self._write({**self._known, operator.id: one})
        return one

    @staticmethod
    def check(*, scope: frozenset[str], days: int, how: str) -> None:
        """Raises Refusal: nothing was agreed to, or not for how long, or not how."""
        if not scope or not 1 <= days <= MOST_DAYS or how not in WAYS:
            raise Refusal("companion_scope", Text("refused.companion_scope", {"days": MOST_DAYS}))

    def withdraw(self, operator_id: str) -> Companion:
        """The patient takes it back. Raises Refusal: there is no such companion. RecordError."""
        one = self._known.get(operator_id)
        if one is None:
            raise Refusal("companion_unknown", Text("refused.companion_unknown"))
        one = msgspec.structs.replace(one, withdrawn_us=one.withdrawn_us or self._clock.utc_us())
        self._write({**self._known, operator_id: one})
        return one

    def _write(self, known: dict[str, Companion]) -> None:
        self._practice.set_setting(SETTING, msgspec.json.encode(list(known.values())).decode())
        self._known = known

"""Data opened for an emergency: by whom, of whom, why, until when, and whether a dentist has read of it."""

import logging
from collections.abc import Callable

import msgspec

from app.engine.clock import AsyncClock
from core.model.access import Emergency
from core.model.ids import new_id
from core.model.people import Operator
from core.model.words import Text
from core.procedure.refusal import Refusal
from core.record import RecordError
from core.record.practice import PracticeFile

log = logging.getLogger(__name__)

SECONDS = 15 * 60
SHORTEST, LONGEST = 10, 500
"""Length of a reason, characters."""
SETTING = "access.emergencies"


class EmergencyDesk:
    """At most one is open; it belongs to who is logged in and ends with the login.

    What nobody has seen yet stands in the practice's file, so that a restart forgets none of it.
    """

    def __init__(self, practice: PracticeFile, clock: AsyncClock) -> None:
        self._practice = practice
        self._clock = clock
        stored = practice.setting(SETTING, "[]") or "[]"
        self._unseen = {one.id: one for one in msgspec.json.decode(stored, type=list[Emergency])}
        self._current = ""
        self._until = 0.0
        self._ended: list[Callable[[Emergency], None]] = []

    def listen(self, ended: Callable[[Emergency], None]) -> None:
        """`ended` is told of each that ends, however it ends."""
        self._ended.append(ended)

    @property
    def current(self) -> Emergency | None:
        """The one that is open."""
        return self._unseen.get(self._current) if self._clock.monotonic() < self._until else None

    @property
    def standing(self) -> tuple[Emergency, ...]:
        """Those that no dentist has seen, the newest first."""
        return tuple(sorted(self._unseen.values(), key=lambda one: -one.began_us))

    def covers(self, patient_id: str) -> bool:
        current = self.current
        return current is not None and bool(patient_id) and current.patient_id == patient_id

    def open(self, operator: Operator, *, chair: int, patient_id: str, code: str, reason: str) -> Emergency:
        """Raises Refusal: the reason is too short or too long. RecordError: it cannot be written, and is not opened."""
        if not SHORTEST <= len(reason.strip()) <= LONGEST:
            values: dict[str, str | int | float] = {"shortest": SHORTEST, "longest": LONGEST}
            raise Refusal("emergency_reason", Text("refused.emergency_reason", values))
        began = self._clock.utc_us()
        one = Emergency(
            id=new_id(),
            operator_id=operator.id,
            who=operator.name,
            role=operator.role.value,
            chair=chair,
            patient_id=patient_id,
            code=code,
            reason=reason,
            began_us=began,
            until_us=began + SECONDS * 1_000_000,
        )
        self._write({**self._unseen, one.id: one})
        self._current, self._until = one.id, self._clock.monotonic() + SECONDS
        return one

    def end(self) -> Emergency | None:
        """Close the one that is open; returns it. The one whose time is over is closed as well."""
        one, self._current, self._until = self._unseen.get(self._current), "", 0.0
        if one is None:
            return None
        one = msgspec.structs.replace(one, ended_us=min(self._clock.utc_us(), one.until_us))
        try:
            self._write({**self._unseen, one.id: one})
        except RecordError as error:
            log.error("the end of an emergency could not be written: %s", error)
        for ended in self._ended:
            ended(one)
        return one

    def over(self) -> bool:
        """Whether the time of the one that was opened has run out, and nobody closed it yet."""
        return bool(self._current) and self._clock.monotonic() >= self._until

    def seen(self, emergency_id: str, dentist: Operator) -> Emergency:
        """A dentist has read of it. Raises Refusal: it is gone, or still open. RecordError."""
        one = self._unseen.get(emergency_id)
        if one is None:
            raise Refusal("emergency_gone", Text("refused.emergency_gone"))
        if one.id == self._current:
            self.end()
        self._write({key: other for key, other in self._unseen.items() if key != emergency_id})
        return msgspec.structs.replace(one, seen_by=dentist.name, seen_us=self._clock.utc_us())

    def _write(self, unseen: dict[str, Emergency]) -> None:
        self._practice.set_setting(SETTING, msgspec.json.encode(list(unseen.values())).decode())
        self._unseen = unseen

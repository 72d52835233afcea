"""Who is at the workstation, and whose teeth they look at."""

import itertools
import logging
from collections.abc import Callable, Iterable

from app.engine.chair import Chair
from app.engine.clock import AsyncClock
from core.model.ids import new_id
from core.model.people import Operator, Role, ToothState
from core.model.words import Text
from core.people.demo import Demo
from core.people.pin import check_pin, hash_pin
from core.people.teeth import after_visit, healthy_teeth
from core.procedure.refusal import Refusal
from core.record import RecordError
from core.record.practice import PracticeFile

log = logging.getLogger(__name__)

FREE_TRIES = 3
LONGEST_WAIT_S = 300.0


def no(code: str, **values: str | int | float) -> Refusal:
    return Refusal(code, Text(f"refused.{code}", values), None)


class PeopleDesk:
    """Operators and logins. Wrong PINs make the next try wait, longer each time.

    Attributes:
        operator: who is logged in, None when the workstation is locked.
    """

    def __init__(
        self, practice: PracticeFile, *, demo: Demo | None, chairs: Callable[[], Iterable[Chair]], clock: AsyncClock
    ) -> None:
        self._practice = practice
        self._demo = demo
        self._chairs = chairs
        self._clock = clock
        self._wrong: dict[str, tuple[int, float]] = {}
        self.operator: Operator | None = None
        if demo is not None and not any(known.demo for known in practice.operators()):
            practice.add_operator(demo.operator, "")
        if demo is not None:
            self.operator = demo.operator

    def operators(self) -> tuple[Operator, ...]:
        return tuple(known for known in self._practice.operators() if known.active)

    def names(self) -> dict[str, str]:
        """Name by id, of everybody who ever had an account."""
        return {known.id: known.name for known in self._practice.operators(closed=True)}

    def login(self, operator_id: str, pin: str) -> Operator:
        """Raises Refusal: unknown person, wrong PIN, or too many wrong ones."""
        operator = next((known for known in self.operators() if known.id == operator_id), None)
        if operator is None:
            raise no("unknown_operator")
        tries, until = self._wrong.get(operator_id, (0, 0.0))
        wait = until - self._clock.monotonic()
        if wait > 0:
            raise no("pin_wait", seconds=round(wait) or 1)
        if not operator.demo and not self._pin_fits(operator_id, pin):
            tries += 1
            pause = min(LONGEST_WAIT_S, 2.0 ** (tries - FREE_TRIES + 1)) if tries >= FREE_TRIES else 0.0
            self._wrong[operator_id] = (tries, self._clock.monotonic() + pause)
            self._remember(operator_id, "refused")
            for chair in itertools.islice(self._chairs(), 1):
                chair.log("login", Text("log.login_refused", {"name": operator.name}))
            raise no("pin")
        self._wrong.pop(operator_id, None)
        self._remember(operator_id, "in")
        self.operator = operator
        return operator

    def logout(self) -> Operator | None:
        """Lock the workstation; returns who was there."""
        operator, self.operator = self.operator, None
        if operator is not None:
            self._remember(operator.id, "out")
        return operator

    def add(self, name: str, role: str, pin: str) -> Operator:
        """Raises Refusal: no name, an unknown role, or a PIN that is too easy."""
        if not name.strip():
            raise no("empty_name")
        if role not in tuple(Role):
            raise no("role_unknown")
        operator = Operator(id=new_id(), name=name.strip(), role=Role(role))
        self._practice.add_operator(operator, hash_pin(pin))
        return operator

    def close_account(self, operator_id: str) -> None:
        """Raises Refusal: unknown person, or the last dentist."""
        dentists = [known for known in self.operators() if known.role is Role.DENTIST]
        if [known.id for known in dentists] == [operator_id]:
            raise no("last_dentist")
        if operator_id not in [known.id for known in self.operators()]:
            raise no("unknown_operator")
        self._practice.close_operator(operator_id)
        if self.operator is not None and self.operator.id == operator_id:
            self.operator = None

    async def teeth(self, patient_id: str) -> tuple[ToothState, ...]:
        """The odontogram as the newest visit left it, over all chairs; for a new patient, the demo's or none known."""
        newest: tuple[int, tuple[ToothState, ...]] | None = None
        for chair in self._chairs():
            for visit in await chair.do(lambda record: record.visits(patient_id)):
                view = await chair.do(lambda record, visit=visit: record.procedure(visit.id))  # type: ignore[misc]
                if view is not None and view.teeth and (newest is None or visit.began_us > newest[0]):
                    newest = (visit.began_us, view.teeth)
        if newest is not None:
            return after_visit(newest[1])
        if self._demo is not None:
            for person in self._demo.patients:
                if person.patient.id == patient_id:
                    return person.teeth
        return healthy_teeth()

    def _remember(self, operator_id: str, outcome: str) -> None:
        """Into the practice's own list; a full disk keeps nobody from the workstation."""
        try:
            self._practice.log_login(operator_id, outcome)
        except RecordError as error:
            log.error("a login could not be written: %s", error)

    def _pin_fits(self, operator_id: str, pin: str) -> bool:
        return check_pin(self._practice.pin_hash(operator_id), pin)

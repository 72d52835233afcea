"""Every view of a patient's data is written down, in the audit log of the chair where it belongs."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from app.engine.people_desk import PeopleDesk
from core.model.people import Operator
from core.people.views import KIND, MOST_NAMED

if TYPE_CHECKING:
    from app.engine.chair import Chair


class ViewLog:
    """A view under an emergency is marked so. What goes on, such as the live view, counts once a login."""

    def __init__(self, people: PeopleDesk, chairs: "Callable[[int], Chair]") -> None:
        self._people = people
        self._chairs = chairs
        self._known: tuple[int, set[tuple[str, str]]] = (-1, set())

    def viewed(
        self,
        kind: str,
        chair: int,
        *,
        patient: str = "",
        visit: str = "",
        once: bool = False,
        by: Operator | None = None,
        **more: object,
    ) -> None:
        """
        Args:
            chair: 0 is written with the first one.
            once: not again in this login.
            by: who looked, where it is told only after a long job; else who is logged in.
            more: what else is known, such as the id of a file.
        """
        operator = by or self._people.operator
        if operator is None or (not patient and not visit):
            return
        known, key = self._seen(), (kind, visit or patient)
        if once and key in known:
            return
        known.add(key)
        about = {"patient": patient, "visit": visit, **more}
        self._write(kind, chair, {name: value for name, value in about.items() if value}, patient, operator)

    def listed(self, patients: Iterable[str]) -> None:
        """Names came up in a list: a view of each of them, once a login, however long the list was."""
        operator = self._people.operator
        if operator is None:
            return
        known = self._seen()
        fresh = [one for one in dict.fromkeys(patients) if ("list", one) not in known]
        known.update(("list", one) for one in fresh)
        for part in range(0, len(fresh), MOST_NAMED):
            self._write("list", 0, {"patients": fresh[part : part + MOST_NAMED]}, "", operator)

    def _seen(self) -> set[tuple[str, str]]:
        """What was looked at in this login: kind, and visit or patient."""
        if self._known[0] != self._people.session:
            self._known = (self._people.session, set())
        return self._known[1]

    def _write(self, kind: str, chair: int, about: dict[str, object], patient: str, operator: Operator) -> None:
        one = self._chairs(chair)
        emergency = self._people.emergencies.current
        body: dict[str, object] = {"kind": kind, "chair": chair, "role": operator.role.value, **about}
        if emergency is not None and patient in ("", emergency.patient_id):
            body["emergency"] = emergency.id
        at_us = one.house.clock.utc_us()
        one.recorder.note(lambda record: record.audit(KIND, actor=operator.id, at_us=at_us, body=body))

"""What time alone changes at the screen: it locks, it goes without names, an emergency or a companion's time ends."""

from typing import TYPE_CHECKING

import msgspec

from app.engine.idle import DEFAULT_MINUTES, Idle, IdleWatch, attended
from core.model.access import Emergency
from core.model.people import Role
from core.model.words import Text

if TYPE_CHECKING:
    from app.engine.house import Engine

LOCK, NAMES = "lock.minutes", "names.shown"
"""Settings in the practice file."""


class ScreenLock:
    """Locks, and takes names off the screen; whoever touches it gets them back."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self.idle = IdleWatch(engine.clock, lambda: self.minutes, self._attended)
        engine.people.emergencies.listen(self._emergency_ended)

    @property
    def minutes(self) -> int:
        """Without a touch, after which it locks."""
        stored = self._engine.practice_file.setting(LOCK)
        return msgspec.json.decode(stored, type=int) if stored is not None else DEFAULT_MINUTES

    def set_minutes(self, minutes: int) -> None:
        self._engine.practice_file.set_setting(LOCK, str(minutes))
        self._engine.touched()

    @property
    def names_shown(self) -> bool:
        """Whether names stand in full; hidden until somebody decides otherwise, since a patient may see a screen."""
        return self._engine.practice_file.setting(NAMES) == "true"

    def show_names(self, shown: bool) -> None:
        self._engine.practice_file.set_setting(NAMES, "true" if shown else "false")
        self._engine.touched()

    def active(self) -> None:
        """Somebody touched the screen; names that were left out come back."""
        self.idle.touched()
        self._dim(False)

    def look(self) -> None:
        """Whether nobody touches anything, an emergency is over, or a companion's time is."""
        people = self._engine.people
        operator = people.operator
        verdict = self.idle.look(operator)
        if operator is not None and operator.role is Role.COMPANION and people.companions.of(operator) is None:
            self._lock("companion")
        elif verdict is Idle.LOCK:
            self._lock("idle")
        elif verdict is Idle.DIM:
            self._dim(True)
        if people.emergencies.over():
            people.emergencies.end()
            self._engine.news.send_all()

    def woke(self) -> None:
        """The machine slept, so nobody was at it."""
        operator = self._engine.people.operator
        if operator is not None and not operator.demo:
            self._lock("woke")

    def _lock(self, why: str) -> None:
        """Log out whoever is there. `why`: `idle`, `woke` or `companion`."""
        engine = self._engine
        operator = engine.people.logout()
        if operator is None:
            return
        engine.access.dimmed = False
        engine.audit(f"access.locked_{why}", Text(f"log.locked_{why}", {"name": operator.name}), operator.id, {})
        engine.news.send_all()
        engine.spawn(engine.operator_changed())

    def _dim(self, dimmed: bool) -> None:
        if self._engine.access.dimmed != dimmed:
            self._engine.access.dimmed = dimmed
            self._engine.news.send_all()

    def _attended(self) -> bool:
        return any(attended(chair.view) for chair in self._engine.chairs.values())

    def _emergency_ended(self, one: Emergency) -> None:
        text = Text("log.emergency_ended", {"name": one.who})
        self._engine.audit("access.emergency_ended", text, one.operator_id, {"emergency": one.id}, chair=one.chair)

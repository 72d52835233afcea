"""What the screens know of chairs and workstation, and the one way to ask the engine for anything."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

from PySide6.QtCore import QObject, Signal

from app.ipc.messages import Act, Chair, Push, Refused, Reply, Request, Workstation
from core.model.alarm import Alarm, AlarmState
from core.model.clock import Clock, SystemClock
from core.model.hub import LinkState, TherapyState
from core.model.intents import Intent
from core.model.words import Text
from core.people.permissions import load_permissions

if TYPE_CHECKING:
    from app.ipc.ring import RingPoll

StopState = Literal["ready", "asked", "held", "was_held"]

STOP_SHOWN_S = 10.0
"""How long a STOP that was obeyed is still shown as such."""

STALE_AFTER_S = 2.0
"""A value older than this is unknown, not live."""


class Backend(Protocol):
    """The engine as the screens see it. Every callback comes in the thread of the screens."""

    def request(self, body: Request, done: Callable[[Reply], None]) -> None:
        """Ask without waiting; exactly one reply follows, a `Refused` when the engine is gone."""
        ...

    def stop(self, chair: int) -> None:
        """STOP on its own connection, ahead of everything; 0 stops all."""
        ...

    def history(self, chair: int) -> "RingPoll | None":
        """Everything that the chair's ring still holds; None without a ring."""
        ...


class Store(QObject):
    """State in, intents out. Pages read it and listen to its signals; they hold no copies.

    Signals:
        chair_changed: number of the chair.
        samples_arrived: number of the chair, app.ipc.ring.RingPoll.
        link_changed: the engine came or went (`connected`).
        current_changed: another chair is in context.
        stop_asked: number of the chair that was told to stop, 0 all.
        noticed: core.model.words.Text that a person should read, its remedy or None.
        open_page: key of the page to show.
    """

    chair_changed = Signal(int)
    workstation_changed = Signal()
    link_changed = Signal()
    current_changed = Signal()
    discreet_changed = Signal()
    samples_arrived = Signal(int, object)
    stop_asked = Signal(int)
    noticed = Signal(object, object)
    open_page = Signal(str)

    def __init__(self, backend: Backend, *, clock: Clock | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.backend = backend
        self.clock = clock or SystemClock()
        self.workstation: Workstation | None = None
        self.connected = False
        self.ever_connected = False
        self.restarting = False
        self.practice = ""
        self.data_folder = ""
        self.simulated = False
        self.current = 0
        self.discreet = True
        self._chairs: dict[int, Chair] = {}
        self._seen: dict[int, float] = {}
        self._stops: dict[int, float] = {}
        self._stopped: set[int] = set()
        self._heard_at: float | None = None

    def monotonic(self) -> float:
        """Seconds on the clock that all processes share."""
        return self.clock.monotonic()

    # what is known

    def chair(self, number: int) -> Chair | None:
        return self._chairs.get(number)

    def chairs(self) -> list[Chair]:
        """By number."""
        return [self._chairs[number] for number in sorted(self._chairs)]

    def fresh(self, number: int) -> bool:
        """Whether what we know of the chair is live: the engine is there and spoke of this chair within 2 s."""
        seen = self._seen.get(number)
        return self.answering and seen is not None and self.monotonic() - seen <= STALE_AFTER_S

    @property
    def answering(self) -> bool:
        """Whether the engine is there and has said anything within 2 s; a frozen engine is as good as none."""
        return self.connected and self._heard_at is not None and self.monotonic() - self._heard_at <= STALE_AFTER_S

    def value(self, number: int, channel: str) -> float | None:
        """The newest physical value of a channel; None when it is silent or stale."""
        chair = self._chairs.get(number)
        return chair.values.get(channel) if chair is not None and self.fresh(number) else None

    def stop_state(self, chair: int) -> StopState:
        """What became of STOP for a chair, or for all (0).

        `asked` until the hub reports no therapy, then `held`, and `was_held` while it is not heard of any more.
        """
        numbers = [one.number for one in self.chairs() if chair in (one.number, 0 if one.hub_address else None)]
        pressed = [number for number in numbers if number in self._stops]
        if not pressed or len(pressed) < len(numbers):
            return "ready"
        if not all(number in self._stopped for number in pressed):
            return "asked"
        return "held" if all(self.hears(number) for number in pressed) else "was_held"

    def hears(self, number: int) -> bool:
        """Whether the chair's hub is heard of now: engine, link and a fresh status."""
        chair = self._chairs.get(number)
        return self.answering and chair is not None and chair.link is LinkState.UP and chair.hub is not None

    def history(self, chair: int) -> "RingPoll | None":
        """What the ring still holds; nothing of a chair that is not shown."""
        return self.backend.history(chair) if self.shown(chair) else None

    def alarms(self, chair: int | None = None) -> list[Alarm]:
        """Alarms that have not ended, the worst and then the newest first; of one chair, or all."""
        if self.workstation is None:
            return []
        found = [
            alarm
            for alarm in self.workstation.alarms
            if alarm.state is not AlarmState.ENDED and chair in (None, alarm.chair)
        ]
        return sorted(found, key=lambda alarm: (-alarm.priority, -alarm.began_us))

    def may(self, act: str) -> bool:
        """Whether who is logged in may ask for this; the engine decides, this only keeps buttons honest."""
        return self.workstation is not None and act in self.workstation.may

    def may_want(self, intent: Intent, number: int) -> bool:
        """Whether who is logged in may want this of a chair's procedure as it stands; as `may`."""
        chair, station = self._chairs.get(number), self.workstation
        if station is None or station.operator is None or chair is None or chair.procedure is None:
            return False
        return load_permissions().may_want(station.operator, intent, chair.procedure.step)

    def shown(self, number: int) -> bool:
        """Whether who is logged in sees what is done at a chair."""
        chair = self._chairs.get(number)
        return chair is None or chair.shown

    # what comes in

    def apply(self, push: Push) -> None:
        """Take in news from the engine."""
        self.heard()
        if isinstance(push, Workstation):
            self.workstation = push
            self.practice = push.practice or self.practice
            self._set_discreet(not push.names_shown)
            for gone in set(self._chairs) - set(push.chairs or self._chairs):
                del self._chairs[gone]
            self.workstation_changed.emit()
            return
        self._seen[push.number] = self.monotonic()
        self._chairs[push.number] = push
        self._watch_stop(push)
        self.chair_changed.emit(push.number)

    def heard(self) -> None:
        """The engine said something, be it only that it lives."""
        was, self._heard_at = self.answering, self.monotonic()
        if not was:
            self.link_changed.emit()

    def samples(self, chair: int, poll: "RingPoll") -> None:
        """Hand new samples to whoever draws them; they show that the chair is alive as well."""
        self._seen[chair] = self.monotonic()
        if self.shown(chair):
            self.samples_arrived.emit(chair, poll)

    def set_link(self, connected: bool, *, restarting: bool = False) -> None:
        """The engine came or went."""
        if (connected, restarting) != (self.connected, self.restarting):
            self.connected, self.restarting = connected, restarting
            self.ever_connected = self.ever_connected or connected
            self.link_changed.emit()

    def welcome(self, *, practice: str, data_folder: str, simulated: bool) -> None:
        """What the engine said of itself."""
        self.practice, self.data_folder, self.simulated = practice, data_folder, simulated
        self.heard()
        self.link_changed.emit()

    def _set_discreet(self, discreet: bool) -> None:
        """Whether names are initials until touched; a console begins with that, since a patient may see its screen."""
        if discreet != self.discreet:
            self.discreet = discreet
            self.discreet_changed.emit()

    def set_current(self, chair: int) -> None:
        """Put a chair in context; 0: none."""
        if chair != self.current:
            self.current = chair
            self.current_changed.emit()

    def go(self, page: str, chair: int | None = None) -> None:
        """Open a page by its key, with another chair in context if one is named."""
        if chair is not None:
            self.set_current(chair)
        self.open_page.emit(page)

    # what goes out

    def ask(self, body: Request, done: Callable[[Reply], None] | None = None) -> None:
        """Ask the engine; never waits. A refusal that nobody takes becomes a notice."""
        self.backend.request(body, done or self._take)

    def act(self, chair: int, intent: Intent, done: Callable[[Reply], None] | None = None) -> None:
        """Say what a person wants of a chair's procedure, against the revision that they are looking at."""
        seen = self._chairs.get(chair)
        revision = seen.procedure.revision if seen is not None and seen.procedure is not None else 0
        self.ask(Act(chair=chair, revision=revision, intent=intent), done)

    def stop(self, chair: int) -> None:
        """STOP: no login, no confirmation; 0 stops all."""
        self.backend.stop(chair)
        for number in self._chairs:
            if chair in (0, number):
                self._stops[number] = self.monotonic()
                self._stopped.discard(number)
        self.stop_asked.emit(chair)

    def notice(self, text: Text, remedy: Text | None = None) -> None:
        """Show a sentence until somebody has read it."""
        self.noticed.emit(text, remedy)

    def _watch_stop(self, chair: Chair) -> None:
        """A STOP is believed when a status that the hub sent after it says that no therapy runs."""
        pressed = self._stops.get(chair.number)
        if pressed is None or chair.hub is None or chair.hub.received_monotonic < pressed:
            return
        quiet = chair.hub.therapy in (TherapyState.HELD, TherapyState.IDLE)
        if quiet and self.monotonic() - pressed < STOP_SHOWN_S:
            self._stopped.add(chair.number)
        elif quiet or chair.number in self._stopped:
            del self._stops[chair.number]
            self._stopped.discard(chair.number)

    def _take(self, reply: Reply) -> None:
        if isinstance(reply, Refused):
            self.notice(reply.text, reply.remedy)

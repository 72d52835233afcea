"""Intents in order: each against the revision that the one before it made."""

from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.console.store import Store
from app.ipc.messages import Refused, Reply
from core.model.intents import CheckIn, Intent, Pause

AHEAD_OF_ALL = (Pause, CheckIn)
"""Never kept waiting: they may hold therapy."""


class IntentQueue(QObject):
    """Sends one intent of a chair at a time, and the next when the screen has seen what the last one changed.

    Without it, two quick touches would be refused: the second would speak against a view that the first has made old.
    The same intent twice in a row is one.

    Signals:
        refused: app.ipc.messages.Refused, None when something went through.
    """

    refused = Signal(object)

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._waiting: deque[tuple[int, Intent]] = deque()
        self._sent: tuple[int, Intent] | None = None
        self._revision = 0
        self._answered = False
        store.chair_changed.connect(self._chair_changed)
        store.link_changed.connect(self.clear)

    def clear(self) -> None:
        """Forget what was not sent: the engine went away, or another chair is in context."""
        self._waiting.clear()
        self._sent = None

    def act(self, chair: int, intent: Intent) -> None:
        if isinstance(intent, AHEAD_OF_ALL):
            self._store.act(chair, intent, self._say)
            return
        if (chair, intent) == self._sent or (chair, intent) in self._waiting:
            return
        self._waiting.append((chair, intent))
        self._send_next()

    def _send_next(self) -> None:
        if self._sent is not None or not self._waiting:
            return
        self._sent = self._waiting.popleft()
        chair, intent = self._sent
        self._revision, self._answered = self._seen(chair), False
        self._store.act(chair, intent, self._replied(self._sent))

    def _replied(self, sent: tuple[int, Intent]) -> Callable[[Reply], None]:
        def take(reply: Reply) -> None:
            self._say(reply)
            if self._sent != sent:
                return
            self._answered = True
            if isinstance(reply, Refused):
                self._waiting.clear()
                self._sent = None
            elif self._seen(sent[0]) != self._revision:
                self._free()

        return take

    def _say(self, reply: Reply) -> None:
        self.refused.emit(reply if isinstance(reply, Refused) else None)

    def _chair_changed(self, number: int) -> None:
        if self._sent is not None and self._answered and number == self._sent[0]:
            self._free()

    def _free(self) -> None:
        self._sent = None
        self._send_next()

    def _seen(self, number: int) -> int:
        chair = self._store.chair(number)
        return chair.procedure.revision if chair is not None and chair.procedure is not None else 0

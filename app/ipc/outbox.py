"""What waits to be sent over one connection: answers in order, of pushes only the newest of each kind."""

import threading
from collections import deque

from app.ipc.messages import Answer, Chair, Push, Reply

MAX_IN_FLIGHT = 64
"""Requests of one connection that may be unanswered; the next is not read from the wire before."""

PushKey = tuple[str, int]


def push_key(push: Push) -> PushKey:
    """Pushes of one key replace each other: each is a whole state, not a change."""
    return (type(push).__name__, push.number if isinstance(push, Chair) else 0)


class Outbox:
    """Bounded by construction, so that a slow or stopped peer costs its own connection and never the engine.

    Filled from any thread without blocking; emptied by the connection's writer thread.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._answers: deque[Answer] = deque()
        self._pushes: dict[PushKey, Push] = {}
        self._in_flight = 0
        self._closed = False

    def reserve(self) -> bool:
        """Wait until one more request may be served; False once the connection has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._in_flight < MAX_IN_FLIGHT)
            self._in_flight += 1
            return not self._closed

    def answer(self, number: int, reply: Reply) -> None:
        """Queue the reply to a request that was reserved."""
        with self._changed:
            self._answers.append(Answer(number, reply))
            self._changed.notify_all()

    def push(self, push: Push) -> None:
        with self._changed:
            self._pushes[push_key(push)] = push
            self._changed.notify_all()

    def next(self) -> Answer | None:
        """Wait for what is to be sent next, answers before pushes; None when closed and all answers are out."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._answers or self._pushes)
            if self._answers:
                return self._answers.popleft()
            if self._closed:
                return None
            return Answer(0, self._pushes.pop(next(iter(self._pushes))))

    def sent(self, answer: Answer) -> None:
        """`answer` is on the wire: its request no longer counts."""
        if answer.number == 0:
            return
        with self._changed:
            self._in_flight -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """Send what is answered, take nothing more, and wake whoever waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

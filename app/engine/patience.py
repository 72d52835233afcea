"""How wrong PINs make the next try wait: for each person, and for all together. Kept over restarts of the engine."""

from collections import deque
from collections.abc import Iterable

from app.engine.clock import AsyncClock
from core.record.practice import Login

FREE_TRIES = 3
LONGEST_WAIT_S = 300.0
ALL_FREE_TRIES = 10
ALL_LONGEST_WAIT_S = 30.0
"""Short: whoever types rubbish at a locked screen must not keep a dentist out for long."""
ALL_WITHIN_S = 600.0
REFUSED = "refused"
FORGIVES = ("in", "reset", "proved")
"""Outcomes after which a person's wrong tries count no more."""


class Patience:
    """
    Args:
        logins: the practice's own list, the newest first. The wall clock dates what came before this start; however it
            was set, nobody waits longer than if the newest wrong try had been a moment ago.
    """

    def __init__(self, clock: AsyncClock, logins: Iterable[Login]) -> None:
        self._clock = clock
        self._wrong: dict[str, tuple[int, float]] = {}
        self._all: deque[float] = deque(maxlen=2 * ALL_FREE_TRIES)
        now, now_us = clock.monotonic(), clock.utc_us()
        for login in reversed(list(logins)):
            if login.outcome == REFUSED:
                self._count(login.operator_id, now - max(0.0, (now_us - login.at_us) / 1e6))
            elif login.outcome in FORGIVES:
                self.forgive(login.operator_id)

    def wait(self, operator_id: str) -> float:
        """Seconds until this person may try again; 0.0 or less: now."""
        now = self._clock.monotonic()
        tries, last = self._wrong.get(operator_id, (0, now))
        recent = [at for at in self._all if now - at < ALL_WITHIN_S]
        own = last + _pause(tries, FREE_TRIES, LONGEST_WAIT_S) - now
        everybody = recent[-1] + _pause(len(recent), ALL_FREE_TRIES, ALL_LONGEST_WAIT_S) - now if recent else 0.0
        return max(own, everybody)

    def wrong(self, operator_id: str) -> int:
        """One more wrong try; how many it is for this person."""
        self._count(operator_id, self._clock.monotonic())
        return self._wrong[operator_id][0]

    def forgive(self, operator_id: str) -> bool:
        """They have proved who they are; whether there was anything to forgive."""
        return self._wrong.pop(operator_id, None) is not None

    def _count(self, operator_id: str, at: float) -> None:
        self._wrong[operator_id] = (self._wrong.get(operator_id, (0, 0.0))[0] + 1, at)
        self._all.append(at)


def _pause(tries: int, free: int, longest: float) -> float:
    """2 s after the last free try, twice as long after each further one."""
    return min(longest, 2.0 ** min(tries - free + 1, 16)) if tries >= free else 0.0

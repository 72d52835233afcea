"""The visit as a simulated patient lives it: what the engine tells every console, in the simulator's own words.

The clinic listens as anybody may who holds the engine's address. The engine does not know that it is there.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from app.ipc.client import EngineClient
from app.ipc.messages import Chair, Push
from core.model.errors import SmilescapeError
from core.model.procedure import Hold, HoldOrigin, ProcedureView, Step
from devices.simulator.control import Breathe, Consent, Control, Person, Reassure, Seat

log = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0
GUIDED_SECONDS = 3600.0
"""Longer than any pause: whoever follows the guide does so until it goes."""
_ITEMS = 5
"""Questions of the Modified Dental Anxiety Scale."""

Visited = Callable[[int, ProcedureView | None], None]
"""Told of a chair's visit as it stands, None without one."""


def felt(before: ProcedureView | None, after: ProcedureView | None) -> list[Control]:
    """What the patient feels when a visit that stood so stands so; treatment and pauses are felt by themselves."""
    if after is None or after.closed:
        return [] if before is None or before.closed else [Breathe(seconds=0), Seat(seated=False)]
    if before is None or before.closed or before.visit_id != after.visit_id:
        return [*lasting(after), *_guided(None, after.hold)]
    messages: list[Control] = []
    if after.comfort != before.comfort:
        messages += [*_anxiety(after), Reassure()]
    if after.step is Step.CONSENT and before.step is not Step.CONSENT:
        messages.append(Consent())
    return [*messages, *_cared_for(before.hold, after.hold), *_guided(before.hold, after.hold)]


def lasting(view: ProcedureView | None) -> list[Control]:
    """What a patient has to be told who knows nothing of the visit yet."""
    if view is None or view.closed:
        return []
    return [*_anxiety(view), Consent() if view.step is Step.CONSENT else Seat()]


def _anxiety(view: ProcedureView) -> list[Control]:
    """The patient is as anxious as they say."""
    answers = [value for value in view.comfort.values() if value]
    return [Person(anxiety=sum(answers))] if len(answers) == _ITEMS else []


def _cared_for(before: Hold | None, after: Hold | None) -> list[Control]:
    """A patient who asks for a pause and gets it has been heard; whoever checks the hub looks after the patient."""
    if after is None:
        return []
    heard = after.origin is HoldOrigin.PATIENT and after.hub_confirmed and not (before and before.hub_confirmed)
    seen_to = after.hub_checked_us is not None and not (before and before.hub_checked_us is not None)
    return [Reassure()] * (heard + seen_to)


def _guided(before: Hold | None, after: Hold | None) -> list[Control]:
    """The patient's screen shows the breathing guide as long as treatment is held."""
    if (before is None) == (after is None):
        return []
    return [Breathe(seconds=GUIDED_SECONDS if after is not None else 0)]


class Visits:
    """Listens to whatever engine serves a runtime folder, in a thread of its own, until closed.

    Args:
        visited: called in that thread, or in the connection's, for each news of a chair.
    """

    def __init__(self, runtime: Path, visited: Visited) -> None:
        self._runtime = runtime
        self._visited = visited
        self._closing = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="clinic-visits", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._lost.set()
        self._thread.join()

    def _listen(self) -> None:
        while not self._closing.is_set():
            self._lost.clear()
            try:
                client = EngineClient.connect(self._runtime, "tool", lost=lambda _: self._lost.set())
            except SmilescapeError as error:
                log.debug("no engine to listen to: %s", error)
                self._closing.wait(AGAIN_SECONDS)
                continue
            client.subscribe(self._pushed)
            if self._closing.is_set() or not client.alive:
                self._lost.set()
            self._lost.wait()
            client.close()

    def _pushed(self, push: Push) -> None:
        if isinstance(push, Chair):
            self._visited(push.number, push.procedure)

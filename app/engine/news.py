"""What the engine tells its consoles without being asked: the chairs and the workstation, as far as may be seen."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from app.engine.picture import picture
from app.ipc import messages as ipc
from core.model.words import Text

if TYPE_CHECKING:
    from app.engine.house import Engine

PUBLISH_SECONDS = 0.1


class News:
    """Collects what changed and sends it, at most ten times a second."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._dirty: set[int] = set()
        self._touched = True

    def chair_changed(self, number: int) -> None:
        self._dirty.add(number)

    def touched(self) -> None:
        """Something of the workstation changed."""
        self._touched = True

    async def run(self) -> None:
        self._dirty |= set(self._engine.chairs)
        while True:
            await self._engine.clock.sleep(PUBLISH_SECONDS)
            dirty, wanted = sorted(self._dirty), self._touched
            self._dirty.clear()
            self._touched = False
            if dirty:
                self._engine.backups.chairs_changed()
            self.send(dirty, workstation=wanted)

    def send_all(self) -> None:
        """At once: who may see what has changed."""
        self.send(self._engine.chairs, workstation=True)

    def send(self, chairs: Iterable[int], *, workstation: bool) -> None:
        """What who is logged in may see, and nothing else, leaves the engine."""
        engine = self._engine
        for number in chairs:
            shown = engine.access.cut_chair(picture(engine.chairs[number]))
            engine.server.publish(shown)
            if shown.shown and shown.patient is not None and shown.procedure is not None and engine.server.sessions:
                visit, patient = shown.procedure.visit_id, shown.patient.id
                engine.views.viewed("live", number, patient=patient, visit=visit, once=True)
        if workstation:
            engine.server.publish(engine.access.cut_workstation(self._workstation()))

    def _workstation(self) -> ipc.Workstation:
        engine, people = self._engine, self._engine.people
        audio, until = engine.alarms.audio()
        return ipc.Workstation(
            operator=people.operator,
            operators=people.operators(),
            alarms=engine.alarms.active(),
            doubts=engine.doubts.standing,
            audio=audio,
            audio_until_us=until,
            jobs=self._jobs(),
            notice=engine.notice,
            chairs=tuple(engine.chairs),
            practice=engine.practice,
            practice_phone=engine.practice_phone,
            evidence=engine.evidence.states(),
            backups=engine.backups.state,
            lock_minutes=engine.screen.minutes,
            names_shown=engine.screen.names_shown,
            emergencies=people.emergencies.standing,
            companions=people.companions.everybody,
        )

    def _jobs(self) -> tuple[ipc.Job, ...]:
        chairs = self._engine.chairs
        jobs = [
            ipc.Job(id=f"recording-{number}", text=Text("job.recording"))
            for number, chair in chairs.items()
            if chair.busy and chair.recording
        ]
        for number, chair in chairs.items():
            if chair.hub is not None and chair.hub.missing:
                jobs.append(ipc.Job(id=f"backfill-{number}", text=Text("job.backfill", {"frames": chair.hub.missing})))
        return (*self._engine.exports.jobs(), *self._engine.backups.jobs(), *jobs)

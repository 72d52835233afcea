"""The bottom bar, always there: state sentence, lease, alarm beacon, jobs, STOP."""

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.console import status
from app.console.store import Store
from app.ipc.messages import Chair
from core.model.alarm import AlarmPriority, AudioState
from core.model.words import Words
from widgets.beacon import Beacon
from widgets.controls import Hairline
from widgets.lease import LeaseCell
from widgets.sentence import SentenceCell, StatusCell
from widgets.stop import StopButton
from widgets.theme import tokens

HEIGHT = 80
STOP_MARGIN = 24
"""Nothing that can be pressed lies nearer to STOP, px."""


def _untold(chair: Chair) -> bool:
    """Whether nobody knows what therapy does: a hold is asked for and not confirmed, or the hub is not heard of."""
    silent = chair.hub is None and chair.hub_address is not None
    return silent or chair.state in ("holding", "was_held")


class BottomBar(QWidget):
    """Says how the chair in context is, or the clinic; `beacon_pressed` asks for the alarm panel."""

    beacon_pressed = Signal()

    def __init__(self, store: Store, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._words = words
        self.setFixedHeight(HEIGHT)
        self.sentence = SentenceCell()
        self.lease = LeaseCell(words.say("shell.lease.unit"), monotonic=store.monotonic)
        self.beacon = Beacon()
        self.jobs = StatusCell("rec", 140)
        self.stop = StopButton(words.say("shell.stop.word"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 1, STOP_MARGIN, 0)
        row.setSpacing(0)
        row.addWidget(self.sentence, 1)
        for cell in (self.lease, self.beacon, self.jobs):
            row.addWidget(Hairline(vertical=True))
            row.addWidget(cell)
        row.addSpacing(STOP_MARGIN - 3)
        row.addWidget(self.stop, 0, Qt.AlignmentFlag.AlignVCenter)
        self.beacon.clicked.connect(self.beacon_pressed)
        self.stop.pressed.connect(self.press_stop)
        for signal in (store.chair_changed, store.workstation_changed, store.link_changed, store.current_changed):
            signal.connect(self.refresh)
        store.stop_asked.connect(self.refresh)
        self.refresh()

    def set_narrow(self, narrow: bool) -> None:
        """The sentence needs the room: the jobs fold to their icon."""
        self.sentence.set_narrow(narrow)
        self.jobs.set_narrow(narrow)

    def press_stop(self) -> None:
        """STOP for whom the button names."""
        self._store.stop(self._store.current)

    def refresh(self) -> None:
        """Say everything anew; cheap, nothing is repainted that has not changed."""
        chair = self._store.chair(self._store.current)
        said = (
            status.chair_says(self._store, self._words, chair)
            if chair is not None
            else status.clinic_says(self._store, self._words)
        )
        self.sentence.say(said.mark, said.headline, said.reason, said.next_step, patient=said.patient)
        self._say_lease(chair)
        self._say_alarms()
        self._say_jobs(chair)
        self._say_stop()

    def _say_lease(self, chair: Chair | None) -> None:
        say = self._words.say
        leased = [chair] if chair is not None else self._store.chairs()
        counting = [one for one in leased if one.lease_until_monotonic is not None]
        if counting:
            first = min(counting, key=lambda one: one.lease_until_monotonic or 0.0)
            caption = say("shell.lease.caption" if chair else "shell.lease.caption_chair", number=first.number)
            over = (say("shell.lease.over"), say("shell.lease.over_detail"))
            self.lease.count_to(first.lease_until_monotonic or 0.0, caption, over)
            return
        if not self._store.answering:
            self.lease.say(say("shell.lease.unknown"), say("shell.lease.unknown_detail"))
            return
        held = any(one.state == "held" for one in leased)
        key = "unknown" if any(map(_untold, leased)) else "held" if held else "none"
        self.lease.say(say(f"shell.lease.{key}"), say(f"shell.lease.{key}_detail"))

    def _say_alarms(self) -> None:
        say = self._words.say
        alarms = self._store.alarms()
        sound = status.audio_words(self._store, self._words)
        if not self._store.answering:
            self.beacon.set_alarm(None, say("shell.beacon.unknown"), say("shell.beacon.unknown_detail"))
            return
        if not alarms:
            self.beacon.set_alarm(None, say("shell.beacon.none"), sound)
            return
        worst = alarms[0].priority
        counts = [
            say(f"shell.beacon.{priority.name.lower()}", count=sum(alarm.priority is priority for alarm in alarms))
            for priority in sorted(AlarmPriority, reverse=True)
            if any(alarm.priority is priority for alarm in alarms)
        ]
        audio = self._store.workstation.audio if self._store.workstation else AudioState.SILENT
        with_icon = len(counts) > 1 and audio is not AudioState.SILENT
        icon = ("sound" if audio is AudioState.ON else "mute") if with_icon else ""
        flash = any(alarm.priority is worst and alarm.acknowledged_by is None for alarm in alarms)
        self.beacon.set_alarm(worst, counts[0], counts[1] if with_icon else sound, sound_icon=icon, flash=flash)

    def _say_jobs(self, chair: Chair | None) -> None:
        say = self._words.say
        now = self._store.clock.utc_us()
        station = self._store.workstation
        job = station.jobs[0] if station is not None and station.jobs else None
        writing = job if job is not None and job.may_cancel else None
        if not self._store.answering:
            self.jobs.say(say("shell.jobs.unknown"), say("shell.jobs.unknown_detail"))
        elif chair is not None and chair.recording_since_us is not None:
            detail = status.elapsed(chair.recording_since_us, now)
            if chair.backfill_frames:
                detail = say("shell.jobs.backfill", frames=chair.backfill_frames)
            self.jobs.say(say("shell.jobs.recording"), detail)
        elif chair is not None:
            self.jobs.say(say("shell.jobs.off"), self._words.tell(job.text) if job else say("shell.jobs.off_detail"))
        elif writing is not None:
            self.jobs.say(say("shell.jobs.writing", percent=writing.percent or 0), self._words.tell(writing.text))
        else:
            running = sum(one.recording_since_us is not None for one in self._store.chairs())
            key = "running" if running else "none"
            self.jobs.say(say(f"shell.jobs.{key}", count=running), say("shell.jobs.recordings"))

    def _say_stop(self) -> None:
        number = self._store.current
        state = self._store.stop_state(number)
        whom = self._words.say("shell.stop.chair" if number else "shell.stop.all", number=number)
        shown = whom if state == "ready" else self._words.say(f"shell.stop.{state}", whom=whom)
        self.stop.set_stop(shown, state, f"{self._words.say('shell.stop.word')} {shown}")

    def stop_zone(self) -> QRect:
        """STOP and the margin round it, in this bar's coordinates."""
        return self.stop.geometry().adjusted(-STOP_MARGIN, -STOP_MARGIN, STOP_MARGIN, STOP_MARGIN)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(scheme.surface))
        painter.fillRect(0, 0, self.width(), 1, QColor(scheme.line))
        painter.end()

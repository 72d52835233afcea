"""The beacon's panel: every alarm with its next step, one "Seen" each, and a pause for the sound."""

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.console import status
from app.console.store import Store
from app.ipc.messages import AlarmSeen, PauseAudio
from core.model.alarm import Alarm, AlarmPriority, AudioState
from core.model.words import Words
from widgets.controls import Button, Hairline, Label
from widgets.layouts import empty
from widgets.marks import paint_alarm_mark
from widgets.overlay import Panel
from widgets.theme import tokens

WIDTH = 508
PAUSE_S = 120.0
_ROW = 73
_HEAD = 94
_SHOWN = 6


class AlarmMark(QWidget):
    """The mark of one alarm, 36 px."""

    def __init__(self, priority: AlarmPriority) -> None:
        super().__init__()
        self._priority = priority
        self.setFixedSize(38, 38)

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        paint_alarm_mark(painter, self._priority, QRectF(1, 1, 36, 36), tokens())
        painter.end()


class AlarmPanel(Panel):
    """Rebuilt when the alarms change; a click on Seen never moves the row under the finger, the row says who saw it."""

    def __init__(self, store: Store, words: Words, parent: QWidget, opener: QWidget | None = None) -> None:
        super().__init__(parent, opener)
        self._store = store
        self._words = words
        self._shown: tuple[tuple[Alarm, ...], bool] | None = None
        self.setAccessibleName(words.say("shell.alarms.title"))
        self.title = Label(words.say("shell.alarms.title"), size=24, bold=True)
        self.count = Label(size=13, tone="muted", elide=True)
        self.pause = Button(words.say("shell.alarms.pause"), icon="mute")
        self.pause.clicked.connect(lambda: store.ask(PauseAudio(seconds=PAUSE_S)))
        self.seen_buttons: dict[str, Button] = {}
        head = QHBoxLayout()
        head.setSpacing(11)
        head.setContentsMargins(0, 0, 4, 0)
        head.addWidget(self.title)
        head.addWidget(self.count, 1)
        head.addWidget(self.pause)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self._rows.setContentsMargins(0, 0, 4, 0)
        inner = QWidget()
        inner.setLayout(self._rows)
        self._scroll = QScrollArea()
        self._scroll.setWidget(inner)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 16, 12)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._scroll, 1)
        for signal in (store.workstation_changed, store.link_changed):
            signal.connect(self.refresh)
        self.refresh()

    def wanted_height(self) -> int:
        return _HEAD + _ROW * max(1, min(_SHOWN, len(self._store.alarms()))) + 8

    def refresh(self) -> None:
        alarms = tuple(self._store.alarms())
        station = self._store.workstation
        paused = station is not None and station.audio is AudioState.PAUSED
        label = "shell.alarms.pause_again" if paused else "shell.alarms.pause"
        self.pause.setText(self._words.say(label))
        self.count.setText(self._count(alarms))
        if (alarms, self._store.may("AlarmSeen")) != self._shown:
            self._shown = (alarms, self._store.may("AlarmSeen"))
            self._build(alarms)
            parent = self.parentWidget()
            if parent is not None and not self.isHidden():
                self.setGeometry(panel_box(parent, self.wanted_height()))

    def _count(self, alarms: tuple[Alarm, ...]) -> str:
        if not alarms:
            return status.audio_words(self._store, self._words)
        worst = [alarm for alarm in alarms if alarm.priority is alarms[0].priority]
        since = status.local_time(min(alarm.began_us for alarm in worst), seconds=True)
        count = self._words.say(f"shell.beacon.{worst[0].priority.name.lower()}", count=len(worst))
        return self._words.say("shell.alarms.since", count=count, since=since)

    def _build(self, alarms: tuple[Alarm, ...]) -> None:
        empty(self._rows)
        self.seen_buttons = {}
        for alarm in alarms:
            self._rows.addWidget(Hairline())
            self._rows.addWidget(self._row(alarm))
        if not alarms:
            self._rows.addWidget(Hairline())
            self._rows.addSpacing(20)
            self._rows.addWidget(Label(self._words.say("shell.alarms.none"), size=15, tone="muted", wrap=True))
        self._rows.addStretch()

    def _row(self, alarm: Alarm) -> QWidget:
        row = QWidget()
        row.setFixedHeight(_ROW - 1)
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(12)
        text, remedy = self._words.tell(alarm.text), self._words.tell(alarm.remedy)
        said = QVBoxLayout()
        said.setSpacing(2)
        said.addStretch()
        for label in (Label(text, size=18, bold=True, elide=True), Label(remedy, tone="muted", elide=True)):
            label.setToolTip(label.text())
            said.addWidget(label)
        said.addStretch()
        line.addWidget(AlarmMark(alarm.priority))
        line.addLayout(said, 1)
        if alarm.acknowledged_by is None and not self._store.may("AlarmSeen"):
            key = "shell.alarms.not_seen_chair" if alarm.chair else "shell.alarms.not_seen"
            line.addWidget(Label(self._words.say(key, number=alarm.chair), size=13, tone="muted"))
        elif alarm.acknowledged_by is None:
            seen = Button(self._words.say("shell.alarms.seen"))
            seen.setAccessibleName(self._words.say("shell.alarms.seen_name", alarm=text))
            seen.clicked.connect(lambda _=False, key=alarm.id: self._store.ask(AlarmSeen(alarm_id=key)))
            self.seen_buttons[alarm.id] = seen
            line.addWidget(seen)
        else:
            line.addWidget(
                Label(self._words.say("shell.alarms.seen_by", name=self._name(alarm)), size=13, tone="muted")
            )
        return row

    def _name(self, alarm: Alarm) -> str:
        station = self._store.workstation
        people = station.operators if station is not None else ()
        return next((one.name for one in people if one.id == alarm.acknowledged_by), "")


def panel_box(window: QWidget, height: int) -> QRect:
    """Where the beacon's panel lies: its right edge on the strips' edge, 16 px above the bottom bar."""
    from app.console.bottombar import HEIGHT as BOTTOM
    from app.console.rail import WIDTH as RAIL

    room = window.width() - RAIL - 3 * 16
    right = RAIL + 16 + round(room * 0.6014)
    height = min(height, window.height() - BOTTOM - 16 - 72)
    return QRect(max(RAIL + 16, right - WIDTH), window.height() - BOTTOM - 16 - height, WIDTH, height)

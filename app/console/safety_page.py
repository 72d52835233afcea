"""*Safety*: what alarms now, whether it can be heard, and the log."""

from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.console import status
from app.console.alarm_panel import PAUSE_S, AlarmMark
from app.console.doubts_panel import DoubtsPanel
from app.console.emergencies_list import EmergenciesPanel
from app.console.log_list import LogList
from app.console.page import Page
from app.console.store import Store
from app.ipc.messages import AlarmSeen, ListLog, LogEntry, LogPage, PauseAudio, Refused, Reply
from core.model.alarm import Alarm, AudioState
from core.model.words import Words
from widgets.controls import Button, Card, Hairline, Label
from widgets.icon import paint_icon
from widgets.layouts import empty
from widgets.segmented import Segmented
from widgets.theme import tokens

PAGE = 100
KINDS = ("all", "alarm", "event", "command")


class SafetyPage(Page):
    """Asks for the log when it comes to the front, when alarms change, and when a filter changes."""

    key = "safety"

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__(store, words)
        self._entries: list[LogEntry] = []
        self._shown: tuple[tuple[Alarm, ...], bool] | None = None
        self._round = 0
        self.seen_buttons: dict[str, Button] = {}
        say = words.say
        self.audio = AudioLine()
        self.pause = Button(say("shell.alarms.pause"), icon="mute")
        self.pause.clicked.connect(lambda: store.ask(PauseAudio(seconds=PAUSE_S)))
        head = QHBoxLayout()
        head.setSpacing(16)
        head.addWidget(Label(say("shell.rail.safety"), size=24, bold=True))
        head.addStretch()
        head.addWidget(self.audio)
        head.addWidget(self.pause)
        self.evidence = Label(tone="muted", wrap=True)
        cards = QHBoxLayout()
        cards.setSpacing(16)
        cards.addWidget(self._alarm_card(), 2)
        cards.addWidget(self._log_card(), 3)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(self.evidence)
        column.addLayout(cards, 1)
        store.workstation_changed.connect(self._changed)
        store.link_changed.connect(self._changed)
        store.chair_changed.connect(self._offer_chairs)
        self._offer_chairs()
        self._changed()

    def activated(self) -> None:
        self._changed()
        self.reload()

    # alarms

    def _alarm_card(self) -> Card:
        card = Card()
        column = QVBoxLayout(card)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        inner = QWidget()
        within = QVBoxLayout(inner)
        within.setContentsMargins(0, 0, 4, 0)
        within.setSpacing(0)
        within.addWidget(Label(self.words.say("shell.safety.active"), size=18, bold=True))
        within.addSpacing(8)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        within.addLayout(self._rows)
        self.doubts = DoubtsPanel(self.store, self.words)
        self.doubts.opened.connect(self._show_whole)
        self.doubts.lifted.connect(self._lifted)
        within.addWidget(self.doubts)
        self.emergencies = EmergenciesPanel(self.store, self.words)
        within.addWidget(self.emergencies)
        within.addStretch()
        self.alarm_scroll = scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column.addWidget(scroll, 1)
        return card

    def _show_whole(self, row: QWidget) -> None:
        """Once it has its new height."""
        QTimer.singleShot(0, row, lambda: self.alarm_scroll.ensureWidgetVisible(row, 0, 12))

    def _lifted(self) -> None:
        self.pause.setFocus(Qt.FocusReason.OtherFocusReason)  # the button that had it goes
        self.reload()

    def _changed(self) -> None:
        self.doubts.refresh()
        self.emergencies.refresh()
        alarms = tuple(self.store.alarms())
        station = self.store.workstation
        audio = station.audio if station is not None and self.store.answering else None
        self.evidence.setText(status.evidence_words(self.store, self.words))
        self.audio.say(status.audio_words(self.store, self.words), audio)
        self.pause.setEnabled(audio is AudioState.ON or audio is AudioState.PAUSED)
        shown = (alarms, self.store.may("AlarmSeen"))
        if shown != self._shown:
            self._shown = shown
            self._build(alarms)
            if self.isVisible():
                self.reload()

    def _build(self, alarms: tuple[Alarm, ...]) -> None:
        empty(self._rows)
        self.seen_buttons = {}
        if not alarms:
            self._rows.addWidget(Hairline())
            self._rows.addWidget(Quiet(self.words.say("shell.safety.quiet"), self.words.say("shell.safety.quiet_next")))
        for alarm in alarms:
            self._rows.addWidget(Hairline())
            self._rows.addWidget(self._alarm_row(alarm))

    def _alarm_row(self, alarm: Alarm) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 12, 0, 12)
        line.setSpacing(12)
        text = self.words.tell(alarm.text)
        said = QVBoxLayout()
        said.setSpacing(2)
        said.addWidget(Label(text, bold=True, wrap=True))
        said.addWidget(Label(self.words.tell(alarm.remedy), tone="muted", wrap=True))
        key = "shell.safety.since_chair" if alarm.chair else "shell.safety.since"
        since = self.words.say(key, since=status.local_time(alarm.began_us, seconds=True), number=alarm.chair)
        said.addWidget(Label(since, size=13, tone="muted"))
        line.addWidget(AlarmMark(alarm.priority), 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(said, 1)
        if alarm.acknowledged_by is None and not self.store.may("AlarmSeen"):
            line.addWidget(Label(self.words.say("shell.alarms.not_seen"), size=13, tone="muted"))
        elif alarm.acknowledged_by is None:
            seen = Button(self.words.say("shell.alarms.seen"))
            seen.setAccessibleName(self.words.say("shell.alarms.seen_name", alarm=text))
            seen.clicked.connect(lambda: self.store.ask(AlarmSeen(alarm_id=alarm.id)))
            self.seen_buttons[alarm.id] = seen
            line.addWidget(seen)
        else:
            line.addWidget(Label(self.words.say("shell.alarms.seen_short"), size=13, tone="muted"))
        return row

    # log

    def _log_card(self) -> Card:
        say = self.words.say
        card = Card()
        column = QVBoxLayout(card)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        column.addWidget(Label(say("shell.safety.log"), size=18, bold=True))
        self.chairs = Segmented([("0", say("shell.safety.all_chairs"))])
        self.kinds = Segmented([(kind, say(f"shell.safety.kind.{kind}")) for kind in KINDS])
        self.chairs.chosen.connect(lambda _: self.reload())
        self.kinds.chosen.connect(lambda _: self._fill())
        column.addWidget(self.chairs)
        column.addWidget(self.kinds)
        self.log = LogList(self.words)
        self.message = Label(tone="muted", size=18, wrap=True)
        self.message.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(self.log, 1)
        column.addWidget(self.message, 1)
        self.older = Button(say("shell.safety.older"))
        self.older.clicked.connect(self._more)
        self.older.hide()
        column.addWidget(self.older, 0, Qt.AlignmentFlag.AlignRight)
        self._say(say("shell.safety.loading"))
        return card

    def _offer_chairs(self, _number: int = 0) -> None:
        options = [("0", self.words.say("shell.safety.all_chairs"))]
        options += [(str(chair.number), str(chair.number)) for chair in self.store.chairs()]
        self.chairs.set_options(options)
        for chair in self.store.chairs():
            self.chairs.button(str(chair.number)).setAccessibleName(
                self.words.say("shell.chair_name", number=chair.number)
            )

    def reload(self) -> None:
        """The newest page of the chosen chair."""
        self._round += 1
        if not self._entries:
            self._say(self.words.say("shell.safety.loading"))
        self._ask(None, keep=[])

    def _more(self) -> None:
        self._ask(self._entries[-1].at_us if self._entries else None, keep=self._entries)

    def _ask(self, before_us: int | None, keep: list[LogEntry]) -> None:
        asked = self._round
        body = ListLog(chair=int(self.chairs.key or 0), before_us=before_us, limit=PAGE)
        self.store.ask(body, lambda reply: self._answered(asked, keep, reply))

    def _answered(self, asked: int, keep: list[LogEntry], reply: Reply) -> None:
        if asked != self._round:
            return
        if isinstance(reply, LogPage):
            self._entries = [*keep, *reply.entries]
            self.older.setVisible(reply.more)
            self._fill()
        elif isinstance(reply, Refused):
            remedy = self.words.tell(reply.remedy) if reply.remedy is not None else ""
            self._say(f"{self.words.tell(reply.text)} {remedy}".strip())

    def _fill(self) -> None:
        kind = self.kinds.key
        entries = [entry for entry in self._entries if kind in ("all", entry.kind)]
        self.log.log.set_entries(entries)
        self._say("" if entries else self.words.say("shell.safety.empty"))

    def _say(self, sentence: str) -> None:
        self.message.setText(sentence)
        self.message.setVisible(bool(sentence))
        self.log.setVisible(not sentence)


class AudioLine(QWidget):
    """Whether alarms can be heard: icon and words."""

    def __init__(self) -> None:
        super().__init__()
        self._icon = "sound"
        self.label = Label(bold=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(32, 0, 0, 0)
        row.addWidget(self.label)

    def say(self, text: str, audio: AudioState | None) -> None:
        self.label.setText(text)
        self.setAccessibleName(text)
        self._icon = "sound" if audio is AudioState.ON else "mute"
        self.update()

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        paint_icon(painter, self._icon, QRectF(2, (self.height() - 24) / 2, 24, 24), tokens().ink)
        painter.end()


class Quiet(QWidget):
    """The empty state: nothing alarms."""

    def __init__(self, title: str, sentence: str) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 84, 0, 12)
        column.setSpacing(4)
        column.addWidget(Label(title, size=18, bold=True))
        column.addWidget(Label(sentence, tone="muted", wrap=True))

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(scheme.sunken))
        painter.drawEllipse(QRectF(0, 20, 52, 52))
        paint_icon(painter, "bell", QRectF(14, 34, 24, 24), scheme.muted)
        painter.end()

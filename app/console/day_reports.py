"""The reports of one day, of all chairs, in one action; and what was made, and what was not, and why."""

from pathlib import Path

from PySide6.QtCore import QDate, QDateTime, QLocale, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.console.job_bar import JobBar
from app.console.place_field import PlaceField, Sticks, plugged_in
from app.console.report_panel import FORMATS, LANGUAGES
from app.console.steps.base import scroller
from app.console.store import Store
from app.ipc.export_messages import DayMade, ExportDay
from app.ipc.messages import Refused, Reply
from core.model.words import Words
from widgets.controls import Button, Card, Label
from widgets.segmented import Segmented


class DayReports(Card):
    """`closed`: back to the patients."""

    closed = Signal()

    def __init__(self, store: Store, words: Words, sticks: Sticks = plugged_in, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store, self._words = store, words
        self._folder = ""
        self.day = QDate()
        self.place = PlaceField(words, sticks)
        self.jobs = JobBar(store, words)
        self._date = Label(size=18, bold=True)
        self.told = Label(bold=True, wrap=True)
        self.formats = Segmented([(key, words.say(f"patients.report.format.{key}")) for key in FORMATS])
        self.languages = Segmented([(key, words.say(f"patients.report.language.{key}")) for key in LANGUAGES])
        self.earlier = Button(words.say("exchange.day.earlier"))
        self.later = Button(words.say("exchange.day.later"))
        self.back = Button(words.say("exchange.day.back"))
        self.folder_button = Button(words.say("exchange.visit.open_folder"))
        self.make = Button(words.say("exchange.day.make"), role="pri", icon="doc")
        self.make.setObjectName("day.make")
        self.earlier.clicked.connect(lambda: self._show_day(self.day.addDays(-1)))
        self.later.clicked.connect(lambda: self._show_day(self.day.addDays(1)))
        self.back.clicked.connect(self.closed)
        self.make.clicked.connect(self._make)
        self.folder_button.clicked.connect(
            lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(self._folder)),
        )
        self.place.changed.connect(self._allow)
        self._asked = False
        self._arrange()

    def open_today(self, usual: Path) -> None:
        """`usual`: where files go when nobody chooses; it is there already."""
        self.place.refresh(usual)
        if not self._asked:
            self._show_day(self._today())
        self.make.setFocus()

    def lines(self) -> list[str]:
        """What is said of each visit that has no report."""
        return [label.text() for label in self._list.findChildren(Label)]

    def _today(self) -> QDate:
        return QDateTime.fromMSecsSinceEpoch(self._store.clock.utc_us() // 1000).date()

    def _show_day(self, day: QDate) -> None:
        self.day = day
        date = QLocale(self._words.language).toString(day, "d MMMM yyyy")
        today = day == self._today()
        self._date.setText(self._words.say("exchange.day.today", date=date) if today else date)
        self.later.setEnabled(not today)
        self._say("", ())
        self._allow()

    def _allow(self) -> None:
        self.make.setEnabled(not self._asked and self.place.folder is not None)

    def _make(self) -> None:
        folder = self.place.folder
        if folder is None or self._asked:
            return
        self._asked = True
        self.back.setFocus()  # a button that is disabled must not give the focus to whatever comes next
        self._say("", ())
        self._allow()
        body = ExportDay(
            from_us=self.day.startOfDay().toMSecsSinceEpoch() * 1000,
            to_us=self.day.addDays(1).startOfDay().toMSecsSinceEpoch() * 1000,
            folder=str(folder),
            name=f"reports-{self.day.toString(Qt.DateFormat.ISODate)}",
            format="html" if self.formats.key == "html" else "pdf",
            language=self.languages.key,
        )
        self._store.ask(body, self._ended)

    def _ended(self, reply: Reply) -> None:
        self._asked = False
        self._allow()
        if isinstance(reply, Refused):
            remedy = self._words.tell(reply.remedy) if reply.remedy else ""
            self._say(f"{self._words.tell(reply.text)} {remedy}".strip(), ())
        elif isinstance(reply, DayMade):
            self._folder = reply.folder
            count = len(reply.made)
            key = "made_one" if count == 1 else "made" if count else "made_none" if reply.refused else "none"
            lines = []
            for one in reply.refused:
                said = self._words.tell(one.text)
                said = f"{said} {self._words.tell(one.remedy)}" if one.remedy else said
                lines.append(self._words.say("exchange.day.refused", code=one.visit_code, chair=one.chair, text=said))
            self._say(self._words.say(f"exchange.day.{key}", count=count), lines)
            self.folder_button.setVisible(bool(reply.folder))

    def _say(self, sentence: str, lines: "list[str] | tuple[()]") -> None:
        self.told.setText(sentence)
        self.folder_button.hide()
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(8)
        for line in lines:
            column.addWidget(Label(line, wrap=True))
        column.addStretch()
        self._list.setWidget(inner)

    def _arrange(self) -> None:
        self._list = scroller(QWidget())
        days = QHBoxLayout()
        days.setSpacing(12)
        days.addWidget(self.earlier)
        days.addWidget(self._date)
        days.addWidget(self.later)
        days.addStretch(1)
        days.addWidget(self.formats)
        days.addSpacing(12)
        days.addWidget(self.languages)
        foot = QHBoxLayout()
        foot.setSpacing(16)
        foot.addWidget(self.back)
        foot.addWidget(self.jobs, 1)
        foot.addStretch()
        foot.addWidget(self.folder_button)
        foot.addWidget(self.make)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        column.addWidget(Label(self._words.say("exchange.day.title"), size=24, bold=True))
        column.addWidget(Label(self._words.say("exchange.day.what"), tone="muted", wrap=True))
        column.addLayout(days)
        column.addWidget(self.place)
        column.addWidget(self.told)
        column.addWidget(self._list, 1)
        column.addLayout(foot)
        self.folder_button.hide()

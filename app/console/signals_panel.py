"""Signals recorded elsewhere, at a patient's visit: choose a file, look at what it holds, then take it in."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QLocale, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from app.console.file_chooser import FileChooser
from app.console.job_bar import JobBar
from app.console.review_words import clock_time, short_date
from app.console.steps.base import scroller
from app.console.store import Store
from app.ipc.import_messages import ForeignSignal, ImportSignals, LookAtSignals, SignalsFound, SignalsImported
from app.ipc.messages import Refused, Reply
from core.model.people import VisitSummary
from core.model.words import Words
from widgets.controls import Button, Card, Hairline, Label
from widgets.segmented import Segmented

ENDINGS = (".csv", ".edf")
LEFT_OUT = "-"
COLUMNS = 4
"""Channels beside each other; eight of them are in percent."""


class SignalsPanel(Card):
    """Signals:
    closed: back to what was shown before.
    taken_in: the visit has more than before.
    """

    closed = Signal()
    taken_in = Signal()

    def __init__(self, store: Store, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store, self._words = store, words
        self._visit: VisitSummary | None = None
        self._found: SignalsFound | None = None
        self._path = ""
        self._asked = 0
        self.choices: dict[str, Segmented] = {}
        self.chooser = FileChooser(words, ENDINGS)
        self.jobs = JobBar(store, words)
        self.headline = Label(size=24, bold=True, wrap=True)
        self.told = Label(size=18, wrap=True)
        self.zone = QLineEdit()
        self.zone.setMaximumWidth(160)
        self.zone.setPlaceholderText(words.say("exchange.signals.zone_example"))
        self.zone.setAccessibleName(words.say("exchange.signals.zone"))
        self.back = Button(words.say("exchange.signals.back"))
        self.other = Button(words.say("exchange.signals.other"))
        self.look_button = Button(words.say("exchange.signals.look"), role="pri")
        self.take_button = Button(words.say("exchange.signals.take"), role="pri", icon="check")
        self.back.clicked.connect(self.closed)
        self.other.clicked.connect(self._choose_file)
        self.look_button.clicked.connect(self._look)
        self.take_button.clicked.connect(self._take)
        self.zone.returnPressed.connect(self._look)
        self.chooser.chosen.connect(self.choose)
        self.chooser.left.connect(self.closed)
        self._arrange()

    def open_visit(self, visit: VisitSummary) -> None:
        """Begin anew for this visit."""
        self._visit = visit
        self._choose_file()

    def choose(self, path: str) -> None:
        """Look at a file; of an EDF its zone is asked first, for the file does not say it."""
        self._path = path
        self._show(Path(path).name)
        if path.lower().endswith(".edf"):
            self._zone_row.show()
            self.look_button.show()
            self.told.setText(self._words.say("exchange.signals.zone_why"))
            self.zone.setFocus()
        else:
            self.zone.setText("")
            self._look()

    # what goes out, and what comes back

    def _choose_file(self) -> None:
        self._asked += 1
        self.chooser.begin()
        self._stack.setCurrentWidget(self._choose)

    def _look(self) -> None:
        self._asked += 1
        asked = self._asked
        self._rows_of(())
        self.told.setText(self._words.say("exchange.signals.reading"))
        self.look_button.setEnabled(False)
        body = LookAtSignals(path=self._path, zone=self.zone.text().strip())
        self._store.ask(body, lambda reply: self._looked(reply, asked))

    def _looked(self, reply: Reply, asked: int) -> None:
        if asked != self._asked:
            return
        self.look_button.setEnabled(True)
        if isinstance(reply, Refused):
            self._refused(reply)
        elif isinstance(reply, SignalsFound):
            self._found = reply
            self.told.setText(self._words.say("exchange.signals.found"))
            self._zone_row.hide()
            self.look_button.hide()
            self._rows_of(reply.signals)
            self.take_button.show()
            self._allow()
            self.take_button.setFocus()

    def _take(self) -> None:
        found, visit = self._found, self._visit
        if found is None or visit is None:
            return
        self._asked += 1
        asked = self._asked
        self.back.setFocus()  # a button that is disabled must not give the focus to whatever comes next
        self.take_button.setEnabled(False)
        body = ImportSignals(
            chair=visit.chair,
            visit_id=visit.id,
            path=self._path,
            sha256=found.sha256,
            names={one.name: self._chosen(one) for one in found.signals},
            zone=self.zone.text().strip(),
        )
        self._store.ask(body, lambda reply: self._taken(reply, asked))

    def _taken(self, reply: Reply, asked: int) -> None:
        """The visit has them, whatever is looked at by now."""
        if isinstance(reply, SignalsImported):
            self.taken_in.emit()
        if asked != self._asked:
            return
        if isinstance(reply, Refused):
            self._allow()
            self._refused(reply)
        elif isinstance(reply, SignalsImported):
            self.take_button.hide()
            key = "taken" if reply.stored else "known"
            self.told.setText(self._words.say(f"exchange.signals.{key}", stored=reply.stored, known=reply.known))

    def _refused(self, reply: Refused) -> None:
        remedy = self._words.tell(reply.remedy) if reply.remedy else ""
        self.told.setText(f"{self._words.tell(reply.text)} {remedy}".strip())

    def _chosen(self, one: ForeignSignal) -> str:
        choice = self.choices.get(one.name)
        return "" if choice is None or choice.key == LEFT_OUT else choice.key

    def _allow(self) -> None:
        """At least one, and no channel twice."""
        chosen = [key for one in self._found.signals if (key := self._chosen(one))] if self._found is not None else []
        twice = len(set(chosen)) < len(chosen)
        self.take_button.setEnabled(bool(chosen) and not twice)
        if self._found is not None:
            self.told.setText(self._words.say(f"exchange.signals.{'twice' if twice else 'found'}"))

    # how it looks

    def _show(self, headline: str) -> None:
        self._found = None
        self.headline.setText(headline)
        self.told.setText("")
        self._rows_of(())
        self._zone_row.hide()
        self.look_button.hide()
        self.take_button.hide()
        self._stack.setCurrentWidget(self._result)

    def _rows_of(self, signals: tuple[ForeignSignal, ...]) -> None:
        self.choices = {}
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(8)
        for one in signals:
            column.addWidget(Hairline())
            column.addLayout(self._row(one))
        column.addStretch()
        self._rows.setWidget(inner)

    def _row(self, one: ForeignSignal) -> QHBoxLayout:
        said = QVBoxLayout()
        said.setSpacing(2)
        unit = one.unit or self._words.say("exchange.signals.no_unit")
        said.addWidget(Label(f"{one.name}, {unit}", size=18, bold=True))
        said.addWidget(Label(self._facts(one), tone="muted", wrap=True))
        said.addStretch()
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addLayout(said, 1)
        if one.choices:
            options = [(key, self._words.say(f"channel.{key}.name")) for key in one.choices]
            choice = Segmented([*options, (LEFT_OUT, self._words.say("exchange.signals.leave_out"))], columns=COLUMNS)
            choice.choose(one.channel or LEFT_OUT)
            choice.chosen.connect(partial(self._rechosen, one))
            self.choices[one.name] = choice
            row.addWidget(choice)
        else:
            row.addWidget(Label(self._words.say("exchange.signals.no_channel"), tone="muted", wrap=True), 1)
        return row

    def _rechosen(self, _one: ForeignSignal, _key: str) -> None:
        self._allow()

    def _facts(self, one: ForeignSignal) -> str:
        visit = self._visit
        facts = self._words.say(
            "exchange.signals.facts",
            samples=QLocale(self._words.language).toString(one.samples),
            date=short_date(self._words, one.from_us, day=True),
            begin=clock_time(one.from_us, seconds=True),
            until=f"{short_date(self._words, one.to_us, day=True)} {clock_time(one.to_us, seconds=True)}",
        )
        ended = visit.ended_us if visit is not None else None
        if visit is not None and (one.to_us < visit.began_us or (ended is not None and one.from_us > ended)):
            return f"{facts} {self._words.say('exchange.signals.outside')}"
        return facts

    def _arrange(self) -> None:
        self._rows = scroller(QWidget())
        self._zone_row = QWidget()
        zone = QHBoxLayout(self._zone_row)
        zone.setContentsMargins(0, 0, 0, 0)
        zone.setSpacing(12)
        zone.addWidget(Label(self._words.say("exchange.signals.zone"), bold=True))
        zone.addWidget(self.zone)
        zone.addStretch()
        foot = QHBoxLayout()
        foot.setSpacing(12)
        foot.addWidget(self.back)
        foot.addWidget(self.jobs, 1)
        foot.addStretch()
        foot.addWidget(self.other)
        foot.addWidget(self.look_button)
        foot.addWidget(self.take_button)
        self._result = QWidget()
        column = QVBoxLayout(self._result)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        for widget in (self.headline, self.told, self._zone_row):
            column.addWidget(widget)
        column.addWidget(self._rows, 1)
        column.addLayout(foot)
        self._choose = QWidget()
        column = QVBoxLayout(self._choose)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(Label(self._words.say("exchange.signals.title"), size=24, bold=True))
        column.addWidget(Label(self._words.say("exchange.signals.what"), tone="muted", wrap=True))
        column.addWidget(self.chooser, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._choose)
        self._stack.addWidget(self._result)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(24, 16, 24, 16)
        whole.addWidget(self._stack)

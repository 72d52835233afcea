"""A visit as FHIR: what goes into the bundle, where it is written, how far it is, and that it was."""

from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.console.job_bar import JobBar
from app.console.review_words import short_date, visit_title
from app.console.steps.base import scroller
from app.console.store import Store
from app.ipc.export_messages import ExportFhir
from app.ipc.messages import Done, Refused, Reply
from core.model.people import VisitSummary
from core.model.words import Words
from widgets.controls import Button, Card, Label
from widgets.segmented import Segmented

THIS, EVERY = "this", "every"
REDUCED, FULL = "reduced", "full"


class FhirPanel(Card):
    """`closed`: back to the other formats."""

    closed = Signal()

    def __init__(self, store: Store, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store, self._words = store, words
        self._visit: VisitSummary | None = None
        self._folder = Path()
        self._path = Path()
        self._title = Label(words.say("patients.fhir.title"), size=24, bold=True)
        self._whose = Label(tone="muted")
        self.jobs = JobBar(store, words)
        self.visits = Segmented([(key, words.say(f"patients.fhir.visits.{key}")) for key in (THIS, EVERY)])
        self.samples = Segmented([(key, words.say(f"patients.fhir.samples.{key}")) for key in (REDUCED, FULL)])
        self._hint = Label(tone="muted", wrap=True)
        self.result = Label(bold=True, wrap=True)
        self.path_label = Label(size=13, wrap=True)
        self.path_label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.back_button = Button(words.say("exchange.visit.formats"))
        self.folder_button = Button(words.say("patients.actions.open_folder"))
        self.write_button = Button(words.say("patients.fhir.write"), role="pri", icon="doc")
        self.back_button.clicked.connect(self.closed)
        self.folder_button.clicked.connect(self._open_folder)
        self.write_button.clicked.connect(self._write)
        self.samples.chosen.connect(lambda _key: self._changed())
        self.visits.chosen.connect(lambda _key: self._changed())
        self._arrange()
        self._changed()

    def open_visit(self, visit: VisitSummary, visits: int, folder: Path) -> None:
        """Begin anew for this visit of a patient who has so many; the file goes into that folder."""
        self._visit, self._folder = visit, folder
        date = short_date(self._words, visit.began_us, day=True)
        title = visit_title(self._words, visit)
        self._whose.setText(self._words.say("patients.fhir.visit", title=title, date=date, code=visit.code))
        self.visits.choose(THIS)
        self.visits.button(EVERY).setEnabled(visits > 1)
        self._changed()
        self.write_button.setFocus()

    # what goes out, and what comes back

    def _write(self) -> None:
        """The file is named by the visit's code, whichever visits are in it: never by a person."""
        visit = self._visit
        if visit is None:
            return
        self._changed()
        self._busy(True)
        self.back_button.setFocus()  # a button that is disabled must not give the focus to whatever comes next
        every_visit, every_sample = self.visits.key == EVERY, self.samples.key == FULL
        parts = [visit.code, *(["all"] if every_visit else []), *(["full"] if every_sample else [])]
        path = self._folder / f"{'-'.join(parts)}.fhir.json"
        body = ExportFhir(
            chair=visit.chair,
            visit_id=visit.id,
            path=str(path),
            every_visit=every_visit,
            every_sample=every_sample,
        )
        self._store.ask(body, lambda reply: self._ended(reply, path))

    def _ended(self, reply: Reply, path: Path) -> None:
        self._busy(False)
        if isinstance(reply, Refused):
            remedy = self._words.tell(reply.remedy) if reply.remedy else ""
            self.result.setText(f"{self._words.tell(reply.text)} {remedy}".strip())
        elif isinstance(reply, Done):
            self._path = path
            self.result.setText(self._words.say("patients.fhir.written"))
            self.path_label.setText(str(path).replace("/", "/\N{ZERO WIDTH SPACE}"))
            self.folder_button.show()

    def _open_folder(self) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path.parent))):
            self.result.setText(self._words.say("exchange.visit.not_opened"))

    # how it looks

    def _changed(self) -> None:
        """What was written before is no longer what is chosen."""
        self._hint.setText(self._words.say(f"patients.fhir.hint.{self.samples.key}"))
        self.result.setText("")
        self.path_label.setText("")
        self.folder_button.hide()

    def _busy(self, busy: bool) -> None:
        self.write_button.setEnabled(not busy)
        self.write_button.setText(self._words.say("patients.fhir.busy" if busy else "patients.fhir.write"))

    def _arrange(self) -> None:
        inner = QWidget()
        lines = QVBoxLayout(inner)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(8)
        lines.addWidget(self._title)
        lines.addWidget(self._whose)
        for key, choice in (("visits", self.visits), ("samples", self.samples)):
            lines.addSpacing(12)
            lines.addWidget(Label(self._words.say(f"patients.fhir.{key}.label"), bold=True))
            lines.addWidget(choice)
        lines.addSpacing(4)
        lines.addWidget(self._hint)
        lines.addWidget(Label(self._words.say("patients.fhir.names"), tone="muted", wrap=True))
        lines.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(8)
        column.addWidget(scroller(inner), 1)  # scrolls in a very low window alone
        column.addWidget(self.result)
        column.addWidget(self.path_label)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.back_button)
        row.addWidget(self.jobs, 1)
        row.addStretch()
        row.addWidget(self.folder_button)
        row.addWidget(self.write_button)
        column.addLayout(row)

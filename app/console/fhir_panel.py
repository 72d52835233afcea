"""A visit for other programs: what goes into the bundle, where it is written, and that it was."""

from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.console.review_words import short_date, visit_title
from app.console.steps.base import scroller
from core.model.people import VisitSummary
from core.model.words import Words
from widgets.controls import Button, Card, Label
from widgets.segmented import Segmented

THIS, EVERY = "this", "every"
REDUCED, FULL = "reduced", "full"


class FhirPanel(Card):
    """What is to be written is chosen here; the page asks for it.

    Signals:
        closed: back to the visit.
        wanted: write it: every visit of the patient, every sample.
    """

    closed = Signal()
    wanted = Signal(bool, bool)

    def __init__(self, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._path = Path()
        self._title = Label(words.say("patients.fhir.title"), size=24, bold=True)
        self._visit = Label(tone="muted")
        self.visits = Segmented([(key, words.say(f"patients.fhir.visits.{key}")) for key in (THIS, EVERY)])
        self.samples = Segmented([(key, words.say(f"patients.fhir.samples.{key}")) for key in (REDUCED, FULL)])
        self._hint = Label(tone="muted", wrap=True)
        self.result = Label(bold=True, wrap=True)
        self.path_label = Label(size=13, wrap=True)
        self.path_label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.back_button = Button(words.say("patients.back"))
        self.folder_button = Button(words.say("patients.actions.open_folder"))
        self.write_button = Button(words.say("patients.fhir.write"), role="pri", icon="doc")
        self.back_button.clicked.connect(self.closed)
        self.folder_button.clicked.connect(self._open_folder)
        self.write_button.clicked.connect(self._write)
        self.samples.chosen.connect(lambda _key: self._changed())
        self.visits.chosen.connect(lambda _key: self._changed())
        self._arrange()
        self._changed()

    def open_visit(self, visit: VisitSummary, visits: int) -> None:
        """Begin anew for this visit of a patient who has so many."""
        date = short_date(self._words, visit.began_us, day=True)
        title = visit_title(self._words, visit)
        self._visit.setText(self._words.say("patients.fhir.visit", title=title, date=date, code=visit.code))
        self.visits.choose(THIS)
        self.visits.button(EVERY).setEnabled(visits > 1)
        self._changed()
        self.write_button.setFocus()

    def show_written(self, path: Path) -> None:
        self._path = path
        self._busy(False)
        self.result.setText(self._words.say("patients.fhir.written"))
        self.path_label.setText(str(path).replace("/", "/\N{ZERO WIDTH SPACE}"))
        self.folder_button.show()

    def show_refused(self, sentence: str) -> None:
        self._busy(False)
        self.result.setText(sentence)

    def _changed(self) -> None:
        """What was written before is no longer what is chosen."""
        self._hint.setText(self._words.say(f"patients.fhir.hint.{self.samples.key}"))
        self.result.setText("")
        self.path_label.setText("")
        self.folder_button.hide()

    def _write(self) -> None:
        self._changed()
        self._busy(True)
        self.wanted.emit(self.visits.key == EVERY, self.samples.key == FULL)

    def _busy(self, busy: bool) -> None:
        self.write_button.setEnabled(not busy)
        self.write_button.setText(self._words.say("patients.fhir.busy" if busy else "patients.fhir.write"))

    def _arrange(self) -> None:
        inner = QWidget()
        lines = QVBoxLayout(inner)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(8)
        lines.addWidget(self._title)
        lines.addWidget(self._visit)
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
        row.addStretch()
        row.addWidget(self.folder_button)
        row.addWidget(self.write_button)
        column.addLayout(row)

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path.parent)))

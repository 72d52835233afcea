"""Who was here last, or what a search finds: a field that answers as it is typed, and one line each."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.console.patients_page_row import FoundRow
from app.console.store import Store
from app.ipc.clinical_messages import SUPERSEDED, SearchHits, SearchRecords
from app.ipc.messages import Refused, Reply
from core.model.search import Found
from core.model.words import Words
from widgets.controls import Button, Card, Label
from widgets.focus import OWN_FOCUS

PAUSE_MS = 40
"""Between the last key and the question."""


class PatientList(Card):
    """Search and choose.

    Signals:
        patient_chosen: id of the patient.
        day_wanted: the reports of the day, of all chairs.
        import_wanted: take a patient out of a file.
        entry_chosen: id of the patient, id and kind of what was found.
    """

    patient_chosen = Signal(str)
    day_wanted = Signal()
    import_wanted = Signal()
    entry_chosen = Signal(str, str, str)

    def __init__(self, store: Store, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store, self._words = store, words
        self._asked = 0
        self.search = QLineEdit()
        self.search.setPlaceholderText(words.say("clinical.search.hint"))
        self.search.setAccessibleName(words.say("clinical.search.hint"))
        self.search.setClearButtonEnabled(True)
        self.search.setProperty(OWN_FOCUS, True)
        self.search.setMinimumWidth(280)
        self.day_button = Button(words.say("exchange.day.open"), icon="doc")
        self.day_button.setObjectName("patients.day")
        self.day_button.clicked.connect(self.day_wanted)
        self.import_button = Button(words.say("patients.import.begin"), icon="doc")
        self.import_button.setObjectName("patients.import")
        self.import_button.clicked.connect(self.import_wanted)
        self._count = Label(tone="muted")
        self._state = Label(size=18, tone="muted", wrap=True)
        self.retry = Button(words.say("patients.retry"))
        self.retry.clicked.connect(self.refresh)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._typing = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._typing.timeout.connect(self.refresh)
        self.search.textChanged.connect(lambda _text: self._typing.start())
        self.search.returnPressed.connect(self._open_first)
        store.discreet_changed.connect(self.refresh)
        self._arrange()

    def refresh(self) -> None:
        """Ask for everybody who matches the search; only the newest answer counts."""
        self._typing.stop()
        self.day_button.setVisible(self._store.may("ExportDay"))
        self.import_button.setVisible(self._store.may("AddPatient"))
        self._asked += 1
        asked = self._asked
        query = self.search.text().strip()
        if not self.rows():
            self._say(self._words.say("patients.loading"))
        self._store.ask(SearchRecords(query=query), lambda reply: self._take(reply, asked, query))

    def rows(self) -> list[FoundRow]:
        """The lines from the top."""
        return list(self._area.findChildren(FoundRow))

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(Label(self._words.say("patients.title"), size=24, bold=True))
        head.addWidget(self._count, 1)
        head.addWidget(self.day_button)
        head.addWidget(self.import_button)
        head.addWidget(self.search)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 8)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(self._state)
        column.addWidget(self.retry, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._area, 1)
        self.retry.hide()
        self._state.hide()

    def _take(self, reply: Reply, asked: int, query: str) -> None:
        if asked != self._asked:
            return
        if isinstance(reply, SearchHits):
            self._show(reply.hits, query)
        elif isinstance(reply, Refused) and reply.code != SUPERSEDED:
            self._show((), "")
            remedy = self._words.tell(reply.remedy) if reply.remedy else ""
            self._say(f"{self._words.tell(reply.text)} {remedy}".strip(), retry=True)

    def _show(self, hits: Sequence[Found], query: str) -> None:
        chairs = {chair.patient.id: chair.number for chair in self._store.chairs() if chair.patient is not None}
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(0)
        # Nobody asked for anybody: those in a chair come first.
        shown = hits if query else sorted(hits, key=lambda hit: chairs.get(hit.patient.id, 99))
        for hit in shown:
            seated = chairs.get(hit.patient.id) if hit.kind == "patient" else None
            row = FoundRow(hit, seated, self._words, discreet=self._store.discreet)
            row.opened.connect(lambda hit=hit: self._open(hit))
            column.addWidget(row)
        column.addStretch()
        self._area.setWidget(inner)
        key = "found" if query else "recent"
        self._count.setText(self._words.say(f"clinical.search.{key}", count=len(hits)) if hits else "")
        self._say("" if hits else self._words.say("patients.no_match" if query else "patients.none", query=query))

    def _open(self, hit: Found) -> None:
        if hit.kind == "patient":
            self.patient_chosen.emit(hit.patient.id)
        elif hit.entry is not None:
            self.entry_chosen.emit(hit.patient.id, hit.id, hit.kind)
        elif hit.visit is not None:
            self.entry_chosen.emit(hit.patient.id, hit.visit.id, "visit")

    def _say(self, sentence: str, *, retry: bool = False) -> None:
        self._state.setText(sentence)
        self._state.setVisible(bool(sentence))
        self.retry.setVisible(retry)

    def _open_first(self) -> None:
        rows = self.rows()
        if rows:
            self._open(rows[0].found)

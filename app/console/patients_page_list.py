"""Everybody on record: a search field and one line each."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.console.review_words import birth_date
from app.console.store import Store
from app.ipc.messages import ListPatients, Patients, Refused, Reply
from core.model.people import Patient
from core.model.words import Words
from widgets.controls import Button, Card, Label
from widgets.focus import OWN_FOCUS
from widgets.icon import paint_icon
from widgets.theme import color, font, tokens

PAUSE_MS = 150
"""Between the last key and the question."""


class PatientList(Card):
    """Search and choose.

    Signals:
        patient_chosen: id of the patient.
        day_wanted: the reports of the day, of all chairs.
    """

    patient_chosen = Signal(str)
    day_wanted = Signal()

    def __init__(self, store: Store, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store, self._words = store, words
        self._asked = 0
        self.search = QLineEdit()
        self.search.setPlaceholderText(words.say("patients.search"))
        self.search.setAccessibleName(words.say("patients.search"))
        self.search.setClearButtonEnabled(True)
        self.search.setProperty(OWN_FOCUS, True)
        self.search.setMinimumWidth(320)
        self.day_button = Button(words.say("exchange.day.open"), icon="doc")
        self.day_button.setObjectName("patients.day")
        self.day_button.clicked.connect(self.day_wanted)
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
        self._arrange()

    def refresh(self) -> None:
        """Ask for everybody who matches the search; only the newest answer counts."""
        self._typing.stop()
        self._asked += 1
        asked = self._asked
        query = self.search.text().strip()
        if not self.rows():
            self._say(self._words.say("patients.loading"))
        self._store.ask(ListPatients(query=query), lambda reply: self._take(reply, asked, query))

    def rows(self) -> list[QPushButton]:
        """The lines from the top."""
        return list(self._area.findChildren(_PatientRow))

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(Label(self._words.say("patients.title"), size=24, bold=True))
        head.addWidget(self._count, 1)
        head.addWidget(self.day_button)
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
        if isinstance(reply, Patients):
            self._show(reply.patients, query)
        elif isinstance(reply, Refused):
            self._show((), "")
            remedy = self._words.tell(reply.remedy) if reply.remedy else ""
            self._say(f"{self._words.tell(reply.text)} {remedy}".strip(), retry=True)

    def _show(self, patients: Sequence[Patient], query: str) -> None:
        chairs = {chair.patient.id: chair.number for chair in self._store.chairs() if chair.patient is not None}
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(0)
        for patient in sorted(patients, key=lambda each: _order(each, chairs)):
            row = _PatientRow(patient, chairs.get(patient.id), self._words)
            row.clicked.connect(lambda _checked=False, each=patient.id: self.patient_chosen.emit(each))
            column.addWidget(row)
        column.addStretch()
        self._area.setWidget(inner)
        self._count.setText(self._words.say("patients.count", count=len(patients)) if patients else "")
        if patients:
            self._say("")
        else:
            self._say(self._words.say("patients.no_match" if query else "patients.none", query=query))

    def _say(self, sentence: str, *, retry: bool = False) -> None:
        self._state.setText(sentence)
        self._state.setVisible(bool(sentence))
        self.retry.setVisible(retry)

    def _open_first(self) -> None:
        rows = self.rows()
        if rows:
            rows[0].click()


def _order(patient: Patient, chairs: Mapping[str, int]) -> tuple[int, str, str]:
    """Those in a chair first, then by family name."""
    return chairs.get(patient.id, 99), patient.family_name.casefold(), patient.given_name.casefold()


class _PatientRow(QPushButton):
    """Name, birth date, code, allergy, and the chair where the patient sits."""

    def __init__(self, patient: Patient, chair: int | None, words: Words) -> None:
        super().__init__(patient.name)
        self._patient = patient
        self._born = words.say("patients.born", date=birth_date(words, patient))
        self._allergy = words.say("patients.allergy", allergies=patient.allergies) if patient.allergies else ""
        self._chair = words.say("patients.in_chair", chair=chair) if chair else ""
        self.setFixedHeight(64)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(words.say("patients.open", name=patient.name))
        self.setAccessibleDescription(" ".join(part for part in (self._born, self._allergy, self._chair) if part))

    def sizeHint(self) -> QSize:
        return QSize(480, 64)

    def paintEvent(self, event: QPaintEvent) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color(scheme.line), 1))
        painter.drawLine(0, 0, self.width(), 0)
        if self.underMouse() or self.hasFocus():
            painter.fillRect(self.rect().adjusted(0, 1, 0, 0), color(scheme.sunken, 0.6))
        middle = Qt.AlignmentFlag.AlignVCenter
        columns = (12.0, 0.34 * self.width(), 0.52 * self.width(), 0.64 * self.width())
        texts = (
            (self._patient.name, font(18, bold=True), scheme.ink),
            (self._born, font(15), scheme.muted),
            (self._patient.code, font(15), scheme.muted),
            (self._allergy, font(15, bold=True), scheme.ink),
        )
        ends = (*columns[1:], self.width() - 150.0)
        for (text, face, ink), left, end in zip(texts, columns, ends, strict=True):
            painter.setFont(face)
            painter.setPen(color(ink))
            shown = QFontMetricsF(face).elidedText(text, Qt.TextElideMode.ElideRight, end - left - 12)
            painter.drawText(QRectF(left, 0, end - left, 64), middle, shown)
        painter.setFont(font(15, bold=True))
        painter.setPen(color(scheme.action))
        right = QRectF(self.width() - 150, 0, 110, 64)
        painter.drawText(right, middle | Qt.AlignmentFlag.AlignRight, self._chair)
        paint_icon(painter, "right", QRectF(self.width() - 32, 22, 20, 20), scheme.muted)

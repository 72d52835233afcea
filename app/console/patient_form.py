"""Correct who a patient is: what stands there, what it shall be, and why. The older version stays on the time line."""

import msgspec
from PySide6.QtCore import QDate, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from app.console.store import Store
from app.ipc.messages import CorrectPatient, Refused, Reply
from core.model.clinical import MAX_SHORT
from core.model.people import Patient
from core.model.words import Words
from widgets.controls import Button, Card, Label
from widgets.layouts import named

FIELDS = {"given_name": (0, 0), "family_name": (0, 1), "birth_date": (1, 0), "phone": (1, 1), "allergies": (2, 0)}
"""Where each stands: row and column."""
NEEDED = ("given_name", "birth_date")


class PatientForm(Card):
    """Who the patient is, to be corrected.

    Args:
        erase: what leads to erasing them, rare and apart from all else.

    Signals:
        saved: it is written.
        cancelled: it was put away.
    """

    saved = Signal()
    cancelled = Signal()

    def __init__(self, store: Store, words: Words, erase: Button) -> None:
        super().__init__()
        self._store, self._words = store, words
        self._patient: Patient | None = None
        self.fields = {key: QLineEdit() for key in FIELDS}
        self.notes = QPlainTextEdit()
        self.notes.setTabChangesFocus(True)
        self.reason = QLineEdit()
        self.message = Label(tone="muted", wrap=True)
        self.save = Button(words.say("clinical.save"), role="pri")
        self.cancel = Button(words.say("clinical.cancel"))
        for field in (*self.fields.values(), self.reason):
            field.setMaxLength(MAX_SHORT)
        self.fields["birth_date"].setPlaceholderText(words.say("chair.seat.date_like"))
        self.reason.setPlaceholderText(words.say("clinical.reason_hint"))
        self._arrange(erase)
        self.save.clicked.connect(self._save)
        self.cancel.clicked.connect(self.cancelled)

    def open_patient(self, patient: Patient) -> None:
        self._patient = patient
        for key, field in self.fields.items():
            field.setText(getattr(patient, key))
        self.notes.setPlainText(patient.notes)
        self.reason.clear()
        self.message.setText("")
        self.save.setEnabled(True)
        self.fields["given_name"].setFocus()

    # inside

    def _arrange(self, erase: Button) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(12)
        for key, (row, place) in FIELDS.items():
            grid.addWidget(self._named(key, self.fields[key]), row, place, 1, 2 if key == "allergies" else 1)
        grid.addWidget(self._named("notes", self.notes), 0, 2, 3, 1)
        for place, share in enumerate((1, 1, 2)):
            grid.setColumnStretch(place, share)
        foot = QHBoxLayout()
        foot.setSpacing(12)
        foot.addWidget(self._named("reason", self.reason), 2)
        foot.addWidget(self.message, 2)
        foot.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignBottom)
        foot.addWidget(self.save, 0, Qt.AlignmentFlag.AlignBottom)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(12)
        head = QHBoxLayout()
        head.addWidget(Label(self._words.say("patients.correct.title"), size=18, bold=True), 1)
        head.addWidget(erase)
        column.addLayout(head)
        column.addWidget(Label(self._words.say("patients.correct.means"), size=13, tone="muted", wrap=True))
        column.addLayout(grid)
        column.addStretch()
        column.addLayout(foot)

    def _named(self, key: str, field: QWidget) -> QWidget:
        return named(self._words.say(f"patients.correct.field.{key}"), field)

    def _save(self) -> None:
        if self._patient is None:
            return
        typed = {key: field.text().strip() for key, field in self.fields.items()}
        missing = [key for key in NEEDED if not typed[key]]
        if missing:
            self._want(missing[0], "patients.correct.needed")
        elif not QDate.fromString(typed["birth_date"], Qt.DateFormat.ISODate).isValid():
            self._want("birth_date", "refused.birth_date")
        elif not self.reason.text().strip():
            self.message.setText(self.reason.placeholderText())
            self.reason.setFocus()
        else:
            notes = self.notes.toPlainText().strip()
            wanted = msgspec.structs.replace(self._patient, notes=notes, **typed)
            self.save.setEnabled(False)
            self._store.ask(CorrectPatient(patient=wanted, reason=self.reason.text().strip()), self._answered)

    def _want(self, key: str, sentence: str) -> None:
        field = self.fields[key]
        self.message.setText(self._words.say(sentence, field=field.accessibleName()))
        field.setFocus()

    def _answered(self, reply: Reply) -> None:
        self.save.setEnabled(True)
        if isinstance(reply, Refused):
            remedy = self._words.tell(reply.remedy) if reply.remedy else ""
            self.message.setText(f"{self._words.tell(reply.text)} {remedy}".strip())
        else:
            self.saved.emit()

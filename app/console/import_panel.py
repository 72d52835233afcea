"""A patient out of a file: choose it, look at what it says, then add them. Nothing covers STOP meanwhile."""

import threading
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.console.file_chooser import FileChooser
from app.console.review_words import birth_date
from app.console.steps.base import scroller
from app.console.store import Store
from app.ipc.messages import AddPatient, Done, ListPatients, Patients, Refused, Reply
from core.exchange.fhir.patient_in import FileRefused, FoundPatient, read_patient_file
from core.model.people import Patient
from core.model.words import Words
from core.people.patients import same_person
from widgets.controls import Button, Card, Label

MOST_LEFT_OUT = 12
"""Places that are named one by one; of the rest, how many."""


class ImportPanel(Card):
    """Signals:
    closed: back to the list.
    added: id of the new patient.
    """

    closed = Signal()
    added = Signal(str)

    def __init__(self, store: Store, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store, self._words = store, words
        self._found: FoundPatient | None = None
        self._asked = 0
        self._reading = _Reading(self)
        self._reading.read.connect(self._take_file)
        self.chooser = FileChooser(words, ".json")
        self.headline = Label(size=24, bold=True, wrap=True)
        self.facts = Label(size=18, wrap=True)
        self.allergies = Label(bold=True, wrap=True)
        self.known = Label(bold=True, wrap=True)
        self.left_out = Label(size=13, tone="muted", wrap=True)
        self.back_button = Button(words.say("patients.import.back"))
        self.other_button = Button(words.say("patients.import.other"))
        self.add_button = Button(words.say("patients.import.add"), role="pri", icon="check")
        self.back_button.clicked.connect(self.closed)
        self.other_button.clicked.connect(self.begin)
        self.add_button.clicked.connect(self._add)
        self.chooser.chosen.connect(self.read)
        self.chooser.left.connect(self.closed)
        self._arrange()

    def begin(self) -> None:
        """Choose a file."""
        self._found = None
        self._asked += 1
        self.chooser.begin()
        self._stack.setCurrentWidget(self._choose)

    def read(self, path: str) -> None:
        """Read a file, beside the window: a slow disk must not freeze it."""
        self._asked += 1
        self._show(self._words.say("patients.import.reading"))
        self._reading.start(Path(path), self._asked)

    # what comes back

    def _take_file(self, result: object, asked: int) -> None:
        if asked != self._asked:
            return
        if isinstance(result, FileRefused):
            remedy = self._words.tell(result.next_step)
            self._show(self._words.say("patients.import.refused"), f"{self._words.tell(result.text)} {remedy}")
            self.other_button.setFocus()
        elif isinstance(result, FoundPatient):
            name = f"{result.given_name} {result.family_name}".strip()
            self._store.ask(ListPatients(query=name), lambda reply: self._take_known(reply, result, asked))

    def _take_known(self, reply: Reply, found: FoundPatient, asked: int) -> None:
        """Whether somebody like this is on record is asked first; without an answer nobody is added."""
        if asked != self._asked:
            return
        if isinstance(reply, Refused):
            self._show(self._words.say("patients.import.refused"), self._say_refused(reply))
        elif isinstance(reply, Patients):
            self._offer(found, reply.patients)

    def _offer(self, found: FoundPatient, patients: tuple[Patient, ...]) -> None:
        self._found = found
        same = [one for one in patients if same_person(one, found.given_name, found.family_name, found.birth_date)]
        self._show(f"{found.given_name} {found.family_name}".strip(), self._facts_of(found))
        key = "allergies_told" if found.allergies else "allergies_silent"
        self.allergies.setText(self._words.say(f"patients.import.{key}", where=", ".join(found.allergies[:3])))
        self.known.setText(self._words.say("patients.import.known", code=same[0].code) if same else "")
        self.left_out.setText(self._left_out_of(found))
        self.add_button.setText(self._words.say("patients.import.add_anyway" if same else "patients.import.add"))
        self.add_button.show()
        (self.other_button if same else self.add_button).setFocus()

    def _facts_of(self, found: FoundPatient) -> str:
        shown = Patient(
            id="",
            version=1,
            code="",
            given_name=found.given_name,
            family_name=found.family_name,
            birth_date=found.birth_date,
        )
        born = self._words.say("patients.born", date=birth_date(self._words, shown))
        return f"{born}, {found.phone}" if found.phone else born

    def _left_out_of(self, found: FoundPatient) -> str:
        if not found.left_out:
            return ""
        shown = ", ".join(found.left_out[:MOST_LEFT_OUT])
        more = len(found.left_out) - MOST_LEFT_OUT
        key = "left_out_more" if more > 0 else "left_out"
        return self._words.say(f"patients.import.{key}", places=shown, more=more)

    # what goes out

    def _add(self) -> None:
        found, chairs = self._found, self._store.chairs()
        if found is None:
            return
        self.add_button.setEnabled(False)
        body = AddPatient(
            chair=chairs[0].number if chairs else 1,  # every chair's file knows every patient
            given_name=found.given_name,
            family_name=found.family_name,
            birth_date=found.birth_date,
            phone=found.phone,
        )
        self._store.ask(body, self._take_added)

    def _take_added(self, reply: Reply) -> None:
        self.add_button.setEnabled(True)
        if isinstance(reply, Refused):
            self.known.setText(self._say_refused(reply))
        elif isinstance(reply, Done):
            self._found = None
            self.added.emit(reply.id)

    # how it looks

    def _say_refused(self, reply: Refused) -> str:
        remedy = self._words.tell(reply.remedy) if reply.remedy else ""
        return f"{self._words.tell(reply.text)} {remedy}".strip()

    def _show(self, headline: str, facts: str = "") -> None:
        self.headline.setText(headline)
        self.facts.setText(facts)
        for label in (self.allergies, self.known, self.left_out):
            label.setText("")
        self.add_button.hide()
        self._stack.setCurrentWidget(self._result)

    def _arrange(self) -> None:
        inner = QWidget()
        lines = QVBoxLayout(inner)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(12)
        for label in (self.headline, self.facts, self.known, self.allergies, self.left_out):
            lines.addWidget(label)
        lines.addStretch()
        self._result = QWidget()
        column = QVBoxLayout(self._result)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scroller(inner), 1)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.back_button)
        row.addStretch()
        row.addWidget(self.other_button)
        row.addWidget(self.add_button)
        column.addLayout(row)
        choose = QWidget()
        column = QVBoxLayout(choose)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(Label(self._words.say("patients.import.title"), size=24, bold=True))
        column.addWidget(Label(self._words.say("patients.import.what"), tone="muted", wrap=True))
        column.addWidget(self.chooser, 1)
        self._choose = choose
        self._stack = QStackedWidget()
        self._stack.addWidget(choose)
        self._stack.addWidget(self._result)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(24, 24, 24, 16)
        whole.addWidget(self._stack)


class _Reading(QObject):
    """Reads and parses in a thread. `read` carries a FoundPatient or a FileRefused, and the number asked with."""

    read = Signal(object, int)

    def start(self, path: Path, asked: int) -> None:
        threading.Thread(target=self._run, args=(path, asked), name="read-patient", daemon=True).start()

    def _run(self, path: Path, asked: int) -> None:
        result: FoundPatient | FileRefused
        try:
            result = read_patient_file(path)
        except FileRefused as refused:
            result = refused
        self.read.emit(result, asked)

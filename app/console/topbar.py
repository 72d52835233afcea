"""The top bar: chair switcher, patient or practice, SIMULATED, clock, operator."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.console import rail, status
from app.console.name_label import NameLabel
from app.console.store import Store
from core.model.alarm import AlarmPriority
from core.model.people import Patient
from core.model.words import Words
from widgets.cells import ChairCell, MarkButton, PersonButton
from widgets.controls import Label
from widgets.icon import paint_icon
from widgets.theme import tokens

HEIGHT = 56
_CELL = 124
_SMALLEST_CELL = 64
_REST = 620
"""What patient, mark, clock and operator need, px."""


class TopBar(QWidget):
    """`chair_chosen` carries a number; `operator_pressed` and `mark_pressed` ask for their panels."""

    chair_chosen = Signal(int)
    operator_pressed = Signal()
    mark_pressed = Signal()

    def __init__(self, store: Store, words: Words, *, demo: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._words = words
        self.setFixedHeight(HEIGHT)
        self.cells: dict[int, ChairCell] = {}
        self.title = NameLabel(store, words, size=18, elide=True)
        self.subtitle = Label(size=13, tone="muted", elide=True)
        self.mark = MarkButton(words.say("shell.simulated"))
        self.mark.set_pressable(demo)
        self.time = Label(size=24, bold=True)
        self.person = PersonButton()
        self._chairs = QHBoxLayout()
        self._chairs.setSpacing(0)
        who = QVBoxLayout()
        who.setContentsMargins(20, 8, 8, 7)
        who.setSpacing(0)
        for line in (self.title, self.subtitle):
            who.addWidget(line)
        self._logo = rail.WIDTH
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(self._logo, 0, 0, 0)
        row.setSpacing(0)
        row.addLayout(self._chairs)
        row.addLayout(who, 1)
        row.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addSpacing(22)
        row.addWidget(self.time)
        row.addSpacing(12)
        row.addWidget(self.person)
        self.title.changed.connect(self._name_changed)
        self.person.clicked.connect(self.operator_pressed)
        self.mark.clicked.connect(self.mark_pressed)
        for signal in (store.chair_changed, store.workstation_changed, store.link_changed, store.current_changed):
            signal.connect(self.refresh)
        self.refresh()

    def set_narrow(self, narrow: bool) -> None:
        """The sign stands above the rail, as wide as that is."""
        self._logo = rail.NARROW if narrow else rail.WIDTH
        self._row.setContentsMargins(self._logo, 0, 0, 0)
        self._fit()
        self.update()

    def refresh(self) -> None:
        self._say_chairs()
        chair = self._store.chair(self._store.current)
        now = self._store.clock.utc_us()
        if chair is not None and chair.patient is not None:
            patient = chair.patient
            self.title.show_patient(patient, chair.procedure.visit_code if chair.procedure is not None else "")
            self._say_patient(patient)
        else:
            self.title.show_text(self._store.practice or self._words.say("shell.practice"))
            self.subtitle.setText(status.local_date(now, self._words))
        self.mark.setVisible(self._store.simulated)
        self.time.setText(status.local_time(now))
        operator = self._store.workstation.operator if self._store.workstation else None
        self.person.setVisible(operator is not None)
        if operator is not None:
            role = self._words.say(f"shell.role.{operator.role.value}")
            if operator.demo:
                role = self._words.say("shell.role.demo", role=role)
            self.person.set_person(operator.name, role)

    def _name_changed(self) -> None:
        chair = self._store.chair(self._store.current)
        if chair is not None and chair.patient is not None:
            self._say_patient(chair.patient)

    def _say_patient(self, patient: Patient) -> None:
        """Allergies stay in sight; the birth date goes with the name."""
        hidden = self._words.say("access.names_hidden")
        born = status.birth_date(patient.birth_date, self._words) if patient.birth_date else hidden
        parts = ["born"] if self.title.shown or not patient.birth_date else []
        key = "_".join([*parts, "allergy"] if patient.allergies else parts)
        said = self._words.say(f"shell.patient.{key}", born=born, allergies=patient.allergies) if key else ""
        self.subtitle.setText(said)

    def _say_chairs(self) -> None:
        chairs = self._store.chairs()
        if [chair.number for chair in chairs] != sorted(self.cells):
            self._build_cells([chair.number for chair in chairs])
        for chair in chairs:
            word = status.step_word(self._store, self._words, chair)
            alarm = status.worst_alarm(self._store, chair.number)
            say = self._words.say("shell.chair_cell", number=chair.number, word=word)
            if chair.state == "was_held" and self._store.answering:
                say = f"{say}. {self._words.tell(chair.next_step)}"
            if alarm is not None:
                say = f"{say}. {self._words.tell(alarm.text)}"
            cell = self.cells[chair.number]
            marked = alarm is not None and alarm.priority >= AlarmPriority.MEDIUM and self._store.answering
            shown = alarm.priority if alarm and marked else None
            cell.set_chair(word, shown, say)
            cell.setChecked(chair.number == self._store.current)

    def _build_cells(self, numbers: list[int]) -> None:
        for cell in self.cells.values():
            self._chairs.removeWidget(cell)
            cell.hide()
            cell.deleteLater()
        self.cells = {}
        for number in numbers:
            cell = ChairCell(number)
            cell.clicked.connect(lambda _=False, number=number: self.chair_chosen.emit(number))
            self._chairs.addWidget(cell)
            self.cells[number] = cell
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self.cells:
            room = (self.width() - self._logo - _REST) // len(self.cells)
            for cell in self.cells.values():
                cell.setFixedWidth(max(_SMALLEST_CELL, min(_CELL, room)))

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(scheme.surface))
        paint_icon(painter, "tooth", QRectF((self._logo - 28) / 2, 14, 28, 28), scheme.action)
        painter.fillRect(self._logo - 1, 0, 1, HEIGHT, QColor(scheme.line))
        painter.fillRect(0, HEIGHT - 1, self.width(), 1, QColor(scheme.line))
        painter.end()

"""No visit on this chair: find the patient, or add a new one, and seat them."""

from functools import partial

from PySide6.QtCore import QDate, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from app.console.discreet import listed
from app.console.status import birth_date
from app.console.steps.base import StepPanel, scroller
from app.ipc.clinical_messages import SUPERSEDED, SearchHits, SearchRecords
from app.ipc.messages import AddPatient, Chair, Done, Refused, Reply, SeatPatient
from core.model.hub import LinkState
from core.model.people import Patient
from core.model.words import Words
from widgets.controls import Card, Label
from widgets.reveal import Reveal
from widgets.theme import font, tokens

SHOWN = 40


class PatientRow(QAbstractButton):
    """One patient of the list; the chosen one is sunken, with a mark."""

    picked = Signal(str)

    def __init__(self, patient: Patient, line: str, words: Words, *, discreet: bool) -> None:
        super().__init__()
        self.patient, self._line, self._words = patient, line, words
        self.reveal = Reveal(self, discreet=discreet)
        self.reveal.changed.connect(self.update)
        self.clicked.connect(self.reveal.touch)
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setFixedHeight(60)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"{patient.name}, {line}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.toggled.connect(lambda on: self.picked.emit(patient.id) if on else None)

    def sizeHint(self) -> QSize:
        return QSize(280, 60)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if self.isChecked() or self.underMouse():
            painter.setBrush(QColor(scheme.sunken if self.isChecked() else scheme.bg))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0, 1, 0, -1), 6, 6)
        if self.isChecked():
            painter.setBrush(QColor(scheme.action))
            painter.drawRoundedRect(QRectF(0, 8, 3, self.height() - 16), 1.5, 1.5)
        painter.setPen(QColor(scheme.ink))
        painter.setFont(font(18, bold=True))
        shown = self.reveal.shown
        name = listed(self._words, self.patient, "", shown=shown)
        if not shown:
            painter.drawText(QRectF(14, 0, self.width() - 24, self.height()), Qt.AlignmentFlag.AlignVCenter, name)
            painter.end()
            return
        painter.drawText(QRectF(14, 8, self.width() - 24, 24), Qt.AlignmentFlag.AlignVCenter, name)
        painter.setPen(QColor(scheme.muted))
        painter.setFont(font(13))
        painter.drawText(QRectF(14, 32, self.width() - 24, 20), Qt.AlignmentFlag.AlignVCenter, self._line)
        painter.end()


class WelcomePanel(StepPanel):
    """A search list beside the form for a new patient. The primary seats whom the left or the right side names."""

    wide = True

    def build(self) -> None:
        self.patients: tuple[Patient, ...] = ()
        self.picked = ""
        columns = QHBoxLayout()
        columns.setSpacing(16)
        columns.addWidget(self._build_list(), 5)
        columns.addWidget(self._build_form(), 4)
        self.body.addLayout(columns, 1)
        self.hub = Label("", tone="muted")
        self.foot.insertWidget(0, self.hub)
        self.add = self.button("seat.add", icon="user")
        self.add.clicked.connect(self._add)
        self.form.addWidget(self.add, 0, Qt.AlignmentFlag.AlignRight)
        self.seat = self.primary("seat.seat")
        self.seat.clicked.connect(self._seat)

    def _build_list(self) -> Card:
        card = Card()
        column = QVBoxLayout(card)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(Label(self.say("seat.known"), size=18, bold=True))
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.say("seat.search"))
        self.search.setAccessibleName(self.say("seat.search"))
        self.search.textChanged.connect(self._find)
        column.addWidget(self.search)
        inner = QWidget()
        self.rows = QVBoxLayout(inner)
        self.rows.setContentsMargins(0, 0, 4, 0)
        self.rows.setSpacing(2)
        column.addWidget(scroller(inner), 1)
        self.store.discreet_changed.connect(self._show_list)
        self.empty = Label(self.say("seat.searching"), tone="muted", wrap=True)
        self.rows.addWidget(self.empty)
        self.rows.addStretch(1)
        return card

    def _build_form(self) -> Card:
        card = Card()
        self.form = QVBoxLayout(card)
        self.form.setContentsMargins(16, 14, 16, 14)
        self.form.setSpacing(6)
        self.form.addWidget(Label(self.say("seat.new"), size=18, bold=True))
        self.fields: dict[str, QLineEdit] = {}
        for key in ("given_name", "family_name", "birth_date", "allergies", "phone"):
            name = Label(self.say(f"seat.field.{key}"), size=13, tone="muted")
            field = QLineEdit()
            field.setAccessibleName(self.say(f"seat.field.{key}"))
            field.setMaxLength(120)
            name.setBuddy(field)
            field.textChanged.connect(self._form_changed)
            self.form.addWidget(name)
            self.form.addWidget(field)
            self.fields[key] = field
        self.fields["birth_date"].setPlaceholderText(self.say("seat.date_like"))
        self.form.addStretch(1)
        return card

    def heading(self, _chair: Chair) -> str:
        return self.say("seat.title")

    def show_state(self, chair: Chair) -> None:
        link = "up" if chair.link is LinkState.UP else "absent" if chair.hub_address is None else "searching"
        battery = chair.hub.battery_percent if chair.hub is not None else None
        said = self.say(f"seat.hub.{link}")
        self.hub.setText(said + (self.say("seat.battery", percent=battery) if battery is not None else ""))
        self._form_changed()

    def activated(self) -> None:
        """Look again: patients may have been added elsewhere."""
        self._find()

    # list

    def _find(self) -> None:
        query = self.search.text().strip()
        self.store.ask(SearchRecords(query=query), partial(self._found, query))

    def _found(self, query: str, reply: Reply) -> None:
        if query != self.search.text().strip():
            return
        if isinstance(reply, Refused) and reply.code != SUPERSEDED:
            self.say_refused(reply)
        elif isinstance(reply, SearchHits):
            self.patients = tuple(hit.patient for hit in reply.hits if hit.kind == "patient")[:SHOWN]
            self._show_list()

    def _show_list(self) -> None:
        for place in reversed(range(self.rows.count())):
            item = self.rows.itemAt(place)
            widget = item.widget() if item is not None else None
            if isinstance(widget, PatientRow):
                self.rows.removeWidget(widget)
                widget.hide()
                widget.deleteLater()
        for place, patient in enumerate(self.patients):
            row = PatientRow(patient, self._line(patient), self.words, discreet=self.store.discreet)
            row.picked.connect(self._pick)
            self.rows.insertWidget(place, row)
            row.setChecked(patient.id == self.picked)
        if self.picked not in [patient.id for patient in self.patients]:
            self.picked = ""
        self.empty.setText(self.say("seat.nobody"))
        self.empty.setVisible(not self.patients)
        self._form_changed()

    def _line(self, patient: Patient) -> str:
        parts = [self.words.say("chair.seat.born", date=birth_date(patient.birth_date, self.words)), patient.code]
        if patient.allergies:
            parts.append(self.say("seat.allergy", allergies=patient.allergies))
        return " · ".join(parts)

    def _pick(self, patient_id: str) -> None:
        self.picked = patient_id
        self._form_changed()

    # form

    def _form_changed(self) -> None:
        texts = {key: field.text().strip() for key, field in self.fields.items()}
        dated = QDate.fromString(texts["birth_date"], Qt.DateFormat.ISODate).isValid()
        self.add.setEnabled(bool(texts["given_name"] and texts["family_name"] and dated))
        self.seat.setEnabled(bool(self.picked))
        self.blocked.say("" if self.picked else self.say("seat.pick_first"))

    def _add(self) -> None:
        texts = {key: field.text().strip() for key, field in self.fields.items()}
        self.store.ask(AddPatient(chair=self.number, **texts), self._added)

    def _added(self, reply: Reply) -> None:
        if isinstance(reply, Refused):
            self.say_refused(reply)
        elif isinstance(reply, Done):
            self.say_refused(None)
            self.picked = reply.id
            for field in self.fields.values():
                field.clear()
            self._find()

    def _seat(self) -> None:
        if self.picked:
            self.seat.setEnabled(False)
            self.store.ask(SeatPatient(chair=self.number, patient_id=self.picked), self._seated)

    def _seated(self, reply: Reply) -> None:
        self.say_refused(reply if isinstance(reply, Refused) else None)
        self._form_changed()

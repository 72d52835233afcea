"""People: who may use the workstation; add with a PIN, close an account."""

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.console.login import PHRASE_MOST, pin_fault
from app.console.store import Store
from app.ipc.messages import AddOperator, CloseOperator, Refused, Reply
from core.model.people import Operator, Role
from core.model.words import Words
from widgets.controls import Button, Card, Hairline, Label
from widgets.layouts import empty, scrolled
from widgets.segmented import Segmented

ROLES = (Role.ASSISTANT, Role.DENTIST, Role.ENGINEER, Role.AUDITOR)
"""Companions are added where their patient is."""


class PeoplePane(QWidget):
    """Left: everybody. Right: somebody new."""

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__()
        self._store = store
        self._words = words
        self._shown: tuple[tuple[Operator, ...], str, str] | None = None
        self._asking = ""
        self.close_buttons: dict[str, Button] = {}
        self.confirm_buttons: dict[str, Button] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        everybody = Card()
        column = QVBoxLayout(everybody)
        column.setContentsMargins(16, 14, 12, 14)
        column.setSpacing(8)
        column.addWidget(Label(words.say("shell.people.title"), size=18, bold=True))
        self._rows = QVBoxLayout()
        self._rows.setContentsMargins(0, 0, 4, 0)
        self._rows.setSpacing(0)
        column.addWidget(scrolled(self._rows), 1)
        row.addWidget(everybody, 3)
        row.addWidget(self._form(), 2)
        store.workstation_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        station = self._store.workstation
        people = station.operators if station is not None else ()
        me = station.operator.id if station is not None and station.operator is not None else ""
        shown = (people, me, self._asking)
        if shown == self._shown:
            return
        self._shown = shown
        empty(self._rows)
        self.close_buttons = {}
        self.confirm_buttons = {}
        for one in sorted(people, key=lambda person: (not person.active, person.name)):
            self._rows.addWidget(Hairline())
            self._rows.addWidget(self._row(one, one.id == me))
        if not people:
            self._rows.addWidget(Label(self._words.say("shell.people.none"), tone="muted", wrap=True))
        self._rows.addStretch()

    def _row(self, one: Operator, me: bool) -> QWidget:
        say = self._words.say
        widget = QWidget()
        line = QHBoxLayout(widget)
        line.setContentsMargins(0, 10, 0, 10)
        line.setSpacing(12)
        said = QVBoxLayout()
        said.setSpacing(2)
        said.addWidget(Label(one.name, bold=True, tone="ink" if one.active else "muted"))
        role = say(f"shell.role.{one.role.value}")
        role = say("shell.role.demo", role=role) if one.demo else role
        text = role if one.active else say("shell.people.closed", role=role)
        asking = self._asking == one.id
        said.addWidget(Label(say("shell.people.close_sure") if asking else text, size=13, tone="muted", wrap=True))
        line.addLayout(said, 1)
        if me:
            line.addWidget(Label(say("shell.people.you"), size=13, tone="muted"))
        elif asking:
            keep = Button(say("shell.device.keep"))
            keep.clicked.connect(lambda: self._ask_close(""))
            sure = Button(say("shell.people.close"), role="pri")
            sure.clicked.connect(lambda: self._close(one))
            line.addWidget(keep)
            line.addWidget(sure)
            self.confirm_buttons[one.id] = sure
        elif one.active:
            close = Button(say("shell.people.close"))
            close.setAccessibleName(say("shell.people.close_name", name=one.name))
            close.clicked.connect(lambda: self._ask_close(one.id))
            line.addWidget(close)
            self.close_buttons[one.id] = close
        return widget

    def _ask_close(self, operator_id: str) -> None:
        self._asking = operator_id
        self.refresh()

    def _close(self, one: Operator) -> None:
        self._store.ask(CloseOperator(operator_id=one.id))
        self._ask_close("")

    # somebody new

    def _form(self) -> Card:
        say = self._words.say
        card = Card()
        column = QVBoxLayout(card)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addWidget(Label(say("shell.people.add_title"), size=18, bold=True))
        self.name = QLineEdit()
        self.pin = QLineEdit()
        self.again = QLineEdit()
        for key, field in (("name", self.name), ("pin", self.pin), ("again", self.again)):
            label = Label(say(f"shell.people.{key}"), size=13, bold=True)
            label.setBuddy(field)
            field.setAccessibleName(label.text())
            column.addWidget(label)
            column.addWidget(field)
        for field in (self.pin, self.again):
            field.setEchoMode(QLineEdit.EchoMode.Password)
            field.setMaxLength(PHRASE_MOST)
        column.addWidget(Label(say("shell.people.role"), size=13, bold=True))
        self.role = Segmented([(role.value, say(f"shell.role.{role.value}")) for role in ROLES])
        column.addWidget(self.role)
        self.means = Label(size=13, tone="muted", wrap=True)
        self.role.chosen.connect(self._explain)
        column.addWidget(self.means)
        self.message = Label(tone="muted", wrap=True)
        column.addWidget(self.message)
        column.addStretch()
        self.add = Button(say("shell.people.add"), role="pri")
        row = QHBoxLayout()
        row.addStretch()
        row.addWidget(self.add)
        column.addLayout(row)
        self.add.clicked.connect(self._add)
        self.again.returnPressed.connect(self._add)
        self._explain(self.role.key)
        return card

    def _explain(self, role: str) -> None:
        self.means.setText(self._words.say(f"access.role.{role}"))

    def _add(self) -> None:
        fault = pin_fault(self.name.text(), self.pin.text(), self.again.text())
        if fault:
            self.message.setText(self._words.say(fault))
            return
        body = AddOperator(name=self.name.text().strip(), role=self.role.key, pin=self.pin.text())
        self._store.ask(body, self._added)

    def _added(self, reply: Reply) -> None:
        self.pin.clear()
        self.again.clear()
        if isinstance(reply, Refused):
            remedy = self._words.tell(reply.remedy) if reply.remedy is not None else ""
            self.message.setText(f"{self._words.tell(reply.text)} {remedy}".strip())
            return
        self.message.setText(self._words.say("shell.people.added", name=self.name.text().strip()))
        self.name.clear()

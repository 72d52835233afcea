"""Log in, lock, switch: people at the left, the PIN at the right. Covers all but the bottom bar: STOP needs no login.

A passphrase is typed on the keyboard, in place of a PIN. Who switches stays logged in until the next one is.
"""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QInputMethodEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.console.store import Store
from app.ipc.messages import AddOperator, Done, Login, Refused, Reply
from core.model.people import Operator, Role
from core.model.words import Words
from widgets.controls import Button, Card, Label
from widgets.layouts import empty
from widgets.overlay import Veil

PIN_MOST = 12
PIN_LEAST = 4
PHRASE_LEAST, PHRASE_MOST = 12, 128
_DOTS = 12
_KEY, _LOW_KEY = 72, 60
_CARD = (760, 500)


class Dots(Label):
    """How much was typed, and where the keyboard goes. Keys are the overlay's; `typed` has what needs several."""

    typed = Signal(str)

    def __init__(self, *, size: int, bold: bool) -> None:
        super().__init__(size=size, bold=bold)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        if event.commitString():
            self.typed.emit(event.commitString())
        event.accept()


class LoginOverlay(Veil):
    """Shown while nobody is logged in, and while somebody else takes over. `left`: the switch was called off."""

    left = Signal()

    def __init__(self, store: Store, words: Words, parent: QWidget) -> None:
        super().__init__(parent)
        self._store = store
        self._words = words
        self._chosen: Operator | None = None
        self._pin = ""
        self._switching = False
        self._there: str | None = None
        self._people: tuple[Operator, ...] | None = None
        self.title = Label(size=24, bold=True)
        self.stay = Button("", height=64)
        self.stay.clicked.connect(self.call_off)
        self.operators: dict[str, Button] = {}
        self.keys: dict[str, Button] = {}
        self.dots = Dots(size=34, bold=True)
        self.dots.typed.connect(self.press)
        self.dots.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.dots.setFixedHeight(48)
        self.message = Label(tone="muted", wrap=True)
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._who = Label(size=18, bold=True)
        self._who.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.first = FirstOperator(store, words)
        card = self._card = Card()
        card.setFixedSize(*_CARD)
        row = self._row = QHBoxLayout(card)
        row.setContentsMargins(32, 32, 32, 32)
        row.setSpacing(32)
        self._left = self._build_people()
        self._right = self._build_pad()
        row.addWidget(self._left, 1)
        row.addWidget(self._right)
        row.addWidget(self.first)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addStretch()
        column.addWidget(card, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch()
        store.workstation_changed.connect(self.refresh)
        store.link_changed.connect(self.refresh)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a low window the card gives up its margins and some height of its keys, so that none is cut."""
        super().resizeEvent(event)
        low = self.height() < _CARD[1]
        self._card.setFixedHeight(min(_CARD[1], self.height() - 8))
        self._row.setContentsMargins(*((32, 8, 32, 8) if low else (32, 32, 32, 32)))
        for key in self.keys.values():
            key.setFixedHeight(_LOW_KEY if low else _KEY)

    def _build_people(self) -> QWidget:
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.title)
        column.addWidget(Label(self._words.say("shell.login.sentence"), tone="muted", wrap=True))
        inner = QWidget()
        self._list = QVBoxLayout(inner)
        self._list.setContentsMargins(4, 4, 4, 4)
        self._list.setSpacing(12)
        scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column.addWidget(scroll, 1)
        column.addWidget(self.stay)
        return side

    def _build_pad(self) -> QWidget:
        side = QWidget()
        side.setFixedWidth(3 * _KEY + 2 * 12)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._who)
        column.addWidget(self.dots)
        grid = QGridLayout()
        grid.setSpacing(12)
        say = self._words.say
        for place, key in enumerate("123456789"):
            grid.addWidget(self._key(key, key), place // 3, place % 3)
        grid.addWidget(self._key("back", say("shell.login.back")), 3, 0)
        grid.addWidget(self._key("0", "0"), 3, 1)
        grid.addWidget(self._key("go", say("shell.login.go"), role_primary=True), 3, 2)
        column.addLayout(grid)
        column.addWidget(self.message, 1)
        return side

    def _key(self, key: str, text: str, *, role_primary: bool = False) -> Button:
        button = Button(text, role="pri" if role_primary else "plain", height=_KEY)
        button.setFixedWidth(_KEY)
        button.clicked.connect(lambda: self.press(key))
        self.keys[key] = button
        return button

    # what is known

    def wanted(self) -> bool:
        """Whether the console is locked, or somebody is about to take over."""
        station = self._store.workstation
        return station is not None and (station.operator is None or self._switching)

    @property
    def switching(self) -> bool:
        return self._switching

    def switch(self) -> None:
        """Let somebody else take over; whoever is there stays until they have."""
        self._clear()
        self._switching = True
        self.refresh()

    def call_off(self) -> None:
        """Whoever is there stays."""
        if self._switching:
            self._switching = False
            self._clear()
            self.left.emit()

    def refresh(self) -> None:
        station = self._store.workstation
        there = station.operator if station is not None else None
        if there is None or (self._there is not None and there.id != self._there):
            self._switching = False
        self._there = there.id if there is not None else None
        everybody = station.operators if station is not None else ()
        people = tuple(one for one in everybody if one.active and not (self._switching and one.id == self._there))
        self.title.setText(self._words.say("shell.login.switch" if self._switching else "shell.login.title"))
        self.stay.setVisible(self._switching)
        self.stay.setText(self._words.say("shell.login.stay", name=there.name if there is not None else ""))
        if people != self._people:
            self._people = people
            self._build_list(people)
        for side in (self._left, self._right):
            side.setVisible(bool(people) or self._switching)
        self.first.setVisible(not people and not self._switching)
        if there is not None and not self._switching:
            self._clear()

    def _build_list(self, people: tuple[Operator, ...]) -> None:
        empty(self._list)
        self.operators = {}
        for one in people:
            role = self._words.say(f"shell.role.{one.role.value}")
            button = Button(self._words.say("shell.login.person", name=one.name, role=role), icon="user", height=64)
            button.setCheckable(True)
            button.setAutoExclusive(True)
            button.clicked.connect(lambda _=False, one=one: self.choose(one))
            self._list.addWidget(button)
            self.operators[one.id] = button
        self._list.addStretch()
        if len(people) == 1 and not people[0].demo:
            self.choose(people[0])
        else:
            self._chosen = None
            self._show_pin()

    # what people do

    def choose(self, operator: Operator) -> None:
        """The demo operator needs no PIN and is in at once."""
        self._chosen = operator
        self.operators[operator.id].setChecked(True)
        self._pin = ""
        self.message.setText("" if operator.demo else self._words.say("shell.login.phrase"))
        self._show_pin()
        if operator.demo:
            self._log_in()
        elif self.isVisible():
            self.dots.setFocus(
                Qt.FocusReason.OtherFocusReason
            )  # so that a space belongs to the passphrase, not to a name

    def press(self, key: str) -> None:
        """A key of the pad, or of the keyboard."""
        if key == "go":
            self._log_in()
        elif key == "back":
            self._pin = self._pin[:-1]
        elif len(self._pin) < PHRASE_MOST:
            self._pin += key
        self._show_pin()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, text = event.key(), event.text()
        if key == Qt.Key.Key_Escape and self._switching:
            self.call_off()
        elif text and text.isprintable():
            self.press(text)
        elif key == Qt.Key.Key_Backspace:
            self.press("back")
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.press("go")
        else:
            super().keyPressEvent(event)

    def _log_in(self) -> None:
        if self._chosen is None:
            self.message.setText(self._words.say("shell.login.choose"))
            return
        self.message.setText(self._words.say("shell.login.checking"))
        pin, self._pin = self._pin, ""
        self._store.ask(Login(operator_id=self._chosen.id, pin=pin), self._answered)
        self._show_pin()

    def _answered(self, reply: Reply) -> None:
        if isinstance(reply, Refused):
            remedy = self._words.tell(reply.remedy) if reply.remedy is not None else ""
            self.message.setText(f"{self._words.tell(reply.text)} {remedy}".strip())
        else:
            self.message.setText("")

    def _show_pin(self) -> None:
        self._who.setText(self._chosen.name if self._chosen else self._words.say("shell.login.choose"))
        typed = len(self._pin)
        self.dots.setText("•" * min(typed, _DOTS) + (f" {typed}" if typed > _DOTS else "") if typed else "–")
        self.dots.setAccessibleName(self._words.say("shell.login.digits", count=len(self._pin)))

    def _clear(self) -> None:
        self._pin = ""
        self._chosen = None
        self.message.setText("")
        for button in self.operators.values():
            button.setAutoExclusive(False)
            button.setChecked(False)
            button.setAutoExclusive(True)
        self._show_pin()


class FirstOperator(QWidget):
    """A new data folder knows nobody: the first dentist names themselves."""

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__()
        self._store = store
        self._words = words
        self.name = QLineEdit()
        self.pin = QLineEdit()
        self.again = QLineEdit()
        self.message = Label(tone="muted", wrap=True)
        self.go = Button(words.say("shell.first.go"), role="pri")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(Label(words.say("shell.first.title"), size=24, bold=True))
        column.addWidget(Label(words.say("shell.first.sentence"), tone="muted", wrap=True))
        for key, field in (("name", self.name), ("pin", self.pin), ("again", self.again)):
            label = Label(words.say(f"shell.people.{key}"), size=13, bold=True)
            label.setBuddy(field)
            field.setAccessibleName(label.text())
            column.addWidget(label)
            column.addWidget(field)
            if key != "name":
                field.setEchoMode(QLineEdit.EchoMode.Password)
                field.setMaxLength(PHRASE_MOST)
        column.addWidget(self.message)
        column.addStretch()
        column.addWidget(self.go, 0, Qt.AlignmentFlag.AlignRight)
        self.go.clicked.connect(self._add)
        self.again.returnPressed.connect(self._add)

    def _add(self) -> None:
        fault = pin_fault(self.name.text(), self.pin.text(), self.again.text())
        if fault:
            self.message.setText(self._words.say(fault))
            return
        pin = self.pin.text()
        self._store.ask(
            AddOperator(name=self.name.text().strip(), role=Role.DENTIST.value, pin=pin),
            lambda reply: self._added(reply, pin),
        )

    def _added(self, reply: Reply, pin: str) -> None:
        self.pin.clear()
        self.again.clear()
        if isinstance(reply, Done) and reply.id:
            self._store.ask(Login(operator_id=reply.id, pin=pin))
        elif isinstance(reply, Refused):
            self.message.setText(self._words.tell(reply.text))


def pin_fault(name: str, pin: str, again: str) -> str:
    """Words key of what is wrong with a new person's name and PIN; empty when nothing is."""
    if not name.strip():
        return "shell.people.need_name"
    if not may_be_pin(pin):
        return "shell.people.need_pin"
    return "" if pin == again else "shell.people.not_same"


def may_be_pin(pin: str) -> bool:
    """Whether this has the form of a PIN or of a passphrase; the engine says whether it is a good one."""
    if pin.isascii() and pin.isdigit() and PIN_LEAST <= len(pin) <= PIN_MOST:
        return True
    return PHRASE_LEAST <= len(pin) <= PHRASE_MOST

"""The simulated clinic's own strip: watch, run a procedure, break something. Absent without a `Demo`."""

from typing import Protocol

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.console.store import Store
from core.model.errors import SmilescapeError
from core.model.words import Text, Words
from widgets.controls import Button, Card, Label
from widgets.overlay import Panel
from widgets.segmented import Segmented

FAULTS = ("sugar", "drop_link", "silence_sensor", "warm_tooth", "reboot_hub", "battery_low", "patient_stop")
_COLUMNS = 2


class Demo(Protocol):
    """Who plays the simulated clinic."""

    def trigger(self, chair: int, name: str) -> None:
        """Make one of `FAULTS` happen at a chair; never waits."""
        ...


class DemoStrip(Card):
    """One line at the head of *Chairs*. Dismissed, its choices stay behind the SIMULATED mark."""

    watch = Signal()
    run = Signal()
    break_something = Signal()
    dismissed = Signal()

    def __init__(self, words: Words) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 12, 12)
        row.setSpacing(12)
        row.addWidget(Label(words.say("shell.demo.title"), bold=True))
        row.addWidget(Label(words.say("shell.demo.sentence"), tone="muted"), 1)
        self.buttons: dict[str, Button] = {}
        for key, signal in (("watch", self.watch), ("run", self.run), ("break", self.break_something)):
            button = Button(words.say(f"shell.demo.{key}"))
            button.clicked.connect(signal)
            row.addWidget(button)
            self.buttons[key] = button
        dismiss = Button("", icon="x")
        dismiss.setFixedWidth(48)
        dismiss.setAccessibleName(words.say("shell.demo.dismiss"))
        dismiss.setToolTip(words.say("shell.demo.dismiss"))
        dismiss.clicked.connect(self._dismiss)
        row.addWidget(dismiss)
        self.buttons["dismiss"] = dismiss

    def _dismiss(self) -> None:
        self.hide()
        self.dismissed.emit()


class DemoPanel(Panel):
    """What can be broken, and at which chair."""

    def __init__(self, store: Store, words: Words, demo: Demo, parent: QWidget, opener: QWidget | None = None) -> None:
        super().__init__(parent, opener)
        self._store = store
        self._words = words
        self._demo = demo
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 20)
        column.setSpacing(12)
        head = QHBoxLayout()
        head.addWidget(Label(words.say("shell.demo.break"), size=18, bold=True), 1)
        close = Button(words.say("shell.close"))
        close.clicked.connect(self.close_panel)
        head.addWidget(close)
        column.addLayout(head)
        self.chairs = Segmented([])
        column.addWidget(self.chairs)
        grid = QGridLayout()
        grid.setSpacing(12)
        self.buttons: dict[str, Button] = {}
        for place, name in enumerate(FAULTS):
            button = Button(words.say(f"shell.demo.fault.{name}"))
            button.clicked.connect(lambda _=False, name=name: self._break(name))
            grid.addWidget(button, place // _COLUMNS, place % _COLUMNS)
            self.buttons[name] = button
        column.addLayout(grid)
        self.setAccessibleName(words.say("shell.demo.break"))

    def _break(self, name: str) -> None:
        try:
            self._demo.trigger(int(self.chairs.key or 0), name)
        except SmilescapeError:
            self._store.notice(Text("shell.demo.gone"), Text("shell.demo.gone_remedy"))

    def open_at(self, right: int, top: int) -> None:
        chairs = [chair.number for chair in self._store.chairs()]
        self.chairs.set_options(
            [(str(number), self._words.say("shell.chair_name", number=number)) for number in chairs]
        )
        if self._store.current:
            self.chairs.choose(str(self._store.current))
        size = self.sizeHint()
        width = max(420, size.width())
        self.setGeometry(right - width, top, width, size.height())
        self.show()
        self.raise_()
        self.buttons[FAULTS[0]].setFocus()

"""The operator's menu: switch operator, light or dark, lock. A child frame, not a pop-up that grabs STOP's keys."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.console.store import Store
from app.ipc.messages import Logout
from core.model.words import Words
from widgets.controls import Button
from widgets.overlay import Panel
from widgets.theme import tokens


class OperatorMenu(Panel):
    """`mode_chosen` carries `light` or `dark`; the other two ask for their panels."""

    mode_chosen = Signal(str)
    switch_wanted = Signal()
    emergency_wanted = Signal()

    def __init__(self, store: Store, words: Words, parent: QWidget, opener: QWidget | None = None) -> None:
        super().__init__(parent, opener)
        self._store = store
        self._words = words
        self.switch = Button(words.say("shell.operator.switch"), icon="people", height=64)
        self.emergency = Button(words.say("emergency.open"), icon="eye")
        self.mode = Button("", icon="moon")
        self.lock = Button(words.say("shell.operator.lock"), icon="lock")
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        for button in (self.switch, self.emergency, self.mode, self.lock):
            column.addWidget(button)
        self.switch.clicked.connect(self._switch)
        self.emergency.clicked.connect(self._emergency)
        self.lock.clicked.connect(self._leave)
        self.mode.clicked.connect(self._other_mode)
        self.setAccessibleName(words.say("shell.operator.menu"))

    def open_at(self, right: int, top: int) -> None:
        self.mode.setText(self._words.say("shell.operator.light" if tokens().dark else "shell.operator.dark"))
        self.emergency.setVisible(self._store.may("OpenInEmergency"))
        size = self.sizeHint()
        width = max(240, size.width())
        self.setGeometry(right - width, top, width, size.height())
        self.show()
        self.raise_()
        self.switch.setFocus()

    def _switch(self) -> None:
        self.close_panel()
        self.switch_wanted.emit()

    def _emergency(self) -> None:
        self.close_panel()
        self.emergency_wanted.emit()

    def _leave(self) -> None:
        self.close_panel()
        self._store.ask(Logout())

    def _other_mode(self) -> None:
        self.close_panel()
        self.mode_chosen.emit("light" if tokens().dark else "dark")

"""The simulated clinic's own strip: watch, run a procedure, break something. Absent without a `Demo`."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout

from core.model.words import Words
from widgets.controls import Button, Card, Label


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

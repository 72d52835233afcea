"""A few fields to fill in before something is done about a key: a reason, or PINs, which are never shown."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.console.login import PHRASE_MOST, may_be_pin
from core.model.words import Words
from widgets.controls import Label
from widgets.layouts import empty

REASON, OWN, OLD, NEW, AGAIN = "reason", "own", "old", "new", "again"
_MOST_REASON = 200


class KeyForm(QWidget):
    """Fields by name: `reason`, `own` (one's PIN), `old`, `new`, `again`. `entered`: Return was pressed in the last."""

    entered = Signal()

    def __init__(self, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self.fields: dict[str, QLineEdit] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)

    def build(self, names: Sequence[str]) -> None:
        """Show these fields, empty; the first has the focus."""
        empty(self._column)
        self.fields = {}
        for name in names:
            label, field = Label(self._words.say(f"shell.keys.field.{name}"), size=13, bold=True), QLineEdit()
            label.setBuddy(field)
            field.setAccessibleName(label.text())
            if name == REASON:
                field.setMaxLength(_MOST_REASON)
            else:
                field.setEchoMode(QLineEdit.EchoMode.Password)
                field.setMaxLength(PHRASE_MOST)
            self._column.addWidget(label)
            self._column.addWidget(field)
            self._column.addSpacing(4)
            self.fields[name] = field
        for field in list(self.fields.values())[-1:]:
            field.returnPressed.connect(self.entered)
        for field in list(self.fields.values())[:1]:
            field.setFocus()

    def value(self, name: str) -> str:
        return self.fields[name].text() if name in self.fields else ""

    def fault(self) -> str:
        """Words key of what is wrong with what was typed; empty when nothing is."""
        if REASON in self.fields and not self.value(REASON).strip():
            return "shell.keys.need_reason"
        for name in (OWN, OLD, NEW):
            if name in self.fields and not may_be_pin(self.value(name)):
                return "shell.people.need_pin"
        return "" if self.value(NEW) == self.value(AGAIN) else "shell.people.not_same"

    def clear_pins(self) -> None:
        """After an answer, whatever it was."""
        for name, field in self.fields.items():
            if name != REASON:
                field.clear()

"""What the practice is called and whom patients call: both stand on every report."""

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.console.store import Store
from app.ipc.messages import SetPractice
from core.model.words import Words
from widgets.controls import Button


class PracticeForm(QWidget):
    """Two fields and a button; what the engine says replaces what is not being typed."""

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__()
        self._store = store
        self.name = QLineEdit()
        self.phone = QLineEdit()
        self.save = Button(words.say("shell.settings.save"))
        self.save.setObjectName("settings.save")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        for field, key, share in ((self.name, "practice_name", 3), (self.phone, "practice_phone", 2)):
            field.setMaxLength(80)
            field.setPlaceholderText(words.say(f"shell.settings.{key}"))
            field.setAccessibleName(words.say(f"shell.settings.{key}"))
            field.textChanged.connect(self._say_open)
            field.returnPressed.connect(self._send)
            row.addWidget(field, share)
        row.addWidget(self.save)
        self.save.clicked.connect(self._send)
        store.workstation_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is in force, unless somebody is typing."""
        if self.name.hasFocus() or self.phone.hasFocus():
            return
        name, phone = self._known()
        self.name.setText(name)
        self.phone.setText(phone)
        self._say_open()

    def _known(self) -> tuple[str, str]:
        workstation = self._store.workstation
        return (workstation.practice, workstation.practice_phone) if workstation is not None else ("", "")

    def _say_open(self) -> None:
        typed = (self.name.text().strip(), self.phone.text().strip())
        self.save.setEnabled(bool(typed[0]) and typed != self._known())

    def _send(self) -> None:
        if self.save.isEnabled():
            self._store.ask(SetPractice(name=self.name.text().strip(), phone=self.phone.text().strip()))
            self.save.setFocus()

"""The recovery sheet of the records: asked for until it was printed and a line of it was typed back from paper."""

from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout

from app.console.review_words import export_folder, short_date
from app.console.store import Store
from app.ipc.backup_messages import BackupState, ConfirmSheet, DropSheet, PrintSheet, SheetWritten
from app.ipc.messages import Refused, Reply
from core.model.words import Words
from widgets.controls import Button, Card, Label


class SheetCard(Card):
    """`changed`: another sheet is in force."""

    changed = Signal()

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__()
        self._store, self._words = store, words
        self._path = Path()
        self._waits = False
        say = words.say
        self.said = Label(wrap=True)
        self.message = Label(tone="muted", wrap=True)
        self.line = QLineEdit()
        self.line.setMaxLength(40)
        self.line.setAccessibleName(say("backup.sheet.title"))
        self.caption = Label(size=13, bold=True)
        self.caption.setBuddy(self.line)
        self.print_button = Button(say("backup.sheet.print"), role="pri", icon="doc")
        self.open_button = Button(say("backup.sheet.open"))
        self.drop_button = Button(say("backup.sheet.drop"))
        self.confirm_button = Button(say("backup.sheet.confirm"), role="pri")
        first, second = QHBoxLayout(), QHBoxLayout()
        for row in (first, second):
            row.setSpacing(12)
        first.addStretch()
        first.addWidget(self.print_button)
        second.addWidget(self.drop_button)
        second.addStretch()
        second.addWidget(self.open_button)
        second.addWidget(self.confirm_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(Label(say("backup.sheet.title"), size=18, bold=True))
        column.addWidget(self.said)
        column.addWidget(self.caption)
        column.addWidget(self.line)
        column.addWidget(self.message)
        column.addLayout(first)
        column.addLayout(second)
        self.print_button.clicked.connect(self._print)
        self.open_button.clicked.connect(self._open)
        self.drop_button.clicked.connect(lambda: store.ask(DropSheet()))
        self.confirm_button.clicked.connect(self._confirm)
        self.line.returnPressed.connect(self._confirm)
        store.workstation_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        station = self._store.workstation
        state = station.backups if station is not None else None
        dentist = self._store.may("PrintSheet")
        waits = dentist and state is not None and bool(state.line)
        self.said.setText(self._sentence(state))
        if waits and state is not None and not self._waits:
            caption = self._words.say("backup.sheet.type", line=state.line)
            self.caption.setText(caption)
            self.line.setAccessibleName(caption)
            self.line.clear()
        self._waits = waits
        for widget in (self.caption, self.line, self.drop_button, self.open_button, self.confirm_button):
            widget.setVisible(waits)
        self.open_button.setVisible(waits and self._path != Path())
        wanted = state is not None and not state.sheet_us
        self.print_button.setVisible(dentist and not waits)
        self.print_button.set_role("pri" if wanted else "plain")
        self.print_button.setText(self._words.say(f"backup.sheet.{'print' if wanted else 'again'}"))
        if not waits:
            self.message.setText("")
        self.message.setVisible(bool(self.message.text()))

    def _sentence(self, state: BackupState | None) -> str:
        if state is None:
            return self._words.say("backup.unknown")
        if state.line:
            return self._words.say("backup.sheet.waits")
        if state.sheet_us:
            date = short_date(self._words, state.sheet_us, day=True)
            key = "done" if state.sheet_by else "done_elsewhere"
            return self._words.say(f"backup.sheet.{key}", name=state.sheet_by, date=date)
        return self._words.say(f"backup.sheet.{'wanted' if state.sheet_wanted else 'none'}")

    def _print(self) -> None:
        folder = export_folder(self._store.data_folder)
        self.print_button.setEnabled(False)
        self._store.ask(PrintSheet(folder=str(folder)), self._written)

    def _written(self, reply: Reply) -> None:
        self.print_button.setEnabled(True)
        if isinstance(reply, SheetWritten):
            self._path = Path(reply.path)
            self.refresh()
            self._open()
            self.line.setFocus()
        elif isinstance(reply, Refused):
            self._refused(reply)

    def _open(self) -> None:
        opened = QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path)))
        key = "opened" if opened else "not_opened"
        self._tell(self._words.say(f"backup.sheet.{key}", path=str(self._path)))

    def _confirm(self) -> None:
        self.confirm_button.setEnabled(False)
        self._store.ask(ConfirmSheet(line=self.line.text()), self._confirmed)

    def _confirmed(self, reply: Reply) -> None:
        self.confirm_button.setEnabled(True)
        if isinstance(reply, Refused):
            self._refused(reply)
            self.line.setFocus()
            return
        self.line.clear()
        self.changed.emit()

    def _refused(self, reply: Refused) -> None:
        remedy = self._words.tell(reply.remedy) if reply.remedy is not None else ""
        self._tell(f"{self._words.tell(reply.text)} {remedy}".strip())

    def _tell(self, sentence: str) -> None:
        self.message.setText(sentence)
        self.message.setVisible(bool(sentence))

"""The list of who looked, as a PDF that the patient takes home: in which language, and where it lies."""

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.console.report_panel import LANGUAGES
from app.console.review_words import export_folder
from app.console.store import Store
from app.ipc.access_messages import PrintViews
from app.ipc.messages import Refused, Reply, ReportMade
from core.model.words import Words
from widgets.controls import Button, Label


class ViewsSheet(QWidget):
    """Only for who may; the file's name tells a code and nobody's name."""

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__()
        self._store, self._words = store, words
        self._patient_id = self._code = ""
        self._written = Path()
        self.languages = {key: Button(words.say(f"patients.report.language.{key}"), icon="doc") for key in LANGUAGES}
        self.open = Button(words.say("patients.actions.open"), icon="right", icon_right=True)
        self.said = Label(size=13, tone="muted", wrap=True)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(Label(words.say("views.print"), bold=True))
        for key, button in self.languages.items():
            button.setAccessibleName(words.say("views.print_name", language=button.text()))
            button.clicked.connect(lambda _=False, key=key: self._print(key))
            row.addWidget(button)
        row.addStretch()
        row.addWidget(self.open)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.said)
        self.open.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._written))))
        self.open_patient("", "")

    def open_patient(self, patient_id: str, code: str) -> None:
        self._patient_id, self._code = patient_id, code
        self.setVisible(bool(code) and self._store.may("PrintViews"))
        self.open.hide()
        self._busy(False)
        self._say("")

    def _print(self, language: str) -> None:
        folder = export_folder(self._store.data_folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            self._say(self._words.say("patients.folder.text", folder=str(folder)))
            return
        self._busy(True)
        self._say(self._words.say("views.printing"))
        path = folder / f"{self._code}-looks-{language}.pdf"
        body = PrintViews(patient_id=self._patient_id, path=str(path), language=language)
        self._store.ask(body, lambda reply: self._printed(reply, body.patient_id))

    def _printed(self, reply: Reply, patient_id: str) -> None:
        if patient_id != self._patient_id:
            return
        self._busy(False)
        if isinstance(reply, Refused):
            remedy = self._words.tell(reply.remedy) if reply.remedy is not None else ""
            self._say(f"{self._words.tell(reply.text)} {remedy}".strip())
        elif isinstance(reply, ReportMade):
            self._written = Path(reply.path)
            self.open.show()
            self._say(self._words.say("views.printed", name=self._written.name))

    def _busy(self, busy: bool) -> None:
        for button in self.languages.values():
            button.setEnabled(not busy)

    def _say(self, sentence: str) -> None:
        self.said.setText(sentence)
        self.said.setVisible(bool(sentence))

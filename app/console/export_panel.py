"""One visit and other programs: which format, into which folder, how far it is, where it lies; and the way in."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.console.job_bar import JobBar
from app.console.place_field import PlaceField, Sticks, plugged_in
from app.console.private_sheet import PrivateSheet
from app.console.report_panel import LANGUAGES
from app.console.store import Store
from app.ipc.export_messages import ExportSamples, Format, MakePack, PackMade
from app.ipc.messages import Done, Refused, Reply, VisitDetail
from core.model.words import Words
from widgets.controls import Button, Card, Hairline, Label
from widgets.segmented import Segmented


@dataclass(frozen=True, slots=True)
class _Choice:
    format: Format
    ending: str


FHIR, PACK, SIGNALS = "fhir", "pack", "signals"
CHOICES = (_Choice("edf", "-edf"), _Choice("parquet", ".parquet"), _Choice("csv", ".csv"))


class ExportPanel(Card):
    """Signals:
    closed: back to the visit.
    fhir_wanted: choose what goes into a FHIR bundle in this folder.
    signals_wanted: take in signals recorded elsewhere.
    """

    closed = Signal()
    fhir_wanted = Signal(str)
    signals_wanted = Signal()

    def __init__(self, store: Store, words: Words, sticks: Sticks = plugged_in, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store, self._words = store, words
        self._detail: VisitDetail | None = None
        self._written = Path()
        self.place = PlaceField(words, sticks)
        self.jobs = JobBar(store, words)
        self.buttons: dict[str, Button] = {}
        self.code = Label(size=24, bold=True)
        self.code.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._note = Label(tone="muted", wrap=True)
        self.languages = Segmented([(key, words.say(f"patients.report.language.{key}")) for key in LANGUAGES])
        self.languages.setAccessibleName(words.say("exchange.pack.language"))
        self.sheet_button = Button(words.say("exchange.pack.sheet"), icon="doc")
        self.sheet_button.setObjectName("pack.sheet")
        self.sheet_button.clicked.connect(self._print)
        self._sheet = PrivateSheet()
        self._pdf = b""
        self.told = Label(bold=True, wrap=True)
        self.told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.folder_button = Button(words.say("exchange.visit.open_folder"))
        self.back = Button(words.say("exchange.visit.back"))
        self._whole = Label(tone="muted", wrap=True)
        self.back.clicked.connect(self._leave)
        self.folder_button.clicked.connect(self._open)
        self.place.changed.connect(self._allow)
        self._arrange()

    def show_visit(self, detail: VisitDetail, usual: Path) -> None:
        """`usual`: where files go when nobody chooses; it is there already."""
        if self._detail is None or self._detail.visit.id != detail.visit.id:
            self._say("")
        self.refresh(detail)
        self.place.refresh(usual)
        self._allow()

    def refresh(self, detail: VisitDetail) -> None:
        """The same visit as it is by now."""
        self._detail = detail
        key = "whole" if detail.channels else "nothing"
        self._whole.setText(self._words.say(f"exchange.visit.{key}", code=detail.visit.code))
        self._allow()

    def _allow(self) -> None:
        """A visit without signals still has a procedure and a report."""
        ready = self._detail is not None and self.place.folder is not None
        signals = self._detail is not None and bool(self._detail.channels)
        for name, button in self.buttons.items():
            button.setEnabled(name == SIGNALS or (ready and (signals or name in (FHIR, PACK))))

    def _write(self, choice: _Choice, _checked: bool = False) -> None:
        detail, folder = self._detail, self.place.folder
        if detail is None or folder is None:
            return
        path = folder / f"{detail.visit.code}{choice.ending}"
        spans = detail.channels
        self._say(self._words.say("exchange.visit.busy") if self.jobs.running else "")
        self.back.setFocus()  # a button that is disabled must not give the focus to whatever comes next
        self.buttons[choice.format].setEnabled(False)
        body = ExportSamples(
            chair=detail.visit.chair,
            visit_id=detail.visit.id,
            format=choice.format,
            channels=tuple(span.channel for span in spans),
            from_us=detail.visit.began_us,
            to_us=detail.visit.ended_us or max(span.to_us for span in spans) + 1,
            path=str(path),
        )
        self._store.ask(body, lambda reply: self._ended(reply, path))

    def _fhir(self, _checked: bool = False) -> None:
        if self.place.folder is not None:
            self.fhir_wanted.emit(str(self.place.folder))

    def _pack(self, _checked: bool = False) -> None:
        detail, folder = self._detail, self.place.folder
        if detail is None or folder is None:
            return
        self._say(self._words.say("exchange.visit.busy") if self.jobs.running else "")
        self.back.setFocus()
        self.buttons[PACK].setEnabled(False)
        body = MakePack(
            patient_id=detail.patient.id,
            folder=str(folder),
            name=f"{detail.visit.code}-pack",
            language=self.languages.key,
        )
        self._store.ask(body, lambda reply: self._ended(reply, folder))

    def _ended(self, reply: Reply, path: Path) -> None:
        self._allow()
        if isinstance(reply, Refused):
            remedy = self._words.tell(reply.remedy) if reply.remedy else ""
            self._say(f"{self._words.tell(reply.text)} {remedy}".strip())
        elif isinstance(reply, Done):
            self._say(self._words.say("exchange.visit.written", name=path.name), path)
        elif isinstance(reply, PackMade):
            missing = ""
            if count := len(reply.missing):
                visit, part, why = reply.missing[0]
                key = "missing_one" if count == 1 else "missing"
                missing = self._words.say(f"exchange.pack.{key}", count=count, visit=visit, part=part, why=why)
            made = Path(reply.folder)
            self._say(self._words.say("exchange.pack.made", name=made.name, missing=missing).strip(), made)
            self.code.setText(self._words.say("exchange.pack.code", code=reply.code))
            self._note.setText(self._words.say("exchange.pack.code_note"))
            self._pdf = reply.sheet
            self.code.show()
            self._note.show()
            self.sheet_button.setVisible(bool(reply.sheet))

    def _print(self, _checked: bool = False) -> None:
        """The sheet is written for as long as it is wanted, and never where the pack lies."""
        key = "sheet_opened" if self._sheet.show(self._pdf) else "sheet_not_opened"
        self._note.setText(self._words.say(f"exchange.pack.{key}"))

    def _leave(self, _checked: bool = False) -> None:
        """A code that was shown is gone, and so is its sheet."""
        if self._pdf:
            self._say("")
        self.closed.emit()

    def _say(self, sentence: str, written: Path | None = None) -> None:
        """What came of it. A code that was shown goes with the next sentence."""
        self.told.setText(sentence)
        self.code.setText("")
        self.code.hide()
        self._note.hide()
        self._pdf = b""
        self._sheet.forget()
        self.sheet_button.hide()
        self.folder_button.setVisible(written is not None)
        self._written = written or self._written

    def _open(self) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._written.parent))):
            self.told.setText(self._words.say("exchange.visit.not_opened"))

    def _arrange(self) -> None:
        cells = QGridLayout()
        cells.setHorizontalSpacing(48)
        cells.setVerticalSpacing(12)
        for number, choice in enumerate(CHOICES):
            cell = self._cell(choice.format, partial(self._write, choice))
            cells.addLayout(cell, number // 2, number % 2)
        cells.addLayout(self._cell(FHIR, self._fhir, "choose"), 1, 1)
        cells.addLayout(self._cell(PACK, self._pack, choice=self.languages), 2, 0)
        cells.addLayout(self._cell(SIGNALS, lambda _checked: self.signals_wanted.emit(), "choose"), 2, 1)
        cells.setColumnStretch(0, 1)
        cells.setColumnStretch(1, 1)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(Label(self._words.say("exchange.visit.title"), size=24, bold=True))
        head.addWidget(self._whole, 1)
        foot = QHBoxLayout()
        foot.setSpacing(16)
        foot.addWidget(self.back)
        foot.addWidget(self.told, 1)
        foot.addWidget(self.jobs, 2)
        foot.addWidget(self.folder_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(self.place)
        column.addWidget(Hairline())
        column.addLayout(cells)
        column.addStretch()
        code = QHBoxLayout()
        code.setSpacing(24)
        code.addWidget(self.code)
        code.addWidget(self._note, 1)
        code.addWidget(self.sheet_button)
        column.addLayout(code)
        column.addLayout(foot)
        self._say("")

    def _cell(
        self, name: str, press: Callable[[bool], None], verb: str = "write", choice: QWidget | None = None
    ) -> QHBoxLayout:
        title = self._words.say(f"exchange.format.{name}.title")
        button = Button(self._words.say(f"exchange.visit.{verb}"))
        button.setAccessibleName(f"{button.text()} {title}")
        button.setObjectName(f"export.{name}")
        button.clicked.connect(press)
        self.buttons[name] = button
        said = QVBoxLayout()
        said.setSpacing(2)
        said.addWidget(Label(title, size=18, bold=True))
        said.addWidget(Label(self._words.say(f"exchange.format.{name}.what"), tone="muted", wrap=True))
        if choice is not None:
            said.addSpacing(6)
            said.addWidget(choice)
        said.addStretch()
        cell = QHBoxLayout()
        cell.setSpacing(12)
        cell.addLayout(said, 1)
        cell.addWidget(button)
        return cell

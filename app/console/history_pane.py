"""One patient's time line over all chairs: read, filtered, added to and corrected."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.console.attach_form import AttachForm
from app.console.finding_pane import FindingPane
from app.console.history_detail import HistoryDetail
from app.console.history_form import EntryForm, kinds_for
from app.console.history_list import HistoryList
from app.console.history_words import ALL, FILTERS, HistoryItem, items_of, matches, teeth_of
from app.console.review_words import export_folder
from app.console.store import Store
from app.ipc.clinical_messages import (
    AddAttachment,
    AddEntry,
    AttachmentData,
    CorrectEntry,
    EntrySaved,
    ReadAttachment,
    SaveAttachment,
)
from app.ipc.messages import Done, Refused, Reply, Request, Timeline
from core.model.clinical import (
    BY_HAND,
    AdverseEvent,
    Attachment,
    Entry,
    EntryVersion,
    Finding,
    Note,
    Observation,
    Severity,
    StepDone,
    kind_of,
)
from core.model.dentition import dentition, local_day
from core.model.words import Words
from core.people.permissions import load_permissions
from widgets.controls import Button, Card, Label
from widgets.segmented import Segmented

_SIDE = 330


class HistoryPane(QStackedWidget):
    """The list beside what is chosen; a form takes their place while something is written.

    Signals:
        visit_wanted: id of a visit.
    """

    visit_wanted = Signal(str)

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__()
        self._store, self._words = store, words
        self._patient_id = ""
        self._timeline: Timeline | None = None
        self._rows: tuple[EntryVersion, ...] = ()
        self._row: EntryVersion | None = None
        self.filter = Segmented([(key, words.say(f"clinical.filter.{key}")) for key in (ALL, *FILTERS)])
        self.list = HistoryList(words)
        self.detail = HistoryDetail(words)
        self.form = EntryForm(words)
        self.findings = FindingPane(words)
        self.attach = AttachForm(words)
        self.add_buttons: dict[str, Button] = {}
        self._empty = Label(size=18, tone="muted", wrap=True)
        self._none_chosen = Label(words.say("clinical.pick"), tone="muted", wrap=True)
        self._front = self._make_front()
        for page in (self._front, self.form, self.findings, self.attach):
            self.addWidget(page)
        self._connect()

    def show_timeline(self, timeline: Timeline) -> None:
        """Everything of a patient; what was being written for another one is put away."""
        if timeline.patient.id != self._patient_id:
            self._patient_id = timeline.patient.id
            self.filter.choose(ALL)
            self._to_front()
        self._timeline, self._rows = timeline, timeline.entries
        self._refresh()

    def clear(self) -> None:
        """Nothing of a patient is left to see."""
        self._patient_id, self._timeline, self._rows, self._row = "", None, (), None
        self._to_front()
        self._refresh()

    def items(self) -> list[HistoryItem]:
        """What the list shows."""
        return self.list.history.items

    # inside

    def _connect(self) -> None:
        self.filter.chosen.connect(lambda _key: self._refresh())
        self.list.item_chosen.connect(self._choose)
        self.detail.correct_wanted.connect(self._correct)
        self.detail.withdraw_wanted.connect(lambda row: self._correct(row, withdraw=True))
        self.detail.visit_wanted.connect(self.visit_wanted)
        self.detail.file_wanted.connect(self._look)
        self.detail.copy_wanted.connect(self._copy)
        self.form.saved.connect(self._save)
        self.findings.saved.connect(self._save)
        self.attach.saved.connect(lambda entry, data: self._ask(AddAttachment(entry=entry, data=data), self.attach.say))
        for left in (self.form.cancelled, self.findings.left, self.attach.cancelled):
            left.connect(self._to_front)
        self._store.workstation_changed.connect(self._fit_role)

    def _make_front(self) -> QWidget:
        left = Card()
        column = QVBoxLayout(left)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addWidget(self.filter)
        column.addWidget(self._empty)
        column.addWidget(self.list, 1)
        column.addWidget(self._make_buttons())
        side = Card()
        side.setFixedWidth(_SIDE)
        inner = QVBoxLayout(side)
        inner.setContentsMargins(16, 12, 16, 16)
        inner.setSpacing(8)
        inner.addWidget(self._none_chosen)
        inner.addWidget(self.detail, 1)
        inner.addStretch()
        front = QWidget()
        row = QHBoxLayout(front)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(left, 1)
        row.addWidget(side)
        return front

    def _make_buttons(self) -> QWidget:
        """One for each kind that people write."""
        self._writing = QWidget()
        row = QHBoxLayout(self._writing)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(Label(self._words.say("clinical.add"), bold=True))
        for kind in (Note, Observation, Finding, StepDone, AdverseEvent, Attachment):
            name = str(kind.__struct_config__.tag)
            button = Button(self._words.say(f"clinical.kind.{name}"))
            button.setObjectName(f"history.add.{name}")
            button.clicked.connect(lambda _=False, kind=kind: self._write(kind))
            self.add_buttons[name] = button
            row.addWidget(button, 1)
        return self._writing

    def _refresh(self) -> None:
        now_us = self._store.clock.utc_us()
        visits = self._timeline.visits if self._timeline is not None else ()
        every = items_of(self._words, visits, self._rows)
        shown = [item for item in every if matches(item, self.filter.key)]
        self.list.show_items(shown, now_us)
        teeth = teeth_of(every)
        born = self._timeline.patient.birth_date if self._timeline is not None else ""
        asked = dentition(born, local_day(now_us), teeth)
        self.findings.show_items(every, now_us, asked)
        self.form.show_teeth(teeth, asked)
        self._empty.setText(self._words.say("clinical.none_of" if every else "clinical.none"))
        self._empty.setVisible(not shown)
        self.detail.hide()
        self._none_chosen.show()
        self._fit_role()

    def _fit_role(self) -> None:
        """Who writes some kinds sees which others there are; who writes none sees no buttons."""
        writes = self._store.may("AddEntry")
        self._writing.setVisible(writes)
        self._none_chosen.setText(self._words.say("clinical.pick" if writes else "clinical.pick_read"))
        for name, button in self.add_buttons.items():
            kind = next(kind for kind in BY_HAND if kind.__struct_config__.tag == name)
            button.setEnabled(self._may(kind) and self._timeline is not None)
            button.setToolTip("" if self._may(kind) else self._words.say("clinical.not_allowed"))

    def _may(self, kind: type[Entry]) -> bool:
        station = self._store.workstation
        return station is not None and load_permissions().may_write(station.operator, kind)

    def _choose(self, item: HistoryItem) -> None:
        kind = type(item.newest.entry) if item.newest is not None else None
        may = self._store.may
        self.detail.show_item(
            item,
            self._store.clock.utc_us(),
            writable=kind is not None and self._may(kind),
            corrects=may("CorrectEntry"),
            copies=may("SaveAttachment"),
        )
        self.detail.show()
        self._none_chosen.hide()

    # writing

    def _write(self, kind: type[Entry]) -> None:
        self._row = None
        if kind is Finding:
            self.findings.open_new(self._patient_id)
            self.setCurrentWidget(self.findings)
        elif kind is Attachment:
            self.attach.open_new(self._patient_id)
            self.setCurrentWidget(self.attach)
        elif kind in kinds_for((Note, Observation, StepDone, AdverseEvent)):
            entry = _blank(kind, self._patient_id)
            self.form.open_new(entry, self._words.say(f"clinical.kind.{kind_of(entry)}"))
            self.setCurrentWidget(self.form)

    def _correct(self, row: EntryVersion, *, withdraw: bool = False) -> None:
        self._row = row
        if isinstance(row.entry, Finding) and not withdraw:
            self.findings.open_correction(row)
            self.setCurrentWidget(self.findings)
            return
        self.form.open_correction(row, self._words.say(f"clinical.kind.{kind_of(row.entry)}"), withdraw=withdraw)
        self.setCurrentWidget(self.form)

    def _save(self, entry: Entry, reason: str) -> None:
        said: Callable[[str], None] = self.findings.say if self.currentWidget() is self.findings else self.form.say
        if self._row is None:
            self._ask(AddEntry(entry=entry), said)
        else:
            row = self._row
            self._ask(CorrectEntry(chair=row.chair, version=row.version, entry=entry, reason=reason), said)

    def _ask(self, request: Request, said: Callable[[str], None]) -> None:
        self._store.ask(request, lambda reply: self._saved(reply, said, self._patient_id))

    def _saved(self, reply: Reply, said: Callable[[str], None], patient_id: str) -> None:
        if isinstance(reply, Refused):
            said(_told(self._words, reply))
        elif isinstance(reply, EntrySaved) and patient_id == self._patient_id:
            self._rows = (*self._rows, reply.row)
            self._refresh()
            self._to_front()
            self.list.choose(reply.row.entry.id, kind_of(reply.row.entry))

    def _to_front(self) -> None:
        self.setCurrentWidget(self._front)
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    # files

    def _look(self, row: EntryVersion) -> None:
        request = ReadAttachment(chair=row.chair, attachment_id=row.entry.id)
        self._store.ask(request, lambda reply: self._looked(reply, row.entry.id))

    def _looked(self, reply: Reply, entry_id: str) -> None:
        if self.detail.item is None or self.detail.item.id != entry_id:
            return
        if isinstance(reply, Refused):
            self.detail.say(_told(self._words, reply))
        elif isinstance(reply, AttachmentData):
            self.detail.show_file(reply.entry, reply.data)

    def _copy(self, row: EntryVersion) -> None:
        folder = export_folder(self._store.data_folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.detail.say(self._words.say("clinical.file_unread", why=error.strerror or ""))
            return
        request = SaveAttachment(chair=row.chair, attachment_id=row.entry.id, folder=str(folder))
        self._store.ask(request, self._copied)

    def _copied(self, reply: Reply) -> None:
        if isinstance(reply, Refused):
            self.detail.say(_told(self._words, reply))
        elif isinstance(reply, Done):
            self.detail.say(self._words.say("clinical.saved_copy", path=reply.detail))


def _blank(kind: type[Entry], patient_id: str) -> Entry:
    if kind is AdverseEvent:
        return AdverseEvent(patient_id=patient_id, severity=Severity.MILD)
    if kind is StepDone:
        return StepDone(patient_id=patient_id)
    return Observation(patient_id=patient_id) if kind is Observation else Note(patient_id=patient_id)


def _told(words: Words, reply: Refused) -> str:
    return f"{words.tell(reply.text)} {words.tell(reply.remedy) if reply.remedy else ''}".strip()

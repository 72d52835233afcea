"""Who is past the practice's time, and who was erased: a list, about which a person decides."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.console.review_words import short_date
from app.console.store import Store
from app.ipc.backup_messages import ErasePatient, ListOverdue, Overdue
from app.ipc.messages import Refused, Reply
from core.model.words import Words
from widgets.controls import Button, Card, Label
from widgets.layouts import empty, scrolled


class RetentionCard(Card):
    """`patient_wanted`: show what erasing this patient, by id, would take."""

    patient_wanted = Signal(str)

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__()
        self._store, self._words = store, words
        self.said = Label(tone="muted", wrap=True)
        self.finish = Button(words.say("backup.retention.finish"), role="pri")
        self.buttons: dict[str, Button] = {}
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, 8, 0)
        self._list.setSpacing(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(Label(words.say("backup.retention.title"), size=18, bold=True))
        column.addWidget(self.said)
        column.addWidget(self.finish)
        column.addWidget(scrolled(self._list), 1)
        self.finish.clicked.connect(self._finish)
        self.finish.hide()

    def refresh(self) -> None:
        station = self._store.workstation
        if station is None or not self._store.may("ListOverdue"):
            empty(self._list)
            self.buttons = {}
            self.finish.hide()
            self.said.setText(self._words.say("backup.retention.dentists"))
            return
        state = station.backups
        self.finish.setVisible(state is not None and bool(state.pending))
        self._store.ask(ListOverdue(), self._take)

    def _take(self, reply: Reply) -> None:
        if isinstance(reply, Refused):
            self.said.setText(self._words.tell(reply.text))
        elif isinstance(reply, Overdue):
            self._show(reply)

    def _show(self, found: Overdue) -> None:
        empty(self._list)
        self.buttons = {}
        say = self._words.say
        count = len(found.patients)
        key = "none" if not count else "one" if count == 1 else "some"
        self.said.setText(say(f"backup.retention.{key}", years=found.years, count=count))
        for one in found.patients:
            name = one.code if self._store.discreet else one.name
            button = Button(say("backup.retention.look"))
            button.setAccessibleName(say("backup.retention.look_name", code=one.code))
            button.clicked.connect(lambda _=False, who=one.patient_id: self.patient_wanted.emit(who))
            date = short_date(self._words, one.last_us, day=True)
            key = "last_seen" if self._store.discreet else "last"
            last = say(f"backup.retention.{key}", code=one.code, date=date)
            self._row(name, last, button)
            self.buttons[one.patient_id] = button
        for gone in found.erased:
            date = short_date(self._words, gone.at_us, day=True)
            self._row(
                say("backup.retention.erased", id=gone.patient_id[-8:]),
                say("backup.retention.erased_by", name=gone.by, date=date, reason=gone.reason),
                None,
            )
        self._list.addStretch()

    def _row(self, title: str, detail: str, button: Button | None) -> None:
        holder = QWidget()
        holder.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addStretch()
        words.addWidget(Label(title, bold=True))
        words.addWidget(Label(detail, size=13, tone="muted", wrap=True))
        words.addStretch()
        row.addLayout(words, 1)
        if button is not None:
            row.addWidget(button)
        self._list.addWidget(holder)

    def _finish(self) -> None:
        station = self._store.workstation
        pending = station.backups.pending if station is not None and station.backups is not None else ""
        if pending:
            self.finish.setEnabled(False)
            reason = self._words.say("backup.retention.finished")
            self._store.ask(ErasePatient(patient_id=pending, name="", reason=reason), self._finished)

    def _finished(self, reply: Reply) -> None:
        self.finish.setEnabled(True)
        if isinstance(reply, Refused):
            self._store.notice(reply.text, reply.remedy)
        self.refresh()

"""Erasing a patient: what goes, what stays and why, then the name typed, then what is still outstanding."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.console.store import Store
from app.ipc.backup_messages import Erased, ErasePatient, ErasurePlan, PlanErasure
from app.ipc.messages import Refused, Reply
from core.model.clinical import MAX_SHORT
from core.model.words import Words
from widgets.controls import Button, Card, Hairline, Label
from widgets.layouts import empty, scrolled

GROUPS: dict[str, tuple[str, ...]] = {
    "identity": ("patient",),
    "visits": ("visit",),
    "written": ("procedure", "finding", "step", "observation", "note", "plan", "consent"),
    "adverse": ("adverse",),
    "files": ("attachment",),
    "signals": ("block", "tail"),
    "events": ("event",),
    "home": ("hub_day", "hub_event"),
}
"""What people read, and the kinds and tables that it counts. Tables that only serve others are not counted twice."""


class ErasePanel(Card):
    """`open_patient` asks what would go. Two steps: read and give a reason; then type the name.

    Signals:
        closed: back to the patient, who is still there.
        gone: they are erased; what came of it is shown.
        erased: it was read; back to all patients.
    """

    closed = Signal()
    gone = Signal()
    erased = Signal()

    def __init__(self, store: Store, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store, self._words = store, words
        self._plan: ErasurePlan | None = None
        self._patient_id = ""
        self._asked = 0
        self._done = False
        say = words.say
        self.title = Label(size=24, bold=True, wrap=True)
        self.said = Label(tone="muted", wrap=True)
        self.message = Label(bold=True, wrap=True)
        self.reason, self.name = QLineEdit(), QLineEdit()
        self.reason.setMaxLength(MAX_SHORT)
        self.reason.setPlaceholderText(say("backup.erase.reason_hint"))
        self.captions = {"reason": Label(size=13, bold=True), "name": Label(size=13, bold=True)}
        self.back = Button(say("backup.erase.keep"))
        self.go = Button(say("backup.erase.go_on"))
        self.erase = Button(say("backup.erase.erase"), role="pri")
        self._goes, self._stays = QVBoxLayout(), QVBoxLayout()
        self._arrange()
        self._lists.hide()
        self._step("")
        self.back.clicked.connect(self._back)
        self.go.clicked.connect(self._second)
        self.erase.clicked.connect(self._erase)
        self.reason.returnPressed.connect(self._second)
        self.name.textChanged.connect(self._allow)

    def open_patient(self, patient_id: str) -> None:
        self._asked += 1
        asked = self._asked
        self._patient_id, self._plan, self._done = patient_id, None, False
        self.title.setText(self._words.say("backup.erase.title"))
        self.said.setText(self._words.say("backup.erase.looking"))
        self.message.setText("")
        self.reason.clear()
        self.name.clear()
        self._lists.hide()
        self._step("")
        self.back.setFocus()
        self._store.ask(
            PlanErasure(patient_id=patient_id), lambda reply: self._planned(reply) if asked == self._asked else None
        )

    # what comes in

    def _planned(self, reply: Reply) -> None:
        if isinstance(reply, Refused):
            self.said.setText("")
            self._refused(reply)
        elif isinstance(reply, ErasurePlan):
            self._plan = reply
            self.title.setText(self._words.say("backup.erase.title_name", name=reply.name))
            self.said.setText(self._words.say("backup.erase.what"))
            self._show(reply)
            self._step("reason")

    def _answered(self, reply: Reply) -> None:
        if isinstance(reply, Refused):
            self._refused(reply)
            self._allow()
            return
        if isinstance(reply, Erased):
            self._done = True
            self._lists.hide()
            self._step("")
            self.title.setText(self._words.say("backup.erase.done"))
            self.said.setText(f"{self._words.say('backup.erase.done_what')} {self._left(reply)}")
            self.message.setText("")
            self.back.setText(self._words.say("backup.erase.all"))
            self.back.setFocus()
            self.gone.emit()

    def _left(self, reply: Erased) -> str:
        say, said = self._words.say, []
        if reply.outstanding:
            said.append(say("backup.erase.outstanding", places=", ".join(reply.outstanding)))
        if reply.left:
            said.append(say("backup.erase.files_left", names=", ".join(reply.left)))
        return " ".join(said) or say("backup.erase.nothing_left")

    def _refused(self, reply: Refused) -> None:
        remedy = self._words.tell(reply.remedy) if reply.remedy is not None else ""
        self.message.setText(f"{self._words.tell(reply.text)} {remedy}".strip())

    # what goes out

    def _back(self) -> None:
        (self.erased if self._done else self.closed).emit()

    def _second(self) -> None:
        if not self.reason.text().strip():
            self.message.setText(self._words.say("backup.erase.need_reason"))
            self.reason.setFocus()
            return
        self.message.setText("")
        self._step("name")

    def _erase(self) -> None:
        if self._plan is None:
            return
        self.erase.setEnabled(False)
        self.message.setText(self._words.say("backup.erase.working"))
        body = ErasePatient(patient_id=self._patient_id, name=self.name.text(), reason=self.reason.text().strip())
        self._store.ask(body, self._answered)

    def _allow(self) -> None:
        typed = " ".join(self.name.text().split()).casefold()
        self.erase.setEnabled(self._plan is not None and typed == self._plan.name.casefold())

    # how it looks

    def _step(self, name: str) -> None:
        for key, field in (("reason", self.reason), ("name", self.name)):
            self.captions[key].setVisible(key == name)
            field.setVisible(key == name)
        self.go.setVisible(name == "reason")
        self.erase.setVisible(name == "name")
        self.back.setText(self._words.say("backup.erase.keep"))
        if name == "name" and self._plan is not None:
            caption = self._words.say("backup.erase.type", name=self._plan.name)
            self.captions["name"].setText(caption)
            self.name.setAccessibleName(caption)
            self.name.setFocus()
            self._allow()
        elif name:
            self.reason.setFocus()

    def _show(self, plan: ErasurePlan) -> None:
        say = self._words.say
        counts = {share.what: share.count for share in plan.goes}
        goes = [
            (say(f"backup.goes.{group}"), sum(counts.get(one, 0) for one in members))
            for group, members in GROUPS.items()
        ]
        rows = [(what, str(count)) for what, count in goes if count]
        if plan.exports:
            rows.append((say("backup.goes.exports", names=", ".join(plan.exports)), str(len(plan.exports))))
        _fill(self._goes, say("backup.erase.goes"), rows)
        stays = [(share.why, str(share.count) if share.count else "") for share in plan.stays]
        if plan.nobodys:
            stays.append((say("backup.erase.nobodys"), str(plan.nobodys)))
        _fill(self._stays, say("backup.erase.stays"), stays)
        reached = [place for place in plan.places if place not in plan.away]
        told = []
        if reached:
            told.append(say("backup.erase.reached", places=", ".join(reached)))
        if plan.away:
            told.append(say("backup.erase.away", places=", ".join(plan.away)))
        told.append(say("backup.erase.elsewhere"))
        self._backups.setText(" ".join(told))
        self._lists.show()

    def _arrange(self) -> None:
        say = self._words.say
        self._backups = Label(tone="muted", wrap=True)
        sides = QHBoxLayout()
        sides.setSpacing(32)
        for column in (self._goes, self._stays):
            column.setContentsMargins(0, 0, 8, 0)
            column.setSpacing(8)
            sides.addWidget(scrolled(column), 1)
        self._lists = QWidget()
        lists = QVBoxLayout(self._lists)
        lists.setContentsMargins(0, 0, 0, 0)
        lists.setSpacing(12)
        lists.addWidget(Hairline())
        lists.addLayout(sides, 1)
        lists.addWidget(Hairline())
        lists.addWidget(self._backups)
        self.captions["reason"].setText(say("backup.erase.reason"))
        for key, field in (("reason", self.reason), ("name", self.name)):
            self.captions[key].setBuddy(field)
        self.reason.setAccessibleName(say("backup.erase.reason"))
        self.name.setAccessibleName(say("backup.erase.erase"))
        foot = QHBoxLayout()
        foot.setSpacing(12)
        foot.addWidget(self.back)
        foot.addWidget(self.message, 1)
        foot.addWidget(self.go)
        foot.addWidget(self.erase)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(10)
        column.addWidget(self.title)
        column.addWidget(self.said)
        column.addWidget(self._lists, 1)
        for key, field in (("reason", self.reason), ("name", self.name)):
            column.addWidget(self.captions[key])
            column.addWidget(field)
        column.addStretch()
        column.addLayout(foot)


def _fill(column: QVBoxLayout, title: str, rows: Sequence[tuple[str, str]]) -> None:
    empty(column)
    column.addWidget(Label(title, size=18, bold=True))
    for what, count in rows:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.addWidget(Label(what, wrap=True), 0, 0)
        grid.addWidget(Label(count, bold=True), 0, 1)
        grid.setColumnStretch(0, 1)
        column.addWidget(holder)
    column.addStretch()

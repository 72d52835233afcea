"""Who looked at a patient's data, to be shown to that patient; and whom the patient lets look, with the consent."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.console import status
from app.console.login import PHRASE_MOST, pin_fault
from app.console.store import Store
from app.console.views_sheet import ViewsSheet
from app.ipc.access_messages import AddCompanion, ListViews, Views, WithdrawCompanion
from app.ipc.messages import Refused, Reply
from core.model.access import Companion, View
from core.model.words import Words
from widgets.controls import Button, Card, Hairline, Label
from widgets.layouts import empty, scrolled
from widgets.segmented import Segmented

SHOWN = 300
"""Rows; the whole list is for print."""
DAYS = (1, 7, 30, 365)
_SCOPES = ("live", "history", "reports")


class ViewsPane(QWidget):
    """Left: who looked. Right, for those who may: companions."""

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__()
        self._store = store
        self._words = words
        self._patient_id = ""
        self._asked = 0
        self._known: tuple[Companion, ...] | None = None
        self.lines: list[str] = []
        self.withdraw_buttons: dict[str, Button] = {}
        self.message = Label(tone="muted", wrap=True)
        self.sheet = ViewsSheet(store, words)
        looked, self._rows = _listed(words.say("views.title"), words.say("views.means"), self.message, self.sheet)
        self.companions, self._people = _listed(words.say("companion.title"), words.say("companion.means"))
        self._make_form()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(looked, 3)
        row.addWidget(self.companions, 2)
        store.workstation_changed.connect(self._refresh)

    def open_patient(self, patient_id: str, code: str = "") -> None:
        """Ask who looked; asking is itself a view.

        Args:
            code: of the last visit. The list is printed under it, so that an erasure finds it.
        """
        self._patient_id = patient_id
        self.sheet.open_patient(patient_id, code)
        self._asked += 1
        asked = self._asked
        self._known = None
        self._refresh()
        self.message.setText(self._words.say("views.reading"))
        self.message.show()
        empty(self._rows)
        self._store.ask(ListViews(patient_id=patient_id), lambda reply: self._take(reply, asked))

    def _take(self, reply: Reply, asked: int) -> None:
        if asked != self._asked:
            return
        if isinstance(reply, Refused):
            remedy = self._words.tell(reply.remedy) if reply.remedy is not None else ""
            self.message.setText(f"{self._words.tell(reply.text)} {remedy}".strip())
        elif isinstance(reply, Views):
            self.lines = []
            for view in reply.views[:SHOWN]:
                self._rows.addWidget(Hairline())
                self._rows.addWidget(self._view_row(view))
            self._rows.addStretch()
            more = len(reply.views) - SHOWN
            said = self._words.say("views.more", count=more) if more > 0 else ""
            self.message.setText(said or ("" if reply.views else self._words.say("views.none")))
            self.message.setVisible(bool(self.message.text()))

    def _view_row(self, view: View) -> QWidget:
        say = self._words.say
        role = say(f"shell.role.{view.role}") if view.role else ""
        what = say(f"view.{view.kind}")
        where = say("views.at_chair", chair=view.chair) if view.chair else ""
        at = f"{status.local_date(view.at_us, self._words, 'd MMM yyyy')}, {status.local_time(view.at_us)}"
        who = ", ".join(part for part in (view.who, role) if part)
        detail = ", ".join(part for part in (what, where) if part)
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 8, 0, 8)
        line.setSpacing(12)
        when = Label(at, size=13, tone="muted")
        when.setFixedWidth(140)
        said = QVBoxLayout()
        said.setSpacing(0)
        said.addWidget(Label(who, bold=True, elide=True))
        said.addWidget(Label(detail, size=13, tone="muted", elide=True))
        line.addWidget(when)
        line.addLayout(said, 1)
        if view.emergency:
            line.addWidget(Label(say("views.emergency"), size=13, bold=True))
        self.lines.append(". ".join([at, who, detail, *([say("views.emergency")] if view.emergency else [])]))
        row.setAccessibleName(self.lines[-1])
        return row

    # companions

    def _make_form(self) -> None:
        say = self._words.say
        self.name, self.pin, self.again = QLineEdit(), QLineEdit(), QLineEdit()
        form = QWidget()
        column = QVBoxLayout(form)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(6)
        for key, field in (("name", self.name), ("pin", self.pin), ("again", self.again)):
            field.setPlaceholderText(say(f"shell.people.{key}"))
            field.setAccessibleName(say(f"shell.people.{key}"))
        column.addWidget(self.name)
        secret = QHBoxLayout()
        secret.setSpacing(8)
        for field in (self.pin, self.again):
            secret.addWidget(field)
        column.addLayout(secret)
        for field in (self.pin, self.again):
            field.setEchoMode(QLineEdit.EchoMode.Password)
            field.setMaxLength(PHRASE_MOST)
        self.scopes = {key: Button(say(f"companion.scope.{key}")) for key in _SCOPES}
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in self.scopes.values():
            button.setCheckable(True)
            row.addWidget(button)
        row.addStretch()
        column.addLayout(row)
        self.days = Segmented([(str(days), say("companion.days", count=days)) for days in DAYS])
        self.how = Segmented([(how, say(f"companion.how.{how}")) for how in ("aloud", "patient_screen")])
        column.addWidget(self.days)
        column.addWidget(self.how)
        self.said = Label(size=13, tone="muted", wrap=True)
        self.add = Button(say("companion.add"), role="pri")
        self.add.clicked.connect(self._add)
        foot = QHBoxLayout()
        self.back = Button(say("companion.back"))
        self.back.clicked.connect(lambda: self._fill_in(False))
        foot.addWidget(self.back)
        foot.addStretch()
        foot.addWidget(self.add)
        column.addWidget(self.said)
        column.addLayout(foot)
        column.addStretch()
        self.form = QScrollArea()
        self.form.setWidget(form)
        self.form.setWidgetResizable(True)
        self.form.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.form.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.new = Button(say("companion.new"))
        self.new.clicked.connect(lambda: self._fill_in(True))
        layout = self.companions.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.addWidget(self.form, 1)
        layout.addWidget(self.new, 0, Qt.AlignmentFlag.AlignRight)

    def _fill_in(self, wanted: bool) -> None:
        """The form takes the list's place: both do not fit on a small screen."""
        wanted = wanted and self._store.may("AddCompanion")
        self.form.setVisible(wanted)
        self.companions.findChildren(QScrollArea)[0].setVisible(not wanted)
        self.new.setVisible(not wanted and self._store.may("AddCompanion"))
        if wanted:
            self.said.setText("")
            self.name.setFocus()

    def _refresh(self) -> None:
        station = self._store.workstation
        everybody = station.companions if station is not None else ()
        known = tuple(one for one in everybody if one.patient_id == self._patient_id)
        self.companions.setVisible(self._store.may("WithdrawCompanion"))
        self._fill_in(self.form.isVisibleTo(self) and self._known is not None)
        if known == self._known:
            return
        self._known = known
        empty(self._people)
        self.withdraw_buttons = {}
        names = {one.id: one.name for one in station.operators} if station is not None else {}
        for one in known:
            self._people.addWidget(Hairline())
            self._people.addWidget(self._companion_row(one, names.get(one.operator_id, "")))
        if not known:
            self._people.addWidget(Label(self._words.say("companion.none"), tone="muted", wrap=True))
        self._people.addStretch()

    def _companion_row(self, one: Companion, name: str) -> QWidget:
        say = self._words.say
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 8, 0, 8)
        line.setSpacing(12)
        scope = ", ".join(say(f"companion.scope.{key}") for key in _SCOPES if getattr(one, key))
        until = status.local_date(one.until_us, self._words, "d MMM yyyy")
        gone = one.withdrawn_us is not None
        said = QVBoxLayout()
        said.setSpacing(0)
        said.addWidget(Label(name or say("companion.closed"), bold=True, elide=True))
        key = "companion.withdrawn" if gone else "companion.until"
        said.addWidget(Label(say(key, scope=scope, until=until), size=13, tone="muted", wrap=True))
        line.addLayout(said, 1)
        if not gone:
            take = Button(say("companion.withdraw"))
            take.setAccessibleName(say("companion.withdraw_name", name=name))
            take.clicked.connect(lambda: self._store.ask(WithdrawCompanion(operator_id=one.operator_id)))
            self.withdraw_buttons[one.operator_id] = take
            line.addWidget(take)
        return row

    def _add(self) -> None:
        fault = pin_fault(self.name.text(), self.pin.text(), self.again.text())
        if fault:
            self.said.setText(self._words.say(fault))
            return
        body = AddCompanion(
            name=self.name.text().strip(),
            pin=self.pin.text(),
            patient_id=self._patient_id,
            live=self.scopes["live"].isChecked(),
            reports=self.scopes["reports"].isChecked(),
            history=self.scopes["history"].isChecked(),
            days=int(self.days.key),
            how=self.how.key,
        )
        self._store.ask(body, self._added)

    def _added(self, reply: Reply) -> None:
        self.pin.clear()
        self.again.clear()
        if isinstance(reply, Refused):
            remedy = self._words.tell(reply.remedy) if reply.remedy is not None else ""
            self.said.setText(f"{self._words.tell(reply.text)} {remedy}".strip())
            return
        self.name.clear()
        self._fill_in(False)


def _listed(
    title: str, means: str, message: QWidget | None = None, foot: QWidget | None = None
) -> tuple[Card, QVBoxLayout]:
    """A card with a heading, a sentence, a message, rows that scroll, and what is done with them."""
    card = Card()
    column = QVBoxLayout(card)
    column.setContentsMargins(16, 14, 12, 14)
    column.setSpacing(8)
    column.addWidget(Label(title, size=18, bold=True))
    column.addWidget(Label(means, size=13, tone="muted", wrap=True))
    if message is not None:
        column.addWidget(message)
    rows = QVBoxLayout()
    rows.setContentsMargins(0, 0, 4, 0)
    rows.setSpacing(0)
    column.addWidget(scrolled(rows), 1)
    if foot is not None:
        column.addWidget(foot)
    return card, rows

"""Hubs that are not trusted: what was found, what that means, and how a dentist lifts it, in its place."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.console import status
from app.console.store import Store
from app.ipc.doubt_messages import LiftDoubt
from app.ipc.messages import Refused, Reply
from core.model.hub_doubt import HubDoubt
from core.model.words import Words
from widgets.controls import Button, Hairline, Label, StateMark

_MOST_REASON = 200


class DoubtRow(QWidget):
    """One doubt. `opened`: somebody is about to lift it; `lifted`: the engine has."""

    opened = Signal()
    lifted = Signal()

    def __init__(self, store: Store, words: Words, doubt: HubDoubt) -> None:
        super().__init__()
        self._store = store
        self._words = words
        self.doubt = doubt
        self._asked = False
        self._form = self._make_form()
        say = words.say
        what = say(f"doubt.what.{doubt.doubt.value}")
        self.title = Label(say("doubt.hub", serial=doubt.serial), bold=True, wrap=True)
        self.what = Label(what, wrap=True)
        at = f"{status.local_date(doubt.found_us, words, 'd MMM')}, {status.local_time(doubt.found_us)}"
        self.found = Label(say("doubt.found", at=at, chair=doubt.chair), size=13, tone="muted", wrap=True)
        self.message = Label(wrap=True)
        self.message.hide()
        self.lift = Button(say("doubt.lift"))
        self.lift.setAccessibleName(say("doubt.lift_name", serial=doubt.serial, what=what))
        self.lift.clicked.connect(self._begin)
        said = QVBoxLayout()
        said.setSpacing(2)
        for line in (self.title, self.what, self.found):
            said.addWidget(line)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(StateMark("unknown", size=36), 0, Qt.AlignmentFlag.AlignTop)
        top.addLayout(said, 1)
        top.addWidget(self.lift)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 12)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.message)
        column.addWidget(self._form)
        self._form.hide()
        self.refresh()

    def _make_form(self) -> QWidget:
        say = self._words.say
        form = QWidget()
        self.reason = QLineEdit()
        self.reason.setMaxLength(_MOST_REASON)
        self.reason.returnPressed.connect(self._confirm)
        label = Label(say("doubt.reason"), size=13, bold=True)
        label.setBuddy(self.reason)
        self.reason.setAccessibleName(label.text())
        self.keep = Button(say("doubt.keep"))
        self.keep.clicked.connect(self._give_up)
        self.confirm = Button(say("doubt.lift"), role="pri")
        self.confirm.clicked.connect(self._confirm)
        buttons = QHBoxLayout()
        buttons.setSpacing(12)
        buttons.addStretch()
        buttons.addWidget(self.keep)
        buttons.addWidget(self.confirm)
        column = QVBoxLayout(form)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(label)
        column.addWidget(self.reason)
        column.addLayout(buttons)
        return form

    def refresh(self) -> None:
        """Whether who is there may lift it."""
        allowed = self._store.may("LiftDoubt") and self._store.answering
        self.lift.setEnabled(allowed)
        if not allowed:
            self._close(self._words.say("doubt.dentist"))
        elif self._form.isHidden() and not self._asked:
            self._say("")

    def _begin(self) -> None:
        self._asked = True
        self._say(self._words.say("doubt.lifting"))
        self.lift.hide()
        self._form.show()
        self.reason.setFocus(Qt.FocusReason.OtherFocusReason)
        self.opened.emit()

    def _give_up(self) -> None:
        self._asked = False
        self._close("")
        self.lift.setFocus(Qt.FocusReason.OtherFocusReason)

    def _confirm(self) -> None:
        reason = self.reason.text().strip()
        if not reason:
            self._say(self._words.say("doubt.need_reason"))
            self.reason.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.confirm.setEnabled(False)
        self._say(self._words.say("doubt.working"))
        one = self.doubt
        body = LiftDoubt(serial=one.serial, doubt=one.doubt, found_us=one.found_us, reason=reason)
        self._store.ask(body, self._answered)

    def _answered(self, reply: Reply) -> None:
        self.confirm.setEnabled(True)
        if isinstance(reply, Refused):
            remedy = self._words.tell(reply.remedy) if reply.remedy is not None else ""
            self._say(f"{self._words.tell(reply.text)} {remedy}".strip())
            return
        self.lifted.emit()

    def _close(self, sentence: str) -> None:
        self._asked = False
        self.reason.clear()
        self._form.hide()
        self.lift.show()
        self._say(sentence)

    def _say(self, sentence: str) -> None:
        self.message.setText(sentence)
        self.message.setVisible(bool(sentence))


class DoubtsPanel(QWidget):
    """All of them; hidden while there are none. A form that somebody fills in stays while its doubt does.

    Signals:
        opened: DoubtRow of which somebody fills in the form: all of it should be in sight.
        lifted: a doubt was lifted.
    """

    opened = Signal(object)
    lifted = Signal()

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__()
        self._store = store
        self._words = words
        self.rows: dict[HubDoubt, DoubtRow] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 16, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(Label(words.say("doubt.title"), size=18, bold=True))
        self._column.addWidget(Label(words.say("doubt.means"), tone="muted", wrap=True))
        self._column.addSpacing(8)
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self._column.addLayout(self._list)
        self.hide()

    def refresh(self) -> None:
        """Take over what the store says now."""
        station = self._store.workstation
        wanted = station.doubts if station is not None else ()
        if tuple(self.rows) != wanted:
            self._build(wanted)
        for row in self.rows.values():
            row.refresh()
        self.setVisible(bool(wanted))

    def _build(self, wanted: tuple[HubDoubt, ...]) -> None:
        while (item := self._list.takeAt(0)) is not None:
            widget = item.widget()
            if isinstance(widget, Hairline) or (isinstance(widget, DoubtRow) and widget.doubt not in wanted):
                widget.hide()
                widget.deleteLater()
        self.rows = {doubt: self.rows.get(doubt) or self._make(doubt) for doubt in wanted}
        for row in self.rows.values():
            self._list.addWidget(Hairline())
            self._list.addWidget(row)

    def _make(self, doubt: HubDoubt) -> DoubtRow:
        row = DoubtRow(self._store, self._words, doubt)
        row.opened.connect(lambda: self.opened.emit(row))
        row.lifted.connect(self.lifted)
        return row

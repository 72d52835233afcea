"""One key at length, and what can be done about it: in its place, after a sentence that says what it means."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.console.key_form import AGAIN, NEW, OLD, OWN, REASON, KeyForm
from app.console.review_words import short_date
from app.console.store import Store
from app.ipc import key_messages as ipc
from app.ipc.messages import Refused, Reply, Request
from core.model.keys import KeyKind, KeyRow, KeyState
from core.model.words import Words
from widgets.controls import Button, Card, Label
from widgets.key_line import KeyMark
from widgets.layouts import empty

_FACT = 96


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done. `fields`: what is asked for before; `said`: words key of what it means."""

    name: str
    said: str
    fields: tuple[str, ...]
    body: Callable[[KeyForm], Request]


class KeyDetail(Card):
    """The right card. `changed`: something was done, the list is to be read again."""

    changed = Signal()

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__()
        self._store = store
        self._words = words
        self._row: KeyRow | None = None
        self._actions: tuple[Action, ...] = ()
        self._open: Action | None = None
        self.buttons: dict[str, Button] = {}
        self.mark = KeyMark()
        self.title = Label(size=18, bold=True, wrap=True)
        self.state = Label(bold=True)
        self.message = Label(tone="muted", wrap=True)
        self.form = KeyForm(words)
        self.form.entered.connect(self._confirm)
        self._facts = QGridLayout()
        self._facts.setContentsMargins(0, 0, 0, 0)
        self._facts.setHorizontalSpacing(12)
        self._facts.setVerticalSpacing(8)
        self._facts.setColumnMinimumWidth(0, _FACT)
        self._facts.setColumnStretch(1, 1)
        self._facts_box = QWidget()
        self._facts_box.setLayout(self._facts)
        self._row_of_buttons = QHBoxLayout()
        self._row_of_buttons.setSpacing(12)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.mark)
        head.addWidget(self.state, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        column.addWidget(self.title)
        column.addLayout(head)
        column.addWidget(self._facts_box)
        column.addWidget(self.message)
        column.addWidget(self.form)
        column.addStretch()
        column.addLayout(self._row_of_buttons)
        self.show_key(None, ())

    # what is shown

    def show_key(self, row: KeyRow | None, actions: tuple[Action, ...], said: str = "") -> None:
        """A key, or none; `said` stands where a message would."""
        same = row is not None and self._row is not None and (row.holder, row.kid) == (self._row.holder, self._row.kid)
        if same and self._open is not None and self._open.name in [one.name for one in actions]:
            self._row, self._actions = row, actions  # a form that somebody fills in stays
            return
        self._row, self._actions, self._open = row, actions, None
        for part in (self.mark, self.state, self._facts_box):
            part.setVisible(row is not None)
        if row is None:
            self.title.setText(self._words.say("shell.keys.none_chosen"))
        else:
            self._show_row(row)
        self.message.setText(said)
        self._close_form()

    def _show_row(self, row: KeyRow) -> None:
        say = self._words.say
        self.title.setText(row.name)
        word = say(f"keys.state.{row.state.value}")
        self.mark.set_state(row.state, word)
        self.state.setText(word)
        facts = [("kind", say(f"keys.kind.{row.kind.value}"))]
        if row.kid:
            ended = row.state is KeyState.EXPIRED
            facts += [
                ("number", row.kid),
                ("issued", short_date(self._words, row.issued_us, day=True)),
                ("ended" if ended else "ends", short_date(self._words, row.expires_us, day=True)),
            ]
        if row.chair:
            facts.append(("chair", str(row.chair)))
        if row.state is KeyState.REVOKED:
            facts += [("reason", self._reason(row)), ("by", self._person(row.revoked_by))]
        empty(self._facts)
        for line, (name, value) in enumerate(facts):
            self._facts.addWidget(Label(say(f"shell.keys.fact.{name}"), size=13, tone="muted"), line, 0)
            self._facts.addWidget(Label(value, wrap=True), line, 1)

    def _reason(self, row: KeyRow) -> str:
        return self._words.say(row.reason[1:]) if row.reason.startswith("@") else row.reason

    def _person(self, operator_id: str) -> str:
        station = self._store.workstation
        people = station.operators if station is not None else ()
        return next((one.name for one in people if one.id == operator_id), self._words.say("shell.keys.somebody"))

    # what can be done

    def _close_form(self) -> None:
        self._open = None
        self.form.build(())
        self.form.hide()
        self._facts_box.setVisible(self._row is not None)
        self._set_buttons([(one.name, "plain", partial(self._begin, one)) for one in self._actions])

    def _begin(self, action: Action) -> None:
        """Say what it means and ask for what it needs; at once when it needs nothing and means no harm."""
        if not action.said:
            self._send(action)
            return
        self._open = action
        self._facts_box.hide()
        name = self._row.name if self._row is not None else ""
        self.message.setText(self._words.say(action.said, name=name))
        self._set_buttons([("keep", "plain", self._give_up), (action.name, "pri", self._confirm)])
        self.form.setVisible(bool(action.fields))
        self.form.build(action.fields)
        if not action.fields:
            self.buttons["keep"].setFocus()

    def _give_up(self) -> None:
        self.message.setText("")
        self._close_form()

    def _confirm(self) -> None:
        if self._open is None:
            return
        fault = self.form.fault()
        if fault:
            self.message.setText(self._words.say(fault))
            return
        self._send(self._open)

    def _send(self, action: Action) -> None:
        body = action.body(self.form)
        for button in self.buttons.values():
            button.setEnabled(False)
        self.message.setText(self._words.say("shell.keys.working"))
        self._store.ask(body, lambda reply: self._answered(action, reply))

    def _answered(self, action: Action, reply: Reply) -> None:
        self.form.clear_pins()
        for button in self.buttons.values():
            button.setEnabled(True)
        if isinstance(reply, Refused):
            remedy = self._words.tell(reply.remedy) if reply.remedy is not None else ""
            self.message.setText(f"{self._words.tell(reply.text)} {remedy}".strip())
            return
        self._close_form()
        self.message.setText(self._words.say(f"shell.keys.done.{action.name}"))
        self.changed.emit()

    def _set_buttons(self, wanted: list[tuple[str, str, Callable[[], None]]]) -> None:
        empty(self._row_of_buttons)
        self.buttons = {}
        self._row_of_buttons.addStretch()
        for name, role, run in wanted:
            button = Button(self._words.say(f"shell.keys.do.{name}"), role="pri" if role == "pri" else "plain")
            if self._row is not None:
                button.setAccessibleName(self._words.say("shell.keys.do_name", do=button.text(), name=self._row.name))
            button.clicked.connect(run)
            self._row_of_buttons.addWidget(button)
            self.buttons[name] = button


# which actions there are


def actions_for(row: KeyRow, me: str, *, unlocked: bool, demo: bool) -> tuple[Action, ...]:
    """What somebody whose root is open may do about a key; `demo`: they have no PIN."""
    if row.kind is KeyKind.CLINICIAN:
        return _for_person(row, me, unlocked=unlocked, demo=demo)
    if not unlocked:
        return ()
    if row.state is KeyState.REVOKED:
        return (_take_back(row),) if row.kind is KeyKind.HUB else ()
    if row.kind is KeyKind.WORKSTATION and row.mine:
        return (
            Action("renew", "", (), lambda _: ipc.RenewKeys()),
            Action(
                "replace",
                "shell.keys.means.replace_workstation",
                (REASON,),
                lambda form: ipc.RotateWorkstation(reason=form.value(REASON)),
            ),
        )
    actions = [_revoke(row)]
    if row.chair:
        actions += [
            Action("renew", "", (), lambda _: ipc.RenewHub(chair=row.chair)),
            Action("replace", "shell.keys.means.replace_hub", (), lambda _: ipc.RotateHub(chair=row.chair)),
        ]
    return tuple(actions)


def change_pin(operator_id: str) -> Action:
    """One's own PIN, for dentists and assistants alike."""
    return Action(
        "change_pin",
        "shell.keys.means.change_pin",
        (OLD, NEW, AGAIN),
        lambda form: ipc.ChangePin(operator_id=operator_id, old=form.value(OLD), new=form.value(NEW)),
    )


def _for_person(row: KeyRow, me: str, *, unlocked: bool, demo: bool) -> tuple[Action, ...]:
    if row.state is KeyState.REVOKED:
        return ()
    if row.holder == me:
        mine = () if demo else (change_pin(me),)
        own = () if demo else (OWN,)
        replace = Action(
            "replace", "shell.keys.means.replace_mine", own, lambda form: ipc.RotateMine(pin=form.value(OWN))
        )
        return (*mine, replace) if unlocked else mine
    if not unlocked:
        return ()
    new_pin = Action(
        "new_pin",
        "shell.keys.means.new_pin",
        (NEW, AGAIN),
        lambda form: ipc.ResetPin(operator_id=row.holder, pin=form.value(NEW)),
    )
    return (_revoke(row), new_pin) if row.kid else (new_pin,)


def _take_back(row: KeyRow) -> Action:
    return Action(
        "take_back",
        "shell.keys.means.take_back",
        (REASON,),
        lambda form: ipc.TakeBack(kid=row.kid, reason=form.value(REASON)),
    )


def _revoke(row: KeyRow) -> Action:
    return Action(
        "revoke",
        f"shell.keys.means.revoke_{row.kind.value}",
        (REASON,),
        lambda form: ipc.RevokeKey(kid=row.kid, reason=form.value(REASON)),
    )

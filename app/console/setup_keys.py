"""Keys: every key of the practice with its state; revoke, replace, renew, and PINs."""

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QVBoxLayout, QWidget

from app.console.key_detail import KeyDetail, actions_for, change_pin
from app.console.review_words import short_date
from app.console.store import Store
from app.ipc.key_messages import Keys, ListKeys
from app.ipc.messages import Refused, Reply
from core.model.keys import KeyKind, KeyRow, KeyState
from core.model.people import Operator
from core.model.words import Words
from widgets.controls import Card, Label
from widgets.key_line import KeyLine
from widgets.layouts import empty, scrolled

_GROUPS = (KeyKind.CLINICIAN, KeyKind.WORKSTATION, KeyKind.HUB)


class KeysPane(QWidget):
    """Left: the keys. Right: the one that was chosen. Assistants change their PIN here, and see no keys."""

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__()
        self._store = store
        self._words = words
        self._me = ""
        self._asked = 0
        self._keys: Keys | None = None
        self._chosen: tuple[str, str] | None = None
        self._told = ""
        self.lines: dict[tuple[str, str], KeyLine] = {}
        self.title = Label(words.say("shell.keys.title"), size=18, bold=True)
        self.message = Label(tone="muted", wrap=True)
        self.detail = KeyDetail(store, words)
        self.detail.changed.connect(self._changed)
        self._list = QVBoxLayout()
        self._list.setContentsMargins(4, 4, 8, 4)
        self._list.setSpacing(2)
        card = Card()
        column = QVBoxLayout(card)
        column.setContentsMargins(12, 14, 8, 10)
        column.setSpacing(8)
        for label in (self.title, self.message):
            label.setContentsMargins(4, 0, 0, 0)  # in line with the rows, which leave room for the focus ring
            column.addWidget(label)
        column.addWidget(scrolled(self._list), 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(card, 3)
        row.addWidget(self.detail, 2)
        store.workstation_changed.connect(self._person_changed)
        store.link_changed.connect(self._person_changed)

    # reading

    def _changed(self) -> None:
        """Something was done: read again, and let stand what was said of it."""
        self._told = self.detail.message.text()
        self.refresh()

    def refresh(self) -> None:
        """Ask for the keys; what stands here stays until the answer comes."""
        person = self._person()
        self._me = person.id if person is not None else ""
        self._asked += 1
        if person is None or not self._store.may("ListKeys"):
            self._keys = None
            self._build()
            return
        if self._keys is None:
            self.message.setText(self._words.say("shell.keys.reading"))
        asked = self._asked
        self._store.ask(ListKeys(), lambda reply: self._read(reply, asked))

    def _read(self, reply: Reply, asked: int) -> None:
        if asked != self._asked:
            return
        if isinstance(reply, Keys):
            self._keys = reply
            self._build()
            return
        self._keys = None
        self._build()
        if isinstance(reply, Refused):
            remedy = self._words.tell(reply.remedy) if reply.remedy is not None else ""
            self.message.setText(f"{self._words.tell(reply.text)} {remedy}".strip())

    def _person(self) -> Operator | None:
        return self._store.workstation.operator if self._store.workstation is not None else None

    def _person_changed(self) -> None:
        person = self._person()
        if (person.id if person is not None else "") != self._me:
            self._keys, self._chosen = None, None
            self._build()
            if self.isVisible():
                self.refresh()

    # showing

    def _build(self) -> None:
        empty(self._list)
        self.lines = {}
        keys = self._keys
        if keys is None:
            self._without_keys()
            return
        self.message.setText(self._said(keys))
        group = QButtonGroup(self)
        rows = {(row.holder, row.kid): row for row in keys.rows}
        for kind in _GROUPS:
            heading = Label(self._words.say(f"shell.keys.group.{kind.value}"), size=13, bold=True, tone="muted")
            heading.setContentsMargins(0, 8 if self._list.count() else 0, 0, 2)
            self._list.addWidget(heading)
            mine = {key: row for key, row in rows.items() if row.kind is kind}
            for key, row in mine.items():
                line = self._line(row)
                line.clicked.connect(lambda _=False, key=key: self.choose(key))
                group.addButton(line)
                self._list.addWidget(line)
                self.lines[key] = line
            if not mine:
                none = Label(self._words.say(f"shell.keys.none.{kind.value}"), tone="muted", wrap=True)
                self._list.addWidget(none)
        self._list.addStretch()
        self._chosen = self._successor(rows)
        self._show_chosen()
        if self._told:
            self.detail.message.setText(self._told)
            self._told = ""

    def _successor(self, rows: dict[tuple[str, str], KeyRow]) -> tuple[str, str] | None:
        """The key that was chosen; the newest of who had it, when it was replaced; one's own at first."""
        former = self._chosen
        if former in rows and not (self._told and rows[former].state is KeyState.REVOKED):
            return former
        same = [key for key, row in rows.items() if former is not None and row.holder == former[0]]
        counting = [key for key in same if rows[key].state is not KeyState.REVOKED]
        mine = [key for key, row in rows.items() if row.mine]
        return next(iter([*counting, *same, *mine, *rows]), None)

    def _without_keys(self) -> None:
        person = self._person()
        assistant = person is not None and not self._store.may("ListKeys")
        self.message.setText(self._words.say("shell.keys.dentists_only") if assistant else "")
        if person is not None and assistant:
            self.detail.show_key(None, (change_pin(person.id),))
            self.detail.title.setText(person.name)
        else:
            self.detail.show_key(None, ())

    def _said(self, keys: Keys) -> str:
        say = self._words.say
        date = short_date(self._words, keys.list_issued_us, day=True)
        parts = [say("shell.keys.root", root=keys.root, number=keys.list_number, date=date)]
        parts.append(
            say("shell.keys.makers", names=", ".join(keys.makers)) if keys.makers else say("shell.keys.no_maker")
        )
        if keys.behind:
            parts.append(say("shell.keys.behind"))
        return " ".join(parts)

    def _line(self, row: KeyRow) -> KeyLine:
        say = self._words.say
        date = short_date(self._words, row.expires_us, day=True)
        how = {KeyState.EXPIRED: "ended", KeyState.REVOKED: "revoked", KeyState.NONE: "none"}.get(row.state, "until")
        note = ""
        if row.mine:
            note = say("shell.people.you" if row.kind is KeyKind.CLINICIAN else "shell.keys.this_one")
        elif row.chair:
            note = say("shell.chair_name", number=row.chair)
        reason = say(row.reason[1:]) if row.reason.startswith("@") else row.reason
        return KeyLine(
            row.state,
            title=row.name,
            detail=say(f"shell.keys.line.{how}", kid=row.kid, date=date, reason=reason),
            word=say(f"keys.state.{row.state.value}"),
            note=note,
        )

    def choose(self, key: tuple[str, str]) -> None:
        self._chosen = key
        self._show_chosen()

    def _show_chosen(self) -> None:
        keys, person = self._keys, self._person()
        row = next((row for row in keys.rows if (row.holder, row.kid) == self._chosen), None) if keys else None
        if keys is None or row is None or person is None:
            self.detail.show_key(None, ())
            return
        self.lines[row.holder, row.kid].setChecked(True)
        actions = actions_for(row, person.id, unlocked=keys.unlocked, demo=person.demo)
        self.detail.show_key(row, actions, self._hint(row, unlocked=keys.unlocked))

    def _hint(self, row: KeyRow, *, unlocked: bool) -> str:
        if not unlocked:
            return self._words.say("shell.keys.locked")
        if row.kind is KeyKind.HUB and not row.chair and row.state is not KeyState.REVOKED:
            return self._words.say("shell.keys.hub_away")
        return ""

"""Backups: where to, one now, what is kept and whether it holds, the recovery sheet, and who is past the time."""

from pathlib import Path

from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.console.job_bar import JobBar
from app.console.place_field import PlaceField, Sticks, plugged_in
from app.console.review_words import clock_time, short_date
from app.console.setup_retention import RetentionCard
from app.console.setup_sheet import SheetCard
from app.console.store import Store
from app.ipc.backup_messages import (
    BackupPlace,
    Backups,
    CheckBackup,
    ForgetBackupPlace,
    KeptBackup,
    ListBackups,
    MakeBackup,
    RenewBackupKeys,
    SetBackupPlace,
)
from app.ipc.messages import Done, Refused, Reply, Request
from core.model.words import Words
from widgets.controls import Button, Card, Hairline, Label
from widgets.layouts import empty, scrolled
from widgets.segmented import Segmented


class BackupsPane(QWidget):
    """Left: backups. Right: the sheet, and who is past the time. Assistants see; dentists do."""

    def __init__(self, store: Store, words: Words, sticks: Sticks = plugged_in) -> None:
        super().__init__()
        self._store, self._words = store, words
        self._places: tuple[BackupPlace, ...] = ()
        self._asked = 0
        self.state = Label(bold=True, wrap=True)
        self.message = Label(tone="muted", wrap=True)
        self.place = PlaceField(words, sticks)
        self.make = Button(words.say("backup.make"), role="pri")
        self.daily = Segmented([("off", words.say("backup.daily.off")), ("on", words.say("backup.daily.on"))])
        self.daily.setAccessibleName(words.say("backup.daily.title"))
        self.renew = Button(words.say("backup.renew"))
        self.jobs = JobBar(store, words, of="backup-")
        self.checks: dict[str, Button] = {}
        self.forgets: dict[str, Button] = {}
        self.sheet = SheetCard(store, words)
        self.retention = RetentionCard(store, words)
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, 8, 0)
        self._list.setSpacing(6)
        self._arrange()
        self.make.clicked.connect(self._make)
        self.daily.chosen.connect(self._daily)
        self.renew.clicked.connect(lambda: self._do(RenewBackupKeys()))
        self.place.changed.connect(self._allow)
        self.sheet.changed.connect(self.refresh)
        store.workstation_changed.connect(self._station_changed)
        store.link_changed.connect(self._allow)
        self._station_changed()

    def refresh(self) -> None:
        """Ask for what lies where; what stands here stays until the answer comes."""
        self._asked += 1
        asked = self._asked
        if self._store.may("ListBackups"):
            self._store.ask(ListBackups(), lambda reply: self._read(reply) if asked == self._asked else None)
        self.sheet.refresh()
        self.retention.refresh()

    @property
    def may(self) -> bool:
        """Whether a dentist is there."""
        return self._store.may("MakeBackup")

    # what comes in

    def _read(self, reply: Reply) -> None:
        if isinstance(reply, Refused):
            self._refused(reply)
        elif isinstance(reply, Backups):
            self._places = reply.places
            usual = max(reply.places, key=lambda one: one.made_us, default=None)
            self.place.refresh(Path(usual.path) if usual is not None else Path.home())
            self._build()
            self._allow()

    def _station_changed(self) -> None:
        station = self._store.workstation
        state = station.backups if station is not None else None
        say = self._words.say
        if state is None:
            self.state.setText(say("backup.unknown"))
        elif not state.made_us:
            self.state.setText(say("backup.state.never"))
        else:
            said = say(f"backup.state.{'late' if state.late else 'good'}", when=self._when(state.made_us))
            self.state.setText(said)
        parts = []
        if state is not None and state.outstanding:
            key = "one" if state.outstanding == 1 else "some"
            parts.append(say(f"backup.outstanding.{key}", count=state.outstanding))
        if state is not None and state.new_keys:
            parts.append(say("backup.new_keys"))
        self.notes.setText(" ".join(parts))
        self.notes.setVisible(bool(parts))
        self.renew.setVisible(self.may and state is not None and bool(state.outstanding))
        self._allow()

    def _allow(self) -> None:
        free = self.may and self._store.answering and not self.jobs.running
        folder = self.place.folder
        known = next((one for one in self._places if folder is not None and one.path == str(folder)), None)
        station = self._store.workstation
        state = station.backups if station is not None else None
        sheet = state is not None and bool(state.sheet_us)
        self.place.setVisible(self.may)
        self._acts.setVisible(self.may)
        self.make.setEnabled(free and folder is not None and sheet)
        self.daily.setEnabled(free and folder is not None)
        self.daily.choose("on" if known is not None and known.daily else "off")
        self.renew.setEnabled(free)
        for button in (*self.checks.values(), *self.forgets.values()):
            button.setEnabled(free)
        if not self.may:
            self._tell(self._words.say("backup.dentists"))

    # what goes out

    def _make(self) -> None:
        folder = self.place.folder
        if folder is not None:
            self._tell("")
            self.make.setEnabled(False)
            self._store.ask(MakeBackup(path=str(folder)), lambda reply: self._worked(reply, "made"))

    def _check(self, place: str, name: str) -> None:
        self._tell("")
        self._store.ask(CheckBackup(path=place, name=name), lambda reply: self._worked(reply, "sound"))

    def _worked(self, reply: Reply, key: str) -> None:
        if isinstance(reply, Refused):
            self._refused(reply)
        elif isinstance(reply, Done):
            self._tell(self._words.say(f"backup.{key}"))
        self.refresh()

    def _daily(self, key: str) -> None:
        if self.place.folder is not None:
            self._do(SetBackupPlace(path=str(self.place.folder), daily=key == "on"))

    def _do(self, body: Request) -> None:
        self._tell("")
        self._store.ask(body, self._read)

    def _refused(self, reply: Refused) -> None:
        remedy = self._words.tell(reply.remedy) if reply.remedy is not None else ""
        self._tell(f"{self._words.tell(reply.text)} {remedy}".strip())
        self._allow()

    def _tell(self, sentence: str) -> None:
        self.message.setText(sentence)
        self.message.setVisible(bool(sentence))

    # how it looks

    def _arrange(self) -> None:
        say = self._words.say
        self.notes = Label(wrap=True)
        self._acts = QWidget()
        acts = QHBoxLayout(self._acts)
        acts.setContentsMargins(0, 0, 0, 0)
        acts.setSpacing(12)
        acts.addWidget(Label(say("backup.daily.title"), bold=True))
        acts.addWidget(self.daily)
        acts.addStretch()
        acts.addWidget(self.make)
        told = QHBoxLayout()
        told.setSpacing(12)
        told.addWidget(self.notes, 1)
        told.addWidget(self.renew)
        card = Card()
        column = QVBoxLayout(card)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(Label(say("backup.title"), size=18, bold=True))
        column.addWidget(self.state)
        column.addLayout(told)
        column.addWidget(self.place)
        column.addWidget(self._acts)
        column.addWidget(self.jobs)
        column.addWidget(self.message)
        self.message.hide()
        column.addWidget(Hairline())
        column.addWidget(scrolled(self._list), 1)
        right = QVBoxLayout()
        right.setSpacing(16)
        right.addWidget(self.sheet)
        right.addWidget(self.retention, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(card, 3)
        row.addLayout(right, 2)

    def _build(self) -> None:
        empty(self._list)
        self.checks, self.forgets = {}, {}
        for place in self._places:
            self._add_place(place)
            for one in place.kept:
                self._add_backup(place, one)
        if not self._places:
            self._list.addWidget(Label(self._words.say("backup.none"), tone="muted", wrap=True))
        self._list.addStretch()

    def _add_place(self, place: BackupPlace) -> None:
        say = self._words.say
        facts = [say("backup.place.daily")] if place.daily else []
        if not place.there:
            facts.append(say("backup.place.away"))
        if place.outstanding:
            facts.append(say("backup.place.outstanding"))
        facts += [say("backup.place.cut_off", name=name) for name in place.cut_off]
        if place.there and not place.kept:
            facts.append(say("backup.place.empty"))
        words = QVBoxLayout()
        words.setSpacing(0)
        title = Label(place.path, bold=True, elide=True)
        title.setToolTip(place.path)
        words.addWidget(title)
        if facts:
            words.addWidget(Label(" ".join(facts), size=13, tone="muted", wrap=True))
        forget = Button(say("backup.place.forget"))
        forget.setAccessibleName(say("backup.place.forget_name", path=place.path))
        forget.clicked.connect(lambda: self._do(ForgetBackupPlace(path=place.path)))
        forget.setVisible(self.may and not place.kept)
        self.forgets[place.path] = forget
        self._row(words, forget)

    def _add_backup(self, place: BackupPlace, one: KeptBackup) -> None:
        say = self._words.say
        key = "one_chair" if one.chairs == 1 else "chairs"
        facts = say(f"backup.kept.{key}", size=_size(one.bytes), count=one.chairs)
        again = one.checked_us > one.made_us
        held = say(f"backup.kept.{'checked' if again else 'proven'}", when=self._when(one.checked_us))
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(Label(self._when(one.made_us)))
        foreign = say("backup.kept.foreign")
        words.addWidget(Label(f"{facts} {held if one.ours else foreign}", size=13, tone="muted", wrap=True))
        check = Button(say("backup.kept.check"))
        check.setAccessibleName(say("backup.kept.check_name", when=self._when(one.made_us)))
        check.clicked.connect(lambda: self._check(place.path, one.name))
        check.setVisible(self.may and place.there and one.ours)
        self.checks[one.name] = check
        self._row(words, check)

    def _row(self, words: QVBoxLayout, button: Button) -> None:
        holder = QWidget()
        holder.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 2, 0, 2)
        row.setSpacing(12)
        middle = QVBoxLayout()
        middle.addStretch()
        middle.addLayout(words)
        middle.addStretch()
        row.addLayout(middle, 1)
        row.addWidget(button)
        self._list.addWidget(holder)

    def _when(self, at_us: int) -> str:
        return f"{short_date(self._words, at_us, day=True)}, {clock_time(at_us)}"


def _size(count: int) -> str:
    """As people read it: 12 MB, 3.4 GB."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {unit}" if count < 10 * size else f"{count / size:.0f} {unit}"
    return f"{max(1, round(count / 1e3))} kB"

"""What was opened for an emergency, until a dentist has read of it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.console import status
from app.console.store import Store
from app.ipc.access_messages import SeenEmergency
from core.model.access import Emergency
from core.model.words import Words
from widgets.controls import Button, Hairline, Label, StateMark
from widgets.layouts import empty


class EmergenciesPanel(QWidget):
    """Hidden while there is none."""

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__()
        self._store = store
        self._words = words
        self._shown: tuple[tuple[Emergency, ...], bool] = ((), False)
        self.seen_buttons: dict[str, Button] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 16, 0, 0)
        column.setSpacing(0)
        column.addWidget(Label(words.say("emergency.list"), size=18, bold=True))
        column.addWidget(Label(words.say("emergency.list_means"), tone="muted", wrap=True))
        column.addSpacing(8)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        column.addLayout(self._rows)
        self.hide()

    def refresh(self) -> None:
        """Take over what the store says now."""
        station = self._store.workstation
        shown = (station.emergencies if station is not None else (), self._store.may("SeenEmergency"))
        if shown == self._shown:
            return
        self._shown = shown
        empty(self._rows)
        self.seen_buttons = {}
        for one in shown[0]:
            self._rows.addWidget(Hairline())
            self._rows.addWidget(self._row(one, may=shown[1]))
        self.setVisible(bool(shown[0]))

    def _row(self, one: Emergency, *, may: bool) -> QWidget:
        say = self._words.say
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 12, 0, 12)
        line.setSpacing(12)
        role = say(f"shell.role.{one.role}")
        at = f"{status.local_date(one.began_us, self._words, 'd MMM')}, {status.local_time(one.began_us)}"
        said = QVBoxLayout()
        said.setSpacing(2)
        said.addWidget(Label(say("emergency.by", name=one.who, role=role), bold=True, wrap=True))
        said.addWidget(Label(say("emergency.because", reason=one.reason.lstrip("@")), wrap=True))
        where = say("emergency.where", code=one.code, chair=one.chair, at=at)
        said.addWidget(Label(where, size=13, tone="muted", wrap=True))
        line.addWidget(StateMark("unknown", size=36), 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(said, 1)
        seen = Button(say("emergency.seen"))
        seen.setAccessibleName(say("emergency.seen_name", name=one.who))
        seen.setEnabled(may)
        seen.clicked.connect(lambda: self._store.ask(SeenEmergency(emergency_id=one.id)))
        self.seen_buttons[one.id] = seen
        line.addWidget(seen, 0, Qt.AlignmentFlag.AlignTop)
        return row

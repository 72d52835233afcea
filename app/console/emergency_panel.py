"""Open a patient's data for an emergency: whose, and why. For people who work here and see no patients."""

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.console.store import Store
from app.ipc.access_messages import EndEmergency, OpenInEmergency
from app.ipc.messages import Refused, Reply
from core.model.words import Words
from widgets.controls import Button, Label
from widgets.overlay import Panel
from widgets.segmented import Segmented

_MOST_REASON = 500
_WIDTH = 460


class EmergencyPanel(Panel):
    """While one is open, it says so and ends it."""

    def __init__(self, store: Store, words: Words, parent: QWidget, opener: QWidget | None = None) -> None:
        super().__init__(parent, opener)
        self._store = store
        self._words = words
        say = words.say
        self.setAccessibleName(say("emergency.title"))
        self.chairs = Segmented([("0", "–")])
        self.reason = QLineEdit()
        self.reason.setMaxLength(_MOST_REASON)
        label = Label(say("emergency.reason"), size=13, bold=True)
        label.setBuddy(self.reason)
        self.reason.setAccessibleName(label.text())
        self.message = Label(tone="muted", wrap=True)
        self.end = Button(say("emergency.end"), height=64)
        self.back = Button(say("emergency.back"), height=64)
        self.go = Button(say("emergency.go"), role="pri", height=64)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(12)
        column.addWidget(Label(say("emergency.title"), size=24, bold=True))
        column.addWidget(Label(say("emergency.means"), tone="muted", wrap=True))
        for widget in (self.chairs, label, self.reason, self.message):
            column.addWidget(widget)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.back)
        row.addStretch()
        row.addWidget(self.end)
        row.addWidget(self.go)
        column.addLayout(row)
        self.back.clicked.connect(self.close_panel)
        self.end.clicked.connect(lambda: store.ask(EndEmergency(), self._answered))
        self.go.clicked.connect(self._open)
        self.reason.returnPressed.connect(self._open)

    def open_at(self, right: int, top: int) -> None:
        """Offer the chairs where somebody sits."""
        say = self._words.say
        taken = [chair.number for chair in self._store.chairs() if chair.patient is not None]
        self.chairs.set_options([(str(number), say("shell.chair_name", number=number)) for number in taken])
        self.chairs.setVisible(bool(taken))
        self.go.setEnabled(bool(taken))
        if str(self._store.current) in map(str, taken):
            self.chairs.choose(str(self._store.current))
        self.reason.clear()
        self.message.setText("" if taken else say("emergency.nobody"))
        station = self._store.workstation
        me = station.operator.id if station is not None and station.operator is not None else ""
        running = station is not None and any(
            one.operator_id == me and one.ended_us is None and one.until_us > self._store.clock.utc_us()
            for one in station.emergencies
        )
        self.end.setVisible(running)
        self.setGeometry(right - _WIDTH, top, _WIDTH, 380)
        self.show()
        self.raise_()
        self.reason.setFocus()

    def _open(self) -> None:
        body = OpenInEmergency(chair=int(self.chairs.key or 0), reason=self.reason.text())
        self._store.ask(body, self._answered)

    def _answered(self, reply: Reply) -> None:
        if isinstance(reply, Refused):
            remedy = self._words.tell(reply.remedy) if reply.remedy is not None else ""
            self.message.setText(f"{self._words.tell(reply.text)} {remedy}".strip())
            return
        self.reason.clear()
        self.close_panel()

"""Seat: who sits there, and whether the hub is."""

from PySide6.QtWidgets import QHBoxLayout

from app.console.status import birth_date
from app.console.steps.base import StepPanel
from app.ipc.messages import Chair
from core.model.hub import LinkState
from core.model.intents import NextStep
from widgets.controls import Label
from widgets.phases import RowMark


class SeatPanel(StepPanel):
    """Patient, hub and sensors, each with its state."""

    def build(self) -> None:
        self.who = Label("", size=18, bold=True)
        self.born = Label("", size=13, tone="muted")
        self.body.addWidget(self.who)
        self.body.addWidget(self.born)
        self.lines: dict[str, tuple[RowMark, Label]] = {}
        for key in ("hub", "identity", "sensor"):
            row = QHBoxLayout()
            row.setSpacing(12)
            mark, text = RowMark(), Label("", wrap=True)
            row.addWidget(mark)
            row.addWidget(text, 1)
            self.body.addLayout(row)
            self.lines[key] = (mark, text)
        self.body.addStretch(1)
        self.go_on = self.primary("seat.go_on")
        self.go_on.clicked.connect(lambda: self.act(NextStep()))
        self.wants(NextStep(), self.go_on)

    def show_state(self, chair: Chair) -> None:
        view = chair.procedure
        if view is None:
            return
        patient = chair.patient
        if patient is not None:
            self.who.setText(patient.name)
            allergy = self.say("seat.allergy", allergies=patient.allergies) if patient.allergies else ""
            born = self.say("seat.born", date=birth_date(patient.birth_date, self.words))
            self.born.setText(" · ".join(part for part in (born, patient.code, allergy) if part))
        up = chair.link is LinkState.UP
        battery = self.say("seat.battery", percent=chair.hub.battery_percent) if chair.hub is not None else ""
        self._show("hub", up, self.say("seat.hub.up" if up else "seat.hub.searching") + battery)
        identity = chair.identity
        known = self.say("seat.identity", serial=identity.serial, firmware=identity.firmware) if identity else ""
        self._show("identity", identity is not None or None, known or self.say("seat.no_identity"))
        sensor = next((one for one in chair.sensors if one.link is LinkState.UP), None)
        self._show(
            "sensor",
            sensor is not None or None,
            self.say("seat.sensor", name=sensor.name) if sensor else self.say("seat.no_sensor"),
        )
        self.close_button(self.go_on, view.blocked)

    def _show(self, key: str, passed: bool | None, said: str) -> None:
        mark, text = self.lines[key]
        mark.set_mark("done" if passed else "waiting" if passed is None else "failed", said)
        text.setText(said)

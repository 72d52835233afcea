"""Baseline: one quiet minute, before anything is done."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout

from app.console.steps.base import StepPanel, mmss
from app.ipc.messages import Chair
from core.model.intents import NextStep, StartBaseline
from core.signals.catalogue import load_catalogue
from widgets.controls import Label
from widgets.phases import ProgressRing
from widgets.strips.reading import say_value

SHOWN = ("heart_rate", "spo2", "saliva_ph", "pulp_temperature", "saliva_flow")


class BaselinePanel(StepPanel):
    """A ring that fills, and the means as they settle."""

    def build(self) -> None:
        self.ring = ProgressRing()
        row = QHBoxLayout()
        row.setSpacing(24)
        row.addWidget(self.ring, 0, Qt.AlignmentFlag.AlignTop)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        self.means: dict[str, Label] = {}
        for place, key in enumerate(SHOWN):
            grid.addWidget(Label(self.words.say(f"channel.{key}.name"), tone="muted"), place, 0)
            value = Label("–", bold=True)
            grid.addWidget(value, place, 1, Qt.AlignmentFlag.AlignRight)
            self.means[key] = value
        grid.setColumnStretch(0, 1)
        row.addLayout(grid, 1)
        self.body.addLayout(row)
        self.note = Label("", size=13, tone="muted", wrap=True)
        self.body.addWidget(self.note)
        self.body.addStretch(1)
        self.again = self.button("baseline.again")
        self.again.clicked.connect(lambda: self.act(StartBaseline()))
        self.left_foot(self.again)
        self.measure = self.primary("baseline.measure", icon="play")
        self.measure.clicked.connect(lambda: self.act(StartBaseline()))
        self.go_on = self.primary("baseline.go_on")
        self.go_on.clicked.connect(lambda: self.act(NextStep()))
        self.wants(NextStep(), self.go_on)
        self.wants(StartBaseline(), self.again, self.measure)

    def show_state(self, chair: Chair) -> None:
        view = chair.procedure
        if view is None:
            return
        base = view.baseline
        complete = base.seconds >= base.needed
        self.ring.set_progress(base.seconds / base.needed if base.needed else 0, mmss(base.seconds))
        catalogue = load_catalogue()
        for key, label in self.means.items():
            spec = catalogue.key(key)
            label.setText(f"{say_value(spec, base.means.get(key))} {spec.display_unit}".strip())
        fresh = base.seconds == 0 and not base.running
        state = "done" if complete else "running" if base.running else "fresh" if fresh else "waiting"
        self.note.setText(self.say(f"baseline.{state}", seconds=round(base.needed)))
        self.measure.setVisible(fresh)
        self.again.setVisible(not fresh)
        self.go_on.setVisible(not fresh)
        if fresh:
            self.blocked.say("")
        else:
            self.close_button(self.go_on, view.blocked)

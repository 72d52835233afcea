"""The lists that must be complete: before treatment, and after it. Measured lines and lines confirmed by hand."""

from typing import ClassVar

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.console.steps.base import StepPanel, scroller
from app.ipc.messages import Chair
from core.model.intents import ConfirmCheck, Intent, NextStep, StartTherapy
from core.model.procedure import CheckItem, ProcedureView
from widgets.controls import Button, Label
from widgets.phases import RowMark


class CheckLine(QWidget):
    """One line: mark, name, detail or why it is open, and a button when a person confirms it."""

    def __init__(self, name: str, button: Button | None) -> None:
        super().__init__()
        self.mark = RowMark()
        self.name = Label(name, bold=button is not None, wrap=True)
        self.detail = Label("", size=13, tone="muted")
        self.button = button
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.mark)
        row.addWidget(self.name, 1)
        row.addWidget(self.detail)
        if button is not None:
            row.addWidget(button)
        self.setFixedHeight(54 if button is not None else 30)


class CheckPanel(StepPanel):
    """Shows the list of its step; the primary opens when every line has passed."""

    finish: ClassVar[Intent] = NextStep()
    key: ClassVar[str] = ""

    def build(self) -> None:
        self.lines: dict[str, CheckLine] = {}
        inner = QWidget()
        self.list = QVBoxLayout(inner)
        self.list.setContentsMargins(0, 0, 4, 0)
        self.list.setSpacing(2)
        self.waiting = Label(self.say("check.waiting"), tone="muted", wrap=True)
        self.list.addWidget(self.waiting)
        self.list.addStretch(1)
        self.body.addWidget(scroller(inner), 1)
        self.go_on = self.primary(f"{self.key}.go_on", icon="play" if self.key == "preflight" else None)
        self.go_on.clicked.connect(lambda: self.act(self.finish))
        self.wants(self.finish, self.go_on)

    def items(self, view: ProcedureView) -> tuple[CheckItem, ...]:
        raise NotImplementedError

    def show_state(self, chair: Chair) -> None:
        view = chair.procedure
        if view is None:
            return
        items = self.items(view)
        if [item.key for item in items] != list(self.lines):
            self._rebuild(items)
        for item in items:
            self._show_item(item)
        self.waiting.setVisible(not items)
        self.go_on.setEnabled(not view.blocked)
        left = len(view.blocked)
        self.blocked.say(self.say("check.left", count=left, first=self.words.tell(view.blocked[0])) if left else "")

    def _rebuild(self, items: tuple[CheckItem, ...]) -> None:
        for line in self.lines.values():
            self.list.removeWidget(line)
            if line.button is not None:
                self.forget(line.button)
            line.hide()
            line.deleteLater()
        self.lines = {}
        for place, item in enumerate(items):
            button = None
            if item.by_hand:
                button = self.button("check.confirm")
                button.setObjectName(f"check.{item.key}")
                button.clicked.connect(lambda _=False, key=item.key: self._confirm(key))
                self.wants(ConfirmCheck(key=item.key, passed=True), button)
            line = CheckLine(self.words.say(f"check.{item.key}.name"), button)
            self.list.insertWidget(place, line)
            self.lines[item.key] = line

    def _show_item(self, item: CheckItem) -> None:
        line = self.lines[item.key]
        state = "passed" if item.passed else "failed" if item.passed is False else "unknown"
        open_by_hand = item.by_hand and item.passed is not True
        mark = {"passed": "done", "failed": "failed"}.get(state, "waiting" if open_by_hand else "unknown")
        spoken = self.say(f"check.{state}")
        line.mark.set_mark(mark, spoken)  # type: ignore[arg-type]
        said = self.words.tell(item.detail) if item.detail is not None else ""
        if not said and not item.passed and not item.by_hand:
            said = spoken
        line.detail.setText(said)
        if line.button is not None:
            line.button.setText(self.say("check.confirm" if open_by_hand else "check.take_back"))
            line.button.setAccessibleName(f"{line.name.text()}: {line.button.text()}")

    def _confirm(self, key: str) -> None:
        view = self.chair.procedure if self.chair is not None else None
        item = next((one for one in self.items(view) if one.key == key), None) if view is not None else None
        if item is not None:
            self.act(ConfirmCheck(key=key, passed=item.passed is not True))


class PreflightPanel(CheckPanel):
    """The last look before treatment."""

    tall = True
    key = "preflight"
    finish = StartTherapy()

    def items(self, view: ProcedureView) -> tuple[CheckItem, ...]:
        return view.preflight


class RecoverPanel(CheckPanel):
    """Values back near rest, swarm parked, the patient well."""

    key = "recover"
    finish = NextStep()

    def items(self, view: ProcedureView) -> tuple[CheckItem, ...]:
        return view.recovery

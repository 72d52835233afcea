"""Treat: the phases as they run, and what one can do about them."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.console.steps.base import Sentence, StepPanel, mmss, say_limit, scroller
from app.ipc.messages import Chair
from core.model.intents import CheckIn, EndEarly, NextStep, Pause, SkipPhase, StartTherapy
from core.model.limits import LimitOwner
from core.model.procedure import PhaseState, PhaseView, ProcedureView
from widgets.controls import Button, Label
from widgets.phases import Mark, PhaseRow, PhaseRows

MARKS: dict[PhaseState, Mark] = {
    PhaseState.WAITING: "waiting",
    PhaseState.STARTING: "unknown",
    PhaseState.RUNNING: "running",
    PhaseState.HELD: "held",
    PhaseState.DONE: "done",
    PhaseState.SKIPPED: "skipped",
    PhaseState.UNKNOWN: "unknown",
}
LIVE = (PhaseState.STARTING, PhaseState.RUNNING, PhaseState.HELD, PhaseState.UNKNOWN)
OVER = (PhaseState.DONE, PhaseState.SKIPPED)
ANSWERS = ("fine", "unsure", "stop")
"""Equal in looks: none is suggested."""
TALL = 340
"""Height from which the phase rows stand 40 high."""


class TreatPanel(StepPanel):
    """Phase rows, the patient's own limit, and Pause, Skip, Check in."""

    target = 64

    def build(self) -> None:
        self._own_said = ""
        self.rows = PhaseRows()
        self.area = scroller(self._frame(self.rows))
        self.body.addWidget(self.area, 1)
        self.notice = Label("", tone="muted", wrap=True)
        self.body.addWidget(self.notice)
        self.own = Sentence("hand", "patient")
        self.body.addWidget(self.own)
        self.pause = self.button("treat.pause", icon="pause")
        self.skip = self.button("treat.skip", icon="skip")
        self.left_foot(self.pause, self.skip)
        self.pause.clicked.connect(lambda: self.act(Pause()))
        self.skip.clicked.connect(lambda: self.act(SkipPhase()))
        self.check_in = self.primary("treat.check_in", icon="talk")
        self.check_in.clicked.connect(lambda: self._ask(True))
        self.start = self.primary("treat.start", icon="play")
        self.start.clicked.connect(lambda: self.act(StartTherapy()))
        self.go_on = self.primary("treat.go_on")
        self.go_on.clicked.connect(lambda: self.act(NextStep()))
        self.wants(NextStep(), self.go_on)
        self.wants(StartTherapy(), self.start)
        self.wants(Pause(), self.pause)
        self.wants(SkipPhase(), self.skip)
        self.wants(CheckIn(answer=ANSWERS[0]), self.check_in)
        self._build_asking()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.rows.set_tall(self.height() > TALL)

    def _frame(self, rows: PhaseRows) -> QWidget:
        frame = QWidget()
        column = QVBoxLayout(frame)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(rows)
        column.addStretch(1)
        return frame

    def _build_asking(self) -> None:
        """The question of the check-in, in place of the phase rows."""
        self.asking = QWidget()
        column = QVBoxLayout(self.asking)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self.question = Label("", size=18, bold=True, wrap=True)
        column.addWidget(self.question)
        answers = QHBoxLayout()
        answers.setSpacing(12)
        self.answers: dict[str, Button] = {}
        for answer in ANSWERS:
            button = self.button(f"treat.answer.{answer}", role="plum_outline")
            button.clicked.connect(lambda _=False, answer=answer: self._answered(answer))
            answers.addWidget(button, 1)
            self.answers[answer] = button
        column.addLayout(answers)
        column.addStretch(1)
        self.end = self.button("treat.end")
        self.end.clicked.connect(self._end)
        self.wants(EndEarly(reason=""), self.end)
        self.not_now = self.button("treat.not_now")
        self.not_now.clicked.connect(lambda: self._ask(False))
        last = QHBoxLayout()
        last.setSpacing(12)
        last.addWidget(self.end)
        last.addStretch(1)
        last.addWidget(self.not_now)
        column.addLayout(last)
        self.asking.hide()
        self.body.insertWidget(0, self.asking, 1)

    # state

    def show_state(self, chair: Chair) -> None:
        view = chair.procedure
        if view is None:
            return
        self.rows.set_rows([self._row(phase, view) for phase in view.phases])
        name = chair.patient.given_name if chair.patient is not None else ""
        self.question.setText(self.say("treat.question", patient=name))
        own = next((one for one in view.limits if one.owner is LimitOwner.PATIENT and one.high is not None), None)
        self._own_said = ""
        if own is not None:
            channel, value = say_limit(self.words, own)
            self._own_said = self.say("treat.own", channel=channel, value=value)
        self._show_buttons(view)

    def _show_buttons(self, view: ProcedureView) -> None:
        asking, live = not self.asking.isHidden(), any(phase.state in LIVE for phase in view.phases)
        over = bool(view.phases) and all(phase.state in OVER for phase in view.phases)
        begun = live or any(phase.state in OVER for phase in view.phases)
        unknown = any(phase.state in (PhaseState.UNKNOWN, PhaseState.STARTING) for phase in view.phases)
        if asking and not live:
            self._ask(False)
            return
        self.area.setVisible(not asking)
        self.own.say("" if asking else self._own_said)
        lost = any(phase.state is PhaseState.UNKNOWN for phase in view.phases)
        ending = any(phase.ending for phase in view.phases)
        key = "treat.unknown" if lost else "treat.starting" if unknown else "treat.ending" if ending else ""
        self.notice.setText(self.say(key) if key else "")
        self.notice.setVisible(bool(key) and not asking)
        for button in (self.pause, self.skip, self.check_in):
            button.setVisible(live and not asking)
        self.skip.setEnabled(not unknown and not ending)
        self.start.setVisible(not begun and not asking)
        self.go_on.setVisible(over and not asking)
        if not begun:
            self.close_button(self.start, view.blocked if not view.phases else ())
        elif over:
            self.close_button(self.go_on, view.blocked)
        else:
            self.blocked.say("")
        self._scroll_to_current(view)

    def _row(self, phase: PhaseView, view: ProcedureView) -> PhaseRow:
        name = self.words.say(f"module.{phase.module}.phase.{phase.key}")
        if phase.tooth:
            name = self.say("treat.with_tooth", phase=name, tooth=phase.tooth)
        current = phase.number == view.current_phase and phase.state in LIVE
        figure = mmss(phase.seconds)
        if current:
            figure = self.say("treat.of", done=mmss(phase.elapsed_s), all=figure)
        elif phase.state is PhaseState.SKIPPED:
            figure = self.say("treat.skipped")
        share = phase.elapsed_s / phase.seconds if phase.seconds else 0.0
        spoken = self.say(f"phase.{phase.state.value}")
        return PhaseRow(MARKS[phase.state], name, figure, current, share, spoken)

    def _scroll_to_current(self, view: ProcedureView) -> None:
        place = max(0, view.current_phase - 2) if view.current_phase else 0
        bar = self.area.verticalScrollBar()
        if view.current_phase and self.area.property("phase") != view.current_phase:
            self.area.setProperty("phase", view.current_phase)
            bar.setValue(place * self.rows.row_height)

    # touches

    def _ask(self, asking: bool) -> None:
        self.asking.setVisible(asking)
        if self.chair is not None and self.chair.procedure is not None:
            self._show_buttons(self.chair.procedure)
            self._withhold()
        if asking:
            self.not_now.setFocus(Qt.FocusReason.OtherFocusReason)  # a second press answers for nobody

    def _answered(self, answer: str) -> None:
        self.act(CheckIn(answer=answer))
        self._ask(False)

    def _end(self) -> None:
        self.act(EndEarly(reason=self.say("treat.end_reason")))
        self._ask(False)

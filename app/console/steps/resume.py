"""Held: three touches to resume. The hub is checked, the patient says yes, somebody resumes."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.console.steps.base import StepPanel
from app.ipc.messages import Chair
from core.model.intents import CheckHub, EndEarly, PatientYes, Resume
from core.model.procedure import Hold, ProcedureView
from widgets.controls import Button, Hairline, Label
from widgets.phases import TouchRing
from widgets.strips.reading import say_clock


class Touch(QWidget):
    """One of the three: ring, what it is, why, and its button or the time it was done."""

    def __init__(self, number: int, button: Button) -> None:
        super().__init__()
        self.setFixedHeight(75)
        self.ring = TouchRing(number)
        self.name = Label("", size=18, bold=True)
        self.reason = Label("", size=13, tone="muted", wrap=True)
        self.reason.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.time = Label("", tone="muted")
        self.time.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.button = button
        button.setFixedWidth(152)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 5, 0)  # room for the focus ring
        row.setSpacing(12)
        row.addWidget(self.ring)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addStretch(1)
        column.addWidget(self.name)
        column.addWidget(self.reason)
        column.addStretch(1)
        row.addLayout(column, 1)
        row.addWidget(self.time)
        row.addWidget(button)

    def show_touch(self, name: str, reason: str, *, done_us: int | None, open_: bool, token: str) -> None:
        self.name.setText(name)
        self.name.set_tone("ink" if open_ or done_us is not None else "muted")
        self.reason.setText(reason)
        self.time.setText(say_clock(done_us) if done_us is not None else "")
        self.time.setVisible(done_us is not None)
        self.button.setVisible(done_us is None)
        self.button.setEnabled(open_)
        self.ring.set_state(token if open_ else "muted", done_us is not None)


class ResumePanel(StepPanel):
    """The hold, and the way out of it."""

    target = 64

    def build(self) -> None:
        self.check = Touch(1, self.button("resume.check", role="pri", icon="link"))
        self.yes = Touch(2, self.button("resume.yes", role="plum", icon="hand"))
        self.resume = Touch(3, self.button("resume.resume", role="pri", icon="play"))
        self.body.setSpacing(0)
        for touch in (self.check, self.yes, self.resume):
            self.body.addWidget(Hairline())
            self.body.addWidget(touch)
        self.body.addStretch(1)
        self.end = Button(self.say("resume.end"), height=48)
        self.head.insertWidget(self.head.count() - 1, self.end)
        self.check.button.clicked.connect(lambda: self.act(CheckHub()))
        self.yes.button.clicked.connect(lambda: self.act(PatientYes(how="aloud")))
        self.resume.button.clicked.connect(lambda: self.act(Resume()))
        self.wants(CheckHub(), self.check.button)
        self.wants(PatientYes(how="aloud"), self.yes.button)
        self.wants(Resume(), self.resume.button)
        self.wants(EndEarly(reason=""), self.end)
        self.head.setContentsMargins(0, 0, 5, 0)
        self.end.clicked.connect(lambda: self.act(EndEarly(reason=self.say("treat.end_reason"))))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.place.setVisible(self.width() > 480)

    def heading(self, _chair: Chair) -> str:
        return self.say("resume.title")

    def beside(self, _chair: Chair) -> str:
        return self.say("resume.beside")

    def show_state(self, chair: Chair) -> None:
        view = chair.procedure
        if view is None or view.hold is None:
            return
        hold = view.hold
        name = chair.patient.given_name if chair.patient is not None else ""
        checked, agreed = hold.hub_checked_us, hold.patient_yes_us
        self.check.show_touch(
            self.say("resume.checked" if checked else "resume.to_check"),
            self._check_reason(chair, hold),
            done_us=checked,
            open_=True,
            token="action",
        )
        self.yes.show_touch(
            self.say("resume.says_yes", patient=name),
            self.say("resume.yes_where" if checked else "resume.yes_later"),
            done_us=agreed,
            open_=checked is not None,
            token="patient",
        )
        tooth = next((one.tooth for one in view.phases if one.number == hold.phase), 0)
        self.resume.show_touch(
            self.say("resume.to_resume_tooth", tooth=tooth) if tooth else self.say("resume.to_resume"),
            self.say("resume.ready", phase=self._phase(view, hold)) if agreed else self.say("resume.opens"),
            done_us=None,
            open_=checked is not None and agreed is not None,
            token="action",
        )
        focus = self.resume if agreed else self.yes if checked else self.check
        if not self.isAncestorOf(focus.button) or self.focusWidget() is None:
            focus.button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _check_reason(self, chair: Chair, hold: Hold) -> str:
        if hold.hub_checked_us is not None and chair.hub is not None:
            return self.say("resume.dose", percent=chair.hub.swarm_dose_percent)
        if hold.hub_asked_us is not None:
            return self.say("resume.asking")
        if not hold.hub_confirmed or chair.hub is None:
            return self.say("resume.unconfirmed")
        return self.words.tell(chair.next_step)

    def _phase(self, view: ProcedureView, hold: Hold) -> str:
        phase = next((one for one in view.phases if one.number == hold.phase), None)
        if phase is None:
            return self.say("resume.treatment")
        name = self.words.say(f"module.{phase.module}.phase.{phase.key}")
        return self.say("treat.with_tooth", phase=name, tooth=phase.tooth) if phase.tooth else name

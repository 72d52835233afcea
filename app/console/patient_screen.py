"""The patient's own screen: one sentence, one picture, one plum button."""

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app.console.store import Store
from app.ipc.messages import Chair, Refused, Reply
from core.model.hub import LinkState, TherapyState
from core.model.intents import BackToStep, Intent, PatientYes, Pause, SignConsent
from core.model.procedure import Choice, Hold, HoldOrigin, PhaseState, ProcedureView, Step
from core.model.words import Words
from core.signals.catalogue import load_catalogue
from widgets.breathing import BreathingGuide
from widgets.controls import Button, Label
from widgets.icon import paint_icon
from widgets.teeth import is_front
from widgets.teeth_arch import TeethArch
from widgets.theme import RADIUS_PATIENT, color, font, tokens

Action = Literal["none", "pause", "agree", "go_on"]
SAID = {"pause": "patient.pause", "agree": "patient_screen.agree", "go_on": "patient.yes_go_on"}
ICONS = {"pause": "pause", "agree": "hand", "go_on": "hand"}
NUMBERS = ("heart_rate", "spo2", "pulp_temperature")
TICK_MS = 500
"""How often it is asked whether what is shown still holds."""


@dataclass(frozen=True)
class Scene:
    """What the patient sees: the key of the sentence with its name, the one action, the picture.

    Attributes:
        agreed: at consent, keys of the modules that the patient is asked about.
        planned: at consent, the teeth that will be treated.
    """

    sentence: str
    action: Action = "none"
    breathing: bool = False
    tooth: int = 0
    name: str = ""
    agreed: tuple[str, ...] = ()
    planned: frozenset[int] = frozenset()


def scene_of(chair: Chair | None, *, fresh: bool) -> Scene:
    """What to show for a chair. Whatever is not known for certain is never called well or safe."""
    procedure = chair.procedure if chair is not None else None
    if chair is None or procedure is None:
        return Scene("patient_screen.idle")
    known = chair.patient is not None and chair.patient.given_name != chair.patient.code  # else the name is left out
    name = chair.patient.given_name if chair.patient is not None and known else ""
    match procedure.step:
        case Step.TREAT:
            return _treatment(chair, procedure, fresh=fresh)
        case Step.CONSENT if procedure.envelope is None:
            return _consent(procedure)
        case Step.CONSENT:
            return Scene("patient_screen.agreed")
        case Step.SEAT if name:
            return Scene("patient.welcome", name=name)
        case Step.CLOSE:
            return Scene("patient.close", name=name) if name else Scene("patient_screen.close_unnamed")
        case step:
            return Scene(f"patient.{step.value}")


def _consent(procedure: ProcedureView) -> Scene:
    wanted = [row for row in procedure.plan.modules if row.choice is not Choice.DECLINED] if procedure.plan else []
    return Scene(
        "patient.consent",
        action="agree",
        agreed=tuple(row.module for row in wanted),
        planned=frozenset(tooth for row in wanted for tooth in row.teeth),
    )


def _treatment(chair: Chair, procedure: ProcedureView, *, fresh: bool) -> Scene:
    hold = procedure.hold
    if _unknown(chair, procedure, fresh=fresh):
        # Pause stays within reach: it is worth asking for even when nobody knows whether it will arrive.
        return Scene("patient_screen.unknown", action="none" if hold else "pause", breathing=True)
    if hold is not None:
        return _held(hold)
    phase = next((each for each in procedure.phases if each.number == procedure.current_phase), None)
    if phase is None or not procedure.treating:
        return Scene("patient_screen.treat_wait")
    if phase.state is PhaseState.STARTING:
        return Scene("patient.starting", action="pause", tooth=phase.tooth)
    if not phase.module:  # the workstation is locked, and says no more of what is done
        return Scene("patient_screen.doing.any", action="pause")
    place = "mouth" if not phase.tooth else "front" if is_front(phase.tooth) else "back"
    return Scene(f"patient_screen.doing.{phase.module}_{place}", action="pause", tooth=phase.tooth)


def _held(hold: Hold) -> Scene:
    if not hold.hub_confirmed:
        return Scene("patient.pausing", breathing=True)
    if hold.patient_yes_us is not None:
        return Scene("patient_screen.thanks", breathing=True)
    if hold.hub_checked_us is not None:
        return Scene("patient.go_on_question", action="go_on", breathing=True)
    return Scene("patient.paused_you" if hold.origin is HoldOrigin.PATIENT else "patient.paused", breathing=True)


def _unknown(chair: Chair, procedure: ProcedureView, *, fresh: bool) -> bool:
    """Whether nobody can say what the hub does now."""
    hub = chair.hub
    return (
        not fresh
        or chair.link is not LinkState.UP
        or hub is None
        or hub.therapy in (TherapyState.UNKNOWN, TherapyState.FAULT)
        or any(phase.state is PhaseState.UNKNOWN for phase in procedure.phases)
    )


class PatientScreen(QWidget):
    """A window of its own, for the screen that the patient sees. It follows the chair in context, or one chair.

    Attributes:
        scene: what is shown now.
    """

    def __init__(self, store: Store, words: Words, *, chair: int = 0, reduced_motion: bool = False) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self._store, self._words, self._chair = store, words, chair
        self._asked: Action = "none"
        self._numbers_wanted = False
        self.scene = Scene("patient_screen.idle")
        self.setWindowTitle(words.say("patient_screen.window"))
        self.resize(1280, 800)
        self.sentence = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.agreed: list[Label] = []
        self.button = PlumButton()
        self.change = Button(words.say("patient.consent_change"), height=64, size=28)
        self.numbers_button = Button(words.say("patient_screen.numbers_show"), height=64, size=28)
        self.numbers = Label(size=28, tone="muted", wrap=True)
        self.problem = Label(size=28, tone="patient", wrap=True)
        self.arch = TeethArch()
        self.guide = BreathingGuide(
            words.say("patient.breathe_in"),
            words.say("patient.breathe_out"),
            words.say("patient_screen.slowly"),
            words.say("patient_screen.breathe_still"),
        )
        self.guide.set_motion(not reduced_motion)
        self.arch.setAccessibleName(words.say("patient_screen.tooth"))
        self.guide.setAccessibleName(words.say("patient_screen.breathing"))
        self._arrange()
        self.button.clicked.connect(self._pressed)
        self.change.clicked.connect(self._change)
        self.numbers_button.clicked.connect(self._toggle_numbers)
        store.chair_changed.connect(lambda _number: self.refresh())
        store.current_changed.connect(self.refresh)
        store.link_changed.connect(self.refresh)
        self._tick = QTimer(self, interval=TICK_MS)
        self._tick.timeout.connect(self.refresh)
        self._tick.start()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocus()
        self.refresh()

    def set_reduced_motion(self, reduced: bool) -> None:
        self.guide.set_motion(not reduced)

    @property
    def chair(self) -> int:
        """The chair that is shown."""
        return self._chair or self._store.current

    def refresh(self) -> None:
        """Show the chair as it stands."""
        chair = self._store.chair(self.chair)
        scene = scene_of(chair, fresh=self._store.fresh(self.chair))
        if scene != self.scene:
            self._asked = "none"
            self.problem.setText("")
        self.scene = scene
        key = scene.sentence if scene.sentence in self._words else "patient.treat"
        self.sentence.setText(self._words.say(key, patient=scene.name))
        self._list_agreed(scene.agreed)
        focused = self.focusWidget()
        self.button.setVisible(scene.action != "none")
        self.change.setVisible(scene.action == "agree")
        self.numbers_button.setVisible(scene.action != "agree")
        if focused is not None and not focused.isVisible():
            self.setFocus()  # Qt would hand it to the next button, which nobody chose
        if scene.action != "none":
            text = "patient_screen.asked" if self._asked == scene.action else SAID[scene.action]
            self.button.set_content(self._words.say(text), ICONS[scene.action])
        missing = frozenset(
            tooth.fdi for tooth in (chair.procedure.teeth if chair and chair.procedure else ()) if tooth.missing
        )
        self.arch.set_tooth(scene.tooth, missing, scene.planned)
        self._pictures.setCurrentWidget(self.guide if scene.breathing else self.arch)
        self._show_numbers()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            QTimer.singleShot(0, self, self._fit)
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._tick.stop()
        super().closeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), color(scheme.bg))
        painter.setBrush(color(scheme.surface))
        painter.setPen(QPen(color(scheme.line), 1))
        painter.drawRoundedRect(QRectF(self._pictures.geometry()), RADIUS_PATIENT, RADIUS_PATIENT)

    def _arrange(self) -> None:
        self._pictures = QStackedWidget()
        for picture in (self.arch, self.guide):
            self._pictures.addWidget(picture)
        self._pictures.setContentsMargins(32, 32, 32, 32)
        for button in (self.numbers_button, self.change):
            button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        side = QVBoxLayout()
        side.setSpacing(0)
        side.addStretch(1)
        side.addWidget(self.sentence)
        side.addSpacing(16)
        self._agreed_column = QVBoxLayout()
        self._agreed_column.setSpacing(12)
        side.addLayout(self._agreed_column)
        side.addSpacing(32)
        side.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        side.addSpacing(16)
        side.addWidget(self.change, 0, Qt.AlignmentFlag.AlignLeft)
        side.addWidget(self.problem)
        side.addStretch(1)
        side.addWidget(self.numbers)
        side.addWidget(self.numbers_button, 0, Qt.AlignmentFlag.AlignLeft)
        self._both = QHBoxLayout(self)
        self._both.addLayout(side, 744)
        self._both.addWidget(self._pictures, 888)

    def _fit(self) -> None:
        """Sizes for this window; again after a change of scheme, which forgets the sentence's font."""
        large = self.width() >= 1600
        self.sentence.setFont(font(56 if large else 34, bold=True))
        for part in self.agreed:
            part.setFont(font(28 if large else 24))
        self.button.set_large(large)
        self._both.setContentsMargins(96 if large else 64, 64, 64, 64)
        self._both.setSpacing(128 if large else 64)
        self.update()

    def _pressed(self) -> None:
        action = self.scene.action
        intents: dict[Action, Intent] = {
            "pause": Pause(by="patient"),
            "agree": SignConsent(how="patient_screen"),
            "go_on": PatientYes(how="patient_screen"),
        }
        if action in intents:
            self._asked = action
            self.problem.setText("")
            self._store.act(self.chair, intents[action], self._answered)
            self.refresh()

    def _change(self) -> None:
        """A no, or a not yet: the plan is opened again, and nothing was agreed."""
        self._store.act(self.chair, BackToStep(step=Step.PLAN.value), self._answered)

    def _list_agreed(self, modules: tuple[str, ...]) -> None:
        say = self._words.say
        wanted = [
            say("patient_screen.agreed_part", part=say(f"module.{module}.name"), does=say(f"module.{module}.does"))
            for module in modules
        ]
        if [part.text() for part in self.agreed] == wanted:
            return
        for part in self.agreed:
            self._agreed_column.removeWidget(part)
            part.hide()
            part.deleteLater()
        self.agreed = [Label(text, wrap=True) for text in wanted]
        for part in self.agreed:
            self._agreed_column.addWidget(part)
        self._fit()

    def _answered(self, reply: Reply) -> None:
        if isinstance(reply, Refused):
            self._asked = "none"
            self.problem.setText(self._words.say("patient_screen.not_heard"))
            self._store.notice(reply.text, reply.remedy)
            self.refresh()

    def _toggle_numbers(self) -> None:
        self._numbers_wanted = not self._numbers_wanted
        self._show_numbers()

    def _show_numbers(self) -> None:
        key = "numbers_hide" if self._numbers_wanted else "numbers_show"
        self.numbers_button.setText(self._words.say(f"patient_screen.{key}"))
        self.numbers.setVisible(self._numbers_wanted)
        if self._numbers_wanted:
            self.numbers.setText("\n".join(self._number(key) for key in NUMBERS))

    def _number(self, key: str) -> str:
        spec = load_catalogue().key(key)
        value = self._store.value(self.chair, key)
        said = self._words.say("patients.review.no_value") if value is None else f"{value:.{spec.decimals}f}"
        return f"{self._words.say(f'channel.{key}.name')}  {said} {spec.display_unit}".rstrip()


class PlumButton(QPushButton):
    """The one button, large enough for anybody: 112 px high on a large screen."""

    def __init__(self) -> None:
        super().__init__()
        self._icon = "pause"
        self._large = True
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_content(self, text: str, icon: str) -> None:
        self._icon = icon
        self.setText(text)
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def set_large(self, large: bool) -> None:
        self._large = large
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        text = QFontMetricsF(self._face).horizontalAdvance(self.text())
        return QSize(max(360 if self._large else 240, round(text) + 170), 112 if self._large else 80)

    def paintEvent(self, event: QPaintEvent) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        fill = color(scheme.patient)
        painter.setBrush(fill.darker(115) if self.isDown() else fill)
        painter.drawRoundedRect(self.rect(), RADIUS_PATIENT, RADIUS_PATIENT)
        text = QFontMetricsF(self._face).horizontalAdvance(self.text())
        size = 36.0
        left = (self.width() - size - 28 - text) / 2
        paint_icon(painter, self._icon, QRectF(left, (self.height() - size) / 2, size, size), QColor(scheme.on_patient))
        painter.setFont(self._face)
        painter.setPen(color(scheme.on_patient))
        room = QRectF(left + size + 28, 0, text + 4, self.height())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, self.text())

    @property
    def _face(self) -> QFont:
        return font(34 if self._large else 28, bold=True)

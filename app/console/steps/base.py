"""What every step of the wizard has: title and place, a body, why it cannot go on, and one primary action."""

from collections.abc import Callable
from typing import ClassVar

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.console.steps.intents import IntentQueue
from app.console.store import Store
from app.ipc.messages import Chair, Refused
from core.model.intents import Intent
from core.model.limits import Limit
from core.model.procedure import STEPS
from core.model.words import Text, Words
from core.signals.catalogue import load_catalogue
from widgets.controls import Button, Label, Tone
from widgets.icon import paint_icon
from widgets.stepper import Stepper
from widgets.strips.reading import say_bound
from widgets.theme import tokens


class Sentence(QWidget):
    """A line with a sign before it: why something is closed or was refused. Hidden while there is nothing to say."""

    def __init__(self, icon: str, tone: Tone = "muted", *, bold: bool = False, wrap: bool = True) -> None:
        super().__init__()
        self._icon, self._tone = icon, tone
        self._label = Label("", tone=tone, bold=bold, wrap=wrap)
        row = QHBoxLayout(self)
        row.setContentsMargins(28, 0, 0, 0)
        row.addWidget(self._label)
        self.hide()

    @property
    def text(self) -> str:
        return self._label.text()

    def say(self, text: str) -> None:
        self._label.setText(text)
        self.setAccessibleName(text)
        self.setVisible(bool(text))

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        paint_icon(painter, self._icon, QRectF(0, (self.height() - 20) / 2, 20, 20), getattr(tokens(), self._tone))
        painter.end()


class StepPanel(QWidget):
    """One step. `refresh` shows a chair's state; touches become intents through `act`.

    Attributes:
        wide: whether the step needs the room of the strips, which fold meanwhile. Its body scrolls when the window is
            low; head and buttons stay.
        tall: whether it needs the odontogram's room as well.
    """

    wide: ClassVar[bool] = False
    tall: ClassVar[bool] = False
    target: ClassVar[int] = 48

    def __init__(self, store: Store, words: Words, intents: IntentQueue) -> None:
        super().__init__()
        self.store, self.words, self.intents = store, words, intents
        self.number = 0
        self.chair: Chair | None = None
        self._asks: dict[QWidget, Callable[[], bool]] = {}
        self._telling: set[QWidget] = set()
        self._primaries: list[Button] = []
        self._withheld: list[QWidget] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self.title = Label("", size=24, bold=True)
        self.place = Label("", tone="muted")
        self.stepper = Stepper(len(STEPS))
        self.head = QHBoxLayout()
        self.head.setSpacing(10)
        self.head.addWidget(self.title)
        self.head.addWidget(self.place)
        self.place.setContentsMargins(0, 5, 0, 0)
        self.head.addStretch(1)
        self.head.addWidget(self.stepper)
        column.addLayout(self.head)
        self.inner = QWidget()
        self.body = QVBoxLayout(self.inner)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(8)
        column.addWidget(self._low(self.inner) if self.wide else self.inner, 1)
        self.refusal = Sentence("x")
        self.blocked = Sentence("lock")
        column.addWidget(self.refusal)
        column.addWidget(self.blocked)
        self.foot = QHBoxLayout()
        self.foot.setSpacing(12)
        self.foot.addStretch(1)
        column.addLayout(self.foot)
        self.build()

    @staticmethod
    def _low(inner: QWidget) -> QScrollArea:
        """A body that takes what height is left and asks for none, so that the buttons below it always fit."""
        area = scroller(inner)
        area.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        return area

    # for the steps

    def build(self) -> None:
        """Make what never changes."""
        raise NotImplementedError

    def show_state(self, chair: Chair) -> None:
        """Show a chair; called whenever something changed."""
        raise NotImplementedError

    def say(self, key: str, **values: str | float) -> str:
        return self.words.say(f"chair.{key}", **values)

    def act(self, intent: Intent) -> None:
        """What the person wants."""
        self.intents.act(self.number, intent)

    def button(self, key: str, *, role: str = "plain", icon: str | None = None, icon_right: bool = False) -> Button:
        made = Button(
            self.say(key),
            role=role,  # type: ignore[arg-type]
            icon=icon,
            icon_right=icon_right,
            height=self.target,
        )
        made.setObjectName(key)
        return made

    def primary(self, key: str, *, role: str = "pri", icon: str | None = None) -> Button:
        """The one primary action, at the bottom right."""
        made = self.button(key, role=role, icon=icon or "right", icon_right=icon is None)
        self.foot.addWidget(made)
        self._primaries.append(made)
        return made

    def wants(self, intent: Intent, *widgets: QWidget, tells: bool = False) -> None:
        """These want this. Who may not want it sees no such button, and other things closed.

        Args:
            tells: what stands on the buttons is worth reading; they are closed, too.
        """
        for widget in widgets:
            self._asks[widget] = lambda: self.store.may_want(intent, self.number)
        self._telling |= set(widgets) if tells else set()

    def asks(self, act: str, *widgets: QWidget) -> None:
        """The same for what is asked of the engine beside the procedure."""
        for widget in widgets:
            self._asks[widget] = lambda: self.store.may(act)

    def forget(self, widget: QWidget) -> None:
        """It goes."""
        self._asks.pop(widget, None)

    def left_foot(self, *buttons: Button) -> None:
        """Other actions, at the bottom left."""
        for place, button in enumerate(buttons):
            self.foot.insertWidget(place, button)

    def close_button(self, button: Button, reasons: tuple[Text, ...]) -> None:
        """Open the primary when nothing blocks it; otherwise close it and say why beside it."""
        button.setEnabled(not reasons)
        self.blocked.say(" ".join(self.words.tell(reason) for reason in reasons))

    # for the page

    def refresh(self, chair: Chair) -> None:
        self.number, self.chair = chair.number, chair
        view = chair.procedure
        place = view.step_number if view is not None else 1
        self.title.setText(self.heading(chair))
        said = self.say("place", number=place, count=len(STEPS))
        self.place.setText(self.beside(chair) or said)
        self.stepper.set_step(place, said)
        self._give_back()
        self.show_state(chair)
        self._withhold()

    def _give_back(self) -> None:
        for widget in self._withheld:
            widget.setVisible(True)
            widget.setEnabled(True)
        self._withheld = []

    def _withhold(self) -> None:
        """What would be refused to who is logged in."""
        self._withheld += [one for one, may in self._asks.items() if not one.isHidden() and not may()]
        for widget in self._withheld:
            widget.setEnabled(False)
            widget.setVisible(not isinstance(widget, Button) or widget in self._telling)
        if any(button in self._withheld for button in self._primaries):
            self.blocked.say(self.say("not_yours"))

    def heading(self, chair: Chair) -> str:
        step = chair.procedure.step.value if chair.procedure is not None else "seat"
        return self.say(f"title.{step}")

    def beside(self, _chair: Chair) -> str:
        """What stands beside the title instead of the step's place."""
        return ""

    def say_refused(self, reply: Refused | None) -> None:
        """Show why the last intent was not carried out, in the card; None takes it away."""
        if reply is None:
            self.refusal.say("")
            return
        remedy = f" {self.words.tell(reply.remedy)}" if reply.remedy is not None else ""
        self.refusal.say(self.words.tell(reply.text) + remedy)


def scroller(inner: QWidget) -> QScrollArea:
    """`inner` in a frame that scrolls when the window is small."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(inner)
    area.viewport().setAutoFillBackground(False)
    inner.setAutoFillBackground(False)
    return area


def say_limit(words: Words, limit: Limit) -> tuple[str, str]:
    """A limit as people read it: the channel's name, and the bound with its unit."""
    spec = load_catalogue().key(limit.channel)
    bound = limit.high if limit.high is not None else limit.low
    said = say_bound(spec, bound) if bound is not None else ""
    return words.say(f"channel.{limit.channel}.name"), f"{said} {spec.display_unit}".strip()


def mmss(seconds: float) -> str:
    """Minutes and seconds, m:ss."""
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}"

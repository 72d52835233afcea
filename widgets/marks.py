"""Marks that tell a state, a limit's owner or an alarm's priority by shape, so that they survive greyscale."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from core.model.alarm import AlarmPriority
from core.model.limits import LimitOwner
from widgets.theme import font, tokens
from widgets.tokens import Tokens

_GRID = 24.0
_SHAPES = {
    "treating": "play",
    "held": "pause",
    "held_patient": "pause",
    "idle": "circle",
    "ready": "half",
    "no_hub": "dotted",
    "holding": "pause_asked",
    "unknown": "question",
    "was_held": "question",
    "unreachable": "question",
    "refused": "question",
    "asking": "question",
    "unexpected": "question",
    "waiting": "half",
    "alarm_high": "high",
    "alarm_medium": "medium",
    "alarm_low": "low",
}


_ALARMS = ("high", "medium", "low")


def mark_shape(state: str) -> str:
    """The shape that stands for a state; a state nobody drew a shape for is under way: the half disc."""
    return _SHAPES.get(state, "half")


def paint_state_mark(painter: QPainter, state: str, rect: QRectF, scheme: Tokens) -> None:
    """Draw the mark of `state` into `rect` (square, logical pixels).

    `state`: a chair's state (`treating`, `held`, `held_patient`, `idle`, `holding`, `unknown`, …), or `alarm_high`,
    `alarm_medium`, `alarm_low`; any other is a step under way.
    """
    shape = mark_shape(state)
    if shape in _ALARMS:
        paint_alarm_mark(painter, AlarmPriority[shape.upper()], rect, scheme)
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.topLeft())
    painter.scale(rect.width() / _GRID, rect.height() / _GRID)
    painter.setPen(Qt.PenStyle.NoPen)
    if shape == "play":
        painter.setBrush(QColor(scheme.action))
        painter.drawEllipse(QRectF(0.5, 0.5, 23, 23))
        painter.setBrush(QColor(scheme.on_action))
        painter.setPen(_round_pen(scheme.on_action, 1.4))
        painter.drawPolygon(_polygon((9.6, 7.4), (9.6, 16.6), (17, 12)))
    elif shape == "pause":
        patient = state == "held_patient"
        painter.setBrush(QColor(scheme.patient if patient else scheme.ink))
        painter.drawRoundedRect(QRectF(1, 1, 22, 22), 3.2, 3.2)
        painter.setBrush(QColor(scheme.on_patient if patient else scheme.surface))
        painter.drawRoundedRect(QRectF(7.4, 6.4, 3, 11.2), 0.6, 0.6)
        painter.drawRoundedRect(QRectF(13.6, 6.4, 3, 11.2), 0.6, 0.6)
    elif shape == "pause_asked":
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(scheme.ink), 1.6))
        painter.drawRoundedRect(QRectF(1.8, 1.8, 20.4, 20.4), 3.2, 3.2)
        painter.drawLine(QPointF(9, 7), QPointF(9, 17))
        painter.drawLine(QPointF(15, 7), QPointF(15, 17))
    elif shape in ("circle", "dotted"):
        painter.setBrush(Qt.BrushStyle.NoBrush)
        pen = QPen(QColor(scheme.control), 1.6)
        if shape == "dotted":
            pen.setDashPattern([2, 2])
        painter.setPen(pen)
        painter.drawEllipse(QRectF(1.6, 1.6, 20.8, 20.8))
    elif shape == "half":
        painter.setBrush(QColor(scheme.ink))
        painter.drawPie(QRectF(1.6, 1.6, 20.8, 20.8), 90 * 16, 180 * 16)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(scheme.ink), 1.6))
        painter.drawEllipse(QRectF(1.6, 1.6, 20.8, 20.8))
    else:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(_round_pen(scheme.ink, 1.6))
        painter.drawPolygon(_polygon((12, 2), (23, 21.5), (1, 21.5)))
        painter.setFont(font(12, bold=True))
        painter.drawText(QRectF(0, 6.2, 24, 15), Qt.AlignmentFlag.AlignCenter, "?")
    painter.restore()


def paint_alarm_mark(
    painter: QPainter,
    priority: AlarmPriority,
    rect: QRectF,
    scheme: Tokens,
    *,
    colours: tuple[str, str] | None = None,
) -> None:
    """The mark of one alarm priority: three strokes, two strokes, one stroke, each on its own shape and colour.

    `colours` (fill, strokes) replaces the priority's own where the mark stands on its own colour: then medium and low
    are outlines.
    """
    fill, on = colours or alarm_colors(priority, scheme)
    if colours is not None and priority is not AlarmPriority.HIGH:
        fill, on = on, fill
    strokes = {AlarmPriority.HIGH: 3, AlarmPriority.MEDIUM: 2, AlarmPriority.LOW: 1}[priority]
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.topLeft())
    painter.scale(rect.width() / _GRID, rect.height() / _GRID)
    outlined = priority is not AlarmPriority.HIGH
    painter.setBrush(QColor(fill))
    painter.setPen(_round_pen(on if outlined else fill, 1.2))
    if priority is AlarmPriority.LOW:
        painter.drawRoundedRect(QRectF(2, 2, 20, 20), 3, 3)
        top, bottom, dot = 6.5, 13.6, 16.2
    else:
        painter.drawPolygon(_polygon((12, 2), (23, 21.5), (1, 21.5)))
        top, bottom, dot = 9.0, 15.2, 17.4
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(on))
    for index in range(strokes):
        x = 12 + (index - (strokes - 1) / 2) * 3.5
        lift = 1.6 if strokes == 3 and index != 1 else 0.0
        painter.drawRect(QRectF(x - 0.95, top + lift, 1.9, bottom - top - lift))
        painter.drawRect(QRectF(x - 0.95, dot, 1.9, 1.9))
    painter.restore()


def alarm_colors(priority: AlarmPriority, scheme: Tokens) -> tuple[str, str]:
    """Fill and what is written on it."""
    if priority is AlarmPriority.HIGH:
        return scheme.high, scheme.on_high
    return (scheme.medium if priority is AlarmPriority.MEDIUM else scheme.low), scheme.on_alarm


def paint_owner_mark(painter: QPainter, owner: LimitOwner, centre: QPointF, size: float, colour: QColor | str) -> None:
    """Whose limit it is: disc patient, ring clinician, square protocol, triangle device; `size` across, centred."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    half = size / 2
    if owner is LimitOwner.PATIENT:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        painter.drawEllipse(centre, half, half)
        painter.restore()
        return
    painter.setPen(QPen(QColor(colour), 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inner = half - 0.75
    x, y = centre.x(), centre.y()
    if owner is LimitOwner.CLINICIAN:
        painter.drawEllipse(centre, inner, inner)
    elif owner is LimitOwner.PROTOCOL:
        painter.drawRect(QRectF(x - inner, y - inner, 2 * inner, 2 * inner))
    else:
        triangle = QPainterPath(QPointF(x, y - inner))
        triangle.lineTo(x + inner, y + inner)
        triangle.lineTo(x - inner, y + inner)
        triangle.closeSubpath()
        painter.drawPath(triangle)
    painter.restore()


class StateMark(QWidget):
    """The mark of one state; `say` is its accessible name, the state in words."""

    def __init__(self, state: str = "idle", size: int = 48, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setFixedSize(size, size)

    @property
    def state(self) -> str:
        return self._state

    def set_state(self, state: str, say: str = "") -> None:
        if say:
            self.setAccessibleName(say)
        if state != self._state:
            self._state = state
            self.update()

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        margin = 2.0 if self.width() >= 32 else 1.0
        paint_state_mark(painter, self._state, QRectF(self.rect()).adjusted(margin, margin, -margin, -margin), tokens())
        painter.end()


class OwnerMark(QWidget):
    """Whose limit it is, 12 px across."""

    def __init__(self, owner: LimitOwner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._owner = owner
        self.setFixedSize(14, 14)

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        scheme = tokens()
        colour = scheme.patient if self._owner is LimitOwner.PATIENT else scheme.ink
        paint_owner_mark(painter, self._owner, QPointF(7, 7), 11, colour)
        painter.end()


def _round_pen(colour: str, width: float) -> QPen:
    pen = QPen(QColor(colour), width)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen


def _polygon(*points: tuple[float, float]) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in points])

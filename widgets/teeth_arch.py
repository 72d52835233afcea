"""One jaw from above, as a patient may see it: the tooth being worked on is filled."""

import math

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen, QTransform
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.model.dentition import is_primary
from widgets.teeth import LOWER, LOWER_PRIMARY, UPPER, UPPER_PRIMARY, is_upper, teeth
from widgets.theme import color, tokens

WIDTH, HEIGHT = 920.0, 920.0
"""Room of the drawing, 0.1 mm: the lower jaw, front teeth at the bottom."""
LARGER = 1.14
"""Teeth are drawn this much larger than the jaw, so that they nearly touch."""
FULL, MOST = 1290.0, 1.45
"""Widths of a row of permanent teeth together; a smaller set is drawn larger to fill the jaw, but no more than this."""
_LEFT, _RIGHT, _TOP, _BEND = 120.0, 800.0, 120.0, 440.0


class TeethArch(QWidget):
    """The jaw of the tooth shown, or of the teeth planned; nothing else, no numbers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._current = 0
        self._missing: frozenset[int] = frozenset()
        self._planned: frozenset[int] = frozenset()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_tooth(self, fdi: int, missing: frozenset[int] = frozenset(), planned: frozenset[int] = frozenset()) -> None:
        """The tooth to fill (0: none), and those to outline. Without any the lower jaw is shown at rest."""
        if (fdi, missing, planned) != (self._current, self._missing, self._planned):
            self._current, self._missing, self._planned = fdi, missing, planned
            self.update()

    @property
    def current(self) -> int:
        return self._current

    def tooth_centre(self, fdi: int) -> QPointF:
        """Where a tooth of the jaw shown stands, widget pixels."""
        rows = self._rows
        at = next(place for place, row in enumerate(rows) if fdi in row)
        return self._place(at).map(_seats(rows[at])[fdi].map(QPointF(0, 0)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for at, row in enumerate(self._rows):
            self._paint_jaw(painter, row, self._place(at))

    def _paint_jaw(self, painter: QPainter, row: tuple[int, ...], place: QTransform) -> None:
        scheme = tokens()
        gum = QPen(color(scheme.bg), 154 * self._scale)
        gum.setCapStyle(Qt.PenCapStyle.RoundCap)
        edge = QPen(color(scheme.line), 154 * self._scale + 2)
        edge.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (edge, gum):
            painter.setPen(pen)
            painter.drawPath(place.map(_curve()))
        seats = _seats(row)
        if self._current in seats:
            self._paint_rings(painter, place.map(seats[self._current].map(QPointF(0, 0))))
        for fdi, seat in seats.items():
            if fdi in self._missing:
                continue
            current = fdi == self._current
            at = seat * place
            planned = fdi in self._planned
            painter.setPen(_pen(scheme.patient if current or planned else scheme.control, 5.0 if planned else 1.5))
            painter.setBrush(color(scheme.patient if current else scheme.surface))
            painter.drawPath(at.map(teeth()[fdi].outline))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(_pen(scheme.on_patient if current else scheme.line, 1.75))
            painter.drawPath(at.map(teeth()[fdi].grooves))

    def _paint_rings(self, painter: QPainter, centre: QPointF) -> None:
        """The helpers at work, as rings with dots; they stand still, for they stand for no measured place."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for ring, (radius, alpha) in enumerate(((80.0, 0.9), (103.0, 0.55), (127.0, 0.3))):
            size = radius * self._scale
            painter.setPen(QPen(color(tokens().patient, alpha), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(centre, size, size)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color(tokens().action))
            dot = (5.2 - ring * 0.7) * max(0.7, self._scale)
            for index in range(5 + ring):
                turn = index * 2.4 + ring * 0.9
                at = QPointF(centre.x() + size * math.cos(turn), centre.y() + size * math.sin(turn))
                painter.drawEllipse(at, dot, dot)

    @property
    def _rows(self) -> tuple[tuple[int, ...], ...]:
        """The jaws drawn: both only where teeth of both are planned, the upper one above."""
        shown = (self._current,) if self._current else tuple(self._planned)
        upper = {is_upper(fdi) for fdi in shown}
        primary = bool(shown) and all(is_primary(fdi) for fdi in shown)
        above, below = (UPPER_PRIMARY, LOWER_PRIMARY) if primary else (UPPER, LOWER)
        return (above, below) if len(upper) == 2 else (above,) if True in upper else (below,)

    @property
    def _scale(self) -> float:
        return min(self.width() / WIDTH, self.height() / len(self._rows) / HEIGHT)

    def _place(self, at: int) -> QTransform:
        """Drawing to widget, for one of the jaws drawn; the upper jaw opens downwards."""
        scale, room = self._scale, self.height() / len(self._rows)
        left, top = (self.width() - WIDTH * scale) / 2, at * room + (room - HEIGHT * scale) / 2
        if is_upper(self._rows[at][0]):
            return QTransform.fromTranslate(left, top + HEIGHT * scale).scale(scale, -scale)
        return QTransform.fromTranslate(left, top).scale(scale, scale)


def _curve() -> QPainterPath:
    """The middle of the gum, from the patient's right wisdom tooth round the front to the left."""
    path = QPainterPath(QPointF(_LEFT, _TOP))
    path.lineTo(_LEFT + 8, _TOP + 150)
    middle = (_LEFT + _RIGHT) / 2
    path.cubicTo(_LEFT + 14, _BEND + 120, _LEFT + 120, 822, middle, 822)
    path.cubicTo(_RIGHT - 120, 822, _RIGHT - 14, _BEND + 120, _RIGHT - 8, _TOP + 150)
    path.lineTo(_RIGHT, _TOP)
    return path


def _seats(row: tuple[int, ...]) -> dict[int, QTransform]:
    """Where each tooth stands on the curve and how it is turned: cheek side outwards, spaced by true widths."""
    curve = _curve()
    widths = [teeth()[fdi].outline.boundingRect().width() for fdi in row]
    total = sum(widths)
    seats: dict[int, QTransform] = {}
    run = 0.0
    flip = -1.0 if is_upper(row[0]) else 1.0
    larger = LARGER * min(MOST, max(1.0, FULL / total))
    for fdi, width in zip(row, widths, strict=True):
        share = (run + width / 2) / total
        run += width
        percent = curve.percentAtLength(curve.length() * (0.035 + 0.93 * share))
        at, turn = curve.pointAtPercent(percent), curve.angleAtPercent(percent)
        seats[fdi] = QTransform.fromTranslate(at.x(), at.y()).rotate(-turn).scale(larger, larger * flip)
    return seats


def _pen(value: str, width: float) -> QPen:
    pen = QPen(color(value), width)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    return pen

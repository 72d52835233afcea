"""Acid time after sugar over twelve weeks: an illustration of what the plan aims at, not a prediction."""

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from widgets.theme import color, font, tokens

TODAY_MIN = 38.0
UNTREATED_MIN_PER_WEEK = 0.35
FULL_DROP_MIN = 18.0
SETTLE_WEEKS = 3.0
WEEKS = 12
LOW, HIGH = 10.0, 45.0
BAND = 0.45
"""Half width of the band, as a share of the change."""

Curve = Callable[[float], float]


def untreated(week: float) -> float:
    """Minutes in acid a day without treatment. Illustrative."""
    return TODAY_MIN + UNTREATED_MIN_PER_WEEK * week


def treated(week: float, share: float) -> float:
    """Minutes in acid a day at `share` of the full strength, 0–1. Illustrative: a plain exponential."""
    fall = FULL_DROP_MIN * math.sqrt(share) * (1 - math.exp(-week / SETTLE_WEEKS))
    return TODAY_MIN - fall + UNTREATED_MIN_PER_WEEK * week * (1 - share)


class AcidPlot(QWidget):
    """Three curves: no treatment, the plan as offered, and the patient's own in plum.

    `names`: what they are called, in that order; `weeks`: the words under the axis.
    """

    def __init__(self, names: tuple[str, str, str], weeks: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names, self._weeks = names, weeks
        self._share = 1.0
        self.setMinimumHeight(110)

    def set_share(self, share: float, spoken: str) -> None:
        """Strength of the patient's own plan, 0 (declined) to 1."""
        self._share = share
        self.setAccessibleName(spoken)
        self.update()

    @property
    def share(self) -> float:
        return self._share

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(26, 4, self.width() - 26 - 96, self.height() - 26)
        painter.setFont(font(13))
        for minutes in (10, 20, 30, 40):
            y = _point(box, 0, minutes).y()
            painter.setPen(QPen(QColor(scheme.line), 1))
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
            painter.setPen(QColor(scheme.muted))
            painter.drawText(QRectF(0, y - 9, 20, 18), Qt.AlignmentFlag.AlignRight, str(minutes))
        for place, word in enumerate(self._weeks):
            x = box.left() + box.width() * place / (len(self._weeks) - 1)
            painter.drawText(QRectF(x - 40, box.bottom() + 5, 80, 18), Qt.AlignmentFlag.AlignHCenter, word)
        own: Curve = lambda week: treated(week, self._share)  # noqa: E731
        full: Curve = lambda week: treated(week, 1.0)  # noqa: E731
        if self._share:
            _band(painter, box, own, scheme.patient)
        _band(painter, box, untreated, scheme.muted)
        dashes = QPen(QColor(scheme.muted), 2)
        dashes.setDashPattern([3, 2.5])
        _curve(painter, box, untreated, dashes)
        _curve(painter, box, full, QPen(QColor(scheme.control), 1.2))
        ends = [(untreated(WEEKS), self._names[0], scheme.muted, True)]
        if self._share < 1:
            ends.append((full(WEEKS), self._names[1], scheme.muted, False))
        if self._share:
            _curve(painter, box, own, QPen(QColor(scheme.patient), 2.5))
            ends.append((own(WEEKS), self._names[2], scheme.patient, True))
        self._paint_names(painter, box, ends)
        painter.end()

    @staticmethod
    def _paint_names(painter: QPainter, box: QRectF, ends: list[tuple[float, str, str, bool]]) -> None:
        """Name each curve at its end, pushed apart where they are close."""
        last = -math.inf
        for minutes, name, colour, bold in sorted(ends, reverse=True):
            y = max(_point(box, WEEKS, minutes).y(), last + 17)
            last = y
            painter.setFont(font(13, bold=bold))
            painter.setPen(QColor(colour))
            painter.drawText(QRectF(box.right() + 8, y - 9, 88, 18), Qt.AlignmentFlag.AlignVCenter, name)


def _point(box: QRectF, week: float, minutes: float) -> QPointF:
    x = box.left() + box.width() * week / WEEKS
    return QPointF(x, box.bottom() - box.height() * (minutes - LOW) / (HIGH - LOW))


def _curve(painter: QPainter, box: QRectF, curve: Curve, pen: QPen) -> None:
    path = QPainterPath(_point(box, 0, curve(0)))
    for step in range(1, 49):
        week = WEEKS * step / 48
        path.lineTo(_point(box, week, curve(week)))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen)
    painter.drawPath(path)


def _band(painter: QPainter, box: QRectF, curve: Curve, colour: str) -> None:
    weeks = [WEEKS * step / 24 for step in range(25)]
    half = [BAND * abs(curve(week) - TODAY_MIN) * 0.7 for week in weeks]
    above = [_point(box, week, curve(week) + wide) for week, wide in zip(weeks, half, strict=True)]
    below = [_point(box, week, curve(week) - wide) for week, wide in zip(weeks, half, strict=True)]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color(colour, 0.16))
    painter.drawPolygon(QPolygonF([*above, *reversed(below)]))

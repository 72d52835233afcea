"""Days side by side, one mark each: how many minutes, of which days little is known, which were bare, which unknown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.focus import OWN_FOCUS
from widgets.odontogram_paint import paint_hatch
from widgets.theme import color, font, tokens

DayKind = Literal["counted", "part", "bare", "unknown"]
Swatch = Literal["counted", "part", "bare", "unknown", "level", "visit"]
LEFT, RIGHT, TOP, FOOT = 56.0, 44.0, 12.0, 44.0
BAR = 8.0
"""Bars become no wider, however much room there is."""
WEEK = 7


@dataclass(frozen=True)
class DayMark:
    """One day. `said`: the day in words; `visit`: whether there was a visit on it."""

    kind: DayKind
    said: str
    minutes: float = 0.0
    visit: bool = False


@dataclass(frozen=True)
class DayLevel:
    """A mean over the days from `first` to `last` (positions, both included)."""

    first: int
    last: int
    minutes: float
    label: str


class DayStrip(QWidget):
    """Marks from the oldest day to the newest; one of them is told in words.

    Keys: Left and Right go from day to day, Page Up and Page Down from week to week, Home and End to the ends.

    Signals:
        day_told: position of the day under the pointer, or of the chosen one; -1 when there is none.
    """

    day_told = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._marks: tuple[DayMark, ...] = ()
        self._levels: tuple[DayLevel, ...] = ()
        self._ticks: tuple[tuple[int, str], ...] = ()
        self._end = self._unit = ""
        self._ceiling = 60
        self._cursor = self._hovered = -1
        self._by_key = False
        self.setProperty(OWN_FOCUS, True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumHeight(120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_days(
        self,
        marks: Sequence[DayMark],
        *,
        ticks: Sequence[tuple[int, str]] = (),
        levels: Sequence[DayLevel] = (),
        end: str = "",
        ceiling: int = 60,
        unit: str = "",
    ) -> None:
        """Show days without a gap between them; the newest is chosen.

        Args:
            ticks: position and label of the days that the axis names; `end` names the last one.
            ceiling: minutes at the top of the scale; what is higher ends there. `unit`: what they are called.
        """
        self._marks, self._ticks, self._levels = tuple(marks), tuple(ticks), tuple(levels)
        self._end, self._unit, self._ceiling = end, unit, ceiling
        self.choose(len(self._marks) - 1)

    def choose(self, position: int) -> None:
        """Tell of a day; out of range, of the nearest there is."""
        self._hovered = -1
        self._cursor = min(max(0, position), len(self._marks) - 1)
        self._tell()

    @property
    def told(self) -> int:
        """Position of the day that is told in words; -1 when there is none."""
        return self._hovered if self._hovered >= 0 else self._cursor

    def day_rect(self, position: int) -> QRectF:
        """The column of a day, in widget pixels."""
        wide = (self.width() - LEFT - RIGHT) / max(1, len(self._marks))
        return QRectF(LEFT + position * wide, TOP, wide, self._floor - TOP)

    def sizeHint(self) -> QSize:
        return QSize(640, 200)

    # input

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        position = self._at(event.position())
        if event.buttons() & Qt.MouseButton.LeftButton and position >= 0:
            self.choose(position)
        self._hover(position)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._by_key = False
        position = self._at(event.position())
        if position >= 0:
            self.choose(position)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last = len(self._marks) - 1
        to = {
            Qt.Key.Key_Left: self._cursor - 1,
            Qt.Key.Key_Right: self._cursor + 1,
            Qt.Key.Key_PageUp: self._cursor - WEEK,
            Qt.Key.Key_PageDown: self._cursor + WEEK,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }.get(Qt.Key(event.key()))
        if to is None or last < 0:
            super().keyPressEvent(event)
            return
        self._by_key = True
        self.choose(to)

    def _hover(self, position: int) -> None:
        if position != self._hovered:
            self._hovered = position
            self._tell()

    def _tell(self) -> None:
        told = self.told
        self.setAccessibleDescription(self._marks[told].said if told >= 0 else "")
        self.day_told.emit(told)
        self.update()

    def _at(self, point: QPointF) -> int:
        """The day whose column is under a point, be it above its mark or on the axis; -1 outside."""
        wide = self.day_rect(0).width()
        position = int((point.x() - LEFT) // wide) if self._marks else -1
        return position if 0 <= position < len(self._marks) else -1

    # paint

    @property
    def _floor(self) -> float:
        return self.height() - FOOT

    def _y(self, minutes: float) -> float:
        return self._floor - min(1.0, minutes / self._ceiling) * (self._floor - TOP)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._marks:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_scale(painter)
        told = self.told
        if told >= 0:
            painter.fillRect(self.day_rect(told).adjusted(0, -TOP + 2, 0, 0), color(tokens().sunken))
        for position, mark in enumerate(self._marks):
            self._paint_mark(painter, mark, self.day_rect(position), chosen=position == told)
        painter.setPen(QPen(color(tokens().control), 1.5))
        painter.drawLine(QPointF(LEFT, self._floor), QPointF(self.width() - RIGHT, self._floor))
        for level in self._levels:
            self._paint_level(painter, level)
        self._paint_axis(painter)
        if self._by_key and self.hasFocus() and self._cursor >= 0:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(color(tokens().ink), 2))
            painter.drawRoundedRect(self.day_rect(self._cursor).adjusted(-3, -TOP + 2, 3, 2), 4, 4)

    def _paint_scale(self, painter: QPainter) -> None:
        painter.setFont(font(13))
        ceiling = self._ceiling
        for minutes, label in ((ceiling, f"{ceiling} {self._unit}"), (ceiling / 2, f"{ceiling / 2:g}"), (0, "0")):
            y = self._y(minutes)
            painter.setPen(QPen(color(tokens().line), 1))
            painter.drawLine(QPointF(LEFT, y), QPointF(self.width() - RIGHT, y))
            painter.setPen(color(tokens().muted))
            painter.drawText(
                QRectF(0, y - 10, LEFT - 8, 20), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, label
            )

    def _paint_mark(self, painter: QPainter, mark: DayMark, column: QRectF, *, chosen: bool) -> None:
        scheme = tokens()
        wide = min(BAR, column.width() * 0.75)
        inside = QRectF(column.center().x() - wide / 2, column.top(), wide, column.height())
        if mark.kind == "bare":
            area = QPainterPath()
            area.addRect(column.adjusted(0, 1, 0, 0))
            paint_hatch(painter, area, pitch=6, pen=QPen(color(scheme.control), 1.0))
        elif mark.kind in ("counted", "part"):
            top = min(self._y(mark.minutes), self._floor - 2.5)
            bar = QRectF(inside.left(), top, inside.width(), self._floor - top)
            ink = color(scheme.ink if chosen else scheme.control)
            if mark.kind == "counted":
                painter.fillRect(bar, ink)
            else:
                painter.setBrush(color(scheme.surface))
                painter.setPen(QPen(ink, 1.25))
                painter.drawRect(bar.adjusted(0.6, 0.6, -0.6, 0))

    def _paint_level(self, painter: QPainter, level: DayLevel) -> None:
        """A line on a halo of the card's colour, so that it is seen upon bars; its figure stands past its end."""
        y = self._y(level.minutes)
        left, right = self.day_rect(level.first).left(), self.day_rect(level.last).right()
        for tone, wide in ((tokens().surface, 5.0), (tokens().ink, 2.0)):
            pen = QPen(color(tone), wide)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            painter.drawLine(QPointF(left, y), QPointF(right, y))
        face = font(13, bold=True)
        wide = QFontMetricsF(face).horizontalAdvance(level.label)
        if level.last >= len(self._marks) - WEEK:
            at = QPointF(self.width() - RIGHT + 6, y + 5)
        else:
            at = QPointF(right - wide, y - 7)
        letters = QPainterPath()
        letters.addText(at, face, level.label)
        painter.strokePath(letters, QPen(color(tokens().surface), 5, j=Qt.PenJoinStyle.RoundJoin))
        painter.fillPath(letters, color(tokens().ink))

    def _paint_axis(self, painter: QPainter) -> None:
        """Visits as discs, as on the time line; below them the months, and the last day."""
        scheme = tokens()
        painter.setBrush(color(scheme.ink))
        painter.setPen(Qt.PenStyle.NoPen)
        for position, mark in enumerate(self._marks):
            if mark.visit:
                painter.drawEllipse(QPointF(self.day_rect(position).center().x(), self._floor + 10), 5, 5)
        y = self._floor + 20
        bold, plain = font(13, bold=True), font(13)
        end = QFontMetricsF(bold).horizontalAdvance(self._end)
        right = self.width() - RIGHT
        painter.setFont(bold)
        painter.setPen(color(scheme.ink))
        painter.drawText(QRectF(right - end - 2, y, end + 4, 20), Qt.AlignmentFlag.AlignCenter, self._end)
        painter.setFont(plain)
        painter.setPen(color(scheme.muted))
        for position, label in self._ticks:
            wide = QFontMetricsF(plain).horizontalAdvance(label)
            left = self.day_rect(position).left()
            if left + wide < right - end - 12:
                painter.drawLine(QPointF(left, self._floor), QPointF(left, self._floor + 6))
                painter.drawText(QRectF(left - 1, y, wide + 2, 20), Qt.AlignmentFlag.AlignVCenter, label)


class DayLegend(QWidget):
    """What the marks mean, in a line that wraps where it must."""

    def __init__(self, meanings: Sequence[tuple[Swatch, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._meanings = tuple(meanings)
        self.setAccessibleName(" ".join(f"{text}." for _, text in self._meanings))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def heightForWidth(self, width: int) -> int:
        return round(self._places(width)[-1].bottom()) if self._meanings else 0

    def sizeHint(self) -> QSize:
        return QSize(320, self.heightForWidth(max(320, self.width())))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(13))
        for (kind, text), place in zip(self._meanings, self._places(self.width()), strict=True):
            _paint_swatch(painter, kind, QRectF(place.left(), place.top() + 2, 14, 16))
            painter.setPen(color(tokens().muted))
            painter.drawText(place.adjusted(20, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)

    def _places(self, width: int) -> list[QRectF]:
        metrics = QFontMetricsF(font(13))
        places: list[QRectF] = []
        x = y = 0.0
        for _, text in self._meanings:
            wide = 20 + metrics.horizontalAdvance(text) + 2
            if x and x + wide > width:
                x, y = 0.0, y + 20
            places.append(QRectF(x, y, wide, 20))
            x += wide + 14
        return places


def _paint_swatch(painter: QPainter, kind: Swatch, box: QRectF) -> None:
    scheme = tokens()
    bar = QRectF(box.left() + 3, box.top() + 2, BAR, 12)
    if kind == "visit":
        painter.setBrush(color(scheme.ink))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawEllipse(box.center(), 5, 5)
        painter.setBrush(Qt.BrushStyle.NoBrush)
    elif kind == "level":
        painter.fillRect(QRectF(box.left(), box.center().y() - 1, 14, 2), color(scheme.ink))
    elif kind == "counted":
        painter.fillRect(bar, color(scheme.control))
    elif kind == "part":
        painter.setPen(QPen(color(scheme.control), 1.25))
        painter.drawRect(bar)
    elif kind == "bare":
        area = QPainterPath()
        area.addRect(box.adjusted(0, 1, 0, -1))
        paint_hatch(painter, area, pitch=4.2, pen=QPen(color(scheme.control), 1.0))
    else:
        painter.setPen(QPen(color(scheme.control), 1.5))
        painter.drawLine(QPointF(box.left(), box.bottom() - 2), QPointF(box.right(), box.bottom() - 2))

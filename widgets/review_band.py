"""The whole visit in one band, with the window that the rows below look through."""

import itertools

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.review_data import ReviewTrace
from widgets.theme import color, tokens

HEIGHT = 52
REACH = 24
"""How near a handle a finger must come, px: half a target."""


class ReviewBand(QWidget):
    """An envelope of one channel over the visit; the window is moved by its body and sized by its handles.

    Keys: Left and Right move the window, Up and Down narrow and widen it, Home shows all.

    Signals:
        range_changed: seconds since the visit began, from and to; by hand only.
    """

    range_changed = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._length = 1.0
        self._window = (0.0, 1.0)
        self._trace: ReviewTrace | None = None
        self._colour = 0
        self._grip = ""
        self._grip_from = 0.0
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_visit(self, length: float) -> None:
        self._length = max(length, 0.001)
        self._window = (0.0, self._length)
        self._trace = None
        self.update()

    def set_trace(self, trace: ReviewTrace | None, colour: int) -> None:
        """The envelope and its index into the trace colours."""
        self._trace, self._colour = trace, colour
        self.update()

    def set_window(self, begin: float, end: float) -> None:
        """Where the window stands, silently."""
        self._window = (begin, end)
        self.update()

    @property
    def window_range(self) -> tuple[float, float]:
        return self._window

    def x_of(self, t: float) -> float:
        return t / self._length * self.width()

    def sizeHint(self) -> QSize:
        return QSize(400, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), color(scheme.bg))
        left, right = (self.x_of(at) for at in self._window)
        if self._trace is not None and len(self._trace.at):
            shape = self._envelope(self._trace)
            ink = scheme.traces[self._colour % len(scheme.traces)]
            painter.setPen(QPen(color(ink, 0.25), 1.5))
            painter.setBrush(color(ink, 0.25))
            for part in shape:
                painter.drawPolygon(part)
            painter.setClipRect(QRectF(left, 0, right - left, HEIGHT))
            painter.setPen(QPen(color(ink, 0.55), 1.5))
            painter.setBrush(color(ink, 0.55))
            for part in shape:
                painter.drawPolygon(part)
            painter.setClipping(False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(color(scheme.ink), 1.5))
        painter.drawRect(QRectF(left + 0.75, 0.75, max(1.5, right - left - 1.5), HEIGHT - 1.5))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color(scheme.ink))
        for x in (max(3.5, left), min(self.width() - 3.5, right)):
            painter.drawRoundedRect(QRectF(x - 3.5, HEIGHT / 2 - 10, 7, 20), 3, 3)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        left, right = (self.x_of(at) for at in self._window)
        near = min((abs(x - left), "begin"), (abs(x - right), "end"))
        inside = left < x < right
        reach = min(REACH, max(6.0, (right - left) / 3)) if inside else REACH
        if near[0] <= reach:
            self._grip = near[1]
        elif inside:
            self._grip = "body"
        else:
            self._grip = "body"
            self._shift(self._time(x) - sum(self._window) / 2)
        self._grip_from = self._time(x)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not self._grip:
            return
        at = self._time(event.position().x())
        begin, end = self._window
        least = 8 / max(1, self.width()) * self._length
        if self._grip == "begin":
            self._move(min(max(0.0, at), end - least), end)
        elif self._grip == "end":
            self._move(begin, max(min(self._length, at), begin + least))
        else:
            self._shift(at - self._grip_from)
            self._grip_from = at

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = ""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        begin, end = self._window
        span = end - begin
        match event.key():
            case Qt.Key.Key_Left:
                self._shift(-span / 10)
            case Qt.Key.Key_Right:
                self._shift(span / 10)
            case Qt.Key.Key_Up:
                self._move(begin + span / 6, end - span / 6)
            case Qt.Key.Key_Down:
                self._move(max(0.0, begin - span / 4), min(self._length, end + span / 4))
            case Qt.Key.Key_Home:
                self._move(0.0, self._length)
            case _:
                super().keyPressEvent(event)

    def _time(self, x: float) -> float:
        return x / max(1, self.width()) * self._length

    def _shift(self, by: float) -> None:
        begin, end = self._window
        by = min(max(by, -begin), self._length - end)
        self._move(begin + by, end + by)

    def _move(self, begin: float, end: float) -> None:
        if (begin, end) != self._window:
            self._window = (begin, end)
            self.update()
            self.range_changed.emit(begin, end)

    def _envelope(self, trace: ReviewTrace) -> list[QPolygonF]:
        """Closed shapes between the columns' lows and highs, one for each stretch without a break."""
        known = [index for index in range(len(trace.at)) if trace.low[index] == trace.low[index]]
        if not known:
            return []
        low = min(float(trace.low[index]) for index in known)
        high = max(float(trace.high[index]) for index in known)
        span = (high - low) or 1.0
        parts: list[list[int]] = [[known[0]]]
        for before, index in itertools.pairwise(known):
            if index == before + 1:
                parts[-1].append(index)
            else:
                parts.append([index])

        def place(index: int, value: float) -> QPointF:
            return QPointF(self.x_of(float(trace.at[index])), HEIGHT - 10 - (value - low) / span * (HEIGHT - 20))

        return [
            QPolygonF(
                [place(index, float(trace.high[index])) for index in part]
                + [place(index, float(trace.low[index])) for index in reversed(part)]
            )
            for part in parts
        ]

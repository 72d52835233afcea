"""STOP: a steady red octagon of 168 × 64 that acts on the press, not on the release."""

from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QWidget

from widgets.theme import font, tokens

StopState = Literal["ready", "asked", "held", "was_held"]

WIDTH = 168
HEIGHT = 64
CUT = 19
ROOM = 140
"""Width of the second line, between the inner octagon's edges at its foot."""
_DASHES: dict[StopState, list[float]] = {"held": [4, 3], "was_held": [1, 4]}
_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space, Qt.Key.Key_Select)


class StopButton(QAbstractButton):
    """Emits `pressed` at every press: finger, any mouse button, Space, Enter, or an assistive tool. Never disabled."""

    def __init__(self, word: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._word = word
        self._whom = ""
        self._state: StopState = "ready"
        self.setFixedSize(WIDTH, HEIGHT)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @property
    def state(self) -> StopState:
        return self._state

    @property
    def whom(self) -> str:
        """What stands under the word: whom it stops, or what became of it."""
        return self._whom

    def set_stop(self, whom: str, state: StopState, say: str) -> None:
        """`whom` under the word; `say` is the accessible name, such as "STOP chair 2"."""
        self.setAccessibleName(say)
        self.setToolTip(say)
        if (whom, state) != (self._whom, self._state):
            self._whom, self._state = whom, state
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, HEIGHT)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
        else:
            event.accept()
            self.pressed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _KEYS:
            event.accept()
            if not event.isAutoRepeat():
                self.pressed.emit()
            return
        super().keyPressEvent(event)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect())
        painter.setPen(Qt.PenStyle.NoPen)
        fill = QColor(scheme.stop)
        painter.setBrush(fill.darker(112) if self.isDown() else fill)
        painter.drawPolygon(_octagon(box, CUT))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        pen = QPen(QColor(scheme.on_stop), 3.0 if self._state == "asked" else 1.5)
        if self._state in _DASHES:
            pen.setDashPattern(_DASHES[self._state])
        painter.setPen(pen)
        painter.drawPolygon(_octagon(box.adjusted(3.5, 3.5, -3.5, -3.5), CUT - 1.5))
        painter.setPen(QColor(scheme.on_stop))
        big, small = font(24, bold=True), font(15, bold=True)
        big.setLetterSpacing(big.SpacingType.AbsoluteSpacing, 1)
        painter.setFont(big)
        painter.drawText(QRectF(0, 9, WIDTH, 29), Qt.AlignmentFlag.AlignCenter, self._word)
        painter.setFont(small)
        whom = QFontMetricsF(small).elidedText(self._whom, Qt.TextElideMode.ElideRight, ROOM)
        painter.drawText(QRectF(0, 36, WIDTH, 20), Qt.AlignmentFlag.AlignCenter, whom)
        painter.end()

    def hitButton(self, pos: object) -> bool:
        """The whole rectangle acts: nobody aims at an octagon's corner."""
        return True


def _octagon(box: QRectF, cut: float) -> QPolygonF:
    left, top, right, bottom = box.left(), box.top(), box.right(), box.bottom()
    shape = QPolygonF()
    for x, y in (
        (left + cut, top),
        (right - cut, top),
        (right, top + cut),
        (right, bottom - cut),
        (right - cut, bottom),
        (left + cut, bottom),
        (left, bottom - cut),
        (left, top + cut),
    ):
        shape.append(QRectF(x, y, 0, 0).topLeft())
    return shape

"""The nine dashes: where a procedure stands, at a glance."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.theme import tokens

_DASH = 12
_CURRENT = 24
_GAP = 4


class Stepper(QWidget):
    """Past dashes are ink, the present one is wide and *action*, later ones *line*."""

    def __init__(self, steps: int = 9, current: int = 1, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._steps = steps
        self._current = current
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_step(self, current: int, say: str = "") -> None:
        """`current` counts from 1; `say` is the accessible name ("step 7 of 9")."""
        self.setAccessibleName(say)
        if current != self._current:
            self._current = current
            self.update()

    def sizeHint(self) -> QSize:
        return QSize((self._steps - 1) * (_DASH + _GAP) + _CURRENT, 8)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        x = 0.0
        for step in range(1, self._steps + 1):
            present = step == self._current
            width, height = (_CURRENT, 6) if present else (_DASH, 4)
            colour = scheme.action if present else scheme.ink if step < self._current else scheme.line
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(QRectF(x, (self.height() - height) / 2, width, height), height / 2, height / 2)
            x += width + _GAP
        painter.end()

"""A circle to breathe with: four seconds in, six seconds out."""

import math

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.theme import color, font, tokens

IN_S, OUT_S = 4.0, 6.0
FRAME_MS = 33
SMALLEST, LARGEST = 170.0, 340.0
"""Radius of the circle at the end of a breath out and of a breath in, in a room of 888 px."""


class BreathingGuide(QWidget):
    """Grows while breathing in, shrinks while breathing out; stands still when motion is not wanted.

    The words are given, so that this knows no language.
    """

    def __init__(
        self, breathe_in: str, breathe_out: str, slowly: str, still: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._in, self._out, self._slowly, self._still = breathe_in, breathe_out, slowly, still
        self._at = 0.0
        self._motion = True
        self._timer = QTimer(self, interval=FRAME_MS)
        self._timer.timeout.connect(lambda: self.advance(FRAME_MS / 1000))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_motion(self, motion: bool) -> None:
        """Whether the circle moves; without motion only the words stay."""
        self._motion = motion
        self._run()
        self.update()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._at = (self._at + seconds) % (IN_S + OUT_S)
        self.update()

    @property
    def says(self) -> str:
        if not self._motion:
            return self._still
        return self._in if self._at < IN_S else self._out

    @property
    def breath(self) -> float:
        """How full the lungs are, 0–1."""
        if not self._motion:
            return 0.5
        phase = self._at / IN_S if self._at < IN_S else 1 - (self._at - IN_S) / OUT_S
        return (1 - math.cos(math.pi * phase)) / 2

    @property
    def moving(self) -> bool:
        return self._timer.isActive()

    def showEvent(self, event: QShowEvent) -> None:
        self._at = 0.0
        self._run()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        centre = QPointF(self.width() / 2, self.height() / 2)
        scale = min(self.width(), self.height()) / 888
        radius = (SMALLEST + self.breath * (LARGEST - SMALLEST) * 0.5) * scale
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for step, ink in ((3, color(scheme.line)), (2, color(scheme.patient, 0.35)), (1, color(scheme.patient, 0.6))):
            outer = radius + (LARGEST * scale - radius) * step / 3
            painter.setPen(QPen(ink, 1.5))
            painter.drawEllipse(centre, outer, outer)
        painter.setPen(QPen(color(scheme.patient), 3))
        painter.setBrush(color(scheme.bg))
        painter.drawEllipse(centre, radius, radius)
        room = QRectF(centre.x() - radius, centre.y() - 40, 2 * radius, 44)
        painter.setPen(color(scheme.ink))
        size = 34 if scale > 0.75 else 24
        painter.setFont(font(size, bold=True))
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, self.says)
        if self._motion:
            painter.setPen(color(scheme.muted))
            painter.setFont(font(28 if scale > 0.75 else 18))
            painter.drawText(room.translated(0, 44), Qt.AlignmentFlag.AlignCenter, self._slowly)

    def _run(self) -> None:
        if self._motion and self.isVisible():
            self._timer.start()
        else:
            self._timer.stop()

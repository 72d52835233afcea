"""The lease countdown: how long the hub goes on by itself when nobody renews it."""

import time
from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QWidget

from widgets.sentence import cell_width
from widgets.theme import font, tokens

LEASE_SECONDS = 3.0
REPAINT_MS = 50
_RING = 44
_STROKE = 5


class LeaseCell(QWidget):
    """A ring and the seconds left. It counts by the monotonic clock alone, so that it goes on when the engine is gone.

    Three looks: no lease (dotted ring, two words), counting, and over (`over` words: the hub holds by itself).
    """

    def __init__(
        self, seconds_unit: str, *, monotonic: Callable[[], float] = time.monotonic, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._unit = seconds_unit
        self._monotonic = monotonic
        self._until: float | None = None
        self._caption = ""
        self._title = ""
        self._detail = ""
        self._over = ("", "")
        self.setFixedWidth(172)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(REPAINT_MS)
        self._timer.timeout.connect(self._tick)

    def count_to(self, until: float, caption: str, over: tuple[str, str]) -> None:
        """Count down to `until` (monotonic seconds); `over` is said once it has passed."""
        self._until, self._caption, self._over = until, caption, over
        self._timer.start()
        self._tick()

    def say(self, title: str, detail: str) -> None:
        """There is no lease."""
        self._until, self._title, self._detail = None, title, detail
        self._timer.stop()
        self.setAccessibleName(f"{title}. {detail}")
        self.setFixedWidth(cell_width(title, detail, beside=68, least=172))
        self.update()

    @property
    def left(self) -> float | None:
        """Seconds left, never below 0; None without a lease."""
        return None if self._until is None else max(0.0, self._until - self._monotonic())

    @property
    def counting(self) -> bool:
        return self._timer.isActive()

    def words(self) -> tuple[str, str]:
        """What stands beside the ring now."""
        left = self.left
        if left is None:
            return self._title, self._detail
        return (f"{left:.1f}", self._caption) if left > 0 else self._over

    def _tick(self) -> None:
        left = self.left
        if not left:
            self._timer.stop()
        self.setAccessibleName(". ".join(self.words()))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(172, 80)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = self.left
        ring = QRectF(17, (self.height() - _RING) / 2, _RING, _RING).adjusted(2.5, 2.5, -2.5, -2.5)
        if not left:
            pen = QPen(QColor(scheme.control), 1.5)
            pen.setDashPattern([2, 2.4])
            painter.setPen(pen)
            painter.drawEllipse(ring.adjusted(4, 4, -4, -4))
            self._paint_words(painter)
            painter.end()
            return
        painter.setPen(QPen(QColor(scheme.line), _STROKE))
        painter.drawEllipse(ring)
        painter.setPen(QPen(QColor(scheme.action), _STROKE, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawArc(ring, 90 * 16, -round(360 * 16 * min(1.0, left / LEASE_SECONDS)))
        painter.setPen(QColor(scheme.ink))
        digits = font(34, bold=True)
        painter.setFont(digits)
        said = f"{left:.1f}"
        painter.drawText(QRectF(73, 10, 90, 44), Qt.AlignmentFlag.AlignVCenter, said)
        x = 73 + QFontMetricsF(digits).horizontalAdvance(said) + 5
        painter.setFont(font(18, bold=True))
        painter.drawText(QRectF(x, 18, 40, 36), Qt.AlignmentFlag.AlignVCenter, self._unit)
        painter.setFont(font(13))
        painter.setPen(QColor(scheme.muted))
        painter.drawText(QRectF(73, 49, self.width() - 77, 20), Qt.AlignmentFlag.AlignVCenter, self._caption)
        painter.end()

    def _paint_words(self, painter: QPainter) -> None:
        scheme = tokens()
        title, detail = self.words()
        painter.setPen(QColor(scheme.ink))
        painter.setFont(font(15, bold=True))
        painter.drawText(QRectF(60, 20, self.width() - 62, 22), Qt.AlignmentFlag.AlignVCenter, title)
        painter.setPen(QColor(scheme.muted))
        painter.setFont(font(13))
        painter.drawText(QRectF(60, 42, self.width() - 62, 20), Qt.AlignmentFlag.AlignVCenter, detail)

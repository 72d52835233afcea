"""The foot of a review: the times in view, and the flags of A and B, which are also their handles."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from widgets.theme import color, font, tokens

HEIGHT = 32


class ReviewAxis(QWidget):
    """Times at both ends and at the cursors.

    Signals:
        flag_dragged: `A` or `B`, and where to, as share 0–1 of the width.
    """

    flag_dragged = Signal(str, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ends = ("", "")
        self._flags: dict[str, tuple[float, str]] = {}
        self._dragged = ""
        self.setFixedHeight(HEIGHT)

    def show_times(self, begin: str, end: str, flags: dict[str, tuple[float, str]]) -> None:
        """`flags`: name → share of the width, text; those outside 0–1 are not shown."""
        self._ends = (begin, end)
        self._flags = flags
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(400, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        flags = self._flag_boxes()
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(font(13))
        painter.setPen(color(tokens().muted))
        room = QRectF(self.rect())
        for text, side in zip(self._ends, (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight), strict=True):
            width = QFontMetricsF(painter.font()).horizontalAdvance(text)
            box = QRectF(0 if side is Qt.AlignmentFlag.AlignLeft else room.right() - width, 0, width, HEIGHT)
            if not any(box.intersects(flag) for flag in flags.values()):
                painter.drawText(room, side | middle, text)
        painter.setFont(font(13, bold=True))
        painter.setPen(color(tokens().ink))
        for name, box in flags.items():
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._flags[name][1])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        hit = [name for name, box in self._flag_boxes().items() if box.adjusted(-6, 0, 6, 0).contains(event.position())]
        self._dragged = hit[0] if hit else ""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged:
            self.flag_dragged.emit(self._dragged, min(1.0, max(0.0, event.position().x() / max(1, self.width()))))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged = ""

    def flag_centre(self, name: str) -> QPointF | None:
        """Where a flag stands; None when it is out of view."""
        box = self._flag_boxes().get(name)
        return box.center() if box is not None else None

    def _flag_boxes(self) -> dict[str, QRectF]:
        """Flags in view, kept inside the widget and apart from one another."""
        metrics = QFontMetricsF(font(13, bold=True))
        boxes: dict[str, QRectF] = {}
        free = 0.0
        for name, (share, text) in sorted(self._flags.items(), key=lambda item: item[1][0]):
            if not 0 <= share <= 1:
                continue
            width = metrics.horizontalAdvance(text) + 4
            left = max(free, min(share * self.width() - width / 2, self.width() - width))
            boxes[name] = QRectF(left, 0, width, HEIGHT)
            free = left + width + 8
        return boxes

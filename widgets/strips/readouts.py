"""The block at the left of the strips: what each one is, and its present value."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from core.model.channel import ChannelSpec
from widgets.strips.reading import NOTHING
from widgets.theme import font, tokens

PAD = 16
LOW = 52
"""A row lower than this has label and value on one line, px."""


class Readouts(QWidget):
    """Label, value and unit of every row; repaints only the rows whose value changed."""

    def __init__(self, specs: Sequence[ChannelSpec], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._specs = list(specs)
        self._labels = [spec.key for spec in specs]
        self._values = [NOTHING for _ in specs]
        self._rows: list[QRect] = []

    @property
    def values(self) -> list[str]:
        """What is shown, from the top."""
        return list(self._values)

    def set_rows(self, rows: Sequence[QRect]) -> None:
        self._rows = [QRect(0, row.y(), self.width(), row.height()) for row in rows]
        self.update()

    def set_labels(self, labels: Sequence[str]) -> None:
        if list(labels) != self._labels:
            self._labels = list(labels)
            self.update()

    def set_values(self, values: Sequence[str]) -> None:
        for index, (old, new) in enumerate(zip(self._values, values, strict=True)):
            if old != new and index < len(self._rows):
                self.update(self._rows[index])
        self._values = list(values)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for spec, label, value, row in zip(self._specs, self._labels, self._values, self._rows, strict=False):
            if row.intersects(event.rect()):
                self._paint_row(painter, spec, label, value, row)
        painter.end()

    def _paint_row(self, painter: QPainter, spec: ChannelSpec, label: str, value: str, row: QRect) -> None:
        scheme = tokens()
        painter.fillRect(QRect(row.left(), row.bottom(), row.width(), 1), QColor(scheme.line))
        if row.height() < LOW:
            self._paint_line(painter, spec, label, value, row)
            return
        block, head, size = (72, 18, 56) if spec.pinned and row.height() >= 76 else (48, 16, 34)
        top = row.top() + max(0.0, (row.height() - block) / 2)
        painter.setFont(font(13, bold=True))
        painter.setPen(QColor(scheme.traces[spec.trace]))
        room = self.width() - PAD
        said = QFontMetricsF(painter.font()).elidedText(label, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(PAD, top, room, head), Qt.AlignmentFlag.AlignVCenter, said)
        big = font(size, bold=True)
        width = QFontMetricsF(big).horizontalAdvance(value)
        painter.setFont(big)
        painter.setPen(QColor(scheme.muted if value == NOTHING else scheme.ink))
        box = QRectF(PAD, top + head, room, block - head)
        middle = box.center().y()
        ascent = QFontMetricsF(big).capHeight()
        baseline = middle + ascent / 2
        painter.drawText(QPointF(box.left(), baseline), value)
        painter.setFont(font(15 if spec.pinned else 13))
        painter.setPen(QColor(scheme.muted))
        painter.drawText(QPointF(box.left() + width + (8 if spec.pinned else 6), baseline), spec.display_unit)

    def _paint_line(self, painter: QPainter, spec: ChannelSpec, label: str, value: str, row: QRect) -> None:
        """A low row: the label, and its value at the right; the label gives way."""
        scheme = tokens()
        middle = QRectF(PAD, row.top(), self.width() - PAD - 8, row.height())
        big, small = font(24, bold=True), font(13)
        unit = QFontMetricsF(small).horizontalAdvance(spec.display_unit)
        width = QFontMetricsF(big).horizontalAdvance(value)
        left = middle.right() - unit - (4 if unit else 0) - width
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.setFont(small)
        painter.setPen(QColor(scheme.muted))
        painter.drawText(middle, right, spec.display_unit)
        painter.setFont(big)
        painter.setPen(QColor(scheme.muted if value == NOTHING else scheme.ink))
        painter.drawText(QRectF(left, row.top(), width + 2, row.height()), Qt.AlignmentFlag.AlignVCenter, value)
        painter.setFont(font(13, bold=True))
        painter.setPen(QColor(scheme.traces[spec.trace]))
        said = QFontMetricsF(painter.font()).elidedText(label, Qt.TextElideMode.ElideRight, left - PAD - 6)
        painter.drawText(middle, Qt.AlignmentFlag.AlignVCenter, said)

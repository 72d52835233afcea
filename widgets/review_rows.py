"""The labels beside the rows of a review: name, what changed from A to B, from what to what."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from widgets.review_data import ReviewRow, row_edges
from widgets.theme import color, font, tokens

WIDTH = 118


@dataclass(frozen=True)
class RowReading:
    """What one label says, already in words: `change` with its sign, `between` the two values.

    `mark`: what sets this row apart, below its name; empty for what was measured here.
    """

    change: str
    unit: str
    between: str
    mark: str = ""


class ReviewRows(QWidget):
    """Labels of the rows, as high as the plot beside it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[ReviewRow, ...] = ()
        self._readings: tuple[RowReading, ...] = ()
        self.setFixedWidth(WIDTH)

    def show_rows(self, rows: Sequence[ReviewRow], readings: Sequence[RowReading]) -> None:
        """`readings` in the order of `rows`."""
        self._rows, self._readings = tuple(rows), tuple(readings)
        spoken = (
            f"{' '.join((row.name, said.mark)).strip()}: {said.change} {said.unit}, {said.between}"
            for row, said in zip(rows, readings, strict=True)
        )
        self.setAccessibleDescription("; ".join(spoken))
        self.update()

    @property
    def readings(self) -> dict[str, RowReading]:
        """By channel key."""
        return {row.spec.key: said for row, said in zip(self._rows, self._readings, strict=True)}

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, 62 * max(1, len(self._rows)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edges = row_edges(self._rows, self.height())
        for index, (row, said) in enumerate(zip(self._rows, self._readings, strict=True)):
            self._paint_row(painter, row, said, edges[index], edges[index + 1])
        painter.setPen(QPen(color(tokens().line), 1))
        for edge in edges:
            y = min(edge + 0.5, self.height() - 0.5)
            painter.drawLine(QPointF(0, y), QPointF(self.width(), y))

    def _paint_row(self, painter: QPainter, row: ReviewRow, said: RowReading, top: float, bottom: float) -> None:
        scheme = tokens()
        marked = 16.0 if said.mark else 0.0
        third = bottom - top >= 56 + 1.5 * marked
        heights = (17.0, 23.0, 18.0) if third else (17.0, 21.0, 0.0)
        y = top + (bottom - top - sum(heights) - marked) / 2
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        small, large = font(13, bold=True), font(18, bold=True)
        painter.setFont(small)
        painter.setPen(color(scheme.traces[row.spec.trace % len(scheme.traces)]))
        name = QFontMetricsF(small).elidedText(row.name, Qt.TextElideMode.ElideRight, self.width() - 8)
        painter.drawText(QRectF(0, y, self.width(), heights[0]), left, name)
        y += heights[0]
        if said.mark:
            painter.setFont(font(13))
            painter.setPen(color(scheme.muted))
            painter.drawText(QRectF(0, y, self.width(), marked), left, said.mark)
            y += marked
        painter.setFont(large)
        painter.setPen(color(scheme.ink))
        painter.drawText(QRectF(0, y, self.width(), heights[1]), left, said.change)
        offset = QFontMetricsF(large).horizontalAdvance(said.change) + 6
        painter.setFont(font(13))
        painter.setPen(color(scheme.muted))
        painter.drawText(QRectF(offset, y + 1, self.width() - offset, heights[1]), left, said.unit)
        if third:
            painter.drawText(QRectF(0, y + heights[1], self.width(), heights[2]), left, said.between)

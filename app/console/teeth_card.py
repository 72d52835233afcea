"""The chart of the teeth in its card, with its legend."""

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from core.model.dentition import Dentition
from core.model.people import ToothState
from core.model.words import Words
from widgets.controls import Card, Label
from widgets.odontogram import Odontogram
from widgets.theme import font, tokens

KINDS = ("done", "planned", "finding", "filling")
SWATCH = 12


class Legend(QWidget):
    """Done, planned, finding, filling: each drawn as in the chart."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._names = {kind: words.say(f"chair.teeth.{kind}") for kind in KINDS}
        self._face = font(13)
        metrics = QFontMetricsF(self._face)
        self._widths = {kind: metrics.horizontalAdvance(name) for kind, name in self._names.items()}
        self.setFixedSize(round(sum(self._widths.values()) + len(KINDS) * (SWATCH + 6) + 3 * 14) + 2, 24)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._face)
        x = 0.0
        for kind in KINDS:
            box = QRectF(x + 1, 6, SWATCH, SWATCH)
            self._paint_swatch(painter, kind, box)
            painter.setPen(QColor(scheme.muted))
            painter.drawText(round(x + SWATCH + 6), 17, self._names[kind])
            x += SWATCH + 6 + self._widths[kind] + 14
        painter.end()

    @staticmethod
    def _paint_swatch(painter: QPainter, kind: str, box: QRectF) -> None:
        scheme = tokens()
        fills = {"done": scheme.action, "filling": scheme.control}
        pens = {"planned": QPen(QColor(scheme.action), 2.4), "finding": QPen(QColor(scheme.ink), 1)}
        painter.setBrush(QColor(fills.get(kind, scheme.surface)))
        painter.setPen(pens.get(kind, QPen(QColor(fills.get(kind, scheme.ink)), 1)))
        painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 2.5, 2.5)
        if kind == "finding":
            painter.save()
            painter.setClipRect(box.adjusted(1, 1, -1, -1))
            for step in range(-8, 16, 4):
                x = box.left() + step
                painter.drawLine(QPointF(x, box.bottom()), QPointF(x + SWATCH, box.top()))
            painter.restore()


class TeethCard(Card):
    """All teeth; the one being worked on is marked."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 10, 16, 8)
        column.setSpacing(4)
        head = QHBoxLayout()
        head.addWidget(Label(words.say("chair.teeth.title"), size=18, bold=True))
        head.addStretch(1)
        head.addWidget(Legend(words))
        column.addLayout(head)
        self.chart = Odontogram("full", words)
        column.addWidget(self.chart, 1)

    def show_teeth(
        self, teeth: tuple[ToothState, ...], current: int, dentition: Dentition = Dentition.PERMANENT
    ) -> None:
        """`current`: FDI number of the tooth being worked on, 0 for none."""
        self.chart.set_dentition(dentition)
        self.chart.set_teeth(teeth)
        self.chart.set_current(current)

"""The strips folded to their values: for the steps in which nothing is live to watch."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from core.model.channel import ChannelSpec
from core.model.words import Words
from widgets.focus import OWN_FOCUS
from widgets.icon import paint_icon
from widgets.strips.reading import NOTHING
from widgets.theme import font, tokens

HEAD = 52
ROW, LOWEST = 64, 38
PAD = 16
WIDTH = 152
NOTE = 44


class Folded(QAbstractButton):
    """Label and value of each channel; a touch unfolds the strips."""

    def __init__(self, specs: Sequence[ChannelSpec], words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._specs, self._words = list(specs), words
        self._values: dict[str, str] = {}
        self._open = False
        self.setProperty(OWN_FOCUS, True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(words.say("chair.strips.unfold"))

    def set_values(self, values: Mapping[str, str]) -> None:
        """Channel key → value as it is read."""
        if dict(values) != self._values:
            self._values = dict(values)
            self.update()

    def set_open(self, unfolded: bool) -> None:
        """Whether the strips are unfolded beside it."""
        self._open = unfolded
        self.setAccessibleName(self._words.say("chair.strips.fold" if unfolded else "chair.strips.unfold"))
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focus = self.hasFocus()
        painter.setPen(QPen(QColor(scheme.ink if focus else scheme.line), 2 if focus else 1))
        painter.setBrush(QColor(scheme.bg if self.underMouse() else scheme.surface))
        half = 1.0 if focus else 0.5
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(half, half, -half, -half), 12 - half, 12 - half)
        self._paint_head(painter)
        body = self.height() - HEAD - 8
        row = max(float(LOWEST), min(ROW, (body - NOTE) / max(1, len(self._specs))))
        if row < 48:
            row = max(float(LOWEST), body / max(1, len(self._specs)))
        for place, spec in enumerate(self._specs):
            self._paint_row(painter, spec, HEAD + place * row, row)
        noted = HEAD + len(self._specs) * row + NOTE <= self.height()
        foot = QRectF(PAD, HEAD + len(self._specs) * row + 6, self.width() - 2 * PAD, 60)
        painter.setFont(font(13))
        painter.setPen(QColor(scheme.muted))
        if noted:
            painter.drawText(foot, Qt.TextFlag.TextWordWrap, self._words.say("chair.strips.folded_note"))
        painter.end()

    def _paint_head(self, painter: QPainter) -> None:
        scheme = tokens()
        painter.setFont(font(18, bold=True))
        painter.setPen(QColor(scheme.ink))
        box = QRectF(PAD, 0, self.width() - 2 * PAD, HEAD)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, self._words.say("chair.strips.title"))
        painter.save()
        painter.translate(self.width() - PAD - 10, HEAD / 2)
        painter.rotate(180 if self._open else 0)
        paint_icon(painter, "right", QRectF(-11, -11, 22, 22), scheme.ink)
        painter.restore()

    def _paint_row(self, painter: QPainter, spec: ChannelSpec, top: float, height: float) -> None:
        scheme = tokens()
        painter.fillRect(QRectF(PAD, top, self.width() - 2 * PAD, 1), QColor(scheme.line))
        room = self.width() - PAD - 6
        painter.setFont(font(13, bold=True))
        painter.setPen(QColor(scheme.traces[spec.trace]))
        name = self._words.say(f"channel.{spec.key}.name")
        name = QFontMetricsF(painter.font()).elidedText(name, Qt.TextElideMode.ElideRight, room - PAD)
        low = height < 46
        inset = (height - (36 if low else 44)) / 2
        painter.drawText(QRectF(PAD, top + inset, room, 18), Qt.AlignmentFlag.AlignVCenter, name)
        value = self._values.get(spec.key, NOTHING)
        face = font(18 if low else 24, bold=True)
        painter.setFont(face)
        painter.setPen(QColor(scheme.muted if value == NOTHING else scheme.ink))
        box = QRectF(PAD, top + inset + 16, room, 20 if low else 28)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, value)
        painter.setFont(font(13))
        painter.setPen(QColor(scheme.muted))
        unit = box.adjusted(QFontMetricsF(face).horizontalAdvance(value) + 6, 2 if low else 4, 0, 2)
        painter.drawText(unit, Qt.AlignmentFlag.AlignVCenter, spec.display_unit)

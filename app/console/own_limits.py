"""How many limits a patient set, as a badge."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from widgets.theme import color, font, tokens


class OwnLimits(QWidget):
    """How many limits the patient set, in the patient's voice; nothing when none."""

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self.setFixedHeight(28)
        self.hide()

    def set_text(self, text: str) -> None:
        self._text = text
        self.setAccessibleName(text)
        self.setFixedWidth(round(QFontMetricsF(font(13, bold=True)).horizontalAdvance(text)) + 20)
        self.setVisible(bool(text))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color(tokens().patient), 1.25))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 2, -1, -2), 6, 6)
        painter.setFont(font(13, bold=True))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)

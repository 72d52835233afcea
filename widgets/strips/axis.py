"""The time axis under the strips: seconds of the sweep, the present time at the cursor, and words at moments."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QWidget

from widgets.theme import font, tokens

GAP = 8.0


@dataclass(frozen=True, slots=True)
class AxisWord:
    """A word at x (logical pixels of the traces); `token` names its colour. The first of a list wins its place."""

    x: float
    text: str
    token: str = "muted"
    bold: bool = False


class Axis(QWidget):
    """Shows words where there is room, in the order of their importance."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._left = 0
        self._faces = {bold: font(13, bold=bold) for bold in (False, True)}
        self._metrics = {bold: QFontMetricsF(face) for bold, face in self._faces.items()}
        self._words: tuple[AxisWord, ...] = ()

    @property
    def words(self) -> tuple[AxisWord, ...]:
        return self._words

    def set_left(self, left: int) -> None:
        """Where the traces begin."""
        self._left = left
        self.update()

    def set_words(self, words: Sequence[AxisWord]) -> None:
        if tuple(words) != self._words:
            self._words = tuple(words)
            self.update()

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        taken: list[QRectF] = []
        for word in self._words:
            width = self._metrics[word.bold].horizontalAdvance(word.text)
            x = min(max(self._left + word.x - width / 2, self._left), self.width() - width - GAP)
            box = QRectF(x, 0, width + 1, self.height() - 1)
            if any(box.adjusted(-GAP, 0, GAP, 0).intersects(other) for other in taken):
                continue
            taken.append(box)
            painter.setFont(self._faces[word.bold])
            painter.setPen(QColor(getattr(scheme, word.token)))
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, word.text)
        painter.end()

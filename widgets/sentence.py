"""The state sentence: mark, state word, reason, next step; readable at two metres."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.marks import paint_state_mark
from widgets.theme import font, tokens


class SentenceCell(QWidget):
    """The bottom bar's left end. `patient` draws the state word in the patient's voice."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._said = ("unknown", "", "", "", False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumWidth(200)

    def say(self, mark: str, headline: str, reason: str, next_step: str, *, patient: bool = False) -> None:
        said = (mark, headline, reason, next_step, patient)
        if said != self._said:
            self._said = said
            self.setAccessibleName(" ".join(part for part in (headline, reason, next_step) if part))
            self.update()

    @property
    def words(self) -> tuple[str, str, str]:
        return self._said[1], self._said[2], self._said[3]

    @property
    def mark(self) -> str:
        return self._said[0]

    def sizeHint(self) -> QSize:
        return QSize(596, 80)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        mark, headline, reason, next_step, patient = self._said
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        paint_state_mark(painter, mark, QRectF(22, (self.height() - 44) / 2, 44, 44), scheme)
        big, middle, small = font(34, bold=True), font(18, bold=True), font(15)
        painter.setFont(big)
        painter.setPen(QColor(scheme.patient if patient else scheme.ink))
        painter.drawText(QRectF(85, 0, self.width() - 85, self.height()), Qt.AlignmentFlag.AlignVCenter, headline)
        x = 85 + QFontMetricsF(big).horizontalAdvance(headline) + 16
        room = self.width() - x - 12
        painter.setFont(middle)
        painter.setPen(QColor(scheme.ink))
        self._line(painter, QRectF(x, 18, room, 24), reason)
        painter.setFont(small)
        painter.setPen(QColor(scheme.muted))
        self._line(painter, QRectF(x, 42, room, 22), next_step)
        painter.end()

    @staticmethod
    def _line(painter: QPainter, box: QRectF, text: str) -> None:
        said = QFontMetricsF(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, said)


class StatusCell(QWidget):
    """An icon with two lines: jobs that run, and nothing to press."""

    def __init__(self, icon: str, width: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self._title = ""
        self._detail = ""
        self.setFixedWidth(width)

    def say(self, title: str, detail: str) -> None:
        if (title, detail) != (self._title, self._detail):
            self._title, self._detail = title, detail
            self.setAccessibleName(f"{title}. {detail}")
            self.update()

    @property
    def words(self) -> tuple[str, str]:
        return self._title, self._detail

    def paintEvent(self, _event: object) -> None:
        from widgets.icon import paint_icon

        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_icon(painter, self._icon, QRectF(16, 28, 24, 24), scheme.muted)
        painter.setFont(font(15, bold=True))
        painter.setPen(QColor(scheme.ink))
        room = self.width() - 54
        SentenceCell._line(painter, QRectF(53, 21, room, 22), self._title)
        painter.setFont(font(13))
        painter.setPen(QColor(scheme.muted))
        SentenceCell._line(painter, QRectF(53, 42, room, 20), self._detail)
        painter.end()

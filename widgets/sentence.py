"""The state sentence: mark, state word, reason, next step; readable at two metres."""

import math
from dataclasses import dataclass

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
        self._word = 34

    def set_narrow(self, narrow: bool) -> None:
        """The state word smaller, so that reason and next step have room."""
        self._word = 24 if narrow else 34
        self.update()

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
        big = font(self._word, bold=True)
        painter.setFont(big)
        painter.setPen(QColor(scheme.patient if patient else scheme.ink))
        painter.drawText(QRectF(85, 0, self.width() - 85, self.height()), Qt.AlignmentFlag.AlignVCenter, headline)
        x = 85 + QFontMetricsF(big).horizontalAdvance(headline) + 16
        room = self.width() - x - 12
        fit = fitting(reason, next_step, room)
        top = (self.height() - fit.height) / 2
        for text, size, lines, colour in (
            (reason, fit.reason, fit.reason_lines, scheme.ink),
            (next_step, fit.step, fit.step_lines, scheme.muted),
        ):
            painter.setFont(font(size, bold=colour == scheme.ink))
            painter.setPen(QColor(colour))
            box = QRectF(x, top, room, lines * LINE[size])
            if fit.whole:
                painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap, text)
            else:
                paint_line(painter, box, text)
            top = box.bottom()
        painter.end()

    def fits(self) -> bool:
        """Whether everything said is shown whole."""
        _, headline, reason, next_step, _ = self._said
        x = 85 + QFontMetricsF(font(self._word, bold=True)).horizontalAdvance(headline) + 16
        return fitting(reason, next_step, self.width() - x - 12).whole


LINE = {18: 24, 15: 20, 13: 17}
"""Height of a line of each size, px."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Sizes and numbers of lines of reason and next step. `whole`: nothing had to be cut."""

    reason: int
    reason_lines: int
    step: int
    step_lines: int
    whole: bool = True

    @property
    def height(self) -> int:
        return LINE[self.reason] * self.reason_lines + LINE[self.step] * self.step_lines


FITS = (
    Fit(18, 1, 15, 1),
    Fit(18, 1, 15, 2),
    Fit(15, 2, 15, 1),
    Fit(15, 2, 13, 2),
    Fit(13, 2, 13, 2),
    Fit(13, 3, 13, 1),
)
"""Tried in this order; all fit a bar of 80 px."""


def fitting(reason: str, next_step: str, room: float) -> Fit:
    """The first way in which both texts fit `room` px of width."""
    for fit in FITS:
        if _lines(reason, fit.reason, True, room) <= fit.reason_lines and (
            _lines(next_step, fit.step, False, room) <= fit.step_lines
        ):
            return fit
    return Fit(15, 1, 13, 1, whole=False)


def _lines(text: str, size: int, bold: bool, room: float) -> int:
    """Lines that a text takes, wrapped between words; more than any way has when a word alone is too wide."""
    metrics = QFontMetricsF(font(size, bold=bold))
    box = metrics.boundingRect(QRectF(0, 0, max(1.0, room), 1000), Qt.TextFlag.TextWordWrap, text)
    return round(box.height() / metrics.lineSpacing()) if box.width() <= room + 0.5 else 99


def paint_line(painter: QPainter, box: QRectF, text: str) -> None:
    """One line, cut with an ellipsis where it is longer than the box."""
    said = QFontMetricsF(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, said)


def cell_width(title: str, detail: str, *, beside: int, least: int) -> int:
    """The width that a cell of two lines needs, in steps of 12 px so that counting digits do not move it.

    Args:
        beside: what stands left and right of the words, px.
    """
    wanted = max(
        QFontMetricsF(font(15, bold=True)).horizontalAdvance(title), QFontMetricsF(font(13)).horizontalAdvance(detail)
    )
    return max(least, 12 * math.ceil((wanted + beside) / 12))


class StatusCell(QWidget):
    """An icon with two lines: jobs that run, and nothing to press. Narrow, the icon alone."""

    def __init__(self, icon: str, width: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self._title = ""
        self._detail = ""
        self._least = width
        self._narrow = False
        self.setFixedWidth(width)

    def set_narrow(self, narrow: bool) -> None:
        """The icon alone; what it says is its tip and its accessible name."""
        self._narrow = narrow
        self._size()

    def say(self, title: str, detail: str) -> None:
        if (title, detail) != (self._title, self._detail):
            self._title, self._detail = title, detail
            self.setAccessibleName(f"{title}. {detail}")
            self.setToolTip(f"{title}. {detail}")
            self._size()

    def _size(self) -> None:
        wanted = cell_width(self._title, self._detail, beside=68, least=self._least)
        self.setFixedWidth(56 if self._narrow else wanted)
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
        if self._narrow:
            painter.end()
            return
        painter.setFont(font(15, bold=True))
        painter.setPen(QColor(scheme.ink))
        room = self.width() - 54
        paint_line(painter, QRectF(53, 21, room, 22), self._title)
        painter.setFont(font(13))
        painter.setPen(QColor(scheme.muted))
        paint_line(painter, QRectF(53, 42, room, 20), self._detail)
        painter.end()

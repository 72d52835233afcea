"""The head of the strips card: what it is, whose limits are drawn, Freeze and Mark."""

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from core.model.limits import LimitOwner
from core.model.words import Words
from widgets.focus import OWN_FOCUS
from widgets.icon import paint_icon
from widgets.marks import paint_owner_mark
from widgets.theme import font, tokens

CELL = 118


class HeaderCell(QAbstractButton):
    """A button that fills the head's height, with a hairline at its left."""

    def __init__(self, text: str, icon: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._icon = icon
        self.setText(text)
        self.setAccessibleName(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setProperty(OWN_FOCUS, True)

    def say(self, text: str, icon: str) -> None:
        self._icon = icon
        self.setText(text)
        self.setAccessibleName(text)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(CELL, 63)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        if self.isChecked() or self.isDown() or self.underMouse():
            inside = self.rect().adjusted(1, 0, 0, 0)
            painter.fillRect(inside, QColor(scheme.sunken if self.isChecked() or self.isDown() else scheme.bg))
        painter.fillRect(QRect(0, 0, 1, self.height()), QColor(scheme.line))
        if self.hasFocus():
            painter.setPen(QPen(QColor(scheme.ink), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(5, 4, -4, -4), 6, 6)
        bold = font(15, bold=True)
        width = QFontMetricsF(bold).horizontalAdvance(self.text())
        left = (self.width() - width - 30) / 2
        paint_icon(painter, self._icon, QRectF(left, self.height() / 2 - 11, 22, 22), scheme.ink)
        painter.setFont(bold)
        painter.setPen(QColor(scheme.ink))
        painter.drawText(QRectF(left + 30, 0, width + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, self.text())
        painter.end()


class Header(QWidget):
    """Title, legend of limit owners (or what is frozen), and the two cells.

    Signals:
        freeze_toggled: True to freeze.
        mark_clicked: a marker is wanted.
    """

    freeze_toggled = Signal(bool)
    mark_clicked = Signal()

    def __init__(self, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._owner = words.say("chair.strips.patient")
        self._note = ""
        self.freeze = HeaderCell(words.say("chair.strips.freeze"), "freeze", self)
        self.freeze.setCheckable(True)
        self.freeze.clicked.connect(self.freeze_toggled)
        self.mark = HeaderCell(words.say("chair.strips.mark"), "flag", self)
        self.mark.clicked.connect(self.mark_clicked)

    def set_patient(self, name: str) -> None:
        """The name by which the patient's own limits are marked."""
        self._owner = name or self._words.say("chair.strips.patient")
        self.update()

    def set_frozen(self, note: str) -> None:
        """`note` says what stands still; empty: nothing does."""
        if note == self._note:
            return
        self._note = note
        self.freeze.setChecked(bool(note))
        key, icon = ("live", "play") if note else ("freeze", "freeze")
        self.freeze.say(self._words.say(f"chair.strips.{key}"), icon)
        self.update()

    @property
    def note(self) -> str:
        return self._note

    def resizeEvent(self, _event: object) -> None:
        self.mark.setGeometry(self.width() - CELL, 0, CELL, self.height())
        self.freeze.setGeometry(self.width() - 2 * CELL, 0, CELL, self.height())

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.fillRect(QRect(0, self.height() - 1, self.width(), 1), QColor(scheme.line))
        title = font(24, bold=True)
        painter.setFont(title)
        painter.setPen(QColor(scheme.ink))
        said = self._words.say("chair.strips.frozen" if self._note else "chair.strips.title")
        width = QFontMetricsF(title).horizontalAdvance(said)
        painter.drawText(QRectF(16, 0, width + 4, self.height()), Qt.AlignmentFlag.AlignVCenter, said)
        if self._note:
            self._paint_note(painter, 16 + width + 16)
        else:
            self._paint_legend(painter, 16 + width + 20)
        painter.end()

    def _paint_note(self, painter: QPainter, x: float) -> None:
        painter.setFont(font(13))
        painter.setPen(QColor(tokens().muted))
        box = QRectF(x, 4, self.width() - 2 * CELL - x - 8, self.height() - 8)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap, self._note)

    def _paint_legend(self, painter: QPainter, x: float) -> None:
        scheme = tokens()
        middle = self.height() / 2
        for owner in LimitOwner:
            own = owner is LimitOwner.PATIENT
            text = self._owner if own else self._words.say(f"chair.strips.owner.{owner.value}")
            face = font(13, bold=own)
            width = QFontMetricsF(face).horizontalAdvance(text)
            if x + 16 + width > self.width() - 2 * CELL - 8:
                return
            colour = scheme.patient if own else scheme.muted
            paint_owner_mark(painter, owner, QPointF(x + 5, middle), 10, colour)
            painter.setFont(face)
            painter.setPen(QColor(colour))
            painter.drawText(QRectF(x + 16, 0, width + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
            x += 16 + width + 17

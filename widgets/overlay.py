"""The one overlay level: child frames above the page, never windows, so that STOP stays free and keeps its keys."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QApplication, QFrame, QWidget

from widgets.theme import RADIUS_CARD, color, tokens


class Panel(QFrame):
    """A surface with a 1.5 px ink border. Escape closes it; `closed` is told, and `opener` gets the focus back."""

    closed = Signal()

    def __init__(self, parent: QWidget, opener: QWidget | None = None) -> None:
        super().__init__(parent)
        self._opener = opener
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    def close_panel(self) -> None:
        if not self.isHidden():
            inside = QApplication.focusWidget()
            if self._opener is not None and inside is not None and self.isAncestorOf(inside):
                self._opener.setFocus()
            self.hide()
            self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_panel()
            event.accept()
            return
        super().keyPressEvent(event)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(scheme.ink), 1.5))
        painter.setBrush(QColor(scheme.surface))
        box = QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75)
        painter.drawRoundedRect(box, RADIUS_CARD, RADIUS_CARD)
        painter.end()


class Veil(QFrame):
    """Covers what lies behind it: wholly for the lock, thinly for a question. It takes every click that hits it."""

    def __init__(self, parent: QWidget, *, see_through: bool = False) -> None:
        super().__init__(parent)
        self._alpha = 0.6 if see_through else 1.0
        self.hide()

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), color(tokens().bg, self._alpha))
        painter.end()

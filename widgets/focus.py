"""The keyboard focus: a ring of 2 px ink, 2 px outside whatever has it."""

import shiboken6
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QWidget

from widgets.theme import RADIUS_CONTROL, tokens

OWN_FOCUS = "ownFocus"
"""Property of widgets that draw their focus themselves."""

_REACH = 4


_KEYS = QEvent.Type.KeyPress
_TOUCHES = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick, QEvent.Type.TouchBegin)


class FocusFollower(QObject):
    """Puts a ring round whatever has the focus. For the keyboard only: a finger sees what it touched.

    Which of the two somebody uses is what the window heard last: the focus also moves by itself, when a button that was
    pressed closes, and that must put no ring round what nobody chose.
    """

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._ring: _Ring | None = None
        self._by_keys = False
        app.focusChanged.connect(self._moved)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Every window's own events, before its widgets get them."""
        if event.type() == _KEYS:
            self._by_keys = True
        elif event.type() in _TOUCHES:
            self._by_keys = False
        return False

    def _moved(self, _old: QWidget | None, new: QWidget | None) -> None:
        handle = new.window().windowHandle() if new is not None else None
        if handle is not None:
            handle.installEventFilter(self)  # again and again is once
        if self._ring is not None and shiboken6.isValid(self._ring):
            self._ring.hide()
            self._ring.deleteLater()
        self._ring = None
        if new is None or new.parentWidget() is None or new.property(OWN_FOCUS) or isinstance(new, QAbstractScrollArea):
            return
        if self._by_keys:
            self._ring = _Ring(new)


def paint_inner_focus(painter: QPainter, box: QRectF) -> None:
    """The same ring for what fills its bar to the edge and leaves no room outside. `box` is its outer edge."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(tokens().ink), 2))
    painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), RADIUS_CONTROL, RADIUS_CONTROL)


class _Ring(QWidget):
    """A child of the nearest ancestor of its target that has room for it, so that it dies with the target's page."""

    def __init__(self, target: QWidget) -> None:
        super().__init__(_with_room(target))
        self._target = target
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        target.installEventFilter(self)
        self._follow()

    def _follow(self) -> None:
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(_reach(self._target, parent))
        self.setVisible(not self._target.isHidden())
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        follow = (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide)
        if event.type() in follow and watched is self._target:
            self._follow()
        return False

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(tokens().ink), 2))
        radius = RADIUS_CONTROL + 3
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), radius, radius)
        painter.end()


def _reach(target: QWidget, ancestor: QWidget) -> QRect:
    """Where the ring lies in `ancestor`."""
    box = QRect(target.mapTo(ancestor, QPoint(0, 0)), target.size())
    return box.adjusted(-_REACH, -_REACH, _REACH, _REACH)


def _with_room(target: QWidget) -> QWidget | None:
    """Not beyond what is scrolled: the ring must move with it."""
    ancestor = target.parentWidget()
    while ancestor is not None and not ancestor.rect().contains(_reach(target, ancestor)):
        outer = ancestor.parentWidget()
        if outer is None or ancestor.isWindow() or isinstance(outer.parentWidget(), QAbstractScrollArea):
            break
        ancestor = outer
    return ancestor

"""What a patient beside the screen must not read stays short until somebody means it, and goes again by itself."""

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QWidget

_BY_KEY = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
HOVER_MS = 600
SHOWN_MS = 5000


class Reveal(QObject):
    """Watches a widget: a pointer that rests on it, the keyboard's focus or `touch` reveals, for five seconds.

    Attributes:
        shown: whether the whole may be seen now.

    Signals:
        changed: `shown` is another.
    """

    changed = Signal()

    def __init__(self, watched: QWidget, *, discreet: bool, by_press: bool = False) -> None:
        """`by_press`: a press on the widget reveals; where a press means something, its owner calls `touch`."""
        super().__init__(watched)
        self._by_press = by_press
        self.discreet = discreet
        self.shown = not discreet
        self._resting = QTimer(self, singleShot=True, interval=HOVER_MS)
        self._resting.timeout.connect(self.touch)
        self._over = QTimer(self, singleShot=True, interval=SHOWN_MS)
        self._over.timeout.connect(self.hide)
        watched.installEventFilter(self)

    def set_discreet(self, discreet: bool) -> None:
        self.discreet = discreet
        self.shown = not discreet
        self.changed.emit()

    def touch(self) -> bool:
        """Reveal. False when it was shown already: then a press means what it says."""
        if not self.discreet:
            return False
        fresh = not self.shown
        self._over.start()
        if fresh:
            self.shown = True
            self.changed.emit()
        return fresh

    def hide(self) -> None:
        self._resting.stop()
        self._over.stop()
        if self.discreet and self.shown:
            self.shown = False
            self.changed.emit()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        match event.type():
            case QEvent.Type.Enter:
                self._resting.start()
            case QEvent.Type.FocusIn if isinstance(event, QFocusEvent) and event.reason() in _BY_KEY:
                self.touch()
            case QEvent.Type.MouseButtonPress if self._by_press:
                self.touch()
            case QEvent.Type.Leave | QEvent.Type.FocusOut | QEvent.Type.Hide:
                self.hide()
            case _:
                pass
        return False

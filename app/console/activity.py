"""Tells the engine that somebody is there: it locks when nobody has been for long."""

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

from app.console.store import Store
from app.ipc.access_messages import Active

EVERY_S = 5.0
_TOUCHES = (QEvent.Type.MouseButtonPress, QEvent.Type.KeyPress, QEvent.Type.TouchBegin, QEvent.Type.Wheel)
"""A pointer that moves is no person: tables are knocked."""


class Activity(QObject):
    """Listens to one window, so that a patient who touches their own screen keeps nobody logged in."""

    def __init__(self, store: Store, window: QWidget) -> None:
        super().__init__(window)
        self._store = store
        self._window = window
        self._said = float("-inf")
        app = QApplication.instance()
        if app is not None:
            app.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _TOUCHES and isinstance(watched, QWidget) and watched.window() is self._window:
            now = self._store.monotonic()
            station = self._store.workstation
            if station is not None and station.operator is not None and now - self._said >= EVERY_S:
                self._said = now
                self._store.ask(Active(), lambda _reply: None)
        return False

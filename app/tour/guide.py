"""Drives the real console as a person would: waits, clicks, types, looks.

Clicks and keys go to the window, not to a widget: what is covered, closed or without the focus does not get them.
"""

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence, QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QScrollArea, QWidget

from app.console.store import Store
from app.console.window import MainWindow
from app.ipc.messages import Chair
from core.model.errors import SmilescapeError
from core.model.procedure import ProcedureView
from widgets.theme import tokens

PATIENCE_S = 45.0
SETTLE_MS = 180


class TourFailed(SmilescapeError):  # noqa: N818
    """A step of the tour did not come about."""

    code = "tour.failed"


class Guide:
    """Eyes and hands in front of one window.

    Attributes:
        pictures: names of the pictures taken so far.
    """

    def __init__(self, app: QApplication, window: MainWindow, store: Store, out: Path) -> None:
        self.app = app
        self.window = window
        self.store = store
        self.pictures: list[str] = []
        self._out = out

    # what is seen

    def chair(self, number: int = 1) -> Chair:
        found = self.store.chair(number)
        if found is None:
            raise TourFailed(f"Chair {number} is not there.")
        return found

    def view(self, number: int = 1) -> ProcedureView:
        view = self.chair(number).procedure
        if view is None:
            raise TourFailed(f"No visit is open on chair {number}.")
        return view

    def until(self, what: str, holds: Callable[[], object], seconds: float = PATIENCE_S) -> float:
        """Live on until `holds`; returns the seconds it took.

        Raises:
            TourFailed: it did not come about in time; `what` names it.
        """
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            try:
                if holds():
                    return time.monotonic() - began
            except TourFailed:
                pass
            QTest.qWait(10)
        raise TourFailed(f"Waited {seconds:.0f} s in vain: {what}.")

    def rest(self, seconds: float) -> None:
        """Let the screens live for a while, so that there is something to see."""
        QTest.qWait(round(seconds * 1000))

    # what is done

    def button(self, name: str, within: QWidget | None = None) -> QAbstractButton | None:
        """The visible, open button of this object name."""
        for found in (within or self.window).findChildren(QAbstractButton, name):
            if found.isVisible() and found.isEnabled():
                return found
        return None

    def press(self, name: str, within: QWidget | None = None) -> None:
        """Click a button once it is there and open."""
        self.until(f"the button {name} opens", lambda: self.button(name, within))
        found = self.button(name, within)
        assert found is not None
        self.click(found)

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """Press and release at the middle of a widget, or at a point of it.

        Raises:
            TourFailed: something else lies there.
        """
        for area in self._scrolled(widget):
            area.ensureWidgetVisible(widget)
        where = widget.mapTo(widget.window(), at or widget.rect().center())
        hit = widget.window().childAt(where)
        if hit is not None and hit is not widget and not widget.isAncestorOf(hit):
            raise TourFailed(f"{widget.objectName() or widget.accessibleName()} is covered by {type(hit).__name__}.")
        QTest.mouseClick(self._handle(widget), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, where)

    def keys(self, sequence: str) -> None:
        """One shortcut or key, for whatever has the focus."""
        QTest.keySequence(self._handle(self.window), QKeySequence(sequence))

    def type(self, widget: QWidget, text: str) -> None:
        """Click into a field and type."""
        self.click(widget)
        for letter in text:
            QTest.keyClick(self._handle(widget), ord(letter))

    def _handle(self, widget: QWidget) -> QWindow:
        """The window of a widget, in front as any window is that somebody uses."""
        window = widget.window()
        handle = window.windowHandle()
        if handle is None:
            raise TourFailed("The window is not there.")
        if not window.isActiveWindow():
            window.activateWindow()
            self.until("the window comes to the front", window.isActiveWindow, 5)
        return handle

    @staticmethod
    def _scrolled(widget: QWidget) -> list[QScrollArea]:
        """What a widget may have to be scrolled into view in, the innermost first."""
        found = []
        parent = widget.parentWidget()
        while parent is not None:
            if isinstance(parent, QScrollArea):
                found.append(parent)
            parent = parent.parentWidget()
        return found

    # what is kept

    def picture(self, name: str, **others: QWidget) -> None:
        """One PNG of the window in light and one in dark, and of other windows that show the same moment.

        The colours are changed once for all of them, and stay as they were changed: the story goes on in either.
        """
        first = "dark" if tokens().dark else "light"
        for mode in (first, "light" if first == "dark" else "dark"):
            if mode != first:
                self.window.set_mode(mode)
                QTest.qWait(SETTLE_MS)
            for shot, shown in {name: self.window, **others}.items():
                file = f"{shot.replace('_', '-')}-{mode}.png"
                if not shown.grab().save(str(self._out / file)):
                    raise TourFailed(f"{self._out / file} cannot be written.", "Choose another folder.")
                self.pictures.append(file)

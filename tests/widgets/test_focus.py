"""The ring shows the keyboard where it is, and nobody else."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from widgets import theme
from widgets.controls import Button
from widgets.focus import _Ring


class Two(QWidget):
    """Two buttons with room round them."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 20)
        self.first, self.second = Button("First"), Button("Second")
        column.addWidget(self.first)
        column.addWidget(self.second)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def rings(self) -> list[_Ring]:
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        return [ring for ring in self.findChildren(_Ring) if ring.isVisible()]

    def press_key(self, key: Qt.Key) -> None:
        """As a keyboard does: at the window, which finds whom it is for."""
        handle = self.windowHandle()
        assert handle is not None
        QTest.keyClick(handle, key)

    def touch(self, button: Button) -> None:
        handle = self.windowHandle()
        assert handle is not None
        QTest.mouseClick(handle, Qt.MouseButton.LeftButton, pos=button.geometry().center())


@pytest.fixture
def window(qapp: QApplication, qtbot: QtBot) -> Iterator[Two]:
    theme.apply(qapp, "light")
    made = Two()
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    made.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is made)
    yield made
    made.close()
    made.deleteLater()


def test_tab_puts_a_ring_round_what_it_reaches(window: Two) -> None:
    window.press_key(Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is window.first
    (ring,) = window.rings()
    assert ring.geometry() == window.first.geometry().adjusted(-4, -4, 4, 4)
    window.press_key(Qt.Key.Key_Tab)
    (ring,) = window.rings()
    assert ring.geometry() == window.second.geometry().adjusted(-4, -4, 4, 4)


def test_a_touch_puts_no_ring(window: Two) -> None:
    window.touch(window.first)
    assert QApplication.focusWidget() is window.first
    assert window.rings() == []


def test_what_a_touch_closes_passes_the_focus_on_without_a_ring(window: Two) -> None:
    window.first.clicked.connect(window.first.hide)
    window.touch(window.first)
    assert QApplication.focusWidget() is window.second
    assert window.rings() == []


def test_what_a_key_closes_passes_the_ring_on(window: Two) -> None:
    window.first.clicked.connect(window.first.hide)
    window.press_key(Qt.Key.Key_Tab)
    window.press_key(Qt.Key.Key_Space)
    assert QApplication.focusWidget() is window.second
    assert len(window.rings()) == 1


def test_a_touch_after_the_keyboard_and_the_keyboard_after_a_touch(window: Two) -> None:
    window.press_key(Qt.Key.Key_Tab)
    window.touch(window.second)
    assert window.rings() == []
    window.press_key(Qt.Key.Key_Backtab)
    assert len(window.rings()) == 1

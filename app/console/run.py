"""The console's life: from the first window to the last signal."""

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from app.console.bridge import EngineBridge
from app.console.demo_panel import Demo
from app.console.page import Page
from app.console.store import Store
from app.console.window import MainWindow, PageMaker
from core.model.traces import install, log_plainly
from core.model.words import Words, load_words
from widgets import theme

if TYPE_CHECKING:
    from app.console.patient_screen import PatientScreen


def run_console(
    runtime: Path,
    *,
    restart_engine: Callable[[], None] | None = None,
    demo: Demo | None = None,
    mode: theme.Mode = "light",
    language: str = "en",
    on_quit: Callable[[bool], None] | None = None,
    end_engine: bool = True,
) -> int:
    """Show the console until it is closed; returns the exit code.

    Args:
        runtime: the engine's runtime folder.
        restart_engine: starts a dead engine; called in a thread, may wait. None: the console only waits.
        demo: who plays the simulated clinic; None hides its strip.
        on_quit: called once when the window has closed, with whether running therapy was held for it.
        end_engine: whether the engine ends with the window.
    """
    install()
    log_plainly(logging.StreamHandler(), logging.WARNING)
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    app.setQuitOnLastWindowClosed(False)
    theme.apply(app, mode)
    words = load_words(language)
    bridge = EngineBridge(runtime, restart_engine)
    store = Store(bridge)
    store.set_link(False, restarting=restart_engine is not None)
    window = MainWindow(store, words, demo=demo, makers=page_makers())
    screen = PatientScreens(store, words)
    window.patient_screen_wanted.connect(screen.show)
    held = False

    def agreed(therapy_held: bool) -> None:
        nonlocal held
        held = therapy_held
        app.quit()

    window.close_agreed.connect(agreed)
    fit_to_screen(window)
    window.show()
    QTimer.singleShot(0, _import_plots)
    with _signals(window.close_now):
        bridge.start(store)
        code = app.exec()
    if end_engine:
        bridge.shut_down_engine(hold_confirmed=True)
    bridge.close()
    screen.close()
    destroy(app, window)
    if on_quit is not None:
        on_quit(held)
    return code


def fit_to_screen(window: QWidget) -> None:
    """No larger than the screen has room, and wholly on it: STOP stands in the window's last corner."""
    room = window.screen().availableGeometry()
    window.resize(window.size().boundedTo(room.size()))
    if not room.contains(window.frameGeometry()):
        window.move(room.topLeft())


def page_makers() -> dict[str, PageMaker]:
    """The pages that are rooms of their own; imported when first opened."""
    return {"chair": _chair_page, "patients": _patients_page}


def _chair_page(store: Store, words: Words) -> Page:
    from app.console.chair_page import ChairPage

    return ChairPage(store, words)


def _patients_page(store: Store, words: Words) -> Page:
    from app.console.patients_page import PatientsPage

    return PatientsPage(store, words)


def _import_plots() -> None:
    """pyqtgraph costs 300 ms: after the first picture, before the first plot."""
    import pyqtgraph  # noqa: F401


class PatientScreens:
    """The patient's own window, made when it is first wanted; on the second screen where there is one."""

    def __init__(self, store: Store, words: Words) -> None:
        self._store = store
        self._words = words
        self._window: PatientScreen | None = None

    @property
    def window(self) -> "PatientScreen | None":
        """The window, None before it was first wanted."""
        return self._window

    def show(self, wanted: bool) -> None:
        if not wanted:
            if self._window is not None:
                self._window.hide()
            return
        if self._window is None:
            from app.console.patient_screen import PatientScreen

            self._window = PatientScreen(self._store, self._words)
        others = QGuiApplication.screens()[1:]
        if others:
            self._window.setGeometry(others[0].geometry())
            self._window.showFullScreen()
        else:
            self._window.show()

    def close(self) -> None:
        if self._window is not None:
            self._window.close()
            self._window.deleteLater()
            self._window = None


def destroy(app: QApplication, window: QWidget) -> None:
    """Delete the window before the interpreter ends: pyqtgraph crashes otherwise."""
    window.close()
    window.deleteLater()
    app.sendPostedEvents(window, QEvent.Type.DeferredDelete)


@contextmanager
def _signals(close: Callable[[], None]) -> Iterator[None]:
    """SIGINT and SIGTERM close the window, without a question. The ring's timer lets Python hear of them."""

    def heard(_number: int, _frame: FrameType | None) -> None:
        QTimer.singleShot(0, close)

    numbers = [signal.SIGINT, signal.SIGTERM]
    before = {number: signal.signal(number, heard) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

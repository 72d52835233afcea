"""Every page and every step with the keyboard alone: Tab reaches what can be pressed, and one sees where one is."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.console.rail import PLACES
from app.console.run import page_makers
from app.console.store import Store
from app.console.window import MainWindow
from core.model.procedure import CheckItem, PhaseState, Step
from core.model.words import Words
from core.procedure.modules import load_modules
from core.procedure.plan import default_plan, make_phases
from widgets.focus import OWN_FOCUS, _Ring

Sample = Any
MOST = 120


class Strays(QObject):
    """Sees every window that appears beside the one: a widget shown before it has a place is one, for a blink."""

    def __init__(self) -> None:
        super().__init__()
        self.own: QWidget | None = None
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        shown = event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow()
        if shown and watched is not self.own:
            self.seen.append(type(watched).__name__)
        return False


@pytest.fixture
def strays(qapp: QApplication) -> Iterator[Strays]:
    watching = Strays()
    qapp.installEventFilter(watching)
    yield watching
    qapp.removeEventFilter(watching)
    assert watching.seen == [], "these would take the focus from the window"


@pytest.fixture
def window(store: Store, words: Words, sample: Sample, qtbot: QtBot, strays: Strays) -> Iterator[MainWindow]:
    store.apply(sample.workstation())
    for number, state in enumerate(("idle", "treating", "held", "unknown"), 1):
        store.apply(sample.chair(number, state))
    made = strays.own = MainWindow(store, words, makers=page_makers())
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    yield made
    made._closing = True
    made.close()
    made.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def tab(window: MainWindow) -> QWidget | None:
    handle = window.windowHandle()
    assert handle is not None
    QTest.keyClick(handle, Qt.Key.Key_Tab)
    return QApplication.focusWidget()


def rings(window: MainWindow) -> list[_Ring]:
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return [ring for ring in window.findChildren(_Ring) if ring.isVisible()]


def pressable(window: MainWindow) -> set[QWidget]:
    """What can be pressed or filled in now."""
    controls: list[QWidget] = [*window.findChildren(QAbstractButton), *window.findChildren(QLineEdit)]
    return {one for one in controls if one.isVisible() and one.isEnabled()}


def left_out(window: MainWindow, reached: set[QWidget]) -> list[str]:
    """What cannot be reached. One button of a group is enough: the arrows lead to the others."""
    groups = {one.group() for one in reached if isinstance(one, QAbstractButton) and one.group() is not None}
    missed = pressable(window) - reached
    alone = [one for one in missed if not (isinstance(one, QAbstractButton) and one.group() in groups)]
    return sorted(one.accessibleName() or type(one).__name__ for one in alone)


def walk(window: MainWindow) -> set[QWidget]:
    """Everything that Tab reaches, each seen to have the focus."""
    reached: set[QWidget] = set()
    for _ in range(MOST):
        focused = tab(window)
        assert focused is not None
        if focused in reached:
            break
        reached.add(focused)
        if not focused.property(OWN_FOCUS) and isinstance(focused, QAbstractButton | QLineEdit):
            assert len(rings(window)) == 1, focused.accessibleName()
    return reached


@pytest.mark.parametrize("place", [key for key, _ in PLACES])
def test_tab_reaches_everything_on_every_page(window: MainWindow, place: str) -> None:
    window.show_page(place)
    QApplication.processEvents()
    assert left_out(window, walk(window)) == []


@pytest.mark.parametrize("step", [None, *Step, "held"])
def test_tab_reaches_everything_in_every_step(window: MainWindow, sample: Sample, step: Step | str | None) -> None:
    modules = load_modules()
    plan = default_plan(modules, sample.teeth())
    phases = tuple(
        msgspec.structs.replace(phase, state=PhaseState.HELD if step == "held" else PhaseState.RUNNING)
        if phase.number == 2
        else phase
        for phase in make_phases(modules, plan, simulated=False)
    )
    checks = tuple(CheckItem(key=key, passed=None, by_hand=True) for key in ("comfortable", "teeth", "eyes"))
    changes: dict[str, object] = {"plan": plan, "revision": 9, "preflight": checks, "recovery": checks, "phases": ()}
    if step in (Step.TREAT, "held"):
        changes |= {"phases": phases, "current_phase": 2}
    if step == "held":
        changes["hold"] = sample.hold()
    view = None if step is None else sample.procedure(2, Step.TREAT if step == "held" else step, **changes)
    window.store.apply(sample.chair(2, "idle" if step is None else "treating", procedure=view))
    window.open_chair(2)
    page: Any = window.page
    page.make_strips()
    QApplication.processEvents()
    assert page.panel is not None
    assert left_out(window, walk(window)) == []


def test_the_arrows_lead_through_the_answers_of_a_question(window: MainWindow, sample: Sample) -> None:
    window.store.apply(sample.chair(2, "planning", procedure=sample.procedure(2, Step.LISTEN, revision=9)))
    window.open_chair(2)
    page: Any = window.page
    QApplication.processEvents()
    first = page.panel.choices["mdas1", 1]
    first.setFocus()
    handle = window.windowHandle()
    assert handle is not None
    QTest.keyClick(handle, Qt.Key.Key_Right)
    assert QApplication.focusWidget() is page.panel.choices["mdas1", 2]
    assert len(rings(window)) == 1

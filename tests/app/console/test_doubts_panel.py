"""Hubs that are not trusted, on Safety: found, understood and lifted by hand or by key, in the real window."""

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.console.doubts_panel import DoubtRow
from app.console.safety_page import SafetyPage
from app.console.store import Store
from app.console.window import MainWindow
from app.ipc.doubt_messages import LiftDoubt
from app.ipc.messages import ListLog, LogPage, Refused
from core.model.hub_doubt import LASTING, HubDoubt
from core.model.procedure import Doubt
from core.model.words import Text, Words
from tests.app.console.conftest import NOW_US

DOSE = HubDoubt(serial="SM-4402", doubt=Doubt.DOSE, where="swarm_energy", chair=2, found_us=NOW_US)
REPEATED = HubDoubt(serial="SM-4401", doubt=Doubt.REPEATED, where="jaw_emg", chair=1, found_us=NOW_US - 60_000_000)
Sample = Any
Backend = Any


@pytest.fixture
def window(store: Store, words: Words, sample: Sample, backend: Backend, qtbot: QtBot) -> Iterator[MainWindow]:
    backend.answers[ListLog] = LogPage(entries=(), more=False)
    for number in range(1, 5):
        store.apply(sample.chair(number, "idle"))
    store.apply(sample.workstation(doubts=(DOSE, REPEATED)))
    made = MainWindow(store, words)
    made.resize(1280, 800)
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    made.show_page("safety")
    QApplication.processEvents()
    yield made
    made.close_now()
    made.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def page_of(window: MainWindow) -> SafetyPage:
    page = window.page
    assert isinstance(page, SafetyPage)
    return page


def row_of(window: MainWindow, doubt: HubDoubt) -> DoubtRow:
    return page_of(window).doubts.rows[doubt]


def click(window: MainWindow, button: QPushButton) -> None:
    """Where it really is, scrolled into sight as a person does."""
    QApplication.processEvents()
    page_of(window).alarm_scroll.ensureWidgetVisible(button)
    QApplication.processEvents()
    at = button.mapTo(window, button.rect().center())
    assert window.childAt(at) is button, f"{button.accessibleName()} is covered by {window.childAt(at)}"
    assert min(button.height(), button.width()) >= 48
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def said(row: QWidget) -> str:
    return " ".join(label.text() for label in row.findChildren(QLabel) if label.isVisible())


def test_a_doubt_says_which_hub_what_was_found_and_what_it_means(window: MainWindow, words: Words) -> None:
    assert page_of(window).doubts.isVisible()
    assert "No therapy begins or goes on with them" in said(page_of(window).doubts)
    text = said(row_of(window, DOSE))
    for part in ("SM-4402", "dose that nobody ordered", "chair 2"):
        assert part in text
    assert "old values as new" in said(row_of(window, REPEATED))
    assert {f"doubt.what.{doubt.value}" for doubt in LASTING} <= words.keys()
    names = [row.lift.accessibleName() for row in page_of(window).doubts.rows.values()]
    assert len(set(names)) == 2, "each is lifted by its name"


def test_it_is_lifted_with_a_reason_after_it_was_said_what_that_means(window: MainWindow, backend: Backend) -> None:
    row = row_of(window, DOSE)
    click(window, row.lift)
    QApplication.processEvents()
    assert "Nothing resumes by itself" in said(row)
    assert not row.confirm.visibleRegion().isEmpty(), "the form is in sight at once"
    assert row.reason.hasFocus()
    click(window, row.confirm)
    assert not backend.of(LiftDoubt), "without a reason nothing is asked"
    assert "A reason is needed." in said(row)
    QTest.keyClicks(row.reason, "Energy sensor replaced")
    click(window, row.confirm)
    (asked,) = backend.of(LiftDoubt)
    assert asked == LiftDoubt(
        serial="SM-4402", doubt=Doubt.DOSE, found_us=DOSE.found_us, reason="Energy sensor replaced"
    )
    assert len(backend.of(ListLog)) > 1, "the log is read again"


def test_a_lifted_doubt_goes_and_the_other_stays(window: MainWindow, sample: Sample) -> None:
    click(window, row_of(window, REPEATED).lift)
    QTest.keyClicks(row_of(window, REPEATED).reason, "Cable")
    window.store.apply(sample.workstation(doubts=(REPEATED,)))
    QApplication.processEvents()
    assert list(page_of(window).doubts.rows) == [REPEATED]
    assert row_of(window, REPEATED).reason.text() == "Cable", "what somebody writes is not lost with a push"
    window.store.apply(sample.workstation())
    QApplication.processEvents()
    assert not page_of(window).doubts.isVisible()
    found = HubDoubt(serial="SM-4401", doubt=Doubt.REPEATED, chair=1, found_us=NOW_US)
    window.store.apply(sample.workstation(doubts=(found,)))
    assert row_of(window, found).reason.text() == "", "another finding is another doubt"


def test_keeping_it_asks_nothing(window: MainWindow, backend: Backend) -> None:
    row = row_of(window, DOSE)
    click(window, row.lift)
    click(window, row.keep)
    assert row.lift.isVisible()
    assert row.lift.hasFocus()
    assert not row.reason.isVisible()
    assert not backend.of(LiftDoubt)


def test_a_refusal_is_said_where_the_doubt_stands(window: MainWindow, backend: Backend) -> None:
    backend.answers[LiftDoubt] = Refused(
        code="treating", text=Text("refused.treating"), remedy=Text("refused.treating_remedy")
    )
    row = row_of(window, DOSE)
    click(window, row.lift)
    QTest.keyClicks(row.reason, "examined")
    QTest.keyClick(row.reason, Qt.Key.Key_Return)
    assert "Therapy is running. Hold it first." in said(row)
    assert row.reason.text() == "examined"


def test_an_assistant_reads_it_and_cannot_lift_it(window: MainWindow, sample: Sample, backend: Backend) -> None:
    row = row_of(window, DOSE)
    click(window, row.lift)
    window.store.apply(sample.workstation(doubts=(DOSE, REPEATED), operator=sample.jon))
    QApplication.processEvents()
    row = row_of(window, DOSE)  # somebody else is there, and the page was made anew
    assert not row.lift.isEnabled()
    assert not row.reason.isVisible()
    assert "Only a dentist" in said(row)
    QTest.mouseClick(row.lift, Qt.MouseButton.LeftButton)
    assert not backend.of(LiftDoubt)


def test_all_of_it_is_done_by_keys(window: MainWindow, backend: Backend) -> None:
    row = row_of(window, DOSE)
    page_of(window).pause.setFocus()
    for _ in range(60):
        if row.lift.hasFocus():
            break
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
    assert row.lift.hasFocus(), "Tab reaches it"
    QTest.keyClick(row.lift, Qt.Key.Key_Space)
    focused = QApplication.focusWidget()
    assert isinstance(focused, QLineEdit)
    QTest.keyClicks(focused, "examined")
    QTest.keyClick(focused, Qt.Key.Key_Tab)
    QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is row.confirm
    QTest.keyClick(row.confirm, Qt.Key.Key_Space)
    assert [body.reason for body in backend.of(LiftDoubt)] == ["examined"]


@pytest.mark.parametrize("size", [(1280, 800), (1024, 700), (960, 540)])
def test_everything_is_whole_in_any_window(window: MainWindow, size: tuple[int, int]) -> None:
    window.resize(*size)
    row = row_of(window, DOSE)
    click(window, row.lift)
    QApplication.processEvents()
    scroll = page_of(window).alarm_scroll
    for label in row.findChildren(QLabel):
        if label.isVisible():
            assert label.width() <= scroll.viewport().width()
            assert label.heightForWidth(label.width()) <= label.height() + 1, label.text()
    for button in (row.keep, row.confirm):
        right = button.mapTo(scroll.viewport(), button.rect().topRight()).x()
        assert right <= scroll.viewport().width(), button.text()

"""Whoever sees a page without treating sees no button that would be refused: all that is there is pressed, by role."""

from itertools import product

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.console.chair_page import ChairPage
from app.console.history_pane import HistoryPane
from app.console.patients_page import PatientsPage
from app.console.store import Store
from app.ipc.clinical_messages import SearchRecords
from app.ipc.messages import Act, AddMark, Chair
from core.model.clinical import Note
from core.model.intents import NextStep, Pause, SetComfort
from core.model.people import Operator, Role
from core.model.procedure import CheckItem, PhaseState, Step
from core.model.words import Words
from core.people.permissions import load_permissions

from .conftest import FakeBackend, Sample
from .test_history_pane import PLAN, timeline

PEOPLE = {role: Operator(id=f"op-{role}", name=f"{role} one", role=role) for role in Role}
STATES = (*Step, "held", "closed", "idle")
CHECKS = (CheckItem(key="eyes", by_hand=True, passed=None), CheckItem(key="teeth", by_hand=True, passed=True))


def chair(sample: Sample, state: str) -> Chair:
    """A chair at this step, at which everything may be pressed."""
    if state == "idle":
        return sample.chair(2, "idle")
    if state == "held":
        return sample.chair(2, "held")
    step = Step.CLOSE if state == "closed" else Step(state)
    changes: dict[str, object] = {"preflight": CHECKS, "recovery": CHECKS, "closed": state == "closed", "plan": PLAN}
    if step is Step.TREAT:
        changes["phases"] = sample.phases(PhaseState.RUNNING)
    return sample.chair(2, "treating", procedure=sample.procedure(2, step, **changes))


@pytest.fixture
def page(qtbot: QtBot, store: Store, words: Words, sample: Sample) -> ChairPage:
    store.apply(sample.workstation())
    made = ChairPage(store, words)
    qtbot.addWidget(made)
    made.resize(1192, 664)
    made.show()
    made.make_strips()
    store.set_current(2)
    return made


def enter(store: Store, sample: Sample, role: Role) -> Operator:
    store.apply(sample.workstation(operator=PEOPLE[role]))
    return PEOPLE[role]


def buttons(widget: QWidget) -> list[QAbstractButton]:
    return [one for one in widget.findChildren(QAbstractButton) if one.isVisible() and one.isEnabled()]


def refused(backend: FakeBackend, operator: Operator, step: Step | None) -> list[object]:
    """What was asked and the table does not let them."""
    table = load_permissions()
    return [
        body
        for body in backend.asked
        if not table.may(operator, type(body).__name__)
        or (isinstance(body, Act) and (step is None or not table.may_want(operator, body.intent, step)))
    ]


@pytest.mark.parametrize(("state", "role"), list(product(STATES, (Role.COMPANION, Role.ASSISTANT, Role.DENTIST))))
def test_no_button_of_the_procedure_is_refused(
    page: ChairPage, store: Store, sample: Sample, backend: FakeBackend, state: str, role: Role
) -> None:
    operator = enter(store, sample, role)
    shown = chair(sample, state)
    store.apply(shown)
    QApplication.processEvents()
    step = shown.procedure.step if shown.procedure is not None else None
    for button in buttons(page):
        if button.isVisible() and button.isEnabled():
            QTest.mouseClick(button, Qt.MouseButton.LeftButton)
            page.intents.clear()
            store.apply(shown)
    for field in page.findChildren(QLineEdit):
        if field.isVisible() and field.isEnabled():
            field.setText("Anna")
            field.editingFinished.emit()
            page.intents.clear()
    if page.panel is not None and (teeth := getattr(page.panel, "teeth", None)) is not None:
        QTest.mouseClick(teeth, Qt.MouseButton.LeftButton, pos=teeth.tooth_rect(26).center().toPoint())
    QTest.keyClick(page, Qt.Key.Key_M)
    assert refused(backend, operator, step) == []
    if role is Role.COMPANION:
        assert [body for body in backend.asked if isinstance(body, Act | AddMark)] == []


def test_a_dentist_has_what_a_companion_has_not(
    page: ChairPage, store: Store, sample: Sample, backend: FakeBackend
) -> None:
    """The same page, so that the buttons above are not missing altogether."""
    enter(store, sample, Role.COMPANION)
    store.apply(chair(sample, Step.TREAT))
    assert page.panel is not None
    assert not [one for one in buttons(page.panel) if one.isVisible()]
    assert page.panel.blocked.text == "Whoever treats goes on from here."
    enter(store, sample, Role.ASSISTANT)
    store.apply(chair(sample, Step.TREAT))
    assert {one.objectName() for one in buttons(page.panel)} == {"treat.pause", "treat.check_in"}
    enter(store, sample, Role.DENTIST)
    store.apply(chair(sample, Step.TREAT))
    assert {one.objectName() for one in buttons(page.panel)} == {"treat.pause", "treat.check_in", "treat.skip"}
    assert page.panel.blocked.text == ""
    (pause,) = (one for one in buttons(page.panel) if one.objectName() == "treat.pause")
    QTest.mouseClick(pause, Qt.MouseButton.LeftButton)
    assert [body.intent for body in backend.asked if isinstance(body, Act)] == [Pause()]


def test_an_assistant_prepares_up_to_the_plan(page: ChairPage, store: Store, sample: Sample) -> None:
    operator = enter(store, sample, Role.ASSISTANT)
    for state, may in ((Step.SEAT, True), (Step.LISTEN, True), (Step.BASELINE, True), (Step.PLAN, False)):
        store.apply(chair(sample, state))
        assert store.may_want(NextStep(), 2) is may is load_permissions().may_want(operator, NextStep(), state)
    assert store.may_want(SetComfort(answers={}), 2)


@pytest.mark.parametrize("role", [Role.COMPANION, Role.ASSISTANT, Role.DENTIST])
def test_no_button_of_a_time_line_is_refused(
    qtbot: QtBot, store: Store, words: Words, sample: Sample, backend: FakeBackend, role: Role
) -> None:
    operator = enter(store, sample, role)
    pane = HistoryPane(store, words)
    qtbot.addWidget(pane)
    pane.resize(1160, 470)
    pane.show_timeline(timeline(sample.patient()))
    pane.show()
    for entry_id, kind in (("n1", "note"), ("p1", "attachment"), ("a1", "adverse")):
        pane.list.choose(entry_id, kind)
        QApplication.processEvents()
        for button in buttons(pane.detail):
            if button.isVisible():
                QTest.mouseClick(button, Qt.MouseButton.LeftButton)
                pane._to_front()
    for button in pane.add_buttons.values():
        if button.isVisible() and button.isEnabled():
            QTest.mouseClick(button, Qt.MouseButton.LeftButton)
            pane._to_front()
    assert refused(backend, operator, None) == []
    assert any(button.isVisible() for button in pane.add_buttons.values()) is (role is not Role.COMPANION)
    allowed = {name for name, one in pane.add_buttons.items() if one.isEnabled() and one.isVisible()}
    assert ("note" in allowed) is load_permissions().may_write(operator, Note)


def test_a_companions_list_of_patients_offers_nothing_that_is_refused(
    qtbot: QtBot, store: Store, words: Words, sample: Sample, backend: FakeBackend
) -> None:
    operator = enter(store, sample, Role.COMPANION)
    page = PatientsPage(store, words)
    qtbot.addWidget(page)
    page.resize(1192, 664)
    page.show()
    page.activated()
    for button in buttons(page.list):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert refused(backend, operator, None) == []
    assert backend.of(SearchRecords)
    page.open_patient(sample.patient().id)
    view = page.visits
    closed = (view.csv_button, view.others_button, view.correct_button)
    assert [one.objectName() for one in closed if not one.isHidden()] == []
    assert not view.report_button.isHidden(), "a companion may have agreed reports"
    assert not view.views_button.isHidden()

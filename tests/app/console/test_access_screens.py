"""Locked, switched, cut: what the window shows of what the engine says, driven by clicks and keys."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from app.console.activity import EVERY_S
from app.console.page import EmptyPage, Page
from app.console.patient_screen import scene_of
from app.console.patients_page import PatientsPage
from app.console.safety_page import SafetyPage
from app.console.store import Store
from app.console.views_pane import ViewsPane
from app.console.window import MainWindow
from app.engine.redaction import Seen, cut_chair
from app.ipc.access_messages import (
    Active,
    AddCompanion,
    ListViews,
    OpenInEmergency,
    SeenEmergency,
    SetLock,
    Views,
    WithdrawCompanion,
)
from app.ipc.messages import Login, PauseAudio, Refused
from core.model.access import Companion, Emergency, View
from core.model.alarm import AlarmPriority
from core.model.clock import ManualClock
from core.model.people import Operator, Role
from core.model.procedure import STEPS, Step
from core.model.words import Text, Words

Sample = Any
Backend = Any
ENGINEER = Operator(id="op-eng", name="Theo Brandt", role=Role.ENGINEER)
NOTHING = Seen()


@pytest.fixture
def window(store: Store, sample: Sample, words: Words) -> Iterator[MainWindow]:
    def page(store: Store, words: Words) -> Page:
        return EmptyPage(store, words, title="Elsewhere", sentence="Another room's page.")

    for number, state in enumerate(("idle", "treating", "held", "waiting"), 1):
        store.apply(sample.chair(number, state))
    store.apply(sample.workstation(operators=(sample.mira, sample.jon, ENGINEER)))
    made = MainWindow(store, words, makers={"chair": page, "patients": PatientsPage})
    made.show()
    made.activateWindow()
    QApplication.processEvents()
    yield made
    made._closing = True
    made.close()
    made.deleteLater()


def press(widget: QWidget) -> None:
    QApplication.processEvents()
    assert widget.isVisible(), "only what is seen can be pressed"
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
    QApplication.processEvents()


def lock(window: MainWindow, sample: Sample, *alarms: object) -> None:
    """As the engine says it: chairs without names first, then that nobody is there."""
    for chair in window.store.chairs():
        window.store.apply(cut_chair(chair, NOTHING))
    window.store.apply(sample.workstation(*alarms, operator=None, operators=(sample.mira, sample.jon, ENGINEER)))
    QApplication.processEvents()


def enter(window: MainWindow, sample: Sample, operator: Operator, **changes: object) -> None:
    window.store.apply(sample.workstation(operator=operator, operators=(sample.mira, sample.jon, ENGINEER), **changes))
    QApplication.processEvents()


def shown(window: QWidget) -> str:
    """All that can be read or heard of a window."""
    parts = [window.windowTitle()]
    for widget in [window, *window.findChildren(QWidget)]:
        if widget.isVisible():
            text = getattr(widget, "text", None)
            parts += [text() if callable(text) else "", widget.accessibleName(), widget.toolTip()]
    return "\n".join(str(part) for part in parts)


def test_a_locked_window_tells_alarms_and_stops_and_names_nobody(
    window: MainWindow, sample: Sample, backend: Backend
) -> None:
    window.store.apply(sample.workstation(names_shown=True))
    assert "Darius Hale" in shown(window)
    lock(window, sample, sample.alarm(AlarmPriority.HIGH, 2))
    press(window.bottom.beacon)
    said = shown(window)
    for name in ("Darius", "Hale", "Marchetti", "latex", "2001"):
        assert name not in said
    assert "Chair 2, not seen yet" in said
    assert "Sound on" in said
    assert window.alarms.seen_buttons == {}, "who has seen it is a person"
    press(window.alarms.pause)
    assert len(backend.of(PauseAudio)) == 1
    press(window.bottom.stop)
    assert backend.stopped == [0]
    QTest.keyClick(window, Qt.Key.Key_F12)
    assert backend.stopped == [0, 0]


def test_a_switch_can_be_called_off_and_nobody_was_logged_out(
    window: MainWindow, sample: Sample, backend: Backend
) -> None:
    press(window.top.person)
    press(window.menu.switch)
    login = window.login
    assert login.isVisible()
    assert "op-mira" not in login.operators, "who is there need not take over"
    assert all(button.height() >= 64 for button in [*login.operators.values(), login.stay, *login.keys.values()])
    press(login.operators["op-jon"])
    press(login.keys["1"])
    press(login.stay)
    assert login.isHidden()
    assert window.rail.isEnabled()
    assert backend.of(Login) == []
    press(window.top.person)
    press(window.menu.switch)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert login.isHidden()


def test_a_switch_is_one_step_with_gloves_on(window: MainWindow, sample: Sample, backend: Backend) -> None:
    press(window.top.person)
    press(window.menu.switch)
    press(window.login.operators["op-jon"])
    for key in ("4", "7", "1", "1", "go"):
        press(window.login.keys[key])
    assert backend.of(Login) == [Login(operator_id="op-jon", pin="4711")]
    enter(window, sample, sample.jon)
    assert window.login.isHidden()
    assert window.top.person.text() == "Jon Reyes"


def test_a_wrong_pin_leaves_who_was_there(window: MainWindow, sample: Sample, backend: Backend) -> None:
    backend.answers[Login] = Refused(code="pin", text=Text("refused.pin"), remedy=Text("refused.pin_remedy"))
    press(window.top.person)
    press(window.menu.switch)
    press(window.login.operators["op-jon"])
    for key in ("4", "go"):
        press(window.login.keys[key])
    assert window.login.message.text() == "Wrong PIN or passphrase. Try again."
    press(window.login.stay)
    assert window.top.person.text() == "Mira Chen"
    assert window.login.isHidden()


def test_a_passphrase_is_typed_on_the_keyboard_spaces_and_all(
    window: MainWindow, sample: Sample, backend: Backend
) -> None:
    lock(window, sample)
    press(window.login.operators["op-jon"])
    QTest.keyClicks(window.login.dots, "three blind mice!")
    assert window.login.dots.text() == "•" * 12 + " 17"
    QTest.keyClick(window.login.dots, Qt.Key.Key_Return)
    assert backend.of(Login) == [Login(operator_id="op-jon", pin="three blind mice!")]
    assert window.login.dots.text() == "–"


def test_touches_are_told_and_not_too_often(window: MainWindow, backend: Backend, clock: ManualClock) -> None:
    other = QWidget()
    other.show()
    QTest.mouseClick(other, Qt.MouseButton.LeftButton)
    assert backend.of(Active) == [], "the patient's screen keeps nobody logged in"
    other.deleteLater()
    for _ in range(4):
        QTest.mouseClick(window.rail, Qt.MouseButton.LeftButton)
        QTest.keyClick(window, Qt.Key.Key_Shift)
    assert len(backend.of(Active)) == 1
    clock.advance(EVERY_S)
    QTest.mouseClick(window.rail, Qt.MouseButton.LeftButton)
    assert len(backend.of(Active)) == 2


def test_an_engineer_finds_devices_and_no_patient(window: MainWindow, sample: Sample) -> None:
    window.show_page("patients")
    for chair in window.store.chairs():
        window.store.apply(cut_chair(chair, NOTHING))
    enter(window, sample, ENGINEER)
    assert window.rail.place == "chairs"
    assert "patients" not in window.pages, "what was made for another person is gone"
    for key, open_to in (("chairs", True), ("chair", False), ("patients", False), ("safety", True), ("setup", True)):
        assert window.rail.items[key].isEnabled() is open_to, key
    window.open_chair(2)
    assert window.rail.place == "chairs"
    assert "There is nothing to show you there." in shown(window)
    assert "Darius" not in shown(window)


@pytest.mark.parametrize("seen", [NOTHING, Seen(treatment=True)])
def test_the_patients_own_screen_names_nobody_and_can_still_pause(
    store: Store, sample: Sample, words: Words, seen: Seen
) -> None:
    phases = tuple(msgspec.structs.replace(one, module="repair") for one in sample.phases())
    for step in STEPS:
        whole = sample.chair(2, procedure=sample.procedure(2, step, phases=phases))
        scene = scene_of(cut_chair(whole, seen), fresh=True)
        said = words.say(scene.sentence, name=scene.name)
        assert "[" not in said, f"{step}: {said}"
        assert "P-1002" not in said
        assert "Darius" not in said
        assert scene.action == ("pause" if step is Step.TREAT else scene.action)


def test_samples_of_a_chair_that_is_not_shown_reach_no_page(store: Store, sample: Sample) -> None:
    from app.ipc.ring import RingPoll

    arrived: list[int] = []
    store.samples_arrived.connect(lambda chair, _poll: arrived.append(chair))
    poll = RingPoll(blocks=[], skipped=0, restarted=False)
    store.apply(sample.chair(2))
    store.samples(2, poll)
    store.apply(cut_chair(sample.chair(2), NOTHING))
    store.samples(2, poll)
    assert arrived == [2]
    assert store.history(2) is None


def test_dimmed_names_leave_the_lists_as_well(window: MainWindow, sample: Sample) -> None:
    window.show_page("patients")
    for chair in window.store.chairs():
        window.store.apply(cut_chair(chair, Seen(treatment=True, course=True)))
    enter(window, sample, sample.mira, dimmed=True)
    assert window.rail.place == "chairs"
    assert "Darius" not in shown(window)
    assert window.login.isHidden(), "nobody who treats is locked out"
    assert window.bottom.stop.isVisible()


def test_an_emergency_asks_for_a_chair_and_a_reason(window: MainWindow, sample: Sample, backend: Backend) -> None:
    enter(window, sample, sample.mira)
    press(window.top.person)
    assert not window.menu.emergency.isVisible(), "a dentist needs none"
    window._close_panels()
    for chair in window.store.chairs():
        window.store.apply(cut_chair(chair, NOTHING))
    enter(window, sample, ENGINEER)
    press(window.top.person)
    press(window.menu.emergency)
    press(window.emergency.chairs.button("3"))
    QTest.keyClicks(window.emergency.reason, "She does not answer")
    backend.answers[OpenInEmergency] = Refused(
        code="x", text=Text("refused.emergency_reason", {"shortest": 10, "longest": 500})
    )
    press(window.emergency.go)
    assert window.emergency.isVisible()
    assert "10 to 500" in window.emergency.message.text()
    del backend.answers[OpenInEmergency]
    press(window.emergency.go)
    assert backend.of(OpenInEmergency)[-1] == OpenInEmergency(chair=3, reason="She does not answer")
    assert window.emergency.isHidden()


EMERGENCY = Emergency(
    id="em-1",
    operator_id="op-eng",
    who="Theo Brandt",
    role="engineer",
    chair=3,
    patient_id="patient-3",
    code="P-1003",
    reason="She does not answer",
    began_us=1_800_000_000_000_000,
    until_us=1_800_000_900_000_000,
)


def test_a_dentist_reads_of_an_emergency_in_safety(window: MainWindow, sample: Sample, backend: Backend) -> None:
    enter(window, sample, sample.mira, emergencies=(EMERGENCY,))
    window.show_page("safety")
    page = window.page
    assert isinstance(page, SafetyPage)
    said = shown(page)
    assert "Theo Brandt, Engineer" in said
    assert "“She does not answer”" in said
    press(page.emergencies.seen_buttons["em-1"])
    assert backend.of(SeenEmergency) == [SeenEmergency(emergency_id="em-1")]
    enter(window, sample, sample.jon, emergencies=(EMERGENCY,))
    window.show_page("safety")
    again = window.page
    assert isinstance(again, SafetyPage)
    assert not again.emergencies.seen_buttons["em-1"].isEnabled(), "it is for a dentist to read"
    enter(window, sample, sample.jon)
    assert again.emergencies.isHidden()


def test_the_lock_is_set_in_settings_by_a_dentist(window: MainWindow, sample: Sample, backend: Backend) -> None:
    from app.console.setup_page import SetupPage

    window.show_page("setup")
    page = window.page
    assert isinstance(page, SetupPage)
    page.show_pane("settings")
    assert page.settings.lock.key == "5"
    press(page.settings.lock.button("10"))
    assert backend.of(SetLock) == [SetLock(minutes=10)]
    enter(window, sample, sample.jon)
    window.show_page("setup")
    other = window.page
    assert isinstance(other, SetupPage)
    other.show_pane("settings")
    assert not other.settings.lock.isEnabled()


VIEWS = Views(
    views=(
        View(at_us=1_800_000_000_000_000, who="Theo Brandt", role="engineer", kind="live", chair=3, emergency=True),
        View(at_us=1_799_900_000_000_000, who="Mira Chen", role="dentist", kind="report", chair=2),
        View(at_us=1_799_000_000_000_000, who="Jon Reyes", role="", kind="timeline", chair=0),
    )
)


def test_who_looked_is_shown_and_companions_beside_it(
    store: Store, sample: Sample, words: Words, backend: Backend
) -> None:
    anna = Operator(id="op-anna", name="Anna Hale", role=Role.COMPANION)
    agreed = Companion(
        operator_id="op-anna",
        patient_id="patient-2",
        code="P-1002",
        live=True,
        reports=False,
        history=True,
        until_us=1_800_100_000_000_000,
        consented_us=0,
        how="aloud",
        witness="op-mira",
    )
    backend.answers[ListViews] = VIEWS
    store.apply(sample.workstation(operators=(sample.mira, anna), companions=(agreed,)))
    pane = ViewsPane(store, words)
    pane.resize(1100, 560)
    pane.open_patient("patient-2")
    pane.show()
    said = " ".join(label.text() for label in pane.findChildren(QLabel) if label.isVisible())
    assert ["Theo Brandt, Engineer" in said, "Live signals, chair 3" in said, "Anna Hale" in said] == [True] * 3
    assert pane.lines[0].endswith("Emergency")
    press(pane.withdraw_buttons["op-anna"])
    assert backend.of(WithdrawCompanion) == [WithdrawCompanion(operator_id="op-anna")]
    press(pane.new)
    for field, text in ((pane.name, "Sol Hale"), (pane.pin, "739154"), (pane.again, "739154")):
        QTest.keyClicks(field, text)
    press(pane.scopes["reports"])
    press(pane.days.button("7"))
    press(pane.add)
    assert backend.of(AddCompanion) == [
        AddCompanion(
            name="Sol Hale",
            pin="739154",
            patient_id="patient-2",
            live=False,
            reports=True,
            history=False,
            days=7,
            how="aloud",
        )
    ]
    assert pane.pin.text() == ""
    store.apply(sample.workstation(operator=sample.jon, operators=(sample.jon,), companions=(agreed,)))
    assert not pane.new.isVisible(), "a dentist witnesses consent"
    pane.deleteLater()


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_pictures_of_access(
    window: MainWindow,
    sample: Sample,
    backend: Backend,
    snap: Callable[..., object],
    mode: str,
    size: tuple[int, int],
) -> None:
    """Looked at; the test sees to it that they can be made."""
    backend.answers[ListViews] = VIEWS
    enter(window, sample, sample.mira, emergencies=(EMERGENCY,))
    window.show_page("safety")
    snap(window, "access-safety", mode, size)
    window.show_page("setup")
    window.page.show_pane("people")  # type: ignore[attr-defined]
    snap(window, "access-people", mode, size)
    window.page.show_pane("settings")  # type: ignore[attr-defined]
    snap(window, "access-settings", mode, size)
    window.show_page("patients")
    page = window.page
    assert isinstance(page, PatientsPage)
    page._stack.setCurrentIndex(1)
    page.visits._patient_id = "patient-2"
    page.visits._show_views(True)
    snap(window, "access-views", mode, size)
    press(page.visits.views.new)
    snap(window, "access-companion", mode, size)
    press(window.top.person)
    snap(window, "access-menu", mode, size)
    press(window.menu.switch)
    press(window.login.operators["op-jon"])
    snap(window, "access-switch", mode, size)
    press(window.login.stay)
    for chair in window.store.chairs():
        window.store.apply(cut_chair(chair, NOTHING))
    enter(window, sample, ENGINEER)
    snap(window, "access-engineer", mode, size)
    press(window.top.person)
    press(window.menu.emergency)
    snap(window, "access-emergency", mode, size)
    window._close_panels()
    lock(window, sample, sample.alarm(AlarmPriority.HIGH, 2), sample.alarm(AlarmPriority.LOW, 3))
    press(window.bottom.beacon)
    snap(window, "access-locked", mode, size)

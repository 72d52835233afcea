"""The shell as a person meets it: the real window, driven by clicks and keys."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QWidget

from app.clinic.control import ClinicNotRunning
from app.console.chairs_page import ChairsPage, grid_columns
from app.console.demo_panel import FAULTS, GROUPS
from app.console.page import EmptyPage, Page
from app.console.rail import PLACES
from app.console.run import fit_to_screen
from app.console.store import Store
from app.console.window import MainWindow
from app.ipc.messages import AlarmSeen, Login, Logout, PauseAudio, Refused
from core.model.alarm import AlarmPriority, AlarmState, AudioState
from core.model.clock import ManualClock
from core.model.hub import LinkState, TherapyState
from core.model.words import Text, Words
from widgets.marks import mark_shape
from widgets.stop import ROOM
from widgets.theme import font

Sample = Any
Backend = Any
SIZES = [(1024, 700), (1280, 800), (1920, 1080)]


class Broken:
    """Remembers what was asked of the simulated clinic."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str]] = []
        self.gone = False

    def trigger(self, chair: int, name: str) -> None:
        if self.gone:
            raise ClinicNotRunning("The simulated clinic does not run.")
        self.asked.append((chair, name))


@pytest.fixture
def clinic(store: Store, sample: Sample) -> Store:
    """Four chairs: idle, treating, held, waiting."""
    for number, state in enumerate(("idle", "treating", "held", "waiting"), 1):
        store.apply(sample.chair(number, state))
    store.apply(sample.workstation())
    return store


@pytest.fixture
def demo() -> Broken:
    return Broken()


@pytest.fixture
def window(clinic: Store, words: Words, demo: Broken) -> Iterator[MainWindow]:
    def page(store: Store, words: Words) -> Page:
        return EmptyPage(store, words, title="Elsewhere", sentence="Another room's page.")

    made = MainWindow(clinic, words, demo=demo, makers={"chair": page, "patients": page})
    made.show()
    made.activateWindow()
    QApplication.processEvents()
    yield made
    destroy(made)


def destroy(window: MainWindow) -> None:
    """At once: every window that lingers is styled again with each change of colours."""
    window.close_now()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def stop_box(window: MainWindow) -> QRect:
    stop = window.bottom.stop
    return QRect(stop.mapTo(window, QPoint(0, 0)), stop.size())


def press(window: MainWindow, widget: QWidget) -> None:
    """A click where the widget really is, through whatever lies above it."""
    at = widget.mapTo(window, widget.rect().center())
    target = window.childAt(at)
    assert target is widget, f"{widget.accessibleName()} is covered by {target}"
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def unlock(window: MainWindow, sample: Sample) -> None:
    window.store.apply(sample.workstation())


def lock(window: MainWindow, sample: Sample) -> None:
    window.store.apply(sample.workstation(operator=None))


def overlays(window: MainWindow, sample: Sample) -> dict[str, Callable[[], object]]:
    """Everything that can lie above a page."""
    assert window.demo is not None
    return {
        "none": lambda: None,
        "alarms": lambda: press(window, window.bottom.beacon),
        "menu": lambda: press(window, window.top.person),
        "demo": lambda: press(window, window.top.mark),
        "notice": lambda: window.store.notice(Text("test.say", {"text": "Something happened."})),
        "lock": lambda: lock(window, sample),
        "question": window.close,
    }


# STOP


@pytest.mark.parametrize("size", SIZES)
def test_stop_lies_in_the_same_corner_and_nothing_else_can_be_pressed_near_it(
    window: MainWindow, sample: Sample, size: tuple[int, int]
) -> None:
    window.resize(*size)
    for place, show in itertools.product((key for key, _ in PLACES), overlays(window, sample).values()):
        window._close_panels()
        unlock(window, sample)
        window.show_page(place)
        show()
        QApplication.processEvents()
        box = stop_box(window)
        assert (box.width(), box.height()) == (168, 64)
        assert box.right() == size[0] - 25
        assert box.center().y() == pytest.approx(size[1] - 40, abs=1)
        zone = box.adjusted(-24, -24, 24, 24)
        for widget in window.findChildren(QWidget):
            if not widget.isVisible() or widget is window.bottom.stop or not widget.isEnabled():
                continue
            if isinstance(widget, QAbstractButton | QLineEdit) or widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
                place_of = QRect(widget.mapTo(window, QPoint(0, 0)), widget.size()) & visible_part(window, widget)
                assert not place_of.intersects(zone), f"{widget.accessibleName()} is too near to STOP"


def visible_part(window: MainWindow, widget: QWidget) -> QRect:
    """Scroll areas clip what they hold."""
    region = widget.visibleRegion().boundingRect()
    return region.translated(widget.mapTo(window, QPoint(0, 0)))


@pytest.mark.parametrize("overlay", ["none", "alarms", "menu", "demo", "notice", "lock", "question"])
def test_stop_acts_on_the_press_above_every_overlay(
    window: MainWindow, backend: Backend, sample: Sample, overlay: str
) -> None:
    window.open_chair(2)
    overlays(window, sample)[overlay]()
    QApplication.processEvents()
    stop = window.bottom.stop
    assert window.childAt(stop_box(window).center()) is stop
    QTest.mousePress(stop, Qt.MouseButton.LeftButton)
    assert backend.stopped == [2], "STOP must not wait for the release"
    QTest.mouseRelease(stop, Qt.MouseButton.LeftButton)
    assert backend.stopped == [2], "one press is one STOP"


@pytest.mark.parametrize("overlay", ["none", "alarms", "menu", "demo", "notice", "lock", "question"])
def test_stop_keys_work_everywhere(window: MainWindow, backend: Backend, sample: Sample, overlay: str) -> None:
    for place, _ in PLACES:
        unlock(window, sample)
        window._close_panels()
        window.store.set_current(3)
        window.show_page(place)
        overlays(window, sample)[overlay]()
        QApplication.processEvents()
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_F12)
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
        whom = 3 if place in ("chair", "patients") else 0
        assert backend.stopped == [whom, whom], place
        backend.stopped.clear()


def test_stop_keys_work_while_a_name_is_typed(window: MainWindow, backend: Backend) -> None:
    window.show_page("setup")
    page: Any = window.page
    page.show_pane("people")
    page.people.name.setFocus()
    QTest.keyClicks(page.people.name, "Ann")
    QTest.keyClick(page.people.name, Qt.Key.Key_F12)
    QTest.keyClick(page.people.name, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    assert page.people.name.text() == "Ann"
    assert backend.stopped == [0, 0]


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_stop_with_the_focus_on_it(window: MainWindow, backend: Backend, key: Qt.Key) -> None:
    window.bottom.stop.setFocus()
    QTest.keyPress(window.bottom.stop, key)
    assert backend.stopped == [0]
    QTest.keyRelease(window.bottom.stop, key)
    assert backend.stopped == [0]


def test_stop_needs_no_engine(window: MainWindow, backend: Backend) -> None:
    backend.silent = True
    window.store.set_link(False)
    QTest.mousePress(window.bottom.stop, Qt.MouseButton.RightButton)
    assert backend.stopped == [0]
    assert window.bottom.stop.isEnabled()
    QTest.mouseRelease(window.bottom.stop, Qt.MouseButton.RightButton)  # the next test has a mouse, too


def test_stop_says_asked_until_the_hub_itself_reports_no_therapy(
    window: MainWindow, sample: Sample, clock: ManualClock
) -> None:
    window.open_chair(2)
    stop = window.bottom.stop
    assert (stop.state, stop.whom) == ("ready", "chair 2")
    QTest.mouseClick(stop, Qt.MouseButton.LeftButton)
    assert stop.state == "asked"
    old = sample.hub_status(TherapyState.HELD, received_monotonic=clock.monotonic() - 0.1)
    window.store.apply(sample.chair(2, "held", hub=old))
    assert stop.state == "asked", "a status from before the STOP proves nothing"
    clock.advance(0.2)
    fresh = sample.hub_status(TherapyState.HELD, received_monotonic=clock.monotonic())
    window.store.apply(sample.chair(2, "held", hub=fresh))
    assert (stop.state, stop.whom) == ("held", "chair 2: held")
    again = sample.hub_status(TherapyState.RUNNING, received_monotonic=clock.monotonic())
    window.store.apply(sample.chair(2, "treating", hub=again))
    state: str = stop.state
    assert state == "ready", "therapy was resumed: the old STOP is over"


def test_therapy_is_said_to_be_held_only_once_the_hub_has_said_so(window: MainWindow, sample: Sample) -> None:
    window.store.set_current(2)
    held = msgspec.structs.replace(sample.chair(2, "held"), lease_until_monotonic=None)
    for chair, said in (
        (held, "Therapy held"),
        (msgspec.structs.replace(held, hub=None), "Unknown"),
        (msgspec.structs.replace(held, state="was_held", hub=None, link=LinkState.LOST), "Unknown"),
        (msgspec.structs.replace(held, state="holding", hub=None), "Unknown"),
        (msgspec.structs.replace(held, state="holding"), "Unknown"),
    ):
        window.store.apply(chair)
        window.grab()
        assert window.bottom.lease.words()[0] == said


def test_a_hold_that_the_link_took_from_sight_is_told_as_past_everywhere(
    window: MainWindow, sample: Sample, clock: ManualClock
) -> None:
    press(window, window.top.cells[2])
    QTest.mouseClick(window.bottom.stop, Qt.MouseButton.LeftButton)
    clock.advance(0.2)
    status = sample.hub_status(TherapyState.HELD, received_monotonic=clock.monotonic())
    held = sample.chair(2, "held", hub=status, lease_until_monotonic=None)
    window.store.apply(held)
    assert (window.bottom.stop.state, window.top.cells[2].word) == ("held", "Held")
    assert window.bottom.lease.words()[0] == "Therapy held"
    lost = msgspec.structs.replace(
        held,
        state="was_held",
        link=LinkState.LOST,
        headline=Text("sentence.was_held.headline"),
        reason=Text("hold.link.reason"),
        next_step=Text("sentence.was_held.next", {"at": "10:21"}),
    )
    window.store.apply(lost)
    window.store.apply(sample.workstation(sample.alarm(AlarmPriority.MEDIUM, 2, text=Text("alarm.link.lost.text"))))
    window.grab()
    stop, cell = window.bottom.stop, window.top.cells[2]
    assert (stop.state, stop.whom) == ("was_held", "chair 2: was held")
    assert stop.accessibleName() == "STOP chair 2: was held"
    assert cell.word == "Was held"
    assert "Held when last heard, 10:21." in cell.accessibleName()
    assert window.bottom.lease.words()[0] == "Unknown"
    sentence = window.bottom.sentence
    assert mark_shape(sentence.mark) == "question"
    assert sentence.words == (
        "Was held.",
        "Hub link lost.",
        "Held when last heard, 10:21. Wait for the link.",
    )
    press(window, window.rail.items["chairs"])
    page: Any = window.page
    assert page.cards[2].said.headline == "Was held."
    assert stop.whom == "all", "only one of four was told to stop"
    assert mark_shape(page.cards[2].said.mark) == "question", "in greyscale it is no hold either"
    assert window.bottom.lease.words()[0] == "Unknown", "of four chairs one is not heard of"
    press(window, window.top.cells[2])
    clock.advance(2.0)
    again = sample.hub_status(TherapyState.HELD, received_monotonic=clock.monotonic())
    window.store.apply(msgspec.structs.replace(held, hub=again))
    state: str = stop.state
    assert (state, cell.word) == ("held", "Held"), "the hub has said so again"


@pytest.mark.parametrize("number", [0, 1, 12])
@pytest.mark.parametrize("state", ["ready", "asked", "held", "was_held"])
def test_stop_says_whole_what_became_of_it(window: MainWindow, words: Words, number: int, state: str) -> None:
    whom = words.say("shell.stop.chair" if number else "shell.stop.all", number=number)
    said = whom if state == "ready" else words.say(f"shell.stop.{state}", whom=whom)
    assert QFontMetricsF(font(15, bold=True)).horizontalAdvance(said) <= ROOM


def test_stop_names_whom_it_stops(window: MainWindow) -> None:
    assert window.bottom.stop.accessibleName() == "STOP all"
    press(window, window.top.cells[3])
    assert window.bottom.stop.accessibleName() == "STOP chair 3"
    QTest.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert window.bottom.stop.accessibleName() == "STOP all"


# finding one's way


def test_a_window_larger_than_the_screen_is_brought_onto_it(window: MainWindow) -> None:
    """Offscreen there are 800 × 800 pixels, less than the window likes to have."""
    room = window.screen().availableGeometry()
    window.resize(room.width() + 200, room.height() + 300)
    window.move(room.right(), room.bottom())
    fit_to_screen(window)
    assert window.pos() == room.topLeft()
    assert window.height() <= room.height()
    assert window.width() <= max(room.width(), window.minimumWidth())


def test_on_a_full_hd_screen_at_200_percent_everything_is_there(window: MainWindow, sample: Sample) -> None:
    """960 × 540 logical pixels. Rail and jobs fold to their icons and keep their names; nothing lies outside."""
    window.resize(960, 540)
    QApplication.processEvents()
    assert (window.width(), window.height()) == (960, 540)
    assert window.rect().contains(stop_box(window))
    assert window.bottom.stop.size() == QSize(168, 64)
    for place, _ in PLACES:
        window.show_page(place)
        QApplication.processEvents()
        item = window.rail.items[place]
        assert (item.width(), item.height()) == (56, 56)
        assert item.accessibleName()
        assert window.rect().contains(QRect(window.page.mapTo(window, QPoint(0, 0)), window.page.size()))
    assert window.bottom.jobs.width() == 56
    assert window.bottom.jobs.accessibleName()
    window.open_chair(2)
    assert window.bottom.sentence.fits()
    window.resize(1280, 800)
    QApplication.processEvents()
    assert window.rail.items["chairs"].width() == 72
    assert window.bottom.jobs.width() >= 140


@pytest.mark.parametrize("size", [(1280, 800), (960, 540), (900, 500)])
def test_every_key_of_the_login_is_whole(window: MainWindow, sample: Sample, size: tuple[int, int]) -> None:
    window.resize(*size)
    window.store.apply(sample.workstation(operator=None))
    QApplication.processEvents()
    assert window.login.isVisible()
    for name, key in window.login.keys.items():
        assert key.visibleRegion().boundingRect() == key.rect(), (name, size)
        below = key.mapTo(window, QPoint(0, key.height())).y()
        assert below <= window.bottom.y(), (name, size)


@pytest.mark.parametrize("width", [960, 1000, 1100, 1200])
@pytest.mark.parametrize("state", ["idle", "treating", "held", "unknown"])
def test_cards_say_state_and_patient_in_any_window(window: MainWindow, sample: Sample, state: str, width: int) -> None:
    """What is drawn does not lie upon something else: each card's button stands under its words."""
    window.store.apply(sample.chair(1, state))
    window.resize(width, 540 if width < 1000 else 800)
    window.show_page("chairs")
    QApplication.processEvents()
    page: Any = window.page
    for card in page.cards.values():
        words = card._who + 24
        assert card.button.y() >= words, (card.number, card.height())
        assert card.rect().contains(card.button.geometry())


def test_five_places_by_click_and_by_key(window: MainWindow) -> None:
    for number, (key, _) in enumerate(PLACES, 1):
        QTest.keyClick(window, Qt.Key(Qt.Key.Key_0 + number), Qt.KeyboardModifier.ControlModifier)
        assert window.page is window.pages[key]
        assert window.rail.items[key].isChecked()
    for key, _ in PLACES:
        press(window, window.rail.items[key])
        assert window.page is window.pages[key]


def test_the_chair_place_returns_to_the_chair_one_came_from(window: MainWindow) -> None:
    window.open_chair(3)
    window.show_page("chairs")
    assert window.store.current == 0
    window.show_page("chair")
    assert window.store.current == 3
    assert window.top.cells[3].isChecked()
    assert window.top.title.text() == "IM, V-2003"


def test_everything_that_can_be_reached_has_a_name_and_every_sentence_exists(
    window: MainWindow, sample: Sample
) -> None:
    window.store.apply(sample.workstation(sample.alarm(), sample.alarm(AlarmPriority.LOW, 3)))
    for place, _ in PLACES:
        window.show_page(place)
        for show in overlays(window, sample).values():
            show()
        window._close_panels()
        unlock(window, sample)
    for widget in window.findChildren(QWidget):
        said = [widget.accessibleName(), widget.toolTip()]
        if isinstance(widget, QAbstractButton | QLabel):
            said.append(widget.text())
        assert not [text for text in said if text.startswith("[") or "{" in text], said
        if isinstance(widget, QAbstractButton | QLineEdit):
            assert widget.accessibleName(), f"{widget} has no name"


def test_targets_are_big_enough_for_gloves(window: MainWindow, sample: Sample) -> None:
    window.store.apply(sample.workstation(sample.alarm()))
    for place, _ in PLACES:
        window.show_page(place)
        window.bottom.beacon.click()
        QApplication.processEvents()
        for button in window.findChildren(QAbstractButton):
            if button.isVisible() and button.isEnabled():
                assert button.height() >= 48, button.accessibleName()
                assert button.width() >= 48, button.accessibleName()
        window._close_panels()


def test_tab_reaches_rail_page_beacon_and_stop(window: MainWindow) -> None:
    seen: set[str] = set()
    for _ in range(60):
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        if focused is not None:
            seen.add(focused.accessibleName())
    assert {"Chairs", "Set-up", "Chair 1, Idle", "STOP all", "No alarms. Sound on", "Seat patient, Chair 1"} <= seen


# state, lease, alarms


def test_the_bar_speaks_for_the_chair_in_context_or_for_whoever_needs_somebody(
    window: MainWindow, sample: Sample
) -> None:
    window.open_chair(2)
    assert window.bottom.sentence.words == ("Treating.", "Sealing 36, phase 2 of 4.", "Next: check-in in 1:20.")
    window.show_page("chairs")
    assert window.bottom.sentence.words == ("Chair 3.", "Saliva sensor silent.", "Chair 2: Treating. Chair 4: Waiting.")
    window.store.apply(sample.chair(1, "unknown"))
    assert window.bottom.sentence.words[0] == "Chair 1."
    assert window.bottom.sentence.mark == "unknown"


def test_the_patients_own_hold_is_drawn_in_the_patients_voice(window: MainWindow, sample: Sample) -> None:
    window.store.apply(sample.chair(2, "held_patient"))
    window.open_chair(2)
    assert window.bottom.sentence.mark == "held_patient"
    window.store.apply(sample.chair(2, "held"))
    assert window.bottom.sentence.mark == "held"


def test_the_lease_goes_on_counting_when_the_engine_is_gone(window: MainWindow, clock: ManualClock) -> None:
    window.open_chair(2)
    lease = window.bottom.lease
    assert lease.words() == ("2.4", "Lease")
    assert lease.counting
    window.store.set_link(False, restarting=True)
    clock.advance(1.5)
    window.tick()
    assert lease.words() == ("0.9", "Lease")
    clock.advance(1.0)
    window.tick()
    assert lease.words() == ("Hub holds", "Lease ran out")
    assert not lease.counting


def test_the_console_says_that_the_engine_stopped_and_shows_nothing_old_as_live(
    window: MainWindow, clock: ManualClock
) -> None:
    window.open_chair(2)
    assert window.store.value(2, "heart_rate") == 78
    window.store.set_link(False, restarting=True)
    assert window.bottom.sentence.words[1:] == (
        "Engine stopped. Hub holds by itself.",
        "Restarting. Stay with the patient.",
    )
    assert window.store.value(2, "heart_rate") is None
    assert window.bottom.beacon.words == ("Alarms", "Not watched")
    assert window.rail.battery.accessibleName() == "–"


def test_an_engine_that_says_nothing_for_two_seconds_is_no_engine(window: MainWindow, clock: ManualClock) -> None:
    window.open_chair(2)
    clock.advance(1.9)
    window.tick()
    assert window.bottom.sentence.words[0] == "Treating."
    clock.advance(0.2)
    window.tick()
    assert window.bottom.sentence.words[:2] == ("Unknown.", "Engine does not answer. Hub holds by itself.")
    assert window.store.value(2, "heart_rate") is None
    window.store.heard()
    assert window.bottom.sentence.words[0] == "Treating."
    assert window.store.value(2, "heart_rate") is None, "the engine lives, but the value is old"


def test_before_the_first_answer_the_console_is_not_blank(
    qapp: QApplication, words: Words, backend: Backend, clock: ManualClock
) -> None:
    made = MainWindow(Store(backend, clock=clock), words)
    made.show()
    assert made.bottom.sentence.words[0] == "Starting."
    page = made.page
    assert isinstance(page, ChairsPage)
    assert page.empty.isVisible()
    assert made.strip is None
    destroy(made)


def test_only_the_beacon_flashes_and_at_the_rates_of_the_standard(window: MainWindow, sample: Sample) -> None:
    beacon = window.bottom.beacon
    assert (beacon.flash_hz, beacon.words) == (0.0, ("No alarms", "Sound on"))
    window.store.apply(sample.workstation(sample.alarm(AlarmPriority.HIGH)))
    assert 1.4 <= beacon.flash_hz <= 2.8
    window.store.apply(sample.workstation(sample.alarm(AlarmPriority.MEDIUM)))
    assert 0.4 <= beacon.flash_hz <= 0.8
    window.store.apply(sample.workstation(sample.alarm(AlarmPriority.LOW)))
    assert beacon.flash_hz == 0.0
    window.store.apply(sample.workstation(sample.alarm(AlarmPriority.HIGH, acknowledged_by="op-mira")))
    assert beacon.flash_hz == 0.0
    assert beacon.lit
    window.store.apply(sample.workstation(sample.alarm(AlarmPriority.HIGH, state=AlarmState.ENDED)))
    assert beacon.priority is None


def test_a_pause_of_the_sound_shows_how_long_it_lasts(window: MainWindow, sample: Sample, clock: ManualClock) -> None:
    until = clock.utc_us() + 103_000_000
    window.store.apply(sample.workstation(sample.alarm(), audio=AudioState.PAUSED, audio_until_us=until))
    assert window.bottom.beacon.words == ("1 high", "Sound off 1:43")
    window.store.apply(sample.workstation(sample.alarm(), audio=AudioState.SILENT))
    assert window.bottom.beacon.words == ("1 high", "No sound")


def test_the_alarm_panel_takes_each_alarm_as_seen_and_pauses_the_sound(
    window: MainWindow, sample: Sample, backend: Backend
) -> None:
    window.store.apply(sample.workstation(sample.alarm(chair=2), sample.alarm(AlarmPriority.MEDIUM, 4)))
    press(window, window.bottom.beacon)
    panel = window.alarms
    assert panel.isVisible()
    assert panel.geometry().bottom() < window.height() - 80
    assert window.bottom.beacon.isChecked()
    press(window, panel.seen_buttons["alarm-4-2"])
    assert backend.of(AlarmSeen) == [AlarmSeen(alarm_id="alarm-4-2")]
    press(window, panel.pause)
    assert backend.of(PauseAudio) == [PauseAudio(seconds=120)]
    seen = sample.alarm(AlarmPriority.MEDIUM, 4, acknowledged_by="op-mira")
    window.store.apply(sample.workstation(sample.alarm(chair=2), seen))
    assert set(panel.seen_buttons) == {"alarm-2-3"}
    assert [label.text() for label in panel.findChildren(QLabel) if "Mira" in label.text()] == ["Seen, Mira Chen"]
    QTest.keyClick(panel.pause, Qt.Key.Key_Escape)
    assert panel.isHidden()
    assert not window.bottom.beacon.isChecked()


# chairs


@pytest.mark.parametrize("count", range(1, 9))
def test_cards_keep_their_places_for_one_to_eight_chairs(window: MainWindow, sample: Sample, count: int) -> None:
    states = ("idle", "treating", "held", "waiting", "planning", "held_patient", "unknown", "link_lost")
    for number in range(1, count + 1):
        window.store.apply(sample.chair(number, states[number - 1]))
    window.store.apply(sample.workstation(chairs=tuple(range(1, count + 1))))
    QApplication.processEvents()
    page = window.page
    assert isinstance(page, ChairsPage)
    assert list(page.cards) == list(range(1, count + 1))
    before = {number: card.geometry() for number, card in page.cards.items()}
    assert len({card.x() for card in page.cards.values()}) == min(count, grid_columns(count))
    window.store.apply(sample.workstation(sample.alarm(chair=count), chairs=tuple(range(1, count + 1))))
    for number in range(count, 0, -1):
        window.store.apply(sample.chair(number, states[-number]))
    QApplication.processEvents()
    assert {number: card.geometry() for number, card in page.cards.items()} == before
    for card in page.cards.values():
        assert page.rect().contains(card.geometry())
        assert card.rect().contains(card.button.geometry())


def test_a_card_opens_its_chair(window: MainWindow) -> None:
    page = window.page
    assert isinstance(page, ChairsPage)
    assert page.cards[1].button.text() == "Seat patient"
    press(window, page.cards[4].button)
    assert window.store.current == 4
    assert window.rail.items["chair"].isChecked()


def test_a_card_that_needs_somebody_says_so(window: MainWindow, sample: Sample) -> None:
    page = window.page
    assert isinstance(page, ChairsPage)
    calm: bool = page.cards[4].attention
    assert not calm
    window.store.apply(sample.workstation(sample.alarm(AlarmPriority.MEDIUM, 4)))
    assert page.cards[4].attention
    assert page.cards[4].button.text() == "Open chair 4"
    assert page.cards[4].said.mark == "alarm_medium"
    seen = sample.alarm(AlarmPriority.MEDIUM, 4, acknowledged_by="op-mira")
    window.store.apply(sample.workstation(seen))
    assert not page.cards[4].attention


# people


def test_locking_covers_everything_but_the_bottom_bar(window: MainWindow, sample: Sample, backend: Backend) -> None:
    press(window, window.top.person)
    press(window, window.menu.lock)
    assert backend.of(Logout) == [Logout()]
    lock(window, sample)
    QApplication.processEvents()
    assert window.login.geometry() == QRect(0, 0, window.width(), window.height() - 80)
    assert not window.rail.isEnabled()
    QTest.keyClick(window, Qt.Key.Key_4, Qt.KeyboardModifier.ControlModifier)
    assert window.rail.items["chairs"].isChecked(), "a locked console opens no page"
    press(window, window.bottom.beacon)
    assert window.alarms.isVisible(), "alarms stay in reach"
    window._close_panels()
    unlock(window, sample)
    assert window.login.isHidden()
    assert window.rail.isEnabled()


def test_logging_in_by_touch_and_by_keyboard(window: MainWindow, sample: Sample, backend: Backend) -> None:
    lock(window, sample)
    QApplication.processEvents()
    login = window.login
    assert all(min(key.width(), key.height()) >= 64 for key in login.keys.values())
    press(window, login.operators["op-jon"])
    for key in ("4", "7", "9", "back", "1", "1", "go"):
        press(window, login.keys[key])
    assert backend.of(Login) == [Login(operator_id="op-jon", pin="4711")]
    backend.answers[Login] = Refused(
        code="pin", text=Text("test.say", {"text": "Wrong PIN."}), remedy=Text("test.say", {"text": "Try again."})
    )
    login.setFocus()
    QTest.keyClicks(login.operators["op-jon"], "0815")
    QTest.keyClick(login.operators["op-jon"], Qt.Key.Key_Return)
    assert backend.of(Login)[-1] == Login(operator_id="op-jon", pin="0815")
    assert login.message.text() == "Wrong PIN. Try again."
    assert login.dots.text() == "–", "no PIN stays on the screen"


def test_with_an_operator_there_is_no_login(window: MainWindow) -> None:
    assert window.login.isHidden()
    assert window.top.person.text() == "Mira Chen"


def test_an_empty_practice_begins_with_its_first_dentist(window: MainWindow, sample: Sample, backend: Backend) -> None:
    from app.ipc.messages import AddOperator, Done

    backend.answers[AddOperator] = Done(id="op-new")
    window.store.apply(sample.workstation(operator=None, operators=()))
    QApplication.processEvents()
    first = window.login.first
    assert first.isVisible()
    QTest.keyClicks(first.name, "Ada Roth")
    QTest.keyClicks(first.pin, "1234")
    QTest.keyClicks(first.again, "1243")
    press(window, first.go)
    assert backend.of(AddOperator) == []
    assert first.message.text() == "The two differ. Enter them again."
    first.again.clear()
    QTest.keyClicks(first.again, "1234")
    QTest.keyClick(first.again, Qt.Key.Key_Return)
    assert backend.of(AddOperator) == [AddOperator(name="Ada Roth", role="dentist", pin="1234")]
    assert backend.of(Login) == [Login(operator_id="op-new", pin="1234")]


# notices, demo, end


def test_a_refusal_that_nobody_took_is_shown_until_it_was_read(window: MainWindow, backend: Backend) -> None:
    backend.answers[Logout] = Refused(
        code="no", text=Text("test.say", {"text": "Not now."}), remedy=Text("test.say", {"text": "Hold it first."})
    )
    window.store.ask(Logout())
    window.store.ask(Logout())
    assert window.notices.isVisible()
    assert (window.notices.text.text(), window.notices.remedy.text()) == ("Not now.", "Hold it first.")
    press(window, window.notices.dismiss)
    assert window.notices.isHidden(), "the same sentence twice is one notice"


def test_the_workstations_notice_is_shown_once(window: MainWindow, sample: Sample) -> None:
    notice = Text("test.say", {"text": "The engine restarted."})
    window.store.apply(sample.workstation(notice=notice))
    press(window, window.notices.dismiss)
    window.store.apply(sample.workstation(notice=notice))
    assert window.notices.isHidden()


def test_the_demo_breaks_what_is_asked_at_the_chair_that_is_chosen(window: MainWindow, demo: Broken) -> None:
    assert window.strip is not None
    assert window.demo is not None
    press(window, window.strip.buttons["break"])
    press(window, window.demo.chairs.button("3"))
    for group, names in GROUPS.items():
        press(window, window.demo.groups.button(group))
        for name in names:
            press(window, window.demo.buttons[name])
    assert demo.asked == [(3, name) for name in FAULTS]
    window._close_panels()
    press(window, window.strip.buttons["dismiss"])
    assert window.strip.isHidden()
    window.open_chair(2)
    press(window, window.top.mark)
    press(window, window.demo.groups.button("body"))
    press(window, window.demo.buttons["sugar"])
    assert demo.asked[-1] == (2, "sugar")
    demo.gone = True
    press(window, window.demo.buttons["sugar"])
    assert "does not answer" in " ".join(label.text() for label in window.notices.findChildren(QLabel))


def test_all_that_can_be_broken_fits_the_smallest_usual_screen(window: MainWindow, demo: Broken) -> None:
    window.resize(1280, 800)
    assert window.demo is not None
    press(window, window.top.mark)
    for group, names in GROUPS.items():
        press(window, window.demo.groups.button(group))
        QApplication.processEvents()
        for name in names:
            button = window.demo.buttons[name]
            assert button.visibleRegion().boundingRect() == button.rect(), f"{name} is cut"
            assert button.fontMetrics().horizontalAdvance(button.text()) < button.width() - 16, name
            assert button.accessibleName()
            assert button.accessibleDescription()
        for label in window.demo.findChildren(QLabel):
            if label.isVisible():
                needed = label.heightForWidth(label.width()) if label.wordWrap() else label.sizeHint().height()
                assert label.visibleRegion().boundingRect() == label.rect(), label.text()
                assert needed <= max(label.height(), 48), label.text()
    QTest.keyClick(window.demo.buttons["replay"], Qt.Key.Key_Space)
    assert demo.asked == [(window.store.current or 1, "replay")]


def test_run_a_procedure_goes_to_a_free_chair_and_watch_to_a_busy_one(window: MainWindow) -> None:
    assert window.strip is not None
    press(window, window.strip.buttons["run"])
    assert window.store.current == 1
    window.show_page("chairs")
    press(window, window.strip.buttons["watch"])
    assert window.store.current == 2


def test_closing_during_therapy_asks_and_holds(window: MainWindow) -> None:
    agreed: list[bool] = []
    window.close_agreed.connect(agreed.append)
    window.close()
    assert window.isVisible()
    assert window.question.isVisible()
    assert QApplication.focusWidget() is window.question.no
    press(window, window.question.no)
    assert agreed == []
    assert window.isVisible()
    window.close()
    press(window, window.question.yes)
    assert agreed == [True]
    assert not window.isVisible()


def test_closing_with_nobody_treated_does_not_ask(window: MainWindow, sample: Sample) -> None:
    agreed: list[bool] = []
    window.close_agreed.connect(agreed.append)
    window.store.apply(sample.chair(2, "held", lease_until_monotonic=None))
    window.store.apply(sample.chair(4, "idle"))
    window.close()
    assert agreed == [False]
    assert not window.isVisible()


def test_dark_and_light_at_run_time(window: MainWindow, sample: Sample) -> None:
    def ground() -> int:
        return window.grab().toImage().pixelColor(window.width() - 4, 60).lightness()

    assert ground() > 200
    press(window, window.top.person)
    press(window, window.menu.mode)
    QApplication.processEvents()
    assert ground() < 60
    press(window, window.top.person)
    press(window, window.menu.mode)
    QApplication.processEvents()
    assert ground() > 200


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_pictures_of_the_shell(
    window: MainWindow, sample: Sample, snap: Callable[..., object], mode: str, size: tuple[int, int]
) -> None:
    """Looked at beside the drawings; the test sees to it that they can be made, and differ."""
    alarms = (sample.alarm(AlarmPriority.MEDIUM, 4), sample.alarm(AlarmPriority.LOW, 3))
    window.store.apply(sample.workstation(*alarms))
    for place in ("chairs", "safety", "setup"):
        window.show_page(place)
        snap(window, f"shell-{place}", mode, size)
    press(window, window.bottom.beacon)
    snap(window, "shell-alarms", mode, size)
    lock(window, sample)
    snap(window, "shell-lock", mode, size)

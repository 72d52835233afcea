"""Safety and Set-up: clicks in, requests out, and what is said when the answer is no."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from app.console import status
from app.console.chair_card import ChairCard
from app.console.safety_page import SafetyPage
from app.console.setup_page import SetupPage
from app.console.store import Store
from app.console.trends import Trends
from app.ipc.evidence_messages import ChairEvidence
from app.ipc.messages import (
    AddOperator,
    AttachDevice,
    CloseOperator,
    Devices,
    ForgetDevice,
    ListLog,
    LogEntry,
    LogPage,
    Refused,
    Scan,
)
from core.model.clock import ManualClock
from core.model.hub import DeviceSeen, LinkState
from core.model.words import Text, Words, load_words
from core.signals.catalogue import load_catalogue
from widgets import theme

Sample = Any
Backend = Any


def shown(page: QWidget) -> list[str]:
    """Every sentence on the page, once its layout has settled."""
    QApplication.processEvents()
    return [label.text() for label in page.findChildren(QLabel) if label.isVisibleTo(page)]


def entry(at_us: int, kind: str) -> LogEntry:
    return LogEntry(chair=2, at_us=at_us, kind=kind, text=Text("test.say", {"text": f"{kind} {at_us}"}))


@pytest.fixture
def clinic(store: Store, sample: Sample) -> Store:
    store.apply(sample.chair(1, "idle"))
    store.apply(sample.chair(2, "treating"))
    store.apply(sample.workstation(chairs=(1, 2)))
    return store


@pytest.fixture
def safety(clinic: Store, words: Words) -> Iterator[SafetyPage]:
    page = SafetyPage(clinic, words)
    page.resize(1192, 664)
    page.show()
    yield page
    page.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def setup(clinic: Store, words: Words) -> Iterator[SetupPage]:
    page = SetupPage(clinic, words)
    page.resize(1192, 664)
    page.show()
    page.activated()
    yield page
    page.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def click(button: QWidget) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_log_is_paged_and_filtered_by_chair_and_kind(safety: SafetyPage, backend: Backend) -> None:
    backend.answers[ListLog] = LogPage(entries=(entry(30, "alarm"), entry(20, "event")), more=True)
    safety.activated()
    assert backend.of(ListLog)[-1] == ListLog(chair=0, before_us=None, limit=100)
    assert safety.log.log.rowCount() == 2
    backend.answers[ListLog] = LogPage(entries=(entry(10, "alarm"),), more=False)
    click(safety.older)
    assert backend.of(ListLog)[-1] == ListLog(chair=0, before_us=20, limit=100)
    assert [safety.log.log.entry(row).at_us for row in range(3)] == [30, 20, 10]
    assert not safety.older.isVisible()
    click(safety.kinds.button("alarm"))
    assert [safety.log.log.entry(row).at_us for row in range(safety.log.log.rowCount())] == [30, 10]
    click(safety.kinds.button("command"))
    assert "Nothing in the log matches. Choose other chairs or kinds." in shown(safety)
    click(safety.chairs.button("2"))
    assert backend.of(ListLog)[-1] == ListLog(chair=2, before_us=None, limit=100)


def test_a_log_that_cannot_be_read_says_why(safety: SafetyPage, backend: Backend) -> None:
    text, remedy = Text("test.say", {"text": "Records are locked."}), Text("test.say", {"text": "Log in."})
    backend.answers[ListLog] = Refused(code="reader.closed", text=text, remedy=remedy)
    safety.activated()
    assert "Records are locked. Log in." in shown(safety)


def test_an_answer_to_an_older_question_is_dropped(safety: SafetyPage, backend: Backend) -> None:
    late: list[Any] = []
    backend.request = lambda body, done: late.append(done)
    safety.activated()
    click(safety.chairs.button("2"))
    late[1](LogPage(entries=(entry(7, "event"),), more=False))
    late[0](LogPage(entries=(entry(8, "event"), entry(6, "event")), more=False))
    assert [safety.log.log.entry(row).at_us for row in range(safety.log.log.rowCount())] == [7]


def test_safety_tells_until_when_the_logs_are_witnessed_and_by_whom(
    safety: SafetyPage, clinic: Store, sample: Sample, clock: ManualClock
) -> None:
    now_us = clock.utc_us()
    hub, chair = Text("evidence.hub", {"name": "SH-1"}), Text("evidence.chair", {"name": "2"})
    first = ChairEvidence(chair=1, until_us=now_us + 60_000_000, witnesses=(hub, chair))
    second = ChairEvidence(chair=2, until_us=now_us, witnesses=(hub,))
    clinic.apply(sample.workstation(evidence=(first, second)))
    assert safety.evidence.text() == f"Log witnessed until {status.local_time(now_us)} by hub SH-1, chair 2"
    clinic.apply(sample.workstation(evidence=(first, msgspec.structs.replace(second, until_us=now_us - 10**12))))
    assert re.search(r"until \d+ \w+ \d{4}, \d\d:\d\d by", safety.evidence.text()), "another day is named"
    clinic.apply(sample.workstation(evidence=(first, ChairEvidence(chair=2, until_us=None))))
    assert safety.evidence.text() == "Log not witnessed yet: chair 2"
    clinic.apply(sample.workstation())
    assert safety.evidence.text() == "Not known until when the log is witnessed"
    clinic.apply(sample.workstation(evidence=(first, second)))
    clinic.set_link(False)
    assert safety.evidence.text() == "Not known until when the log is witnessed"


def test_nothing_alarms_is_said_and_not_left_blank(safety: SafetyPage, sample: Sample) -> None:
    assert "Nothing alarms." in shown(safety)
    safety.store.apply(sample.workstation(sample.alarm(), chairs=(1, 2)))
    assert "Nothing alarms." not in shown(safety)
    assert set(safety.seen_buttons) == {"alarm-2-3"}


def test_scan_connect_to_the_chosen_chair(setup: SetupPage, backend: Backend) -> None:
    hub = DeviceSeen(address="F0:99", name="Smilescape hub", kind="hub", rssi_dbm=-48)
    other = DeviceSeen(address="AA:01", name="Headset", kind="other", rssi_dbm=-40)
    bound = DeviceSeen(address="F0:00:00:00:00:01", name="Smilescape hub", kind="hub", rssi_dbm=-50)
    backend.answers[Scan] = Devices(devices=(other, bound, hub))
    click(setup.devices.scan)
    assert backend.of(Scan) == [Scan(seconds=3.0)]
    assert set(setup.devices.connect_buttons) == {"F0:99"}, "neither what is bound nor what is no device of ours"
    click(setup.devices.chair.button("2"))
    click(setup.devices.connect_buttons["F0:99"])
    assert backend.of(AttachDevice) == [AttachDevice(chair=2, address="F0:99", kind="hub")]
    assert "Smilescape hub now belongs to chair 2." in shown(setup)


def test_a_scan_that_fails_says_why_and_can_be_repeated(setup: SetupPage, backend: Backend) -> None:
    text = Text("test.say", {"text": "Bluetooth does not answer."})
    backend.answers[Scan] = Refused(code="radio", text=text)
    click(setup.devices.scan)
    assert "Bluetooth does not answer." in shown(setup)
    assert setup.devices.scan.isEnabled()


def test_forgetting_a_device_asks_in_its_place_and_never_during_treatment(setup: SetupPage, backend: Backend) -> None:
    address = "F0:00:00:00:00:01"
    click(setup.devices.forget_buttons[address])
    assert backend.of(ForgetDevice) == []
    assert "Forget it at chair 1? What it recorded stays." in shown(setup)
    click(setup.devices.confirm_buttons[address])
    assert backend.of(ForgetDevice) == [ForgetDevice(chair=1, address=address)]
    assert not setup.devices.forget_buttons["F0:00:00:00:00:02"].isEnabled()


def test_old_signal_and_battery_are_not_shown_as_live(setup: SetupPage, sample: Sample, clock: ManualClock) -> None:
    assert any("−54 dBm, battery 82 %" in text for text in shown(setup))
    clock.advance(3)
    setup.store.apply(sample.workstation(chairs=(1, 2)))
    setup.store.apply(sample.chair(2, "link_lost"))
    setup.devices.refresh()
    assert not any("dBm" in text for text in shown(setup))
    assert "Hub: Lost" in shown(setup)
    assert sample.chair(2, "link_lost").link is LinkState.LOST


def test_people_are_added_with_a_pin_and_closed_after_a_question(setup: SetupPage, backend: Backend) -> None:
    setup.show_pane("people")
    pane = setup.people
    QTest.keyClicks(pane.name, "Lea Stone")
    QTest.keyClicks(pane.pin, "12a4")
    QTest.keyClicks(pane.again, "12a4")
    click(pane.add)
    assert backend.of(AddOperator) == []
    assert "Enter 4 to 12 digits, or a passphrase of at least 12 characters." in shown(setup)
    for field in (pane.pin, pane.again):
        field.clear()
        QTest.keyClicks(field, "4711")
    click(pane.role.button("dentist"))
    click(pane.add)
    assert backend.of(AddOperator) == [AddOperator(name="Lea Stone", role="dentist", pin="4711")]
    assert pane.pin.text() == pane.again.text() == ""
    assert set(pane.close_buttons) == {"op-jon"}, "nobody closes their own account"
    click(pane.close_buttons["op-jon"])
    assert backend.of(CloseOperator) == []
    click(pane.confirm_buttons["op-jon"])
    assert backend.of(CloseOperator) == [CloseOperator(operator_id="op-jon")]


def test_settings_emit_what_is_chosen(setup: SetupPage) -> None:
    modes: list[str] = []
    screens: list[bool] = []
    setup.mode_chosen.connect(modes.append)
    setup.patient_screen_wanted.connect(screens.append)
    setup.show_pane("settings")
    click(setup.settings.mode.button("dark"))
    click(setup.settings.patient_screen.button("on"))
    click(setup.settings.patient_screen.button("off"))
    assert modes == ["dark"]
    assert screens == [True, False]
    assert "/home/mira/smilescape" in shown(setup)


def test_a_young_trend_draws_nothing_before_its_first_value(clinic: Store, sample: Sample, clock: ManualClock) -> None:
    trends = Trends(clinic)
    for _ in range(6):
        clinic.apply(sample.chair(2, "treating", values={"heart_rate": 70.0}))
        clock.advance(1)
    assert trends.window(2, "heart_rate") == 60
    card = ChairCard(clinic, load_words(), trends, 2)
    card.resize(572, 278)
    card.show()
    clinic.apply(sample.chair(2, "treating", values={"heart_rate": 70.0}, limits=()))
    card.refresh()
    image = card.spark.grab().toImage()
    trace = QColor(theme.tokens().traces[load_catalogue().key("heart_rate").trace])
    drawn = [x for x in range(image.width()) if any(image.pixelColor(x, y) == trace for y in range(image.height()))]
    assert drawn
    assert drawn[0] > image.width() * 0.85, "six seconds of a minute"
    for _ in range(100):
        clinic.apply(sample.chair(2, "treating", values={"heart_rate": 70.0}))
        clock.advance(1)
    assert trends.window(2, "heart_rate") == 120
    card.deleteLater()


def test_a_trend_keeps_ten_minutes_breaks_at_gaps_and_says_since_when_it_is_silent(
    clinic: Store, sample: Sample, clock: ManualClock
) -> None:
    trends = Trends(clinic)
    for second in range(700):
        clock.advance(1)
        if 300 <= second < 310:
            continue
        clinic.apply(sample.chair(2, "treating", values={"heart_rate": 60 + second}))
    t, y, silent = trends.line(2, "heart_rate")
    assert silent is None
    assert t[-1] - t[0] == pytest.approx(600, abs=2)
    assert y[-1] == 759
    assert np.isnan(y).sum() == 1, "the gap is a break, not a slope"
    last = clock.monotonic()
    clock.advance(20)
    t, y, silent = trends.line(2, "heart_rate")
    assert silent == last
    assert np.isnan(y[-1])

"""Set-up, Keys: what is shown of each key, and what clicks and keys ask of the engine."""

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QWidget

from app.console.setup_keys import KeysPane
from app.console.setup_page import SetupPage
from app.console.store import Store
from app.ipc import key_messages as ipc
from app.ipc.messages import AttachDevice, Devices, Refused, Scan
from core.model.hub import DeviceSeen
from core.model.keys import KeyKind, KeyRow, KeyState
from core.model.people import Operator, Role
from core.model.words import Text, Words
from widgets.key_line import KeyLine

Sample = Any
Backend = Any
DAY_US = 86_400_000_000
NOW_US = 1_800_000_000_000_000


def row(kind: KeyKind, holder: str, kid: str, state: KeyState = KeyState.IN_FORCE, **changes: Any) -> KeyRow:
    base: dict[str, Any] = {
        "kind": kind,
        "name": holder,
        "holder": holder,
        "kid": kid,
        "issued_us": NOW_US - 200 * DAY_US if kid else 0,
        "expires_us": NOW_US + 165 * DAY_US if kid else 0,
        "state": state,
    }
    return KeyRow(**{**base, **changes})


MINE = row(KeyKind.CLINICIAN, "op-mira", "5C0E 91A2 7B44 D310", name="Mira Chen", mine=True)
ADA = row(KeyKind.CLINICIAN, "op-ada", "1A2B 3C4D 5E6F 7081", KeyState.SOON, name="Dr. Ada Moor")
IVO = row(KeyKind.CLINICIAN, "op-ivo", "", KeyState.NONE, name="Dr. Ivo Karp")
GONE = row(
    KeyKind.CLINICIAN,
    "op-lee",
    "77F0 12AB 9C3D 0E55",
    KeyState.REVOKED,
    name="Dr. Lee",
    reason="@keys.reason.left",
    revoked_by="op-mira",
)
STATION = row(KeyKind.WORKSTATION, "Workstation 7KQ2MX", "A0B1 C2D3 E4F5 0617", mine=True)
HUB = row(KeyKind.HUB, "SH-0001", "0F1E 2D3C 4B5A 6978", chair=1)
AWAY = row(KeyKind.HUB, "SH-0002", "8899 AABB CCDD EEFF", KeyState.EXPIRED)
ROWS = (MINE, ADA, IVO, GONE, STATION, HUB, AWAY)


def keys(*rows: KeyRow, **changes: Any) -> ipc.Keys:
    base: dict[str, Any] = {
        "rows": rows or ROWS,
        "root": "D2C4 0A91 77E8 3B5F",
        "list_number": 7,
        "list_issued_us": NOW_US,
        "behind": False,
        "unlocked": True,
        "makers": ("Acme hubs",),
    }
    return ipc.Keys(**{**base, **changes})


def key(one: KeyRow) -> tuple[str, str]:
    return one.holder, one.kid


def shown(page: QWidget) -> list[str]:
    QApplication.processEvents()
    return [label.text() for label in page.findChildren(QLabel) if label.isVisibleTo(page)]


def click(button: QWidget) -> None:
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture
def setup(store: Store, sample: Sample, words: Words, backend: Backend) -> Iterator[SetupPage]:
    store.apply(sample.chair(1, "idle"))
    store.apply(sample.chair(2, "treating"))
    store.apply(sample.workstation(chairs=(1, 2)))
    backend.answers[ipc.ListKeys] = keys()
    page = SetupPage(store, words)
    page.resize(1192, 664)
    page.show()
    page.activateWindow()
    QApplication.processEvents()
    yield page
    page.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def pane(setup: SetupPage) -> KeysPane:
    click(setup.tabs.button("keys"))
    return setup.keys


def choose(pane: KeysPane, one: KeyRow) -> None:
    QApplication.processEvents()
    click(pane.lines[key(one)])


def log_in(store: Store, sample: Sample, who: Operator | None) -> None:
    store.apply(sample.workstation(operator=who, chairs=(1, 2)))


# what is shown


def test_every_key_has_its_state_by_word_and_by_shape(pane: KeysPane) -> None:
    lines = {one.name: pane.lines[key(one)] for one in ROWS}
    assert [line.words for line in lines.values()] == [
        ("Mira Chen", "5C0E 91A2 7B44 D310, until 29 Jun 2027", "In force"),
        ("Dr. Ada Moor", "1A2B 3C4D 5E6F 7081, until 29 Jun 2027", "Ends soon"),
        ("Dr. Ivo Karp", "Cannot sign orders. Needs a new PIN.", "No key"),
        ("Dr. Lee", "77F0 12AB 9C3D 0E55, Account closed", "Revoked"),
        ("Workstation 7KQ2MX", "A0B1 C2D3 E4F5 0617, until 29 Jun 2027", "In force"),
        ("SH-0001", "0F1E 2D3C 4B5A 6978, until 29 Jun 2027", "In force"),
        ("SH-0002", "8899 AABB CCDD EEFF, ended 29 Jun 2027", "Expired"),
    ]
    pictures = {
        line.state: bytes(line.grab().toImage().copy(12, 18, 24, 24).bits())  # the mark alone
        for line in (KeyLine(state, title="", detail="", word="") for state in KeyState)
    }
    assert len(set(pictures.values())) == len(KeyState), "no two states look alike"
    said = shown(pane)
    assert "Root D2C4 0A91 77E8 3B5F. Revocation list 7 of 15 Jan 2027. Makers trusted: Acme hubs." in said
    assert lines["Mira Chen"].accessibleName() == "Mira Chen, You, In force, 5C0E 91A2 7B44 D310, until 29 Jun 2027"
    assert lines["SH-0001"].accessibleName().startswith("SH-0001, Chair 1, In force")


def test_ones_own_key_is_chosen_at_first_and_another_one_by_click_or_arrow(pane: KeysPane) -> None:
    assert pane.lines[key(MINE)].isChecked()
    assert pane.detail.title.text() == "Mira Chen"
    choose(pane, GONE)
    assert pane.detail.title.text() == "Dr. Lee"
    assert {"Account closed", "Mira Chen", "77F0 12AB 9C3D 0E55"} <= set(shown(pane.detail))
    assert pane.detail.buttons == {}, "what is revoked stays so"
    pane.lines[key(GONE)].setFocus()
    QTest.keyClick(pane.lines[key(GONE)], Qt.Key.Key_Down)
    assert pane.lines[key(STATION)].isChecked()
    assert pane.detail.title.text() == "Workstation 7KQ2MX"


def test_who_may_do_what_about_which_key(pane: KeysPane) -> None:
    offered = {}
    for one in ROWS:
        choose(pane, one)
        offered[one.name] = list(pane.detail.buttons)
    assert offered == {
        "Mira Chen": ["change_pin", "replace"],
        "Dr. Ada Moor": ["revoke", "new_pin"],
        "Dr. Ivo Karp": ["new_pin"],
        "Dr. Lee": [],
        "Workstation 7KQ2MX": ["renew", "replace"],
        "SH-0001": ["revoke", "renew", "replace"],
        "SH-0002": ["revoke"],
    }
    choose(pane, AWAY)
    assert "Connect it at a chair to renew or replace its key." in shown(pane)


def test_a_file_from_a_backup_and_a_missing_maker_are_said(pane: KeysPane, backend: Backend) -> None:
    backend.answers[ipc.ListKeys] = keys(behind=True, makers=())
    pane.refresh()
    said = pane.message.text()
    assert "this file came from a backup" in said
    assert "main.py keys trust-maker" in said


def test_without_an_open_root_nothing_is_offered_but_ones_own_pin(pane: KeysPane, backend: Backend) -> None:
    backend.answers[ipc.ListKeys] = keys(unlocked=False)
    pane.refresh()
    for one in ROWS:
        choose(pane, one)
        assert list(pane.detail.buttons) == (["change_pin"] if one is MINE else [])
        assert "Your key is not open here" in pane.detail.message.text()


def test_a_practice_without_hubs_says_how_one_comes(pane: KeysPane, backend: Backend) -> None:
    backend.answers[ipc.ListKeys] = keys(MINE, STATION)
    pane.refresh()
    assert "No hub is enrolled. Find one in Devices and press Enrol." in shown(pane)


def test_keys_that_cannot_be_read_are_no_blank_page(pane: KeysPane, backend: Backend) -> None:
    text = Text("test.say", {"text": "This practice has no keys yet."})
    backend.answers[ipc.ListKeys] = Refused(
        code="keys.not_founded", text=text, remedy=Text("test.say", {"text": "Log in once."})
    )
    pane.refresh()
    assert "This practice has no keys yet. Log in once." in shown(pane)
    assert pane.lines == {}
    assert pane.detail.buttons == {}


def test_while_the_engine_thinks_the_page_says_so_and_an_old_answer_is_dropped(
    setup: SetupPage, backend: Backend
) -> None:
    late: list[Any] = []
    backend.request = lambda body, done: late.append(done)
    click(setup.tabs.button("keys"))
    assert "Reading the keys." in shown(setup.keys)
    setup.keys.refresh()
    late[1](keys(MINE, STATION))
    late[0](keys())
    assert set(setup.keys.lines) == {key(MINE), key(STATION)}


def test_an_assistant_sees_no_key_and_changes_their_own_pin(
    setup: SetupPage, store: Store, sample: Sample, backend: Backend
) -> None:
    log_in(store, sample, sample.jon)
    click(setup.tabs.button("keys"))
    pane = setup.keys
    assert backend.of(ipc.ListKeys) == []
    assert "Only a dentist sees the keys. Your own PIN you can change here." in shown(pane)
    assert list(pane.detail.buttons) == ["change_pin"]
    click(pane.detail.buttons["change_pin"])
    for name, typed in (("old", "4711"), ("new", "739154"), ("again", "739154")):
        QTest.keyClicks(pane.detail.form.fields[name], typed)
    click(pane.detail.buttons["change_pin"])
    assert backend.of(ipc.ChangePin) == [ipc.ChangePin(operator_id="op-jon", old="4711", new="739154")]


def test_what_the_last_person_saw_is_gone_with_them(pane: KeysPane, store: Store, sample: Sample) -> None:
    assert pane.lines
    log_in(store, sample, None)
    assert pane.lines == {}
    assert pane.detail.buttons == {}
    log_in(store, sample, sample.jon)
    assert pane.lines == {}


# what is done


def test_a_key_is_revoked_after_a_sentence_and_with_a_reason(pane: KeysPane, backend: Backend) -> None:
    choose(pane, HUB)
    click(pane.detail.buttons["revoke"])
    assert "speaks with SH-0001 any more" in pane.detail.message.text()
    assert list(pane.detail.buttons) == ["keep", "revoke"]
    assert pane.detail.buttons["revoke"].role == "pri"
    click(pane.detail.buttons["revoke"])
    assert backend.of(ipc.RevokeKey) == []
    assert pane.detail.message.text() == "A reason is needed. Say in a few words what happened."
    field = pane.detail.form.fields["reason"]
    assert field.echoMode() == QLineEdit.EchoMode.Normal
    QTest.keyClicks(field, "lost on the train")
    revoked = row(KeyKind.HUB, HUB.holder, HUB.kid, KeyState.REVOKED, reason="lost on the train", revoked_by="op-x")
    backend.answers[ipc.ListKeys] = keys(MINE, STATION, revoked)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert backend.of(ipc.RevokeKey) == [ipc.RevokeKey(kid=HUB.kid, reason="lost on the train")]
    assert pane.detail.title.text() == "SH-0001"
    assert pane.detail.message.text() == "Revoked. Hubs learn it when they are met next."
    assert pane.lines[key(HUB)].words[2] == "Revoked"
    click(pane.detail.buttons["take_back"])
    QTest.keyClicks(pane.detail.form.fields["reason"], "found")
    click(pane.detail.buttons["take_back"])
    assert backend.of(ipc.TakeBack) == [ipc.TakeBack(kid=HUB.kid, reason="found")]


def test_keep_and_another_key_leave_everything_as_it_was(pane: KeysPane, backend: Backend) -> None:
    choose(pane, ADA)
    click(pane.detail.buttons["revoke"])
    QTest.keyClicks(pane.detail.form.fields["reason"], "a mis")
    click(pane.detail.buttons["keep"])
    assert list(pane.detail.buttons) == ["revoke", "new_pin"]
    assert pane.detail.message.text() == ""
    click(pane.detail.buttons["revoke"])
    assert pane.detail.form.value("reason") == ""
    choose(pane, HUB)
    assert pane.detail.form.fields == {}
    assert [body for body in backend.asked if not isinstance(body, ipc.ListKeys)] == []


def test_a_reply_in_the_background_takes_no_words_out_of_ones_mouth(pane: KeysPane) -> None:
    choose(pane, ADA)
    click(pane.detail.buttons["revoke"])
    QTest.keyClicks(pane.detail.form.fields["reason"], "PIN se")
    pane.refresh()
    QTest.keyClicks(pane.detail.form.fields["reason"], "en")
    assert pane.detail.form.value("reason") == "PIN seen"


def test_a_workstation_is_renewed_at_once_and_replaced_with_its_reason(pane: KeysPane, backend: Backend) -> None:
    choose(pane, STATION)
    click(pane.detail.buttons["renew"])
    assert backend.of(ipc.RenewKeys) == [ipc.RenewKeys()]
    assert pane.detail.message.text() == "Renewed."
    click(pane.detail.buttons["replace"])
    QTest.keyClicks(pane.detail.form.fields["reason"], "stolen")
    fresh = row(KeyKind.WORKSTATION, STATION.holder, "0000 1111 2222 3333", mine=True)
    old = row(KeyKind.WORKSTATION, STATION.holder, STATION.kid, KeyState.REVOKED, reason="stolen")
    backend.answers[ipc.ListKeys] = keys(MINE, fresh, old)
    click(pane.detail.buttons["replace"])
    assert backend.of(ipc.RotateWorkstation) == [ipc.RotateWorkstation(reason="stolen")]
    assert pane.lines[key(fresh)].isChecked(), "the successor is shown, not the one that was revoked"
    assert pane.detail.message.text() == "Replaced. The old key is revoked."


def test_a_hub_is_renewed_and_replaced_at_its_chair(pane: KeysPane, backend: Backend) -> None:
    choose(pane, HUB)
    click(pane.detail.buttons["renew"])
    assert backend.of(ipc.RenewHub) == [ipc.RenewHub(chair=1)]
    click(pane.detail.buttons["replace"])
    assert "What is still in its memory is lost" in pane.detail.message.text()
    QApplication.processEvents()
    assert pane.detail.buttons["keep"].hasFocus(), "the answer that changes nothing comes first"
    click(pane.detail.buttons["replace"])
    assert backend.of(ipc.RotateHub) == [ipc.RotateHub(chair=1)]


def test_ones_own_key_is_replaced_with_ones_pin_which_is_never_shown(pane: KeysPane, backend: Backend) -> None:
    click(pane.detail.buttons["replace"])
    field = pane.detail.form.fields["own"]
    assert field.echoMode() == QLineEdit.EchoMode.Password
    QTest.keyClicks(field, "73a")
    click(pane.detail.buttons["replace"])
    assert backend.of(ipc.RotateMine) == []
    assert pane.detail.message.text() == "Enter 4 to 12 digits, or a passphrase of at least 12 characters."
    field.clear()
    QTest.keyClicks(field, "739154")
    backend.answers[ipc.RotateMine] = Refused(code="pin", text=Text("refused.pin"), remedy=Text("refused.pin_remedy"))
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert backend.of(ipc.RotateMine) == [ipc.RotateMine(pin="739154")]
    assert pane.detail.message.text() == "Wrong PIN or passphrase. Try again."
    assert field.text() == "", "no PIN stays on the screen"
    assert list(pane.detail.buttons) == ["keep", "replace"], "and it can be tried again at once"


def test_somebody_who_forgot_their_pin_gets_a_new_one(pane: KeysPane, backend: Backend) -> None:
    choose(pane, IVO)
    click(pane.detail.buttons["new_pin"])
    fields = pane.detail.form.fields
    assert list(fields) == ["new", "again"]
    QTest.keyClicks(fields["new"], "739154")
    QTest.keyClicks(fields["again"], "739155")
    click(pane.detail.buttons["new_pin"])
    assert pane.detail.message.text() == "The two differ. Enter them again."
    fields["again"].clear()
    QTest.keyClicks(fields["again"], "739154")
    QTest.keyClick(fields["again"], Qt.Key.Key_Return)
    assert backend.of(ipc.ResetPin) == [ipc.ResetPin(operator_id="op-ivo", pin="739154")]
    assert pane.detail.message.text() == "The new PIN counts from now on."


def test_nothing_is_sent_twice_while_it_is_under_way(pane: KeysPane, backend: Backend) -> None:
    choose(pane, STATION)
    backend.silent = True
    click(pane.detail.buttons["renew"])
    assert pane.detail.message.text() == "Working."
    assert not any(button.isEnabled() for button in pane.detail.buttons.values())
    QTest.mouseClick(pane.detail.buttons["renew"], Qt.MouseButton.LeftButton)
    assert len(backend.of(ipc.RenewKeys)) == 1


def test_the_demo_has_no_pin_to_change(setup: SetupPage, store: Store, sample: Sample, backend: Backend) -> None:
    demo = Operator(id="op-demo", name="Demo dentist", role=Role.DENTIST, demo=True)
    mine = row(KeyKind.CLINICIAN, "op-demo", "5C0E 91A2 7B44 D310", name="Demo dentist", mine=True)
    backend.answers[ipc.ListKeys] = keys(mine, STATION)
    log_in(store, sample, demo)
    click(setup.tabs.button("keys"))
    assert list(setup.keys.detail.buttons) == ["replace"]
    click(setup.keys.detail.buttons["replace"])
    click(setup.keys.detail.buttons["replace"])
    assert backend.of(ipc.RotateMine) == [ipc.RotateMine(pin="")]


# a hub becomes one of the practice


def test_a_new_hub_is_enrolled_by_the_number_that_is_printed_on_it(setup: SetupPage, backend: Backend) -> None:
    hub = DeviceSeen(address="7A:11", name="Hub", kind="hub", rssi_dbm=-48)
    strap = DeviceSeen(address="7A:22", name="Strap", kind="heart_rate", rssi_dbm=-50)
    backend.answers[Scan] = Devices(devices=(hub, strap))
    devices = setup.devices
    click(devices.scan)
    assert set(devices.enrol_buttons) == {"7A:11"}, "of hubs only"
    click(devices.chair.button("2"))
    click(devices.enrol_buttons["7A:11"])
    assert backend.of(AttachDevice) == []
    assert any("one whose button was held" in text for text in shown(devices))
    click(devices.confirm_buttons["7A:11"])
    assert backend.of(AttachDevice) == []
    assert "The serial number that is printed on the hub is needed." in shown(devices)
    assert devices.serial.hasFocus()
    QTest.keyClicks(devices.serial, " SH-0007 ")
    QTest.keyClick(devices.serial, Qt.Key.Key_Return)
    assert backend.of(AttachDevice) == [
        AttachDevice(chair=2, address="7A:11", kind="hub", enrol=True, serial="SH-0007")
    ]


def test_an_assistant_connects_known_hubs_and_enrols_none(
    setup: SetupPage, store: Store, sample: Sample, backend: Backend
) -> None:
    log_in(store, sample, sample.jon)
    backend.answers[Scan] = Devices(devices=(DeviceSeen(address="7A:11", name="Hub", kind="hub", rssi_dbm=-48),))
    click(setup.devices.scan)
    assert setup.devices.enrol_buttons == {}
    click(setup.devices.connect_buttons["7A:11"])
    assert backend.of(AttachDevice) == [AttachDevice(chair=1, address="7A:11", kind="hub")]


def test_every_sentence_exists_and_every_target_is_big_enough(setup: SetupPage, pane: KeysPane) -> None:
    def look() -> None:
        QApplication.processEvents()
        for widget in setup.findChildren(QWidget):
            said = [widget.accessibleName()]
            if isinstance(widget, QAbstractButton | QLabel):
                said.append(widget.text())
            assert not [text for text in said if text.startswith("[") or "{" in text], said
            if isinstance(widget, QAbstractButton | QLineEdit) and widget.isVisible():
                assert widget.height() >= 48, widget.accessibleName()
                assert widget.accessibleName()

    for one in ROWS:
        choose(pane, one)
        look()
        for name in list(pane.detail.buttons):
            if name != "renew":
                click(pane.detail.buttons[name])
                look()
                click(pane.detail.buttons["keep"])

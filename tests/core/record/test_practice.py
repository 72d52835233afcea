"""The practice's own file."""

from pathlib import Path

import pytest

from core.model.clock import ManualClock
from core.model.people import Operator, Role
from core.record import DeviceTaken, NotFound, PracticeFile, WrongKey

KEY = bytes(range(32))
EVA = Operator(id="o1", name="Eva Lind", role=Role.DENTIST)
DEMO = Operator(id="o2", name="Demo", role=Role.DENTIST, demo=True)


@pytest.fixture
def file(tmp_path: Path, clock: ManualClock) -> PracticeFile:
    return PracticeFile.create(tmp_path / "practice.sqlite", KEY, clock=clock)


def again(tmp_path: Path, file: PracticeFile, clock: ManualClock) -> PracticeFile:
    file.close()
    return PracticeFile.open(tmp_path / "practice.sqlite", KEY, clock=clock)


def test_operators_are_closed_and_never_gone(tmp_path: Path, file: PracticeFile, clock: ManualClock) -> None:
    file.add_operator(EVA, "hash 1")
    file.add_operator(DEMO, "")
    file.set_pin_hash("o1", "hash 2")
    file = again(tmp_path, file, clock)
    assert file.operators() == [DEMO, EVA]
    assert (file.pin_hash("o1"), file.pin_hash("o2")) == ("hash 2", "")
    file.close_operator("o1")
    assert file.operators() == [DEMO]
    closed = file.operator("o1")
    assert closed is not None
    assert (closed.name, closed.active) == ("Eva Lind", False)
    assert len(file.operators(closed=True)) == 2
    for unknown in (file.pin_hash, file.close_operator):
        with pytest.raises(NotFound):
            unknown("o3")
    file.close()
    assert b"Eva Lind" not in (tmp_path / "practice.sqlite").read_bytes()
    with pytest.raises(WrongKey):
        PracticeFile.open(tmp_path / "practice.sqlite", bytes(32), clock=clock)


def test_a_device_belongs_to_one_chair(tmp_path: Path, file: PracticeFile, clock: ManualClock) -> None:
    file.bind_device(1, "hub", "AA:01", "Hub A")
    file.bind_device(1, "heart_rate", "AA:02", "Strap")
    file.bind_device(2, "hub", "AA:03", "Hub B", serial="S3")
    with pytest.raises(DeviceTaken, match="chair 1"):
        file.bind_device(2, "hub", "AA:01", "Hub A")
    file.bind_device(1, "hub", "AA:01", "Hub A", serial="S1")
    file = again(tmp_path, file, clock)
    assert [(d.kind, d.serial) for d in file.devices(1)] == [("heart_rate", ""), ("hub", "S1")]
    assert [d.address for d in file.devices()] == ["AA:02", "AA:01", "AA:03"]
    file.forget_device(1, "AA:01")
    file.forget_device(1, "AA:09")
    file.bind_device(2, "hub", "AA:01", "Hub A")
    assert [d.address for d in file.devices(2)] == ["AA:03", "AA:01"]
    file.close()


def test_settings_and_logins(tmp_path: Path, file: PracticeFile, clock: ManualClock) -> None:
    assert file.setting("theme") is None
    assert file.setting("theme", '"light"') == '"light"'
    file.set_setting("theme", '"dark"')
    file.set_setting("theme", '{"name": "dark"}')
    with pytest.raises(ValueError, match="not JSON"):
        file.set_setting("theme", "dark")
    file.log_login("o1", "refused")
    clock.advance(1)
    file.log_login("o1", "in")
    file = again(tmp_path, file, clock)
    assert file.setting("theme") == '{"name": "dark"}'
    assert [login.outcome for login in file.logins()] == ["in", "refused"]
    assert file.logins(1)[0].at_us == clock.utc_us()
    file.close()

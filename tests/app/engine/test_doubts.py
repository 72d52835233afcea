"""Doubts about a hub over restarts, and how a dentist lifts one: who may, what is asked, what is written down."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.engine.clock import ManualAsyncClock
from app.engine.doubts_desk import SETTING, DoubtsDesk, reason_of
from app.ipc.doubt_messages import LiftDoubt
from app.ipc.messages import AddOperator, Login
from core.model import cbor
from core.model.clock import ManualClock
from core.model.hub_doubt import HubDoubt
from core.model.people import Role
from core.model.procedure import Doubt
from core.model.words import Text, load_words
from core.procedure.refusal import Refusal
from core.record import DiskFull, RecordError, RecordReader
from core.record.practice import PracticeFile
from tests.app.engine.test_keys_service import PIN, Desk, House

KEY = bytes(range(32))
HUB = "SH-0001"


# the desk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "practice.sqlite"


@pytest.fixture
def practice(path: Path) -> Iterator[PracticeFile]:
    file = PracticeFile.create(path, KEY, clock=ManualClock())
    yield file
    file.close()


@pytest.fixture
def doubts(practice: PracticeFile) -> DoubtsDesk:
    return DoubtsDesk(practice, ManualClock())


def again(path: Path) -> tuple[HubDoubt, ...]:
    """What another engine finds in the file."""
    file = PracticeFile.open(path, KEY, clock=ManualClock())
    try:
        return DoubtsDesk(file, ManualClock()).standing
    finally:
        file.close()


def test_a_doubt_outlives_the_engine_until_it_is_lifted(doubts: DoubtsDesk, path: Path) -> None:
    doubts.keep(HUB, Doubt.DOSE, where="swarm_energy", chair=2)
    doubts.keep("SH-0002", Doubt.REPEATED, where="jaw_emg", chair=1)
    assert set(again(path)) == set(doubts.standing)
    (found,) = doubts.of(HUB)
    doubts.keep(HUB, Doubt.DOSE, where="swarm_energy", chair=3)
    assert doubts.of(HUB) == (found,), "what stands keeps its first finding"
    doubts.lift(HUB, Doubt.DOSE, found_us=found.found_us)
    assert [one.serial for one in again(path)] == ["SH-0002"]


def test_only_the_finding_that_was_looked_at_is_lifted(doubts: DoubtsDesk) -> None:
    doubts.keep(HUB, Doubt.DOSE, where="swarm_energy", chair=2)
    (found,) = doubts.standing
    for serial, doubt, found_us in (
        (HUB, Doubt.DOSE, found.found_us - 1),
        (HUB, Doubt.REPEATED, found.found_us),
        ("SH-0002", Doubt.DOSE, found.found_us),
    ):
        with pytest.raises(Refusal):
            doubts.lift(serial, doubt, found_us=found_us)
    assert doubts.standing == (found,)


def test_what_cannot_be_written_counts_all_the_same(
    doubts: DoubtsDesk, practice: PracticeFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(key: str, value: str) -> None:
        raise DiskFull("The disk is full.", "Make room.")

    with monkeypatch.context() as broken:
        broken.setattr(practice, "set_setting", full)
        doubts.keep(HUB, Doubt.REPEATED, where="jaw_emg", chair=1)
        doubts.save()
        assert doubts.of(HUB), "it is doubted, whatever the disk does"
    assert again(path) == ()
    doubts.save()
    assert again(path) == doubts.standing
    with monkeypatch.context() as broken:
        broken.setattr(practice, "set_setting", full)
        with pytest.raises(RecordError):
            doubts.lift(HUB, Doubt.REPEATED, found_us=doubts.standing[0].found_us)
    assert doubts.of(HUB), "what was not written down was not lifted"


def test_each_state_of_it_stays_in_the_file(doubts: DoubtsDesk, practice: PracticeFile) -> None:
    doubts.keep(HUB, Doubt.DOSE, where="swarm_energy", chair=2)
    doubts.lift(HUB, Doubt.DOSE, found_us=doubts.standing[0].found_us)
    rows = practice._file.rows("SELECT value FROM setting WHERE key = ? ORDER BY id", (SETTING,))
    assert [HUB in row[0] for row in rows] == [True, False]


def test_a_reason_is_one_line_of_words() -> None:
    assert reason_of("  sensor\n replaced ") == "sensor replaced"
    assert reason_of("@keys.reason.left") == "keys.reason.left", "nobody types the key of a sentence"
    assert len(reason_of("x" * 500)) == 200
    for nothing in ("", "  \n", "@"):
        with pytest.raises(Refusal):
            reason_of(nothing)


# a dentist lifts one


class Trust:
    def __init__(self) -> None:
        self.settled: list[Doubt] = []

    def settle(self, doubt: Doubt) -> None:
        self.settled.append(doubt)


class Clinic(House):
    """With a doubted hub at chair 1."""

    def __init__(self, folder: Path, clock: ManualAsyncClock) -> None:
        super().__init__(folder, clock)
        self.doubts = DoubtsDesk(self.practice_file, clock)
        self.trust = Trust()
        self.chairs[1].hub = SimpleNamespace(serial=HUB, trust=self.trust)
        self.doubts.keep(HUB, Doubt.DOSE, where="swarm_energy", chair=1)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Clinic]:
    made = Clinic(tmp_path, ManualAsyncClock())
    yield made
    made.recorder.close()
    made.practice_file.close()


@pytest.fixture
def desk(house: Clinic) -> Desk:
    return Desk(house)


def lifting(house: Clinic, **changes: object) -> LiftDoubt:
    (found,) = house.doubts.standing
    asked: dict[str, Any] = {
        "serial": found.serial,
        "doubt": found.doubt,
        "found_us": found.found_us,
        "reason": "Energy sensor replaced",
    }
    return LiftDoubt(**{**asked, **changes})


async def logged_in(desk: Desk, role: Role) -> str:
    first = await desk.done(AddOperator(name="Dr. Ada Moor", role=Role.DENTIST, pin=PIN))
    await desk.done(Login(operator_id=first, pin=PIN))
    if role is Role.DENTIST:
        return first
    other = await desk.done(AddOperator(name="Jon Reyes", role=role, pin="286413"))
    await desk.done(Login(operator_id=other, pin="286413"))
    return other


async def test_a_dentist_lifts_a_doubt_by_name_and_it_is_written_down(house: Clinic, desk: Desk) -> None:
    ada = await logged_in(desk, Role.DENTIST)
    assert await desk.done(lifting(house)) == HUB
    assert house.doubts.standing == ()
    assert house.trust.settled == [Doubt.DOSE]
    await house.recorder.run(lambda _: None)
    with RecordReader.open(house.record_path, bytes(32)) as reader:
        entries: list[Any] = [cbor.decode(one.entry) for one in reader.audit_entries()]
        (entry,) = [one for one in entries if one["kind"] == "trust.lifted"]
        (line,) = [one for one in reader.log(limit=50) if one.text.key == "log.doubt.lifted"]
    assert entry["actor"] == ada
    body = entry["body"]
    assert (body["serial"], body["doubt"], body["chair"]) == (HUB, "dose", 1)
    assert body["reason"] == "Energy sensor replaced"
    assert line.actor == ada
    said = load_words().tell(line.text)
    what = "Its energy told of dose that nobody ordered."
    assert said == f"Doubt about hub {HUB} lifted: {what} Reason: Energy sensor replaced"


async def test_nobody_else_does_and_never_without_a_reason_or_in_treatment(house: Clinic, desk: Desk) -> None:
    assert await desk.no(lifting(house)) == "login"
    await logged_in(desk, Role.ASSISTANT)
    assert await desk.no(lifting(house)) == "role"
    (dentist,) = [one.id for one in house.people.operators() if one.role is Role.DENTIST]
    await desk.done(Login(operator_id=dentist, pin=PIN))
    assert await desk.no(lifting(house, reason="  ")) == "doubt.reason"
    assert await desk.no(lifting(house, found_us=1)) == "doubt.gone"
    house.treat(True)
    assert await desk.no(lifting(house)) == "treating"
    assert house.doubts.of(HUB)
    assert house.trust.settled == []
    house.treat(False)
    await desk.done(lifting(house))


def test_every_sentence_of_it_is_there() -> None:
    words = load_words()
    for key in ("log.doubt.still", "log.doubt.lifted", "refused.doubt.gone", "refused.doubt.reason_remedy"):
        assert key in words
    assert words.tell(Text("log.doubt.still", {"what": "@doubt.what.repeated"})).endswith("It sent old values as new.")

"""Who may log in, and how patience grows with wrong PINs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine.clock import ManualAsyncClock
from app.engine.people_desk import LONGEST_WAIT_S, PeopleDesk
from core.model.people import Operator, Role
from core.people.demo import load_demo
from core.procedure.refusal import Refusal
from core.record.practice import PracticeFile

PIN = "739154"


@pytest.fixture
def clock() -> ManualAsyncClock:
    return ManualAsyncClock()


@pytest.fixture
def practice(tmp_path: Path, clock: ManualAsyncClock) -> Iterator[PracticeFile]:
    file = PracticeFile.create(tmp_path / "practice.sqlite", bytes(range(32)), clock=clock)
    yield file
    file.close()


@pytest.fixture
def desk(practice: PracticeFile, clock: ManualAsyncClock) -> PeopleDesk:
    return PeopleDesk(practice, demo=None, chairs=lambda: (), clock=clock)


@pytest.fixture
def dentist(desk: PeopleDesk) -> Operator:
    return desk.add("Dr. Ada Moor", Role.DENTIST, PIN)


def refused(desk: PeopleDesk, operator: Operator, pin: str) -> tuple[str, object]:
    with pytest.raises(Refusal) as caught:
        desk.login(operator.id, pin)
    return caught.value.code, caught.value.text.values.get("seconds")


def test_the_right_pin_opens_and_is_written_down(desk: PeopleDesk, dentist: Operator, practice: PracticeFile) -> None:
    assert refused(desk, dentist, "000000")[0] == "pin"
    assert desk.logout() is None, "a wrong PIN logs nobody in"
    assert desk.login(dentist.id, PIN) == dentist
    assert desk.logout() == dentist
    assert desk.logout() is None
    assert [login.outcome for login in reversed(practice.logins())] == ["refused", "in", "out"]


def test_wrong_pins_make_the_next_try_wait_longer_each_time(
    desk: PeopleDesk, dentist: Operator, clock: ManualAsyncClock
) -> None:
    for _ in range(3):
        assert refused(desk, dentist, "000000")[0] == "pin"
    waits = []
    for _ in range(9):
        code, seconds = refused(desk, dentist, PIN)
        assert code == "pin_wait", "while waiting not even the right PIN opens"
        assert isinstance(seconds, int)
        waits.append(seconds)
        clock.advance(seconds)
        assert refused(desk, dentist, "000000")[0] == "pin"
    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == LONGEST_WAIT_S
    clock.advance(LONGEST_WAIT_S)
    desk.login(dentist.id, PIN)
    desk.logout()
    assert refused(desk, dentist, "000000")[0] == "pin"
    assert desk.login(dentist.id, PIN), "a good login forgives"


def test_one_persons_wrong_pins_keep_nobody_else_waiting(desk: PeopleDesk, dentist: Operator) -> None:
    other = desk.add("Sam Reed", Role.ASSISTANT, PIN)
    for _ in range(3):
        refused(desk, other, "000000")
    assert desk.login(dentist.id, PIN) == dentist


def test_the_last_dentist_stays(desk: PeopleDesk, dentist: Operator) -> None:
    with pytest.raises(Refusal) as caught:
        desk.close_account(dentist.id)
    assert caught.value.code == "last_dentist"
    second = desk.add("Dr. Lee", Role.DENTIST, PIN)
    desk.close_account(dentist.id)
    assert desk.operators() == (second,)
    assert desk.names()[dentist.id] == dentist.name, "the log still names who has left"
    assert refused(desk, dentist, PIN)[0] == "unknown_operator"


def test_the_demo_logs_in_by_itself_and_nobody_else_does(practice: PracticeFile, clock: ManualAsyncClock) -> None:
    demo = load_demo()
    desk = PeopleDesk(practice, demo=demo, chairs=lambda: (), clock=clock)
    assert desk.operator == demo.operator
    again = PeopleDesk(practice, demo=demo, chairs=lambda: (), clock=clock)
    assert [known.id for known in again.operators()] == [demo.operator.id]

"""Who may log in, what a login opens, and how patience grows with wrong PINs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine.clock import ManualAsyncClock
from app.engine.keys_desk import KeysDesk
from app.engine.patience import ALL_LONGEST_WAIT_S, LONGEST_WAIT_S
from app.engine.people_desk import PeopleDesk
from core.keys.errors import KeysLocked, LastKey
from core.model.cose import kid_of
from core.model.errors import SmilescapeError
from core.model.people import Operator, Role
from core.people.demo import load_demo
from core.people.pin import WeakPin, hash_pin
from core.procedure.refusal import Refusal
from core.record.practice import PracticeFile
from tests.core.record.old_practice import make_old_practice

PIN, OTHER_PIN = "739154", "286413"
FILE_KEY = bytes(range(32))


@pytest.fixture
def clock() -> ManualAsyncClock:
    return ManualAsyncClock()


@pytest.fixture
def practice(tmp_path: Path, clock: ManualAsyncClock) -> Iterator[PracticeFile]:
    file = PracticeFile.create(tmp_path / "practice.sqlite", FILE_KEY, clock=clock)
    yield file
    file.close()


@pytest.fixture
def keys(practice: PracticeFile, clock: ManualAsyncClock) -> KeysDesk:
    return KeysDesk(practice, simulated=False, clock=clock)


@pytest.fixture
def desk(practice: PracticeFile, keys: KeysDesk, clock: ManualAsyncClock) -> PeopleDesk:
    return PeopleDesk(practice, keys, demo=None, chairs=lambda: (), clock=clock)


@pytest.fixture
async def dentist(desk: PeopleDesk) -> Operator:
    return await desk.add("Dr. Ada Moor", Role.DENTIST, PIN)


async def second(desk: PeopleDesk, dentist: Operator) -> Operator:
    """Another dentist, added by the first, who is logged in afterwards."""
    await desk.login(dentist.id, PIN)
    return await desk.add("Dr. Lee", Role.DENTIST, OTHER_PIN)


async def refused(desk: PeopleDesk, operator: Operator, pin: str) -> tuple[str, object]:
    with pytest.raises(Refusal) as caught:
        await desk.login(operator.id, pin)
    return caught.value.code, caught.value.text.values.get("seconds")


async def test_the_right_pin_opens_and_is_written_down(
    desk: PeopleDesk, dentist: Operator, practice: PracticeFile
) -> None:
    assert (await refused(desk, dentist, "000000"))[0] == "pin"
    assert desk.logout() is None, "a wrong PIN logs nobody in"
    assert await desk.login(dentist.id, PIN) == dentist
    assert desk.logout() == dentist
    assert desk.logout() is None
    assert [login.outcome for login in reversed(practice.logins())] == ["refused", "in", "out"]


async def test_wrong_pins_make_the_next_try_wait_longer_each_time(
    desk: PeopleDesk, dentist: Operator, clock: ManualAsyncClock
) -> None:
    for _ in range(3):
        assert (await refused(desk, dentist, "000000"))[0] == "pin"
    waits = []
    for _ in range(9):
        code, seconds = await refused(desk, dentist, PIN)
        assert code == "pin_wait", "while waiting not even the right PIN opens"
        assert isinstance(seconds, int)
        waits.append(seconds)
        clock.advance(seconds)
        assert (await refused(desk, dentist, "000000"))[0] == "pin"
    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == LONGEST_WAIT_S
    clock.advance(LONGEST_WAIT_S)
    await desk.login(dentist.id, PIN)
    desk.logout()
    assert (await refused(desk, dentist, "000000"))[0] == "pin"
    assert await desk.login(dentist.id, PIN), "a good login forgives"


async def test_guessing_through_another_door_waits_as_well(desk: PeopleDesk, dentist: Operator) -> None:
    await desk.login(dentist.id, PIN)
    for guess in (desk.change_pin(dentist.id, "000000", "555123"), desk.replace_key(dentist.id, "000000")):
        with pytest.raises(Refusal) as caught:
            await guess
        assert caught.value.code == "pin"
    assert (await refused(desk, dentist, "000000"))[0] == "pin"
    with pytest.raises(Refusal) as caught:
        await desk.change_pin(dentist.id, PIN, "555123")
    assert caught.value.code == "pin_wait"


async def test_one_persons_wrong_pins_keep_nobody_else_waiting(desk: PeopleDesk, dentist: Operator) -> None:
    other = await desk.add("Sam Reed", Role.ASSISTANT, PIN)
    for _ in range(3):
        await refused(desk, other, "000000")
    assert await desk.login(dentist.id, PIN) == dentist


async def test_a_restart_forgets_no_wrong_pin(
    desk: PeopleDesk, dentist: Operator, practice: PracticeFile, keys: KeysDesk, clock: ManualAsyncClock
) -> None:
    for _ in range(3):
        await refused(desk, dentist, "000000")
    clock.advance(2)
    assert (await refused(desk, dentist, "000000"))[0] == "pin"
    clock.advance(1)
    again = PeopleDesk(practice, keys, demo=None, chairs=lambda: (), clock=clock)
    assert await refused(again, dentist, PIN) == ("pin_wait", 3)
    clock.jump_wall(-3600)
    back = PeopleDesk(practice, keys, demo=None, chairs=lambda: (), clock=clock)
    assert await refused(back, dentist, PIN) == ("pin_wait", 4), "a clock set back makes nobody wait for an hour"
    clock.advance(4)
    await back.login(dentist.id, PIN)
    assert (await refused(PeopleDesk(practice, keys, demo=None, chairs=lambda: (), clock=clock), dentist, "0"))[
        0
    ] == "pin", "a good login is remembered as well"


async def test_wrong_pins_of_many_persons_make_everybody_wait_a_little(
    desk: PeopleDesk, dentist: Operator, clock: ManualAsyncClock
) -> None:
    others = [await desk.add(f"Sam {number}", Role.ASSISTANT, PIN) for number in range(5)]
    for number in range(10):
        assert (await refused(desk, others[number // 2], "000000"))[0] == "pin"
    assert await refused(desk, dentist, PIN) == ("pin_wait", 2)
    for _ in range(20):
        clock.advance(ALL_LONGEST_WAIT_S)
        assert await desk.login(dentist.id, PIN) == dentist, "nobody keeps a dentist out for long"
        await refused(desk, others[4], "000000")


async def test_a_passphrase_opens_key_and_account_however_it_is_typed(
    desk: PeopleDesk, keys: KeysDesk, dentist: Operator
) -> None:
    await desk.login(dentist.id, PIN)
    composed, decomposed = "caf\u00e9 au lait, \ufb01n", "cafe\u0301 au lait, fin"
    await desk.change_pin(dentist.id, PIN, composed)
    desk.logout()
    await desk.login(dentist.id, decomposed)
    assert keys.clinician(dentist.id) is not None
    for weak in ("eleven char", "ababababababab", "7391540000000000" * 9):
        with pytest.raises(WeakPin):
            await desk.change_pin(dentist.id, composed, weak)


async def test_who_is_switched_away_from_leaves_no_key_in_memory(
    desk: PeopleDesk, keys: KeysDesk, dentist: Operator, practice: PracticeFile
) -> None:
    other = await second(desk, dentist)
    mine = keys.clinician(dentist.id)
    assert mine is not None
    opened = keys._unlocked
    assert opened is not None
    secrets = (opened.clinician.seed, opened.root.seed, opened.root_key)
    assert all(any(secret) for secret in secrets)
    assert (await refused(desk, other, "000000"))[0] == "pin"
    assert desk.operator == dentist, "a wrong PIN of somebody else leaves me in"
    mine.signer.sign(b"order")
    await desk.login(other.id, OTHER_PIN)
    assert desk.operator == other
    with pytest.raises(SmilescapeError, match="closed at logout"):
        mine.signer.sign(b"order")
    assert not any(any(secret) for secret in secrets)
    assert [login.outcome for login in practice.logins(2)] == ["in", "switched"]


async def test_the_last_dentist_stays(desk: PeopleDesk, dentist: Operator) -> None:
    with pytest.raises(Refusal) as caught:
        await desk.close_account(dentist.id)
    assert caught.value.code == "last_dentist"
    other = await second(desk, dentist)
    await desk.close_account(dentist.id)
    assert desk.operators() == (other,)
    assert desk.operator is None, "who closes their own account is out"
    assert desk.names()[dentist.id] == dentist.name, "the log still names who has left"
    assert (await refused(desk, dentist, PIN))[0] == "unknown_operator"


async def test_the_demo_logs_in_by_itself_and_nobody_else_does(practice: PracticeFile, clock: ManualAsyncClock) -> None:
    demo = load_demo()
    for _ in range(2):
        keys = KeysDesk(practice, simulated=True, clock=clock)
        desk = PeopleDesk(practice, keys, demo=demo, chairs=lambda: (), clock=clock)
        await desk.open()
        assert desk.operator == demo.operator
        assert keys.clinician(demo.operator.id) is not None, "and signs, without a PIN"
        assert [known.id for known in desk.operators()] == [demo.operator.id]
    for act in (desk.change_pin(demo.operator.id, "", PIN), desk.reset_pin(demo.operator.id, PIN)):
        with pytest.raises(Refusal) as caught:
            await act
        assert caught.value.code == "demo_pin"
    await desk.replace_key(demo.operator.id, "whatever")
    await desk.login(demo.operator.id, "")
    assert keys.clinician(demo.operator.id) is not None


# keys


async def test_a_login_opens_the_key_and_a_logout_closes_it(
    desk: PeopleDesk, keys: KeysDesk, dentist: Operator
) -> None:
    assert keys.clinician(dentist.id) is None, "to be added is not to be logged in"
    await desk.login(dentist.id, PIN)
    clinician = keys.clinician(dentist.id)
    assert clinician is not None
    assert kid_of(clinician.signer.public) == clinician.certificate.kid
    clinician.signer.sign(b"order")
    desk.logout()
    assert keys.clinician(dentist.id) is None
    with pytest.raises(SmilescapeError, match="closed at logout"):
        clinician.signer.sign(b"order")
    with pytest.raises(KeysLocked):
        keys.certify_hub("SH-1", bytes(32), bytes(32))


async def test_who_logs_in_next_does_not_find_the_key_of_who_was_there(
    desk: PeopleDesk, keys: KeysDesk, dentist: Operator
) -> None:
    other = await second(desk, dentist)
    assistant = await desk.add("Sam Reed", Role.ASSISTANT, PIN)
    await desk.login(other.id, OTHER_PIN)
    assert keys.clinician(dentist.id) is None
    assert keys.clinician(other.id) is not None
    await desk.login(assistant.id, PIN)
    assert [keys.clinician(one.id) for one in (dentist, other, assistant)] == [None, None, None]
    assert not keys.unlocked


async def test_a_dentist_is_added_by_a_dentist_whose_key_is_open(
    desk: PeopleDesk, keys: KeysDesk, dentist: Operator, practice: PracticeFile
) -> None:
    with pytest.raises(KeysLocked):
        await desk.add("Dr. Lee", Role.DENTIST, OTHER_PIN)
    assert [one.id for one in practice.operators()] == [dentist.id], "and nobody stands there without a key"
    with pytest.raises(WeakPin):
        await second_with(desk, dentist, "1234")
    assert [one.id for one in practice.operators()] == [dentist.id]
    other = await second(desk, dentist)
    await desk.login(other.id, OTHER_PIN)
    assert keys.clinician(other.id) is not None


async def second_with(desk: PeopleDesk, dentist: Operator, pin: str) -> Operator:
    await desk.login(dentist.id, PIN)
    return await desk.add("Dr. Lee", Role.DENTIST, pin)


async def test_the_pin_and_the_key_change_together(desk: PeopleDesk, keys: KeysDesk, dentist: Operator) -> None:
    await desk.login(dentist.id, PIN)
    before = keys.clinician(dentist.id)
    with pytest.raises(WeakPin):
        await desk.change_pin(dentist.id, PIN, "1234")
    await desk.change_pin(dentist.id, PIN, "555123")
    desk.logout()
    assert (await refused(desk, dentist, PIN))[0] == "pin"
    await desk.login(dentist.id, "555123")
    after = keys.clinician(dentist.id)
    assert before is not None
    assert after is not None
    assert after.certificate == before.certificate


async def test_a_forgotten_pin_is_given_anew_with_a_new_key(
    desk: PeopleDesk, keys: KeysDesk, dentist: Operator
) -> None:
    other = await second(desk, dentist)
    assistant = await desk.add("Sam Reed", Role.ASSISTANT, PIN)
    for _ in range(3):
        await refused(desk, other, "000000")
    await desk.reset_pin(other.id, "918273")
    await desk.reset_pin(assistant.id, "918273")
    assert (await desk.login(assistant.id, "918273")) == assistant
    with pytest.raises(KeysLocked):
        await desk.reset_pin(other.id, "555123")
    await desk.login(other.id, "918273")
    clinician = keys.clinician(other.id)
    assert clinician is not None
    assert keys.trust.revoked is not None
    assert len(keys.trust.revoked.kids) == 1, "the forgotten one does not count any more"
    assert clinician.certificate.kid not in keys.trust.revoked.kids


async def test_a_key_that_is_replaced_signs_at_once_and_the_old_one_no_more(
    desk: PeopleDesk, keys: KeysDesk, dentist: Operator
) -> None:
    await desk.login(dentist.id, PIN)
    before = keys.clinician(dentist.id)
    await desk.replace_key(dentist.id, PIN)
    after = keys.clinician(dentist.id)
    assert before is not None
    assert after is not None
    assert after.certificate.kid != before.certificate.kid
    after.signer.sign(b"order")
    with pytest.raises(SmilescapeError, match="closed at logout"):
        before.signer.sign(b"order")
    await desk.login(dentist.id, PIN)
    assert keys.clinician(dentist.id) is not None


async def test_who_leaves_is_revoked_in_the_same_commit(
    desk: PeopleDesk, keys: KeysDesk, dentist: Operator, practice: PracticeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await second(desk, dentist)

    def full(operator_id: str) -> None:
        raise OSError("no space")

    with monkeypatch.context() as broken:
        broken.setattr(practice, "close_operator", full)
        with pytest.raises(OSError, match="no space"):
            await desk.close_account(other.id)
    assert keys.trust.revoked is not None
    assert keys.trust.revoked.kids == frozenset(), "neither the one nor the other was done"
    await desk.close_account(other.id)
    assert keys.trust.revoked is not None
    assert len(keys.trust.revoked.kids) == 1
    desk.logout()
    third = await second_with_pin(desk, dentist)
    desk.logout()
    with pytest.raises(KeysLocked):
        await desk.close_account(third.id)


async def second_with_pin(desk: PeopleDesk, dentist: Operator) -> Operator:
    await desk.login(dentist.id, PIN)
    return await desk.add("Dr. Roth", Role.DENTIST, OTHER_PIN)


async def test_the_only_one_who_opens_the_root_does_not_leave(
    desk: PeopleDesk, keys: KeysDesk, dentist: Operator
) -> None:
    other = await second(desk, dentist)
    kid = next(row.kid for row in keys.rows(desk.operators(), dentist.id, {}) if row.holder == other.id)
    keys.revoke(bytes.fromhex(kid.replace(" ", "")), "lost")
    with pytest.raises(LastKey):
        await desk.close_account(dentist.id)
    assert dentist in desk.operators()


async def test_revoking_ones_own_key_ends_ones_signatures_and_not_the_login(
    desk: PeopleDesk, keys: KeysDesk, dentist: Operator
) -> None:
    await second(desk, dentist)
    mine = keys.clinician(dentist.id)
    assert mine is not None
    keys.revoke(mine.certificate.kid, "watched while typing")
    assert keys.clinician(dentist.id) is None
    assert not keys.unlocked
    assert desk.operator == dentist
    await desk.login(dentist.id, PIN)
    assert keys.clinician(dentist.id) is None, "the PIN still logs in, and signs nothing"


async def test_a_practice_from_before_gets_its_root_from_the_first_dentist_who_logs_in(
    tmp_path: Path, clock: ManualAsyncClock
) -> None:
    path = tmp_path / "old.sqlite"
    people = [("o1", "Eva Lind", "dentist", hash_pin(PIN)), ("o2", "Ivo Karp", "dentist", hash_pin(OTHER_PIN))]
    make_old_practice(path, FILE_KEY, people)
    practice = PracticeFile.open(path, FILE_KEY, clock=clock)
    keys = KeysDesk(practice, simulated=False, clock=clock)
    desk = PeopleDesk(practice, keys, demo=None, chairs=lambda: (), clock=clock)
    await desk.login("o1", PIN)
    assert keys.clinician("o1") is not None
    await desk.login("o2", OTHER_PIN)
    assert desk.operator is not None
    assert keys.clinician("o2") is None, "logged in, but nobody has given them a key"
    await desk.login("o1", PIN)
    await desk.reset_pin("o2", "555123")
    await desk.login("o2", "555123")
    assert keys.clinician("o2") is not None
    practice.close()

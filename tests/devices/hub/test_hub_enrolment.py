"""A hub joins the practice, gets new keys, is found again wherever it advertises."""

import asyncio
from pathlib import Path

import pytest

from core.model.block import Provenance
from core.model.hub import LinkState, Opcode, ReceiptCode
from devices.hub import uuids
from devices.hub.credentials import KnownHub
from devices.hub.errors import EnrolmentRefused, NotDurable
from devices.hub.session.identity import ENROLLED, OPEN
from devices.simulator.air import Air
from devices.simulator.brain import Brain
from devices.simulator.control import DropLink, OpenEnrolment
from devices.simulator.hub import SimulatedHub
from tests.devices.hub.clinic import ENVELOPE, ORDER, NobodyMay
from tests.devices.hub.rig import ADDRESS, Rig, nap, until
from tests.devices.hub.store import Store

ELSEWHERE = "F0:5C:00:00:00:77"


async def test_an_open_hub_is_refused_unless_it_is_to_be_enrolled(open_rig: Rig) -> None:
    open_rig.run(open_rig.driver)
    await open_rig.refused("not_enrolled")
    assert not open_rig.between.written
    assert not open_rig.store.pairings


async def test_an_open_hub_joins_the_practice_and_is_ours_in_the_next_session(open_rig: Rig) -> None:
    open_rig.driver = open_rig.new_driver(open_rig.store, enrol=True)
    await open_rig.passes(1)
    await open_rig.connect()
    store, clinic = open_rig.store, open_rig.clinic
    assert store.enrolments == [("SH-1", clinic.certified[0].raw, store.cards[1].irk)]
    assert [card.flags & (ENROLLED | OPEN) for card in store.cards] == [OPEN, ENROLLED]
    assert store.cards[0].irk != store.cards[1].irk
    known = open_rig.driver.known
    assert known is not None
    assert (known.serial, known.irk, known.security_version) == ("SH-1", store.cards[1].irk, 2)
    assert open_rig.brain.vault.key.certificate.raw == clinic.certified[0].raw
    await open_rig.passes(1)
    await open_rig.complete()
    open_rig.assert_equals_journal()
    await open_rig.begun_phase()


async def test_a_scan_tells_which_hubs_may_be_enrolled(open_rig: Rig) -> None:
    (seen,) = [one for one in await open_rig.radio.scan(0.3) if one.kind == "hub"]
    assert (seen.profile_major, seen.enrolled, seen.open, seen.name) == (2, False, True, "Hub")
    open_rig.driver = open_rig.new_driver(open_rig.store, enrol=True)
    await open_rig.connect()
    await open_rig.driver.close()
    (seen,) = [one for one in await open_rig.radio.scan(0.3) if one.kind == "hub"]
    assert (seen.enrolled, seen.open) == (True, False)


async def test_without_anybody_who_may_certify_nothing_is_enrolled(open_rig: Rig) -> None:
    open_rig.clinic.locked = True
    open_rig.run(open_rig.new_driver(open_rig.store, enrol=True))
    await open_rig.refused("enrol", why="Nobody may. Log in.")
    assert not open_rig.brain.vault.enrolled
    open_rig.clinic.locked = False
    await until(lambda: open_rig.store.up)
    assert open_rig.brain.vault.enrolled


async def test_a_hub_that_was_enrolled_while_the_answer_was_lost_is_ours(open_rig: Rig) -> None:
    open_rig.between.deafen(uuids.RECEIPT)
    open_rig.run(open_rig.new_driver(open_rig.store, enrol=True))
    await until(lambda: open_rig.brain.vault.enrolled)
    open_rig.between.let_pass()
    await until(lambda: open_rig.store.up)
    assert len(open_rig.clinic.certified) == 1


async def test_a_hub_is_found_by_its_key_wherever_it_advertises(air: Air, tmp_path: Path, rig: Rig) -> None:
    await rig.connect()
    irk = rig.store.cards[0].irk
    await rig.driver.close()
    await rig.hub.close()
    moved = SimulatedHub(rig.brain, clock=rig.clock, sleep=nap)
    await moved.open(air.transports[2], ELSEWHERE)
    rig.tasks.append(asyncio.create_task(moved.run()))
    again = Store()
    rig.run(rig.new_driver(again, known=KnownHub("SH-1", irk=irk)))
    await until(lambda: again.up)
    assert again.links[:2] == [(LinkState.SEARCHING, None), (LinkState.CONNECTING, None)]
    await moved.close()


async def test_the_driver_follows_a_hub_that_it_met_to_another_address(air: Air, rig: Rig) -> None:
    await rig.connect()
    await rig.hub.close()
    moved = SimulatedHub(rig.brain, clock=rig.clock, sleep=nap)
    await moved.open(air.transports[2], ELSEWHERE)
    rig.tasks.append(asyncio.create_task(moved.run()))
    await rig.reconnected()
    await moved.close()


async def test_another_hub_at_the_old_address_is_not_taken_for_ours(air: Air, rig: Rig) -> None:
    await rig.connect()
    await rig.hub.close()
    stranger = Brain(serial="SH-2", seed=2)
    mine = stranger.vault.key.certificate
    assert mine.agreement_x is not None
    certificate = rig.clinic.certify_hub("SH-2", mine.signing_key, mine.agreement_x)
    assert stranger.vault.enrol(rig.clinic.trust.root.raw, certificate, idle=True) is ReceiptCode.DONE
    other = SimulatedHub(stranger, clock=rig.clock, sleep=nap, private=False)
    await other.open(air.transports[2], ADDRESS)
    rig.tasks.append(asyncio.create_task(other.run()))
    await rig.refused("serial", found="SH-2", expected="SH-1")
    await other.close()


async def test_a_certificate_is_renewed_and_nothing_is_lost(rig: Rig) -> None:
    await rig.connect()
    await rig.passes(1)
    await asyncio.gather(rig.reconnected(), rig.driver.renew_certificate(), rig.passes(1))
    assert rig.store.enrolments[-1][1] == rig.clinic.certified[-1].raw
    assert len(rig.clinic.certified) == 2
    assert len({card.irk for card in rig.store.cards}) == 2
    await rig.passes(1)
    await rig.complete()
    rig.assert_equals_journal()
    assert len(rig.store.asked) == 1, "the keys are the same, and so is the ledger"


async def test_new_keys_begin_a_new_count(rig: Rig) -> None:
    await rig.connect()
    await rig.passes(1)
    await rig.complete()
    before = rig.brain.vault.key.certificate.kid
    await asyncio.gather(rig.reconnected(), rig.driver.rekey())
    now = rig.brain.vault.key.certificate.kid
    assert [keys for _, keys in rig.store.asked] == [before, now]
    assert before != now
    assert rig.store.sequences == set(range(max(rig.store.sequences) + 1)), "all that was made before is here"
    rig.store.sequences.clear()
    await rig.passes(1)
    await rig.complete()
    assert rig.store.boots() == {1}
    assert not rig.store.doubled
    await rig.begun_phase()


async def test_what_is_not_durable_is_not_given_up_for_new_keys(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.hub.delivery.SETTLE_S", 0.05)
    rig.store.committing = False
    await rig.connect()
    await rig.passes(1)
    await rig.complete()
    with pytest.raises(NotDurable):
        await rig.driver.rekey()
    await rig.passes(1)
    await rig.complete()
    rig.assert_equals_journal()
    assert rig.store.provenances == {Provenance.LIVE}, "the stream went on"


async def test_a_hub_that_takes_no_new_keys_says_why(rig: Rig) -> None:
    await rig.connect()
    await rig.begun_phase()
    with pytest.raises(EnrolmentRefused) as caught:
        await rig.driver.rekey()
    assert caught.value.answer is ReceiptCode.NOT_NOW
    await rig.passes(1)
    await rig.complete()
    rig.clinic.locked = True
    with pytest.raises(NobodyMay):
        await rig.driver.renew_certificate()
    assert rig.store.up


async def test_a_hub_that_was_opened_by_hand_is_refused_until_it_is_enrolled_again(rig: Rig) -> None:
    await rig.connect()
    await rig.hub.tell(OpenEnrolment())
    await rig.refused("not_enrolled")
    await rig.driver.close()
    rig.run(rig.new_driver(rig.store, known=KnownHub("SH-1"), enrol=True))
    await until(lambda: rig.store.up)
    assert len(rig.clinic.certified) == 2


async def test_a_hub_with_the_keys_of_its_youth_goes_on_counting_where_those_stopped(rig: Rig) -> None:
    """New keys, then opened by hand: the factory's count again, and the record knows frames of them."""
    await rig.connect()
    await rig.passes(1)
    await rig.complete()
    await asyncio.gather(rig.reconnected(), rig.driver.rekey())
    youth = max(rig.store.sequences)
    await rig.driver.close()
    await rig.hub.tell(OpenEnrolment())
    again = Store()
    again.resume = youth
    rig.run(rig.new_driver(again, enrol=True))
    await until(lambda: again.up)
    await rig.passes(1)
    await until(lambda: bool(again.sequences) and not again.missing)
    assert min(again.sequences) > youth


async def test_pairing_is_told_and_nothing_depends_on_it(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.connect()
    assert rig.store.pairings == [True]
    await rig.driver.close()
    refusals: list[object] = []

    async def refuse(*_: object) -> None:
        refusals.append(None)
        raise NotImplementedError

    monkeypatch.setattr("bleak.BleakClient.pair", refuse)
    again = Store()
    rig.run(rig.new_driver(again))
    await until(lambda: again.up)
    await until(lambda: not again.missing)
    assert again.pairings == [None]
    assert refusals


async def test_a_pairing_that_fails_is_not_tried_again_and_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise OSError("authentication failed")

    monkeypatch.setattr("bleak.BleakClient.pair", fail)
    await rig.connect()
    await asyncio.gather(rig.reconnected(), rig.hub.tell(DropLink()))
    assert rig.store.pairings == [False]
    assert rig.store.up


async def test_a_hub_that_lost_its_bond_is_connected_all_the_same(rig: Rig) -> None:
    await rig.connect()
    assert rig.store.pairings == [True]
    await rig.hub.close()
    again = SimulatedHub(rig.brain, clock=rig.clock, sleep=nap)
    await again.open(rig.air.transports[0], ADDRESS)
    rig.tasks.append(asyncio.create_task(again.run()))
    await rig.reconnected()
    assert rig.store.pairings == [True, True]
    await again.close()


async def test_orders_need_a_new_introduction_in_each_session(rig: Rig) -> None:
    await rig.connect()
    await rig.begun_phase()
    await rig.driver.hold()
    await asyncio.gather(rig.reconnected(), rig.hub.tell(DropLink()))
    receipt = await rig.driver.resume(ENVELOPE, rig.clinic.clinician)
    assert receipt.code is ReceiptCode.DONE
    opcodes = [one.opcode for one in rig.store.sent]
    assert opcodes.count(Opcode.CLINICIAN) == 2
    assert opcodes.count(Opcode.SET_ENVELOPE) == 1, "the envelope is still in force"
    assert ORDER.phase == rig.brain.therapy.phase

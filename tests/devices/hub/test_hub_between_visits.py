"""What a hub did and saw between visits: read once, in order, and every tampering is told."""

import asyncio

import pytest

from core.model.hub import Opcode
from devices.hub.credentials import KnownHub
from devices.hub.errors import EventsTurnedBack
from devices.hub.session.journal import JournalHead, Sent, compare
from devices.hub.session.wire import JournalEvent
from devices.simulator.control import DropLink, Sugar, TamperJournal
from tests.devices.hub.clinic import NOW_S, PROCEDURE
from tests.devices.hub.rig import Rig, until
from tests.devices.hub.store import Store

TODAY = NOW_S // 86_400


async def read(store: Store, rig: Rig) -> None:
    """Until the journal is read as far as it went when the session began."""
    await until(lambda: store.head is not None and store.head.number >= store.cards[-1].next_entry)


async def test_the_journal_is_read_from_its_beginning_and_then_from_where_it_was_known(rig: Rig) -> None:
    await rig.connect()
    await read(rig.store, rig)
    assert rig.store.entries[0].opcode == JournalEvent.BOOT
    first = len(rig.store.entries)
    await rig.begun_phase()
    await rig.driver.end_phase(PROCEDURE, rig.clinic.clinician)
    await asyncio.gather(rig.reconnected(), rig.hub.tell(DropLink()))
    await read(rig.store, rig)
    assert [entry.number for entry in rig.store.entries] == list(range(len(rig.store.entries)))
    orders = [entry.opcode for entry in rig.store.entries[first:] if entry.opcode < 0x20]
    assert orders == [Opcode.START_PHASE, Opcode.END_PHASE]
    assert not rig.store.broken


async def test_the_journal_agrees_with_what_was_sent_and_answered(rig: Rig) -> None:
    await rig.connect()
    await rig.begun_phase()
    await rig.driver.hold()
    await rig.driver.stop()
    await rig.driver.clear(PROCEDURE, rig.clinic.clinician)
    await asyncio.gather(rig.reconnected(), rig.hub.tell(DropLink()))
    await read(rig.store, rig)
    sent = [Sent(one.sha256, None) for one in rig.store.sent]
    assert compare(sent, rig.store.entries).agrees
    held = next(entry for entry in rig.store.entries if entry.opcode == Opcode.HOLD)
    forgotten = [one for one in sent if one.message != held.message]
    assert compare(forgotten, rig.store.entries).unknown == (held,)


async def test_a_driver_goes_on_reading_where_another_stopped(rig: Rig) -> None:
    await rig.connect()
    await read(rig.store, rig)
    await rig.driver.close()
    again = Store()
    again.memory = KnownHub("SH-1", journal=rig.store.head)
    rig.run(rig.new_driver(again))
    await until(lambda: again.up)
    await read(again, rig)
    assert rig.store.head is not None
    assert again.entries[0].number == rig.store.head.number
    assert not again.broken


async def test_a_journal_that_does_not_follow_what_is_known_is_told(rig: Rig) -> None:
    rig.store.memory = KnownHub("SH-1", journal=JournalHead(1, b"\1" * 32))
    await rig.connect()
    await until(lambda: bool(rig.store.broken))
    assert not rig.store.entries
    await rig.begun_phase()


async def test_a_journal_that_went_back_is_told(rig: Rig) -> None:
    rig.store.memory = KnownHub("SH-1", journal=JournalHead(500, b"\1" * 32))
    await rig.connect()
    await until(lambda: bool(rig.store.broken))
    assert "had 500" in str(rig.store.broken[0])


@pytest.mark.parametrize("how", ["alter", "remove", "truncate"])
async def test_a_journal_that_was_tampered_with_is_told(rig: Rig, how: str) -> None:
    await rig.connect()
    await rig.begun_phase()
    await rig.driver.end_phase(PROCEDURE, rig.clinic.clinician)
    await asyncio.gather(rig.reconnected(), rig.hub.tell(DropLink()))
    await read(rig.store, rig)
    await rig.hub.tell(TamperJournal(how=how))  # type: ignore[arg-type]
    await rig.driver.close()
    await rig.passes(0.25)
    known = KnownHub("SH-1", journal=rig.store.head) if how == "truncate" else None
    again = Store()
    rig.run(rig.new_driver(again, known=known))
    await until(lambda: bool(again.broken))


async def test_days_and_events_are_read_and_what_is_known_is_not_read_again(rig: Rig) -> None:
    await rig.connect()
    await rig.hub.tell(Sugar(servings=5))
    await rig.passes(30)
    await asyncio.gather(rig.reconnected(), rig.hub.tell(DropLink()))
    await until(lambda: TODAY in rig.store.days)
    await until(lambda: len(rig.store.events) == rig.store.cards[-1].next_event)
    assert [event.number for event in rig.store.events] == list(range(len(rig.store.events)))
    worn = rig.store.days[TODAY].worn_s
    await rig.driver.close()
    again = Store()
    known = KnownHub("SH-1", next_event=len(rig.store.events), last_day=TODAY)
    rig.run(rig.new_driver(again, known=known))
    await until(lambda: TODAY in again.days)
    assert again.days[TODAY].worn_s >= worn > 0
    assert not again.events


async def test_events_that_went_back_are_told(rig: Rig) -> None:
    rig.store.memory = KnownHub("SH-1", next_event=1000)
    await rig.connect()
    await until(lambda: bool(rig.store.alarms))
    assert isinstance(rig.store.alarms[0], EventsTurnedBack)


async def test_the_live_stream_does_not_wait_for_what_was_kept(rig: Rig) -> None:
    """A journal of hundreds of entries comes between live frames."""
    for _ in range(500):
        rig.brain.logbook.write(JournalEvent.BOOT)
    await rig.connect()
    while rig.store.head is None or rig.store.head.number < rig.store.cards[0].next_entry:
        await rig.passes(0.25)
    await rig.complete()
    rig.assert_equals_journal()
    assert len(rig.store.entries) > 500

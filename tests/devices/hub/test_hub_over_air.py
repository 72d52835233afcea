"""Driver and simulated hub over real BLE frames: no sample is lost, and none comes twice."""

import asyncio

import numpy as np

from core.model.block import Provenance
from core.model.hub import LinkState
from core.model.words import Text
from core.signals.catalogue import load_catalogue
from devices.hub import uuids
from devices.hub.session.errors import RecordFault, RecordRefused
from devices.simulator.brain import Brain
from devices.simulator.control import DamageFrames, DropLink, LoseFrames, Reboot, Silence
from tests.devices.hub.rig import Rig, until
from tests.devices.hub.store import Store


async def test_it_identifies_and_streams_every_channel(rig: Rig) -> None:
    await rig.connect()
    await rig.passes(11)
    await rig.complete()
    identity, info = rig.store.cards[0].identity, rig.store.infos[0]
    assert (identity.serial, identity.boot, identity.simulated) == ("SH-1", 1, True)
    assert (info.serial, info.battery_percent) == (None, 92)
    assert {channel for _, channel, _ in rig.store.samples} == {
        spec.number for spec in load_catalogue().from_source("hub")
    }
    assert rig.store.provenances == {Provenance.LIVE}
    assert rig.store.statuses[-1].newest_sequence > 0
    assert not rig.store.refused
    assert not rig.store.alarms
    assert len(rig.driver.session_id or b"") == 16
    rig.assert_equals_journal()


async def test_nothing_that_was_measured_can_be_read_on_the_way(rig: Rig) -> None:
    await rig.connect()
    await rig.passes(2)
    await rig.complete()
    frames = rig.brain.memory.fetch(0, 1000)
    heard = b"".join(value for _, value in rig.between.notified)
    assert frames
    assert not any(frame[20:40] in heard for frame in frames)
    assert b"SH-1" not in heard
    await rig.goes_on()


async def test_what_was_made_before_connecting_is_fetched(rig: Rig) -> None:
    await rig.passes(5)
    await rig.connect()
    await rig.passes(1)
    await rig.complete()
    assert rig.store.provenances == {Provenance.LIVE, Provenance.BACKFILLED}
    rig.assert_equals_journal()


async def test_a_dropped_link_loses_and_doubles_nothing(rig: Rig) -> None:
    await rig.connect()
    await rig.passes(1)
    for _ in range(2):
        await asyncio.gather(rig.reconnected(), rig.hub.tell(DropLink()), rig.passes(3))
    await rig.passes(1)
    await rig.complete()
    assert (LinkState.LOST, Text("device.link.vanished")) in rig.store.links
    rig.assert_equals_journal()
    await until(lambda: rig.store.missing == 0)


async def test_a_hub_out_of_range_comes_back_whole(rig: Rig) -> None:
    await rig.connect()
    await rig.passes(1)
    rig.air.set_in_range(0, False)
    await until(lambda: not rig.store.up)
    await rig.passes(10)
    rig.air.set_in_range(0, True)
    await rig.reconnected()
    await rig.passes(1)
    await rig.complete()
    rig.assert_equals_journal()


async def test_frames_lost_or_damaged_in_the_air_are_fetched(rig: Rig) -> None:
    await rig.connect()
    await rig.passes(0.5)
    await rig.hub.tell(LoseFrames(count=7))
    await rig.hub.tell(DamageFrames(count=3))
    await rig.passes(2)
    await rig.complete()
    assert len(rig.store.refused) == 3
    assert not rig.store.alarms, "a bit that turns over is no attack"
    rig.assert_equals_journal()


async def test_a_frame_that_comes_again_is_delivered_once(rig: Rig) -> None:
    rig.store.committing = False
    await rig.connect()
    await rig.passes(1)
    await rig.complete()
    heard = rig.store.statuses[-1]
    await rig.hub.server.send_frames(rig.brain.memory.fetch(5, 20))
    await rig.hub.server.send_status()
    await until(lambda: rig.store.statuses[-1] is not heard)
    rig.assert_equals_journal()


async def test_a_record_that_is_played_again_is_refused(rig: Rig) -> None:
    await rig.connect()
    await rig.passes(1)
    await rig.complete()
    old = [(uuid, rig.between.heard(uuid)[-1]) for uuid in (uuids.TELEMETRY, uuids.STATUS, uuids.RECEIPT)]
    for uuid, value in old:
        rig.between.inject(uuid, value)
    statuses = len(rig.store.statuses)
    await rig.passes(1)
    await rig.complete()
    faults = [error.fault for error in rig.store.refused if isinstance(error, RecordRefused)]
    assert faults == [RecordFault.NUMBER] * 3
    assert len(rig.store.statuses) > statuses
    rig.assert_equals_journal()


async def test_a_burst_beyond_the_radio_is_fetched(rig: Rig) -> None:
    await rig.connect()
    rig.clock.advance(60)
    await until(lambda: rig.brain.body.now_us >= 60_000_000)
    await rig.passes(1)
    await rig.complete()
    assert rig.hub.server.missed
    rig.assert_equals_journal()


async def test_a_restarted_client_goes_on_where_the_record_stands(rig: Rig) -> None:
    await rig.connect()
    await rig.passes(2)
    await rig.complete()
    await rig.driver.close()
    committed = max(rig.store.sequences)
    again = Store()
    again.resume = committed
    await rig.passes(2)
    rig.run(rig.new_driver(again))
    await until(lambda: again.up)
    await rig.passes(1)
    await until(lambda: max(again.sequences, default=0) == rig.brain.memory.next_sequence - 1 and not again.missing)
    assert min(again.sequences) == committed + 1
    assert not again.doubled
    assert again.samples.keys().isdisjoint(rig.store.samples)
    rig.store.samples |= again.samples
    rig.assert_equals_journal()


async def test_the_record_is_asked_by_the_keys_that_count_the_frames(rig: Rig) -> None:
    await rig.connect()
    assert rig.store.asked == [("SH-1", rig.brain.vault.key.certificate.kid)]


async def test_what_was_committed_but_not_acknowledged_is_acknowledged_after_a_restart(rig: Rig) -> None:
    await rig.passes(2)
    rig.store.resume = 10
    await rig.connect()
    await until(lambda: rig.brain.memory.oldest >= 11)


async def test_the_hub_forgets_only_what_is_committed(rig: Rig) -> None:
    rig.store.committing = False
    await rig.connect()
    await rig.passes(2)
    await rig.complete()
    assert rig.brain.memory.oldest == 0
    rig.driver.committed(range(30))
    rig.driver.committed(range(31, 40))
    await until(lambda: rig.brain.memory.oldest == 30)
    rig.driver.committed([30])
    await until(lambda: rig.brain.memory.oldest == 40)


async def test_frames_that_the_hub_dropped_are_told_to_be_lost(rig: Rig) -> None:
    rig.store.committing = False
    await rig.connect()
    await rig.passes(0.5)
    await rig.complete()
    rig.air.set_in_range(0, False)
    await until(lambda: not rig.store.up)
    made = rig.brain.memory.next_sequence
    await rig.passes(4)
    rig.brain.memory.acknowledge(made + 100)
    rig.air.set_in_range(0, True)
    await rig.reconnected()
    await rig.passes(0.5)
    await until(lambda: bool(rig.store.lost))
    assert rig.store.lost == set(range(made, made + 101))
    await rig.complete()
    assert rig.store.sequences.isdisjoint(rig.store.lost)


async def test_a_reboot_loses_no_sample(rig: Rig) -> None:
    """Memory outlives a boot: what was made before it is fetched after it, and keeps its boot."""
    rig.store.committing = False
    await rig.connect()
    await rig.passes(1)
    await rig.hub.tell(LoseFrames(count=5))
    await rig.passes(0.25)
    rig.air.set_in_range(0, False)
    await until(lambda: not rig.store.up)
    await rig.passes(3)
    await rig.hub.tell(Reboot())
    await rig.passes(2)
    rig.air.set_in_range(0, True)
    await rig.reconnected()
    await rig.passes(1)
    await rig.complete()
    assert [card.identity.boot for card in rig.store.cards] == [1, 2]
    assert [span.boot for span in rig.store.cards[-1].boots] == [1, 2]
    assert rig.store.boots() == {1, 2}
    assert not rig.store.lost
    rig.assert_equals_journal()


async def test_what_is_committed_of_a_former_boot_is_forgotten_too(rig: Rig) -> None:
    rig.store.committing = False
    await rig.connect()
    await rig.passes(1)
    await rig.complete()
    await asyncio.gather(rig.reconnected(), rig.hub.tell(Reboot()))
    before = rig.brain.memory.next_sequence
    rig.driver.committed(range(before))
    await until(lambda: rig.brain.memory.oldest == before)


async def test_a_silent_sensor_is_no_loss(rig: Rig) -> None:
    await rig.connect()
    await rig.hub.tell(Silence(channel=8))
    await rig.passes(1)
    await rig.complete()
    assert not any(channel == 8 for _, channel, _ in rig.store.samples)
    rig.assert_equals_journal()


async def test_the_same_seed_streams_the_same_samples(rig: Rig) -> None:
    await rig.connect()
    await rig.passes(1)
    await rig.complete()
    twin = Brain(serial="SH-9", seed=1)
    emg = np.concatenate([block.samples for _ in range(20) for block in twin.body.tick(0.0) if block.channel == 8])
    came = [value for key, (_, value) in sorted(rig.store.samples.items()) if key[1] == 8]
    assert came == emg.tolist()

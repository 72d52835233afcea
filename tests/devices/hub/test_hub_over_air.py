"""Driver and simulated hub over real BLE frames: bleak, Bumble, a virtual air. Hub time moves only when told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from bleak import BleakClient
from bleak.exc import BleakGATTProtocolError

from core.model.block import Provenance, SampleBlock
from core.model.clock import ManualClock, SystemClock
from core.model.errors import SmilescapeError
from core.model.hub import (
    DeviceInfo,
    HoldCause,
    HubIdentity,
    HubStatus,
    LinkState,
    Opcode,
    PhaseOrder,
    Receipt,
    ReceiptCode,
    TherapyState,
)
from core.model.words import Text, load_words
from core.signals.catalogue import load_catalogue
from devices.hub import uuids
from devices.hub.backfill import Backfill
from devices.hub.commands import Bare, encode_command
from devices.hub.driver import HubDriver
from devices.hub.errors import CommandUnknown, CountersSpent, HubUnreachable
from devices.hub.receipts import decode_receipt
from devices.radio import Radio
from devices.simulator.air import Air
from devices.simulator.boots import Boots
from devices.simulator.brain import Brain
from devices.simulator.control import DamageFrames, DropLink, LoseFrames, LoseReceipts, Reboot, Silence
from devices.simulator.hub import SimulatedHub
from devices.simulator.journal import JournalWriter, read_journal
from devices.tap import Tap

ADDRESS = "F0:5C:00:00:00:01"
ORDER = PhaseOrder(
    phase=1, module=1, tooth=0, seconds=60, dose_percent=80, tissue_limit_c=39.0, envelope_sha256=bytes(32)
)
PATIENCE_S = 20.0


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what must come; how long that takes is nobody's business."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - the condition is in another task's hands
            await asyncio.sleep(0.005)


class Store:
    """A listener that keeps everything, and commits at once unless told otherwise."""

    def __init__(self) -> None:
        self.driver: HubDriver | None = None
        self.committing = True
        self.frames: dict[tuple[int, int], list[SampleBlock]] = {}
        self.doubled: list[tuple[int, int]] = []
        self.lost: list[tuple[int, int, int]] = []
        self.statuses: list[HubStatus] = []
        self.links: list[tuple[LinkState, Text | None]] = []
        self.identities: list[tuple[HubIdentity, DeviceInfo]] = []
        self.refused: list[SmilescapeError] = []
        self.missing = 0
        self.resume: int | None = None

    def link_changed(self, state: LinkState, reason: Text | None) -> None:
        self.links.append((state, reason))

    def identified(self, identity: HubIdentity, info: DeviceInfo) -> None:
        self.identities.append((identity, info))

    async def resume_point(self, serial: str, boot: int) -> int | None:
        return self.resume

    def blocks_arrived(self, blocks: Sequence[SampleBlock]) -> None:
        key = (blocks[0].boot, blocks[0].sequence)
        if key in self.frames:
            self.doubled.append(key)
        self.frames[key] = list(blocks)
        if self.committing and self.driver is not None:
            self.driver.committed(key[0], (key[1],))

    def frames_lost(self, boot: int, first: int, last: int) -> None:
        self.lost.append((boot, first, last))

    def status_changed(self, status: HubStatus) -> None:
        self.statuses.append(status)

    def frame_refused(self, error: SmilescapeError, raw: bytes) -> None:
        self.refused.append(error)

    def backfill_changed(self, missing: int) -> None:
        self.missing = missing

    @property
    def up(self) -> bool:
        return bool(self.links) and self.links[-1][0] is LinkState.UP

    def sequences(self, boot: int = 1) -> set[int]:
        return {sequence for of, sequence in self.frames if of == boot}

    def provenances(self) -> set[Provenance]:
        return {block.provenance for blocks in self.frames.values() for block in blocks}


class Rig:
    """One hub on the air, one driver at a time."""

    def __init__(self, air: Air, radio: Radio, brain: Brain, journal: Path) -> None:
        self.air = air
        self.radio = radio
        self.brain = brain
        self.journal = journal
        self.clock = ManualClock()
        self.hub = SimulatedHub(brain, clock=self.clock, sleep=_nap)
        self.store = Store()
        self.driver = self.new_driver(self.store)
        self.tasks: list[asyncio.Task[None]] = []

    def new_driver(self, store: Store, serial: str | None = None) -> HubDriver:
        clock = SystemClock()
        driver = HubDriver(self.radio, ADDRESS, listener=store, clock=clock, tap=Tap(clock), serial=serial, sleep=_nap)
        store.driver = driver
        return driver

    def run(self, driver: HubDriver) -> None:
        self.tasks.append(asyncio.create_task(driver.run()))

    async def connect(self) -> None:
        self.run(self.driver)
        await until(lambda: self.store.up)

    async def reconnected(self) -> None:
        count = len(self.store.identities)
        await until(lambda: len(self.store.identities) > count and self.store.up)

    async def passes(self, seconds: float) -> None:
        """Let hub time pass in steps that a radio can carry."""
        for _ in range(round(seconds / 0.25)):
            aim = self.brain.body.now_us + 250_000
            self.clock.advance(0.25)
            await until(lambda aim=aim: self.brain.body.now_us >= aim)  # type: ignore[misc]

    async def complete(self, first: int = 0) -> None:
        """Until every frame made, from `first` on, has been delivered or is known to be lost."""
        whole = set(range(first, self.brain.memory.next_sequence))
        boot = self.brain.identity.boot
        gone = {n for of, a, b in self.store.lost if of == boot for n in range(a, b + 1)}
        await until(lambda: self.store.sequences(boot) | gone >= whole)

    def assert_equals_journal(self, boot: int = 1) -> None:
        """Every sample that the hub made in that boot was delivered, exactly once, in value and in time."""
        made: dict[tuple[int, int], tuple[int, int]] = {}
        for block in read_journal(self.journal):
            if block.boot == boot:
                for n, value in enumerate(block.samples.tolist()):
                    made[block.channel, block.first_index + n] = (block.start_us + n * block.period_us, value)
        came: dict[tuple[int, int], tuple[int, int]] = {}
        for (of, _), blocks in self.store.frames.items():
            for got in blocks if of == boot else ():
                for n, value in enumerate(got.samples.tolist()):
                    assert (got.channel, got.first_index + n) not in came
                    came[got.channel, got.first_index + n] = (got.start_us + n * got.period_us, value)
        assert made
        assert came == made
        assert not self.store.doubled

    async def begun_phase(self) -> Receipt:
        receipt = await self.driver.start_phase(ORDER)
        assert receipt.code is ReceiptCode.DONE
        return receipt


async def _nap(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 0.003))


@pytest.fixture
async def rig(air: Air, tmp_path: Path) -> AsyncIterator[Rig]:
    journal = tmp_path / "journal"
    radio = Radio.parse(f"bumble:{air.transports[1]}")
    await radio.open()
    with JournalWriter(journal) as writer:
        brain = Brain(serial="SH-1", seed=1, boots=Boots(tmp_path / "boots"), journal=writer)
        rig = Rig(air, radio, brain, journal)
        await rig.hub.open(air.transports[0], ADDRESS)
        rig.tasks.append(asyncio.create_task(rig.hub.run()))
        yield rig
        for task in rig.tasks:
            task.cancel()
        await asyncio.gather(*rig.tasks, return_exceptions=True)
        await rig.hub.close()
    await radio.close()


async def test_it_identifies_and_streams_every_channel(rig: Rig) -> None:
    await rig.connect()
    await rig.passes(11)
    await rig.complete()
    identity, info = rig.store.identities[0]
    assert (identity.serial, identity.boot, identity.simulated) == ("SH-1", 1, True)
    assert (info.serial, info.battery_percent) == ("SH-1", 92)
    channels = {block.channel for blocks in rig.store.frames.values() for block in blocks}
    assert channels == {spec.number for spec in load_catalogue().from_source("hub")}
    assert rig.store.provenances() == {Provenance.LIVE}
    assert rig.store.statuses[-1].newest_sequence > 0
    assert not rig.store.refused
    rig.assert_equals_journal()


async def test_what_was_made_before_connecting_is_fetched(rig: Rig) -> None:
    await rig.passes(5)
    await rig.connect()
    await rig.passes(1)
    await rig.complete()
    assert rig.store.provenances() == {Provenance.LIVE, Provenance.BACKFILLED}
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
    committed = max(rig.store.sequences())
    again = Store()
    again.resume = committed
    await rig.passes(2)
    rig.run(rig.new_driver(again))
    await until(lambda: again.up)
    await rig.passes(1)
    await until(lambda: max(again.sequences(), default=0) == rig.brain.memory.next_sequence - 1 and not again.missing)
    assert min(again.sequences()) == committed + 1
    rig.store.frames |= again.frames
    assert not again.doubled
    rig.assert_equals_journal()


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
    rig.driver.committed(1, [n for n in range(40) if n != 30])
    await until(lambda: rig.brain.memory.oldest == 30)
    rig.driver.committed(1, [30])
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
    assert rig.store.lost == [(1, made, made + 100)]
    await rig.complete()
    assert rig.store.sequences().isdisjoint(range(made, made + 101))


async def test_a_reboot_begins_a_new_count_and_closes_the_old(rig: Rig) -> None:
    rig.store.committing = False
    await rig.connect()
    await rig.passes(1)
    await rig.complete()
    await rig.hub.tell(LoseFrames(count=5))
    await rig.hub.tell(DropLink())
    await until(lambda: not rig.store.up)
    before = rig.brain.memory.next_sequence
    await asyncio.gather(rig.reconnected(), rig.hub.tell(Reboot()))
    await rig.passes(1)
    await rig.complete()
    assert [identity.boot for identity, _ in rig.store.identities][-1] == 2
    assert rig.store.sequences(1) == set(range(before))
    rig.assert_equals_journal(boot=1)
    rig.assert_equals_journal(boot=2)


async def test_unfetched_frames_of_a_former_boot_are_lost(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.connect()
    await rig.passes(0.5)
    await rig.complete()
    known = rig.brain.memory.next_sequence
    monkeypatch.setattr(Backfill, "look", lambda _: None)
    await rig.hub.tell(LoseFrames(count=4))
    await rig.passes(0.5)
    await until(lambda: rig.store.missing == 4)
    await asyncio.gather(rig.reconnected(), rig.hub.tell(Reboot()))
    assert rig.store.lost == [(1, known, known + 3)]


async def test_a_silent_sensor_is_no_loss(rig: Rig) -> None:
    await rig.connect()
    await rig.hub.tell(Silence(channel=8))
    await rig.passes(1)
    await rig.complete()
    assert not any(block.channel == 8 for blocks in rig.store.frames.values() for block in blocks)
    rig.assert_equals_journal()


async def test_commands_are_receipted(rig: Rig) -> None:
    await rig.connect()
    driver = rig.driver
    steps: list[tuple[Callable[[], Awaitable[Receipt]], ReceiptCode, TherapyState]] = [
        (driver.renew_lease, ReceiptCode.NO_LEASE, TherapyState.IDLE),
        (driver.resume, ReceiptCode.NOT_NOW, TherapyState.IDLE),
        (lambda: driver.start_phase(ORDER), ReceiptCode.DONE, TherapyState.RUNNING),
        (driver.renew_lease, ReceiptCode.DONE, TherapyState.RUNNING),
        (driver.hold, ReceiptCode.DONE, TherapyState.HELD),
        (driver.hold, ReceiptCode.ALREADY, TherapyState.HELD),
        (driver.resume, ReceiptCode.DONE, TherapyState.RUNNING),
        (driver.end_phase, ReceiptCode.DONE, TherapyState.IDLE),
        (driver.clear, ReceiptCode.ALREADY, TherapyState.IDLE),
    ]
    counters = []
    for act, code, state in steps:
        receipt = await act()
        assert (receipt.code, receipt.therapy) == (code, state)
        assert decode_receipt(receipt.raw).receipt == receipt
        counters.append(receipt.counter)
    assert counters == sorted(set(counters))


async def test_many_commands_at_once_each_get_their_own_receipt(rig: Rig) -> None:
    await rig.connect()
    receipts = await asyncio.gather(*(rig.driver.renew_lease() for _ in range(20)))
    assert len({receipt.counter for receipt in receipts}) == 20


async def test_a_lost_receipt_is_unknown_until_the_hub_is_asked(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.hub.commander.RECEIPT_S", 0.3)
    await rig.connect()
    await rig.hub.tell(LoseReceipts(count=1))
    with pytest.raises(CommandUnknown) as caught:
        await rig.driver.start_phase(ORDER)
    unknown = caught.value
    assert (unknown.opcode, unknown.boot) == (Opcode.START_PHASE, 1)
    receipt = await rig.driver.ask_receipt(unknown.counter, unknown.boot)
    assert receipt is not None
    assert (receipt.opcode, receipt.code) == (Opcode.START_PHASE, ReceiptCode.DONE)
    assert rig.brain.therapy.state is TherapyState.RUNNING


async def test_an_unknown_outcome_is_resolved_over_the_next_link(rig: Rig) -> None:
    await rig.connect()
    await rig.hub.tell(LoseReceipts(count=1))
    sending = asyncio.create_task(rig.driver.start_phase(ORDER))
    await until(lambda: rig.brain.therapy.state is TherapyState.RUNNING)
    await asyncio.gather(rig.reconnected(), rig.hub.tell(DropLink()))
    with pytest.raises(CommandUnknown) as caught:
        await sending
    receipt = await rig.driver.ask_receipt(caught.value.counter)
    assert receipt is not None
    assert receipt.accepted
    assert await rig.driver.ask_receipt(caught.value.counter + 1000) is None, "it was never sent"


async def test_a_former_boot_cannot_be_asked(rig: Rig) -> None:
    await rig.connect()
    receipt = await rig.begun_phase()
    await asyncio.gather(rig.reconnected(), rig.hub.tell(Reboot()))
    with pytest.raises(CommandUnknown):
        await rig.driver.ask_receipt(receipt.counter, boot=1)
    status = await rig.driver.read_status()
    assert (status.therapy, status.cause) == (TherapyState.HELD, HoldCause.BOOT)


async def test_without_a_link_nothing_is_sent(rig: Rig) -> None:
    acts: list[Callable[[], Awaitable[object]]] = [
        rig.driver.hold,
        rig.driver.stop,
        rig.driver.read_status,
        lambda: rig.driver.ask_receipt(1),
    ]
    for act in acts:
        with pytest.raises(HubUnreachable):
            await act()


async def test_the_hub_holds_when_nobody_renews(rig: Rig) -> None:
    await rig.connect()
    await rig.begun_phase()
    await rig.passes(2.75)
    await rig.driver.renew_lease()
    await rig.passes(2.75)
    assert (await rig.driver.read_status()).therapy is TherapyState.RUNNING
    await rig.passes(0.25)
    await until(lambda: rig.store.statuses[-1].therapy is TherapyState.HELD)
    status = rig.store.statuses[-1]
    assert (status.cause, status.lease_ms, status.phase_elapsed_ms) == (HoldCause.LEASE, 0, 5750)
    assert (await rig.driver.renew_lease()).code is ReceiptCode.NO_LEASE


async def test_the_hub_holds_alone_when_the_link_stays_away(rig: Rig) -> None:
    await rig.connect()
    await rig.begun_phase()
    rig.air.set_in_range(0, False)
    await rig.passes(3)
    assert (rig.brain.therapy.state, rig.brain.therapy.cause) == (TherapyState.HELD, HoldCause.LEASE)


async def test_stop_holds_and_may_be_repeated(rig: Rig) -> None:
    await rig.connect()
    await rig.begun_phase()
    first, second = await asyncio.gather(rig.driver.stop(), rig.driver.stop())
    assert {first.code, second.code} <= {ReceiptCode.DONE, ReceiptCode.ALREADY}
    assert (first.opcode, first.counter, first.therapy, first.cause) == (0, 0, TherapyState.HELD, HoldCause.STOP)
    assert (await rig.driver.stop()).code is ReceiptCode.ALREADY
    await until(lambda: rig.store.statuses[-1].cause is HoldCause.STOP)


async def test_stop_is_repeated_until_it_is_answered(rig: Rig) -> None:
    await rig.connect()
    await rig.begun_phase()
    await rig.hub.tell(LoseReceipts(count=3))
    receipt = await rig.driver.stop()
    assert (receipt.code, receipt.cause) == (ReceiptCode.ALREADY, HoldCause.STOP)


async def test_stop_passes_a_busy_hub_with_a_spoiled_counter(rig: Rig) -> None:
    await rig.passes(20)
    await rig.connect()
    await rig.begun_phase()
    rig.brain.desk.counter = 2**32 - 1
    stale = await asyncio.gather(*(rig.driver.hold() for _ in range(2)), return_exceptions=True)
    with pytest.raises(CountersSpent):
        await rig.driver.hold()
    assert all(isinstance(one, CountersSpent) or one.code is ReceiptCode.STALE_COUNTER for one in stale)  # type: ignore[union-attr]
    assert rig.brain.therapy.state is TherapyState.RUNNING
    assert (await rig.driver.stop()).cause is HoldCause.STOP


async def test_a_counter_that_somebody_else_used_costs_one_refusal(rig: Rig) -> None:
    await rig.connect()
    await rig.begun_phase()
    rig.brain.desk.counter = 50_000
    codes = [(await rig.driver.hold()).code for _ in range(2)]
    assert codes[-1] is ReceiptCode.DONE


async def test_a_hub_of_another_major_is_refused(rig: Rig) -> None:
    rig.brain.identity = msgspec.structs.replace(rig.brain.identity, profile_major=2)
    rig.run(rig.driver)
    await until(lambda: (LinkState.REFUSED, Text("hub.refused.version", {"major": 2})) in rig.store.links)
    assert not rig.store.identities
    assert rig.brain.desk.counter == 0, "nothing was said to it"


async def test_a_hub_of_a_later_minor_is_taken(rig: Rig) -> None:
    rig.brain.identity = msgspec.structs.replace(rig.brain.identity, profile_minor=9)
    await rig.connect()
    assert rig.store.identities[0][0].profile_minor == 9


async def test_another_hub_than_the_bound_one_is_refused(rig: Rig) -> None:
    rig.run(rig.new_driver(rig.store, serial="SH-2"))
    reason = Text("hub.refused.serial", {"found": "SH-1", "expected": "SH-2"})
    await until(lambda: (LinkState.REFUSED, reason) in rig.store.links)


async def test_a_hub_that_counts_its_boots_anew_is_refused(rig: Rig) -> None:
    rig.store.resume = 1_000_000
    rig.run(rig.driver)
    await until(lambda: (LinkState.REFUSED, Text("hub.refused.turned_back")) in rig.store.links)


async def test_a_narrow_link_is_refused_and_yet_can_stop(rig: Rig) -> None:
    rig.hub.server.narrow(100)
    rig.run(rig.driver)
    await until(lambda: (LinkState.REFUSED, Text("hub.refused.mtu", {"mtu": 100})) in rig.store.links)
    await rig.driver.close()
    async with RawClient(rig) as (client, receipts):
        await client.write_gatt_char(uuids.STOP, b"", response=True)
        await until(lambda: bool(receipts))
    assert decode_receipt(receipts[0]).receipt.opcode == 0


async def test_malformed_writes_do_no_harm(rig: Rig) -> None:
    async with RawClient(rig) as (client, receipts):
        for value in (b"", b"\x10", b"\x10\x01\x00\x00"):
            with pytest.raises(BleakGATTProtocolError, match="Length"):
                await client.write_gatt_char(uuids.CONTROL, value, response=True)
        for value in (encode_command(9, ORDER)[:-1], b"\x99\x01\x00\x00\x00", encode_command(0, Bare(Opcode.HOLD))):
            await client.write_gatt_char(uuids.CONTROL, value, response=True)
        with pytest.raises(BleakGATTProtocolError, match="Length"):
            await client.write_gatt_char(uuids.RECEIPT_QUERY, b"\x01", response=True)
        await until(lambda: len(receipts) == 3)
        codes = [decode_receipt(raw).receipt.code for raw in receipts]
        assert codes == [ReceiptCode.MALFORMED, ReceiptCode.UNKNOWN_OPCODE, ReceiptCode.MALFORMED]
        await client.write_gatt_char(uuids.STOP, bytes(20), response=False)
        await until(lambda: len(receipts) == 4)
    assert rig.brain.desk.counter == 0


async def test_the_same_seed_streams_the_same_samples(rig: Rig) -> None:
    await rig.connect()
    await rig.passes(1)
    await rig.complete()
    twin = Brain(serial="SH-9", seed=1)
    emg = np.concatenate([block.samples for _ in range(20) for block in twin.body.tick(0.0) if block.channel == 8])
    came = [block for key in sorted(rig.store.frames) for block in rig.store.frames[key] if block.channel == 8]
    assert np.array_equal(np.concatenate([block.samples for block in came]), emg)


def test_every_reason_has_its_words() -> None:
    words = load_words()
    for name in ("version", "not_a_hub", "identity", "serial", "mtu", "stream", "turned_back"):
        assert f"hub.refused.{name}" in words


class RawClient:
    """A client without our driver, subscribed to receipts."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._client: BleakClient | None = None

    async def __aenter__(self) -> tuple[BleakClient, list[bytes]]:
        device = await self._rig.radio.locate(ADDRESS, PATIENCE_S)
        assert device is not None
        client = self._client = self._rig.radio.client(device, lambda: None)
        await client.connect()
        receipts: list[bytes] = []
        await client.start_notify(uuids.RECEIPT, lambda _, data: receipts.append(bytes(data)))
        return client, receipts

    async def __aexit__(self, *error: object) -> None:
        assert self._client is not None
        await self._client.disconnect()

"""The hub's GATT server over real BLE frames: a bare bleak client against docs/hub-protocol.md."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakGATTProtocolError

from core.model.clock import ManualClock
from core.model.hub import HoldCause, Opcode, Receipt, ReceiptCode, TherapyState
from devices.bumble_backend import BumbleAdapter
from devices.hub import uuids
from devices.hub.advertising import decode_advert, is_of
from devices.hub.commands import STOP_PLAINTEXT, Ask, Bare, Command, Enrol, Introduce, encode_command
from devices.hub.session.errors import RecordRefused
from devices.hub.session.identity import decode_clear_identity
from devices.hub.session.signed import verify_receipt
from devices.hub.session.wire import FromHub, Refusal, ToHub
from devices.simulator.air import Air
from devices.simulator.brain import Brain
from devices.simulator.control import ClockDrift, DamageFrames, LoseFrames, OpenEnrolment
from devices.simulator.hub import SimulatedHub
from tests.devices.simulator.visit import MAKER, SERIAL, Practice, Workstation, new_hub

ADDRESS = "F0:5C:00:00:00:01"
PATIENCE_S = 20.0
NOTIFIED = {
    FromHub.TELEMETRY: uuids.TELEMETRY,
    FromHub.HISTORY: uuids.HISTORY,
    FromHub.RECEIPT: uuids.RECEIPT,
    FromHub.STATUS: uuids.STATUS,
    FromHub.DOCUMENTS: uuids.DOCUMENTS,
}


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what must come; how long that takes is nobody's business."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - the condition is in another task's hands
            await asyncio.sleep(0.002)


class Station:
    """A workstation with a radio. Writes go out one after another, as bleak sends them."""

    def __init__(self, adapter: BumbleAdapter, practice: Practice, **how: Any) -> None:
        self.gone = asyncio.Event()
        self.refused = 0
        self.side = Workstation(practice, **how)
        self.client: BleakClient
        self._adapter = adapter
        self._to_write: asyncio.Queue[bytes] = asyncio.Queue()

    async def connect(self) -> "Station":
        backend = self._adapter.scanner_backend
        hub = await BleakScanner.find_device_by_filter(
            lambda _, said: uuids.SERVICE in said.service_uuids, timeout=10.0, backend=backend
        )
        assert hub is not None
        self.client = BleakClient(hub, lambda _: self.gone.set(), timeout=10.0, backend=self._adapter.client_backend)
        await self.client.connect()
        await self.client.start_notify(uuids.HANDSHAKE, self._shaken)
        for stream, uuid in NOTIFIED.items():
            await self.client.start_notify(uuid, partial(self._notified, stream))
        return self

    def _shaken(self, _: object, value: bytearray) -> None:
        for answer in self.side.feed(bytes(value)):
            self._to_write.put_nowait(answer)

    def _notified(self, stream: FromHub, _: object, value: bytearray) -> None:
        try:
            self.side.take(stream, bytes(value))
        except RecordRefused:
            self.refused += 1

    async def shake_hands(self) -> "Station":
        """Until the session stands and the hub has said who it is, or it refused."""
        for value in self.side.begin():
            await self.client.write_gatt_char(uuids.HANDSHAKE, value, response=True)
        async with asyncio.timeout(PATIENCE_S):
            while self.side.session is None and self.side.refusal is None:
                try:
                    value = await asyncio.wait_for(self._to_write.get(), 0.05)
                except TimeoutError:
                    continue
                await self.client.write_gatt_char(uuids.HANDSHAKE, value, response=True)
        if self.side.session is not None:
            await until(lambda: bool(self.side.statuses))
        return self

    async def send(self, command: Command, counter: int) -> Receipt:
        before = len(self.side.receipts)
        for record in self.side.control(encode_command(counter, command)):
            await self.client.write_gatt_char(uuids.CONTROL, record, response=True)
        await until(lambda: len(self.side.receipts) > before)
        return verify_receipt(self.side.receipts[-1], self.side.hub).notice.receipt

    async def treat(self, brain: Brain) -> None:
        """Introduce the clinician, set the envelope, start the phase."""
        side = self.side
        await self.send(Introduce(side.practice.clinician.certificate.raw), 1)
        for counter, opcode in ((2, Opcode.SET_ENVELOPE), (3, Opcode.START_PHASE)):
            receipt = await self.send(side.signed(opcode, counter, brain.body.now_us), counter)
            assert receipt.code is ReceiptCode.DONE

    async def leave(self) -> None:
        await self.client.disconnect()


class World:
    """A hub whose time is told, on the air."""

    def __init__(self, speed: float = 1.0) -> None:
        self.brain = new_hub()
        self.clock = ManualClock()
        self.hub = SimulatedHub(self.brain, clock=self.clock, sleep=_nap, speed=speed)
        self.running: asyncio.Task[None] | None = None

    async def open(self, air: Air) -> "World":
        await self.hub.open(air.transports[0], ADDRESS)
        self.running = asyncio.create_task(self.hub.run())
        return self

    async def close(self) -> None:
        assert self.running is not None
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        await self.hub.close()

    async def passes(self, seconds: float) -> None:
        """Hub time passes in steps that the radio can carry."""
        for _ in range(round(seconds / 0.25)):
            aim = self.brain.body.now_us + 250_000
            self.clock.advance(0.25)
            await until(lambda aim=aim: self.brain.body.now_us >= aim)  # type: ignore[misc]


async def heard(adapter: BumbleAdapter, awaited: tuple[bool, bool]) -> tuple[str | None, str]:
    """What the only hub says on the air once it is enrolled and open as awaited: its name, its address."""
    async with asyncio.timeout(PATIENCE_S), BleakScanner(backend=adapter.scanner_backend) as scanner:
        async for device, data in scanner.advertisement_data():
            advert = decode_advert(data.manufacturer_data)
            if advert is None or not data.local_name:
                continue
            if (advert.enrolled, advert.open) == awaited:
                return data.local_name, device.address
    raise AssertionError("nothing was heard")


async def _nap(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 0.003))


@pytest.fixture
def practice() -> Practice:
    return Practice()


@pytest.fixture
async def world(air: Air, practice: Practice) -> AsyncIterator[World]:
    """An enrolled hub."""
    made = World()
    practice.enrol(made.brain)
    yield await made.open(air)
    await made.close()


@pytest.fixture
async def adapter(air: Air) -> AsyncIterator[BumbleAdapter]:
    opened = await BumbleAdapter.open(air.transports[1])
    yield opened
    await opened.close()


async def test_hands_are_shaken_and_a_stream_is_opened_record_by_record(
    world: World, adapter: BumbleAdapter, practice: Practice
) -> None:
    station = await (await Station(adapter, practice).connect()).shake_hands()
    clear = decode_clear_identity(bytes(await station.client.read_gatt_char(uuids.IDENTITY)))
    card = station.side.card()
    assert (card.flags, card.identity.model) == (clear.flags, clear.model)
    assert (await station.send(Bare(Opcode.START_STREAM), 1)).code is ReceiptCode.DONE
    await world.passes(2)
    made = world.brain.memory.fetch(0, 1000)
    await until(lambda: len(station.side.frames[FromHub.TELEMETRY]) == len(made))
    assert station.side.frames[FromHub.TELEMETRY] == made
    assert (await station.send(Ask(Opcode.FETCH, 3, 10), 2)).code is ReceiptCode.DONE
    await until(lambda: len(station.side.frames[FromHub.HISTORY]) == 11)
    assert station.side.frames[FromHub.HISTORY][:10] == made[3:13]
    await station.leave()


async def test_a_narrow_link_hears_the_mtu_that_the_hub_sees(
    world: World, adapter: BumbleAdapter, practice: Practice
) -> None:
    world.hub.server.narrow(185)
    station = await (await Station(adapter, practice, room=182).connect()).shake_hands()
    assert station.side.refusal == (Refusal.MTU, 185)
    await station.leave()
    world.hub.server.narrow(247)
    await (await (await Station(adapter, practice).connect()).shake_hands()).leave()


async def test_without_a_session_writes_are_not_authenticated(
    world: World, adapter: BumbleAdapter, practice: Practice
) -> None:
    station = await Station(adapter, practice).connect()
    for uuid in (uuids.CONTROL, uuids.STOP, uuids.RECEIPT_QUERY):
        with pytest.raises(BleakGATTProtocolError) as refused:
            await station.client.write_gatt_char(uuid, b"STOP", response=True)
        assert refused.value.code == 0x05
    for uuid in (uuids.CONTROL, uuids.TELEMETRY, uuids.STATUS, uuids.HANDSHAKE):
        with pytest.raises(BleakGATTProtocolError):
            await station.client.read_gatt_char(uuid)
    await station.leave()


@pytest.mark.parametrize("response", [True, False])
async def test_stop_holds_and_is_answered(
    world: World, adapter: BumbleAdapter, practice: Practice, response: bool
) -> None:
    station = await (await Station(adapter, practice).connect()).shake_hands()
    await station.treat(world.brain)
    await world.passes(2.5)
    assert world.brain.body.swarm.dose == 80
    before = len(station.side.receipts)
    record = station.side.up.sealer.seal(ToHub.STOP, STOP_PLAINTEXT)
    await station.client.write_gatt_char(uuids.STOP, record, response=response)
    await until(lambda: len(station.side.receipts) > before)
    receipt = verify_receipt(station.side.receipts[-1], station.side.hub).notice.receipt
    assert (receipt.opcode, receipt.code, receipt.cause) == (0, ReceiptCode.DONE, HoldCause.STOP)
    await until(lambda: station.side.statuses[-1].status.therapy is TherapyState.HELD)
    await station.leave()


async def test_refused_records_are_answered_and_the_32nd_ends_the_link(
    world: World, adapter: BumbleAdapter, practice: Practice
) -> None:
    station = await (await Station(adapter, practice).connect()).shake_hands()
    for n in range(32):
        assert not station.gone.is_set(), n
        with pytest.raises(BleakGATTProtocolError) as refused:
            await station.client.write_gatt_char(uuids.CONTROL, b"\x80\0" + bytes(60), response=True)
        assert refused.value.code == 0x80
    async with asyncio.timeout(PATIENCE_S):
        await station.gone.wait()
    await (await (await Station(adapter, practice).connect()).shake_hands()).leave()


async def test_a_message_too_short_to_be_answered(world: World, adapter: BumbleAdapter, practice: Practice) -> None:
    station = await (await Station(adapter, practice).connect()).shake_hands()
    for uuid, stream, plaintext in (
        (uuids.CONTROL, ToHub.CONTROL, b"\x40\x01"),
        (uuids.RECEIPT_QUERY, ToHub.QUERY, b"\1"),
        (uuids.STOP, ToHub.STOP, b"ST"),
    ):
        with pytest.raises(BleakGATTProtocolError) as refused:
            await station.client.write_gatt_char(uuid, station.side.up.sealer.seal(stream, plaintext), response=True)
        assert refused.value.code == 0x0D
    await station.leave()


async def test_who_does_not_shake_hands_is_dropped(world: World, adapter: BumbleAdapter, practice: Practice) -> None:
    station = await Station(adapter, practice).connect()
    world.clock.advance(31)
    async with asyncio.timeout(PATIENCE_S):
        await station.gone.wait()


async def test_enrolment_ends_with_the_link_and_shows_on_the_air(
    air: Air, adapter: BumbleAdapter, practice: Practice
) -> None:
    open_world = await World().open(air)
    assert await heard(adapter, (False, True)) == ("Hub", ADDRESS)
    station = await (await Station(adapter, practice, trust=MAKER).connect()).shake_hands()
    hub = station.side.hub
    assert hub.agreement_x is not None
    certificate = practice.certify(SERIAL, hub.signing_key, hub.agreement_x)
    assert (await station.send(Enrol(practice.root_raw, certificate), 1)).code is ReceiptCode.DONE
    async with asyncio.timeout(PATIENCE_S):
        await station.gone.wait()
    name, address = await heard(adapter, (True, False))
    assert name == "Hub"
    assert is_of(station.side.card().irk, address, {}), "strangers cannot follow it"
    await open_world.hub.tell(OpenEnrolment())
    assert await heard(adapter, (False, True)) == ("Hub", ADDRESS)
    await open_world.close()


async def test_damage_on_the_way_is_refused_and_loss_leaves_a_gap(
    world: World, adapter: BumbleAdapter, practice: Practice
) -> None:
    station = await (await Station(adapter, practice).connect()).shake_hands()
    await station.send(Bare(Opcode.START_STREAM), 1)
    await world.passes(1)
    await world.hub.tell(DamageFrames(count=3))
    await world.hub.tell(LoseFrames(count=2))
    await world.passes(1)
    made = world.brain.memory.fetch(0, 1000)
    frames = station.side.frames[FromHub.TELEMETRY]
    await until(lambda: len(frames) == len(made) - 5)
    assert station.refused == 3
    assert set(frames) < set(made)
    await station.leave()


async def test_hub_time_runs_fast_when_told(world: World) -> None:
    await world.hub.tell(ClockDrift(ppm=100_000))
    world.clock.advance(10)
    await until(lambda: world.brain.body.now_us == 11_000_000)


async def test_the_lease_runs_in_real_seconds_however_fast_hub_time_runs(
    air: Air, adapter: BumbleAdapter, practice: Practice
) -> None:
    world = World(speed=10.0)
    practice.enrol(world.brain)
    await world.open(air)
    station = await (await Station(adapter, practice).connect()).shake_hands()
    await station.treat(world.brain)
    world.clock.advance(2.5)
    await until(lambda: world.brain.body.now_us == 25_000_000)
    assert world.brain.therapy.state is TherapyState.RUNNING
    world.clock.advance(1.0)
    await until(lambda: world.brain.therapy.cause is HoldCause.LEASE)
    assert world.brain.therapy.elapsed_us == 30_000_000
    await station.leave()
    await world.close()

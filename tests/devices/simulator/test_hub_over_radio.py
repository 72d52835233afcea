"""The hub's GATT server over real BLE frames: a bare bleak client against docs/hub-protocol.md."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
from bleak import BleakClient

from core.model.clock import ManualClock
from core.model.hub import Opcode, Receipt, ReceiptCode
from devices.bumble_backend import BumbleAdapter
from devices.hub import uuids
from devices.hub.commands import Ask, Bare, Command, encode_command
from devices.hub.session.identity import decode_clear_identity
from devices.hub.session.signed import verify_receipt
from devices.hub.session.wire import FromHub
from devices.simulator.air import Air
from devices.simulator.hub import SimulatedHub
from tests.devices.simulator.visit import Practice, Workstation, new_hub

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
        self.side = Workstation(practice, **how)
        self.client = BleakClient(ADDRESS, lambda _: self.gone.set(), timeout=10.0, backend=adapter.client_backend)
        self._to_write: asyncio.Queue[bytes] = asyncio.Queue()

    async def connect(self) -> "Station":
        await self.client.connect()
        await self.client.start_notify(uuids.HANDSHAKE, self._shaken)
        for stream, uuid in NOTIFIED.items():
            await self.client.start_notify(uuid, partial(self._notified, stream))
        return self

    def _shaken(self, _: object, value: bytearray) -> None:
        for answer in self.side.feed(bytes(value)):
            self._to_write.put_nowait(answer)

    def _notified(self, stream: FromHub, _: object, value: bytearray) -> None:
        self.side.take(stream, bytes(value))

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

    async def leave(self) -> None:
        await self.client.disconnect()


class World:
    """A hub whose time is told, on the air."""

    def __init__(self, air: Air, practice: Practice) -> None:
        self.practice = practice
        self.brain = new_hub()
        self.clock = ManualClock()
        self.hub = SimulatedHub(self.brain, clock=self.clock, sleep=_nap)
        self.air = air

    async def passes(self, seconds: float) -> None:
        """Hub time passes in steps that the radio can carry."""
        for _ in range(round(seconds / 0.25)):
            aim = self.brain.body.now_us + 250_000
            self.clock.advance(0.25)
            await until(lambda aim=aim: self.brain.body.now_us >= aim)  # type: ignore[misc]


async def _nap(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 0.003))


@pytest.fixture
def practice() -> Practice:
    return Practice()


@pytest.fixture
async def world(air: Air, practice: Practice) -> AsyncIterator[World]:
    made = World(air, practice)
    practice.enrol(made.brain)
    await made.hub.open(air.transports[0], ADDRESS)
    running = asyncio.create_task(made.hub.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await made.hub.close()


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

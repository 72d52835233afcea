"""Unmodified bleak over the backend, against a Bumble peripheral on a virtual link in this process."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from bleak import BleakClient, BleakScanner
from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import BaseBleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakCharacteristicNotFoundError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)
from bumble.core import UUID
from bumble.device import Connection
from bumble.gatt import Characteristic, CharacteristicValue, Descriptor, Service
from bumble.keys import JsonKeyStore, MemoryKeyStore

from devices.bumble_backend import BumbleAdapter
from devices.simulator.air import Air
from devices.simulator.peripheral import Peripheral, advertising_payload, write_only
from devices.simulator.virtual_radio import VirtualController, VirtualLink

ADDRESS = "C2:00:00:00:00:01"
CENTRAL = "C2:00:00:00:00:02"
P, PERM = Characteristic.Properties, Characteristic.Permissions


def uuid(number: int) -> str:
    return f"0ea1{number:04x}-5c11-4b1e-9d57-5a1f00c0ffee"


SERVICE, PLAIN, WRITTEN, NOTIFIED, INDICATED, SECRET, BOTH, LONG, SLOW, SLOWER = (
    uuid(number) for number in range(1, 11)
)


class Thing:
    """A peripheral with one characteristic of each kind."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.asked, self.answer = asyncio.Event(), asyncio.Event()
        self.note = Descriptor("2901", Descriptor.READABLE | Descriptor.WRITEABLE, b"a note")
        self.notified = Characteristic[bytes](UUID(NOTIFIED), P.NOTIFY, PERM.READABLE, b"")
        self.indicated = Characteristic[bytes](UUID(INDICATED), P.INDICATE, PERM.READABLE, b"")
        self.both = Characteristic[bytes](UUID(BOTH), P.INDICATE | P.NOTIFY, PERM.READABLE, b"")
        self.service = Service(
            UUID(SERVICE),
            [
                Characteristic(UUID(PLAIN), P.READ, PERM.READABLE, b"plain", [self.note]),
                Characteristic(
                    UUID(WRITTEN),
                    P.WRITE | P.WRITE_WITHOUT_RESPONSE,
                    PERM.WRITEABLE,
                    write_only(lambda _, value: self.written.append(bytes(value))),
                ),
                self.notified,
                self.indicated,
                Characteristic(UUID(SECRET), P.READ, PERM.READABLE | PERM.READ_REQUIRES_ENCRYPTION, b"secret"),
                self.both,
                Characteristic(UUID(LONG), P.READ, PERM.READABLE, bytes(range(256)) * 2),
                Characteristic(UUID(SLOW), P.READ, PERM.READABLE, CharacteristicValue(read=self._slow)),
                Characteristic(UUID(SLOWER), P.READ, PERM.READABLE, CharacteristicValue(read=self._slower)),
            ],
        )

    async def _slow(self, _connection: Connection) -> bytes:
        self.asked.set()
        await self.answer.wait()
        return b"slow"

    async def _slower(self, _connection: Connection) -> bytes:
        await self.answer.wait()
        await asyncio.sleep(0.05)
        return b"slower"


class World:
    """A thing and an adapter on one virtual link. `irk`: the thing hides behind private addresses."""

    def __init__(self, irk: bytes | None = None) -> None:
        self.link = VirtualLink()
        self.thing = Thing()
        self.keys = MemoryKeyStore()
        self.controller = VirtualController("thing", self.link, "00:00:00:00:00:01")
        central = VirtualController("central", self.link, "00:00:00:00:00:02")
        self.peripheral = Peripheral(
            self.controller,
            self.controller,
            name="Thing",
            address=ADDRESS,
            services=[self.thing.service],
            advertising=advertising_payload([UUID(SERVICE)]),
            scan_response=advertising_payload([], name="Thing 1", manufacturer=(0xFFFF, b"\1\2")),
            keys=self.keys,
            irk=irk,
        )
        self.adapter = BumbleAdapter(central, central, name="central", address=CENTRAL, keys=MemoryKeyStore())

    async def start(self) -> None:
        await self.peripheral.power_on()
        await self.adapter.power_on()

    def client(self, address: str = ADDRESS, *, timeout: float = 5.0, gone: asyncio.Event | None = None) -> BleakClient:
        return BleakClient(
            address, lambda _: gone.set() if gone else None, timeout=timeout, backend=self.adapter.client_backend
        )


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    await made.start()
    yield made
    await made.adapter.close()
    made.controller.leave()


@pytest.fixture
async def client(world: World) -> AsyncIterator[BleakClient]:
    async with world.client() as connected:
        yield connected


async def test_every_abstract_member_is_there(world: World) -> None:
    assert not inspect.isabstract(world.adapter.scanner_backend)
    assert not inspect.isabstract(world.adapter.client_backend)
    assert issubclass(world.adapter.scanner_backend, BaseBleakScanner)
    assert issubclass(world.adapter.client_backend, BaseBleakClient)


async def test_an_active_scan_merges_advertisement_and_scan_response(world: World) -> None:
    seen = BleakScanner(backend=world.adapter.scanner_backend)
    async with seen, asyncio.timeout(5):
        async for _, data in seen.advertisement_data():
            if data.local_name is not None:
                break
    assert [(device.address, device.name) for device in seen.discovered_devices] == [(ADDRESS, "Thing 1")]
    assert (data.local_name, data.service_uuids) == ("Thing 1", [SERVICE])
    assert data.manufacturer_data == {0xFFFF: b"\1\2"}
    assert data.rssi == -55


async def test_a_scan_can_be_limited_to_services(world: World) -> None:
    async def heard(service: str) -> int:
        found = await BleakScanner.discover(0.3, backend=world.adapter.scanner_backend, service_uuids=[service])
        return len(found)

    callbacks: list[str] = []
    async with BleakScanner(
        lambda device, _: callbacks.append(device.address),
        [uuid(99)],
        backend=world.adapter.scanner_backend,
    ):
        assert await heard(SERVICE) == 1
    assert callbacks == []


async def test_two_scanners_may_overlap(world: World) -> None:
    one, two = (BleakScanner(backend=world.adapter.scanner_backend) for _ in range(2))
    await one.start()
    await two.start()
    await one.stop()
    async with asyncio.timeout(5):
        async for device, _ in two.advertisement_data():
            assert device.address == ADDRESS
            break
    await two.stop()
    assert not world.adapter.device.is_scanning


async def test_services_characteristics_and_descriptors_are_found(client: BleakClient) -> None:
    service = client.services.get_service(SERVICE)
    assert service is not None
    properties = {found.uuid: set(found.properties) for found in service.characteristics}
    assert properties[WRITTEN] == {"write", "write-without-response"}
    assert properties[BOTH] == {"notify", "indicate"}
    plain = service.get_characteristic(PLAIN)
    assert plain is not None
    note = plain.get_descriptor("2901")
    assert note is not None
    assert await client.read_gatt_descriptor(note) == b"a note"
    await client.write_gatt_descriptor(note, b"another")
    assert await client.read_gatt_descriptor(note) == b"another"


async def test_only_the_services_asked_for_are_discovered(world: World) -> None:
    async with BleakClient(ADDRESS, services=[SERVICE], backend=world.adapter.client_backend) as limited:
        assert [service.uuid for service in limited.services] == [SERVICE]


async def test_the_mtu_is_negotiated_and_long_values_are_read_whole(client: BleakClient) -> None:
    assert client.mtu_size == 517
    written = client.services.get_characteristic(WRITTEN)
    assert written is not None
    assert written.max_write_without_response_size == 512
    assert await client.read_gatt_char(LONG) == bytes(range(256)) * 2


async def test_values_are_read_and_written(client: BleakClient, world: World) -> None:
    assert await client.read_gatt_char(PLAIN) == b"plain"
    assert await client.read_gatt_char(PLAIN, use_cached=True) == b"plain"
    await client.write_gatt_char(WRITTEN, b"with", response=True)
    await client.write_gatt_char(WRITTEN, b"without", response=False)
    await client.write_gatt_char(WRITTEN, bytes(512), response=False)
    await client.read_gatt_char(PLAIN)  # in order behind the writes without response
    assert world.thing.written == [b"with", b"without", bytes(512)]
    with pytest.raises(BleakError):
        await client.write_gatt_char(WRITTEN, bytes(513), response=False)


@pytest.mark.parametrize("kind", [NOTIFIED, INDICATED, BOTH])
async def test_notifications_and_indications_arrive_until_stopped(client: BleakClient, world: World, kind: str) -> None:
    thing, device = world.thing, world.peripheral.device
    queue: asyncio.Queue[bytes] = asyncio.Queue()

    async def send(value: bytes) -> None:
        if kind == INDICATED:
            await device.indicate_subscribers(thing.indicated, value)
        else:
            await device.notify_subscribers(thing.notified if kind == NOTIFIED else thing.both, value)

    await client.start_notify(kind, lambda _, data: queue.put_nowait(bytes(data)))
    for number in range(20):
        await send(bytes([number]) * 512)
    async with asyncio.timeout(5):
        assert [await queue.get() for _ in range(20)] == [bytes([number]) * 512 for number in range(20)]
    with pytest.raises(BleakError):
        await client.start_notify(kind, lambda *_: None)
    await client.stop_notify(kind)
    await send(b"late")
    await client.read_gatt_char(PLAIN)
    assert queue.empty()
    await client.start_notify(kind, lambda _, data: queue.put_nowait(bytes(data)))
    await send(b"again")
    async with asyncio.timeout(5):
        assert await queue.get() == b"again"


async def test_a_callback_that_raises_does_not_stop_indications(client: BleakClient, world: World) -> None:
    heard: list[bytes] = []

    def callback(_: object, data: bytearray) -> None:
        heard.append(bytes(data))
        raise RuntimeError("a fault of the application")

    await client.start_notify(INDICATED, callback)
    async with asyncio.timeout(5):
        for value in (b"1", b"2"):
            await world.peripheral.device.indicate_subscribers(world.thing.indicated, value)
    assert heard == [b"1", b"2"]


async def test_what_the_peer_refuses_is_bleaks_own_error(client: BleakClient) -> None:
    with pytest.raises(BleakGATTProtocolError) as refused:
        await client.read_gatt_char(WRITTEN)
    assert refused.value.code is BleakGATTProtocolErrorCode.READ_NOT_PERMITTED
    with pytest.raises(BleakCharacteristicNotFoundError):
        await client.read_gatt_char(uuid(99))
    with pytest.raises(BleakError):
        await client.start_notify(PLAIN, lambda *_: None)


async def test_pairing_opens_what_is_encrypted_and_the_bond_survives(world: World, tmp_path: Path) -> None:
    world.adapter.device.keystore = JsonKeyStore("test", str(tmp_path / "keys.json"))
    async with world.client() as first:
        with pytest.raises(BleakGATTProtocolError) as refused:
            await first.read_gatt_char(SECRET)
        assert refused.value.code is BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION
        await first.pair()
        await first.pair()  # again: nothing to do
        assert await first.read_gatt_char(SECRET) == b"secret"
        (connection,) = world.adapter.device.connections.values()
        assert connection.is_encrypted
        assert connection.sc
    world.adapter.device.keystore = JsonKeyStore("test", str(tmp_path / "keys.json"))
    async with world.client() as bonded:
        assert await bonded.read_gatt_char(SECRET) == b"secret"
        await bonded.unpair()
        assert not bonded.is_connected
    async with world.client() as forgotten:
        with pytest.raises(BleakGATTProtocolError):
            await forgotten.read_gatt_char(SECRET)


async def test_pairing_while_connecting(world: World) -> None:
    async with BleakClient(ADDRESS, pair=True, backend=world.adapter.client_backend) as paired:
        assert await paired.read_gatt_char(SECRET) == b"secret"


async def test_a_bond_that_the_peer_forgot_is_an_error_not_a_hang(world: World) -> None:
    async with world.client() as first:
        await first.pair()
    await world.keys.delete(CENTRAL)
    world.peripheral.device.smp_manager.sessions.clear()
    with pytest.raises(BleakError):
        await world.client().connect()
    assert world.adapter.device.connections == {}


async def test_a_bond_is_forgotten_though_the_peers_address_is_another_by_now() -> None:
    world = World(irk=bytes(range(16)))
    await world.start()

    async def found() -> BleakClient:
        device = await BleakScanner.find_device_by_filter(lambda *_: True, 5, backend=world.adapter.scanner_backend)
        assert device is not None
        return BleakClient(device, timeout=5.0, backend=world.adapter.client_backend)

    first = await found()
    async with first:
        await first.pair()
    await world.keys.delete(CENTRAL)
    world.peripheral.device.smp_manager.sessions.clear()
    again = await found()
    assert again.address != first.address
    with pytest.raises(BleakError):
        await again.connect()
    await again.unpair()
    async with await found() as mended:
        await mended.pair()
        assert await mended.read_gatt_char(SECRET) == b"secret"
    await world.adapter.close()
    world.controller.leave()


async def test_connecting_to_an_absent_device_ends_in_bleaks_error_and_spoils_nothing(world: World) -> None:
    device = await BleakScanner.find_device_by_address(ADDRESS, 5, backend=world.adapter.scanner_backend)
    assert device is not None
    with pytest.raises(BleakDeviceNotFoundError):
        await world.client("C2:00:00:00:00:99", timeout=0.3).connect()
    await world.peripheral.device.stop_advertising()
    with pytest.raises(BleakDeviceNotFoundError):
        await BleakClient(device, timeout=0.3, backend=world.adapter.client_backend).connect()
    await world.peripheral.device.start_advertising(auto_restart=True)
    async with BleakClient(device, backend=world.adapter.client_backend) as connected:
        assert connected.is_connected


async def test_a_cancelled_connect_leaves_nothing_behind(world: World) -> None:
    device = await BleakScanner.find_device_by_address(ADDRESS, 5, backend=world.adapter.scanner_backend)
    assert device is not None
    await world.peripheral.device.stop_advertising()
    attempt = asyncio.create_task(BleakClient(device, backend=world.adapter.client_backend).connect())
    async with asyncio.timeout(5):
        while not world.adapter.device.is_le_connecting:  # noqa: ASYNC110 - Bumble tells nobody
            await asyncio.sleep(0)
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    await world.peripheral.device.start_advertising(auto_restart=True)
    async with world.client() as connected:
        assert connected.is_connected
    assert world.adapter.device.connections == {}


async def test_two_clients_connecting_at_once_take_turns(world: World) -> None:
    async def absent() -> None:
        with pytest.raises(BleakDeviceNotFoundError):
            await world.client("C2:00:00:00:00:99", timeout=0.3).connect()

    connected = world.client()
    await asyncio.gather(absent(), connected.connect())
    assert connected.is_connected
    with pytest.raises(BleakError):
        await connected.connect()
    await connected.disconnect()
    await connected.disconnect()


async def test_a_drop_by_the_peer_calls_back_and_fails_what_waits(world: World) -> None:
    gone = asyncio.Event()
    client = world.client(gone=gone)
    await client.connect()
    reads = [asyncio.create_task(client.read_gatt_char(SLOW)) for _ in range(3)]
    await asyncio.sleep(0)
    await world.peripheral.drop()
    async with asyncio.timeout(5):
        await gone.wait()
        results = await asyncio.gather(*reads, return_exceptions=True)
    assert all(isinstance(result, BleakError) for result in results)
    with pytest.raises(BleakError):
        await client.read_gatt_char(PLAIN)
    async with world.client() as again:
        assert await again.read_gatt_char(PLAIN) == b"plain"


async def test_the_late_answer_to_a_cancelled_read_is_nobody_elses(client: BleakClient, world: World) -> None:
    slow = asyncio.create_task(client.read_gatt_char(SLOW))
    await world.thing.asked.wait()
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    asyncio.get_running_loop().call_later(0.05, world.thing.answer.set)
    async with asyncio.timeout(5):
        assert await client.read_gatt_char(SLOWER) == b"slower"


async def test_a_transport_that_closes_fails_everything_at_once() -> None:
    air = Air(2)
    await air.open()
    peripheral = await Peripheral.open(
        air.transports[0],
        name="Thing",
        address=ADDRESS,
        services=[Thing().service],
        advertising=advertising_payload([UUID(SERVICE)]),
    )
    adapter = await BumbleAdapter.open(air.transports[1])
    lost, gone = asyncio.Event(), asyncio.Event()
    adapter.when_lost(lost.set)
    client = BleakClient(ADDRESS, lambda _: gone.set(), backend=adapter.client_backend)
    await client.connect()
    read = asyncio.create_task(client.read_gatt_char(SLOW))
    scanner = BleakScanner(backend=adapter.scanner_backend)
    await scanner.start()
    await air.close()
    async with asyncio.timeout(5):
        await asyncio.gather(lost.wait(), gone.wait(), peripheral.lost.wait())
        with pytest.raises(BleakError):
            await read
        await scanner.stop()
        await client.disconnect()
        with pytest.raises(BleakError):
            await client.connect()
        with pytest.raises(BleakError):
            await scanner.start()
        await adapter.close()
        await peripheral.close()
    assert not adapter.alive


@pytest.mark.parametrize("transport", ["tcp-client:127.0.0.1:1", "no-such-transport:x", "usb"])
async def test_no_transport_is_bleaks_own_error(transport: str) -> None:
    with pytest.raises(BleakBluetoothNotAvailableError):
        await BumbleAdapter.open(transport)

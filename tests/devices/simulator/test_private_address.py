"""Resolvable private addresses: the specification's sample, and a device that changes its own before real hosts."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from bleak import BleakClient, BleakScanner
from bleak.backends.scanner import AdvertisementData
from bumble import hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection
from bumble.smp import AddressResolver
from hypothesis import given
from hypothesis import strategies as st

from devices.hub.advertising import private_address, resolves
from devices.simulator.peripheral import ADDRESS_LASTS_S, advertising_payload
from tests.devices.simulator.radio_world import READ, SERVICE, World

IRK = bytes.fromhex("ec0234a357c8ad05341010a60a397d9b")
TAG = "0ea100ff-5c11-4b1e-9d57-5a1f00c0ffee"


def test_the_sample_of_the_specification() -> None:
    """Core Specification, Volume 3, Part H, D.7."""
    address = bytes.fromhex("7081940dfbaa")[::-1]
    assert private_address(IRK, bytes.fromhex("708194")) == address
    assert resolves(IRK, address)


@given(irk=st.binary(min_size=16, max_size=16), number=st.integers(1, 2**22 - 2), bit=st.integers(0, 47))
def test_an_address_resolves_with_its_own_key_and_whole_only(irk: bytes, number: int, bit: int) -> None:
    rpa = private_address(irk, number.to_bytes(3, "big"))
    assert rpa[-1] >> 6 == 1
    assert resolves(irk, rpa)
    changed = (int.from_bytes(rpa, "big") ^ 1 << bit).to_bytes(6, "big")
    assert not resolves(irk, changed)
    other = bytes((irk[0] ^ 1,)) + irk[1:]
    assert not resolves(other, rpa)


def test_another_implementation_resolves_it() -> None:
    identity = hci.Address("C2:00:00:00:00:01")
    rpa = private_address(IRK, b"\x12\x34\x56")
    resolver = AddressResolver([(IRK[::-1], identity)])
    resolved = resolver.resolve(hci.Address(rpa))
    assert resolved is not None
    assert bytes(resolved) == bytes(identity)
    theirs = hci.Address.generate_private_address(IRK[::-1])
    assert resolves(IRK, bytes(theirs))


@pytest.mark.parametrize("prand", ["000000", "3fffff", "400000", "c00000", "7fffff", "7081", "70819400"])
def test_what_makes_no_private_address_is_refused(prand: str) -> None:
    with pytest.raises(ValueError, match=r"random part|prand"):
        private_address(IRK, bytes.fromhex(prand))
    with pytest.raises(ValueError, match="16"):
        private_address(IRK[1:], bytes.fromhex("708194"))


@pytest.mark.parametrize("rpa", ["", "7081940dfb", "7081940dfbaa00", "f081940dfbaa", "3081940dfbaa"])
def test_nothing_else_resolves(rpa: str) -> None:
    assert not resolves(IRK, bytes.fromhex(rpa)[::-1])
    assert not resolves(b"", bytes.fromhex("7081940dfbaa")[::-1])


def service_data(address: bytes) -> bytes:
    """Carries the address that it is on the air with."""
    data = bytes(UUID(TAG)) + address
    return bytes((len(data) + 1, AdvertisingData.SERVICE_DATA_128_BIT_UUID)) + data


@pytest.fixture
async def private() -> AsyncIterator[World]:
    made = World(irk=IRK, advertising=advertising_payload([UUID(SERVICE)]), scan_response=service_data)
    await made.start()
    yield made
    await made.close()


async def heard(seen: BleakScanner, seconds: float = 5.0, *, but: str = "") -> tuple[str, AdvertisementData]:
    """The next advertiser at another address than `but` that said everything."""
    async with asyncio.timeout(seconds):
        async for device, data in seen.advertisement_data():
            if device.address != but and data.service_data:
                return device.address, data
    raise AssertionError


def as_bytes(address: str) -> bytes:
    """As on the air."""
    return bytes.fromhex(address.replace(":", ""))[::-1]


async def test_a_running_scan_sees_each_new_address_and_the_data_made_for_it(private: World) -> None:
    addresses: list[str] = []
    async with BleakScanner(backend=private.adapter.scanner_backend) as seen:
        for _ in range(3):
            address, data = await heard(seen, but=addresses[-1] if addresses else "")
            assert as_bytes(address) == private.thing.peripheral.present
            assert resolves(IRK, as_bytes(address))
            assert data.service_data == {TAG: as_bytes(address)}
            assert data.service_uuids == [SERVICE]
            addresses.append(address)
            await private.passes(ADDRESS_LASTS_S)
    assert len(set(addresses)) == 3
    assert private.thing.address not in addresses


async def test_it_lasts_a_quarter_of_an_hour(private: World) -> None:
    first = private.thing.peripheral.present
    await private.passes(ADDRESS_LASTS_S - 0.1)
    assert private.thing.peripheral.present == first
    await private.passes(0.2)
    assert private.thing.peripheral.present != first
    assert resolves(IRK, private.thing.peripheral.present), "who has been in a session finds it all the same"
    client = await connect(private)
    assert await private.run(client.read_gatt_char(READ)) == b"value"


async def connect(world: World) -> BleakClient:
    async with BleakScanner(backend=world.adapter.scanner_backend) as seen:
        address, _ = await heard(seen)
        client = BleakClient(address, backend=world.adapter.client_backend)
    await world.run(client.connect())
    return client


async def test_a_connection_is_made_to_the_present_address_and_lasts_beyond_it(private: World) -> None:
    client = await connect(private)
    address = private.thing.peripheral.present
    assert as_bytes(client.address) == address
    await private.passes(3 * ADDRESS_LASTS_S)
    assert private.thing.peripheral.present == address, "a connected device does not advertise"
    assert await private.run(client.read_gatt_char(READ)) == b"value"
    await private.run(client.disconnect())
    await private.settle()
    assert private.thing.peripheral.present != address, "advertising begins anew, so does the address"
    again = await connect(private)
    assert await private.run(again.read_gatt_char(READ)) == b"value"


@pytest.mark.parametrize("who", ["thing", "central"])
async def test_a_link_survives_that_a_host_changes_its_address(private: World, who: str) -> None:
    client = await connect(private)
    device = private.thing.peripheral.device if who == "thing" else private.adapter.device
    other = hci.Address(private_address(IRK, b"\x01\x02\x03"), hci.Address.RANDOM_DEVICE_ADDRESS)
    await private.run(device.send_sync_command(hci.HCI_LE_Set_Random_Address_Command(random_address=other)))
    assert await private.run(client.read_gatt_char(READ)) == b"value"
    ends: list[int] = []
    private.thing.connection.on(Connection.EVENT_DISCONNECTION, ends.append)
    await private.run(client.disconnect())
    await private.settle()
    assert len(ends) == 1


async def test_advertise_while_connected_changes_nothing(private: World) -> None:
    client = await connect(private)
    address = private.thing.peripheral.present
    await private.run(private.thing.peripheral.advertise())
    assert private.thing.peripheral.present == address
    assert not private.thing.peripheral.device.is_advertising
    assert client.is_connected


async def test_the_bond_outlives_the_address(private: World) -> None:
    client = await connect(private)
    await private.run(client.pair())
    await private.run(client.disconnect())
    again = await connect(private)
    assert private.connection.is_encrypted
    assert again.address != client.address


async def test_without_a_key_the_address_stays_and_payloads_are_still_made_for_it() -> None:
    asked: list[bytes] = []

    def payload(address: bytes) -> bytes:
        asked.append(address)
        return advertising_payload([UUID(SERVICE)])

    world = World(advertising=payload)
    await world.start()
    client = await world.connected(subscribed=False)
    await world.passes(2 * ADDRESS_LASTS_S)
    await world.run(client.disconnect())
    await world.until(lambda: len(asked) == 2)
    assert set(asked) == {as_bytes(world.thing.address)}
    await world.connected(subscribed=False)
    await world.close()

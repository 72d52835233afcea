"""Service data as bleak hands it on: any width of UUID, in the advertisement and in the scan response."""

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

import pytest
from bleak import BleakScanner
from bumble.core import UUID, AdvertisingData
from bumble.keys import MemoryKeyStore

from devices.bumble_backend import BumbleAdapter
from devices.simulator.peripheral import Peripheral
from devices.simulator.virtual_radio import VirtualController, VirtualLink

ADDRESS = "C2:00:00:00:00:01"
HUB, BEACON = "b5a10001-3d0c-4e8a-9f27-6c1e5a7d2b40", "b5a100ff-3d0c-4e8a-9f27-6c1e5a7d2b40"
HEART, LONG = "0000180d-0000-1000-8000-00805f9b34fb", "12345678-0000-1000-8000-00805f9b34fb"


def structure(kind: int, data: bytes) -> bytes:
    return bytes((len(data) + 1, kind)) + data


def wide(uuid: str, data: bytes) -> bytes:
    return structure(AdvertisingData.SERVICE_DATA_128_BIT_UUID, bytes(UUID(uuid)) + data)


Advertised = tuple[dict[str, bytes], list[str]]


@pytest.fixture
async def link() -> AsyncIterator[VirtualLink]:
    made = VirtualLink()
    yield made
    for controller in made.members():
        controller.leave()


async def scanned(
    link: VirtualLink, advertising: bytes, scan_response: bytes, mode: Literal["active", "passive"] = "active"
) -> Advertised:
    """Service data and services of one advertiser after a few advertisements."""
    there, here = (VirtualController(name, link, f"00:00:00:00:00:0{n}") for n, name in enumerate(("there", "here")))
    peripheral = Peripheral(
        there, there, name="Hub", address=ADDRESS, services=[], advertising=advertising, scan_response=scan_response
    )
    adapter = BumbleAdapter(here, here, name="central", address=None, keys=MemoryKeyStore())
    await peripheral.power_on()
    await adapter.power_on()
    async with BleakScanner(backend=adapter.scanner_backend, scanning_mode=mode) as seen, asyncio.timeout(5):
        heard = aiter(seen.advertisement_data())
        await anext(heard)
        _, data = await anext(heard)
    await adapter.close()
    return data.service_data, data.service_uuids


async def test_a_wide_uuid_in_the_advertisement(link: VirtualLink) -> None:
    assert await scanned(link, wide(HUB, b"\1\2\3"), b"") == ({HUB: b"\1\2\3"}, [])


async def test_a_wide_uuid_in_the_scan_response_joins_the_advertisement(link: VirtualLink) -> None:
    services = structure(AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, bytes(UUID(HUB)))
    data, uuids = await scanned(link, services, wide(BEACON, bytes(13)))
    assert data == {BEACON: bytes(13)}
    assert uuids == [HUB]


async def test_both_halves_carry_some(link: VirtualLink) -> None:
    narrow = structure(AdvertisingData.SERVICE_DATA_16_BIT_UUID, b"\x0d\x18\x05")
    medium = structure(AdvertisingData.SERVICE_DATA_32_BIT_UUID, b"\x78\x56\x34\x12\x06")
    data, _ = await scanned(link, narrow + medium, wide(HUB, b"\7"))
    assert data == {HEART: b"\5", LONG: b"\6", HUB: b"\7"}


async def test_a_passive_scan_asks_for_no_scan_response(link: VirtualLink) -> None:
    data, _ = await scanned(link, wide(HUB, b"\1"), wide(BEACON, b"\2"), "passive")
    assert data == {HUB: b"\1"}


async def test_data_shorter_than_its_uuid_is_left_out(link: VirtualLink) -> None:
    short = structure(AdvertisingData.SERVICE_DATA_128_BIT_UUID, bytes(15))
    empty = wide(BEACON, b"")
    data, _ = await scanned(link, short, empty)
    assert data == {BEACON: b""}

"""Device Information and Battery of peers that tell much, little or nonsense."""

import pytest
from bleak import BleakClient
from bumble.core import UUID
from bumble.gatt import Characteristic, Service

from core.model.hub import DeviceInfo
from devices.bumble_backend import BumbleAdapter
from devices.info import battery_characteristic, parse_battery, read_device_info
from devices.simulator.air import Air
from devices.simulator.peripheral import Peripheral, advertising_payload, write_only

ADDRESS = "C2:00:00:00:00:01"


def told(number: int, value: bytes) -> Characteristic[bytes]:
    return Characteristic(
        UUID.from_16_bits(number), Characteristic.Properties.READ, Characteristic.Permissions.READABLE, value
    )


def refused(number: int) -> Characteristic[bytes]:
    return Characteristic(
        UUID.from_16_bits(number),
        Characteristic.Properties.READ,
        Characteristic.Permissions.READABLE,
        write_only(lambda *_: None),
    )


INFORMATION, BATTERY = UUID.from_16_bits(0x180A), UUID.from_16_bits(0x180F)
FULL = [
    told(0x2A29, b"Maker"),
    told(0x2A24, b"Model\0\0"),
    told(0x2A25, b" S-1 "),
    told(0x2A26, b"1.2"),
    told(0x2A27, b"B"),
    told(0x2A28, "Größe\n1".encode()),
]
NONSENSE = [told(0x2A29, b"\xff\xfe"), told(0x2A24, b""), refused(0x2A25)]
FULL_INFO = DeviceInfo(
    manufacturer="Maker",
    model="Model",
    serial="S-1",
    firmware="1.2",
    hardware="B",
    software="Größe1",
    battery_percent=42,
)


@pytest.mark.parametrize(
    ("services", "info"),
    [
        ([], DeviceInfo()),
        ([Service(INFORMATION, FULL), Service(BATTERY, [told(0x2A19, b"\x2a")])], FULL_INFO),
        ([Service(INFORMATION, NONSENSE), Service(BATTERY, [told(0x2A19, b"\xff")])], DeviceInfo()),
        (
            [Service(BATTERY, [told(0x2A19, b"\1")]), Service(BATTERY, [told(0x2A19, b"\2")])],
            DeviceInfo(battery_percent=1),
        ),
    ],
    ids=["nothing", "everything", "nonsense", "two batteries"],
)
async def test_what_a_device_tells_of_itself(air: Air, services: list[Service], info: DeviceInfo) -> None:
    peripheral = await Peripheral.open(
        air.transports[0],
        name="x",
        address=ADDRESS,
        services=services,
        advertising=advertising_payload([INFORMATION]),
    )
    adapter = await BumbleAdapter.open(air.transports[1])
    async with peripheral, adapter, BleakClient(ADDRESS, backend=adapter.client_backend) as client:
        assert await read_device_info(client) == info
        assert (battery_characteristic(client) is not None) == (len(services) > 0)


@pytest.mark.parametrize(
    ("data", "percent"), [(None, None), (b"", None), (b"\0", 0), (b"\x64", 100), (b"\x65", None), (b"\1\1", None)]
)
def test_a_battery_level_is_a_percentage_or_none(data: bytes | None, percent: int | None) -> None:
    assert parse_battery(data) == percent

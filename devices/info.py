"""Device Information (0x180A) and Battery (0x180F), from whatever device has them."""

import logging
from typing import Final

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakError
from bleak.uuids import normalize_uuid_16

from core.model.hub import DeviceInfo

_log = logging.getLogger(__name__)

SIMULATOR: Final = "Smilescape simulator"
"""The manufacturer that simulated devices name."""
BATTERY_LEVEL: Final = normalize_uuid_16(0x2A19)
_BATTERY_SERVICE: Final = normalize_uuid_16(0x180F)
_INFORMATION_SERVICE: Final = normalize_uuid_16(0x180A)
_MANUFACTURER: Final = normalize_uuid_16(0x2A29)
_MODEL: Final = normalize_uuid_16(0x2A24)
_SERIAL: Final = normalize_uuid_16(0x2A25)
_FIRMWARE: Final = normalize_uuid_16(0x2A26)
_HARDWARE: Final = normalize_uuid_16(0x2A27)
_SOFTWARE: Final = normalize_uuid_16(0x2A28)


async def read_device_info(client: BleakClient) -> DeviceInfo:
    """What the device tells of itself; None for what it lacks, refuses, or tells in bytes that mean nothing.

    Raises:
        BleakError: the link was lost meanwhile.
    """
    return DeviceInfo(
        manufacturer=await _text(client, _MANUFACTURER),
        model=await _text(client, _MODEL),
        serial=await _text(client, _SERIAL),
        firmware=await _text(client, _FIRMWARE),
        hardware=await _text(client, _HARDWARE),
        software=await _text(client, _SOFTWARE),
        battery_percent=parse_battery(await _read(client, _BATTERY_SERVICE, BATTERY_LEVEL)),
    )


def battery_characteristic(client: BleakClient) -> BleakGATTCharacteristic | None:
    """The first battery level, None when the device has none. Some devices have several batteries."""
    return _find(client, _BATTERY_SERVICE, BATTERY_LEVEL)


def parse_battery(data: bytes | bytearray | None) -> int | None:
    """Percent, None when it is none: the profile allows 0–100 in one byte."""
    return data[0] if data is not None and len(data) == 1 and data[0] <= 100 else None


def _find(client: BleakClient, service: str, characteristic: str) -> BleakGATTCharacteristic | None:
    for found in client.services:
        if found.uuid == service and (match := found.get_characteristic(characteristic)) is not None:
            return match
    return None


async def _read(client: BleakClient, service: str, characteristic: str) -> bytearray | None:
    found = _find(client, service, characteristic)
    if found is None:
        return None
    try:
        return await client.read_gatt_char(found)
    except BleakError as error:
        if not client.is_connected:
            raise
        _log.info("%s does not tell its %s: %s", client.address, found.description, error)
        return None


async def _text(client: BleakClient, characteristic: str) -> str | None:
    data = await _read(client, _INFORMATION_SERVICE, characteristic)
    if data is None:
        return None
    try:
        # Some devices pad their strings with zeros.
        text = bytes(data).split(b"\0", 1)[0].decode("utf-8").strip()
    except UnicodeDecodeError:
        _log.info("%s has a string that is no UTF-8: %s", client.address, bytes(data).hex())
        return None
    return "".join(letter for letter in text if letter.isprintable()) or None

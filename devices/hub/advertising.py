"""What a hub says of itself before anybody connects, and how its owner recognises it (docs/hub-protocol.md, 2)."""

import struct
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from devices.hub import uuids
from devices.hub.session.identity import ENROLLED, OPEN, SIMULATED

COMPANY: Final = 0xFFFF
MODEL_HUB: Final = 1
NAME: Final = "Hub"
"""The same for all hubs."""
ADDRESS_BYTES: Final = 6

_LAYOUT: Final = struct.Struct("<BBBBBB")
_NO_BATTERY: Final = 255
_HASH: Final = 3
_PRIVATE: Final = 0x40
"""The two uppermost bits of a resolvable private address are 01."""

_FLAGS, _SERVICES, _NAME, _SERVICE_DATA, _MANUFACTURER = 0x01, 0x07, 0x09, 0x21, 0xFF
_DISCOVERABLE: Final = b"\x06"
"""LE general discoverable, no BR/EDR."""


class HubAdvert(msgspec.Struct, frozen=True, kw_only=True):
    """The manufacturer data of a hub: a hint where to connect, never a proof.

    Attributes:
        enrolled: it belongs to a practice; open: it may be enrolled now.
        battery_percent: None: not told.
    """

    model: int = MODEL_HUB
    profile_major: int
    profile_minor: int
    enrolled: bool = False
    simulated: bool = False
    open: bool = False
    battery_percent: int | None = None


def encode_advert(advert: HubAdvert) -> bytes:
    """The bytes after the company number."""
    flags = ENROLLED * advert.enrolled | SIMULATED * advert.simulated | OPEN * advert.open
    battery = _NO_BATTERY if advert.battery_percent is None else advert.battery_percent
    return _LAYOUT.pack(advert.model, advert.profile_major, advert.profile_minor, flags, battery, 0)


def decode_advert(manufacturer_data: Mapping[int, bytes]) -> HubAdvert | None:
    """The advert in a scan result's manufacturer data; None when it carries none. Never raises."""
    data = manufacturer_data.get(COMPANY, b"")
    if len(data) < _LAYOUT.size:
        return None
    model, major, minor, flags, battery, _ = _LAYOUT.unpack_from(data)
    return HubAdvert(
        model=model,
        profile_major=major,
        profile_minor=minor,
        enrolled=bool(flags & ENROLLED),
        simulated=bool(flags & SIMULATED),
        open=bool(flags & OPEN),
        battery_percent=battery if battery <= 100 else None,
    )


def advertising_data(advert: HubAdvert) -> bytes:
    """The advertising data, 31 bytes."""
    manufacturer = COMPANY.to_bytes(2, "little") + encode_advert(advert)
    return _structures((_FLAGS, _DISCOVERABLE), (_SERVICES, _SERVICE), (_MANUFACTURER, manufacturer))


def scan_response(address: bytes | None) -> bytes:
    """The scan response. `address`: 6 bytes as on the air, of an enrolled hub only."""
    name = (_NAME, NAME.encode())
    return _structures(name) if address is None else _structures(name, (_SERVICE_DATA, _SERVICE + address))


def address_bytes(text: str) -> bytes | None:
    """An address such as `70:81:94:0D:FB:AA` as on the air; None for what is none, as some systems have it."""
    try:
        found = bytes.fromhex(text.replace(":", " "))
    except ValueError:
        return None
    return found[::-1] if len(found) == ADDRESS_BYTES else None


def private_address(irk: bytes, prand: bytes) -> bytes:
    """A resolvable private address, 6 bytes as on the air.

    Args:
        irk: 16 bytes, the most significant first.
        prand: 3 random bytes, likewise; the two uppermost bits are set as they have to be.
    """
    marked = bytes((prand[0] & 0x3F | _PRIVATE,)) + prand[1:]
    return (marked + _ah(irk, marked))[::-1]


def resolves(irk: bytes, address: bytes) -> bool:
    """Whether an address, 6 bytes as on the air, was made with this IRK (16 bytes, the most significant first)."""
    if len(address) != ADDRESS_BYTES or address[-1] & 0xC0 != _PRIVATE:
        return False
    turned = address[::-1]
    return _ah(irk, turned[:_HASH]) == turned[_HASH:]


def is_of(irk: bytes, address: str, service_data: Mapping[str, bytes]) -> bool:
    """Whether an advertisement is of the hub with this IRK, by its address or by the one in its service data."""
    shown = (address_bytes(address), service_data.get(uuids.SERVICE))
    return any(one is not None and resolves(irk, bytes(one)) for one in shown)


_SERVICE: Final = UUID(uuids.SERVICE).bytes[::-1]


def _ah(irk: bytes, prand: bytes) -> bytes:
    """The random address hash of the Bluetooth Core specification, Vol 3 Part H 2.2.2."""
    aes = Cipher(algorithms.AES(irk), modes.ECB()).encryptor()
    return (aes.update(prand.rjust(16, b"\0")) + aes.finalize())[-_HASH:]


def _structures(*structures: tuple[int, bytes]) -> bytes:
    return b"".join(bytes((len(data) + 1, kind)) + data for kind, data in structures)

"""What a hub says of itself before anybody connects (docs/hub-protocol.md, section 2)."""

import struct
from collections.abc import Mapping
from typing import Final

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

COMPANY: Final = 0xFFFF
MODEL_HUB: Final = 1
ADDRESS_BYTES: Final = 6

_LAYOUT: Final = struct.Struct("<BBBBBB")
_PAIRED: Final = 1
_SIMULATED: Final = 2
_NO_BATTERY: Final = 255
_HASH: Final = 3
_PRIVATE: Final = 0x40


class HubAdvert(msgspec.Struct, frozen=True, kw_only=True):
    """The manufacturer data of a hub. `battery_percent` None: not told."""

    model: int = MODEL_HUB
    profile_major: int
    profile_minor: int
    paired: bool = False
    simulated: bool = False
    battery_percent: int | None = None


def encode_advert(advert: HubAdvert) -> bytes:
    """The bytes after the company number."""
    flags = (_PAIRED if advert.paired else 0) | (_SIMULATED if advert.simulated else 0)
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
        paired=bool(flags & _PAIRED),
        simulated=bool(flags & _SIMULATED),
        battery_percent=battery if battery <= 100 else None,
    )


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


def _ah(irk: bytes, prand: bytes) -> bytes:
    """The random address hash of the Bluetooth Core specification, Vol 3 Part H 2.2.2."""
    aes = Cipher(algorithms.AES(irk), modes.ECB()).encryptor()
    return (aes.update(prand.rjust(16, b"\0")) + aes.finalize())[-_HASH:]

"""What a hub says of itself before anybody connects (docs/hub-protocol.md, section 2)."""

import struct
from collections.abc import Mapping
from typing import Final

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

COMPANY: Final = 0xFFFF
MODEL_HUB: Final = 1

_LAYOUT: Final = struct.Struct("<BBBBBB")
_PAIRED: Final = 1
_SIMULATED: Final = 2
_NO_BATTERY: Final = 255


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


def make_rpa(irk: bytes, prand: bytes) -> bytes:
    """A resolvable private address, as whoever has the identity resolving key knows it again.

    After the Core Specification, Volume 6, Part B, 1.3.2.2 and Volume 3, Part H, 2.2.2 (`ah`). Keys and addresses are
    written with the most significant byte first, as people write them.

    Args:
        irk: 16 bytes.
        prand: 3 bytes; the two topmost bits are overwritten with 01, which marks such an address.

    Raises:
        ValueError: a wrong length, or a random part of nothing but zeros or ones, which is not allowed.
    """
    if len(irk) != 16 or len(prand) != 3:
        raise ValueError(f"an IRK has 16 bytes and prand 3, not {len(irk)} and {len(prand)}")
    random = int.from_bytes(prand, "big") & 0x3FFFFF
    if random in (0, 0x3FFFFF):
        raise ValueError("the random part of a private address may be neither all zeros nor all ones")
    marked = (0x400000 | random).to_bytes(3, "big")
    return marked + _address_hash(irk, marked)


def resolves(irk: bytes, rpa: bytes) -> bool:
    """Whether an address of 6 bytes was made with this IRK; one in 16 million others is taken for it. Never raises."""
    if len(irk) != 16 or len(rpa) != 6 or rpa[0] & 0xC0 != 0x40:
        return False
    return _address_hash(irk, rpa[:3]) == rpa[3:]


def _address_hash(irk: bytes, prand: bytes) -> bytes:
    # One block, so ECB is no mode at all here: `e` of the specification.
    cipher = Cipher(algorithms.AES(irk), modes.ECB()).encryptor()
    return (cipher.update(bytes(13) + prand) + cipher.finalize())[-3:]

"""What a health thermometer sends.

Layouts as in the Bluetooth SIG's Health Thermometer Service 1.0, sections 3.1 to 3.4, and the GATT Specification
Supplement. Reserved bits are ignored.
"""

from enum import IntEnum
from typing import Final

import msgspec

from devices.errors import FrameError
from devices.vitals.ieee11073 import DeviceTime, Fields, Number

_FAHRENHEIT: Final = 0x01
_TIME: Final = 0x02
_TYPE: Final = 0x04


class Site(IntEnum):
    """Where a temperature is taken (Temperature Type, 0x2A1D)."""

    ARMPIT = 1
    BODY = 2
    EAR = 3
    FINGER = 4
    GUT = 5
    MOUTH = 6
    RECTUM = 7
    TOE = 8
    EARDRUM = 9


class Temperature(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement, whatever unit it was sent in.

    Attributes:
        celsius: °C.
        time: what the device's clock said.
        site: None when it is not sent, or not one that the service knows.
    """

    celsius: Number
    time: DeviceTime | None = None
    site: Site | None = None


def parse_temperature(data: bytes) -> Temperature:
    """Read a Temperature Measurement (0x2A1C) or an Intermediate Temperature (0x2A1E). Raises FrameError."""
    fields = Fields(data, "A temperature measurement")
    flags = fields.uint(1)
    value = fields.float()
    if flags & _FAHRENHEIT and isinstance(value, float):
        value = (value - 32.0) / 1.8
    time = fields.time() if flags & _TIME else None
    site = _site(fields.uint(1)) if flags & _TYPE else None
    fields.end()
    return Temperature(celsius=value, time=time, site=site)


def parse_site(data: bytes) -> Site | None:
    """Read a Temperature Type (0x2A1D); None for a reserved one. Raises FrameError."""
    if len(data) != 1:
        raise FrameError(f"A temperature type is {data.hex()}.")
    return _site(data[0])


def parse_interval(data: bytes) -> int | None:
    """Read a Measurement Interval (0x2A21), s; None when it measures only when asked. Raises FrameError."""
    if len(data) != 2:
        raise FrameError(f"A measurement interval is {data.hex()}.")
    return int.from_bytes(data, "little") or None


def _site(number: int) -> Site | None:
    return Site(number) if number in Site._value2member_map_ else None

"""Numbers and dates as medical devices send them.

SFLOAT and FLOAT as in ISO/IEEE 11073-20601, which the Bluetooth SIG's Personal Health Devices Transcoding white paper
1.6 brings to GATT; Date Time (0x2A08) as in the GATT Specification Supplement. Little-endian throughout.
"""

from enum import Enum

import msgspec

from devices.errors import FrameError


class Special(Enum):
    """What stands in place of a number. None of them is one, so none is ever shown or recorded as one."""

    NAN = "not a number"
    NOT_AT_THIS_RESOLUTION = "not at this resolution"
    POSITIVE_INFINITY = "beyond the upper end"
    NEGATIVE_INFINITY = "beyond the lower end"
    RESERVED = "reserved"


Number = float | Special
"""A measured value, or why there is none."""


def parse_sfloat(raw: int) -> Number:
    """A 16-bit SFLOAT: exponent of 4 bits, mantissa of 12, both two's complement."""
    return _number(raw, 12, 4)


def parse_float(raw: int) -> Number:
    """A 32-bit FLOAT: exponent of 8 bits, mantissa of 24, both two's complement."""
    return _number(raw, 24, 8)


def _number(raw: int, mantissa_bits: int, exponent_bits: int) -> Number:
    """Mantissas stop two short of their ends: those kept free are the special values, or, with an exponent, nothing."""
    mantissa = _signed(raw, mantissa_bits)
    exponent = _signed(raw >> mantissa_bits, exponent_bits)
    top = (1 << (mantissa_bits - 1)) - 1
    if abs(mantissa) <= top - 2:
        # Whole numbers are divided, not multiplied by 0.1: 36.6 then is the float nearest to 36.6. Python's integers
        # have no end, but its floats have: nothing here comes near 1e308 in either format.
        return float(mantissa * 10**exponent) if exponent >= 0 else mantissa / 10**-exponent
    if exponent:
        return Special.RESERVED
    return {
        top: Special.NAN,
        -top - 1: Special.NOT_AT_THIS_RESOLUTION,
        top - 1: Special.POSITIVE_INFINITY,
        -top + 1: Special.NEGATIVE_INFINITY,
    }.get(mantissa, Special.RESERVED)


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


class DeviceTime(msgspec.Struct, frozen=True, kw_only=True):
    """What a device's own clock said: kept, never trusted over ours. 0 in year, month or day is not known."""

    year: int
    month: int
    day: int
    hours: int
    minutes: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}-{self.day:02} {self.hours:02}:{self.minutes:02}:{self.seconds:02}"


class Fields:
    """Takes the fields of one frame in turn.

    Raises (every method but `left`):
        FrameError: the frame ends too early, or a field has a value that it must not have.
    """

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._what = what
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes that were not taken yet."""
        return len(self._data) - self._at

    def uint(self, width: int) -> int:
        """An unsigned integer of `width` bytes."""
        if self.left < width:
            raise FrameError(f"{self._what} ends after {len(self._data)} bytes: {self._data.hex()}.")
        self._at += width
        return int.from_bytes(self._data[self._at - width : self._at], "little")

    def sfloat(self) -> Number:
        return parse_sfloat(self.uint(2))

    def float(self) -> Number:
        return parse_float(self.uint(4))

    def time(self) -> DeviceTime:
        year, month, day = self.uint(2), self.uint(1), self.uint(1)
        hours, minutes, seconds = self.uint(1), self.uint(1), self.uint(1)
        sound = (year == 0 or 1582 <= year <= 9999) and month <= 12 and day <= 31
        if not (sound and hours < 24 and minutes < 60 and seconds < 60):
            raise FrameError(f"{self._what} has a date that is none: {self._data.hex()}.")
        return DeviceTime(year=year, month=month, day=day, hours=hours, minutes=minutes, seconds=seconds)

    def end(self) -> None:
        """Nothing may follow."""
        if self.left:
            raise FrameError(f"{self._what} has {self.left} bytes too many: {self._data.hex()}.")

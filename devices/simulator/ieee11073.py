"""IEEE 11073 numbers and dates, as simulated sensors write them."""

import struct
from datetime import datetime
from typing import Final

NAN_SFLOAT: Final = 0x07FF
NAN_FLOAT: Final = 0x007FFFFF


def sfloat(value: float | None, decimals: int = 1) -> bytes:
    """A 16-bit SFLOAT with so many decimals; NaN for None. Raises ValueError when it does not fit."""
    raw = NAN_SFLOAT if value is None else _pack(value, decimals, 12, 4)
    return struct.pack("<H", raw)


def float32(value: float | None, decimals: int = 2) -> bytes:
    """A 32-bit FLOAT with so many decimals; NaN for None. Raises ValueError when it does not fit."""
    raw = NAN_FLOAT if value is None else _pack(value, decimals, 24, 8)
    return struct.pack("<I", raw)


def date_time(at: datetime) -> bytes:
    """A Date Time (0x2A08)."""
    return struct.pack("<HBBBBB", at.year, at.month, at.day, at.hour, at.minute, at.second)


def _pack(value: float, decimals: int, mantissa_bits: int, exponent_bits: int) -> int:
    mantissa = round(value * 10.0**decimals)
    if abs(mantissa) > (1 << (mantissa_bits - 1)) - 3:
        raise ValueError(f"{value} with {decimals} decimals does not fit into {mantissa_bits} bits")
    exponent: int = -decimals & ((1 << exponent_bits) - 1)
    return exponent << mantissa_bits | mantissa & ((1 << mantissa_bits) - 1)

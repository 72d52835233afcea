"""Numbers and dates of medical devices, against a second reading of the standard."""

import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import FrameError
from devices.simulator import ieee11073 as simulated
from devices.vitals.ieee11073 import DeviceTime, Fields, Number, Special, parse_float, parse_sfloat

SPECIAL_12 = {
    0x7FF: Special.NAN,
    0x800: Special.NOT_AT_THIS_RESOLUTION,
    0x7FE: Special.POSITIVE_INFINITY,
    0x802: Special.NEGATIVE_INFINITY,
    0x801: Special.RESERVED,
}


def meant(raw: int, mantissa_bits: int, exponent_bits: int) -> Number:
    """The value by decimal arithmetic: a way of reading that has nothing in common with the decoder's."""
    mantissa, exponent = raw % (1 << mantissa_bits), raw >> mantissa_bits
    specials = {(1 << (mantissa_bits - 1)) + number - 0x800: special for number, special in SPECIAL_12.items()}
    if mantissa in specials:
        return specials[mantissa] if exponent == 0 else Special.RESERVED
    if mantissa >= 1 << (mantissa_bits - 1):
        mantissa -= 1 << mantissa_bits
    if exponent >= 1 << (exponent_bits - 1):
        exponent -= 1 << exponent_bits
    return float(Decimal(mantissa).scaleb(exponent))


def test_every_sfloat_there_is_means_what_the_standard_says() -> None:
    for raw in range(0x10000):
        assert parse_sfloat(raw) == meant(raw, 12, 4), hex(raw)


@given(st.integers(0, 0xFFFFFFFF) | st.sampled_from([0x7FFFFF, 0x800000, 0x7FFFFE, 0x800002, 0x800001, 0x7FFFFD]))
def test_a_float_means_what_the_standard_says(raw: int) -> None:
    assert parse_float(raw) == meant(raw, 24, 8)


@pytest.mark.parametrize(
    ("raw", "value"), [(0xF3CF, 97.5), (0x1064, 1000.0), (0x0FF6, -10.0), (0x0000, 0.0), (0x07FD, 2045.0)]
)
def test_known_sfloats(raw: int, value: float) -> None:
    assert parse_sfloat(raw) == value


@pytest.mark.parametrize(("raw", "value"), [(0xFF00016E, 36.6), (0xFE000E4C, 36.6), (0xFF0003E2, 99.4)])
def test_known_floats(raw: int, value: float) -> None:
    assert parse_float(raw) == value


@given(st.integers(-2045, 2045), st.integers(0, 8))
def test_what_the_simulator_writes_in_16_bits_is_read_back(mantissa: int, decimals: int) -> None:
    value = float(Decimal(mantissa).scaleb(-decimals))
    (raw,) = struct.unpack("<H", simulated.sfloat(value, decimals))
    assert parse_sfloat(raw) == value


@given(st.integers(-(2**23) + 3, 2**23 - 3), st.integers(0, 9))
def test_what_the_simulator_writes_in_32_bits_is_read_back(mantissa: int, decimals: int) -> None:
    value = float(Decimal(mantissa).scaleb(-decimals))
    (raw,) = struct.unpack("<I", simulated.float32(value, decimals))
    assert parse_float(raw) == value


def test_a_number_that_does_not_fit_is_not_written() -> None:
    for value in (2046.0, -2046.0):
        with pytest.raises(ValueError, match="does not fit"):
            simulated.sfloat(value, 0)


def test_a_date_is_read_and_an_impossible_one_refused() -> None:
    fields = Fields(bytes.fromhex("ee07 0b 17 0a 14 3b"), "It")
    assert fields.time() == DeviceTime(year=2030, month=11, day=23, hours=10, minutes=20, seconds=59)
    fields.end()
    assert str(Fields(bytes(7), "It").time()) == "0000-00-00 00:00:00"
    for wrong in ("ee07 0d 17 0a 14 3b", "ee07 0b 20 0a 14 3b", "ee07 0b 17 18 14 3b", "ee07 0b 17 0a 3c 3b",
                  "ee07 0b 17 0a 14 3c", "0100 0b 17 0a 14 3b", "1127 0b 17 0a 14 3b", "ee07 0b"):  # fmt: skip
        with pytest.raises(FrameError):
            Fields(bytes.fromhex(wrong), "It").time()

"""Temperatures: by hand, from an encoder of the tests' own, and from any bytes."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.block import Provenance
from devices.errors import FrameError
from devices.vitals.ieee11073 import DeviceTime, Special, parse_float
from devices.vitals.thermometer import ThermometerBlocks
from devices.vitals.thermometer_frames import Site, Temperature, parse_interval, parse_site, parse_temperature

# Worked out by hand from the service's tables, not from the implementation.
VECTORS = [
    ("00 6e0100ff", Temperature(celsius=36.6)),
    ("01 d40300ff", Temperature(celsius=(98.0 - 32.0) / 1.8)),
    ("00 ffff7f00", Temperature(celsius=Special.NAN)),
    ("01 00008000", Temperature(celsius=Special.NOT_AT_THIS_RESOLUTION)),
    ("04 6e0100ff 06", Temperature(celsius=36.6, site=Site.MOUTH)),
    ("04 6e0100ff 63", Temperature(celsius=36.6)),
    (
        "06 6e0100ff ee070b170a143b 03",
        Temperature(
            celsius=36.6,
            time=DeviceTime(year=2030, month=11, day=23, hours=10, minutes=20, seconds=59),
            site=Site.EAR,
        ),
    ),
    ("f8 6e0100ff", Temperature(celsius=36.6)),  # reserved bits are ignored
]


@pytest.mark.parametrize(("frame", "meant"), VECTORS)
def test_a_temperature_means_what_the_service_says(frame: str, meant: Temperature) -> None:
    assert parse_temperature(bytes.fromhex(frame)) == meant


@pytest.mark.parametrize("frame", ["", "00", "00 6e0100", "00 6e0100ff 00", "04 6e0100ff", "02 6e0100ff ee070b17"])
def test_a_truncated_or_overlong_temperature_is_refused(frame: str) -> None:
    with pytest.raises(FrameError):
        parse_temperature(bytes.fromhex(frame))


@given(st.binary(max_size=24))
def test_no_bytes_raise_anything_but_a_frame_error(data: bytes) -> None:
    for parse in (parse_temperature, parse_site, parse_interval):
        try:
            found = parse(data)
        except FrameError:
            continue
        if isinstance(found, Temperature):
            for block in ThermometerBlocks(1).of(found, 10**9, intermediate=False):
                assert abs(int(block.samples[0])) <= 30_000


@given(st.integers(0, 0xFFFFFFFF), st.booleans(), st.none() | st.integers(0, 255))
def test_what_is_written_by_the_table_is_read_back(raw: int, fahrenheit: bool, site: int | None) -> None:
    data = bytes([fahrenheit | (site is not None) << 2]) + struct.pack("<I", raw)
    found = parse_temperature(data + (b"" if site is None else bytes([site])))
    value = parse_float(raw)
    if isinstance(value, float):
        assert found.celsius == pytest.approx((value - 32) * 5 / 9 if fahrenheit else value)
    else:
        assert found.celsius is value
    assert found.site == (Site(site) if site is not None and 1 <= site <= 9 else None)


def test_site_and_interval_are_read() -> None:
    assert parse_site(b"\x06") is Site.MOUTH
    assert parse_site(b"\x00") is None
    assert parse_interval(b"\x05\x00") == 5
    assert parse_interval(b"\x00\x00") is None


def test_what_is_on_its_way_or_out_of_reason_is_suspect() -> None:
    def of(celsius: float | Special, *, intermediate: bool = False) -> list[tuple[int, Provenance]]:
        blocks = ThermometerBlocks(1).of(Temperature(celsius=celsius), 10**9, intermediate=intermediate)
        return [(int(block.samples[0]), block.provenance) for block in blocks]

    assert of(36.6) == [(3660, Provenance.LIVE)]
    assert of(36.6, intermediate=True) == [(3660, Provenance.SUSPECT)]
    assert of(98.6) == [(9860, Provenance.SUSPECT)]
    assert of(1e6) == []
    assert [of(special) for special in Special] == [[]] * 5

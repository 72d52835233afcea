"""Oximeter measurements: by hand, from an encoder of the tests' own, and from any bytes."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.block import Provenance
from devices.errors import FrameError
from devices.vitals.ieee11073 import DeviceTime, Special, parse_sfloat
from devices.vitals.pulse_oximeter import OximeterBlocks, is_doubted, why_missing
from devices.vitals.pulse_oximeter_frames import (
    Features,
    MeasurementStatus,
    Oximetry,
    Reading,
    SensorStatus,
    parse_continuous,
    parse_features,
    parse_spot_check,
)

# Worked out by hand from the service's tables, not from either implementation.
CONTINUOUS = [
    ("00 6200 5f00", Oximetry(reading=Reading(98.0, 95.0))),
    ("00 cff3 48f0", Oximetry(reading=Reading(97.5, 7.2))),
    ("00 ff07 0008", Oximetry(reading=Reading(Special.NAN, Special.NOT_AT_THIS_RESOLUTION))),
    ("01 6200 4800 6300 4900", Oximetry(reading=Reading(98.0, 72.0), fast=Reading(99.0, 73.0))),
    ("02 6200 4800 6100 4700", Oximetry(reading=Reading(98.0, 72.0), slow=Reading(97.0, 71.0))),
    ("04 6200 4800 6000", Oximetry(reading=Reading(98.0, 72.0), status=MeasurementStatus(0x60))),
    ("08 6200 4800 000800", Oximetry(reading=Reading(98.0, 72.0), sensor=SensorStatus.OFF_PATIENT)),
    ("10 6200 4800 2af0", Oximetry(reading=Reading(98.0, 72.0), amplitude=4.2)),
    ("e4 6200 4800 1f80", Oximetry(reading=Reading(98.0, 72.0), status=MeasurementStatus.INVALID)),  # reserved bits
]
SPOT = [
    ("00 6200 4800", Oximetry(reading=Reading(98.0, 72.0))),
    (
        "01 6200 4800 ee070b170a143b",
        Oximetry(
            reading=Reading(98.0, 72.0),
            time=DeviceTime(year=2030, month=11, day=23, hours=10, minutes=20, seconds=59),
        ),
    ),
    ("02 6200 4800 0001", Oximetry(reading=Reading(98.0, 72.0), status=MeasurementStatus.FULLY_QUALIFIED)),
    ("04 6200 4800 008000", Oximetry(reading=Reading(98.0, 72.0), sensor=SensorStatus.SENSOR_DISCONNECTED)),
    ("18 6200 4800 fe07", Oximetry(reading=Reading(98.0, 72.0), amplitude=Special.POSITIVE_INFINITY, clock_set=False)),
]


@pytest.mark.parametrize(("frame", "meant"), CONTINUOUS)
def test_a_continuous_measurement_means_what_the_service_says(frame: str, meant: Oximetry) -> None:
    assert parse_continuous(bytes.fromhex(frame)) == meant


@pytest.mark.parametrize(("frame", "meant"), SPOT)
def test_a_spot_check_means_what_the_service_says(frame: str, meant: Oximetry) -> None:
    assert parse_spot_check(bytes.fromhex(frame)) == meant


def test_features_say_which_bits_can_be_set() -> None:
    assert parse_features(bytes.fromhex("7000")) == Features(flags=0x70)
    assert parse_features(bytes.fromhex("0300 6000 000800")) == Features(
        flags=3, status=MeasurementStatus(0x60), sensor=SensorStatus.OFF_PATIENT
    )


@pytest.mark.parametrize("parse", [parse_continuous, parse_spot_check])
@pytest.mark.parametrize("frame", ["", "00", "00 6200 48", "00 6200 4800 00", "1f 6200 4800", "0c 6200 4800 0008"])
def test_a_truncated_or_overlong_measurement_is_refused(parse: type, frame: str) -> None:
    with pytest.raises(FrameError):
        parse(bytes.fromhex(frame))


@given(st.binary(max_size=40))
def test_no_bytes_raise_anything_but_a_frame_error(data: bytes) -> None:
    for parse in (parse_continuous, parse_spot_check, parse_features):
        try:
            found = parse(data)
        except FrameError:
            continue
        if isinstance(found, Oximetry):
            assert why_missing(found) != "" or isinstance(found.reading.spo2 or found.reading.pulse, float)
            for spot in (False, True):
                for block in OximeterBlocks(1).of(found, 10**9, spot=spot):
                    assert abs(int(block.samples[0])) < 32767


raw_sfloat = st.integers(0, 0xFFFF)
pairs = st.tuples(raw_sfloat, raw_sfloat)


@given(pairs, st.none() | pairs, st.none() | pairs, st.none() | raw_sfloat, st.none() | st.integers(0, 0xFFFFFF),
       st.none() | raw_sfloat)  # fmt: skip
def test_what_is_written_by_the_table_is_read_back(
    normal: tuple[int, int],
    fast: tuple[int, int] | None,
    slow: tuple[int, int] | None,
    status: int | None,
    sensor: int | None,
    amplitude: int | None,
) -> None:
    optional = (
        None if fast is None else struct.pack("<HH", *fast),
        None if slow is None else struct.pack("<HH", *slow),
        None if status is None else struct.pack("<H", status),
        None if sensor is None else struct.pack("<I", sensor)[:3],
        None if amplitude is None else struct.pack("<H", amplitude),
    )
    flags = sum(1 << bit for bit, field in enumerate(optional) if field is not None)
    data = bytes([flags]) + struct.pack("<HH", *normal) + b"".join(field for field in optional if field is not None)

    def reading(pair: tuple[int, int] | None) -> Reading | None:
        return None if pair is None else Reading(parse_sfloat(pair[0]), parse_sfloat(pair[1]))

    assert parse_continuous(data) == Oximetry(
        reading=Reading(parse_sfloat(normal[0]), parse_sfloat(normal[1])),
        fast=reading(fast),
        slow=reading(slow),
        status=None if status is None else MeasurementStatus(status & 0xFFE0),
        sensor=None if sensor is None else SensorStatus(sensor & 0xFFFF),
        amplitude=None if amplitude is None else parse_sfloat(amplitude),
    )


GOOD = Reading(98.0, 72.0)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (Oximetry(reading=GOOD), ""),
        (Oximetry(reading=GOOD, status=MeasurementStatus.ONGOING | MeasurementStatus.VALIDATED), ""),
        (Oximetry(reading=GOOD, status=MeasurementStatus.INVALID), "invalid"),
        (Oximetry(reading=GOOD, status=MeasurementStatus.UNAVAILABLE), "invalid"),
        (Oximetry(reading=GOOD, status=MeasurementStatus.DEMONSTRATION), "demonstration"),
        (Oximetry(reading=GOOD, status=MeasurementStatus.TESTING), "demonstration"),
        (Oximetry(reading=GOOD, status=MeasurementStatus.FROM_STORAGE), "stored"),
        (Oximetry(reading=GOOD, status=MeasurementStatus.CALIBRATION), "calibrating"),
        (Oximetry(reading=GOOD, sensor=SensorStatus.SENSOR_DISCONNECTED | SensorStatus.NO_PULSE), "unplugged"),
        (Oximetry(reading=GOOD, sensor=SensorStatus.OFF_PATIENT), "off"),
        (Oximetry(reading=GOOD, sensor=SensorStatus.SENSOR_MALFUNCTION), "broken"),
        (Oximetry(reading=GOOD, sensor=SensorStatus.SIGNAL_INADEQUATE), "no_pulse"),
        (Oximetry(reading=GOOD, sensor=SensorStatus.SENSOR_UNKNOWN), "unknown"),
        (Oximetry(reading=Reading(Special.NAN, Special.NAN)), "no_number"),
        (Oximetry(reading=Reading(Special.NAN, 72.0)), ""),
    ],
)
def test_what_the_device_says_of_itself_decides_whether_there_is_a_value(found: Oximetry, reason: str) -> None:
    assert why_missing(found) == reason


@pytest.mark.parametrize("status", [MeasurementStatus.EARLY_ESTIMATE, MeasurementStatus.QUESTIONABLE])
def test_what_the_device_doubts_is_suspect(status: MeasurementStatus) -> None:
    doubted = Oximetry(reading=GOOD, status=status)
    assert is_doubted(doubted)
    assert {block.provenance for block in OximeterBlocks(1).of(doubted, 10**9, spot=False)} == {Provenance.SUSPECT}
    assert {block.provenance for block in OximeterBlocks(1).of(Oximetry(reading=GOOD), 10**9, spot=False)} == {
        Provenance.LIVE
    }


def test_a_value_is_scaled_dated_by_our_clock_and_kept_apart_from_a_spot_check() -> None:
    blocks = OximeterBlocks(7)
    found = Oximetry(reading=Reading(97.5, 72.0), amplitude=4.25)
    told = [(b.channel, int(b.samples[0]), b.start_us, b.boot) for b in blocks.of(found, 5_000_000, spot=False)]
    assert told == [(67, 975, 4_000_000, 7), (68, 720, 4_000_000, 7), (69, 425, 4_000_000, 7)]
    assert [block.channel for block in blocks.of(found, 6_000_000, spot=True)] == [70, 71]


@pytest.mark.parametrize("special", [*Special, 100.5, -1.0])
def test_no_special_value_and_no_impossible_percentage_becomes_a_sample(special: Special | float) -> None:
    found = Oximetry(reading=Reading(special, 72.0), amplitude=Special.NAN)
    assert [block.channel for block in OximeterBlocks(1).of(found, 10**9, spot=False)] == [68]

"""What a pulse oximeter sends.

Layouts as in the Bluetooth SIG's Pulse Oximeter Service 1.0.1: PLX Spot-check Measurement in section 3.1, PLX
Continuous Measurement in 3.2, PLX Features in 3.3; status fields in tables 3.4 and 3.5. Reserved bits are ignored.
"""

from enum import IntFlag
from typing import Final

import msgspec

from devices.vitals.ieee11073 import DeviceTime, Fields, Number

_SPOT_TIME: Final = 0x01
_SPOT_STATUS: Final = 0x02
_SPOT_SENSOR: Final = 0x04
_SPOT_AMPLITUDE: Final = 0x08
_SPOT_CLOCK_NOT_SET: Final = 0x10
_FAST: Final = 0x01
_SLOW: Final = 0x02
_STATUS: Final = 0x04
_SENSOR: Final = 0x08
_AMPLITUDE: Final = 0x10


class MeasurementStatus(IntFlag):
    """How far a measurement is to be believed."""

    ONGOING = 1 << 5
    EARLY_ESTIMATE = 1 << 6
    VALIDATED = 1 << 7
    FULLY_QUALIFIED = 1 << 8
    FROM_STORAGE = 1 << 9
    DEMONSTRATION = 1 << 10
    TESTING = 1 << 11
    CALIBRATION = 1 << 12
    UNAVAILABLE = 1 << 13
    QUESTIONABLE = 1 << 14
    INVALID = 1 << 15


class SensorStatus(IntFlag):
    """What the oximeter says of itself and of its sensor."""

    EXTENDED_DISPLAY_UPDATE = 1 << 0
    EQUIPMENT_MALFUNCTION = 1 << 1
    PROCESSING_IRREGULAR = 1 << 2
    SIGNAL_INADEQUATE = 1 << 3
    SIGNAL_POOR = 1 << 4
    LOW_PERFUSION = 1 << 5
    SIGNAL_ERRATIC = 1 << 6
    NO_PULSE = 1 << 7
    PULSE_QUESTIONABLE = 1 << 8
    SIGNAL_ANALYSIS = 1 << 9
    INTERFERENCE = 1 << 10
    OFF_PATIENT = 1 << 11
    SENSOR_UNKNOWN = 1 << 12
    SENSOR_DISPLACED = 1 << 13
    SENSOR_MALFUNCTION = 1 << 14
    SENSOR_DISCONNECTED = 1 << 15


class Reading(msgspec.Struct, frozen=True):
    """SpO2 in % and pulse rate a minute, measured together."""

    spo2: Number
    pulse: Number


class Oximetry(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement, continuous or spot-check.

    Attributes:
        reading: what the display shows: `Normal` of a continuous measurement.
        fast, slow: the same over a shorter or a longer time; None in most devices and all spot-checks.
        status, sensor: None when the device says nothing of it.
        amplitude: pulse amplitude index, %.
        time: what the device's clock said, in spot-checks only.
        clock_set: False when the device says that its clock is not set.
    """

    reading: Reading
    fast: Reading | None = None
    slow: Reading | None = None
    status: MeasurementStatus | None = None
    sensor: SensorStatus | None = None
    amplitude: Number | None = None
    time: DeviceTime | None = None
    clock_set: bool = True


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """PLX Features. `status` and `sensor`: the bits that the device can set, None when it has no such field."""

    flags: int
    status: MeasurementStatus | None = None
    sensor: SensorStatus | None = None


def parse_continuous(data: bytes) -> Oximetry:
    """Read a PLX Continuous Measurement (0x2A5F). Raises FrameError."""
    fields = Fields(data, "A continuous oximeter measurement")
    flags = fields.uint(1)
    found = Oximetry(
        reading=_reading(fields),
        fast=_reading(fields) if flags & _FAST else None,
        slow=_reading(fields) if flags & _SLOW else None,
        status=_status(fields) if flags & _STATUS else None,
        sensor=_sensor(fields) if flags & _SENSOR else None,
        amplitude=fields.sfloat() if flags & _AMPLITUDE else None,
    )
    fields.end()
    return found


def parse_spot_check(data: bytes) -> Oximetry:
    """Read a PLX Spot-check Measurement (0x2A5E). Raises FrameError."""
    fields = Fields(data, "A spot-check oximeter measurement")
    flags = fields.uint(1)
    found = Oximetry(
        reading=_reading(fields),
        time=fields.time() if flags & _SPOT_TIME else None,
        status=_status(fields) if flags & _SPOT_STATUS else None,
        sensor=_sensor(fields) if flags & _SPOT_SENSOR else None,
        amplitude=fields.sfloat() if flags & _SPOT_AMPLITUDE else None,
        clock_set=not flags & _SPOT_CLOCK_NOT_SET,
    )
    fields.end()
    return found


def parse_features(data: bytes) -> Features:
    """Read PLX Features (0x2A60). Raises FrameError."""
    fields = Fields(data, "The features of an oximeter")
    flags = fields.uint(2)
    found = Features(
        flags=flags,
        status=_status(fields) if flags & 0x01 else None,
        sensor=_sensor(fields) if flags & 0x02 else None,
    )
    fields.end()
    return found


def _reading(fields: Fields) -> Reading:
    return Reading(fields.sfloat(), fields.sfloat())


def _status(fields: Fields) -> MeasurementStatus:
    return MeasurementStatus(fields.uint(2) & 0xFFE0)


def _sensor(fields: Fields) -> SensorStatus:
    return SensorStatus(fields.uint(3) & 0xFFFF)

"""Any standard Bluetooth heart rate sensor (service 0x180D).

Layouts as in the Bluetooth SIG's Heart Rate Service 1.0, section 3.1, and the GATT Specification Supplement.
"""

from typing import Final

import msgspec
from bleak import BleakClient
from bleak.exc import BleakError
from bleak.uuids import normalize_uuid_16

from core.model.block import SampleBlock
from core.signals.catalogue import load_catalogue
from devices.errors import DeviceError, FrameError
from devices.vitals.driver import BlockMaker, SensorDriver, Subscriptions, characteristic

SERVICE: Final = normalize_uuid_16(0x180D)
MEASUREMENT: Final = normalize_uuid_16(0x2A37)
CONTROL_POINT: Final = normalize_uuid_16(0x2A39)
RESET_ENERGY: Final = b"\x01"

_WIDE_RATE: Final = 0x01
_CONTACT_DETECTED: Final = 0x02
_CONTACT_SUPPORTED: Final = 0x04
_ENERGY: Final = 0x08
_INTERVALS: Final = 0x10
_INTERVALS_PER_S: Final = 1024
_PLAUSIBLE_BPM: Final = range(20, 301)
_BEAT_TOLERANCE_US: Final = 1_500_000


class HeartRate(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement.

    Attributes:
        bpm: beats a minute, 0–65535 as sent.
        contact: skin contact, None when the sensor cannot tell.
        energy_kj: expended since reset; None in most measurements, since sensors send it now and then.
        rr_s: times between beats, s, the oldest first, in steps of 1/1024 s.
    """

    bpm: int
    contact: bool | None = None
    energy_kj: int | None = None
    rr_s: tuple[float, ...] = ()


class HeartRateControlError(DeviceError):
    """The sensor's control point does not do what was asked."""

    code = "device.heart_rate.control"


def parse_heart_rate(data: bytes) -> HeartRate:
    """Read a Heart Rate Measurement (0x2A37). The reserved flags are ignored, as the service demands.

    Raises:
        FrameError: shorter than its flags announce, or longer.
    """
    if not data:
        raise FrameError("A heart rate measurement is empty.")
    flags = data[0]
    at = 1

    def take(width: int) -> int:
        nonlocal at
        if len(data) < at + width:
            raise FrameError(f"A heart rate measurement ends after {len(data)} bytes: {data.hex()}.")
        at += width
        return int.from_bytes(data[at - width : at], "little")

    bpm = take(2 if flags & _WIDE_RATE else 1)
    energy = take(2) if flags & _ENERGY else None
    intervals: list[float] = []
    if flags & _INTERVALS:
        while at < len(data):
            intervals.append(take(2) / _INTERVALS_PER_S)
        if not intervals:
            raise FrameError(f"A heart rate measurement announces RR intervals and has none: {data.hex()}.")
    if at != len(data):
        raise FrameError(f"A heart rate measurement has {len(data) - at} bytes too many: {data.hex()}.")
    contact = bool(flags & _CONTACT_DETECTED) if flags & _CONTACT_SUPPORTED else None
    return HeartRate(bpm=bpm, contact=contact, energy_kj=energy, rr_s=tuple(intervals))


class HeartRateBlocks:
    """Sample blocks out of measurements.

    The sensor has no clock: a measurement is dated by its arrival. RR intervals are laid end to end, each a block as
    long as itself, so that beats keep their rhythm whatever the radio does; when the chain and the arrivals part by
    more than 1.5 s (beats were lost), it starts anew at the arrival. Sample times never run backwards.

    Args:
        boot: number of this connection, which must never have been used before for this sensor.
    """

    def __init__(self, boot: int) -> None:
        catalogue = load_catalogue()
        self._rate, self._interval = catalogue.key("heart_rate"), catalogue.key("rr_interval")
        self._energy = catalogue.key("energy_expended")
        self._maker = BlockMaker(boot)
        self._beat_us = 0

    def of(self, measurement: HeartRate, arrival_us: int) -> tuple[SampleBlock, ...]:
        """The blocks of one measurement that arrived at `arrival_us` on the monotonic clock."""
        make, rate, energy = self._maker.raw, self._rate, self._energy
        no_contact = measurement.contact is False
        doubted = no_contact or measurement.bpm not in _PLAUSIBLE_BPM
        blocks = [make(rate, measurement.bpm, arrival_us, rate.period_us, suspect=doubted)]
        blocks += self._beats(measurement.rr_s, arrival_us, no_contact)
        if measurement.energy_kj is not None:
            blocks.append(make(energy, measurement.energy_kj, arrival_us, energy.period_us))
        self._maker.next_frame()
        return tuple(blocks)

    def _beats(self, intervals: tuple[float, ...], arrival_us: int, doubted: bool) -> list[SampleBlock]:
        lengths = [max(1, round(seconds * 1_000_000)) for seconds in intervals]
        expected = arrival_us - sum(lengths)
        if not 0 <= expected - self._beat_us < _BEAT_TOLERANCE_US:
            self._beat_us = max(self._beat_us, expected)
        blocks = []
        for length in lengths:
            milliseconds = round(length / 1000)
            blocks.append(self._maker.raw(self._interval, milliseconds, self._beat_us, length, suspect=doubted))
            self._beat_us += length
        return blocks


class HeartRateDriver(SensorDriver):
    """Any standard heart rate sensor."""

    kind = "heart_rate"

    _blocks: HeartRateBlocks

    def subscriptions(self, client: BleakClient) -> Subscriptions:
        measurement = characteristic(client, SERVICE, MEASUREMENT)
        if measurement is None or "notify" not in measurement.properties:
            raise self.not_one(client)
        return [(measurement, self._measured)]

    def begin(self, boot: int) -> None:
        self._blocks = HeartRateBlocks(boot)

    async def reset_energy(self) -> None:
        """Let the sensor count expended energy from zero.

        Raises:
            HeartRateControlError: it is not connected, or has no control point, or refuses.
        """
        client, remedy = self.client, "Go on without: only the energy count is concerned."
        if client is None:
            raise HeartRateControlError("The heart rate sensor is not connected.", "Wait for the link.")
        point = characteristic(client, SERVICE, CONTROL_POINT)
        if point is None:
            raise HeartRateControlError("This heart rate sensor counts no energy.", remedy)
        try:
            await client.write_gatt_char(point, RESET_ENERGY, response=True)
        except (BleakError, TimeoutError) as error:
            raise HeartRateControlError(f"The heart rate sensor did not reset its energy: {error}.", remedy) from error

    def _measured(self, raw: bytes, arrival_us: int) -> None:
        measurement = parse_heart_rate(raw)
        self.tell_contact(measurement.contact)
        self.deliver(self._blocks.of(measurement, arrival_us))

"""Any standard Bluetooth pulse oximeter (service 0x1822)."""

from collections.abc import Iterator
from typing import Final

from bleak import BleakClient
from bleak.uuids import normalize_uuid_16

from core.model.block import SampleBlock
from core.model.words import Text
from core.signals.catalogue import load_catalogue
from devices.vitals.driver import BlockMaker, SensorDriver, Subscriptions, characteristic
from devices.vitals.ieee11073 import Number
from devices.vitals.pulse_oximeter_frames import (
    Features,
    MeasurementStatus,
    Oximetry,
    SensorStatus,
    parse_continuous,
    parse_features,
    parse_spot_check,
)

SERVICE: Final = normalize_uuid_16(0x1822)
SPOT_CHECK: Final = normalize_uuid_16(0x2A5E)
CONTINUOUS: Final = normalize_uuid_16(0x2A5F)
FEATURES: Final = normalize_uuid_16(0x2A60)

_NO_VALUE: Final = (
    (SensorStatus.SENSOR_DISCONNECTED, "unplugged"),
    (SensorStatus.OFF_PATIENT, "off"),
    (SensorStatus.EQUIPMENT_MALFUNCTION | SensorStatus.SENSOR_MALFUNCTION, "broken"),
    (SensorStatus.SENSOR_UNKNOWN, "unknown"),
    (SensorStatus.SIGNAL_INADEQUATE | SensorStatus.NO_PULSE, "no_pulse"),
)
_NO_MEASUREMENT: Final = (
    (MeasurementStatus.DEMONSTRATION | MeasurementStatus.TESTING, "demonstration"),
    (MeasurementStatus.FROM_STORAGE, "stored"),
    (MeasurementStatus.CALIBRATION, "calibrating"),
    (MeasurementStatus.UNAVAILABLE | MeasurementStatus.INVALID, "invalid"),
)
_DOUBTED_STATUS: Final = MeasurementStatus.EARLY_ESTIMATE | MeasurementStatus.QUESTIONABLE
_DOUBTED_SENSOR: Final = (
    SensorStatus.PROCESSING_IRREGULAR
    | SensorStatus.SIGNAL_POOR
    | SensorStatus.LOW_PERFUSION
    | SensorStatus.SIGNAL_ERRATIC
    | SensorStatus.PULSE_QUESTIONABLE
    | SensorStatus.INTERFERENCE
    | SensorStatus.SENSOR_DISPLACED
)
_OFF: Final = SensorStatus.OFF_PATIENT | SensorStatus.SENSOR_DISCONNECTED
_PLAUSIBLE_PULSE: Final = (20.0, 300.0)


def why_missing(found: Oximetry) -> str:
    """Why a measurement counts for nothing, as a key below `device.sensor.missing`; empty when it counts."""
    sensor, status = found.sensor or SensorStatus(0), found.status or MeasurementStatus(0)
    for bits, reason in _NO_VALUE:
        if sensor & bits:
            return reason
    for wrong, reason in _NO_MEASUREMENT:
        if status & wrong:
            return reason
    return "" if isinstance(found.reading.spo2, float) or isinstance(found.reading.pulse, float) else "no_number"


def is_doubted(found: Oximetry) -> bool:
    """Whether the oximeter itself doubts its measurement."""
    return bool((found.status or 0) & _DOUBTED_STATUS or (found.sensor or 0) & _DOUBTED_SENSOR)


class OximeterBlocks:
    """Sample blocks out of measurements that count; what is no number, or no percentage, leaves a gap."""

    def __init__(self, boot: int) -> None:
        catalogue = load_catalogue()
        self._continuous = (catalogue.key("oximeter_spo2"), catalogue.key("oximeter_pulse"))
        self._spot = (catalogue.key("spot_spo2"), catalogue.key("spot_pulse"))
        self._amplitude = catalogue.key("pulse_amplitude")
        self._maker = BlockMaker(boot)

    def of(self, found: Oximetry, arrival_us: int, *, spot: bool) -> tuple[SampleBlock, ...]:
        """The blocks of one measurement that arrived at `arrival_us` on the monotonic clock."""
        blocks = tuple(self._of(found, arrival_us, spot=spot))
        self._maker.next_frame()
        return blocks

    def _of(self, found: Oximetry, arrival_us: int, *, spot: bool) -> Iterator[SampleBlock]:
        oxygen, rate = self._spot if spot else self._continuous
        doubted, make = is_doubted(found), self._maker.measured
        if (spo2 := _within(found.reading.spo2, 0.0, 100.0)) is not None:
            yield make(oxygen, spo2, arrival_us, suspect=doubted)
        if (pulse := _within(found.reading.pulse, 0.0, 3000.0)) is not None:
            low, high = _PLAUSIBLE_PULSE
            yield make(rate, pulse, arrival_us, suspect=doubted or not low <= pulse <= high)
        if not spot and (amplitude := _within(found.amplitude, 0.0, 300.0)) is not None:
            yield make(self._amplitude, amplitude, arrival_us, suspect=doubted)


class PulseOximeterDriver(SensorDriver):
    """Any standard pulse oximeter, continuous, spot-check or both.

    Attributes:
        features: what it says that it can; None when it does not say.
        newest: the newest measurement as it was sent, with its device's time.
    """

    kind = "pulse_oximeter"
    features: Features | None = None
    newest: Oximetry | None = None
    _blocks: OximeterBlocks

    def subscriptions(self, client: BleakClient) -> Subscriptions:
        offered = (
            (characteristic(client, SERVICE, CONTINUOUS), "notify", self._continuous),
            (characteristic(client, SERVICE, SPOT_CHECK), "indicate", self._spot_check),
        )
        wanted = [(found, handler) for found, how, handler in offered if found is not None and how in found.properties]
        if not wanted:
            raise self.not_one(client)
        return wanted

    async def prepare(self, client: BleakClient) -> None:
        self.features = await self.read_parsed(client, SERVICE, FEATURES, parse_features)

    def begin(self, boot: int) -> None:
        self._blocks = OximeterBlocks(boot)

    def _continuous(self, raw: bytes, arrival_us: int) -> None:
        self._take(parse_continuous(raw), arrival_us, spot=False)

    def _spot_check(self, raw: bytes, arrival_us: int) -> None:
        found = parse_spot_check(raw)
        if found.time is not None and found.clock_set:
            self.tell_time(found.time)
        self._take(found, arrival_us, spot=True)

    def _take(self, found: Oximetry, arrival_us: int, *, spot: bool) -> None:
        self.newest = found
        if found.sensor is not None and self._tells_contact:
            self.tell_contact(not found.sensor & _OFF)
        missing = why_missing(found)
        self.tell_missing(Text(f"device.sensor.missing.{missing}") if missing else None)
        if missing in ("", "no_number"):
            self.deliver(self._blocks.of(found, arrival_us, spot=spot))

    @property
    def _tells_contact(self) -> bool:
        known = self.features.sensor if self.features is not None else None
        return known is None or bool(known & _OFF)


def _within(value: Number | None, low: float, high: float) -> float | None:
    """The value if it is a number that can be one."""
    return value if isinstance(value, float) and low <= value <= high else None

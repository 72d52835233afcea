"""Any standard Bluetooth heart rate sensor (service 0x180D).

Layouts as in the Bluetooth SIG's Heart Rate Service 1.0, section 3.1, and the GATT Specification Supplement.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import msgspec
import numpy as np
from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakError, BleakGATTProtocolError
from bleak.uuids import normalize_uuid_16

from core.model.block import Provenance, SampleBlock
from core.model.clock import Clock
from core.model.errors import SmilescapeError
from core.model.hub import DeviceInfo, LinkState
from core.model.words import Text
from core.signals.catalogue import load_catalogue
from devices.errors import DeviceError, FrameError, LinkRefused
from devices.info import battery_characteristic, parse_battery, read_device_info
from devices.link import Link
from devices.radio import HEART_RATE_SERVICE, Radio
from devices.tap import Tap

_log = logging.getLogger(__name__)

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
_INT16_MAX: Final = 32767
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


class SensorListener(Protocol):
    """Who wants to know what a sensor does."""

    def link_changed(self, state: LinkState, reason: Text | None) -> None: ...

    def described(self, info: DeviceInfo) -> None:
        """After each connect, and again when the battery level changes."""
        ...

    def blocks_arrived(self, blocks: Sequence[SampleBlock]) -> None: ...

    def contact_changed(self, contact: bool | None) -> None: ...

    def frame_refused(self, error: SmilescapeError, raw: bytes) -> None: ...


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
        self._boot = boot
        self._sequence = 0
        self._next_index: dict[int, int] = {}
        self._beat_us = 0

    def of(self, measurement: HeartRate, arrival_us: int) -> tuple[SampleBlock, ...]:
        """The blocks of one measurement that arrived at `arrival_us` on the monotonic clock."""
        no_contact = measurement.contact is False
        rate_doubted = no_contact or measurement.bpm not in _PLAUSIBLE_BPM
        rate = self._block(self._rate.number, measurement.bpm, arrival_us, self._rate.period_us, rate_doubted)
        blocks = [rate, *self._beats(measurement.rr_s, arrival_us, no_contact)]
        if measurement.energy_kj is not None:
            beyond = measurement.energy_kj > _INT16_MAX
            period = self._energy.period_us
            blocks.append(self._block(self._energy.number, measurement.energy_kj, arrival_us, period, beyond))
        self._sequence += 1
        return tuple(blocks)

    def _beats(self, intervals: tuple[float, ...], arrival_us: int, doubted: bool) -> list[SampleBlock]:
        lengths = [max(1, round(seconds * 1_000_000)) for seconds in intervals]
        expected = arrival_us - sum(lengths)
        if not 0 <= expected - self._beat_us < _BEAT_TOLERANCE_US:
            self._beat_us = max(self._beat_us, expected)
        blocks = []
        for length in lengths:
            milliseconds = round(length / 1000)
            blocks.append(self._block(self._interval.number, milliseconds, self._beat_us, length, doubted))
            self._beat_us += length
        return blocks

    def _block(self, channel: int, value: int, start_us: int, period_us: int, doubted: bool) -> SampleBlock:
        index = self._next_index.get(channel, 0)
        self._next_index[channel] = index + 1
        return SampleBlock(
            channel=channel,
            boot=self._boot,
            first_index=index,
            start_us=start_us,
            period_us=period_us,
            samples=np.array([min(value, _INT16_MAX)], dtype=np.int16),
            provenance=Provenance.SUSPECT if doubted else Provenance.LIVE,
            sequence=self._sequence,
        )


class HeartRateDriver:
    """Keeps one sensor connected and turns what it measures into blocks of the channel catalogue.

    `SampleBlock.boot` numbers connections: the UTC second of the connect, or one more than the last, so that it is
    never used twice, not even after a restart. `start_us` is this machine's monotonic clock, µs.
    """

    def __init__(
        self,
        radio: Radio,
        address: str,
        *,
        listener: SensorListener,
        clock: Clock,
        tap: Tap,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._listener = listener
        self._clock = clock
        self._tap = tap
        self._client: BleakClient | None = None
        self._info = DeviceInfo()
        self._boot = 0
        self._blocks = HeartRateBlocks(0)
        self._contact: bool | None = None
        self._link = Link(radio, address, self, state_changed=listener.link_changed, clock=clock, sleep=sleep)

    async def run(self) -> None:
        """Keep the sensor connected until cancelled or closed."""
        await self._link.run()

    async def close(self) -> None:
        """End the connection and `run`."""
        await self._link.close()

    async def reset_energy(self) -> None:
        """Let the sensor count expended energy from zero.

        Raises:
            HeartRateControlError: it is not connected, or has no control point, or refuses.
        """
        client, remedy = self._client, "Go on without: only the energy count is concerned."
        if client is None:
            raise HeartRateControlError("The heart rate sensor is not connected.", "Wait for the link.")
        point = _characteristic(client, CONTROL_POINT)
        if point is None:
            raise HeartRateControlError("This heart rate sensor counts no energy.", remedy)
        try:
            await client.write_gatt_char(point, RESET_ENERGY, response=True)
        except (BleakError, TimeoutError) as error:
            raise HeartRateControlError(f"The heart rate sensor did not reset its energy: {error}.", remedy) from error

    async def start(self, client: BleakClient) -> None:
        """The link's profile: describe the sensor, then listen to it."""
        measurement = _characteristic(client, MEASUREMENT)
        if measurement is None or "notify" not in measurement.properties:
            raise LinkRefused(
                f"{client.address} has no heart rate measurement.",
                "Choose a standard Bluetooth heart rate sensor.",
                reason=Text("device.heart_rate.not_one"),
            )
        self._info = await read_device_info(client)
        self._listener.described(self._info)
        await self._listen_to_battery(client)
        self._boot = max(self._boot + 1, self._clock.utc_us() // 1_000_000)
        self._blocks = HeartRateBlocks(self._boot)
        self._client = client
        await client.start_notify(measurement, self._measured)

    async def ended(self) -> None:
        """The link's profile: the connection is gone, and with it what is known of the contact."""
        self._client = None
        self._tell_contact(None)

    async def _listen_to_battery(self, client: BleakClient) -> None:
        level = battery_characteristic(client)
        if level is None or "notify" not in level.properties:
            return
        try:
            await client.start_notify(level, self._battery_changed)
        except BleakGATTProtocolError as error:
            _log.info("%s does not notify its battery: %s", client.address, error)

    def _measured(self, characteristic: BleakGATTCharacteristic, data: bytearray) -> None:
        raw, arrival_us = bytes(data), round(self._clock.monotonic() * 1_000_000)
        self._tap.add(characteristic.uuid, raw)
        try:
            measurement = parse_heart_rate(raw)
        except FrameError as error:
            self._listener.frame_refused(error, raw)
            return
        self._tell_contact(measurement.contact)
        self._listener.blocks_arrived(self._blocks.of(measurement, arrival_us))

    def _battery_changed(self, characteristic: BleakGATTCharacteristic, data: bytearray) -> None:
        self._tap.add(characteristic.uuid, data)
        percent = parse_battery(data)
        if percent is None:
            self._listener.frame_refused(FrameError(f"A battery level is {bytes(data).hex()}."), bytes(data))
        elif percent != self._info.battery_percent:
            self._info = msgspec.structs.replace(self._info, battery_percent=percent)
            self._listener.described(self._info)

    def _tell_contact(self, contact: bool | None) -> None:
        if contact != self._contact:
            self._contact = contact
            self._listener.contact_changed(contact)


def _characteristic(client: BleakClient, uuid: str) -> BleakGATTCharacteristic | None:
    """A characteristic of the first heart rate service that has it."""
    for service in client.services:
        if service.uuid == HEART_RATE_SERVICE and (found := service.get_characteristic(uuid)) is not None:
            return found
    return None

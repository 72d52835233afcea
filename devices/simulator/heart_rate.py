"""A chest band in software: the standard heart rate, battery and device information services over Bumble."""

import asyncio
import math
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import msgspec
from bumble.att import ATT_Error
from bumble.core import UUID
from bumble.device import Connection
from bumble.gatt import Characteristic, Service
from bumble.keys import KeyStore

from devices.simulator.peripheral import Peripheral, advertising_payload, write_only
from devices.simulator.pulse import resting_pulse

_HEART_RATE = UUID.from_16_bits(0x180D)
_BATTERY = UUID.from_16_bits(0x180F)
_INFORMATION = UUID.from_16_bits(0x180A)
_ENERGY_EVERY = 10
_CHEST = 1
_CONTROL_POINT_NOT_SUPPORTED = 0x80
_KJ_PER_BEAT = 0.006
_ANNOUNCED_NAME = 29

_Property = Characteristic.Properties
_READABLE = Characteristic.Permissions.READABLE


class SetPulse(msgspec.Struct, frozen=True, tag="pulse"):
    """Let the heart drift to another rate, beats a minute."""

    bpm: float


class SetContact(msgspec.Struct, frozen=True, tag="contact"):
    """Lift the band from the skin or put it back; None: a band that cannot tell."""

    contact: bool | None


class SetBattery(msgspec.Struct, frozen=True, tag="battery"):
    percent: int


class DropLink(msgspec.Struct, frozen=True, tag="drop"):
    """End every connection from the band's side."""


class SendRaw(msgspec.Struct, frozen=True, tag="raw"):
    """Notify these bytes as if they were a measurement."""

    data: bytes


HeartRateControl = SetPulse | SetContact | SetBattery | DropLink | SendRaw


SHOWN_BEATS = 4
"""Beats over which a belt averages what it shows."""


class Heart:
    """Beats with respiratory sinus arrhythmia, slow wandering and a drift to the wanted rate.

    The same seed beats the same. `bpm`: at rest; that of the person of this number when None.
    """

    def __init__(self, seed: int, bpm: float | None = None) -> None:
        self._random = random.Random(seed)
        self._wanted = self._bpm = resting_pulse(seed) if bpm is None else bpm
        self._wander = 0.0
        self._time = 0.0
        self._beat = 0.0
        self._recent: deque[float] = deque(maxlen=SHOWN_BEATS)
        self._interval = self._next_interval()

    def set_pulse(self, bpm: float) -> None:
        self._wanted = min(220.0, max(30.0, bpm))

    def second(self) -> tuple[float, ...]:
        """RR intervals, s, of the beats that fall into the next second."""
        self._time += 1.0
        intervals = []
        while self._beat + self._interval <= self._time:
            self._beat += self._interval
            intervals.append(self._interval)
            self._recent.append(self._interval)
            self._interval = self._next_interval()
        return tuple(intervals)

    def _next_interval(self) -> float:
        self._bpm += 0.06 * (self._wanted - self._bpm)
        self._wander = 0.97 * self._wander + self._random.gauss(0.0, 0.004)
        breath = 0.035 * math.sin(2 * math.pi * self._beat / 4.2) + self._wander
        return 60.0 / self._bpm * (1.0 + breath + self._random.gauss(0.0, 0.008))

    @property
    def bpm(self) -> int:
        """What a belt shows: over the last beats."""
        return round(60.0 * len(self._recent) / sum(self._recent)) if self._recent else round(self._bpm)


def encode_measurement(
    bpm: int, *, contact: bool | None = None, energy_kj: int | None = None, rr_s: tuple[float, ...] = ()
) -> bytes:
    """A Heart Rate Measurement (0x2A37) value."""
    flags = (bpm > 255) | (energy_kj is not None) << 3 | bool(rr_s) << 4
    if contact is not None:
        flags |= 0b100 | contact << 1
    value = bytes([flags]) + bpm.to_bytes(2 if bpm > 255 else 1, "little")
    if energy_kj is not None:
        value += min(energy_kj, 0xFFFF).to_bytes(2, "little")
    return value + b"".join(min(round(interval * 1024), 0xFFFF).to_bytes(2, "little") for interval in rr_s)


class HeartRateBand:
    """The band's state and services, one measurement each second."""

    def __init__(self, seed: int, *, serial: str = "HB-0001") -> None:
        self._heart = Heart(seed)
        self._contact: bool | None = True
        self._energy_kj = 0.0
        self._count = 0
        self._battery_percent = 87
        notifies = Characteristic.Permissions(0)
        self.measurement = Characteristic[bytes](UUID.from_16_bits(0x2A37), _Property.NOTIFY, notifies, b"")
        self.battery = Characteristic[bytes](
            UUID.from_16_bits(0x2A19), _Property.READ | _Property.NOTIFY, _READABLE, bytes([self._battery_percent])
        )
        control = Characteristic[bytes](
            UUID.from_16_bits(0x2A39),
            _Property.WRITE,
            Characteristic.Permissions.WRITEABLE,
            write_only(self._control_point),
        )
        self.services = [
            Service(_HEART_RATE, [self.measurement, _constant(0x2A38, bytes([_CHEST])), control]),
            Service(_BATTERY, [self.battery]),
            Service(
                _INFORMATION,
                [
                    _constant(0x2A29, b"Smilescape simulator"),
                    _constant(0x2A24, b"Simulated heart rate band"),
                    _constant(0x2A25, serial.encode()),
                    _constant(0x2A26, b"1.0.0"),
                ],
            ),
        ]

    def next_measurement(self) -> bytes:
        """What is notified for the next second."""
        intervals = self._heart.second()
        self._energy_kj += _KJ_PER_BEAT * self._heart.bpm / 60
        self._count += 1
        energy = int(self._energy_kj) if self._count % _ENERGY_EVERY == 1 else None
        rr_s = intervals if self._contact is not False else ()
        return encode_measurement(self._heart.bpm, contact=self._contact, energy_kj=energy, rr_s=rr_s)

    async def obey(self, message: HeartRateControl, peripheral: Peripheral) -> None:
        """Carry out one control message."""
        match message:
            case SetPulse(bpm):
                self._heart.set_pulse(bpm)
            case SetContact(contact):
                self._contact = contact
            case SetBattery(percent):
                self._battery_percent = percent
                self.battery.value = bytes([percent])
                await peripheral.device.notify_subscribers(self.battery)
            case DropLink():
                await peripheral.drop()
            case SendRaw(data):
                await peripheral.device.notify_subscribers(self.measurement, data)

    def _control_point(self, _connection: Connection, value: bytes) -> None:
        if value != b"\x01":
            raise ATT_Error(_CONTROL_POINT_NOT_SUPPORTED)
        self._energy_kj, self._count = 0.0, 0


async def run_heart_rate(
    transport: str,
    *,
    seed: int,
    name: str = "Heart band",
    address: str = "C2:5A:00:00:00:01",
    control: AsyncIterator[HeartRateControl] | None = None,
    ready: Callable[[], None] = lambda: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    keys: KeyStore | None = None,
) -> None:
    """Be a heart rate band until cancelled, until `control` ends, or until the transport is lost.

    Args:
        control: messages that change the band.
        ready: called once it advertises.
        sleep: waits between measurements.

    Raises:
        TransportError: the transport is not there or does not answer.
    """
    band = HeartRateBand(seed)
    peripheral = await Peripheral.open(
        transport,
        name=name,
        address=address,
        services=band.services,
        advertising=advertising_payload([_HEART_RATE, _BATTERY]),
        scan_response=advertising_payload([], name=name[:_ANNOUNCED_NAME]),
        keys=keys,
    )
    async with peripheral:
        ready()
        await _first_of(_beat(band, peripheral, sleep), _obey_all(band, peripheral, control), peripheral.lost.wait())


async def _beat(band: HeartRateBand, peripheral: Peripheral, sleep: Callable[[float], Awaitable[None]]) -> None:
    while True:
        await sleep(1.0)
        await peripheral.device.notify_subscribers(band.measurement, band.next_measurement())


async def _obey_all(
    band: HeartRateBand, peripheral: Peripheral, control: AsyncIterator[HeartRateControl] | None
) -> None:
    if control is None:
        await asyncio.get_running_loop().create_future()
        return
    async for message in control:
        await band.obey(message, peripheral)


async def _first_of(*work: Awaitable[object]) -> None:
    """Await the first to end and cancel the others; its error is raised."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)


def _constant(number: int, value: bytes) -> Characteristic[bytes]:
    return Characteristic(UUID.from_16_bits(number), _Property.READ, _READABLE, value)

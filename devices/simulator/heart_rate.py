"""A chest band in software: the standard heart rate, battery and device information services over Bumble."""

import asyncio
import math
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from bumble.att import ATT_Error
from bumble.core import UUID
from bumble.device import Connection
from bumble.gatt import Characteristic, Service
from bumble.keys import KeyStore

from devices.simulator.peripheral import Peripheral, write_only
from devices.simulator.pulse import resting_pulse
from devices.simulator.sensor import NOT_READABLE, Common, Property, SimulatedSensor, constant, run_sensor

_ENERGY_EVERY = 10
_CHEST = 1
_CONTROL_POINT_NOT_SUPPORTED = 0x80
_KJ_PER_BEAT = 0.006


class SetPulse(msgspec.Struct, frozen=True, tag="pulse"):
    """Let the heart drift to another rate, beats a minute."""

    bpm: float


class Follow(msgspec.Struct, frozen=True, tag="follow"):
    """Beat as the heart on whose chest the band sits beats now, beats a minute. Told anew each second."""

    bpm: float


class SetContact(msgspec.Struct, frozen=True, tag="contact"):
    """Lift the band from the skin or put it back; None: a band that cannot tell."""

    contact: bool | None


HeartRateControl = SetPulse | Follow | SetContact | Common


SHOWN_BEATS = 4
"""Beats over which a belt averages what it shows."""
_SLOWEST, _FASTEST = 30.0, 220.0
_LEFT_AFTER_S = 3.0
"""A heart that was not told of for so long beats on by itself, about what it beat at last."""


class Heart:
    """Beats with respiratory sinus arrhythmia, slow wandering and a drift to the wanted rate, or as it is told to.

    The same seed beats the same. `bpm`: at rest; that of the person of this number when None.
    """

    def __init__(self, seed: int, bpm: float | None = None) -> None:
        self._random = random.Random(seed)
        self._wanted = self._bpm = resting_pulse(seed) if bpm is None else bpm
        self._wander = 0.0
        self._time = 0.0
        self._beat = 0.0
        self._told: float | None = None
        self._told_at = 0.0
        self._recent: deque[float] = deque(maxlen=SHOWN_BEATS)
        self._interval = self._next_interval()

    def set_pulse(self, bpm: float) -> None:
        self._wanted = _within(bpm)

    def follow(self, bpm: float) -> None:
        """Beat at this rate, which breathes and wanders itself: another knows this heart better."""
        self._told, self._told_at = _within(bpm), self._time
        self._wanted += 0.1 * (self._told - self._wanted)

    def second(self) -> tuple[float, ...]:
        """RR intervals, s, of the beats that fall into the next second."""
        self._time += 1.0
        if self._told is not None and self._time - self._told_at > _LEFT_AFTER_S:
            self._told = None
        intervals = []
        while self._beat + self._interval <= self._time:
            self._beat += self._interval
            intervals.append(self._interval)
            self._recent.append(self._interval)
            self._interval = self._next_interval()
        return tuple(intervals)

    def _next_interval(self) -> float:
        if self._told is not None:
            self._bpm = self._wanted
            return 60.0 / self._told * (1.0 + self._random.gauss(0.0, 0.004))
        self._bpm += 0.06 * (self._wanted - self._bpm)
        self._wander = 0.97 * self._wander + self._random.gauss(0.0, 0.004)
        breath = 0.035 * math.sin(2 * math.pi * self._beat / 4.2) + self._wander
        return 60.0 / self._bpm * (1.0 + breath + self._random.gauss(0.0, 0.008))

    @property
    def bpm(self) -> int:
        """What a belt shows: over the last beats."""
        return round(60.0 * len(self._recent) / sum(self._recent)) if self._recent else round(self._bpm)


def _within(bpm: float) -> float:
    return min(_FASTEST, max(_SLOWEST, bpm))


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


class HeartRateBand(SimulatedSensor):
    """The band's state and services, one measurement each second."""

    announced = UUID.from_16_bits(0x180D)

    def __init__(self, seed: int, *, serial: str = "HB-0001") -> None:
        self._heart = Heart(seed)
        self._contact: bool | None = True
        self._energy_kj = 0.0
        self._count = 0
        self.measurement = Characteristic[bytes](UUID.from_16_bits(0x2A37), Property.NOTIFY, NOT_READABLE, b"")
        control = Characteristic[bytes](
            UUID.from_16_bits(0x2A39),
            Property.WRITE,
            Characteristic.Permissions.WRITEABLE,
            write_only(self._control_point),
        )
        service = Service(self.announced, [self.measurement, constant(0x2A38, bytes([_CHEST])), control])
        super().__init__([service], model="Simulated heart rate band", serial=serial)

    def next_measurement(self) -> bytes:
        """What is notified for the next second."""
        intervals = self._heart.second()
        self._energy_kj += _KJ_PER_BEAT * self._heart.bpm / 60
        self._count += 1
        energy = int(self._energy_kj) if self._count % _ENERGY_EVERY == 1 else None
        rr_s = intervals if self._contact is not False else ()
        return encode_measurement(self._heart.bpm, contact=self._contact, energy_kj=energy, rr_s=rr_s)

    async def second(self, peripheral: Peripheral) -> None:
        await self.send(peripheral, self.measurement, self.next_measurement())

    async def obey(self, message: msgspec.Struct, peripheral: Peripheral) -> None:
        match message:
            case SetPulse(bpm):
                self._heart.set_pulse(bpm)
            case Follow(bpm):
                self._heart.follow(bpm)
            case SetContact(contact):
                self._contact = contact
            case _:
                await super().obey(message, peripheral)

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
    """Be a heart rate band, as `run_sensor` says."""
    await run_sensor(
        transport,
        HeartRateBand(seed),
        name=name,
        address=address,
        control=control,
        ready=ready,
        sleep=sleep,
        keys=keys,
    )

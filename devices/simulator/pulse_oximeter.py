"""A finger oximeter in software: the standard Pulse Oximeter service over Bumble, continuous and spot-check."""

import asyncio
import random
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

import msgspec
from bumble.core import UUID
from bumble.gatt import Characteristic, Service
from bumble.keys import KeyStore

from devices.simulator.heart_rate import Heart
from devices.simulator.ieee11073 import date_time, sfloat
from devices.simulator.peripheral import Peripheral
from devices.simulator.sensor import NOT_READABLE, Common, Property, SimulatedSensor, constant, run_sensor

_FEATURES = struct.pack("<HH", 0b0111_1011, 0xFFE0) + (0xFFFF).to_bytes(3, "little")
ONGOING = 1 << 5
VALIDATED = 1 << 7
OFF_FINGER = 1 << 11


class SetOxygen(msgspec.Struct, frozen=True, tag="oxygen"):
    """Let the saturation drift to another value, %."""

    percent: float


class SetStatus(msgspec.Struct, frozen=True, tag="status"):
    """Set bits of the measurement status and of the device and sensor status; 0 clears them."""

    measurement: int = 0
    sensor: int = 0


class SetFinger(msgspec.Struct, frozen=True, tag="finger"):
    """Take the finger out, or put it in again: without one there are no numbers."""

    on: bool


class SpotCheck(msgspec.Struct, frozen=True, tag="spot_check"):
    """Finish a spot-check now. `clock`: what the oximeter believes the time is, ISO 8601; none when empty."""

    clock: str = ""


PulseOximeterControl = SetOxygen | SetStatus | SetFinger | SpotCheck | Common


class Oximeter(SimulatedSensor):
    """The oximeter's state and services, one measurement each second."""

    announced = UUID.from_16_bits(0x1822)

    def __init__(self, seed: int, *, serial: str = "OX-0001") -> None:
        self._heart = Heart(seed)
        self._random = random.Random(f"oxygen {seed}")
        self._wanted = self._spo2 = 97.0 + self._random.random() * 2
        self._status = VALIDATED
        self._sensor = 0
        self.measurement = Characteristic[bytes](UUID.from_16_bits(0x2A5F), Property.NOTIFY, NOT_READABLE, b"")
        self.spot = Characteristic[bytes](UUID.from_16_bits(0x2A5E), Property.INDICATE, NOT_READABLE, b"")
        service = Service(self.announced, [self.measurement, self.spot, constant(0x2A60, _FEATURES)])
        super().__init__([service], model="Simulated pulse oximeter", serial=serial)

    def next_measurement(self) -> bytes:
        """What is notified for the next second: normal, fast and slow values, both status fields, the amplitude."""
        self._heart.second()
        self._spo2 += 0.2 * (self._wanted - self._spo2) + self._random.gauss(0.0, 0.05)
        spo2, pulse, amplitude = self._values()
        pair = sfloat(spo2) + sfloat(pulse, 0)
        status = struct.pack("<H", ONGOING | self._status) + self._sensor.to_bytes(3, "little")
        return b"\x1f" + pair * 3 + status + sfloat(amplitude)

    def spot_check(self, clock: datetime | None) -> bytes:
        """What is indicated once a spot-check is finished."""
        spo2, pulse, amplitude = self._values()
        flags = 0b1110 | (clock is not None)
        status = struct.pack("<H", self._status) + self._sensor.to_bytes(3, "little")
        time = date_time(clock) if clock is not None else b""
        return bytes([flags]) + sfloat(spo2) + sfloat(pulse, 0) + time + status + sfloat(amplitude)

    async def second(self, peripheral: Peripheral) -> None:
        await self.send(peripheral, self.measurement, self.next_measurement())

    async def obey(self, message: msgspec.Struct, peripheral: Peripheral) -> None:
        match message:
            case SetOxygen(percent):
                self._wanted = percent
            case SetStatus(measurement, sensor):
                self._status, self._sensor = measurement, sensor
            case SetFinger(on):
                self._sensor = 0 if on else OFF_FINGER
            case SpotCheck(clock):
                data = self.spot_check(datetime.fromisoformat(clock) if clock else None)
                await self.send(peripheral, self.spot, data)
            case _:
                await super().obey(message, peripheral)

    def _values(self) -> tuple[float | None, float | None, float | None]:
        if self._sensor & OFF_FINGER:
            return None, None, None
        return min(100.0, max(0.0, self._spo2)), float(self._heart.bpm), 4.2 + self._random.gauss(0.0, 0.2)


async def run_pulse_oximeter(
    transport: str,
    *,
    seed: int,
    name: str = "Oximeter",
    address: str = "C3:5A:00:00:00:01",
    control: AsyncIterator[PulseOximeterControl] | None = None,
    ready: Callable[[], None] = lambda: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    keys: KeyStore | None = None,
) -> None:
    """Be a pulse oximeter, as `run_sensor` says."""
    await run_sensor(
        transport,
        Oximeter(seed),
        name=name,
        address=address,
        control=control,
        ready=ready,
        sleep=sleep,
        keys=keys,
    )

"""A thermometer in software: the standard Health Thermometer service over Bumble.

It measures again and again: some intermediate values that approach the temperature, then the final one.
"""

import asyncio
import random
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

import msgspec
from bumble.core import UUID
from bumble.gatt import Characteristic, Service
from bumble.keys import KeyStore

from devices.simulator.ieee11073 import date_time, float32
from devices.simulator.peripheral import Peripheral
from devices.simulator.sensor import NOT_READABLE, Common, Property, SimulatedSensor, constant, run_sensor

MOUTH = 6
INTERVAL_S = 5
_ROOM_C = 30.0


class SetTemperature(msgspec.Struct, frozen=True, tag="temperature"):
    """What is measured next, °C; None: the thermometer finds no number."""

    celsius: float | None


class SetUnit(msgspec.Struct, frozen=True, tag="unit"):
    fahrenheit: bool


class SetClock(msgspec.Struct, frozen=True, tag="clock"):
    """What the thermometer believes the time is, ISO 8601; it sends none when empty."""

    clock: str = ""


ThermometerControl = SetTemperature | SetUnit | SetClock | Common


class Thermometer(SimulatedSensor):
    """The thermometer's state and services."""

    announced = UUID.from_16_bits(0x1809)

    def __init__(self, seed: int, *, serial: str = "TH-0001") -> None:
        self._celsius: float | None = 36.3 + random.Random(f"warmth {seed}").random() * 0.7
        self._fahrenheit = False
        self._clock: datetime | None = None
        self._elapsed = 0
        self.measurement = Characteristic[bytes](UUID.from_16_bits(0x2A1C), Property.INDICATE, NOT_READABLE, b"")
        self.intermediate = Characteristic[bytes](UUID.from_16_bits(0x2A1E), Property.NOTIFY, NOT_READABLE, b"")
        fixed = [constant(0x2A1D, bytes([MOUTH])), constant(0x2A21, struct.pack("<H", INTERVAL_S))]
        service = Service(self.announced, [self.measurement, self.intermediate, *fixed])
        super().__init__([service], model="Simulated thermometer", serial=serial)

    def encode(self, celsius: float | None) -> bytes:
        """A Temperature Measurement (0x2A1C) or Intermediate Temperature (0x2A1E) value."""
        flags = self._fahrenheit | (self._clock is not None) << 1 | 0b100
        value = celsius * 1.8 + 32.0 if self._fahrenheit and celsius is not None else celsius
        time = date_time(self._clock) if self._clock is not None else b""
        return bytes([flags]) + float32(value) + time + bytes([MOUTH])

    async def second(self, peripheral: Peripheral) -> None:
        self._elapsed = self._elapsed % INTERVAL_S + 1
        if self._elapsed == INTERVAL_S:
            await self.send(peripheral, self.measurement, self.encode(self._celsius))
        elif self._celsius is not None:
            risen = _ROOM_C + (self._celsius - _ROOM_C) * self._elapsed / INTERVAL_S
            await self.send(peripheral, self.intermediate, self.encode(risen))

    async def obey(self, message: msgspec.Struct, peripheral: Peripheral) -> None:
        match message:
            case SetTemperature(celsius):
                self._celsius = celsius
            case SetUnit(fahrenheit):
                self._fahrenheit = fahrenheit
            case SetClock(clock):
                self._clock = datetime.fromisoformat(clock) if clock else None
            case _:
                await super().obey(message, peripheral)


async def run_thermometer(
    transport: str,
    *,
    seed: int,
    name: str = "Thermometer",
    address: str = "C4:5A:00:00:00:01",
    control: AsyncIterator[ThermometerControl] | None = None,
    ready: Callable[[], None] = lambda: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    keys: KeyStore | None = None,
) -> None:
    """Be a thermometer, as `run_sensor` says."""
    await run_sensor(
        transport,
        Thermometer(seed),
        name=name,
        address=address,
        control=control,
        ready=ready,
        sleep=sleep,
        keys=keys,
    )

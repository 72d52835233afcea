"""The example's sensor, simulated: its own 128-bit service over Bumble."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from bumble.core import UUID
from bumble.device import Connection
from bumble.gatt import Characteristic, Service

from devices.simulator.peripheral import Peripheral, write_only
from devices.simulator.sensor import NOT_READABLE, Property, SimulatedSensor, run_sensor
from tests.devices.plugins.packages import MEASUREMENT, SERVICE
from tests.devices.vitals.listening import Orders

ADDRESS = "C5:5A:00:00:00:01"
CONTROL = "8c1f0003-5a0e-4f6b-9d1b-6f72616c7068"


class SetFlags(msgspec.Struct, frozen=True, tag="flags"):
    flags: int


class OralPh(SimulatedSensor):
    """pH 7.012 and 34.56 °C, ten times a second (as the tests let time pass), once it was told to stream."""

    announced = UUID(SERVICE)

    def __init__(self) -> None:
        self._flags = 0
        self._streams = False
        self.measurement = Characteristic[bytes](UUID(MEASUREMENT), Property.NOTIFY, NOT_READABLE, b"")
        control = Characteristic[bytes](
            UUID(CONTROL), Property.WRITE, Characteristic.Permissions.WRITEABLE, write_only(self._told)
        )
        super().__init__([Service(UUID(SERVICE), [self.measurement, control])], model="Oral pH", serial="PH-0001")

    async def second(self, peripheral: Peripheral) -> None:
        if self._streams:
            await self.send(peripheral, self.measurement, struct.pack("<BHh", self._flags, 7012, 3456))

    async def obey(self, message: msgspec.Struct, peripheral: Peripheral) -> None:
        if isinstance(message, SetFlags):
            self._flags = message.flags
        else:
            await super().obey(message, peripheral)

    def _told(self, _connection: Connection, value: bytes) -> None:
        self._streams = value == b"\x01"


async def _tenth(seconds: float) -> None:
    await asyncio.sleep(seconds / 10)


@asynccontextmanager
async def oral_ph(transport: str) -> AsyncIterator[Orders[msgspec.Struct]]:
    """The sensor on a radio, told what to do by whoever uses it."""
    orders = Orders[msgspec.Struct]()
    task = asyncio.create_task(
        run_sensor(transport, OralPh(), name="Oral pH", address=ADDRESS, control=orders.stream(), sleep=_tenth)
    )
    try:
        yield orders
    finally:
        task.cancel()
        await asyncio.wait({task})

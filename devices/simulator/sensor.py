"""What every simulated sensor is made of: battery and device information, controls, and a measurement each second."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

import msgspec
from bumble.core import UUID
from bumble.gatt import Characteristic, Service
from bumble.keys import KeyStore

from devices.info import SIMULATOR
from devices.simulator.peripheral import Peripheral, advertising_payload

BATTERY: Final = UUID.from_16_bits(0x180F)
READABLE: Final = Characteristic.Permissions.READABLE
NOT_READABLE: Final = Characteristic.Permissions(0)
Property = Characteristic.Properties
_INFORMATION: Final = UUID.from_16_bits(0x180A)
_ANNOUNCED_NAME: Final = 29


class SetBattery(msgspec.Struct, frozen=True, tag="battery"):
    percent: int


class DropLink(msgspec.Struct, frozen=True, tag="drop"):
    """End every connection from the sensor's side."""


class SendRaw(msgspec.Struct, frozen=True, tag="raw"):
    """Send these bytes as if they were a measurement."""

    data: bytes


Common = SetBattery | DropLink | SendRaw


class SimulatedSensor(ABC):
    """A sensor's state and services.

    Attributes:
        announced: the service that it advertises.
        measurement: the characteristic that `SendRaw` speaks through.
        services: its own services, battery and device information included.
    """

    announced: UUID
    measurement: Characteristic[bytes]

    def __init__(self, own: Sequence[Service], *, model: str, serial: str) -> None:
        self.battery = Characteristic[bytes](
            UUID.from_16_bits(0x2A19), Property.READ | Property.NOTIFY, READABLE, bytes([87])
        )
        self.services = [
            *own,
            Service(BATTERY, [self.battery]),
            Service(
                _INFORMATION,
                [
                    constant(0x2A29, SIMULATOR.encode()),
                    constant(0x2A24, model.encode()),
                    constant(0x2A25, serial.encode()),
                    constant(0x2A26, b"1.0.0"),
                ],
            ),
        ]

    @abstractmethod
    async def second(self, peripheral: Peripheral) -> None:
        """Live a second and send what is to be sent."""

    async def obey(self, message: msgspec.Struct, peripheral: Peripheral) -> None:
        """Carry out one control message."""
        match message:
            case SetBattery(percent):
                self.battery.value = bytes([percent])
                await peripheral.device.notify_subscribers(self.battery)
            case DropLink():
                await peripheral.drop()
            case SendRaw(data):
                await self.send(peripheral, self.measurement, data)

    async def send(self, peripheral: Peripheral, where: Characteristic[bytes], data: bytes) -> None:
        """Notify, or indicate, as the characteristic has it."""
        if where.properties & Property.INDICATE:
            await peripheral.device.indicate_subscribers(where, data)
        else:
            await peripheral.device.notify_subscribers(where, data)


async def run_sensor(
    transport: str,
    sensor: SimulatedSensor,
    *,
    name: str,
    address: str,
    control: AsyncIterator[msgspec.Struct] | None = None,
    ready: Callable[[], None] = lambda: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    keys: KeyStore | None = None,
) -> None:
    """Be this sensor until cancelled, until `control` ends, or until the transport is lost.

    Args:
        control: messages that change the sensor.
        ready: called once it advertises.
        sleep: waits between measurements.

    Raises:
        TransportError: the transport is not there or does not answer.
    """
    peripheral = await Peripheral.open(
        transport,
        name=name,
        address=address,
        services=sensor.services,
        advertising=advertising_payload([sensor.announced]),
        scan_response=advertising_payload([], name=name[:_ANNOUNCED_NAME]),
        keys=keys,
    )
    async with peripheral:
        ready()
        await _first_of(
            _live(sensor, peripheral, sleep), _obey_all(sensor, peripheral, control), peripheral.lost.wait()
        )


def constant(number: int, value: bytes) -> Characteristic[bytes]:
    """A characteristic that is read and always says the same."""
    return Characteristic(UUID.from_16_bits(number), Property.READ, READABLE, value)


async def _live(sensor: SimulatedSensor, peripheral: Peripheral, sleep: Callable[[float], Awaitable[None]]) -> None:
    while True:
        await sleep(1.0)
        await sensor.second(peripheral)


async def _obey_all(
    sensor: SimulatedSensor, peripheral: Peripheral, control: AsyncIterator[msgspec.Struct] | None
) -> None:
    if control is None:
        await asyncio.get_running_loop().create_future()
        return
    async for message in control:
        await sensor.obey(message, peripheral)


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

"""Which device belongs to which chair, and the radio beneath them all."""

import logging
from typing import TYPE_CHECKING

from app.engine.people_desk import no
from app.engine_config import DeviceBinding
from core.model.hub import DeviceSeen
from core.record import RecordError
from devices.errors import RadioError
from devices.kinds import HUB

if TYPE_CHECKING:
    from app.engine.house import Engine

RADIO_RETRY_SECONDS = 2.0
log = logging.getLogger(__name__)


class DevicesDesk:
    """Binds devices to chairs, over restarts, and keeps the radio open."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    async def run(self) -> None:
        """Open the radio, trying again while there is none, attach what is bound, and keep the radio open."""
        await self._reach_radio()
        for number in self._engine.chairs:
            for device in self._engine.practice_file.devices(number):
                self._attach(
                    DeviceBinding(
                        chair=number,
                        kind=device.kind,
                        address=device.address,
                        name=device.name,
                        serial=device.serial,
                    )
                )
        while True:  # links reconnect by themselves; the radio beneath them is reopened here
            await self._engine.clock.sleep(RADIO_RETRY_SECONDS)
            await self._reach_radio()

    async def scan(self, seconds: float) -> tuple[DeviceSeen, ...]:
        """Raises Refusal: there is no radio."""
        try:
            return tuple(await self._engine.radio.scan(seconds))
        except RadioError as error:
            raise no("radio", reason=str(error)) from error

    async def bind(self, chair: int, kind: str, address: str, *, serial: str, enrol: bool) -> None:
        """Bind a device to a chair, in place of another of its kind: a channel has one source. Kept over restarts.

        Args:
            serial: of a hub, as a person read it from the hub; empty for any.
            enrol: a hub whose enrolment is open becomes one of this practice.
        """
        one = self._engine.chairs[chair]
        former = [sensor.address for sensor in one.sensors.values() if sensor.kind == kind]
        former += [one.hub.address] if kind == HUB and one.hub is not None else []
        for other in former:
            await self.forget(chair, other)
        self._engine.practice_file.bind_device(chair, kind, address, "", serial)
        self._attach(DeviceBinding(chair=chair, kind=kind, address=address, serial=serial), enrol=enrol)

    async def forget(self, chair: int, address: str) -> None:
        self._engine.practice_file.forget_device(chair, address)
        await self._engine.chairs[chair].unbind(address)

    def bound(self, chair: int, address: str, serial: str) -> None:
        """A hub has said who it is: from now on it has to be that one."""
        file = self._engine.practice_file
        device = next((one for one in file.devices(chair) if one.address == address), None)
        if device is None or device.serial == serial:
            return
        try:
            file.bind_device(chair, device.kind, address, device.name, serial)
        except RecordError as error:
            log.error("the binding of chair %d could not be written: %s", chair, error)

    async def _reach_radio(self) -> None:
        """Return once the radio is open; an alarm says so while it is not."""
        radio, alarms = self._engine.radio, self._engine.alarms
        while not radio.alive:
            try:
                await radio.open()
            except RadioError as error:
                log.warning("no radio: %s", error)
                alarms.raise_("radio.absent", 0, reason=str(error))
                await self._engine.clock.sleep(RADIO_RETRY_SECONDS)
        alarms.clear("radio.absent", 0)

    def _attach(self, binding: DeviceBinding, *, enrol: bool = False) -> None:
        chair = self._engine.chairs[binding.chair]
        if binding.kind == HUB:
            chair.bind_hub(binding.address, binding.serial, enrol=enrol or self._engine.simulated)
        else:
            chair.bind_sensor(binding.kind, binding.address, binding.name)

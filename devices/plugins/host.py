"""Runs a driver of another maker as one of ours, and keeps what it does wrong to itself.

Its code runs in a thread of its own: what blocks there stops nothing else. What it raises costs a frame; what it
delivers goes through a guard; what does not return is left behind, and after a few times it is not tried again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final, TypeVar

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakError

from core.model.block import SampleBlock
from core.model.clock import Clock
from core.model.words import Text
from devices.errors import DeviceError, LinkRefused
from devices.kinds import Kind
from devices.plugins.api import Driver
from devices.plugins.guard import Guard
from devices.plugins.loading import PluginUnusable, load_driver
from devices.plugins.worker import PluginFailed, Worker
from devices.radio import Radio
from devices.tap import Tap
from devices.vitals.driver import SensorDriver, SensorListener, Subscriptions

_log = logging.getLogger(__name__)

T = TypeVar("T")
START_S: Final = 10.0
END_S: Final = 1.0
STUCK_S: Final = 5.0
"""How long a callback may take."""
MOST_WAITING: Final = 200
"""Frames that may wait for the driver."""
MOST_STUCK: Final = 3
"""Threads that are left behind before the driver is given up until the engine starts again."""


class PluginFault(DeviceError):  # noqa: N818 - a fault that costs nobody anything
    """A driver of another maker did something that it must not; the message says what."""

    code = "device.plugin.fault"


class HostedDriver(SensorDriver):
    """One sensor with a driver of another maker."""

    def __init__(
        self,
        kind: Kind,
        radio: Radio,
        address: str,
        *,
        listener: SensorListener,
        clock: Clock,
        tap: Tap,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(radio, address, listener=listener, clock=clock, tap=tap, sleep=sleep)
        if kind.plugin is None:
            raise ValueError(f"{kind.key} is no kind of a plug-in")
        self._plugin = kind.plugin
        self._services = kind.services
        self._main = asyncio.get_running_loop()
        self._worker: Worker | None = None
        self._guard: Guard | None = None
        self._driver: Driver | None = None
        self._stuck = 0
        self._faults = 0
        self._ending: asyncio.Task[None] | None = None

    def subscriptions(self, client: BleakClient) -> Subscriptions:
        if not any(service.uuid in self._services for service in client.services):
            raise LinkRefused(
                f"{client.address} has none of the services of {self._plugin.kind}.",
                reason=Text("device.plugin.not_one"),
            )
        if self._stuck >= MOST_STUCK:
            raise self._refusal("It did not return again and again.", "device.plugin.stuck")
        return ()

    def begin(self, boot: int) -> None:
        self._worker = worker = Worker(f"sensor {self._plugin.kind}", self._clock)
        self._guard = Guard(
            self._plugin.channels,
            boot,
            clock=self._clock,
            blocks=lambda blocks: self._on_main(self._arrived, worker, blocks),
            fault=self._fault,
        )

    async def started(self, client: BleakClient) -> None:
        worker, guard = self._worker, self._guard
        assert worker is not None
        assert guard is not None
        try:
            make = await asyncio.to_thread(load_driver, self._plugin)
        except PluginUnusable as error:
            raise self._refusal(str(error), "device.plugin.unusable") from error
        given = GivenClient(self, client, worker, self._main)

        async def begin() -> Driver:
            driver = make(guard)
            await driver.start(given)
            return driver

        try:
            async with asyncio.timeout(START_S):
                self._driver = await asyncio.wrap_future(worker.run(begin))
        except PluginFailed as error:
            if not client.is_connected:
                raise BleakError("the link was lost while the driver started") from error
            raise self._refusal(f"It failed to start: {error}.", "device.plugin.failed") from error
        except TimeoutError as error:
            self._stuck += 1
            raise self._refusal(f"It did not start within {START_S:g} s.", "device.plugin.stuck") from error

    async def ended(self) -> None:
        await super().ended()
        worker, guard, driver = self._worker, self._guard, self._driver
        self._worker = self._guard = self._driver = None
        if guard is not None:
            guard.close()
        if worker is None:
            return
        if driver is not None and not worker.waiting:
            try:
                async with asyncio.timeout(END_S):
                    await asyncio.wrap_future(worker.run(driver.ended))
            except (PluginFailed, TimeoutError) as error:
                self._fault(f"it did not end cleanly: {error}")
        worker.stop()

    # for the client that the driver is given

    def find(self, client: BleakClient, uuid: str) -> BleakGATTCharacteristic | None:
        """A characteristic, rather of a claimed service than of another."""
        services = sorted(client.services, key=lambda service: service.uuid not in self._services)
        matches = (service.get_characteristic(uuid.lower()) for service in services)
        return next((match for match in matches if match is not None), None)

    def heard(self, worker: Worker, uuid: str, data: bytes, heard: Callable[[bytes], None]) -> None:
        """A notification, on its way to the driver's thread."""
        self._tap.add(uuid, data)
        if worker is not self._worker:
            return
        if worker.busy_s > STUCK_S or worker.waiting >= MOST_WAITING:
            self._leave_behind(worker)
            return
        worker.call(lambda: heard(data), lambda error: self._fault(f"{type(error).__name__}: {error}", data))

    # inside

    def _arrived(self, worker: Worker, blocks: tuple[SampleBlock, ...]) -> None:
        if worker is self._worker:
            self.deliver(blocks)

    def _on_main(self, call: Callable[..., None], *arguments: object) -> None:
        try:
            self._main.call_soon_threadsafe(call, *arguments)
        except RuntimeError:  # the engine has ended
            _log.debug("%s came too late", self._plugin.kind)

    def _fault(self, said: str, raw: bytes = b"") -> None:
        """Told the 1st, 2nd, 4th, 8th… time: a driver that does everything wrong must not keep us busy."""
        self._faults += 1
        if self._faults & (self._faults - 1) == 0:
            error = PluginFault(f"The driver {self._plugin.package} (fault {self._faults}): {said}.")
            self._on_main(self._listener.frame_refused, error, raw)

    def _leave_behind(self, worker: Worker) -> None:
        self._stuck += 1
        self._worker = None
        worker.stop()
        _log.error("The driver %s does not return; its thread is left behind.", self._plugin.package)
        self.note(Text("device.plugin.stuck"))
        if self.client is not None:
            self._ending = asyncio.ensure_future(self._disconnect(self.client))

    async def _disconnect(self, client: BleakClient) -> None:
        try:
            await client.disconnect()
        except (BleakError, OSError) as error:
            _log.info("%s did not disconnect cleanly: %s", client.address, error)

    def _refusal(self, said: str, key: str) -> LinkRefused:
        return LinkRefused(f"The driver {self._plugin.package}: {said}", reason=Text(key))


class GivenClient:
    """The `devices.plugins.api.Client` of one connection: used in the driver's thread, works in ours."""

    def __init__(
        self, host: HostedDriver, client: BleakClient, worker: Worker, main: asyncio.AbstractEventLoop
    ) -> None:
        self._host = host
        self._client = client
        self._worker = worker
        self._main = main

    @property
    def address(self) -> str:
        return str(self._client.address)

    def has(self, characteristic: str) -> bool:
        return self._host.find(self._client, characteristic) is not None

    async def read(self, characteristic: str) -> bytes:
        return bytes(await self._there(self._client.read_gatt_char(self._found(characteristic))))

    async def write(self, characteristic: str, data: bytes, *, response: bool = True) -> None:
        await self._there(self._client.write_gatt_char(self._found(characteristic), data, response=response))

    async def listen(self, characteristic: str, heard: Callable[[bytes], None]) -> None:
        def arrived(found: BleakGATTCharacteristic, data: bytearray) -> None:
            self._host.heard(self._worker, found.uuid, bytes(data), heard)

        await self._there(self._client.start_notify(self._found(characteristic), arrived))

    def _found(self, characteristic: str) -> BleakGATTCharacteristic:
        found = self._host.find(self._client, characteristic)
        if found is None:
            raise KeyError(characteristic)
        return found

    async def _there(self, work: Coroutine[object, object, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._main))

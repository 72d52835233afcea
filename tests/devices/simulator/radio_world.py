"""Two real Bumble hosts on a virtual air in this process, whose time moves only when told."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from bleak import BleakClient
from bumble.core import UUID
from bumble.device import Connection
from bumble.gatt import Characteristic, Service
from bumble.keys import MemoryKeyStore

from devices.bumble_backend import BumbleAdapter
from devices.simulator.air_control import AirControl
from devices.simulator.peripheral import Payload, Peripheral, advertising_payload, write_only
from devices.simulator.radio_link import RadioLink
from devices.simulator.timers import ManualTimers
from devices.simulator.virtual_radio import VirtualController, VirtualLink

ADDRESS = "C2:00:00:00:00:01"
CENTRAL = "C2:00:00:00:00:02"
SERVICE, WRITTEN, NOTIFIED, READ, SECRET = (f"0ea1{n:04x}-5c11-4b1e-9d57-5a1f00c0ffee" for n in range(1, 6))
_TURNS = 60
"""Of the event loop: more than any message needs from host to host, where nobody waits for time."""

_LONGEST_LEAP_S = 60.0

T = TypeVar("T")
P, PERM = Characteristic.Properties, Characteristic.Permissions


class Thing:
    """A peripheral that can be read, written and subscribed to."""

    def __init__(
        self,
        link: VirtualLink,
        number: int = 1,
        *,
        address: str | None = None,
        irk: bytes | None = None,
        advertising: Payload | None = None,
        scan_response: Payload = b"",
    ) -> None:
        self.address = address or f"C2:00:00:00:{number:02X}:01"
        self.written: list[bytes] = []
        self.notified = Characteristic[bytes](UUID(NOTIFIED), P.NOTIFY, PERM.READABLE, b"")
        self.service = Service(
            UUID(SERVICE),
            [
                Characteristic(
                    UUID(WRITTEN),
                    P.WRITE | P.WRITE_WITHOUT_RESPONSE,
                    PERM.WRITEABLE,
                    write_only(lambda _, value: self.written.append(bytes(value))),
                ),
                self.notified,
                Characteristic(UUID(READ), P.READ, PERM.READABLE, b"value"),
                Characteristic(UUID(SECRET), P.READ, PERM.READABLE | PERM.READ_REQUIRES_ENCRYPTION, b"secret"),
            ],
        )
        self.controller = VirtualController(f"thing {number}", link, f"00:00:00:00:{number:02X}:01")
        self.peripheral = Peripheral(
            self.controller,
            self.controller,
            name="Thing",
            address=self.address,
            services=[self.service],
            advertising=advertising_payload([UUID(SERVICE)]) if advertising is None else advertising,
            scan_response=scan_response,
            irk=irk,
            timers=link.timers,
        )

    @property
    def connection(self) -> Connection:
        (connection,) = self.peripheral.connections
        return connection

    async def notify(self, *values: bytes) -> None:
        for value in values:
            await self.peripheral.device.notify_subscribers(self.notified, value)


class World:
    """Things, and a central that bleak drives."""

    def __init__(
        self,
        things: int = 1,
        *,
        irk: bytes | None = None,
        advertising: Payload | None = None,
        scan_response: Payload = b"",
    ) -> None:
        self.timers = ManualTimers()
        self.link = VirtualLink(timers=self.timers)
        self.things = [
            Thing(self.link, number, irk=irk, advertising=advertising, scan_response=scan_response)
            for number in range(things)
        ]
        self.controller = VirtualController("central", self.link, "00:00:00:00:FF:02")
        self.adapter = BumbleAdapter(
            self.controller, self.controller, name="central", address=CENTRAL, keys=MemoryKeyStore()
        )
        self.heard: list[bytes] = []

    @property
    def thing(self) -> Thing:
        return self.things[0]

    @property
    def connection(self) -> Connection:
        """The central's side."""
        (connection,) = self.adapter.device.connections.values()
        return connection

    @property
    def radio_link(self) -> RadioLink:
        (link,) = self.link.radio_links
        return link

    async def start(self) -> None:
        for thing in self.things:
            await thing.peripheral.power_on()
        await self.adapter.power_on()

    async def close(self) -> None:
        for thing in self.things:
            thing.controller.leave()
        self.controller.leave()
        await self.settle()
        await self.adapter.close()

    def tell(self, *messages: AirControl) -> None:
        """Let something happen to the first thing's radio."""
        for message in messages:
            self.thing.controller.tell(message)

    def reasons(self) -> tuple[list[int], list[int]]:
        """Why the link ends: at the central, at the thing."""
        ends: tuple[list[int], list[int]] = ([], [])
        for connection, told in zip((self.connection, self.thing.connection), ends, strict=True):
            connection.on(Connection.EVENT_DISCONNECTION, told.append)
        return ends

    async def connected(self, *, subscribed: bool = True, thing: int = 0, patience: float = 20.0) -> BleakClient:
        client = BleakClient(self.things[thing].address, timeout=patience, backend=self.adapter.client_backend)
        await self.run(client.connect())
        if subscribed:
            await self.run(client.start_notify(NOTIFIED, lambda _, data: self.heard.append(bytes(data))))
        return client

    async def settle(self) -> None:
        """Let the hosts do what they can without time passing."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    async def passes(self, seconds: float) -> None:
        """Let time pass; the hosts keep up."""
        until = self.timers.now() + seconds
        await self.settle()
        while self.timers.due is not None and self.timers.due <= until:
            self.timers.step()
            await self.settle()
        self.timers.advance(until - self.timers.now())

    async def until(self, condition: Callable[[], bool]) -> float:
        """Let time pass until it is so; how many seconds that took. Never leaps to what is due much later."""
        began = self.timers.now()
        async with asyncio.timeout(20):
            while not condition():
                if self.timers.due is not None and self.timers.due - self.timers.now() < _LONGEST_LEAP_S:
                    self.timers.step()
                await self.settle()
        return self.timers.now() - began

    async def run(self, operation: Coroutine[Any, Any, T]) -> T:
        """Let time pass until it is done."""
        task = asyncio.ensure_future(operation)
        try:
            await self.until(task.done)
        finally:
            if not task.done():
                task.cancel()
        return task.result()


def numbered(count: int, size: int = 244) -> Sequence[bytes]:
    """Messages that can be told apart."""
    return [bytes((number,)) * size for number in range(count)]

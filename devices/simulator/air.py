"""The air of a simulated clinic: virtual controllers that other processes reach by HCI over TCP on this machine."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType

from bumble.core import InvalidPacketError
from bumble.transport.common import PacketParser

from core.model.errors import SmilescapeError
from devices.simulator.air_control import AirControl, SetRange
from devices.simulator.conditions import RadioConditions
from devices.simulator.interception import Interception, Interceptor
from devices.simulator.radio_link import RadioLink
from devices.simulator.timers import Timers
from devices.simulator.virtual_radio import VirtualController, VirtualLink

_log = logging.getLogger(__name__)
_HOST = "127.0.0.1"


class AirError(SmilescapeError):
    """The simulated air cannot be opened."""

    code = "simulator.air"


class _Client(asyncio.Protocol):
    """One host process on one radio, from its TCP connection to its end; the fresh controller is its own."""

    def __init__(self, radio: "_Radio") -> None:
        self._radio = radio
        self._parser = PacketParser()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._parser.set_packet_sink(self._radio.attach(self))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except InvalidPacketError as error:
            _log.warning("A host on radio %d sent what is not HCI, closing: %s", self._radio.index, error)
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._radio.detach(self)

    def on_packet(self, packet: bytes) -> None:
        """Carry one packet from the controller to the host."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(packet)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class _Radio:
    """One TCP port with one public address; whoever connected last has it."""

    def __init__(self, link: VirtualLink, index: int) -> None:
        self.index = index
        self._link = link
        self._address = f"5A:C3:5E:00:00:{index:02X}"
        self._server: asyncio.Server | None = None
        self._client: _Client | None = None
        self.controller: VirtualController | None = None
        self.conditions = RadioConditions()

    async def open(self, port: int) -> int:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), _HOST, port)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    def attach(self, client: _Client) -> VirtualController:
        """A fresh controller for a new host. A host still there has usually died unnoticed: it loses the radio."""
        self._drop()
        self._client = client
        self.controller = VirtualController(f"radio {self.index}", self._link, self._address, self.conditions)
        self.controller.host = client
        return self.controller

    def detach(self, client: _Client) -> None:
        if client is self._client:
            self._drop()

    def tell(self, message: AirControl) -> None:
        if self.controller is not None:
            self.controller.tell(message)
        else:
            self.conditions.tell(message, self._link.timers.now())

    def _drop(self) -> None:
        if self.controller is not None:
            self.controller.leave()
            self.controller = None
        if self._client is not None:
            self._client.close()
            self._client = None

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._drop()
            await self._server.wait_closed()
            self._server = None


class Air:
    """Hosts virtual radios; a host process that dies loses its links as by a supervision timeout, and may come back.

    Args:
        radios: how many, on ports that the system chooses; or the ports themselves (0: chosen by the system).
        timers: what moves connection events and faults; the event loop's when None.
        seed: of the faults that come by probability.

    Attributes:
        link: what is between the radios.
    """

    def __init__(self, radios: int | Sequence[int], *, timers: Timers | None = None, seed: int = 0) -> None:
        self._wanted = [0] * radios if isinstance(radios, int) else list(radios)
        self.link = VirtualLink(timers=timers, seed=seed)
        self._radios = [_Radio(self.link, index) for index in range(len(self._wanted))]
        self._ports: list[int] = []

    @property
    def transports(self) -> tuple[str, ...]:
        """What each radio's host connects to, as Bumble transport specifications."""
        return tuple(f"tcp-client:{_HOST}:{port}" for port in self._ports)

    async def open(self) -> None:
        """Listen on every port.

        Raises:
            AirError: a port is taken.
        """
        try:
            for radio, port in zip(self._radios, self._wanted, strict=True):
                self._ports.append(await radio.open(port))
        except OSError as error:
            await self.close()
            raise AirError(f"The simulated air cannot listen: {error}.", "Choose another port, or 0.") from error

    async def close(self) -> None:
        """End every link and close every port."""
        for radio in self._radios:
            await radio.close()
        self._ports.clear()

    async def __aenter__(self) -> "Air":
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def tell(self, message: AirControl) -> None:
        """Let something happen to one radio, or to all. A radio that is not there is none that it happens to."""
        for radio in self._radios:
            if message.radio in (None, radio.index):
                radio.tell(message)

    def set_in_range(self, radio: int, in_range: bool) -> None:
        """Carry a radio away, so that its links end at once, or back."""
        self.tell(SetRange(radio=radio, in_range=in_range))

    def links(self, radio: int | None = None) -> tuple[RadioLink, ...]:
        """The connections that are up: of one radio, or all."""
        return tuple(link for link in self.link.radio_links if self._at(radio, link))

    def intercept(self, interceptor: Interceptor, *, radio: int | None = None) -> Interception:
        """Sit in every connection of a radio, or of all, now and later, until closed."""
        return self.link.intercept(interceptor, lambda link: self._at(radio, link))

    def _at(self, radio: int | None, link: RadioLink) -> bool:
        return radio is None or any(end.controller is self._radios[radio].controller for end in link.ends)


async def run_air(
    radios: int | Sequence[int],
    *,
    ready: Callable[[tuple[str, ...]], None],
    control: AsyncIterator[AirControl] | None = None,
) -> None:
    """Host the air until cancelled, or until `control` ends; `ready` is told the transports.

    Raises:
        AirError: a port is taken.
    """
    async with Air(radios) as air:
        ready(air.transports)
        if control is None:
            await asyncio.get_running_loop().create_future()
        else:
            async for message in control:
                air.tell(message)

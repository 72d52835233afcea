"""The hub's GATT server: bytes between its link layer and whoever is connected."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from bumble.att import ATT_INVALID_ATTRIBUTE_LENGTH_ERROR, ATT_READ_NOT_PERMITTED_ERROR, ATT_Error
from bumble.core import UUID, BaseBumbleError
from bumble.device import Connection, Device
from bumble.gatt import (
    GATT_BATTERY_LEVEL_CHARACTERISTIC,
    GATT_BATTERY_SERVICE,
    GATT_DEVICE_INFORMATION_SERVICE,
    GATT_FIRMWARE_REVISION_STRING_CHARACTERISTIC,
    GATT_HARDWARE_REVISION_STRING_CHARACTERISTIC,
    GATT_MANUFACTURER_NAME_STRING_CHARACTERISTIC,
    GATT_MODEL_NUMBER_STRING_CHARACTERISTIC,
    Characteristic,
    CharacteristicValue,
    Service,
)

from core.model.clock import Clock
from devices.errors import FrameError
from devices.hub import uuids
from devices.hub.session.errors import RecordRefused, SegmentRefused
from devices.hub.session.wire import ATT_INSUFFICIENT_AUTHENTICATION, ATT_RECORD_REFUSED, FromHub, ToHub
from devices.simulator.brain import Brain
from devices.simulator.card import HARDWARE, clear_identity
from devices.simulator.faults import Faults
from devices.simulator.firmware import MODEL
from devices.simulator.link import HubLink, NoSession, Outgoing

MANUFACTURER: Final = "Smilescape"
_QUEUE_FULL: Final = 48
"""Packets waiting for the radio above which stored frames wait; live ones go on up to four times as many."""
_PARTING_S: Final = 2.0
"""How long a link that is to be dropped may take to carry what is on its way."""

_Properties = Characteristic.Properties
_READABLE: Final = Characteristic.READABLE
_WRITEABLE: Final = Characteristic.WRITEABLE
_NOTIFIED: Final = {
    FromHub.TELEMETRY: uuids.TELEMETRY,
    FromHub.HISTORY: uuids.HISTORY,
    FromHub.RECEIPT: uuids.RECEIPT,
    FromHub.STATUS: uuids.STATUS,
    FromHub.DOCUMENTS: uuids.DOCUMENTS,
}
_WRITTEN: Final = {
    ToHub.CONTROL: (uuids.CONTROL, _Properties.WRITE),
    ToHub.STOP: (uuids.STOP, _Properties.WRITE | _Properties.WRITE_WITHOUT_RESPONSE),
    ToHub.QUERY: (uuids.RECEIPT_QUERY, _Properties.WRITE),
}

_Write = Callable[[Connection, bytes], Awaitable[None]]


class HubServer:
    """Services of one hub. Attach it to a device once that exists.

    Attributes:
        faults: what goes wrong on the way, on purpose.
        missed: live frames that the radio could not take.
        link: to the client that is connected; None without one.
    """

    def __init__(self, brain: Brain, clock: Clock) -> None:
        self.faults = Faults()
        self.missed = 0
        self.link: HubLink | None = None
        self._brain = brain
        self._clock = clock
        self._device: Device | None = None
        self._connection: Connection | None = None
        self._parting: asyncio.Task[None] | None = None
        self._handshake = _characteristic(
            uuids.HANDSHAKE, _Properties.WRITE | _Properties.NOTIFY, _unreadable(self._on_handshake)
        )
        self._notified = {
            stream: _characteristic(uuid, _Properties.NOTIFY, _unreadable()) for stream, uuid in _NOTIFIED.items()
        }
        self._battery: Characteristic[bytes] = Characteristic(
            GATT_BATTERY_LEVEL_CHARACTERISTIC,
            _Properties.READ | _Properties.NOTIFY,
            _READABLE,
            CharacteristicValue(read=lambda _: bytes((brain.battery_percent,))),
        )

    def services(self) -> list[Service]:
        read = CharacteristicValue(read=lambda _: clear_identity(self._brain.parts))
        written = [
            _characteristic(uuid, properties, _unreadable(self._writer(stream)))
            for stream, (uuid, properties) in _WRITTEN.items()
        ]
        identity = _characteristic(uuids.IDENTITY, _Properties.READ, read)
        hub = Service(UUID(uuids.SERVICE), [identity, self._handshake, *self._notified.values(), *written])
        texts = (
            (GATT_MANUFACTURER_NAME_STRING_CHARACTERISTIC, MANUFACTURER),
            (GATT_MODEL_NUMBER_STRING_CHARACTERISTIC, MODEL),
            (GATT_FIRMWARE_REVISION_STRING_CHARACTERISTIC, self._brain.parts.firmware.version),
            (GATT_HARDWARE_REVISION_STRING_CHARACTERISTIC, HARDWARE),
        )
        strings = [Characteristic(uuid, _Properties.READ, _READABLE, text.encode()) for uuid, text in texts]
        information = Service(GATT_DEVICE_INFORMATION_SERVICE, strings)
        return [hub, information, Service(GATT_BATTERY_SERVICE, [self._battery])]

    def attach(self, device: Device) -> None:
        self._device = device
        device.on(Device.EVENT_CONNECTION, self._on_connection)

    def close(self) -> None:
        """Nothing is to be waited for any more."""
        if self._parting is not None:
            self._parting.cancel()

    def narrow(self, mtu: int) -> None:
        """Offer the next clients an ATT MTU of no more than this."""
        assert self._device is not None
        self._device.gatt_server.max_mtu = mtu

    async def send_frames(self, frames: list[bytes]) -> None:
        """Live frames, if anybody listens."""
        if self.link is None:
            return
        for out in self.link.telemetry(frames):
            if self._waiting() > 4 * _QUEUE_FULL:
                self.missed += 1
            else:
                await self._send([out])

    @property
    def ready(self) -> bool:
        """Whether the radio has room for more."""
        return self._waiting() < _QUEUE_FULL

    async def send_history(self) -> None:
        """As much of a fetch under way as the radio takes now."""
        while self.link is not None and self.ready:
            out = self.link.history()
            if out is None:
                return
            await self._send([out])

    async def send_status(self) -> None:
        if self.link is not None:
            await self._send(self.link.status())

    async def send_battery(self) -> None:
        await self._notify(self._battery, bytes((self._brain.battery_percent,)))

    def look_after(self) -> None:
        """Drop a link on which no session comes about."""
        if self.link is not None and self.link.overdue:
            self.link.drop = True
            self._part()

    def _on_connection(self, connection: Connection) -> None:
        if self.link is not None:
            self.link.close()
        self._connection = connection
        self.link = HubLink(self._brain, self._clock)
        connection.on(Connection.EVENT_DISCONNECTION, lambda _: self._on_disconnection(connection))

    def _on_disconnection(self, connection: Connection) -> None:
        if connection is self._connection and self.link is not None:
            self.link.close()
            self.link = self._connection = None

    async def _on_handshake(self, connection: Connection, value: bytes) -> None:
        link = self._linked(connection)
        await self._send(link.shake_hands(value))

    def _writer(self, stream: ToHub) -> _Write:
        async def on_write(connection: Connection, value: bytes) -> None:
            link = self._linked(connection)
            try:
                out = link.write(stream, value)
            except NoSession as error:
                raise ATT_Error(ATT_INSUFFICIENT_AUTHENTICATION) from error
            except (RecordRefused, SegmentRefused) as error:
                if link.drop:
                    self._part()
                raise ATT_Error(ATT_RECORD_REFUSED) from error
            except FrameError as error:
                raise ATT_Error(ATT_INVALID_ATTRIBUTE_LENGTH_ERROR) from error
            await self._send(out)

        return on_write

    def _linked(self, connection: Connection) -> HubLink:
        if self.link is None or connection is not self._connection:
            raise ATT_Error(ATT_INSUFFICIENT_AUTHENTICATION)
        self.link.mtu = connection.att_mtu
        return self.link

    async def _send(self, outgoing: Iterable[Outgoing]) -> None:
        """Seal and notify; nothing yields in between, so that records leave in the order of their numbers."""
        link = self.link
        if link is None:
            return
        for out in outgoing:
            sealed = link.seal(out)
            arriving = self._arriving(out.stream, sealed) if sealed is not None else None
            if arriving is not None:
                await self._notify(self._handshake if out.stream is None else self._notified[out.stream], arriving)
        if link.drop:
            self._part()

    def _arriving(self, stream: FromHub | None, value: bytes) -> bytes | None:
        """What the air makes of a value; None for nothing."""
        if stream is FromHub.TELEMETRY:
            return self.faults.live(value)
        return None if stream is FromHub.RECEIPT and self.faults.receipts.strikes() else value

    async def _notify(self, characteristic: Characteristic[bytes], value: bytes) -> None:
        if self._device is not None and self._connection is not None:
            await self._device.notify_subscriber(self._connection, characteristic, value)

    def _part(self) -> None:
        """End the link once what is on its way has left."""
        if self._connection is not None and (self._parting is None or self._parting.done()):
            self._parting = asyncio.get_running_loop().create_task(self._leave(self._connection))

    async def _leave(self, connection: Connection) -> None:
        assert self._device is not None
        try:
            async with asyncio.timeout(_PARTING_S):
                queue = self._device.host.get_data_packet_queue(connection.handle)
                while queue is not None and queue.pending:
                    await queue.drain(connection.handle)
        except (TimeoutError, ValueError):
            pass
        try:
            await connection.disconnect()
        except BaseBumbleError:
            pass

    def _waiting(self) -> int:
        """Packets that wait for the radio."""
        if self._device is None or self._connection is None:
            return 0
        queue = self._device.host.get_data_packet_queue(self._connection.handle)
        return queue.pending if queue is not None else 0


def _characteristic(
    uuid: str, properties: Characteristic.Properties, value: CharacteristicValue[bytes]
) -> Characteristic[bytes]:
    permissions = Characteristic.Permissions(0)
    if properties & _Properties.READ:
        permissions |= _READABLE
    if properties & (_Properties.WRITE | _Properties.WRITE_WITHOUT_RESPONSE):
        permissions |= _WRITEABLE
    return Characteristic(UUID(uuid), properties, permissions, value)


def _unreadable(write: _Write | None = None) -> CharacteristicValue[bytes]:
    """Bumble 0.0.236 does not look at permissions: who reads what cannot be read gets no answer, or an empty one."""

    def refuse(_connection: Connection) -> bytes:
        raise ATT_Error(ATT_READ_NOT_PERMITTED_ERROR)

    return CharacteristicValue(read=refuse, write=write)

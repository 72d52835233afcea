"""The hub's GATT server: bytes between a brain and whoever is connected."""

import struct
from typing import Final

from bumble.att import ATT_INVALID_ATTRIBUTE_LENGTH_ERROR, ATT_Error
from bumble.core import UUID
from bumble.device import Connection, Device
from bumble.gatt import (
    GATT_BATTERY_LEVEL_CHARACTERISTIC,
    GATT_BATTERY_SERVICE,
    GATT_DEVICE_INFORMATION_SERVICE,
    GATT_FIRMWARE_REVISION_STRING_CHARACTERISTIC,
    GATT_HARDWARE_REVISION_STRING_CHARACTERISTIC,
    GATT_MANUFACTURER_NAME_STRING_CHARACTERISTIC,
    GATT_MODEL_NUMBER_STRING_CHARACTERISTIC,
    GATT_SERIAL_NUMBER_STRING_CHARACTERISTIC,
    Characteristic,
    CharacteristicValue,
    Service,
)

from devices.errors import FrameError
from devices.hub import uuids
from devices.hub.identity import encode_identity
from devices.simulator.brain import FIRMWARE, HARDWARE, MODEL, Brain
from devices.simulator.desk import MIN_MTU, Session
from devices.simulator.faults import Faults

MANUFACTURER: Final = "Smilescape"
_QUEUE_FULL: Final = 48
"""Packets waiting for the radio above which stored frames wait; live ones go on up to four times as many."""

_Properties = Characteristic.Properties
_READABLE: Final = Characteristic.READABLE
_WRITEABLE: Final = Characteristic.WRITEABLE


class HubServer:
    """Services of one hub. Attach it to a device once that exists.

    Attributes:
        faults: what goes wrong on the way, on purpose.
        missed: live frames that the radio could not take.
    """

    def __init__(self, brain: Brain) -> None:
        self.faults = Faults()
        self.missed = 0
        self._brain = brain
        self._device: Device | None = None
        self._connection: Connection | None = None
        self._identity = _characteristic(
            uuids.IDENTITY, _Properties.READ, CharacteristicValue(read=self._read_identity)
        )
        self._telemetry = _characteristic(uuids.TELEMETRY, _Properties.NOTIFY)
        self._history = _characteristic(uuids.HISTORY, _Properties.NOTIFY)
        self._control = _characteristic(uuids.CONTROL, _Properties.WRITE, CharacteristicValue(write=self._on_command))
        self._receipt = _characteristic(uuids.RECEIPT, _Properties.NOTIFY)
        self._status = _characteristic(
            uuids.STATUS, _Properties.READ | _Properties.NOTIFY, CharacteristicValue(read=self._read_status)
        )
        self._stop = _characteristic(
            uuids.STOP,
            _Properties.WRITE | _Properties.WRITE_WITHOUT_RESPONSE,
            CharacteristicValue(write=self._on_stop),
        )
        self._query = _characteristic(uuids.RECEIPT_QUERY, _Properties.WRITE, CharacteristicValue(write=self._on_query))
        self._battery: Characteristic[bytes] = Characteristic(
            GATT_BATTERY_LEVEL_CHARACTERISTIC,
            _Properties.READ | _Properties.NOTIFY,
            _READABLE,
            CharacteristicValue(read=lambda _: bytes((brain.battery_percent,))),
        )

    def services(self) -> list[Service]:
        hub = Service(
            UUID(uuids.SERVICE),
            [
                self._identity,
                self._telemetry,
                self._history,
                self._control,
                self._receipt,
                self._status,
                self._stop,
                self._query,
            ],
        )
        texts = (
            (GATT_MANUFACTURER_NAME_STRING_CHARACTERISTIC, MANUFACTURER),
            (GATT_MODEL_NUMBER_STRING_CHARACTERISTIC, MODEL),
            (GATT_SERIAL_NUMBER_STRING_CHARACTERISTIC, self._brain.identity.serial),
            (GATT_FIRMWARE_REVISION_STRING_CHARACTERISTIC, FIRMWARE),
            (GATT_HARDWARE_REVISION_STRING_CHARACTERISTIC, HARDWARE),
        )
        strings = [Characteristic(uuid, _Properties.READ, _READABLE, text.encode()) for uuid, text in texts]
        information = Service(GATT_DEVICE_INFORMATION_SERVICE, strings)
        return [hub, information, Service(GATT_BATTERY_SERVICE, [self._battery])]

    def attach(self, device: Device) -> None:
        self._device = device
        device.on(Device.EVENT_CONNECTION, self._on_connection)

    def narrow(self, mtu: int) -> None:
        """Offer the next clients an ATT MTU of no more than this."""
        assert self._device is not None
        self._device.gatt_server.max_mtu = mtu

    async def send_frames(self, frames: list[bytes]) -> None:
        """Live frames, if anybody listens."""
        session = self._brain.session
        if session is None or not session.streaming:
            return
        for frame in frames:
            if self._waiting() > 4 * _QUEUE_FULL:
                self.missed += 1
                continue
            arriving = self.faults.live(frame)
            if arriving is not None:
                await self._notify(self._telemetry, arriving)

    async def send_history(self) -> None:
        """As much of a fetch under way as the radio takes now."""
        session = self._brain.session
        while session is not None and session.fetch is not None and self._waiting() < _QUEUE_FULL:
            await self._notify(self._history, session.fetch.pop(0))
            if not session.fetch:
                session.fetch = None

    async def send_status(self) -> None:
        if self._connection is not None and self._connection.att_mtu >= MIN_MTU:
            await self._notify(self._status, self._brain.status())

    async def send_battery(self) -> None:
        await self._notify(self._battery, bytes((self._brain.battery_percent,)))

    def _on_connection(self, connection: Connection) -> None:
        self._connection = connection
        self._brain.session = Session()
        connection.on(Connection.EVENT_DISCONNECTION, lambda _: self._on_disconnection(connection))

    def _on_disconnection(self, connection: Connection) -> None:
        if connection is self._connection:
            self._connection = None
            self._brain.session = None

    async def _on_command(self, connection: Connection, value: bytes) -> None:
        session = self._session(connection)
        before = self._brain.shown()
        try:
            receipt = self._brain.desk.command(value, session)
        except FrameError as error:
            raise ATT_Error(ATT_INVALID_ATTRIBUTE_LENGTH_ERROR) from error
        await self._send_receipt(receipt)
        if self._brain.shown() != before:
            await self.send_status()

    async def _on_stop(self, connection: Connection, value: bytes) -> None:
        before = self._brain.shown()
        await self._send_receipt(self._brain.desk.stop())
        if self._brain.shown() != before:
            await self.send_status()

    async def _on_query(self, connection: Connection, value: bytes) -> None:
        if len(value) < 4:
            raise ATT_Error(ATT_INVALID_ATTRIBUTE_LENGTH_ERROR)
        (counter,) = struct.unpack_from("<I", value)
        await self._send_receipt(self._brain.desk.query(counter))

    async def _send_receipt(self, receipt: bytes) -> None:
        if not self.faults.receipts.strikes():
            await self._notify(self._receipt, receipt)

    def _read_identity(self, connection: Connection) -> bytes:
        return encode_identity(self._brain.identity)

    def _read_status(self, connection: Connection) -> bytes:
        return self._brain.status()

    def _session(self, connection: Connection) -> Session:
        if self._brain.session is None:
            self._brain.session = Session()
        self._brain.session.mtu = connection.att_mtu
        return self._brain.session

    async def _notify(self, characteristic: Characteristic[bytes], value: bytes) -> None:
        if self._device is not None and self._connection is not None:
            await self._device.notify_subscriber(self._connection, characteristic, value)

    def _waiting(self) -> int:
        """Packets that wait for the radio."""
        if self._device is None or self._connection is None:
            return 0
        queue = self._device.host.get_data_packet_queue(self._connection.handle)
        return queue.pending if queue is not None else 0


def _characteristic(
    uuid: str, properties: Characteristic.Properties, value: CharacteristicValue[bytes] | bytes = b""
) -> Characteristic[bytes]:
    permissions = Characteristic.Permissions(0)
    if properties & _Properties.READ:
        permissions |= _READABLE
    if properties & (_Properties.WRITE | _Properties.WRITE_WITHOUT_RESPONSE):
        permissions |= _WRITEABLE
    return Characteristic(UUID(uuid), properties, permissions, value)

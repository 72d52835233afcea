"""Connections and GATT."""

import asyncio
import logging
from typing import TYPE_CHECKING, Any, ClassVar

from bleak import BleakScanner
from bleak.args import SizedBuffer
from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError
from bumble import hci
from bumble.att import ATT_DEFAULT_MTU
from bumble.device import Connection, Peer
from bumble.gatt_client import ServiceProxy

from devices.bumble_backend.convert import uuid_text
from devices.bumble_backend.operations import Operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from devices.bumble_backend.adapter import BumbleAdapter

_log = logging.getLogger(__name__)
_MAX_MTU = 517
_MAX_VALUE = 512
_ABANDON_S = 2.0
_DISCONNECT_S = 5.0


class BumbleClient(BaseBleakClient):
    """bleak's client over one adapter; `BumbleAdapter.client_backend` is the subclass that is bound to it."""

    adapter: ClassVar["BumbleAdapter"]

    def __init__(self, address_or_ble_device: BLEDevice | str, *, services: set[str] | None = None, **kwargs: Any):
        super().__init__(address_or_ble_device, **kwargs)
        self._device = address_or_ble_device if isinstance(address_or_ble_device, BLEDevice) else None
        self._only_services = services
        self._connection: Connection | None = None
        self._peer: Peer | None = None
        self._peer_name = ""
        """Under which the peer's bond is kept: its identity where that is known, not the address that it has now."""
        self._subscribers: dict[int, Callable[[bytes], None]] = {}
        self._announced = False
        self._requests = Operations()

    @property
    def name(self) -> str:
        return (self._device and self._device.name) or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        return self._connection.att_mtu if self._connection else ATT_DEFAULT_MTU

    @property
    def _max_write(self) -> int:
        """What fits into one write without response; no attribute is longer than 512 bytes (Vol 3, Part F, 3.2.9)."""
        return min(self.mtu_size - 3, _MAX_VALUE)

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        if self._connection is not None:
            raise BleakError("Already connected")
        try:
            async with asyncio.timeout(self._timeout):
                address = await self._address()
                async with self.adapter.connecting:
                    self._use(await self._open_connection(address))
                await self._prepare(pair)
        except TimeoutError as error:
            await self._drop()
            raise BleakDeviceNotFoundError(self.address, f"{self.address} did not answer in time") from error
        except BaseException:
            await self._drop()
            raise

    async def _address(self) -> hci.Address:
        """The peer's address with its type; one that has not been seen is looked for, as BlueZ does."""
        if self._device is not None and isinstance(self._device.details, hci.Address):
            return self._device.details
        wanted = self.address.upper()
        if wanted not in self.adapter.seen:
            found = await BleakScanner.find_device_by_address(
                wanted, timeout=self._timeout, backend=self.adapter.scanner_backend
            )
            if found is None:
                raise BleakDeviceNotFoundError(self.address, f"{self.address} was not found")
        return self.adapter.seen[wanted]

    async def _open_connection(self, address: hci.Address) -> Connection:
        """Connect, and withdraw the attempt properly when the caller gives up: Bumble leaves it pending."""
        device, operations = self.adapter.device, self.adapter.operations
        attempt = operations.start(device.connect(address, timeout=None))
        try:
            return await operations.result(attempt)
        except asyncio.CancelledError:
            await asyncio.shield(self._abandon(attempt))
            raise

    async def _abandon(self, attempt: asyncio.Task[Connection]) -> None:
        device, operations = self.adapter.device, self.adapter.operations
        try:
            async with asyncio.timeout(_ABANDON_S):
                try:
                    await operations.run(device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command()))
                except BleakError as error:
                    _log.debug("Too late to withdraw the attempt to connect to %s: %s", self.address, error)
                connection = await operations.result(attempt)
                await operations.run(connection.disconnect())
        except (BleakError, TimeoutError) as error:
            _log.debug("The attempt to connect to %s was withdrawn: %s", self.address, error)
        finally:
            attempt.cancel()

    def _use(self, connection: Connection) -> None:
        self._connection = connection
        self._peer = Peer(connection)
        self._peer_name = str(connection.peer_address)
        self._requests = Operations()
        connection.on(Connection.EVENT_DISCONNECTION, self._disconnected)

    async def _prepare(self, pair: bool) -> None:
        connection, peer = self._linked()
        if pair:
            await self.pair()
        elif await self._bonded(connection):
            await self._requests.run(connection.encrypt())
        await self._requests.run(peer.request_mtu(_MAX_MTU))
        self.services = await self._discover(peer)
        self._announced = True

    async def _discover(self, peer: Peer) -> BleakGATTServiceCollection:
        run, collection = self._requests.run, BleakGATTServiceCollection()
        for service in await run(peer.discover_services()):
            uuid = uuid_text(service.uuid)
            if self._only_services is None or uuid in self._only_services:
                await self._discover_service(BleakGATTService(service, service.handle, uuid), service, collection)
        return collection

    async def _discover_service(
        self, owner: BleakGATTService, service: ServiceProxy, collection: BleakGATTServiceCollection
    ) -> None:
        run = self._requests.run
        collection.add_service(owner)
        for found in await run(service.discover_characteristics()):
            properties = sorted(gatt_char_props_to_strs(int(found.properties)))
            characteristic = BleakGATTCharacteristic(
                found, found.handle, uuid_text(found.uuid), properties, lambda: self._max_write, owner
            )
            collection.add_characteristic(characteristic)
            for descriptor in await run(found.discover_descriptors()):
                collection.add_descriptor(
                    BleakGATTDescriptor(descriptor, descriptor.handle, uuid_text(descriptor.type), characteristic)
                )

    def _disconnected(self, reason: int) -> None:
        _log.debug("%s disconnected, reason 0x%02X", self.address, reason)
        self._connection = self._peer = None
        self._requests.end("The device disconnected")
        self.services = None
        self._subscribers.clear()
        told, self._announced = self._announced, False
        if told and self._disconnected_callback is not None:
            self._disconnected_callback()

    async def disconnect(self) -> None:
        if self._connection is not None:
            try:
                async with asyncio.timeout(_DISCONNECT_S):
                    await self.adapter.operations.run(self._connection.disconnect())
            except (BleakError, TimeoutError):
                # Ended from the other side meanwhile, or by the loss of the transport: it is what was asked for.
                if self._connection is not None:
                    raise

    async def _drop(self) -> None:
        """End a half-made connection, even when the caller is being cancelled."""
        if self._connection is not None:
            try:
                await asyncio.shield(self.disconnect())
            except (BleakError, TimeoutError) as error:
                _log.info("The link to %s did not end cleanly: %s", self.address, error)

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        connection, _ = self._linked()
        if not connection.is_encrypted:
            await self._requests.run(connection.pair())

    async def unpair(self) -> None:
        """Forget the bond, and end the connection that rests on it."""
        keystore = self.adapter.device.keystore
        if keystore is not None:
            name = self._peer_name or str(await self._address())
            if await keystore.get(name) is not None:
                await keystore.delete(name)
        await self.disconnect()

    async def _bonded(self, connection: Connection) -> bool:
        keystore = self.adapter.device.keystore
        keys = await keystore.get(str(connection.peer_address)) if keystore is not None else None
        return keys is not None and (keys.ltk is not None or keys.ltk_central is not None)

    def _linked(self) -> tuple[Connection, Peer]:
        if self._connection is None or self._peer is None:
            raise BleakError("Not connected")
        return self._connection, self._peer

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        return await self._read(characteristic, use_cached)

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        return await self._read(descriptor, use_cached)

    async def _read(self, attribute: BleakGATTCharacteristic | BleakGATTDescriptor, use_cached: bool) -> bytearray:
        client = self._linked()[1].gatt_client
        if use_cached and attribute.handle in client.cached_values:
            return bytearray(client.cached_values[attribute.handle][1])
        return bytearray(await self._requests.run(client.read_value(attribute.obj)))

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        client = self._linked()[1].gatt_client
        if not response and len(bytes(data)) > self._max_write:
            raise BleakError(f"A write without response carries at most {self._max_write} bytes")
        await self._requests.run(client.write_value(characteristic.obj, bytes(data), response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        client = self._linked()[1].gatt_client
        await self._requests.run(client.write_value(descriptor.obj, bytes(data), True))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        client = self._linked()[1].gatt_client
        if characteristic.handle in self._subscribers:
            raise BleakError(f"Notifications of {characteristic.uuid} are on already")
        if not {"notify", "indicate"} & set(characteristic.properties):
            raise BleakError(f"{characteristic.uuid} neither notifies nor indicates")

        def notified(value: bytes) -> None:
            # Raising here would keep Bumble from confirming an indication.
            try:
                callback(bytearray(value))
            except Exception:
                _log.exception("The callback for %s failed", characteristic.uuid)

        self._subscribers[characteristic.handle] = notified
        try:
            await self._requests.run(client.subscribe(characteristic.obj, notified, prefer_notify=True))
        except BaseException:
            self._subscribers.pop(characteristic.handle, None)
            raise

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        client = self._linked()[1].gatt_client
        notified = self._subscribers.pop(characteristic.handle, None)
        if notified is not None:
            await self._requests.run(client.unsubscribe(characteristic.obj, notified))

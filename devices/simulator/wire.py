"""A hub at the end of a wire in place of a radio: bleak's own client on one side, the hub's link on the other.

Nothing waits and nothing is lost. It carries what a radio is too slow for, such as a million captured frames.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from bleak import BleakClient
from bleak.args import SizedBuffer
from bleak.assigned_numbers import CharacteristicPropertyName
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection

from core.model.clock import Clock
from devices.hub import uuids
from devices.hub.session.wire import MIN_MTU, FromHub, ToHub
from devices.radio import CONNECT_S, Radio, Wanted
from devices.simulator.brain import Brain
from devices.simulator.card import clear_identity
from devices.simulator.link import HubLink, Outgoing

ADDRESS: Final = "F0:5C:00:00:00:01"
_NOTIFIED: Final = {
    FromHub.TELEMETRY: uuids.TELEMETRY,
    FromHub.HISTORY: uuids.HISTORY,
    FromHub.RECEIPT: uuids.RECEIPT,
    FromHub.STATUS: uuids.STATUS,
    FromHub.DOCUMENTS: uuids.DOCUMENTS,
}
_EVERYTHING: Final[list[CharacteristicPropertyName]] = ["read", "write", "write-without-response", "notify"]
_WRITTEN: Final = {uuids.CONTROL: ToHub.CONTROL, uuids.STOP: ToHub.STOP, uuids.RECEIPT_QUERY: ToHub.QUERY}


class WireRadio(Radio):
    """A radio that hears one hub, always.

    Attributes:
        link: the hub's side of the connection; None without one.
    """

    def __init__(self, brain: Brain, clock: Clock) -> None:
        super().__init__("wire", transport=None)
        self._brain = brain
        self._clock = clock
        self._subscribers: dict[str, NotifyCallback] = {}
        self.link: HubLink | None = None

    async def open(self) -> None:
        self._opened = True

    async def locate(self, wanted: str | Wanted, timeout: float) -> BLEDevice | None:  # noqa: ASYNC109 - as Radio has it
        return BLEDevice(ADDRESS, "Hub", None)

    def client(
        self, device: BLEDevice | str, disconnected: Callable[[], None], *, timeout: float = CONNECT_S
    ) -> BleakClient:
        wire = self

        class Backend(_WireClient):
            radio = wire

        return BleakClient(device, lambda _: disconnected(), timeout=timeout, backend=Backend)

    def callback(self, uuid: str) -> NotifyCallback:
        """What bleak calls when a characteristic notifies. Raises KeyError: nobody has subscribed to it."""
        return self._subscribers[uuid]

    def begin(self) -> None:
        """A client connects."""
        self.link = HubLink(self._brain, self._clock)
        self.link.mtu = MIN_MTU

    def end(self) -> None:
        """It is gone."""
        if self.link is not None:
            self.link.close()
        self.link = None
        self._subscribers.clear()

    def subscribe(self, uuid: str, callback: NotifyCallback) -> None:
        self._subscribers[uuid] = callback

    def identity(self) -> bytes:
        return clear_identity(self._brain.parts)

    def write(self, uuid: str, value: bytes) -> None:
        """A value from the client, and whatever the hub notifies in answer."""
        assert self.link is not None
        shaking = uuid == uuids.HANDSHAKE
        self.notify(self.link.shake_hands(value) if shaking else self.link.write(_WRITTEN[uuid], value))

    def notify(self, outgoing: Iterable[Outgoing]) -> None:
        for out in outgoing:
            assert self.link is not None
            sealed = self.link.seal(out)
            if sealed is not None:
                self.callback(uuids.HANDSHAKE if out.stream is None else _NOTIFIED[out.stream])(bytearray(sealed))


class KeepingRadio(Radio):
    """A radio whose client can be reached from outside, to take somebody's place at it.

    Attributes:
        present: of the connection that was made last.
    """

    present: BleakClient

    def client(
        self, device: BLEDevice | str, disconnected: Callable[[], None], *, timeout: float = CONNECT_S
    ) -> BleakClient:
        self.present = super().client(device, disconnected, timeout=timeout)
        return self.present


class _WireClient(BaseBleakClient):
    """bleak's client over the wire; the subclass knows whose."""

    radio: WireRadio

    def __init__(self, address_or_ble_device: BLEDevice | str, **kwargs: Any) -> None:
        super().__init__(address_or_ble_device, **kwargs)
        self._connected = False

    @property
    def name(self) -> str:
        return "Hub"

    @property
    def mtu_size(self) -> int:
        return MIN_MTU

    @property
    def is_connected(self) -> bool:
        return self._connected

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        collection = BleakGATTServiceCollection()
        service = BleakGATTService(None, 1, uuids.SERVICE)
        collection.add_service(service)
        for handle, uuid in enumerate(sorted(uuids.REQUIRED), 2):
            characteristic = BleakGATTCharacteristic(None, handle, uuid, _EVERYTHING, lambda: MIN_MTU - 3, service)
            collection.add_characteristic(characteristic)
        self.services = collection
        self.radio.begin()
        self._connected = True

    async def disconnect(self) -> None:
        self._connected = False
        self.radio.end()
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError

    async def unpair(self) -> None:
        raise NotImplementedError

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        return bytearray(self.radio.identity())

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        raise NotImplementedError

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        self.radio.write(characteristic.uuid, bytes(data))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        raise NotImplementedError

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        self.radio.subscribe(characteristic.uuid, callback)

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        self.radio.subscribe(characteristic.uuid, lambda _: None)

"""What every simulated device is made of: a Bumble host on some transport, with its services, advertising."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final

from bumble import hci
from bumble.att import ATT_READ_NOT_PERMITTED_ERROR, ATT_Error
from bumble.core import UUID, AdvertisingData, BaseBumbleError
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.gatt import CharacteristicValue, Service
from bumble.keys import KeyStore, MemoryKeyStore
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport import open_transport
from bumble.transport.common import Transport, TransportSink, TransportSource

from core.model.errors import SmilescapeError
from devices.bumble_backend.host import device_with_hci
from devices.hub.advertising import private_address
from devices.simulator.timers import Cancellable, LoopTimers, Timers

_log = logging.getLogger(__name__)
ADVERTISING_INTERVAL_MS = 100.0
ADDRESS_LASTS_S: Final = 900.0
"""A private address is changed after this, as the Core Specification recommends (Volume 3, Part C, appendix A)."""
_POWER_ON_S = 10.0

Payload = bytes | Callable[[bytes], bytes]
"""A payload, or what makes it for the address that will be on the air: 6 bytes, the most significant first."""


class TransportError(SmilescapeError):
    """A simulated device has no radio."""

    code = "simulator.transport"


def advertising_payload(
    services: Sequence[UUID], *, name: str | None = None, manufacturer: tuple[int, bytes] | None = None
) -> bytes:
    """One advertising (or scan response) payload.

    Args:
        manufacturer: company identifier and data.

    Raises:
        ValueError: it exceeds the 31 bytes of a legacy payload.
    """
    structures: list[tuple[int, bytes]] = []
    short = b"".join(bytes(uuid) for uuid in services if len(bytes(uuid)) == 2)
    long = b"".join(bytes(uuid) for uuid in services if len(bytes(uuid)) == 16)
    if short:
        structures.append((AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, short))
    if long:
        structures.append((AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, long))
    if services:
        flags = AdvertisingData.Flags.LE_GENERAL_DISCOVERABLE_MODE | AdvertisingData.Flags.BR_EDR_NOT_SUPPORTED
        structures.insert(0, (AdvertisingData.FLAGS, bytes([flags])))
    if name is not None:
        structures.append((AdvertisingData.COMPLETE_LOCAL_NAME, name.encode()))
    if manufacturer is not None:
        company, data = manufacturer
        structures.append((AdvertisingData.MANUFACTURER_SPECIFIC_DATA, company.to_bytes(2, "little") + data))
    payload = b"".join(bytes([len(data) + 1, kind]) + data for kind, data in structures)
    if len(payload) > 31:
        raise ValueError(f"an advertising payload has 31 bytes, not {len(payload)}")
    return payload


def write_only(write: Callable[[Connection, bytes], None]) -> CharacteristicValue[bytes]:
    """The value of a characteristic without READ. Bumble 0.0.236 never answers a client that reads it all the same."""

    def refuse(_connection: Connection) -> bytes:
        raise ATT_Error(ATT_READ_NOT_PERMITTED_ERROR)

    return CharacteristicValue(read=refuse, write=write)


class Peripheral:
    """A powered Bumble device with services that advertises until closed, again after each disconnection.

    With an identity resolving key (IRK) it advertises from a resolvable private address, a new one each time that
    advertising begins and every 15 minutes while it lasts. Without one it stays at `address`.

    Attributes:
        device: the Bumble device: `notify_subscribers`, `indicate_subscribers`, `connections`, events.
        lost: set when the transport is gone.
        present: the address of the present or last advertising, 6 bytes as on the air.
        irk: 16 bytes, the most significant first, or None; counts from the next advertising on.
    """

    def __init__(
        self,
        source: TransportSource,
        sink: TransportSink,
        *,
        name: str,
        address: str,
        services: Sequence[Service],
        advertising: Payload,
        scan_response: Payload = b"",
        keys: KeyStore | None = None,
        irk: bytes | None = None,
        timers: Timers | None = None,
    ) -> None:
        identity = hci.Address(address)
        configuration = DeviceConfiguration(
            name=name,
            address=identity,
            # Bumble keeps it as HCI does, the least significant byte first.
            irk=(bytes(identity) * 3)[:16] if irk is None else irk[::-1],
            advertising_interval_min=ADVERTISING_INTERVAL_MS,
            advertising_interval_max=ADVERTISING_INTERVAL_MS,
        )
        self.device = device_with_hci(configuration, source, sink)
        self.device.keystore = keys if keys is not None else MemoryKeyStore()
        self.device.pairing_config_factory = _just_works
        self.device.add_services(services)
        self.device.on(Device.EVENT_CONNECTION, self._connected)
        self._identity = identity
        self.present = bytes(identity)
        self.lost = asyncio.Event()
        self._advertising = advertising
        self._scan_response = scan_response
        self.irk = irk
        # Then Bumble begins again by itself after a disconnection, with one command.
        self._steady = irk is None and isinstance(advertising, bytes) and isinstance(scan_response, bytes)
        self._timers = timers or LoopTimers()
        self._renewal: Cancellable | None = None
        self._beginning = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: Transport | None = None
        source.terminated.add_done_callback(lambda _: self._lose())

    @classmethod
    async def open(
        cls,
        transport: str,
        *,
        name: str,
        address: str,
        services: Sequence[Service],
        advertising: Payload,
        scan_response: Payload = b"",
        keys: KeyStore | None = None,
        irk: bytes | None = None,
        timers: Timers | None = None,
    ) -> "Peripheral":
        """A peripheral on a Bumble transport such as `tcp-client:127.0.0.1:9001` or `usb:0`, powered and advertising.

        Args:
            irk: 16 bytes, the most significant first.

        Raises:
            TransportError: the transport is not there or does not answer.
        """
        remedy = "Start the simulated air first, or check the transport."
        try:
            opened = await open_transport(transport)
        # Bumble asserts that a specification is complete, and a transport's library (USB, serial) raises what it likes.
        except Exception as error:
            raise TransportError(f"The transport {transport} cannot be opened: {error}.", remedy) from error
        peripheral = cls(
            opened.source,
            opened.sink,
            name=name,
            address=address,
            services=services,
            advertising=advertising,
            scan_response=scan_response,
            keys=keys,
            irk=irk,
            timers=timers,
        )
        peripheral._transport = opened
        try:
            await peripheral.power_on()
        except (TimeoutError, OSError, BaseBumbleError) as error:
            await peripheral.close()
            raise TransportError(f"The radio on {transport} does not answer: {error}.", remedy) from error
        return peripheral

    async def power_on(self) -> None:
        """Reset the controller and start to advertise. Raises TimeoutError when it does not answer."""
        async with asyncio.timeout(_POWER_ON_S):
            await self.device.power_on()
            await self.advertise()

    async def advertise(self) -> None:
        """Advertise anew, with payloads made anew and, with an IRK, from a new address. Without effect while connected.

        Raises:
            TimeoutError, BaseBumbleError: the controller does not answer, or refuses.
        """
        async with self._beginning:
            self._forget_renewal()
            await self.device.stop_advertising()
            if self.connections:
                return
            await self._take_address()
            if self.irk is not None:
                self._renewal = self._timers.call_at(self._timers.now() + ADDRESS_LASTS_S, self._begin)
            await self.device.start_advertising(
                auto_restart=self._steady,
                advertising_data=self._made(self._advertising),
                scan_response_data=self._made(self._scan_response),
            )

    async def _take_address(self) -> None:
        """The address of the advertising that is about to begin."""
        fresh = bytes(self._identity) if self.irk is None else private_address(self.irk, _prand())
        if fresh == self.present:
            return
        self.present = fresh
        self.device.random_address = hci.Address(fresh, hci.Address.RANDOM_DEVICE_ADDRESS)
        await self.device.send_sync_command(
            hci.HCI_LE_Set_Random_Address_Command(random_address=self.device.random_address)
        )

    def _made(self, payload: Payload) -> bytes:
        return payload if isinstance(payload, bytes) else payload(self.present)

    def _connected(self, connection: Connection) -> None:
        self._forget_renewal()
        if not self._steady:
            connection.on(Connection.EVENT_DISCONNECTION, lambda _: self._begin())

    def _begin(self) -> None:
        task = asyncio.get_running_loop().create_task(self._advertise_or_say())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _advertise_or_say(self) -> None:
        try:
            await self.advertise()
        except (TimeoutError, OSError, BaseBumbleError) as error:
            if not self.lost.is_set():
                _log.error("The device does not advertise: %s", error)

    def _forget_renewal(self) -> None:
        if self._renewal is not None:
            self._renewal.cancel()
            self._renewal = None

    def _lose(self) -> None:
        self.lost.set()
        self._rest()

    def _rest(self) -> None:
        self._forget_renewal()
        for task in tuple(self._tasks):
            task.cancel()

    @property
    def connections(self) -> tuple[Connection, ...]:
        return tuple(self.device.connections.values())

    async def drop(self) -> None:
        """End every connection from this side."""
        for connection in self.connections:
            await connection.disconnect()

    async def close(self) -> None:
        """Leave the air at once, as a device whose battery is taken out."""
        self._rest()
        if self._transport is not None:
            await self._transport.close()
            self._transport = None

    async def __aenter__(self) -> "Peripheral":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _just_works(connection: Connection) -> PairingConfig:
    """LE Secure Connections without input or output, bonding. The identity is the address that is on the air."""
    return PairingConfig(
        sc=True,
        mitm=False,
        bonding=True,
        delegate=PairingDelegate(PairingDelegate.NO_OUTPUT_NO_INPUT),
        identity_address_type=PairingConfig.AddressType.RANDOM,
    )


def _prand() -> bytes:
    """Random bits for an address, neither all zeros nor all ones."""
    return (1 + secrets.randbelow(2**22 - 2)).to_bytes(3, "big")

"""One Bluetooth controller behind one HCI transport, as bleak's scanners and clients share it."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason, BleakError
from bumble import hci
from bumble.core import BaseBumbleError
from bumble.device import Connection, DeviceConfiguration
from bumble.keys import JsonKeyStore, KeyStore, MemoryKeyStore
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport import open_transport
from bumble.transport.common import Transport, TransportSink, TransportSource

from devices.bumble_backend.client import BumbleClient
from devices.bumble_backend.host import device_with_hci
from devices.bumble_backend.operations import Operations
from devices.bumble_backend.scanner import BumbleScanner

_log = logging.getLogger(__name__)
_POWER_ON_S = 10.0
_CLOSE_S = 2.0


class BumbleAdapter:
    """A powered Bumble device in the central role.

    Attributes:
        device: the Bumble device.
        operations: through which everything that waits for it goes.
        seen: addresses with their types, as advertisements told them.
        connecting: one connection attempt at a time, as controllers require.
        scanner_backend, client_backend: classes for the `backend` parameter of BleakScanner and BleakClient.
    """

    def __init__(
        self, source: TransportSource, sink: TransportSink, *, name: str, address: str | None, keys: KeyStore
    ) -> None:
        own = hci.Address(address) if address else hci.Address.generate_static_address()
        irk = (bytes(own) * 3)[:16]
        self.device = device_with_hci(DeviceConfiguration(name=name, address=own, irk=irk), source, sink)
        self.device.keystore = keys
        self.device.pairing_config_factory = _just_works
        self.operations = Operations()
        self.seen: dict[str, hci.Address] = {}
        self.connecting = asyncio.Lock()
        self._transport: Transport | None = None
        self._scanners = 0
        self._on_lost: list[Callable[[], None]] = []
        self.scanner_backend = type("BumbleScanner", (BumbleScanner,), {"adapter": self})
        self.client_backend = type("BumbleClient", (BumbleClient,), {"adapter": self})
        source.terminated.add_done_callback(lambda _: self._lose())

    @classmethod
    async def open(
        cls, transport: str, *, name: str = "Workstation", address: str | None = None, keys: Path | None = None
    ) -> "BumbleAdapter":
        """Open a Bumble transport (`usb:0`, `tcp-client:127.0.0.1:9001`, …) and power the controller on.

        Args:
            address: own static random address; a new one each time when None.
            keys: JSON file that keeps bonds; in memory when None.

        Raises:
            BleakBluetoothNotAvailableError: no transport, or nothing answers behind it.
        """
        try:
            async with asyncio.timeout(_POWER_ON_S):
                opened = await open_transport(transport)
        # Bumble asserts that a specification is complete, and imports a transport's library when it is asked for.
        except (OSError, ValueError, AssertionError, ImportError, BaseBumbleError) as error:
            raise _unavailable(f"The transport {transport} cannot be opened: {error}") from error
        store = MemoryKeyStore() if keys is None else JsonKeyStore(name, str(keys))
        adapter = cls(opened.source, opened.sink, name=name, address=address, keys=store)
        adapter._transport = opened
        try:
            await adapter.power_on()
        except BleakError:
            await adapter.close()
            raise
        return adapter

    async def power_on(self) -> None:
        """Reset and set up the controller. Raises BleakBluetoothNotAvailableError when it does not answer."""
        try:
            async with asyncio.timeout(_POWER_ON_S):
                await self.operations.run(self.device.power_on())
        except (BleakError, TimeoutError) as error:
            raise _unavailable(f"The Bluetooth controller does not answer: {error}") from error

    @property
    def alive(self) -> bool:
        """Whether the transport is still there."""
        return not self.operations.ended

    def when_lost(self, callback: Callable[[], None]) -> None:
        """Call back once the transport is lost; not when it is closed from here."""
        self._on_lost.append(callback)

    async def start_scanning(self, *, active: bool) -> None:
        """Scan for one more scanner. The first one decides whether actively."""
        self._scanners += 1
        if self._scanners == 1:
            try:
                await self.operations.run(self.device.start_scanning(active=active))
            except BaseException:
                self._scanners -= 1
                raise

    async def stop_scanning(self) -> None:
        """One scanner less; the last one ends the scan. Without effect when the transport is gone."""
        self._scanners -= 1
        if self._scanners == 0 and self.alive:
            await self.operations.run(self.device.stop_scanning())

    async def close(self) -> None:
        """Disconnect everybody and release the transport. Never raises."""
        if self.alive:
            try:
                async with asyncio.timeout(_CLOSE_S):
                    for connection in tuple(self.device.connections.values()):
                        await self.operations.run(connection.disconnect())
            except (BleakError, TimeoutError) as error:
                _log.info("A link did not end before the transport was closed: %s", error)
        self._on_lost.clear()
        self._lose()
        if self._transport is not None:
            transport, self._transport = self._transport, None
            try:
                await transport.close()
            except (OSError, BaseBumbleError) as error:
                _log.info("The transport did not close cleanly: %s", error)

    async def __aenter__(self) -> "BumbleAdapter":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _lose(self) -> None:
        if self.operations.ended:
            return
        self.operations.end("The Bluetooth transport is gone")
        # Not every transport tells the host; a second flush finds no connections left and does nothing.
        self.device.host.emit("flush")
        callbacks, self._on_lost = self._on_lost, []
        for callback in callbacks:
            callback()


def _just_works(connection: Connection) -> PairingConfig:
    """LE Secure Connections without input or output, bonding. The identity is the address that is on the air."""
    return PairingConfig(
        sc=True,
        mitm=False,
        bonding=True,
        delegate=PairingDelegate(PairingDelegate.NO_OUTPUT_NO_INPUT),
        identity_address_type=PairingConfig.AddressType.RANDOM,
    )


def _unavailable(message: str) -> BleakBluetoothNotAvailableError:
    return BleakBluetoothNotAvailableError(message, BleakBluetoothNotAvailableReason.NO_BLUETOOTH)

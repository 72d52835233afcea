"""The way to the air: which Bluetooth stack, scanning, clients."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bleak import BleakClient, BleakScanner
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import BleakBluetoothNotAvailableError, BleakError

from core.model.hub import DeviceSeen
from devices.bumble_backend import BumbleAdapter
from devices.errors import RadioError
from devices.hub.advertising import decode_advert
from devices.kinds import HUB, OTHER, kind_of

_log = logging.getLogger(__name__)

CONNECT_S: Final = 10.0

Wanted = Callable[[BLEDevice, AdvertisementData], bool]
"""Whether an advertisement is of the device that is looked for."""

_BUMBLE: Final = "bumble:"
_SCHEMES: Final = (
    "android-emulator",
    "android-netsim",
    "file",
    "hci-socket",
    "pty",
    "pyusb",
    "serial",
    "tcp-client",
    "tcp-server",
    "udp",
    "unix",
    "unix-client",
    "unix-server",
    "usb",
    "vhci",
    "ws-client",
    "ws-server",
)
"""How Bumble's transports begin: a misspelt one is said at once, instead of looking like an adapter that is away."""
_REMEDY: Final = "Plug in a Bluetooth adapter, switch Bluetooth on, or name a transport."


class Radio:
    """One adapter. `open` it before use, and again after it was lost: until then every call raises RadioError.

    Attributes:
        spec: what it was parsed from.
        lock: held for the length of one scan or one connect, since adapters do one thing at a time. `scan` takes it
            by itself; whoever calls `locate` and connects a client holds it.
    """

    def __init__(self, spec: str, *, transport: str | None, keys: Path | None = None) -> None:
        self.spec = spec
        self.lock = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._transport = transport
        self._keys = keys
        self._adapter: BumbleAdapter | None = None
        self._opened = False

    @classmethod
    def parse(cls, spec: str, *, keys: Path | None = None) -> "Radio":
        """`platform` for the system's own Bluetooth, or `bumble:` and any Bumble transport.

        Args:
            keys: where the Bumble stack keeps bonds; the system's own stack keeps its own.

        Raises:
            RadioError: neither of them.
        """
        if spec == "platform":
            return cls(spec, transport=None)
        if spec.startswith(_BUMBLE) and spec.removeprefix(_BUMBLE).partition(":")[0] in _SCHEMES:
            return cls(spec, transport=spec.removeprefix(_BUMBLE), keys=keys)
        raise RadioError(f"{spec!r} names no radio.", "Use platform, or bumble: and a transport such as bumble:usb:0.")

    @property
    def alive(self) -> bool:
        """Whether it is open and, as far as known, still there."""
        return self._opened and (self._adapter is None or self._adapter.alive)

    async def open(self) -> None:
        """Reach the adapter; without effect when it is reached.

        Raises:
            RadioError: there is none, or it does not answer.
        """
        async with self._opening:
            if self.alive:
                return
            await self._release()
            try:
                if self._transport is not None:
                    self._adapter = await BumbleAdapter.open(self._transport, keys=self._keys)
                else:
                    await _probe_platform()
            except (BleakError, OSError, EOFError) as error:
                raise RadioError(f"Bluetooth cannot be reached: {_message(error)}.", _REMEDY) from error
            self._opened = True

    async def close(self) -> None:
        """Release the adapter; its links end."""
        async with self._opening:
            await self._release()

    async def scan(self, seconds: float) -> list[DeviceSeen]:
        """Every advertiser heard in `seconds`, the strongest first.

        Raises:
            RadioError: the radio is closed or lost.
        """
        async with self.lock:
            self._check()
            try:
                async with self._scanner() as scanner:
                    await asyncio.sleep(seconds)
            except (BleakError, OSError, EOFError) as error:
                raise self._failed(error) from error
            self._check()
        seen = [describe(device, data) for device, data in scanner.discovered_devices_and_advertisement_data.values()]
        return sorted(seen, key=lambda one: -one.rssi_dbm)

    async def locate(
        self,
        wanted: str | Wanted,
        timeout: float,  # noqa: ASYNC109 - None, not an error
    ) -> BLEDevice | None:
        """The device once it is heard, None when it is not within `timeout` seconds. Hold `lock`.

        Args:
            wanted: its address, or what recognises it where the address changes.

        Raises:
            RadioError: the radio is closed or lost.
        """
        self._check()
        try:
            async with self._scanner() as scanner:
                device = await _heard(scanner, at_address(wanted) if isinstance(wanted, str) else wanted, timeout)
        except (BleakError, OSError, EOFError) as error:
            raise self._failed(error) from error
        self._check()
        return device

    def client(
        self, device: BLEDevice | str, disconnected: Callable[[], None], *, timeout: float = CONNECT_S
    ) -> BleakClient:
        """A client for one connection; take a fresh one for each (macOS needs it).

        Args:
            device: as located, or its address: then connecting looks for it first.

        Raises:
            RadioError: the radio is closed or lost.
        """
        self._check()
        backend: type[BaseBleakClient] | None = self._adapter.client_backend if self._adapter else None
        return BleakClient(device, lambda _: disconnected(), timeout=timeout, backend=backend)

    def _scanner(self) -> BleakScanner:
        backend: type[BaseBleakScanner] | None = self._adapter.scanner_backend if self._adapter else None
        return BleakScanner(backend=backend)

    def _check(self) -> None:
        if not self.alive:
            raise RadioError("The Bluetooth adapter is gone." if self._opened else "Bluetooth is not open.", _REMEDY)

    def _failed(self, error: Exception) -> RadioError:
        if isinstance(error, BleakBluetoothNotAvailableError):
            self._opened = False
        return RadioError(f"Bluetooth failed: {_message(error)}.", _REMEDY)

    async def _release(self) -> None:
        self._opened = False
        adapter, self._adapter = self._adapter, None
        if adapter is not None:
            await adapter.close()


def describe(device: BLEDevice, data: AdvertisementData) -> DeviceSeen:
    """What a scan says of one advertiser."""
    name = data.local_name or device.name or ""
    kind = kind_of(data.service_uuids)
    advert = decode_advert(data.manufacturer_data) if kind is not None and kind.key == HUB else None
    return DeviceSeen(
        address=device.address,
        name=name,
        kind=kind.key if kind is not None else OTHER,
        rssi_dbm=data.rssi,
        battery_percent=advert.battery_percent if advert else None,
        profile_major=advert.profile_major if advert else None,
        enrolled=advert.enrolled if advert else None,
        open=advert.open if advert else None,
    )


def at_address(address: str) -> Wanted:
    """Whoever advertises at this address."""
    lower = address.lower()
    return lambda device, _: device.address.lower() == lower


async def _heard(scanner: BleakScanner, wanted: Wanted, seconds: float) -> BLEDevice | None:
    try:
        async with asyncio.timeout(seconds):
            async for device, data in scanner.advertisement_data():
                if wanted(device, data):
                    return device
    except TimeoutError:
        pass
    return None


async def _probe_platform() -> None:
    """A scan begun and ended: the one thing that every platform refuses without a usable adapter."""
    scanner = BleakScanner()
    await scanner.start()
    await scanner.stop()


def _message(error: Exception) -> str:
    return str(error.args[0] if error.args and isinstance(error.args[0], str) else error) or type(error).__name__

"""What every driver of a sensor shares: the link, the description, the battery, subscriptions, and sample blocks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar, Final, Protocol, TypeVar

import msgspec
import numpy as np
from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakGATTProtocolError

from core.model.block import Provenance, SampleBlock
from core.model.channel import ChannelSpec
from core.model.clock import Clock
from core.model.errors import SmilescapeError
from core.model.hub import DeviceInfo, LinkState
from core.model.words import Text
from devices.errors import FrameError, LinkRefused
from devices.info import battery_characteristic, parse_battery, read_device_info
from devices.link import Link
from devices.radio import Radio
from devices.tap import Tap
from devices.vitals.ieee11073 import DeviceTime

_log = logging.getLogger(__name__)

_Parsed = TypeVar("_Parsed")
_INT16: Final = np.iinfo(np.int16)

Handler = Callable[[bytes, int], None]
"""Takes what one notification or indication brought, and when it arrived (monotonic µs). Raises FrameError."""

Subscriptions = Sequence[tuple[BleakGATTCharacteristic, Handler]]


class SensorListener(Protocol):
    """Who wants to know what a sensor does."""

    def link_changed(self, state: LinkState, reason: Text | None) -> None: ...

    def described(self, info: DeviceInfo) -> None:
        """After each connect, and again when the battery level changes."""
        ...

    def blocks_arrived(self, blocks: Sequence[SampleBlock]) -> None: ...

    def contact_changed(self, contact: bool | None) -> None: ...

    def noted(self, text: Text) -> None:
        """Something for the log: why values are missing from now on, or that they come again."""
        ...

    def frame_refused(self, error: SmilescapeError, raw: bytes) -> None: ...


class BlockMaker:
    """Sample blocks of one sample each, numbered per channel.

    Args:
        boot: number of this connection, which must never have been used before for this sensor.
    """

    def __init__(self, boot: int) -> None:
        self._boot = boot
        self._sequence = 0
        self._next_index: dict[int, int] = {}

    def next_frame(self) -> None:
        """What comes now was sent later than what came so far."""
        self._sequence += 1

    def raw(
        self, spec: ChannelSpec, value: int, start_us: int, period_us: int, *, suspect: bool = False
    ) -> SampleBlock:
        """A block of one raw value; one that is too large for the record is cut to what fits, and suspect."""
        index = self._next_index.get(spec.number, 0)
        self._next_index[spec.number] = index + 1
        fits = _INT16.min <= value <= _INT16.max
        return SampleBlock(
            channel=spec.number,
            boot=self._boot,
            first_index=index,
            start_us=start_us,
            period_us=period_us,
            samples=np.array([min(max(value, _INT16.min), _INT16.max)], dtype=np.int16),
            provenance=Provenance.LIVE if fits and not suspect else Provenance.SUSPECT,
            sequence=self._sequence,
        )

    def measured(self, spec: ChannelSpec, value: float, arrival_us: int, *, suspect: bool = False) -> SampleBlock:
        """A block of one physical value that describes the period just gone."""
        raw = round((value - spec.offset) / spec.scale)
        return self.raw(spec, raw, max(0, arrival_us - spec.period_us), spec.period_us, suspect=suspect)


class SensorDriver:
    """Keeps one sensor connected and turns what it measures into blocks of the channel catalogue.

    A driver of one kind says what to subscribe to (`subscriptions`) and decodes what arrives. `SampleBlock.boot`
    numbers connections: the UTC second of the connect, or one more than the last, so that it is never used twice, not
    even after a restart. `start_us` is this machine's monotonic clock, µs: sensors have no clock to be trusted.
    """

    kind: ClassVar[str]

    def __init__(
        self,
        radio: Radio,
        address: str,
        *,
        listener: SensorListener,
        clock: Clock,
        tap: Tap,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.client: BleakClient | None = None
        self._listener = listener
        self._clock = clock
        self._tap = tap
        self._info = DeviceInfo()
        self._boot = 0
        self._contact: bool | None = None
        self._missing: Text | None = None
        self._time_told = False
        self._link = Link(radio, address, self, state_changed=listener.link_changed, clock=clock, sleep=sleep)

    # for the engine

    async def run(self) -> None:
        """Keep the sensor connected until cancelled or closed."""
        await self._link.run()

    async def close(self) -> None:
        """End the connection and `run`."""
        await self._link.close()

    # for each kind

    def subscriptions(self, client: BleakClient) -> Subscriptions:
        """What to listen to, and who decodes it. Raises LinkRefused (see `not_one`)."""
        raise NotImplementedError

    async def prepare(self, client: BleakClient) -> None:
        """Read what else the sensor tells, before anything is subscribed to."""

    def begin(self, boot: int) -> None:
        """A connection begins; samples count from 0 again."""
        raise NotImplementedError

    async def started(self, client: BleakClient) -> None:
        """Do what else a connection begins with."""

    def not_one(self, client: BleakClient) -> LinkRefused:
        """The refusal of a device that is not of this kind."""
        return LinkRefused(
            f"{client.address} is no {self.kind} sensor.",
            "Choose a device of the right kind.",
            reason=Text(f"device.{self.kind}.not_one"),
        )

    def deliver(self, blocks: Sequence[SampleBlock]) -> None:
        if blocks:
            self._listener.blocks_arrived(blocks)

    def tell_contact(self, contact: bool | None) -> None:
        if contact != self._contact:
            self._contact = contact
            self._listener.contact_changed(contact)

    def tell_missing(self, reason: Text | None) -> None:
        """Why there are no values; None when there are."""
        if reason != self._missing:
            self._missing = reason
            self.note(reason or Text("device.sensor.measures_again"))

    def note(self, text: Text) -> None:
        """A line for the log."""
        self._listener.noted(text)

    def tell_time(self, time: DeviceTime) -> None:
        """What the sensor's clock said. Kept in the log once a connection; samples are dated by our clock alone."""
        if not self._time_told:
            self._time_told = True
            self.note(Text("device.sensor.clock", {"time": str(time)}))

    async def read_parsed(
        self, client: BleakClient, service: str, uuid: str, parse: Callable[[bytes], _Parsed]
    ) -> _Parsed | None:
        """What a characteristic says; None when the sensor has none, refuses, or says nonsense (which is told)."""
        found = characteristic(client, service, uuid)
        if found is None or "read" not in found.properties:
            return None
        raw = b""
        try:
            raw = bytes(await client.read_gatt_char(found))
            return parse(raw)
        except BleakGATTProtocolError as error:
            _log.info("%s does not tell its %s: %s", client.address, found.description, error)
        except FrameError as error:
            self._listener.frame_refused(error, raw)
        return None

    # the link's profile

    async def start(self, client: BleakClient) -> None:
        """Describe the sensor, then listen to it."""
        subscriptions = self.subscriptions(client)
        self._info = await read_device_info(client)
        self._listener.described(self._info)
        await self._listen_to_battery(client)
        await self.prepare(client)
        self._boot = max(self._boot + 1, self._clock.utc_us() // 1_000_000)
        self._time_told = False
        self.begin(self._boot)
        self.client = client
        for found, handler in subscriptions:
            await client.start_notify(found, self._taking(handler))
        await self.started(client)

    async def ended(self) -> None:
        """The connection is gone, and with it what is known of the contact."""
        self.client = None
        self._missing = None
        self.tell_contact(None)

    # inside

    def _taking(self, handler: Handler) -> Callable[[BleakGATTCharacteristic, bytearray], None]:
        def arrived(found: BleakGATTCharacteristic, data: bytearray) -> None:
            raw, arrival_us = bytes(data), round(self._clock.monotonic() * 1_000_000)
            self._tap.add(found.uuid, raw)
            try:
                handler(raw, arrival_us)
            except FrameError as error:
                self._listener.frame_refused(error, raw)

        return arrived

    async def _listen_to_battery(self, client: BleakClient) -> None:
        level = battery_characteristic(client)
        if level is None or "notify" not in level.properties:
            return
        try:
            await client.start_notify(level, self._battery_changed)
        except BleakGATTProtocolError as error:
            _log.info("%s does not notify its battery: %s", client.address, error)

    def _battery_changed(self, found: BleakGATTCharacteristic, data: bytearray) -> None:
        self._tap.add(found.uuid, data)
        percent = parse_battery(data)
        if percent is None:
            self._listener.frame_refused(FrameError(f"A battery level is {bytes(data).hex()}."), bytes(data))
        elif percent != self._info.battery_percent:
            self._info = msgspec.structs.replace(self._info, battery_percent=percent)
            self._listener.described(self._info)


def characteristic(client: BleakClient, service: str, uuid: str) -> BleakGATTCharacteristic | None:
    """A characteristic of the first service of this kind that has it."""
    for found in client.services:
        if found.uuid == service and (match := found.get_characteristic(uuid)) is not None:
            return match
    return None

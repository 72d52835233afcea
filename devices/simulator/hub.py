"""A simulated hub on a Bumble transport: `run_hub`."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from bumble.core import UUID, BaseBumbleError

from core.model.clock import Clock, SystemClock
from devices.hub import uuids
from devices.hub.advertising import COMPANY, HubAdvert, encode_advert
from devices.simulator.body import TICK_US
from devices.simulator.boots import Boots
from devices.simulator.brain import Brain
from devices.simulator.control import Control, DamageFrames, DropLink, LoseFrames, LoseReceipts, Quit, Reboot
from devices.simulator.gatt import HubServer
from devices.simulator.journal import JournalWriter
from devices.simulator.memory import CAPACITY_FRAMES
from devices.simulator.peripheral import Peripheral, TransportError, advertising_payload

_log = logging.getLogger(__name__)
_SHORTEST_SLEEP_S: Final = 0.01
_CATCH_UP: Final = 50
"""Ticks made in a row before anything else gets its turn."""
_STATUS_S: Final = 1.0

Sleep = Callable[[float], Awaitable[None]]


class SimulatedHub:
    """A brain with a radio, until told to quit.

    Attributes:
        speed: hub seconds for each second of the clock; the lease runs in seconds of the clock.
    """

    def __init__(
        self,
        brain: Brain,
        *,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
        speed: float = 1.0,
        name: str = "Smilescape Hub",
    ) -> None:
        self.brain = brain
        self.server = HubServer(brain)
        self._clock = clock
        self._sleep = sleep
        self._speed = speed
        self._name = name
        self._peripheral: Peripheral | None = None
        self._status_due = 0.0
        self._battery_told = brain.battery_percent

    async def open(self, transport: str, address: str) -> None:
        """Go on the air. Raises TransportError."""
        self._peripheral = await Peripheral.open(
            transport,
            name=self._name,
            address=address,
            services=self.server.services(),
            advertising=advertising_payload(
                [UUID(uuids.SERVICE)], manufacturer=(COMPANY, encode_advert(self._advert()))
            ),
            scan_response=advertising_payload([], name=self._name),
        )
        self.server.attach(self._peripheral.device)

    async def close(self) -> None:
        if self._peripheral is not None:
            await self._peripheral.close()

    async def run(self, control: AsyncIterator[Control] | None = None) -> None:
        """Live until `Quit`, until `control` ends, or until cancelled.

        Raises:
            TransportError: the radio is gone.
        """
        tasks = [asyncio.create_task(self._live()), asyncio.create_task(self._radio_lost())]
        if control is not None:
            tasks.append(asyncio.create_task(self._listen(control)))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def tell(self, message: Control) -> None:
        """Carry out one control message."""
        before = self.brain.shown()
        match message:
            case DropLink():
                await self._drop()
            case Reboot():
                await self._drop()
                self.brain.reboot()
            case LoseReceipts():
                self.server.faults.receipts.add(message.count)
            case LoseFrames():
                self.server.faults.frames.add(message.count)
            case DamageFrames():
                self.server.faults.damage.add(message.count)
            case _:
                self.brain.apply(message)
        if self.brain.shown() != before:
            await self.server.send_status()

    async def _live(self) -> None:
        began = self._clock.monotonic()
        ticks = 0
        lease_us = round(TICK_US / self._speed)
        while True:
            due = int((self._clock.monotonic() - began) * self._speed * 1e6 / TICK_US)
            for _ in range(min(due - ticks, _CATCH_UP)):
                await self._tick(lease_us)
                ticks += 1
            await self.server.send_history()
            busy = due > ticks
            await self._sleep(0.0 if busy else max(_SHORTEST_SLEEP_S, TICK_US / 1e6 / self._speed / 2))

    async def _tick(self, lease_us: int) -> None:
        before = self.brain.shown()
        frames = self.brain.tick(lease_us)
        await self.server.send_frames(frames)
        now = self._clock.monotonic()
        if self.brain.shown() != before or now >= self._status_due:
            self._status_due = now + _STATUS_S
            await self.server.send_status()
        if self.brain.battery_percent != self._battery_told:
            self._battery_told = self.brain.battery_percent
            await self.server.send_battery()

    async def _listen(self, control: AsyncIterator[Control]) -> None:
        async for message in control:
            if isinstance(message, Quit):
                return
            await self.tell(message)

    async def _radio_lost(self) -> None:
        assert self._peripheral is not None
        await self._peripheral.lost.wait()
        raise TransportError("The hub's radio is gone.", "Start the simulated air again, then the hub.")

    async def _drop(self) -> None:
        if self._peripheral is not None:
            try:
                await self._peripheral.drop()
            except BaseBumbleError as error:
                _log.info("The link was gone already: %s", error)

    def _advert(self) -> HubAdvert:
        identity = self.brain.identity
        return HubAdvert(
            profile_major=identity.profile_major,
            profile_minor=identity.profile_minor,
            simulated=True,
            battery_percent=self.brain.battery_percent,
        )


async def run_hub(
    transport: str,
    *,
    seed: int,
    serial: str,
    name: str,
    address: str,
    boot_file: Path | None = None,
    journal: Path | None = None,
    control: AsyncIterator[Control] | None = None,
    ready: Callable[[], None] = lambda: None,
    speed: float = 1.0,
    capacity: int = CAPACITY_FRAMES,
    clock: Clock | None = None,
) -> None:
    """One simulated hub, until `Quit` comes in on `control`, `control` ends, or it is cancelled.

    Args:
        transport: any Bumble transport, such as `tcp-client:127.0.0.1:9001` or `usb:0`.
        seed: same seed and same boot, same samples.
        address: static random address, such as `F0:5C:00:00:00:01`.
        boot_file: keeps the boot counter; without it each process is boot 1.
        journal: where every sample made is written, for comparison.
        ready: called once it advertises.
        speed: hub seconds in a second, at least 1.
        capacity: frames that memory holds.

    Raises:
        TransportError: no such transport, or it went away.
        BootError: the boot file is damaged.
    """
    with JournalWriter(journal) if journal is not None else nullcontext() as writer:
        brain = Brain(serial=serial, seed=seed, boots=Boots(boot_file), journal=writer, capacity=capacity)
        hub = SimulatedHub(brain, clock=clock or SystemClock(), speed=max(1.0, speed), name=name)
        try:
            await hub.open(transport, address)
            ready()
            await hub.run(control)
        finally:
            await hub.close()

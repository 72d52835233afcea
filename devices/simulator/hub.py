"""A simulated hub on a Bumble transport: `run_hub`."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from bumble.core import BaseBumbleError

from core.model.clock import Clock, SystemClock
from devices.hub.advertising import NAME, HubAdvert, advertising_data, scan_response
from devices.hub.session.wire import PROFILE
from devices.simulator.body import TICK_US
from devices.simulator.brain import Brain
from devices.simulator.control import (
    Attack,
    Behave,
    ClockDrift,
    Control,
    DropLink,
    OpenEnrolment,
    Quit,
    Reboot,
)
from devices.simulator.gatt import HubServer
from devices.simulator.journal import JournalWriter
from devices.simulator.mischief import mischief
from devices.simulator.peripheral import Peripheral, TransportError
from devices.simulator.scenarios.stage import Stage
from devices.simulator.scenarios.stolen import read_stolen
from devices.simulator.store import CAPACITY_FRAMES

_log = logging.getLogger(__name__)
_SHORTEST_SLEEP_S: Final = 0.01
_CATCH_UP: Final = 50
"""Ticks made in a row before anything else gets its turn."""
_STATUS_S: Final = 1.0
_PULSE_S: Final = 1.0

Sleep = Callable[[float], Awaitable[None]]
PulseTold = Callable[[float], None]
"""Told of the patient's pulse, beats a minute: its mean since it was told last, once a second of the clock."""


class Ticker:
    """How many ticks of hub time are due, on a clock that may run fast or slow."""

    def __init__(self, clock: Clock, speed: float) -> None:
        self._clock = clock
        self._speed = speed
        self._rate = speed
        self._at = clock.monotonic()
        self._due_us = 0.0

    def drift(self, ppm: float) -> None:
        """From now on hub time runs fast by so many millionths."""
        self.due()
        self._rate = self._speed * (1 + ppm / 1e6)

    def due(self) -> int:
        """Ticks due since the beginning."""
        now = self._clock.monotonic()
        self._due_us += (now - self._at) * self._rate * 1e6
        self._at = now
        return int(self._due_us / TICK_US)


class SimulatedHub:
    """A brain with a radio, until told to quit.

    Args:
        speed: hub seconds for each second of the clock; the lease runs in seconds of the clock.
        private: advertise from private addresses once enrolled; otherwise always from the one given to `open`.

    Attributes:
        stage: where scenarios play.
        pulse_told: whoever else sits on the same chest.
    """

    def __init__(
        self, brain: Brain, *, clock: Clock, sleep: Sleep = asyncio.sleep, speed: float = 1.0, private: bool = True
    ) -> None:
        self.brain = brain
        self.server = HubServer(brain, clock)
        self.clock = clock
        self.sleep = sleep
        self.stage = Stage(self)
        self._speed = speed
        self._private = private
        self._ticker = Ticker(clock, speed)
        self._peripheral: Peripheral | None = None
        self._announced: tuple[HubAdvert, bytes | None] | None = None
        self._announcing = asyncio.Lock()
        self._status_due = 0.0
        self._battery_told = brain.battery_percent
        self._beats: list[float] = []
        self._pulse_due = 0.0
        self.pulse_told: PulseTold | None = None

    async def open(self, transport: str, address: str) -> None:
        """Go on the air. Raises TransportError."""
        self._announced = self._announcement()
        self._peripheral = await Peripheral.open(
            transport,
            name=NAME,
            address=address,
            services=self.server.services(),
            advertising=lambda _: advertising_data(self._announcement()[0]),
            scan_response=lambda present: scan_response(present if self.brain.vault.enrolled else None),
            irk=self._announced[1],
        )
        self.server.attach(self._peripheral.device)

    async def close(self) -> None:
        await self.stage.end()
        self.server.close()
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
        wrong = mischief(message)
        if wrong is not None:
            self.brain.corrupt(wrong)
        elif not await self._tell_link(message):
            self.brain.apply(message)
        await self._announce()
        if self.brain.shown() != before:
            await self.server.send_status()

    async def _tell_link(self, message: Control) -> bool:
        """What concerns the link, or ends it. False: nothing of the kind."""
        match message:
            case Attack(name=name):
                await self.stage.begin(name)
            case DropLink():
                await self.drop()
            case Reboot():
                await self.drop()
                self.brain.reboot()
            case Behave():
                await self.drop()
                self.brain.behave()
            case OpenEnrolment():
                if self.brain.open_by_hand():
                    await self.drop()
            case ClockDrift():
                self._ticker.drift(message.ppm)
            case _:
                return self.server.faults.tell(message)
        return True

    async def _live(self) -> None:
        ticks = 0
        lease_us = round(TICK_US / self._speed)
        while True:
            due = self._ticker.due()
            for _ in range(min(due - ticks, _CATCH_UP)):
                await self._tick(lease_us)
                ticks += 1
            await self.server.send_history()
            self.server.look_after()
            await self._announce()
            busy = due > ticks
            await self.sleep(0.0 if busy else max(_SHORTEST_SLEEP_S, TICK_US / 1e6 / self._speed / 2))

    async def _tick(self, lease_us: int) -> None:
        before = self.brain.shown()
        frames = self.brain.tick(lease_us)
        if frames and self.brain.client is not None:
            self.brain.settle()
        await self.server.send_frames(frames)
        self._beats.append(self.brain.body.heart.rate)
        now = self.clock.monotonic()
        if now >= self._pulse_due:
            self._pulse_due = now + _PULSE_S
            self._each_second()
        if self.brain.shown() != before or now >= self._status_due:
            self._status_due = now + _STATUS_S
            await self.server.send_status()
        if self.brain.battery_percent != self._battery_told:
            self._battery_told = self.brain.battery_percent
            await self.server.send_battery()

    def _each_second(self) -> None:
        self.brain.settle()
        beats, self._beats = self._beats, []
        if self.pulse_told is not None:
            self.pulse_told(sum(beats) / len(beats))

    async def _listen(self, control: AsyncIterator[Control]) -> None:
        async for message in control:
            if isinstance(message, Quit):
                return
            await self.tell(message)

    async def _radio_lost(self) -> None:
        assert self._peripheral is not None
        await self._peripheral.lost.wait()
        raise TransportError("The hub's radio is gone.", "Start the simulated air again, then the hub.")

    async def drop(self) -> None:
        """End the link from this side."""
        if self._peripheral is not None:
            try:
                await self._peripheral.drop()
            except BaseBumbleError as error:
                _log.info("The link was gone already: %s", error)

    async def _announce(self) -> None:
        """Advertise what is true now; while a client is connected that waits for its end."""
        # One at a time: Bumble stumbles when advertising is stopped twice at once.
        async with self._announcing:
            fresh = self._announcement()
            if self._peripheral is None or fresh == self._announced:
                return
            self._peripheral.irk = fresh[1]
            if not self._peripheral.connections:
                try:
                    await self._peripheral.advertise()
                except BaseBumbleError as error:
                    _log.info("Advertising is changed a little later: %s", error)
                    return
            self._announced = fresh

    def _announcement(self) -> tuple[HubAdvert, bytes | None]:
        """What is advertised, and the key of the private addresses; a hub without a practice stays at its own."""
        vault = self.brain.vault
        advert = HubAdvert(
            profile_major=PROFILE[0],
            profile_minor=PROFILE[1],
            enrolled=vault.enrolled,
            open=not vault.enrolled,
            simulated=True,
            battery_percent=self.brain.battery_percent,
        )
        return advert, vault.irk if vault.enrolled and self._private else None


async def run_hub(
    transport: str,
    *,
    seed: int,
    serial: str,
    address: str,
    state: Path | None = None,
    journal: Path | None = None,
    control: AsyncIterator[Control] | None = None,
    ready: Callable[[], None] = lambda: None,
    speed: float = 1.0,
    capacity: int = CAPACITY_FRAMES,
    clock: Clock | None = None,
    scenario: str | None = None,
    stolen: Path | None = None,
    pulse_told: PulseTold | None = None,
) -> None:
    """One simulated hub, until `Quit` comes in on `control`, `control` ends, or it is cancelled.

    Args:
        transport: any Bumble transport, such as `tcp-client:127.0.0.1:9001` or `usb:0`.
        seed: same seed and same boot, same samples.
        address: static random address, such as `F0:5C:00:00:00:01`.
        state: folder of what outlives the process; without it each process is a hub fresh from the factory, whose keys
            are always the same for its serial and seed.
        journal: where every sample made is written, for comparison.
        ready: called once it advertises.
        speed: hub seconds in a second, at least 1.
        capacity: frames that memory holds.
        scenario: begins once, as soon as a workstation has a session.
        stolen: file of keys for scenarios that need some, read when they begin.
        pulse_told: told once a second how fast the patient's heart beats.

    Raises:
        TransportError: no such transport, or it went away.
        StoreDamaged: what it remembers cannot be read.
    """
    with JournalWriter(journal) if journal is not None else nullcontext() as writer:
        brain = Brain(serial=serial, seed=seed, state=state, journal=writer, capacity=capacity, lasting=True)
        hub = SimulatedHub(brain, clock=clock or SystemClock(), speed=max(1.0, speed))
        hub.pulse_told = pulse_told
        hub.stage.stolen = lambda: read_stolen(stolen) if stolen is not None else None
        staging: asyncio.Task[None] | None = None
        try:
            await hub.open(transport, address)
            ready()
            if scenario is not None:
                staging = asyncio.create_task(hub.stage.begin_when_seen(scenario))
            await hub.run(control)
        finally:
            if staging is not None:
                staging.cancel()
            await hub.close()
            brain.close()

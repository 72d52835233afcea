"""The simulated clinic's process: the air, the heart-rate bands, and one process for each hub.

Ends with SIGTERM, or by itself when neither an engine nor a console has been there for a while.
"""

import asyncio
import contextlib
import logging
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from app.clinic.air_faults import AirFault, air_faults
from app.clinic.config import ClinicAddress, ClinicConfig, SimulatedDevice, Trigger, last_clinic, write_clinic
from app.clinic.control import ControlListener
from app.clinic.hubs import STOLEN, HubProcess
from app.clinic.theft import steal
from app.clinic.visits import Visits, felt, lasting
from app.ipc.address import EngineNotRunning, read_address
from core.model.errors import SmilescapeError
from core.model.ids import new_id
from core.model.procedure import ProcedureView
from devices.simulator.air import Air, AirError
from devices.simulator.air_control import AirControl, SetTiming
from devices.simulator.heart_rate import Follow, HeartRateControl, run_heart_rate
from devices.simulator.scenarios.registry import EVERYWHERE, MEND, NEEDS_KEYS

log = logging.getLogger(__name__)

ALONE_SECONDS = 60.0


def main() -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("bumble").setLevel(logging.ERROR)
    try:
        config = msgspec.json.decode(sys.stdin.buffer.read(), type=ClinicConfig)
        asyncio.run(run(config))
    except (SmilescapeError, msgspec.MsgspecError, ValueError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the launcher reads it
        return 3
    return 0


async def run(config: ClinicConfig) -> None:
    """The clinic, until it is told to end or nobody needs it."""
    ended = asyncio.Event()
    if sys.platform != "win32":
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, ended.set)
        loop.add_signal_handler(signal.SIGINT, lambda: None)  # Ctrl-C belongs to the console, which ends us in order
    async with contextlib.AsyncExitStack() as stack:
        air = await _air(config, stack)
        clinic = Clinic(config, air)
        stack.push_async_callback(clinic.close)
        await clinic.open()
        lonely = asyncio.create_task(_until_alone(Path(config.runtime)))
        waiting = asyncio.create_task(ended.wait())
        await asyncio.wait({lonely, waiting}, return_when=asyncio.FIRST_COMPLETED)
        lonely.cancel()
        waiting.cancel()


class Clinic:
    """Radio 0 is the engine's; each chair has one for its hub and one for its band."""

    def __init__(self, config: ClinicConfig, air: Air) -> None:
        self._config = config
        self._air = air
        self._runtime = Path(config.runtime)
        self._hubs: dict[int, HubProcess] = {}
        self._bands: list[asyncio.Task[None]] = []
        self._usual = SetTiming(interval_ms=config.interval_ms)
        self._air_faults = air_faults(self._usual)
        self._disturbing: dict[tuple[int, str], asyncio.Task[None]] = {}
        self._control: ControlListener | None = None
        self._visits: Visits | None = None
        self._views: dict[int, ProcedureView | None] = {}
        self._news: asyncio.Queue[tuple[int, ProcedureView | None]] = asyncio.Queue()
        self._feeling: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    async def open(self) -> None:
        """Start every device, then publish the address."""
        self._air.tell(self._usual)
        devices: list[SimulatedDevice] = []
        for chair in range(1, self._config.chairs + 1):
            devices += await self._chair(chair)
        self._feeling = asyncio.create_task(self._feel())
        self._visits = Visits(self._runtime, self._visited)
        key = secrets.token_bytes(32)
        self._control = ControlListener(key, self._heard)
        write_clinic(
            self._runtime,
            ClinicAddress(
                pid=_pid(),
                radio=f"bumble:{self._air.transports[0]}",
                control=self._control.address,
                key=key.hex(),
                devices=tuple(devices),
            ),
        )

    async def close(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._visits is not None:
            await asyncio.to_thread(self._visits.close)
        tasks = [*self._bands, *self._disturbing.values()]
        if self._feeling is not None:
            tasks.append(self._feeling)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for hub in self._hubs.values():
            await hub.close()
        (self._runtime / STOLEN).unlink(missing_ok=True)

    async def _chair(self, chair: int) -> list[SimulatedDevice]:
        folder = self._runtime / f"hub-{chair}"
        folder.mkdir(exist_ok=True)
        hub = SimulatedDevice(
            chair=chair,
            kind="hub",
            address=f"C0:5E:00:00:00:{chair:02X}",
            name=f"Hub {chair}",
            journal=str(folder / f"journal-{new_id()}.bin"),
        )
        band = SimulatedDevice(
            chair=chair, kind="heart_rate", address=f"C2:5A:00:00:00:{chair:02X}", name=f"Band {chair}"
        )
        beats: asyncio.Queue[HeartRateControl] = asyncio.Queue()
        process = HubProcess(
            self._air.transports[2 * chair - 1],
            device=hub,
            seed=self._config.seed * 100 + chair,
            speed=self._config.speed,
            folder=folder,
            pulse_told=lambda bpm: beats.put_nowait(Follow(bpm=bpm)),
        )
        self._hubs[chair] = process
        await process.start()
        beating = run_heart_rate(
            self._air.transports[2 * chair],
            seed=self._config.seed * 100 + chair,
            name=band.name,
            address=band.address,
            control=_each(beats),  # the same person as the hub's, and the same heart
        )
        self._bands.append(asyncio.create_task(beating))
        return [hub, band]

    def _visited(self, chair: int, view: ProcedureView | None) -> None:
        """Called in the thread of the visits."""
        self._loop.call_soon_threadsafe(self._news.put_nowait, (chair, view))

    async def _feel(self) -> None:
        """Let each patient feel what becomes of the visit, in its order."""
        while True:
            chair, view = await self._news.get()
            before, self._views[chair] = self._views.get(chair), view
            hub = self._hubs.get(chair)
            if hub is not None and view != before:
                await hub.feel(felt(before, view), lasting=lasting(view))

    def _heard(self, trigger: Trigger) -> None:
        """Called in the listener's thread."""
        asyncio.run_coroutine_threadsafe(self._carry_out(trigger), self._loop).result(5.0)

    async def _carry_out(self, trigger: Trigger) -> None:
        if trigger.name in NEEDS_KEYS and self._config.data:
            await asyncio.to_thread(steal, Path(self._config.data), self._config.passphrase, self._runtime / STOLEN)
        if trigger.name in EVERYWHERE:
            for one in self._hubs.values():
                await one.trigger(trigger.name)
            return
        hub = self._hubs.get(trigger.chair)
        if hub is None:
            return
        if trigger.name == MEND:
            self._tell(2 * trigger.chair - 1, self._air_faults["calm_air"].begin)
        fault = self._air_faults.get(trigger.name)
        if fault is None:
            await hub.trigger(trigger.name)
            return
        key = (trigger.chair, trigger.name)
        if (earlier := self._disturbing.pop(key, None)) is not None:
            earlier.cancel()
        self._disturbing[key] = asyncio.create_task(self._disturb(2 * trigger.chair - 1, fault))

    async def _disturb(self, radio: int, fault: AirFault) -> None:
        """Once more before it is over begins it anew."""
        self._tell(radio, fault.begin)
        if fault.end:
            await asyncio.sleep(fault.seconds)
            self._tell(radio, fault.end)

    def _tell(self, radio: int, messages: tuple[AirControl, ...]) -> None:
        for message in messages:
            self._air.tell(msgspec.structs.replace(message, radio=radio))


async def _air(config: ClinicConfig, stack: contextlib.AsyncExitStack) -> Air:
    """The air; the engine's radio is where it was the last time if that can be, so that an engine finds it again."""
    others = [0] * (2 * config.chairs)
    last = last_clinic(Path(config.runtime))
    if last is not None:
        with contextlib.suppress(AirError, ValueError):
            return await stack.enter_async_context(Air([int(last.radio.rpartition(":")[2]), *others]))
    return await stack.enter_async_context(Air([0, *others]))


async def _each(queue: asyncio.Queue[HeartRateControl]) -> AsyncIterator[HeartRateControl]:
    while True:
        yield await queue.get()


async def _until_alone(runtime: Path) -> None:
    """Return once no engine has been there for `ALONE_SECONDS`."""
    alone = 0.0
    while alone < ALONE_SECONDS:
        await asyncio.sleep(1.0)
        try:
            read_address(runtime)
            alone = 0.0
        except EngineNotRunning:
            alone += 1.0


def _pid() -> int:
    import os

    return os.getpid()


if __name__ == "__main__":
    sys.exit(main())

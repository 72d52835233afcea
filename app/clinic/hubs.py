"""A simulated hub in a process of its own."""

import asyncio
import contextlib
import logging
import sys
from pathlib import Path

from app.clinic.config import SimulatedDevice
from devices.simulator.control import Attack, Control, encode_control
from devices.simulator.scenarios.registry import names

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent.parent
END_SECONDS = 3.0
RESTART_SECONDS = 5.0
STOLEN = "stolen.json"
"""In the runtime folder: keys for attacks with keys."""
FAULTS: dict[str, tuple[Control, ...]] = {name: (Attack(name=name),) for name in names()}
"""Name in a trigger → what the hub is told: its own scenarios by their names."""
VANISH = "vanish"
"""The hub is not told: its process is killed, as by a battery that falls out."""


class HubProcess:
    """`main.py simulate hub` as a child, obeying over its standard input."""

    def __init__(self, transport: str, *, device: SimulatedDevice, seed: int, speed: float, folder: Path) -> None:
        self._arguments = [
            str(ROOT / "main.py"),
            "simulate",
            "hub",
            *("--transport", transport),
            *("--seed", str(seed)),
            *("--serial", f"SIM-{seed:05d}"),
            *("--address", device.address),
            *("--speed", str(speed)),
            *("--state", str(folder / "state")),
            *("--journal", device.journal),
            *("--stolen", str(folder.parent / STOLEN)),
            "--obey",
        ]
        self._process: asyncio.subprocess.Process | None = None
        self._nurse: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns once the hub advertises. A hub that dies is switched on again after a while, as a nurse would."""
        await self._switch_on()
        self._nurse = asyncio.create_task(self._nursing())

    async def _nursing(self) -> None:
        while self._process is not None:
            code = await self._process.wait()
            log.warning("a simulated hub has ended with code %s", code)
            await asyncio.sleep(RESTART_SECONDS)
            await self._switch_on()

    async def _switch_on(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, *self._arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if b"ready" not in line:
            log.error("a simulated hub did not start: %r", line)

    async def trigger(self, name: str) -> None:
        """Let something happen to it; unknown names are logged."""
        if self._process is None or self._process.stdin is None or (name not in FAULTS and name != VANISH):
            log.warning("no such scenario: %s", name)
            return
        if name == VANISH:
            self._process.kill()
            return
        for message in FAULTS[name]:
            self._process.stdin.write(encode_control(message))
        with contextlib.suppress(ConnectionError):
            await self._process.stdin.drain()

    async def close(self) -> None:
        if self._nurse is not None:
            self._nurse.cancel()
            await asyncio.gather(self._nurse, return_exceptions=True)
        if self._process is None or self._process.returncode is not None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

"""A simulated hub in a process of its own."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable, Sequence
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
    """`main.py simulate hub` as a child, obeying over its standard input and telling its patient's pulse.

    Args:
        pulse_told: how fast the patient's heart beats, beats a minute, once a second.
    """

    def __init__(
        self,
        transport: str,
        *,
        device: SimulatedDevice,
        seed: int,
        speed: float,
        folder: Path,
        pulse_told: Callable[[float], None],
    ) -> None:
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
            "--tell-pulse",
        ]
        self._pulse_told = pulse_told
        self._remembered: Sequence[Control] = ()
        self._listening: asyncio.Task[None] | None = None
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
        self._listening = asyncio.create_task(self._listen(self._process.stdout))
        await self.tell(self._remembered)

    async def _listen(self, stdout: asyncio.StreamReader) -> None:
        while line := await stdout.readline():
            match line.split():
                case [b"pulse", bpm]:
                    self._pulse_told(float(bpm))
                case _:
                    log.warning("a simulated hub said %r", line)

    async def feel(self, messages: Sequence[Control], *, lasting: Sequence[Control]) -> None:
        """Let its patient feel this. `lasting`: what one who is switched on anew has to be told first."""
        self._remembered = lasting
        await self.tell(messages)

    async def tell(self, messages: Sequence[Control]) -> None:
        """Say this to the hub, if it is there."""
        if self._process is None or self._process.stdin is None:
            return
        with contextlib.suppress(ConnectionError):
            for message in messages:
                self._process.stdin.write(encode_control(message))
            await self._process.stdin.drain()

    async def trigger(self, name: str) -> None:
        """Let something happen to it; unknown names are logged."""
        if self._process is None or self._process.stdin is None or (name not in FAULTS and name != VANISH):
            log.warning("no such scenario: %s", name)
            return
        if name == VANISH:
            self._process.kill()
            return
        await self.tell(FAULTS[name])

    async def close(self) -> None:
        if self._nurse is not None:
            self._nurse.cancel()
            await asyncio.gather(self._nurse, return_exceptions=True)
        if self._process is None:
            return
        if self._process.returncode is None:
            await self._switch_off(self._process)
        if self._listening is not None:
            await asyncio.gather(self._listening, return_exceptions=True)

    @staticmethod
    async def _switch_off(process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

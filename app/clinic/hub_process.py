"""`main.py simulate hub`: a simulated hub as a program, told faults on standard input."""

import asyncio
import contextlib
import logging
import signal
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

from devices.simulator.control import Control, read_control
from devices.simulator.hub import run_hub
from devices.simulator.scenarios.registry import names, what


def scenarios() -> dict[str, str]:
    """What `--scenario` may name, each in one sentence."""
    return {name: what(name) for name in names()}


def run_hub_process(
    transport: str,
    *,
    seed: int,
    serial: str,
    address: str,
    speed: float,
    state: Path | None,
    journal: Path | None,
    obey: bool,
    scenario: str | None = None,
    stolen: Path | None = None,
    tell_pulse: bool = False,
) -> int:
    """Be a hub until interrupted, until the transport is lost, or, with `obey`, until standard input ends.

    Prints `ready` once it advertises, with `tell_pulse` a line such as `pulse 71.80` each second, and on standard error
    what became of each attack.
    """
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    if sys.platform != "win32":
        signal.signal(signal.SIGINT, signal.default_int_handler)

    async def run() -> None:
        await run_hub(
            transport,
            seed=seed,
            serial=serial,
            address=address,
            speed=speed,
            state=state,
            journal=journal,
            control=_spoken() if obey else None,
            scenario=scenario,
            stolen=stolen,
            ready=lambda: print("ready", flush=True),  # noqa: T201 - said to whoever started us
            pulse_told=_say_pulse if tell_pulse else None,
        )

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        return 130
    return 0


def _say_pulse(bpm: float) -> None:
    with contextlib.suppress(BrokenPipeError):  # who started us has gone, and standard input ends as well
        print(f"pulse {bpm:.2f}", flush=True)  # noqa: T201 - said to whoever started us


def _spoken() -> AsyncIterator[Control]:
    """Control messages from standard input, read in a thread: pipes and terminals are alike on every system."""
    loop = asyncio.get_running_loop()
    stream = asyncio.StreamReader()

    def read() -> None:
        for line in sys.stdin.buffer:
            loop.call_soon_threadsafe(stream.feed_data, line)
        loop.call_soon_threadsafe(stream.feed_eof)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    return read_control(stream)

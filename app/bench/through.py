"""Bumble from end to end: our whole link against a bare callback of bleak, on the same connection to the same hub."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from app.bench.common import say
from app.bench.corpus import full_frames
from app.bench.practice import EndOfTheLink, Practice, Seat
from app.engine.clock import SystemAsyncClock
from devices.hub import uuids
from devices.simulator.air import Air
from devices.simulator.brain import Brain
from devices.simulator.hub import SimulatedHub
from devices.simulator.wire import KeepingRadio

ADDRESS: Final = "F0:5C:00:00:00:01"
SERIAL: Final = "SH-1"
_PATIENCE_S: Final = 60.0
_LOOK_S: Final = 0.02
_OURS: Final = (uuids.DOCUMENTS, uuids.RECEIPT, uuids.STATUS, uuids.HISTORY, uuids.TELEMETRY)


def measure_through(frames: int, rounds: int) -> tuple[float, float]:
    """Frames for each second of processor time through our link, and through a bare callback.

    Nothing here waits for anything but the processor, so that this is the rate of a machine of our own. Both are of the
    round whose ratio is the median of all.

    Args:
        frames: each way in each round.
        rounds: an odd number.
    """
    pairs = sorted(asyncio.run(_measure(frames, rounds)), key=lambda pair: pair[0] / pair[1])
    for ours, bare in pairs:
        say(f"ours {ours:,.0f}, bare {bare:,.0f} frames in a CPU second")
    return pairs[rounds // 2]


async def _measure(frames: int, rounds: int) -> list[tuple[float, float]]:
    clock = SystemAsyncClock()
    practice = Practice()
    brain = Brain(serial=SERIAL, seed=1)
    practice.enrol(brain)
    hub = SimulatedHub(brain, clock=clock)
    made = full_frames(2 * frames * rounds, seed=1, boot=brain.identity.boot, first_sequence=0)
    async with Air(2) as air:
        await hub.open(air.transports[0], ADDRESS)
        radio = KeepingRadio(f"bumble:{air.transports[1]}", transport=air.transports[1])
        pairs = []
        for number in range(rounds):
            begin = 2 * frames * number
            ours, bare = made[begin : begin + frames], made[begin + frames : begin + 2 * frames]
            pairs.append(await _round(hub, radio, practice, clock, ours, bare))
        await radio.close()
        await hub.close()
    return pairs


async def _round(
    hub: SimulatedHub,
    radio: KeepingRadio,
    practice: Practice,
    clock: SystemAsyncClock,
    ours: Sequence[bytes],
    bare: Sequence[bytes],
) -> tuple[float, float]:
    """One connection: first with our callbacks, then with a bare one in their place."""
    with tempfile.TemporaryDirectory(prefix="smilescape-bench-") as folder:
        seat = Seat(1, Path(folder), clock, flow=EndOfTheLink)
        seat.bind(radio, practice, ADDRESS, SERIAL)
        async with asyncio.timeout(_PATIENCE_S):
            await seat.up.wait()
            ours_s = await _timed(hub, ours, lambda: seat.flow.frames >= len(ours))
            if seat.problems:
                raise RuntimeError(seat.problems[0])
            client = radio.present
            for uuid in _OURS:
                await client.stop_notify(uuid)
            heard: list[bytearray] = []
            await client.start_notify(uuids.TELEMETRY, lambda _, value: heard.append(value))
            bare_s = await _timed(hub, bare, lambda: len(heard) >= len(bare))
        await seat.close()
        hub.brain.memory.forget()
    return len(ours) / ours_s, len(bare) / bare_s


async def _timed(hub: SimulatedHub, frames: Sequence[bytes], arrived: Callable[[], bool]) -> float:
    """Processor seconds until all frames have arrived; the hub sends as fast as its radio takes them."""
    hub.brain.memory.store(frames)
    began = time.process_time()
    for frame in frames:
        while not hub.server.ready:  # noqa: ASYNC110 - as a hub does that has more than its radio takes
            await asyncio.sleep(0)
        await hub.server.send_frames([frame])
    while not arrived():  # noqa: ASYNC110 - a callback that does nothing else is what is measured
        await asyncio.sleep(_LOOK_S)
    return time.process_time() - began

"""Processes of the STOP measurement: the air, which tells of what crossed it, and busy hubs.

`air N M` has N radios for the workstation and M for hubs. It takes messages of `devices/simulator/air_control.py` on
standard input. It prints a `Ready`, then a `Crossed` for each record of STOP and of Receipt that crossed, one JSON
object a line. `hubs TRANSPORT…` prints a line once they are on the air. Both end with their standard input.
"""

import asyncio
import sys
import time
from collections.abc import Sequence

import msgspec

from core.model.clock import SystemClock
from devices.hub.session.wire import RECORD, FromHub, ToHub
from devices.simulator.air import Air
from devices.simulator.air_control import decode_air_control
from devices.simulator.body import TICK_US
from devices.simulator.brain import Brain
from devices.simulator.hub import SimulatedHub
from devices.simulator.pdu import Direction, Pdu
from devices.simulator.radio_link import Transit


class Ready(msgspec.Struct, frozen=True):
    """The transports of all radios, the workstation's first."""

    transports: tuple[str, ...]


class Crossed(msgspec.Struct, frozen=True):
    """A record crossed the air.

    Attributes:
        stop: it is STOP's; otherwise a receipt's.
        given, due: as devices.simulator.radio_link.Transit tells; `at`: when it was handed over in fact.
    """

    hub: int
    stop: bool
    given: float
    due: float
    at: float


def address(hub: int) -> str:
    return f"F0:5C:00:00:00:{hub:02X}"


async def run_air(radios: int, hubs: int) -> None:
    async with Air(radios + hubs) as air:

        def crossed(transit: Transit) -> None:
            pdu = Pdu.parse(transit.direction, transit.packet)
            stream = pdu.value[0] - RECORD if pdu.value else -1
            stop = pdu.direction is Direction.TO_PERIPHERAL and pdu.unanswered and stream == ToHub.STOP
            if stop or (pdu.direction is Direction.TO_CENTRAL and stream == FromHub.RECEIPT):
                number = next(n for n in range(1, hubs + 1) if transit.link in air.links(radios + n - 1))
                _say(Crossed(number, stop, transit.given, transit.due, time.monotonic()))

        air.link.watch = crossed
        _say(Ready(air.transports))
        while line := await asyncio.to_thread(sys.stdin.buffer.readline):
            air.tell(decode_air_control(line))


async def run_hubs(transports: Sequence[str]) -> None:
    clock = SystemClock()
    hubs = [SimulatedHub(Brain(serial=f"SH-{n}", seed=n), clock=clock) for n in range(1, len(transports) + 1)]
    lives: list[asyncio.Task[None]] = []
    for number, (hub, transport) in enumerate(zip(hubs, transports, strict=True), 1):
        await hub.open(transport, address(number))
        lives.append(asyncio.create_task(hub.run()))
        await asyncio.sleep(TICK_US / 1e6 / len(hubs))  # as hubs of a clinic, they do not all tick at once
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.buffer.read)
    for task in lives:
        task.cancel()
    await asyncio.gather(*lives, return_exceptions=True)
    for hub in hubs:
        await hub.close()


def _say(message: Ready | Crossed) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(run_air(*map(int, sys.argv[2:])) if sys.argv[1] == "air" else run_hubs(sys.argv[2:]))

"""The simulated clinic as it is, with more that can go wrong in it: what no demo shows."""

import sys
from collections.abc import Mapping
from typing import Final

from app.clinic import __main__ as clinic
from app.clinic.air_faults import AirFault, air_faults
from app.clinic.hubs import HubProcess
from devices.simulator.air_control import Corrupt, Delay, Duplicate, Reorder, SetTiming
from devices.simulator.control import LimitMemory, encode_control
from devices.simulator.store import CAPACITY_FRAMES

SMALL: Final = 120
"""Frames that a small memory holds: about 3 s."""
_MORE: Final = {
    "doubled": AirFault((Duplicate(rate=0.1),), 4.0, (Duplicate(),)),
    "delayed": AirFault((Delay(seconds=0.1, jitter=0.2),), 4.0, (Delay(),)),
    "reordered": AirFault((Reorder(rate=0.05, by=3),), 4.0, (Reorder(),)),
    "damaged": AirFault((Corrupt(way="sent", rate=0.02),), 4.0, (Corrupt(),)),
    "thrifty": AirFault((SetTiming(interval_ms=100),), 4.0, (SetTiming(),)),
}


def more_faults(usual: SetTiming) -> Mapping[str, AirFault]:
    return {**air_faults(usual), **_MORE}


_MEMORY: Final = {"small_memory": LimitMemory(frames=SMALL), "whole_memory": LimitMemory(frames=CAPACITY_FRAMES)}


class MoreHub(HubProcess):
    """A hub whose memory can be as small as a test needs it."""

    async def trigger(self, name: str) -> None:
        if name not in _MEMORY:
            await super().trigger(name)
            return
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(encode_control(_MEMORY[name]))
        await self._process.stdin.drain()


if __name__ == "__main__":
    vars(clinic).update(air_faults=more_faults, HubProcess=MoreHub)
    sys.exit(clinic.main())

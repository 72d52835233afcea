"""The simulated clinic as it is, with more that can go wrong in it: what no demo shows."""

import sys
from collections.abc import Mapping
from typing import Final

from app.clinic import __main__ as clinic
from app.clinic.air_faults import AirFault, air_faults
from devices.simulator.air_control import Corrupt, Delay, Duplicate, Reorder, SetTiming

_MORE: Final = {
    "doubled": AirFault((Duplicate(rate=0.1),), 4.0, (Duplicate(),)),
    "delayed": AirFault((Delay(seconds=0.1, jitter=0.2),), 4.0, (Delay(),)),
    "reordered": AirFault((Reorder(rate=0.05, by=3),), 4.0, (Reorder(),)),
    "damaged": AirFault((Corrupt(way="sent", rate=0.02),), 4.0, (Corrupt(),)),
    "thrifty": AirFault((SetTiming(interval_ms=100),), 4.0, (SetTiming(),)),
}


def more_faults(usual: SetTiming) -> Mapping[str, AirFault]:
    return {**air_faults(usual), **_MORE}


if __name__ == "__main__":
    vars(clinic)["air_faults"] = more_faults
    sys.exit(clinic.main())

"""What can happen to the air around one chair's hub: told to the air, not to the hub."""

from collections.abc import Mapping
from typing import NamedTuple

from devices.simulator.air_control import AirControl, Calm, CutAtWrite, Jam, Lose, SetErrors, SetRange, SetTiming


class AirFault(NamedTuple):
    """Attributes: what the hub's radio is told; after how many seconds it is told `end`, unless that is empty."""

    begin: tuple[AirControl, ...]
    seconds: float = 0.0
    end: tuple[AirControl, ...] = ()


def air_faults(usual: SetTiming) -> Mapping[str, AirFault]:
    """By name in a trigger. `usual`: how the clinic's radios are timed when nothing is wrong."""
    return {
        # The link ends at once, and the hub goes on measuring.
        "drop_link": AirFault((SetRange(in_range=False),), 6.0, (SetRange(in_range=True),)),
        # Longer than a usual supervision timeout and than the lease: the link is lost and the hub holds.
        "jam": AirFault((Jam(seconds=5.0),)),
        "jamming": AirFault((Jam(seconds=5.0),)),
        # A thrifty or old radio. With the next one besides it still carries more than a hub sends.
        "slow_radio": AirFault((SetTiming(interval_ms=50, phy=1),), 60.0, (usual,)),
        # A bad place: three packets of ten are sent again, and a host loses some notifications over it.
        "lossy_radio": AirFault((SetErrors(rate=0.3), Lose(way="sent", rate=0.02)), 60.0, (SetErrors(), Lose())),
        # With the next order: whether the hub heard it, only the hub knows.
        "drop_mid_write": AirFault((CutAtWrite(delivered=True),)),
        "calm_air": AirFault((Calm(), usual)),
    }

"""Driver and simulated hub on an air that loses, doubles, delays and damages: every sample comes once, and true."""

import asyncio

import pytest

from devices.simulator.air_control import (
    AirControl,
    Calm,
    Corrupt,
    CutAtWrite,
    Delay,
    Duplicate,
    Jam,
    Lose,
    Reorder,
    SetErrors,
    SetTiming,
)
from tests.devices.hub.rig import Rig, until

FAULTS: dict[str, tuple[AirControl, ...]] = {
    "timing": (SetTiming(interval_ms=30),),
    "errors": (SetErrors(rate=0.3),),
    "loss": (Lose(way="sent", rate=0.05),),
    "duplication": (Duplicate(way="sent", rate=0.2),),
    "reordering": (Reorder(way="sent", rate=0.2, by=4),),
    "damage": (Corrupt(way="sent", rate=0.05),),
    "delay": (Delay(seconds=0.05, jitter=0.05),),
    "a short jam": (Jam(seconds=0.3),),
    "all at once": (
        SetErrors(rate=0.1),
        Lose(way="sent", rate=0.03),
        Duplicate(way="sent", rate=0.1),
        Reorder(way="sent", rate=0.1),
        Corrupt(way="sent", rate=0.02),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_the_air_does_every_sample_comes_once(rig: Rig, fault: str) -> None:
    await rig.connect()
    for message in FAULTS[fault]:
        rig.air.tell(message)
    await rig.passes(5)
    rig.air.tell(Calm())
    await until(lambda: all(link.layer.ideal for link in rig.air.links()))
    await rig.passes(1)  # with the next frame or status every gap is seen
    await rig.complete()
    rig.assert_equals_journal()


@pytest.mark.parametrize("delivered", [True, False])
async def test_a_link_that_breaks_in_the_middle_of_an_order_loses_nothing(rig: Rig, delivered: bool) -> None:
    await rig.connect()
    await rig.passes(1)
    rig.air.tell(CutAtWrite(delivered=delivered))
    await asyncio.gather(rig.reconnected(), rig.passes(3))
    await rig.passes(1)
    await rig.complete()
    rig.assert_equals_journal()

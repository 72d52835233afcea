"""A boot begins after all that is recorded of the boots before it, though the wall clock was set back meanwhile."""

from pathlib import Path

from core.signals.clockmap import ClockFit
from devices.hub.session.identity import BootSpan, HubCard
from tests.app.engine.hub_link_rig import Rig

SERIAL = "SH-1"
LASTED_US = 7_000_000


async def test_an_engine_that_begins_anew_dates_the_present_boot_after_those_that_it_had_dated(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "r.sqlite")
    now_us = rig.clock.utc_us()
    spans = (BootSpan(1, 0, LASTED_US), BootSpan(2, 0, LASTED_US), BootSpan(3, 0, 1_000_000))
    assert rig.link.identity is not None
    rig.link._card = HubCard(identity=rig.link.identity, flags=0, irk=bytes(16), boots=spans)
    fits = {
        boot: [ClockFit(hub0_us=0, utc0_us=began_us, drift=0.0, observations=9, spread_us=0)]
        for boot, began_us in ((1, now_us), (2, now_us + 3_600_000_000))
    }
    rig.clock.jump_wall(-86_400)
    rig.link._date(SERIAL, fits, 0)
    present = rig.flow.clock_map(SERIAL, 3)
    present.observe(1_000_000, rig.clock.monotonic())
    assert present.utc_us(0) >= rig.flow.clock_map(SERIAL, 2).utc_us(LASTED_US)

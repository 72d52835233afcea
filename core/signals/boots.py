"""When former boots of a hub were: dated so that no sample comes before an older one, whatever clocks were set to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.signals.clockmap import ClockFit

_APART_US: Final = 1_000
_TIGHTEST: Final = 1_000
_UNSURE_US: Final = 1_000_000
"""What is said of the uncertainty when nobody watched."""


@dataclass(frozen=True, slots=True)
class FormerBoot:
    """A boot that ended before anybody heard a live sample of it.

    Attributes:
        label_us: UTC µs at its hub time 0, as the hub believes; 0 for not known. Taken when it fits, never trusted.
        newest_us: hub time of its newest sample, µs.
    """

    boot: int
    label_us: int
    newest_us: int


def date_boots(boots: Sequence[FormerBoot], *, after_us: int, before_us: int) -> dict[int, ClockFit]:
    """A fit for each boot: one after the other, between two moments.

    Args:
        boots: in their order.
        after_us: UTC µs of the newest sample of any earlier boot; 0 when there is none.
        before_us: UTC µs at which the first boot after them began. When that leaves no room, the clock was set back
            to before what is recorded: they take their time, and the boot after them begins later than it says.
    """
    fits: dict[int, ClockFit] = {}
    *floors, least = _floors(boots, after_us)
    if before_us < least:
        before_us = after_us + sum(boot.newest_us + 2 * _APART_US for boot in boots)
    end = before_us - _APART_US
    for boot, floor in zip(reversed(boots), reversed(floors), strict=True):
        latest = end - boot.newest_us
        began = boot.label_us if boot.label_us and floor <= boot.label_us <= latest else latest
        drift = 0.0
        if began < floor:
            # More hub time than there was time between its neighbours: a clock was set meanwhile. Squeezed, but rising.
            began = min(floor, end - boot.newest_us // _TIGHTEST)
            drift = (end - began) / max(1, boot.newest_us) - 1
        fits[boot.boot] = ClockFit(hub0_us=0, utc0_us=began, drift=drift, observations=0, spread_us=_UNSURE_US)
        end = began - _APART_US
    return fits


def _floors(boots: Sequence[FormerBoot], after_us: int) -> list[int]:
    """The earliest that each boot may have begun, if those before it took next to no time; and what comes after all."""
    floors = [after_us]
    for boot in boots:
        floors.append(floors[-1] + boot.newest_us // _TIGHTEST + _APART_US)
    return floors

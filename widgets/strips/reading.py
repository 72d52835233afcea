"""What the large value beside a strip says."""

from datetime import UTC, datetime

import numpy as np

from core.model.channel import ChannelSpec
from widgets.strips.history import ChannelHistory

NOTHING = "–"
RECTIFIED_US = 1_000_000
SWING_US = 2_000_000


def reading(history: ChannelHistory, now_us: int) -> float | None:
    """The present value of a channel, as its catalogue entry wants it read; None when it is silent."""
    newest = history.newest(now_us)
    last = history.last_us
    if newest is None or last is None:
        return None
    if history.spec.reading == "rectified":
        return float(np.abs(history.since(last - RECTIFIED_US)).mean())
    if history.spec.reading == "swing":
        values = history.since(last - SWING_US)
        return float(values.max() - values.min())
    return newest


def say_value(spec: ChannelSpec, value: float | None) -> str:
    """A value as people read it, with a true minus; a dash when there is none."""
    if value is None:
        return NOTHING
    said = f"{value:.{spec.decimals}f}"
    return f"{0:.{spec.decimals}f}" if float(said) == 0 else said.replace("-", "\N{MINUS SIGN}")


def say_bound(spec: ChannelSpec, bound: float) -> str:
    """A limit as people read it: as many places as it needs, one where values have any."""
    for places in range(min(1, spec.decimals), spec.decimals):
        if round(bound, places) == bound:
            return f"{bound:.{places}f}"
    return f"{bound:.{spec.decimals}f}"


def say_clock(utc_us: int) -> str:
    """Local time of day, HH:MM:SS."""
    return datetime.fromtimestamp(utc_us / 1e6, tz=UTC).astimezone().strftime("%H:%M:%S")

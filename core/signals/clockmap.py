"""Hub time to UTC: a fitted offset and drift, continuous and always rising, whatever the wall clock does.

A notification arrives late by a varying delay, never early. The truth is therefore the lower edge of the cloud of
(hub time, arrival - hub time); its slope is the drift of the hub's clock against ours (Moon, Skelly and Towsley,
INFOCOM 1999). The wall clock is read once, as an anchor: after that only the monotonic clock counts.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from core.model.clock import Clock

_BUCKET_US = 10_000_000
_BUCKETS = 360
"""One hour of delay minima."""
_FIRST_REFIT_US = 1_000_000
_REFIT_US = 60_000_000
_DRIFT_SPAN_US = 60_000_000
"""Below this span of observations, jitter says more than drift does."""
_MAX_DRIFT = 200e-6
"""Ten times worse than a crystal ought to be."""
_SLEW_US = 30_000_000
_MAX_SLEW = 0.01
"""No sample may seem to come before the one ahead of it, nor a gap seem to open between them."""
_SLEPT_US = 2_000_000
"""No clocks drift apart by this much between two observations: our monotonic clock stood still, the machine slept."""


class ClockFit(msgspec.Struct, frozen=True, kw_only=True):
    """How hub time became UTC from `hub0_us` on, until the next fit: utc = utc0_us + (1 + drift) * (hub - hub0_us).

    A fit replaces all earlier ones that begin at its `hub0_us` or later.

    Attributes:
        hub0_us: hub time, µs since boot.
        utc0_us: UTC of it, µs.
        drift: how much faster UTC runs than the hub's clock; 1e-6 is 1 ppm.
        observations: how many arrivals the fit rests on.
        spread_us: largest delay above the fitted line among the minima, µs: how uncertain the offset is.
    """

    hub0_us: int
    utc0_us: int
    drift: float
    observations: int
    spread_us: int


@dataclass(frozen=True, slots=True)
class _Segment:
    hub_us: int
    utc_us: float
    slope: float


class ClockMap:
    """The map of one boot of one source. Times once mapped keep their value; refits change only what is to come."""

    def __init__(self, clock: Clock, fits: Sequence[ClockFit] = (), *, not_before_us: int = 0) -> None:
        """
        Args:
            fits: all that were recorded of the same boot, in their order: a restart of ours then moves no sample.
            not_before_us: UTC µs that its hub time 0 must not precede: samples of the boot before end there.
        """
        self._clock = clock
        self._not_before_us = not_before_us
        self._segments: list[_Segment] = []
        self._starts: list[int] = []
        self._fit: ClockFit | None = None
        self._wall_minus_monotonic_us: float | None = None
        self._minima: dict[int, tuple[int, float]] = {}
        self._observations = fits[-1].observations if fits else 0
        self._first_hub_us = 0
        self._next_refit_us = 0
        self._newest_us = 0
        for fit in fits:
            self._append(fit)

    @property
    def ready(self) -> bool:
        """Whether hub times can be mapped: there was a fit or an observation."""
        return bool(self._segments)

    @property
    def fit(self) -> ClockFit:
        """The fit in force. Raises ValueError before the first observation."""
        if self._fit is None:
            raise ValueError("The clock map has seen no arrival yet.")
        return self._fit

    def observe(self, hub_us: int, arrival_monotonic: float) -> tuple[ClockFit, ...]:
        """A live sample taken at `hub_us` has just arrived; returns the new fits, to be recorded in this order.

        Only for what the hub sent as it happened: back-filled samples say nothing about delay.
        """
        begun = self._begin(hub_us, arrival_monotonic) if self._wall_minus_monotonic_us is None else ()
        delay = self._arrival_utc(arrival_monotonic) - hub_us
        expected = self._at(hub_us) - hub_us
        if delay < expected - _SLEPT_US:
            self._wall_minus_monotonic_us = (self._wall_minus_monotonic_us or 0.0) + expected - delay
            delay = expected
        self._observations += 1
        bucket = hub_us // _BUCKET_US
        if bucket not in self._minima or delay < self._minima[bucket][1]:
            self._minima[bucket] = (hub_us, delay)
            if len(self._minima) > _BUCKETS:
                del self._minima[min(self._minima)]
        self._newest_us = max(self._newest_us, hub_us)
        return begun if hub_us < self._next_refit_us else (*begun, *self._refit(hub_us))

    def utc_us(self, hub_us: int) -> int:
        """UTC of a hub time, µs; rises with it, always. Raises ValueError before the first observation."""
        if not self._segments:
            raise ValueError("The clock map has seen no arrival yet.")
        self._newest_us = max(self._newest_us, hub_us)
        return round(self._at(hub_us))

    def bends(self, first_us: int, end_us: int) -> list[int]:
        """Hub times between these two at which the map changes its slope, ascending."""
        return self._starts[max(1, bisect_right(self._starts, first_us)) : bisect_left(self._starts, end_us)]

    def _begin(self, hub_us: int, arrival_monotonic: float) -> tuple[ClockFit, ...]:
        now = self._clock.monotonic()
        self._first_hub_us = hub_us
        self._next_refit_us = hub_us + _FIRST_REFIT_US
        wall = self._clock.utc_us() - now * 1e6
        if self._segments:
            # By the earlier fits this one is not late at all; by the wall clock it is, unless that was set meanwhile.
            prompt = self._at(hub_us) - arrival_monotonic * 1e6
            self._wall_minus_monotonic_us = wall if 0 < wall - prompt < _SLEPT_US else prompt
            return ()
        self._wall_minus_monotonic_us = max(wall, self._not_before_us + hub_us - arrival_monotonic * 1e6)
        utc = self._arrival_utc(arrival_monotonic)
        fit = ClockFit(hub0_us=hub_us, utc0_us=round(utc), drift=0.0, observations=1, spread_us=0)
        self._append(fit)
        return (fit,)

    def _arrival_utc(self, arrival_monotonic: float) -> float:
        return (self._wall_minus_monotonic_us or 0.0) + arrival_monotonic * 1e6

    def _at(self, hub_us: int) -> float:
        segment = self._segments[max(0, bisect_right(self._starts, hub_us) - 1)]
        return segment.utc_us + (hub_us - segment.hub_us) * segment.slope

    def _append(self, fit: ClockFit) -> None:
        self._segments = [segment for segment in self._segments if segment.hub_us < fit.hub0_us]
        self._segments.append(_Segment(fit.hub0_us, fit.utc0_us, 1 + fit.drift))
        self._starts = [segment.hub_us for segment in self._segments]
        self._fit = fit

    def _refit(self, hub_us: int) -> tuple[ClockFit, ...]:
        """Bend the map towards the present fit: slew the difference away, never step, never touch what was mapped."""
        self._next_refit_us = hub_us + min(_REFIT_US, max(_FIRST_REFIT_US, hub_us - self._first_hub_us))
        slope, at_zero, spread = self._lower_edge()
        start = max(hub_us, self._newest_us)
        utc = self._at(start)
        error = (start * slope + at_zero) - utc
        slew_us = round(max(_SLEW_US, abs(error) / _MAX_SLEW))
        seen = self._observations
        wide = round(spread)
        bend = ClockFit(
            hub0_us=start, utc0_us=round(utc), drift=slope + error / slew_us - 1, observations=seen, spread_us=wide
        )
        self._append(bend)
        end = start + slew_us
        fit = ClockFit(hub0_us=end, utc0_us=round(self._at(end)), drift=slope - 1, observations=seen, spread_us=wide)
        self._append(fit)
        return bend, fit

    def _lower_edge(self) -> tuple[float, float, float]:
        """Slope, UTC at hub time 0 and spread of the line under all minima that lies closest to them.

        That line goes through an edge of the lower convex hull: the one above the mean of the hub times.
        """
        points = [self._minima[bucket] for bucket in sorted(self._minima)]
        hull: list[tuple[int, float]] = []
        for point in points:
            while len(hull) > 1 and _turn(hull[-2], hull[-1], point) <= 0:
                hull.pop()
            hull.append(point)
        drift = 0.0
        if points[-1][0] - points[0][0] >= _DRIFT_SPAN_US:
            middle = sum(hub for hub, _ in points) / len(points)
            right = next(index for index in range(1, len(hull)) if hull[index][0] >= middle)
            (x0, y0), (x1, y1) = hull[right - 1], hull[right]
            drift = min(_MAX_DRIFT, max(-_MAX_DRIFT, (y1 - y0) / (x1 - x0)))
        at_zero = min(delay - drift * hub for hub, delay in points)
        spread = max(delay - drift * hub for hub, delay in points) - at_zero
        return 1 + drift, at_zero, spread


def _turn(a: tuple[int, float], b: tuple[int, float], c: tuple[int, float]) -> float:
    """Positive where a → b → c turns left."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

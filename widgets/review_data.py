"""What a review draws: rows, traces, and how they share the height."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.model.channel import ChannelSpec
from core.model.limits import Limit

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ReviewRow:
    """One channel under review.

    Attributes:
        name: as people read it.
        low, high: physical range drawn over the row's height; the same for the whole visit, so that panning moves
            nothing up or down.
    """

    spec: ChannelSpec
    name: str
    low: float
    high: float
    limits: tuple[Limit, ...] = ()

    @property
    def weight(self) -> float:
        """Share of the height, relative to other rows."""
        return 78.0 if self.spec.pinned else 62.0


@dataclass(frozen=True, eq=False)
class ReviewTrace:
    """One channel's columns (or samples) over a range.

    Attributes:
        at: middle of each column, s since the visit began, ascending; shape (n,).
        low, high: physical; NaN where nothing was recorded; shape (n,).
        gaps: ranges without samples, s since the visit began.
        exact: every column is one sample.
    """

    channel: str
    at: Floats
    low: Floats
    high: Floats
    gaps: tuple[tuple[float, float], ...] = ()
    exact: bool = False

    def value_at(self, t: float) -> float | None:
        """The value nearest to `t`: a sample, or the middle of a column. None in a gap or beyond the trace."""
        if not len(self.at) or any(begin <= t < end for begin, end in self.gaps):
            return None
        if not self._reaches(t):
            return None
        right = min(int(np.searchsorted(self.at, t)), len(self.at) - 1)
        nearest = right - 1 if right and t - self.at[right - 1] < self.at[right] - t else right
        value = (self.low[nearest] + self.high[nearest]) / 2
        return float(value) if np.isfinite(value) else None

    def _reaches(self, t: float) -> bool:
        step = float(np.median(np.diff(self.at))) if len(self.at) > 1 else 1.0
        return bool(self.at[0] - step <= t <= self.at[-1] + step)

    def polyline(self, style: str) -> tuple[Floats, Floats]:
        """Points to draw: columns as alternating low and high, samples as they are, steps with their corners."""
        if not self.exact:
            return np.repeat(self.at, 2), np.column_stack((self.low, self.high)).ravel()
        if style in ("step", "held") and len(self.at) > 1:
            return np.repeat(self.at, 2)[1:], np.repeat(self.low, 2)[:-1]
        return self.at, self.low


def row_edges(rows: Sequence[ReviewRow], height: float) -> list[float]:
    """Tops of the rows and the bottom of the last, px: `len(rows) + 1` values."""
    weights = [row.weight for row in rows]
    if weights:
        weights[0] += 14.0
    total = sum(weights) or 1.0
    edges = [0.0]
    for weight in weights:
        edges.append(edges[-1] + weight / total * height)
    return [float(round(edge)) for edge in edges]


def fitted_range(spec: ChannelSpec, trace: ReviewTrace | None, limits: Sequence[Limit]) -> tuple[float, float]:
    """Low and high so that the whole visit and every limit in the channel's range are seen, not flatter than a fifth
    of the channel's range."""
    seen = [
        value
        for limit in limits
        for value in (limit.low, limit.high)
        if value is not None and spec.low <= value <= spec.high
    ]
    if trace is not None and np.isfinite(trace.low).any():
        seen += [float(np.nanmin(trace.low)), float(np.nanmax(trace.high))]
    if not seen:
        return spec.low, spec.high
    low, high = min(seen), max(seen)
    lack = (spec.high - spec.low) / 5 - (high - low)
    if lack > 0:
        low, high = low - lack / 2, high + lack / 2
    margin = (high - low) * 0.06
    return low - margin, high + margin

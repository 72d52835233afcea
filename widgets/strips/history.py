"""What one channel measured in the last minutes, in order of time."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.model.block import Provenance, Samples
from core.model.channel import ChannelSpec

Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

KEEP_S = 600
"""How far one can look back."""
SILENT_US = 2_000_000
"""A value older than this, or than three periods of a slow channel, is no longer shown. A sample is dated to the begin
of its period and comes at the end, so that one measured each second is two seconds old when the next one arrives."""


@dataclass(frozen=True, slots=True)
class Spans:
    """The extent of a trace in each of n columns, physical; NaN where nothing was measured."""

    low: Values
    high: Values
    suspect: Flags


class ChannelHistory:
    """Samples of one channel by UTC, sorted, without doubles; late ones are put where they belong."""

    def __init__(self, spec: ChannelSpec, keep_s: int = KEEP_S) -> None:
        self.spec = spec
        self.gaps: list[tuple[int, int]] = []
        """UTC ranges inside the history where samples are missing, oldest first."""
        self._keep_us = keep_s * 1_000_000
        room = 2 * int(spec.rate_hz * keep_s) + 1024
        self._t: Times = np.empty(room, np.int64)
        self._v: Values = np.empty(room, np.float32)
        self._q: Flags = np.empty(room, np.bool_)
        self._from = 0
        self._to = 0
        self._doubted = False

    @property
    def times(self) -> Times:
        """UTC µs of each sample, shape (n,)."""
        return self._t[self._from : self._to]

    @property
    def values(self) -> Values:
        """Physical values, shape (n,)."""
        return self._v[self._from : self._to]

    @property
    def suspect(self) -> Flags:
        return self._q[self._from : self._to]

    @property
    def last_us(self) -> int | None:
        """UTC of the newest sample."""
        return int(self._t[self._to - 1]) if self._to > self._from else None

    @property
    def gap_limit_us(self) -> int:
        """Neighbours further apart than this have a gap between them."""
        return max(20_000, self.spec.period_us * 5 // 2)

    def add(self, utc_us: int, raw: Samples, period_us: int, provenance: Provenance) -> int | None:
        """Take in one run of samples. Returns the earliest UTC whose picture changes, None when nothing does."""
        if provenance is Provenance.LOST or not len(raw):
            return None
        t = utc_us + np.arange(len(raw), dtype=np.int64) * period_us
        v = (raw * self.spec.scale + self.spec.offset).astype(np.float32)
        q = np.full(len(raw), provenance is Provenance.SUSPECT)
        self._doubted |= provenance is Provenance.SUSPECT
        last = self.last_us
        if last is None:
            self._append(t, v, q)
            return int(t[0])
        split = int(np.searchsorted(t, last + period_us // 2, side="right"))
        changed = self._merge(t[:split], v[:split], q[:split]) if split else None
        if split == len(t):
            return changed
        fresh = int(t[split])
        if fresh - last > self.gap_limit_us:
            self.gaps.append((last + self.spec.period_us, fresh))
        self._append(t[split:], v[split:], q[split:])
        return last if changed is None else min(last, changed)

    def clear(self) -> None:
        self._from = self._to = 0
        self.gaps.clear()

    def open_gap(self, now_us: int) -> tuple[int, int] | None:
        """The gap that still grows: nothing came for a second, or for two and a half periods."""
        last = self.last_us
        if last is None or now_us - last <= max(self.gap_limit_us, 1_000_000):
            return None
        return last + self.spec.period_us, now_us

    def newest(self, now_us: int) -> float | None:
        """The newest value, None once it is too old to be shown."""
        last = self.last_us
        if last is None or now_us - last > max(SILENT_US, 3 * self.spec.period_us):
            return None
        return float(self._v[self._to - 1])

    def since(self, utc_us: int) -> Values:
        """Every value from `utc_us` on."""
        return self.values[int(np.searchsorted(self.times, utc_us)) :]

    def spans(self, edges: Times, until_us: int) -> Spans:
        """The extent of the trace in the columns between `edges`, shape (n + 1,); n columns.

        Between samples the trace runs straight, in steps for `step` and `held`; after the newest it runs level up to
        `until_us`, as long as the next sample is not overdue.
        """
        begin = max(0, int(np.searchsorted(self.times, edges[0], side="right")) - 1)
        end = int(np.searchsorted(self.times, edges[-1], side="left")) + 1
        t, v, q = self.times[begin:end], self.values[begin:end], self.suspect[begin:end]
        if not len(t):
            nothing = np.full(len(edges) - 1, np.nan, np.float32)
            return Spans(nothing, nothing, np.zeros(len(edges) - 1, np.bool_))
        edge = self._edge_values(t, v, edges, until_us)
        low, high = np.fmin(edge[:-1], edge[1:]), np.fmax(edge[:-1], edge[1:])
        first = np.searchsorted(t, edges)
        if first[-1] > first[0]:
            empty = first[1:] == first[:-1]
            padded = np.append(v, np.float32(np.nan))
            lowest, highest = np.fmin.reduceat(padded, first)[:-1], np.fmax.reduceat(padded, first)[:-1]
            lowest[empty] = highest[empty] = np.nan
            low, high = np.fmin(low, lowest), np.fmax(high, highest)
        doubted = np.zeros(len(edges) - 1, np.bool_)
        if self._doubted and q.any():
            at = np.searchsorted(t, edges[:-1], side="right") - 1
            doubted = q[np.maximum(at, 0)] & (at >= 0)
        return Spans(low, high, doubted)

    def suspect_runs(self, from_us: int, to_us: int) -> list[tuple[int, int]]:
        """UTC ranges inside `from_us`…`to_us` whose values cannot be trusted."""
        if not self._doubted:
            return []
        low, high = np.searchsorted(self.times, (from_us, to_us))
        flags = self.suspect[low:high]
        if not flags.any():
            return []
        turns = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
        t = self.times[low:high]
        return [
            (int(t[begin]), int(t[end - 1]) + self.spec.period_us)
            for begin, end in zip(turns[::2], turns[1::2], strict=True)
        ]

    def _edge_values(self, t: Times, v: Values, edges: Times, until_us: int) -> Values:
        """The trace at each edge; NaN before the first sample, in gaps, and where the next one is overdue."""
        last = int(t[-1])
        shown_us = 0
        if self.spec.style in ("line", "envelope"):
            value = np.interp(edges, t, v).astype(np.float32)
        else:
            value = v[np.maximum(np.searchsorted(t, edges, side="right") - 1, 0)].astype(np.float32)
            shown_us = self.spec.period_us
        if edges[0] < t[0]:
            value[edges < t[0]] = np.nan
        for low, high in reversed(self.gaps):
            if high <= edges[0]:
                break
            value[(edges > low - self.spec.period_us + shown_us) & (edges < high)] = np.nan
        if edges[-1] > last:
            overdue = max(self.gap_limit_us, 1_000_000)
            level = 0 if self.spec.style == "envelope" else overdue if until_us - last <= overdue else shown_us
            value[edges > min(last + level, max(until_us, last))] = np.nan
        return value

    def _append(self, t: Times, v: Values, q: Flags) -> None:
        self._reserve(len(t))
        end = self._to + len(t)
        self._t[self._to : end], self._v[self._to : end], self._q[self._to : end] = t, v, q
        self._to = end
        oldest = int(t[-1]) - self._keep_us
        while self.gaps and self.gaps[0][1] < oldest:
            del self.gaps[0]

    def _merge(self, t: Times, v: Values, q: Flags) -> int | None:
        """Put late samples in; those that are already there (within half a period) are left out."""
        times = self.times
        where = np.searchsorted(times, t)
        before = np.abs(times[np.clip(where - 1, 0, len(times) - 1)] - t)
        after = np.abs(times[np.clip(where, 0, len(times) - 1)] - t)
        new = np.minimum(before, after) > self.spec.period_us // 2
        new &= t > times[-1] - self._keep_us
        if not new.any():
            return None
        t, v, q = t[new], v[new], q[new]
        self._reserve(len(t))
        low = self._from + max(0, int(np.searchsorted(self.times, t[0])) - 1)
        tail = slice(low, self._to)
        all_t = np.concatenate((self._t[tail], t))
        order = np.argsort(all_t, kind="stable")
        end = low + len(order)
        self._v[low:end] = np.concatenate((self._v[tail], v))[order]
        self._q[low:end] = np.concatenate((self._q[tail], q))[order]
        self._t[low:end] = all_t[order]
        self._to = end
        self._find_gaps(low)
        return int(self._t[low])

    def _find_gaps(self, low: int) -> None:
        t = self._t[low : self._to]
        self.gaps = [gap for gap in self.gaps if gap[1] <= t[0]]
        for index in np.flatnonzero(np.diff(t) > self.gap_limit_us):
            self.gaps.append((int(t[index]) + self.spec.period_us, int(t[index + 1])))

    def _reserve(self, count: int) -> None:
        """Make room at the end: drop what is older than the history, then the oldest."""
        room = len(self._t)
        if self._to + count <= room:
            return
        keep = int(np.searchsorted(self.times, self._t[self._to - 1] - self._keep_us))
        keep = max(keep, self._to - self._from + count - room)
        low, size = self._from + keep, self._to - self._from - keep
        for array in (self._t, self._v, self._q):
            array[:size] = array[low : self._to].copy()
        self._from, self._to = 0, size

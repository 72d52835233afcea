"""Limits only tighten: which of several counts, and whether samples keep it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core.model.block import Provenance, SampleBlock
from core.model.limits import Limit, LimitOwner
from core.signals.catalogue import Catalogue

PRIORITIES = ("low", "medium", "high")
SILENT_S = 3.0
SILENT_PERIODS = 3
_RANK = {LimitOwner.PATIENT: 0, LimitOwner.CLINICIAN: 1, LimitOwner.PROTOCOL: 2, LimitOwner.DEVICE: 3}


def limit_fault(limit: Limit, channels: Catalogue) -> str:
    """What is wrong with a limit; empty when it is sound."""
    if limit.channel not in channels:
        return "names no known channel"
    if limit.low is None and limit.high is None:
        return "bounds nothing"
    if limit.low is not None and limit.high is not None and limit.low >= limit.high:
        return f"leaves no room between {limit.low:g} and {limit.high:g}"
    if limit.priority not in PRIORITIES:
        return f"has priority {limit.priority!r}, not one of low, medium, high"
    if limit.seconds < 0:
        return "waits a negative time"
    return ""


def strictest(limits: Iterable[Limit]) -> tuple[Limit, ...]:
    """The limits that count, one-sided, each with its own owner and reason.

    On each side of each channel the tightest wins; equal bounds go to patient, clinician, protocol, device in turn.
    A looser limit survives only where it does more than every tighter one: it holds where they only warn, its alarm is
    more urgent, or it waits less. So a warning at pH 6.0 never hides the hold at 5.5, nor a patient's 38 °C the
    high alarm at 39 °C.
    """
    kept: list[Limit] = []
    for limit in sorted(_sides(limits), key=_order):
        if not any(_covers(other, limit) for other in kept):
            kept.append(limit)
    return tuple(kept)


def tightest(limits: Iterable[Limit], channel: str, *, high: bool) -> Limit | None:
    """The tightest limit that holds therapy on one side of a channel; None when nothing bounds it."""
    side = [limit for limit in strictest(limits) if limit.channel == channel and limit.holds]
    side = [limit for limit in side if (limit.high if high else limit.low) is not None]
    return side[0] if side else None


def _sides(limits: Iterable[Limit]) -> list[Limit]:
    sides: list[Limit] = []
    for limit in limits:
        if limit.high is not None:
            sides.append(msgspec.structs.replace(limit, low=None))
        if limit.low is not None:
            sides.append(msgspec.structs.replace(limit, high=None))
    return sides


def _order(limit: Limit) -> tuple[str, bool, float, int, bool, int, float]:
    high = limit.high is not None
    bound = limit.high if limit.high is not None else -(limit.low or 0.0)
    return (
        limit.channel,
        high,
        bound,
        _RANK[limit.owner],
        not limit.holds,
        -PRIORITIES.index(limit.priority),
        limit.seconds,
    )


def _covers(tighter: Limit, limit: Limit) -> bool:
    """Whether `tighter`, already found at least as tight, does all that `limit` does."""
    return (
        tighter.channel == limit.channel
        and (tighter.high is None) == (limit.high is None)
        and tighter.holds >= limit.holds
        and PRIORITIES.index(tighter.priority) >= PRIORITIES.index(limit.priority)
        and tighter.seconds <= limit.seconds
    )


class Crossing(NamedTuple):
    """A limit that began to be crossed, or (`began` False) is kept again. `value` is the sample that decided."""

    limit: Limit
    value: float
    began: bool


@dataclass(slots=True)
class _Watch:
    """One one-sided limit on its way through the samples.

    Attributes:
        since_us: device time at which the present run beyond the limit began; None while the value keeps it.
    """

    limit: Limit
    margin: float
    since_us: int | None = None
    crossed: bool = False

    def rebooted(self) -> None:
        """Device time starts anew: a run beyond the limit that led to nothing yet is over."""
        if not self.crossed:
            self.since_us = None

    def concerned(self, values: npt.NDArray[np.float64]) -> bool:
        """Whether there is anything to find out: it is beyond the limit, or some of these values are."""
        if self.crossed or self.since_us is not None:
            return True
        if self.limit.high is not None:
            return bool(values.max() > self.limit.high)
        return self.limit.low is not None and bool(values.min() < self.limit.low)

    def feed(self, values: npt.NDArray[np.float64], at_us: npt.NDArray[np.int64], trusted: bool) -> list[Crossing]:
        beyond, inside = self._sides(values)
        if not trusted:
            inside = np.zeros_like(inside)
        found: list[Crossing] = []
        at = 0
        while at < len(values):
            if self.crossed:
                back = _first(inside, at)
                if back is None:
                    break
                self.crossed, self.since_us, at = False, None, back + 1
                found.append(Crossing(self.limit, float(values[back]), began=False))
                continue
            if self.since_us is None:
                start = _first(beyond, at)
                if start is None:
                    break
                self.since_us, at = int(at_us[start]), start
            end = _first(~beyond, at) if trusted else None
            long = _first(beyond & (at_us - self.since_us >= self.limit.seconds * 1e6), at)
            if long is not None and (end is None or long < end):
                self.crossed, at = True, long + 1
                found.append(Crossing(self.limit, float(values[long]), began=True))
            elif end is None:
                break
            else:
                self.since_us, at = None, end + 1
        return found

    def _sides(self, values: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Which values are beyond the limit, and which are back inside by the margin."""
        if self.limit.high is not None:
            return values > self.limit.high, values <= self.limit.high - self.margin
        low = self.limit.low if self.limit.low is not None else -np.inf
        return values < low, values >= low + self.margin


@dataclass(slots=True)
class _Seen:
    """When a channel spoke last.

    Attributes:
        at: local monotonic time, s.
        last_us: device time of the last sample that was judged.
        patience: how long it may be silent, s.
    """

    at: float
    boot: int
    last_us: int
    patience: float


class LimitMonitor:
    """Judges live samples against limits.

    A value must stay beyond a limit for the limit's `seconds` (of device time), and must come back inside by 2 % of the
    channel's range to count as kept again, so that noise on the edge is one crossing. A suspect sample can cross a
    limit but never clear one. Back-filled samples tell of the past and are not judged.
    """

    MARGIN = 0.02

    def __init__(self, limits: Iterable[Limit], catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._watches: dict[str, list[_Watch]] = {}
        self._seen: dict[str, _Seen] = {}
        self.set_limits(limits)

    def set_limits(self, limits: Iterable[Limit]) -> None:
        """Watch these from now on; a limit that was watched already keeps what is known of it."""
        known = {watch.limit: watch for watches in self._watches.values() for watch in watches}
        self._watches = {}
        for limit in strictest(limits):
            spec = self._catalogue.key(limit.channel)
            watch = known.get(limit) or _Watch(limit, self.MARGIN * (spec.high - spec.low))
            self._watches.setdefault(limit.channel, []).append(watch)

    def feed(self, block: SampleBlock, at_monotonic: float) -> list[Crossing]:
        """Judge a block that arrived at `at_monotonic`, s; what it crossed and what it cleared, in order of time."""
        spec = self._catalogue.number(block.channel)
        if spec is None or block.provenance in (Provenance.BACKFILLED, Provenance.LOST, Provenance.IMPORTED):
            return []
        seen = self._seen.get(spec.key)
        rebooted = seen is not None and seen.boot != block.boot
        skip = 0
        if seen is not None and not rebooted:
            # Judge each moment once, whatever order blocks come in. A moment, not a period: a sensor that sends a
            # little faster than its period says would otherwise never be judged again.
            skip = min(len(block.samples), max(0, (seen.last_us - block.start_us) // block.period_us + 1))
        last_us = block.end_us - block.period_us
        if seen is not None and not rebooted:
            last_us = max(last_us, seen.last_us)
        patience = SILENT_PERIODS * block.period_us / 1e6
        patience = math.inf if spec.occasional else max(SILENT_S, patience)
        self._seen[spec.key] = _Seen(at_monotonic, block.boot, last_us, patience)
        watches = self._watches.get(spec.key, ())
        if not watches or skip == len(block.samples):
            return []
        values = block.samples[skip:].astype(np.float64) * spec.scale + spec.offset
        if rebooted:
            for watch in watches:
                watch.rebooted()
        concerned = [watch for watch in watches if watch.concerned(values)]
        if not concerned:
            return []
        at_us = block.start_us + (np.arange(skip, len(block.samples), dtype=np.int64)) * block.period_us
        found: list[Crossing] = []
        for watch in concerned:
            found += watch.feed(values, at_us, trusted=block.provenance is not Provenance.SUSPECT)
        return found

    def tick(self, at_monotonic: float) -> tuple[str, ...]:
        """Keys of the channels that spoke once and are silent now: nothing for 3 s, or 3 periods if that is longer.

        Channels that are measured now and then are never silent.
        """
        return tuple(key for key, seen in self._seen.items() if at_monotonic - seen.at > seen.patience)

    def forget(self, *channels: str) -> None:
        """Expect nothing of these channels any more: their device was taken away on purpose. A crossing stays."""
        for key in channels:
            self._seen.pop(key, None)

    def crossed(self) -> tuple[Limit, ...]:
        """The limits that are crossed now."""
        return tuple(watch.limit for watches in self._watches.values() for watch in watches if watch.crossed)

    def quiet(self, at_monotonic: float) -> bool | None:
        """Whether therapy may run as far as limits go.

        False when a limit that holds therapy is crossed; None (not known) when a channel that has one is silent, or was
        never heard although the hub measures it; True otherwise. Limits that only warn do not count.
        """
        holding = {key for key, watches in self._watches.items() if any(watch.limit.holds for watch in watches)}
        if any(limit.holds for limit in self.crossed()):
            return False
        silent = set(self.tick(at_monotonic))
        unheard = {key for key in holding - set(self._seen) if self._catalogue.key(key).source == "hub"}
        return None if holding & silent or unheard else True


def _first(mask: npt.NDArray[np.bool_], start: int) -> int | None:
    """Index of the first True at or after `start`."""
    rest = mask[start:]
    index = int(np.argmax(rest)) if len(rest) else 0
    return start + index if len(rest) and rest[index] else None

"""Whether what a hub says can be true: values heard before, values that stand still, energy that tells another dose.

Each detector is fed live blocks and says what it found; what that means is for the engine to decide. They know nothing
of how a hub is made, and never see more than the hub sends.
"""

from collections import deque
from collections.abc import Iterable
from functools import cache
from typing import Final, NamedTuple, Protocol

import msgspec
import numpy as np

from core.model.block import Provenance, SampleBlock
from core.model.datafile import parse, read_resource
from core.signals.catalogue import Catalogue

_BASE: Final = np.uint64(0x9E37_79B9_7F4A_7C15)
_FLAT: Final = 1
"""A stretch of one value is no fingerprint."""


class RepeatedRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fingerprints are taken of `gram` samples at about one place in `one_in`; `matches` of them are a recording."""

    channels: tuple[str, ...]
    gram: int
    one_in: int
    matches: int
    within_s: float
    memory_s: float


class FrozenRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    channels: tuple[str, ...]
    seconds: float


class DoseRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Energy at rest and at full dose, percentage points a second; fitted over `span_s`."""

    energy: str
    gain_at_rest: float
    use_at_full: float
    span_s: float
    tolerance_percent: float


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    repeated: RepeatedRule
    frozen: FrozenRule
    dose: DoseRule


class Finding(NamedTuple):
    """What does not fit. `kind`: `repeated`, `frozen` or `dose`; `channel`: where it showed."""

    kind: str
    channel: str


class Detector(Protocol):
    def feed(self, block: SampleBlock) -> Finding | None:
        """Look at a block that is new; what it shows, each time that it shows it."""
        ...


class RepeatedDetector:
    """Finds a stretch of noise that was heard before, wherever it begins: what is replayed is old."""

    def __init__(self, rule: RepeatedRule, channel: str, rate_hz: float) -> None:
        self._rule = rule
        self._channel = channel
        self._kept = round(rule.memory_s * rate_hz / rule.one_in)
        self._within = round(rule.within_s * rate_hz)
        self._rest = np.zeros(0, np.int16)
        self._next = (-1, 0)
        self._seen: dict[int, int] = {}
        self._order: deque[int] = deque()
        self._matches: deque[tuple[int, int]] = deque()
        self._count = 0
        self._steps = np.arange(rule.gram)
        self._weights = _BASE ** self._steps.astype(np.uint64)

    def feed(self, block: SampleBlock) -> Finding | None:
        if (block.boot, block.first_index) != self._next:
            self._rest = np.zeros(0, np.int16)
        self._next = (block.boot, block.end_index)
        samples = np.concatenate([self._rest, block.samples])
        gram = self._rule.gram
        if len(samples) < gram:
            self._rest = samples
            return None
        self._rest = samples[len(samples) - gram + 1 :]
        hashes = np.correlate(samples.astype(np.int64).view(np.uint64), self._weights, "valid")
        places = np.flatnonzero((hashes >> np.uint64(32)) % np.uint64(self._rule.one_in) == 0)
        found = None
        if len(places):
            stretches = samples[places[:, None] + self._steps].astype(np.int32)
            told = places[stretches.max(axis=1) - stretches.min(axis=1) > _FLAT]
            for mark, place in zip(hashes[told].tolist(), told.tolist(), strict=True):
                if self._known(mark, self._count + place):
                    found = Finding("repeated", self._channel)
        self._count += len(hashes)
        return found

    def _known(self, mark: int, at: int) -> bool:
        """Whether this fingerprint completes a run of those that stood just so far apart before."""
        before = self._seen.get(mark)
        self._remember(mark, at)
        if before is None:
            return False
        distance = at - before
        self._matches.append((at, distance))
        while self._matches[0][0] < at - self._within:
            self._matches.popleft()
        return sum(other == distance for _, other in self._matches) >= self._rule.matches

    def _remember(self, mark: int, at: int) -> None:
        if mark not in self._seen:
            self._order.append(mark)
        self._seen[mark] = at
        if len(self._order) > self._kept:
            del self._seen[self._order.popleft()]


class FrozenDetector:
    """Finds a channel that says the very same value for longer than its sensor can."""

    def __init__(self, rule: FrozenRule, channel: str) -> None:
        self._rule = rule
        self._channel = channel
        self._value: int | None = None
        self._since_us = 0
        self._boot = -1

    def feed(self, block: SampleBlock) -> Finding | None:
        last = block.samples[-1]
        others = np.flatnonzero(block.samples != last)
        if len(others):
            self._since_us = block.start_us + (int(others[-1]) + 1) * block.period_us
        elif self._value != int(last) or self._boot != block.boot:
            self._since_us = block.start_us
        self._value, self._boot = int(last), block.boot
        stood_us = block.end_us - self._since_us
        return Finding("frozen", self._channel) if stood_us >= self._rule.seconds * 1e6 else None


class DoseDetector:
    """Finds dose that nobody ordered, by what the swarm's energy tells.

    Attributes:
        ordered: dose that may be delivered now, %; set by whoever knows.
    """

    def __init__(self, rule: DoseRule, spec_scale: float, spec_offset: float, rate_hz: float) -> None:
        self._rule = rule
        self._scale, self._offset = spec_scale, spec_offset
        self._span = max(3, round(rule.span_s * rate_hz))
        self._points: deque[tuple[float, float, float]] = deque(maxlen=self._span)
        self._boot = -1
        self.ordered = 0.0

    def feed(self, block: SampleBlock) -> Finding | None:
        if block.boot != self._boot:
            self._points.clear()
            self._boot = block.boot
        for place, raw in enumerate(block.samples):
            at_s = (block.start_us + place * block.period_us) / 1e6
            self._points.append((at_s, float(raw) * self._scale + self._offset, self.ordered))
        if len(self._points) < self._span or self._points[-1][0] - self._points[0][0] > 2 * self._rule.span_s:
            return None
        told, ordered = self.told_percent(), self._mean_ordered()
        return Finding("dose", self._rule.energy) if told - ordered > self._rule.tolerance_percent else None

    def told_percent(self) -> float:
        """Mean dose over the span, %, as the energy tells it."""
        points = np.asarray(self._points, dtype=np.float64)
        times, energy = points[:, 0] - points[:, 0].mean(), points[:, 1]
        slope = float((times * energy).sum() / (times * times).sum())
        return 100.0 * (self._rule.gain_at_rest - slope) / (self._rule.gain_at_rest + self._rule.use_at_full)

    def _mean_ordered(self) -> float:
        return sum(ordered for *_, ordered in self._points) / len(self._points)


class Detectors:
    """All of them, for one hub. Only live blocks are judged, each sample once, in the order of its channel."""

    def __init__(self, catalogue: Catalogue, rules: Rules | None = None) -> None:
        rules = rules or load_rules()
        self._by_channel: dict[int, list[Detector]] = {}
        self._last: dict[int, tuple[int, int]] = {}
        energy = catalogue.key(rules.dose.energy)
        self._dose = DoseDetector(rules.dose, energy.scale, energy.offset, energy.rate_hz)
        self._by_channel[energy.number] = [self._dose]
        for key in rules.repeated.channels:
            spec = catalogue.key(key)
            self._add(spec.number, RepeatedDetector(rules.repeated, key, spec.rate_hz))
        for key in rules.frozen.channels:
            self._add(catalogue.key(key).number, FrozenDetector(rules.frozen, key))

    def order(self, dose_percent: float) -> None:
        """So much dose may be delivered from now on; 0 for none."""
        self._dose.ordered = dose_percent

    def feed(self, blocks: Iterable[SampleBlock]) -> tuple[Finding, ...]:
        """What new live blocks show, each finding once."""
        found: dict[Finding, None] = {}
        for block in blocks:
            detectors = self._by_channel.get(block.channel)
            if detectors is None or block.provenance is not Provenance.LIVE or not self._is_next(block):
                continue
            for detector in detectors:
                finding = detector.feed(block)
                if finding is not None:
                    found[finding] = None
        return tuple(found)

    def _add(self, number: int, detector: Detector) -> None:
        self._by_channel.setdefault(number, []).append(detector)

    def _is_next(self, block: SampleBlock) -> bool:
        before = self._last.get(block.channel)
        here = (block.boot, block.end_index)
        if before is not None and here <= before:
            return False
        self._last[block.channel] = here
        return True


@cache
def load_rules() -> Rules:
    """The rules of `resources/detectors.toml`. Raises DataError, naming file and line."""
    return parse(read_resource("detectors.toml"), "detectors.toml", Rules)

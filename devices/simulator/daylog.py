"""A day in the hub's own words: how long it was worn, what acid the teeth met, what each channel read, what happened.

Pure and cheap: blocks are only put aside on each tick and looked at once a second, channel by channel.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from core.model.block import SampleBlock, Samples
from core.signals.catalogue import Catalogue

ACID_PH: Final = 5.5
"""Critical pH of enamel, 5.02-5.81 as computed: Dawes 2003; Nakashima 2014."""
ACID_OVER_PH: Final = 5.7
"""An attack is over here, so that one that lingers at the border counts once."""
WORN_C: Final = 30.0
"""Tissue temperature from which the hub takes itself to be in a mouth. Illustrative."""
CLENCH_N: Final = 100.0
"""Force that counts as clenching; illustrative, as are the two that follow."""
CLENCH_S: Final = 1.0
CLENCH_GAP_S: Final = 0.25
"""Shorter pauses do not end an episode; those between chewing strokes are longer."""
SILENT_S: Final = 30.0
SILENT_PERIODS: Final = 3
"""A sensor is silent after so many periods, and no sooner than `SILENT_S`."""
BATTERY_LOW: Final = 15
BATTERY_GOOD: Final = 20
CAPACITY: Final = 512
"""Events that a day holds."""
_SECOND_US: Final = 1_000_000


class DayEventKind(StrEnum):
    """What may happen. The remarks name what `DayEvent.value` means."""

    ACID_BEGAN = "acid_began"
    """pH then."""
    ACID_ENDED = "acid_ended"
    """Lowest pH."""
    CLENCH = "clench"
    """Peak, N."""
    SENSOR_SILENT = "sensor_silent"
    SENSOR_BACK = "sensor_back"
    BATTERY_LOW = "battery_low"
    """%."""
    TAKEN_OUT = "taken_out"
    PUT_IN = "put_in"


@dataclass(frozen=True, slots=True)
class DayEvent:
    """One thing that happened.

    Attributes:
        at_us: hub time at which it began.
        seconds: how long it lasted; 0 for what has no length.
        channel: wire number, 0 for none.
        tooth: FDI number of the tooth that was hit worst, 0 for none.
    """

    kind: DayEventKind
    at_us: int
    value: float = 0.0
    seconds: float = 0.0
    channel: int = 0
    tooth: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """What one channel read, raw: physical = raw × scale + offset; the mean is `total / count`."""

    count: int
    low: int
    high: int
    total: int


@dataclass(frozen=True, slots=True)
class Day:
    """One day, or what there is of it.

    Attributes:
        began_us, ended_us: hub time.
        worn_s: in the mouth.
        acid_s: with plaque of any tooth below pH 5.5.
        tooth_acid_s: the same for each tooth, by FDI number.
        attacks: acid attacks that began.
        tallies: by channel number; a channel without samples is left out.
        events: in order of their end, the first `CAPACITY`.
        left_out: events beyond those.
    """

    began_us: int
    ended_us: int
    worn_s: float
    acid_s: float
    tooth_acid_s: dict[int, float]
    attacks: int
    tallies: dict[int, Tally]
    events: tuple[DayEvent, ...]
    left_out: int


@dataclass(slots=True)
class _Sum:
    """One channel, on the way to its tally."""

    number: int
    patience_us: int
    heard_us: int
    waiting: list[Samples] = field(default_factory=list)
    silent_since_us: int = -1
    count: int = 0
    low: int = 0
    high: int = 0
    total: int = 0

    def settle(self) -> Samples | None:
        """Count what waited; it, or None when there was nothing."""
        if not self.waiting:
            return None
        samples = self.waiting[0] if len(self.waiting) == 1 else np.concatenate(self.waiting)
        self.waiting = []
        low, high = int(samples.min()), int(samples.max())
        self.low = min(low, self.low) if self.count else low
        self.high = max(high, self.high) if self.count else high
        self.count += len(samples)
        self.total += int(samples.sum(dtype=np.int64))
        return samples


class DayLog:
    """Counts a day up. The hub has no calendar: whoever closes a day says when it ends."""

    def __init__(self, catalogue: Catalogue, teeth: tuple[int, ...], now_us: int = 0) -> None:
        specs = catalogue.from_source("hub")
        self._teeth = teeth
        self._sums = {
            spec.number: _Sum(spec.number, max(round(SILENT_S * _SECOND_US), SILENT_PERIODS * spec.period_us), now_us)
            for spec in specs
        }
        by_key = {spec.key: spec for spec in specs}
        tissue, force = by_key.get("tissue_temperature"), by_key.get("bite_force")
        self._tissue = tissue.number if tissue else -1
        self._warm = round((WORN_C - tissue.offset) / tissue.scale) if tissue else 0
        self._clenches = _Clenches(force.number, force.offset, force.scale, force.period_us) if force else None
        self._now_us = self._settled_us = now_us
        self._worn = True
        self._attack_us = -1
        self._attack_ph = 0.0
        self._attack_tooth = 0
        self._battery_low = False
        self._begin(now_us)

    def feed(
        self, now_us: int, blocks: list[SampleBlock], plaque_ph: npt.NDArray[np.float64], battery_percent: int
    ) -> None:
        """Take what one tick made.

        Args:
            now_us: hub time at its end.
            plaque_ph: pH on each of the teeth, shape (teeth,).
        """
        for block in blocks:
            one = self._sums.get(block.channel)
            if one is not None:
                one.waiting.append(block.samples)
                one.heard_us = block.end_us
                if self._clenches is not None and block.channel == self._clenches.channel:
                    self._clenches.feed(block.first_index, block.samples)
        self._now_us = now_us
        if now_us - self._settled_us >= _SECOND_US:
            self._settle(plaque_ph, battery_percent)

    def close(self, plaque_ph: npt.NDArray[np.float64], battery_percent: int) -> Day:
        """The day up to now; the next one begins. What goes on then goes on in it: an attack is counted in one day."""
        self._settle(plaque_ph, battery_percent)
        day = Day(
            began_us=self._began_us,
            ended_us=self._now_us,
            worn_s=self._worn_us / _SECOND_US,
            acid_s=self._acid_us / _SECOND_US,
            tooth_acid_s=dict(zip(self._teeth, (self._tooth_acid_us / _SECOND_US).tolist(), strict=True)),
            attacks=self._attacks,
            tallies={
                one.number: Tally(one.count, one.low, one.high, one.total) for one in self._sums.values() if one.count
            },
            events=tuple(self._events),
            left_out=self._left_out,
        )
        for one in self._sums.values():
            one.count = one.total = 0
        self._begin(self._now_us)
        return day

    def _begin(self, now_us: int) -> None:
        self._began_us = now_us
        self._worn_us = 0
        self._acid_us = 0
        self._tooth_acid_us = np.zeros(len(self._teeth))
        self._attacks = 0
        self._events: list[DayEvent] = []
        self._left_out = 0

    def _settle(self, plaque_ph: npt.NDArray[np.float64], battery_percent: int) -> None:
        passed, self._settled_us = self._now_us - self._settled_us, self._now_us
        read = {one.number: one.settle() for one in self._sums.values()}
        self._wearing(read.get(self._tissue), passed)
        if self._worn:
            self._acid(plaque_ph, passed)
        self._silence()
        if self._clenches is not None:
            for event in self._clenches.over(self._now_us):
                self._note(event)
        self._battery(battery_percent)

    def _wearing(self, tissue: Samples | None, passed: int) -> None:
        """In the mouth or not, by warmth; nothing new without a sample."""
        if tissue is not None:
            worn = int(tissue[-1]) >= self._warm
            if worn != self._worn:
                self._note(DayEvent(DayEventKind.PUT_IN if worn else DayEventKind.TAKEN_OUT, self._now_us))
            self._worn = worn
        if self._worn:
            self._worn_us += passed

    def _acid(self, plaque_ph: npt.NDArray[np.float64], passed: int) -> None:
        sour = plaque_ph < ACID_PH
        worst = int(plaque_ph.argmin())
        lowest = float(plaque_ph[worst])
        if lowest < ACID_PH:
            self._tooth_acid_us += passed * sour
            self._acid_us += passed
        if self._attack_us < 0 and lowest < ACID_PH:
            self._attacks += 1
            self._attack_us, self._attack_ph, self._attack_tooth = self._now_us, lowest, self._teeth[worst]
            self._note(DayEvent(DayEventKind.ACID_BEGAN, self._now_us, lowest, tooth=self._attack_tooth))
        elif self._attack_us >= 0 and lowest < self._attack_ph:
            self._attack_ph, self._attack_tooth = lowest, self._teeth[worst]
        elif self._attack_us >= 0 and lowest >= ACID_OVER_PH:
            seconds = (self._now_us - self._attack_us) / _SECOND_US
            self._note(
                DayEvent(DayEventKind.ACID_ENDED, self._attack_us, self._attack_ph, seconds, tooth=self._attack_tooth)
            )
            self._attack_us = -1

    def _silence(self) -> None:
        """Which sensors fell silent or came back; out of the mouth silence says nothing."""
        for one in self._sums.values():
            if not self._worn:
                one.heard_us = max(one.heard_us, self._now_us)
            quiet = self._now_us - one.heard_us > one.patience_us
            if quiet and one.silent_since_us < 0:
                one.silent_since_us = one.heard_us
                self._note(DayEvent(DayEventKind.SENSOR_SILENT, one.heard_us, channel=one.number))
            elif not quiet and one.silent_since_us >= 0:
                seconds = (self._now_us - one.silent_since_us) / _SECOND_US
                self._note(DayEvent(DayEventKind.SENSOR_BACK, self._now_us, seconds=seconds, channel=one.number))
                one.silent_since_us = -1

    def _battery(self, percent: int) -> None:
        """Low once, until it was charged."""
        if not self._battery_low and percent < BATTERY_LOW:
            self._battery_low = True
            self._note(DayEvent(DayEventKind.BATTERY_LOW, self._now_us, float(percent)))
        elif percent >= BATTERY_GOOD:
            self._battery_low = False

    def _note(self, event: DayEvent) -> None:
        if len(self._events) < CAPACITY:
            self._events.append(event)
        else:
            self._left_out += 1


class _Clenches:
    """Finds episodes of clenching in the bite force, by sample index."""

    def __init__(self, channel: int, offset: float, scale: float, period_us: int) -> None:
        self.channel = channel
        self._offset = offset
        self._scale = scale
        self._period_us = period_us
        self._enough = round((CLENCH_N - offset) / scale)
        self._gap = round(CLENCH_GAP_S * _SECOND_US / period_us)
        self._open = False
        self._first = self._last = 0
        self._peak = 0
        self._found: list[DayEvent] = []

    def feed(self, first_index: int, samples: Samples) -> None:
        if samples.max() < self._enough:
            return
        hits = np.flatnonzero(samples >= self._enough)
        runs = np.split(hits, np.flatnonzero(np.diff(hits) > self._gap) + 1)
        for run in runs:
            begin, end = first_index + int(run[0]), first_index + int(run[-1])
            if self._open and begin - self._last > self._gap:
                self._finish()
            if not self._open:
                self._open, self._first, self._peak = True, begin, 0
            self._last = end
            self._peak = max(self._peak, int(samples[run].max()))

    def over(self, now_us: int) -> list[DayEvent]:
        """The episodes that ended since the last call."""
        if self._open and now_us // self._period_us - self._last > self._gap:
            self._finish()
        found, self._found = self._found, []
        return found

    def _finish(self) -> None:
        self._open = False
        seconds = (self._last - self._first + 1) * self._period_us / _SECOND_US
        if seconds >= CLENCH_S:
            peak = self._peak * self._scale + self._offset
            self._found.append(
                DayEvent(DayEventKind.CLENCH, self._first * self._period_us, peak, seconds, channel=self.channel)
            )

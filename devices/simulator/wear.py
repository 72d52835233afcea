"""What a hub keeps of the time between visits: a summary for each day, and events."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec
import numpy as np

from core.model.block import SampleBlock, Samples
from core.model.wear import ChannelDay, DaySummary, EventKind, HubEvent
from core.signals.catalogue import Catalogue
from devices.hub.session.wire import DAYS_KEPT
from devices.simulator.store import Store

DAY_S: Final = 86_400
_SECOND_US: Final = 1_000_000
_SAVED_EACH_S: Final = 60
"""Hub seconds between savings of the summaries. Seconds since then are kept one by one."""
_ACID_PH: Final = 5.5
_WORN_C: Final = 30.0
_CLENCH_N: Final = 200.0
"""Bite force that counts as clenching; illustrative."""
_SILENT_PERIODS: Final = 3
_SILENT_US: Final = 3 * _SECOND_US


class WearLog(Protocol):
    """What the hub's desk asks of whoever looks after the time between visits."""

    def add(self, blocks: Sequence[SampleBlock], now_us: int) -> None:
        """What was sampled in one tick, and the hub time at its end."""
        ...

    def note(self, kind: EventKind, value: int) -> None:
        """An event, now."""
        ...

    def days(self, first: int, count: int) -> list[DaySummary]:
        """The summaries of these days (since 1970, UTC), of those on which it was worn; ascending."""
        ...

    def events(self, first: int, count: int) -> list[HubEvent]:
        """The events with these numbers that are held, ascending."""
        ...

    @property
    def oldest_event(self) -> int: ...

    @property
    def next_event(self) -> int: ...

    def save(self) -> None:
        """Write what is not written yet."""
        ...

    def forget(self) -> None:
        """Forget everything but the numbering of events."""
        ...


class _Second(msgspec.Struct, frozen=True):
    """One second of wear, of which no summary tells yet. `summary`: its day is not known, 0."""

    boot: int
    hub_time_us: int
    summary: DaySummary


class DayCounter:
    """A simple one. Until TIME came, a boot's samples wait for a day to belong to, and a power loss takes them."""

    def __init__(self, store: Store, catalogue: Catalogue, boot: int) -> None:
        self._store = store
        self._boot = boot
        summaries = store.summaries()
        self._days = {day.day: day for day in summaries.days}
        self._senses = _Senses(catalogue)
        self._gathered: dict[int, list[Samples]] = defaultdict(list)
        self._waiting = _empty(0)
        self._now_us = self._second = self._saved_s = 0
        self._count_up(summaries.counted)

    @property
    def oldest_event(self) -> int:
        return self._store.events.oldest

    @property
    def next_event(self) -> int:
        return self._store.events.next

    def add(self, blocks: Sequence[SampleBlock], now_us: int) -> None:
        self._now_us = now_us
        for block in blocks:
            self._gathered[block.channel].append(block.samples)
            self._senses.felt(block)
        if now_us // _SECOND_US > self._second:
            self._second = now_us // _SECOND_US
            self._close_second()
        if self._second - self._saved_s >= _SAVED_EACH_S:
            self.save()

    def note(self, kind: EventKind, value: int) -> None:
        event = HubEvent(
            number=self.next_event,
            utc_s=self._utc_s(self._boot, self._now_us),
            boot=self._boot,
            hub_time_us=self._now_us,
            kind=kind,
            value=value,
        )
        events, state = self._store.events, self._store.state
        if len(events) >= events.keep and events.oldest >= state.events_told:
            state.events_dropped += 1
            self._store.save()
        events.append([msgspec.json.encode(event)])

    def days(self, first: int, count: int) -> list[DaySummary]:
        self._label()
        return [self._days[day] for day in sorted(self._days) if first <= day < first + count]

    def events(self, first: int, count: int) -> list[HubEvent]:
        raws = self._store.events.read(first, count)
        events = [msgspec.json.decode(raw, type=HubEvent) for raw in raws]
        return [
            event if event.utc_s else msgspec.structs.replace(event, utc_s=self._utc_s(event.boot, event.hub_time_us))
            for event in events
        ]

    def save(self) -> None:
        self._saved_s = self._second
        self._label()
        for day in sorted(self._days)[:-DAYS_KEPT]:
            del self._days[day]
        self._save([self._days[day] for day in sorted(self._days)])

    def forget(self) -> None:
        self._days.clear()
        self._gathered.clear()
        self._waiting = _empty(0)
        self._store.events.forget(self.next_event)
        self._store.state.events_told, self._store.state.events_dropped = self.next_event, 0
        self._store.save()
        self.save()

    def _save(self, days: list[DaySummary]) -> None:
        seconds = self._store.seconds
        self._store.save_summaries(days, seconds.oldest if self._waiting.worn_s else seconds.next)

    def _count_up(self, counted: int) -> None:
        """Seconds that a power loss left out of the summaries; those of a boot that nobody dated belong nowhere."""
        seconds = self._store.seconds
        for raw in seconds.read(counted, len(seconds)):
            second = msgspec.json.decode(raw, type=_Second)
            utc_s = self._utc_s(second.boot, second.hub_time_us)
            if utc_s:
                day = utc_s // DAY_S
                self._days[day] = _merged(self._days.get(day, _empty(day)), second.summary)
        if len(seconds):
            self.save()

    def _close_second(self) -> None:
        attacks = 0
        for kind, value in self._senses.second(self._now_us):
            self.note(kind, value)
            attacks += kind is EventKind.ACID_BEGAN
        gathered, self._gathered = self._gathered, defaultdict(list)
        if self._senses.worn:
            channels = tuple(_channel_day(channel, parts) for channel, parts in sorted(gathered.items()))
            second = DaySummary(day=0, worn_s=1, acid_s=int(self._senses.acid), attacks=attacks, channels=channels)
            self._store.seconds.append([msgspec.json.encode(_Second(self._boot, self._now_us, second))])
            self._waiting = _merged(self._waiting, second)
            self._label()

    def _label(self) -> None:
        """Give what waits to the day that it is now, if anybody told."""
        utc_s = self._utc_s(self._boot, self._now_us)
        if utc_s and self._waiting.worn_s:
            day = utc_s // DAY_S
            self._days[day] = _merged(self._days.get(day, _empty(day)), self._waiting)
            self._waiting = _empty(0)

    def _utc_s(self, boot: int, hub_time_us: int) -> int:
        began = self._store.state.began.get(boot, 0)
        return (began + hub_time_us) // _SECOND_US if began else 0


class _Senses:
    """Whether the hub is worn, whether there is acid, which sensors are silent; from the newest samples.

    Attributes:
        worn, acid: as of the last second.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._specs = {spec.number: spec for spec in catalogue.from_source("hub")}
        self._tissue = catalogue.key("tissue_temperature").number
        self._plaque = catalogue.key("plaque_ph").number
        self._bite = catalogue.key("bite_force").number
        self._peak_n = self._strongest_n = 0.0
        self._values: dict[int, float] = {}
        self._felt_us: dict[int, int] = {}
        self._silent: set[int] = set()
        self._acid_since_us = 0
        self.worn = self.acid = False

    def felt(self, block: SampleBlock) -> None:
        self._felt_us[block.channel] = block.end_us
        if block.channel in (self._tissue, self._plaque):
            spec = self._specs[block.channel]
            self._values[block.channel] = float(block.samples[-1]) * spec.scale + spec.offset
        elif block.channel == self._bite:
            spec = self._specs[block.channel]
            self._strongest_n = max(self._strongest_n, float(block.samples.max()) * spec.scale + spec.offset)

    def second(self, now_us: int) -> list[tuple[EventKind, int]]:
        """What has changed in the last second."""
        news: list[tuple[EventKind, int]] = []
        worn = self._values.get(self._tissue, 0.0) >= _WORN_C
        if worn is not self.worn:
            news.append((EventKind.PUT_IN if worn else EventKind.TAKEN_OUT, 0))
        ph = self._values.get(self._plaque, 7.0)
        acid = worn and ph < _ACID_PH
        if acid and not self.acid:
            self._acid_since_us = now_us
            news.append((EventKind.ACID_BEGAN, round(ph * 100)))
        elif self.acid and not acid:
            news.append((EventKind.ACID_ENDED, (now_us - self._acid_since_us) // _SECOND_US))
        self.worn, self.acid = worn, acid
        if self._strongest_n >= _CLENCH_N:
            self._peak_n = max(self._peak_n, self._strongest_n)
        elif self._peak_n:
            news.append((EventKind.CLENCH, round(self._peak_n)))
            self._peak_n = 0.0
        self._strongest_n = 0.0
        for channel, at_us in self._felt_us.items():
            silent = now_us - at_us > max(_SILENT_US, _SILENT_PERIODS * self._specs[channel].period_us)
            if silent is not (channel in self._silent):
                news.append((EventKind.SENSOR_SILENT if silent else EventKind.SENSOR_BACK, channel))
                (self._silent.add if silent else self._silent.discard)(channel)
        return news


def _empty(day: int) -> DaySummary:
    return DaySummary(day=day, worn_s=0, acid_s=0, attacks=0)


def _channel_day(channel: int, parts: list[Samples]) -> ChannelDay:
    samples = np.concatenate(parts)
    low, high, total = int(samples.min()), int(samples.max()), int(samples.sum(dtype=np.int64))
    return ChannelDay(channel=channel, count=len(samples), low=low, high=high, sum=total)


def _merged(day: DaySummary, more: DaySummary) -> DaySummary:
    """The day with more of it, until it is as long as a day."""
    if day.worn_s >= DAY_S:
        return day
    channels = {one.channel: one for one in day.channels}
    for one in more.channels:
        known = channels.get(one.channel)
        channels[one.channel] = (
            one
            if known is None
            else ChannelDay(
                channel=one.channel,
                count=known.count + one.count,
                low=min(known.low, one.low),
                high=max(known.high, one.high),
                sum=known.sum + one.sum,
            )
        )
    return DaySummary(
        day=day.day,
        worn_s=min(DAY_S, day.worn_s + more.worn_s),
        acid_s=min(DAY_S, day.acid_s + more.acid_s),
        attacks=day.attacks + more.attacks,
        channels=tuple(channels[channel] for channel in sorted(channels)),
    )

"""What a patient's hubs kept of the days at home, over all chair files and hubs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from core.model.wear import DAY_US, AtHome, DaySummary, EventKind, HomeDay, HomeNote, HubEvent
from core.people.at_home import change
from core.record.reader import RecordReader
from core.record.types import Reading, RecordedChannel, Turn
from core.record.wear import wearer

MAX_DAYS = 120
MAX_NOTES = 40
MEMORY_DAYS = 90
"""What a hub remembers (docs/hub-protocol.md, section 7): asked on a day, it speaks of that day and the 89 before."""
PLAQUE = "plaque_ph"
ROUTINE = frozenset(
    (
        EventKind.ACID_BEGAN,
        EventKind.ACID_ENDED,
        EventKind.CLENCH,
        EventKind.SENSOR_BACK,
        EventKind.PUT_IN,
        EventKind.TAKEN_OUT,
    )
)
"""Events that a day's figures tell of already, or that ask nothing of anybody."""


def at_home(readers: Sequence[RecordReader], patient_id: str, *, until: int | None = None) -> AtHome:
    """The newest 120 days of a patient's hubs, how acid changed with the last visit, and what staff should see.

    A hub may have been in several chairs and with several people, so `readers` must be those of all chair files: whose
    a day was follows from every visit with that hub. Of a day that two hubs or two files tell of, the one with the most
    worn time counts; of one hub it is the newest. A day later than the moment when it was read is not believed.

    Args:
        until: leave out what is later than this day, from 1970-01-01 UTC.

    Raises:
        RecordDamaged, RecordBusy: a file cannot be read; then nothing is told, for a part could be another's.
    """
    visits = {visit.id: visit.began_us // DAY_US for reader in readers for visit in reader.visits(patient_id)}
    hubs = [
        _read_hub(readers, name, turns, own)
        for name, turns in _turns(readers).items()
        if (own := {turn.visit for turn in turns if turn.visit in visits})
    ]
    found: dict[int, HomeDay] = {}
    for hub in hubs:
        for day in hub.days():
            if day.day not in found or day.worn_s > found[day.day].worn_s:
                found[day.day] = day
    for number in _bare(hubs):
        found.setdefault(number, HomeDay(day=number, worn_s=0))
    days = [found[number] for number in sorted(found) if until is None or number <= until]
    if not days:
        return AtHome()
    shown = [day for day in days if day.day > days[-1].day - MAX_DAYS]
    clenches, notes = _events(readers, hubs, {day.day for day in shown})
    return AtHome(
        days=tuple(msgspec.structs.replace(day, clenches=clenches[day.day]) for day in shown),
        visits=tuple(sorted({day for day in visits.values() if shown[0].day <= day <= shown[-1].day})),
        change=change(days, visits.values()),
        notes=tuple(notes),
    )


@dataclass(slots=True)
class _Hub:
    """A hub over all files, that the patient came with.

    Attributes:
        turns: in order of time; `own`: the patient's visits among them.
        kept: the days on which somebody wore it.
        readings: when it told of its days.
    """

    name: str
    turns: list[Turn]
    own: set[str]
    kept: dict[int, HomeDay] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)

    def mine(self, day: int) -> bool:
        return wearer(self.turns, day) in self.own

    def days(self) -> Iterator[HomeDay]:
        """On which the patient wore it."""
        for number, day in self.kept.items():
            if self.mine(number):
                whole = any(number < one.on and _began(one) <= number <= one.up_to for one in self.readings)
                yield msgspec.structs.replace(day, whole=whole)

    def bare_days(self) -> Iterator[int]:
        """Of which it would remember something had the patient worn it, and does not."""
        first = min([self.turns[0].at_us // DAY_US, *self.kept])
        over = {day for one in self.readings for day in range(max(first, _began(one)), one.up_to)}
        yield from (day for day in sorted(over.difference(self.kept)) if self.mine(day))


def _began(reading: Reading) -> int:
    """The oldest day that a hub remembers when it is read."""
    return reading.on - MEMORY_DAYS + 1


def _turns(readers: Iterable[RecordReader]) -> dict[str, list[Turn]]:
    """By hub, who came with it and when, over all files."""
    turns: dict[str, list[Turn]] = {}
    for reader in readers:
        for name, some in reader.turns().items():
            turns.setdefault(name, []).extend(some)
    return {name: sorted(some, key=lambda turn: turn.at_us) for name, some in turns.items()}


def _read_hub(readers: Iterable[RecordReader], name: str, turns: list[Turn], own: set[str]) -> _Hub:
    hub = _Hub(name, turns, own)
    for reader in readers:
        plaque = next((channel for channel in reader.channels() if channel.key == PLAQUE), None)
        for one in reader.days_read(name):
            day = one.summary
            known = hub.kept.get(day.day)
            if day.worn_s and day.day <= one.read_us // DAY_US and (known is None or day.worn_s > known.worn_s):
                hub.kept[day.day] = HomeDay(
                    day=day.day,
                    worn_s=day.worn_s,
                    acid_s=day.acid_s,
                    attacks=day.attacks,
                    lowest_ph=_lowest(plaque, day),
                )
        hub.readings += reader.readings(name)
    return hub


def _lowest(plaque: RecordedChannel | None, day: DaySummary) -> float | None:
    if plaque is None:
        return None
    return next((one.low * plaque.scale + plaque.offset for one in day.channels if one.channel == plaque.number), None)


def _bare(hubs: Sequence[_Hub]) -> Iterator[int]:
    """Days on which the patient wore none, told by the hub they had by then: one laid aside for it says nothing."""
    own = [(turn.at_us, number) for number, hub in enumerate(hubs) for turn in hub.turns if turn.visit in hub.own]
    had = [(at_us // DAY_US, number) for at_us, number in sorted(own)]
    for number, hub in enumerate(hubs):
        for day in hub.bare_days():
            newest = [which for began, which in had if began <= day]
            if (newest[-1] if newest else had[0][1]) == number:
                yield day


def _events(
    readers: Sequence[RecordReader], hubs: Iterable[_Hub], days: set[int]
) -> tuple[Counter[int], list[HomeNote]]:
    """How many clenches each of these days had, and the newest events of them that staff should see.

    An event whose time the hub was never told belongs to no day; it stays in the record.
    """
    clenches: Counter[int] = Counter()
    notes: list[HomeNote] = []
    for hub in hubs:
        events = {event.number: event for reader in readers for event in _since(reader, hub.name, min(days))}
        for event in events.values():
            day = event.utc_s * 1_000_000 // DAY_US
            if day not in days or not hub.mine(day):
                continue
            if event.kind == EventKind.CLENCH:
                clenches[day] += 1
            elif event.kind not in ROUTINE:
                notes.append(HomeNote(at_us=event.utc_s * 1_000_000, kind=event.kind, value=event.value))
    notes.sort(key=lambda note: note.at_us, reverse=True)
    return clenches, notes[:MAX_NOTES]


def _since(reader: RecordReader, hub: str, day: int) -> Iterator[HubEvent]:
    """Events from this day on, the newest first; of an older one on nothing is read."""
    for event in reader.newest_hub_events(hub):
        if event.utc_s and event.utc_s * 1_000_000 < day * DAY_US:
            return
        yield event

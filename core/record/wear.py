"""What a hub kept between visits, as the record holds it: days, events, and who wore it when."""

from collections.abc import Callable, Iterator, Sequence

from core.model import cbor
from core.model.wear import DAY_US, DaySummary, HubEvent
from core.record.sqlcipher import CipherFile
from core.record.types import DayRead, HubWear, Reading, Turn
from core.record.versions import read_cbor

EVENTS_AT_ONCE = 512


class WearBook:
    """Writes; `source` gives the id of a source by its name."""

    def __init__(self, file: CipherFile, source: Callable[[str], int]) -> None:
        self._file = file
        self._source = source

    def add(self, source: str, days: Sequence[DaySummary], events: Sequence[HubEvent], read_us: int) -> None:
        identity = self._source(source)
        known = {one.summary.day: one.summary for one in days_of(self._file, source)}
        self._file.many(
            "INSERT INTO hub_day (source, day, read_us, body) VALUES (?, ?, ?, ?)",
            [(identity, day.day, read_us, cbor.encode(day)) for day in days if known.get(day.day) != day],
        )
        self._file.many(
            "INSERT OR IGNORE INTO hub_event (source, number, body) VALUES (?, ?, ?)",
            [(identity, event.number, cbor.encode(event)) for event in events],
        )

    def worn(self, source: str, visit_id: str, at_us: int) -> None:
        self._file.execute(
            "INSERT OR IGNORE INTO worn (source, visit, at_us) VALUES (?, ?, ?)",
            (self._source(source), visit_id, at_us),
        )


def days_of(file: CipherFile, source: str) -> list[DayRead]:
    """The newest summary of each day of a hub, in order of days."""
    sql = (
        "SELECT body, read_us, max(hub_day.id) FROM hub_day JOIN source ON source.id = source "
        "WHERE name = ? GROUP BY day ORDER BY day"
    )
    return [DayRead(read_cbor(row[0], DaySummary), row[1]) for row in file.rows(sql, (source,))]


def readings(file: CipherFile, source: str) -> list[Reading]:
    """When summaries of a hub were read and brought news, in order."""
    sql = (
        f"SELECT read_us / {DAY_US} AS read, max(day) FROM hub_day JOIN source ON source.id = source "
        f"WHERE name = ? AND day <= read_us / {DAY_US} GROUP BY read ORDER BY read"
    )
    return [Reading(*row) for row in file.rows(sql, (source,))]


def events_of(file: CipherFile, source: str) -> list[HubEvent]:
    """Every event of a hub, in its order."""
    sql = "SELECT body FROM hub_event JOIN source ON source.id = source WHERE name = ? ORDER BY number"
    return [read_cbor(row[0], HubEvent) for row in file.rows(sql, (source,))]


def newest_events(file: CipherFile, source: str) -> Iterator[HubEvent]:
    """Events of a hub, the newest first; what nobody takes is not read."""
    sql = (
        "SELECT body FROM hub_event JOIN source ON source.id = source WHERE name = ? AND number < ? "
        f"ORDER BY number DESC LIMIT {EVENTS_AT_ONCE}"
    )
    below = 1 << 62
    while rows := file.rows(sql, (source, below)):
        for row in rows:
            event = read_cbor(row[0], HubEvent)
            below = event.number
            yield event


def turns_of(file: CipherFile) -> dict[str, list[Turn]]:
    """By hub, who came with it and when, in order."""
    sql = "SELECT name, at_us, visit FROM worn JOIN source ON source.id = source ORDER BY name, at_us, worn.id"
    turns: dict[str, list[Turn]] = {}
    for name, at_us, visit in file.rows(sql):
        turns.setdefault(name, []).append(Turn(at_us, visit))
    return turns


def wearer(turns: Sequence[Turn], day: int) -> str | None:
    """The visit whose patient a day of a hub belongs to; None while nobody came with it.

    It is that of the newest visit up to that day; what lies before the first one is of the one who came with it then.
    """
    visit = turns[0].visit if turns else None
    for turn in turns:
        if turn.at_us // DAY_US <= day:
            visit = turn.visit
    return visit


def days_worn_by(file: CipherFile, visits: Sequence[str]) -> dict[str, list[DaySummary]]:
    """By hub, the days that belong to a patient with these visits, as far as this file knows."""
    own = set(visits)
    found: dict[str, list[DaySummary]] = {}
    for name, turns in turns_of(file).items():
        if own.isdisjoint(turn.visit for turn in turns):
            continue
        days = [one.summary for one in days_of(file, name) if wearer(turns, one.summary.day) in own]
        if days:
            found[name] = days
    return found


def wear_info(file: CipherFile) -> list[HubWear]:
    """What there is of each hub, in the order in which the record met them; hubs with nothing are left out."""
    sql = (
        "SELECT name, (SELECT count(DISTINCT day) FROM hub_day WHERE source = s.id), "
        "(SELECT min(day) FROM hub_day WHERE source = s.id), (SELECT max(day) FROM hub_day WHERE source = s.id), "
        "(SELECT count(*) FROM hub_event WHERE source = s.id), "
        "(SELECT count(*) FROM hub_journal WHERE source = s.id) FROM source s ORDER BY s.id"
    )
    return [
        HubWear(name, days, (first, last) if days else None, events, journal)
        for name, days, first, last, events, journal in file.rows(sql)
        if days or events or journal
    ]

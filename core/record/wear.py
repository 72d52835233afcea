"""What a hub kept between visits, as the record holds it: days, events, and who wore it when."""

from collections.abc import Callable, Sequence

from core.model import cbor
from core.model.wear import DaySummary, HubEvent
from core.record.sqlcipher import CipherFile
from core.record.versions import read_cbor

DAY_US = 86_400_000_000


class WearBook:
    """Writes; `source` gives the id of a source by its name."""

    def __init__(self, file: CipherFile, source: Callable[[str], int]) -> None:
        self._file = file
        self._source = source

    def add(self, source: str, days: Sequence[DaySummary], events: Sequence[HubEvent], read_us: int) -> None:
        identity = self._source(source)
        known = {day.day: day for day in days_of(self._file, source)}
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


def days_of(file: CipherFile, source: str) -> list[DaySummary]:
    """The newest summary of each day of a hub, in order of days."""
    sql = (
        "SELECT body, max(hub_day.id) FROM hub_day JOIN source ON source.id = source "
        "WHERE name = ? GROUP BY day ORDER BY day"
    )
    return [read_cbor(row[0], DaySummary) for row in file.rows(sql, (source,))]


def events_of(file: CipherFile, source: str) -> list[HubEvent]:
    """Every event of a hub, in its order."""
    sql = "SELECT body FROM hub_event JOIN source ON source.id = source WHERE name = ? ORDER BY number"
    return [read_cbor(row[0], HubEvent) for row in file.rows(sql, (source,))]


def days_worn_by(file: CipherFile, visits: Sequence[str]) -> dict[str, list[DaySummary]]:
    """By hub, the days that belong to a patient with these visits.

    A day is of whoever wore the hub in the newest visit up to that day; what lies before its first visit is of the one
    who came with it then.
    """
    own = set(visits)
    found: dict[str, list[DaySummary]] = {}
    sql = "SELECT name, visit, at_us FROM worn JOIN source ON source.id = source ORDER BY name, at_us, worn.id"
    wearers: dict[str, list[tuple[int, bool]]] = {}
    for name, visit, at_us in file.rows(sql):
        wearers.setdefault(name, []).append((at_us // DAY_US, visit in own))
    for name, turns in wearers.items():
        if not any(mine for _, mine in turns):
            continue
        days = [day for day in days_of(file, name) if _wearer(turns, day.day)]
        if days:
            found[name] = days
    return found


def _wearer(turns: Sequence[tuple[int, bool]], day: int) -> bool:
    """Whether the day is ours: that of the last turn that began on it or before, or of the first."""
    newest = turns[0][1]
    for began, mine in turns:
        if began <= day:
            newest = mine
    return newest

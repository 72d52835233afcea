"""Which rows of a chair's record are whose: the one definition, for what backups seal and for what an erasure takes.

Whatever is not named here belongs to no patient and stays: the audit log and its checkpoints, what hubs were told and
what they signed, alarms, losses, clock fits, and which visit (an id, which then leads nowhere) wore which hub.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.model.wear import DAY_US, HubEvent
from core.record.sqlcipher import CipherFile
from core.record.types import Turn
from core.record.versions import read_cbor
from core.record.wear import turns_of, wearer

_OF_VISIT: Final = "(SELECT v.owner FROM version v WHERE v.kind = 'visit' AND v.entity = {visit} LIMIT 1)"
_BETWEEN: Final = (
    "(SELECT g.patient FROM temp.lent g WHERE g.source = (SELECT m.source FROM stream m WHERE m.id = {row}.stream) "
    "AND g.from_us <= {row}.utc_us ORDER BY g.from_us DESC LIMIT 1)"
)
_OF_SAMPLES: Final = f"CASE WHEN {{row}}.visit IS NULL THEN {_BETWEEN} ELSE {_OF_VISIT.format(visit='{row}.visit')} END"
"""Of samples of a visit, who was visited; of those outside any, who had the hub then. Of another sensor's: nobody."""
_OF_BLOCK: Final = f"(SELECT {_OF_SAMPLES.format(row='b')} FROM block b WHERE b.id = t.block)"
_BY_VISIT: Final = _OF_VISIT.format(visit="t.visit")
_LENT: Final = (
    "CREATE TEMP TABLE IF NOT EXISTS lent (source INTEGER NOT NULL, from_us INTEGER NOT NULL, patient TEXT NOT NULL, "
    "PRIMARY KEY (source, from_us)) WITHOUT ROWID"
)
_EVER: Final = -(1 << 62)
KEPT_KINDS: Final = frozenset({"adverse"})
"""Kinds of entries that an erasure may leave, when retention.toml says so. No other can be named there."""


def owners(kept: Iterable[str] = ()) -> dict[str, str]:
    """By table, in the order in which rows can go: SQL for the patient a row `t` belongs to; NULL or empty: nobody.

    A row of `tail` without a visit may hold samples of several: `core.backup.raw` parts them.
    `Wearers.lend` must have told the file who had which hub. Cells of the summary that belong to no visit mix whoever
    had a hub: they are nobody's here, and are made anew out of the blocks (`core.record.without_visit`).
    """
    stays = "".join(f"WHEN '{kind}' THEN NULL " for kind in sorted(set(kept) & KEPT_KINDS))
    return {
        "payload": _OF_BLOCK,
        "pyramid": _OF_BLOCK,
        "block": _OF_SAMPLES.format(row="t"),
        "tail": _BY_VISIT,
        "summary": _BY_VISIT,
        "event": _BY_VISIT,
        "attachment": "(SELECT v.owner FROM version v WHERE v.kind = 'attachment' AND v.entity = t.entity LIMIT 1)",
        "search_row": "t.patient",
        "version": f"CASE t.kind WHEN 'patient' THEN t.entity {stays}ELSE t.owner END",
    }


@dataclass(frozen=True, slots=True)
class Wearers:
    """Who wore which hub when, over all chairs.

    Attributes:
        turns: by hub, in order of time; `patients`: by visit. A visit that was erased has none.
    """

    turns: Mapping[str, Sequence[Turn]]
    patients: Mapping[str, str]

    @classmethod
    def of(cls, files: Iterable[CipherFile]) -> "Wearers":
        """`files` must be those of all chairs: a hub may have been in several."""
        sql = "SELECT entity, owner FROM version WHERE kind = 'visit' AND version = 1"
        return cls.together([cls(turns_of(file), dict(file.rows(sql))) for file in files])

    @classmethod
    def together(cls, parts: Iterable["Wearers"]) -> "Wearers":
        """What the files of the chairs know one by one."""
        turns: dict[str, list[Turn]] = {}
        patients: dict[str, str] = {}
        for part in parts:
            for name, some in part.turns.items():
                turns.setdefault(name, []).extend(some)
            patients |= part.patients
        return cls({name: sorted(some, key=lambda one: one.at_us) for name, some in turns.items()}, patients)

    def lend(self, file: CipherFile) -> None:
        """Tell an open file, for as long as it is open, who had which hub when; nothing of that is written.

        Within a transaction or a snapshot, as all that asks for owners.
        """
        file.execute(_LENT)
        file.execute("DELETE FROM temp.lent")
        for source, name in file.rows("SELECT id, name FROM source"):
            turns = self.turns.get(name, ())
            rows = [
                (source, turn.at_us if at else _EVER, self.patients.get(turn.visit, ""))
                for at, turn in enumerate(turns)
            ]
            file.many("INSERT OR REPLACE INTO temp.lent (source, from_us, patient) VALUES (?, ?, ?)", rows)

    def at(self, hub: str, at_us: int) -> str:
        """The patient who had a hub at a moment, UTC µs; empty when nobody known had it. The first had it before."""
        turns = self.turns.get(hub, ())
        visit = next((turn.visit for turn in reversed(turns) if turn.at_us <= at_us), turns[0].visit if turns else "")
        return self.patients.get(visit, "")

    def of_day(self, hub: str, day: int) -> str:
        """The patient with whom a hub was on a day; empty when nobody known had it."""
        return self.patients.get(wearer(self.turns.get(hub, ()), day) or "", "")

    def of_event(self, hub: str, event: HubEvent) -> str:
        """Of an event whose time the hub did not know: the patient, if it only ever was with one."""
        if event.utc_s:
            return self.of_day(hub, event.utc_s * 1_000_000 // DAY_US)
        everybody = {self.patients.get(turn.visit, "") for turn in self.turns.get(hub, ())}
        return everybody.pop() if len(everybody) == 1 else ""


def worn_days(file: CipherFile, wearers: Wearers, patient: str) -> list[tuple[int, int]]:
    """(source, day) of what hubs told of this patient's days at home."""
    rows = file.rows("SELECT DISTINCT s.name, s.id, d.day FROM hub_day d JOIN source s ON s.id = d.source")
    return [(source, day) for name, source, day in rows if wearers.of_day(name, day) == patient]


def worn_events(file: CipherFile, wearers: Wearers, patient: str) -> list[tuple[int, int]]:
    """(source, number) of the events of those days."""
    rows = file.each("SELECT s.name, s.id, e.number, e.body FROM hub_event e JOIN source s ON s.id = e.source")
    return [
        (source, number)
        for name, source, number, body in rows
        if wearers.of_event(name, read_cbor(body, HubEvent)) == patient
    ]


def nobodys_samples(file: CipherFile) -> Counter[str]:
    """By source, packed samples outside any visit that belong to nobody known. The file knows who had which hub."""
    sql = (
        "SELECT s.name, sum(t.count) FROM block t JOIN stream m ON m.id = t.stream JOIN source s ON s.id = m.source "
        f"WHERE t.visit IS NULL AND coalesce({_BETWEEN.format(row='t')}, '') = '' GROUP BY s.name"
    )
    return Counter(dict(file.rows(sql)))


def between_channels(file: CipherFile, patient: str) -> list[int]:
    """Channels of which a patient has settled blocks outside any visit. The file knows who had which hub."""
    sql = (
        "SELECT DISTINCT t.channel FROM block t WHERE t.visit IS NULL AND t.settled = 1 "
        f"AND {_BETWEEN.format(row='t')} = ?"
    )
    return [int(row[0]) for row in file.rows(sql, (patient,))]

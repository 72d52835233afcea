"""Which rows of a chair's record are whose: the one definition, for what backups seal and for what an erasure takes.

Whatever is not named here belongs to no patient and stays: the audit log and its checkpoints, what hubs were told and
what they signed, alarms, losses, clock fits, and which visit (an id, which then leads nowhere) wore which hub.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.model.wear import DAY_US, HubEvent
from core.record.sqlcipher import CipherFile
from core.record.types import Turn
from core.record.versions import read_cbor
from core.record.wear import turns_of, wearer

_OF_VISIT: Final = "(SELECT v.owner FROM version v WHERE v.kind = 'visit' AND v.entity = {visit} LIMIT 1)"
_OF_BLOCK: Final = _OF_VISIT.format(visit="(SELECT b.visit FROM block b WHERE b.id = t.block)")
_BY_VISIT: Final = _OF_VISIT.format(visit="t.visit")
KEPT_KINDS: Final = frozenset({"adverse"})
"""Kinds of entries that an erasure may leave, when retention.toml says so. No other can be named there."""


def owners(kept: Iterable[str] = ()) -> dict[str, str]:
    """By table, in the order in which rows can go: SQL for the patient whom a row `t` belongs to, or NULL."""
    stays = "".join(f"WHEN '{kind}' THEN NULL " for kind in sorted(set(kept) & KEPT_KINDS))
    return {
        "payload": _OF_BLOCK,
        "pyramid": _OF_BLOCK,
        "block": _BY_VISIT,
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
        turns: dict[str, list[Turn]] = {}
        patients: dict[str, str] = {}
        for file in files:
            for name, some in turns_of(file).items():
                turns.setdefault(name, []).extend(some)
            patients |= dict(file.rows("SELECT entity, owner FROM version WHERE kind = 'visit' AND version = 1"))
        return cls({name: sorted(some, key=lambda one: one.at_us) for name, some in turns.items()}, patients)

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

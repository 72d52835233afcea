"""What clinicians wrote, version by version: added, corrected with a reason, never changed and never taken away."""

from collections.abc import Iterable
from typing import Final

import msgspec

from core.model import cbor
from core.model.clinical import (
    AdverseEvent,
    Attachment,
    Consent,
    Entry,
    EntryVersion,
    Finding,
    Identity,
    Note,
    Observation,
    PlanMade,
    StepDone,
    Written,
    kind_of,
)
from core.model.people import Patient
from core.people.clinical import settled
from core.record.errors import NotFound, ReasonMissing, StaleVersion, WrongEntry
from core.record.search import SearchIndex, entry_words
from core.record.sqlcipher import CipherFile
from core.record.versions import read_cbor, utc_offset_s

KINDS: Final[dict[str, type[Entry]]] = {
    "finding": Finding,
    "step": StepDone,
    "observation": Observation,
    "adverse": AdverseEvent,
    "note": Note,
    "attachment": Attachment,
    "plan": PlanMade,
    "consent": Consent,
}
ADDED = "added"


class EntryBook:
    """The entries of one chair's file, for its writer and its readers alike."""

    def __init__(self, file: CipherFile, chair: int) -> None:
        self._file = file
        self._chair = chair
        self._search = SearchIndex(file)

    # writing, within the open transaction

    def add(self, entry: Entry, *, author: str, at_us: int, reason: str = ADDED) -> EntryVersion:
        """The first version. Raises EntryRefused; NotFound when this file does not know the patient."""
        entry = settled(entry)
        if self._file.row("SELECT 1 FROM version WHERE kind = 'patient' AND entity = ?", (entry.patient_id,)) is None:
            raise NotFound("This record does not know the patient.", "Seat the patient at this chair first.")
        return self._save(entry, 1, author=author, reason=reason, at_us=at_us)

    def correct(self, entry: Entry, *, version: int, author: str, reason: str, at_us: int) -> EntryVersion:
        """The next version.

        Args:
            version: the one that the author was looking at.

        Raises:
            ReasonMissing: it was not said why.
            StaleVersion: there is a newer one.
            WrongEntry: another patient, another kind, or other bytes of a file.
            NotFound, EntryRefused.
        """
        if not reason.strip():
            raise ReasonMissing("A correction needs its reason.", "Say why it is corrected.")
        entry = settled(entry)
        newest = self.newest(kind_of(entry), entry.id)
        if newest is None:
            raise NotFound("There is no such entry in this record.", "Open the patient again.")
        if newest.version != version:
            raise StaleVersion(
                f"It was corrected meanwhile (version {newest.version}).", "Open it again and repeat the correction."
            )
        if _fixed(newest.entry) != _fixed(entry):
            raise WrongEntry(
                "A correction keeps the patient, and a file its bytes.",
                "Withdraw the entry, and add another where it belongs.",
            )
        return self._save(entry, version + 1, author=author, reason=reason.strip(), at_us=at_us)

    def carry_on(self, entry: Entry, *, author: str, reason: str, at_us: int) -> None:
        """The next version of what the procedure writes by itself; nothing when it says the same."""
        newest = self.newest(kind_of(entry), entry.id)
        if newest is None:
            self._save(entry, 1, author=author, reason=reason, at_us=at_us)
        elif msgspec.structs.replace(newest.entry, at_us=entry.at_us) != entry:
            self._save(entry, newest.version + 1, author=author, reason=reason, at_us=at_us)

    # reading

    def newest(self, kind: str, entity: str) -> EntryVersion | None:
        rows = self._rows("kind = ? AND entity = ? ORDER BY version DESC LIMIT 1", (kind, entity))
        return rows[0] if rows else None

    def of_patient(self, patient_id: str, kinds: Iterable[str] = tuple(KINDS)) -> list[EntryVersion]:
        """Every version of every entry, in the order in which they were written."""
        chosen = tuple(kinds)
        marks = ", ".join("?" * len(chosen))
        return self._rows(f"owner = ? AND kind IN ({marks}) ORDER BY id", (patient_id, *chosen))

    def findings(self, patient_id: str) -> list[Finding]:
        """The newest version of each finding."""
        newest = {row.entry.id: row.entry for row in self.of_patient(patient_id, ("finding",))}
        return [entry for entry in newest.values() if isinstance(entry, Finding)]

    def tooth(self, patient_id: str, fdi: int) -> list[EntryVersion]:
        """Every version of every finding and step on one tooth, in the order in which they were written."""
        rows = self.of_patient(patient_id, ("finding", "step"))
        return [row for row in rows if isinstance(row.entry, Finding | StepDone) and row.entry.fdi == fdi]

    def identities(self, patient_id: str) -> list[EntryVersion]:
        """Every version of who the patient is."""
        sql = (
            "SELECT version, author, reason, at_us, body FROM version WHERE kind = 'patient' AND entity = ? "
            "ORDER BY version"
        )
        return [
            EntryVersion(
                chair=self._chair,
                version=version,
                author=author,
                reason=reason,
                written_us=at_us,
                entry=Identity(id=patient_id, patient_id=patient_id, at_us=at_us, patient=read_cbor(body, Patient)),
            )
            for version, author, reason, at_us, body in self._file.rows(sql, (patient_id,))
        ]

    def _rows(self, where: str, parameters: tuple[object, ...]) -> list[EntryVersion]:
        sql = f"SELECT kind, version, author, reason, at_us, body FROM version WHERE {where}"
        return [
            EntryVersion(
                chair=self._chair,
                version=version,
                author=author,
                reason=reason,
                written_us=at_us,
                entry=read_cbor(body, KINDS[kind]),
            )
            for kind, version, author, reason, at_us, body in self._file.rows(sql, parameters)
        ]

    def _save(self, entry: Entry, version: int, *, author: str, reason: str, at_us: int) -> EntryVersion:
        values = (kind_of(entry), entry.id, version, entry.patient_id, author, reason, at_us, utc_offset_s(at_us))
        self._file.execute(
            "INSERT INTO version (kind, entity, version, owner, author, reason, at_us, utc_offset_s, body) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*values, cbor.encode(entry)),
        )
        self._search.put(entry_words(entry))
        return EntryVersion(
            chair=self._chair, version=version, author=author, reason=reason, written_us=at_us, entry=entry
        )


def _fixed(entry: Written) -> tuple[object, ...]:
    """What no correction changes."""
    if isinstance(entry, Attachment):
        return entry.patient_id, entry.sha256, entry.size, entry.media_type
    return (entry.patient_id,)

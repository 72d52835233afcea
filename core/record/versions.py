"""Clinical rows: each change is a version with author, reason, time and UTC offset; nothing is overwritten."""

from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from core.model import cbor
from core.model.alarm import Alarm
from core.model.people import Patient, VisitSummary
from core.model.procedure import ProcedureView
from core.record.errors import RecordDamaged
from core.record.sqlcipher import CipherFile

T = TypeVar("T", bound=msgspec.Struct)


class Versions(Generic[T]):
    """All versions of one kind of thing, stored as canonical CBOR of its frozen type."""

    def __init__(self, file: CipherFile, kind: str, struct: type[T]) -> None:
        self._file = file
        self._kind = kind
        self._struct = struct

    def save(
        self,
        entity: str,
        value: T,
        *,
        author: str,
        reason: str,
        at_us: int,
        owner: str | None = None,
        version: int | None = None,
    ) -> int:
        """Store the next version (or `version`, when given) and return its number. `owner`: what to list it under."""
        number = version if version is not None else self.newest_number(entity) + 1
        self._file.execute(
            "INSERT INTO version (kind, entity, version, owner, author, reason, at_us, utc_offset_s, body) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (self._kind, entity, number, owner, author, reason, at_us, utc_offset_s(at_us), cbor.encode(value)),
        )
        return number

    def newest_number(self, entity: str) -> int:
        """0 when there is none."""
        row = self._file.row(
            "SELECT max(version) FROM version WHERE kind = ? AND entity = ?",
            (self._kind, entity),
        )
        return int(row[0] or 0) if row else 0

    def newest(self, entity: str) -> T | None:
        row = self._file.row(
            "SELECT body FROM version WHERE kind = ? AND entity = ? ORDER BY version DESC LIMIT 1",
            (self._kind, entity),
        )
        return self._read(row[0]) if row else None

    def all_newest(self, owner: str | None = None) -> list[T]:
        """The newest version of each, in the order in which they were first saved; of one owner when given."""
        sql = (
            "SELECT v.body FROM version v JOIN (SELECT entity, min(id) AS begun, max(version) AS newest FROM version "
            "WHERE kind = ?1 AND (?2 IS NULL OR owner = ?2) GROUP BY entity) e "
            "ON v.kind = ?1 AND v.entity = e.entity AND v.version = e.newest ORDER BY e.begun"
        )
        return [self._read(row[0]) for row in self._file.rows(sql, (self._kind, owner))]

    def history(self, entity: str) -> list[T]:
        """Every version, the first one first."""
        rows = self._file.rows(
            "SELECT body FROM version WHERE kind = ? AND entity = ? ORDER BY version", (self._kind, entity)
        )
        return [self._read(row[0]) for row in rows]

    def count(self) -> int:
        row = self._file.row("SELECT count(DISTINCT entity) FROM version WHERE kind = ?", (self._kind,))
        return int(row[0]) if row else 0

    def _read(self, body: bytes) -> T:
        return read_cbor(body, self._struct)


class Clinical:
    """The kinds that a record keeps, for its writer and its readers alike."""

    def __init__(self, file: CipherFile) -> None:
        self._file = file
        self.patients = Versions(file, "patient", Patient)
        self.visits = Versions(file, "visit", VisitSummary)
        self.procedures = Versions(file, "procedure", ProcedureView)
        self.alarms = Versions(file, "alarm", Alarm)

    def known_since(self, patient_id: str) -> int | None:
        """When the newest visit in this file began, or the newest version was written; None: not known here."""
        sql = (
            "SELECT max(CASE kind WHEN 'visit' THEN at_us ELSE 0 END), max(at_us) FROM search_row "
            "WHERE patient = ? AND kind IN ('visit', 'patient')"
        )
        row = self._file.row(sql, (patient_id,))
        return (row[0] or row[1]) if row is not None else None

    def visits_of(self, patient_id: str | None) -> list[VisitSummary]:
        """Newest first."""
        return sorted(self.visits.all_newest(patient_id), key=lambda visit: visit.began_us, reverse=True)


def read_cbor(body: bytes, struct: type[T]) -> T:
    """Raises RecordDamaged when the bytes are not such a value."""
    try:
        return msgspec.convert(cbor.decode(body), struct)
    except (ValueError, msgspec.ValidationError) as error:
        raise RecordDamaged(
            f"A stored {struct.__name__} cannot be read: {error}.", "Run `record verify`, and restore from a backup."
        ) from error


def utc_offset_s(at_us: int) -> int:
    """Seconds that local time was ahead of UTC at that moment, by this machine's time zone."""
    offset = datetime.fromtimestamp(at_us / 1_000_000).astimezone().utcoffset()
    return round(offset.total_seconds()) if offset is not None else 0

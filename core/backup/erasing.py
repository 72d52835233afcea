"""Takes a patient out of the records for good. `docs/decisions/0022-erasure.md` says what that reaches."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from core.backup.belongings import Wearers, between_channels, nobodys_samples, owners, worn_days, worn_events
from core.backup.errors import EraseRefused
from core.backup.raw import parted, take_raw
from core.model.people import VisitSummary
from core.record.practice import PracticeFile
from core.record.record import OPEN, Record
from core.record.search import SearchIndex
from core.record.sqlcipher import CipherFile
from core.record.without_visit import without_visit

_PENDING: Final = "erase.pending"
_NEW_KEYS: Final = "erase.new_keys"
_LAST: Final = frozenset({"version"})
"""Goes when all else has gone in every chair: it says whose the rest is, also after a crash."""


class Held(Protocol):
    """A record as a plan looks at it, open to be read or written."""

    @property
    def file(self) -> CipherFile: ...
    def visits(self, patient_id: str | None) -> list[VisitSummary]: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What an erasure takes and leaves.

    Attributes:
        goes: rows by what they are: kinds of versions, and tables of all else.
        stays: rows that are left by the practice's rules.
        codes: of the patient's visits.
        nobodys: by source, samples of the practice outside any visit that belong to nobody known, and stay.
    """

    patient: str
    goes: Counter[str]
    stays: Counter[str]
    codes: tuple[str, ...]
    nobodys: Counter[str]


def plan_erasure(records: Sequence[Held], patient: str, kept: Iterable[str]) -> Plan:
    """Look at the records of all chairs. Raises EraseRefused: a visit of the patient is open."""
    goes, stays, codes, nobodys = Counter[str](), Counter[str](), list[str](), Counter[str]()
    wearers = Wearers.of(record.file for record in records)
    kinds = set(kept)
    for record in records:
        for visit in record.visits(patient):
            if visit.state == OPEN:
                raise EraseRefused(
                    f"Visit {visit.code} at chair {visit.chair} is still open.", "End the visit first, then erase."
                )
            codes.append(visit.code)
        with record.file.reading():
            _count_rows(record.file, wearers, patient, kinds, goes, stays)
            nobodys += nobodys_samples(record.file)
            for part in (part for parts in parted(record.file, wearers) for part in parts):
                goes["tail"] += part.owner == patient
                nobodys += part.samples if not part.owner else Counter()
    return Plan(patient, +goes, +stays, tuple(codes), nobodys)


def erase(
    records: Sequence[Record],
    practice: PracticeFile,
    patient: str,
    kept: Iterable[str],
    *,
    author: str,
    reason: str,
    at_us: int,
) -> None:
    """Destroy rows and key. Cut off half-way, it is `pending` and is done again from the beginning.

    Backups made before lose what they hold of the patient once `renew_keys` reached their place; the files' former
    pages, once the files have new keys.

    Raises:
        EraseRefused: a visit is open; nothing was done.
    """
    kept = frozenset(kept)
    plan = plan_erasure(records, patient, kept)
    begin(practice, patient)
    wearers = Wearers.of(record.file for record in records)
    for record in records:
        with record.transaction():
            take_rows(record, wearers, patient, kept, author=author, reason=reason, at_us=at_us)
    for record in records:
        with record.transaction():
            take_versions(record, plan, kept, author=author, at_us=at_us)
        fold(record)
    end(practice, patient)


def begin(practice: PracticeFile, patient: str) -> None:
    """From now on it is pending, until it has ended."""
    practice.set_setting(_PENDING, f'"{patient}"')


def end(practice: PracticeFile, patient: str) -> None:
    """When no record holds anything of them any more: their key goes, and with it what backups hold."""
    practice.keys.erase_patient_key(patient)
    practice.keys.sweep()
    practice.set_setting(_PENDING, '""')


def want_new_keys(practice: PracticeFile, wanted: bool) -> None:
    """Whether the files still need new keys after an erasure, so that their former pages open no more."""
    practice.set_setting(_NEW_KEYS, "true" if wanted else "false")


def new_keys_wanted(practice: PracticeFile) -> bool:
    return practice.setting(_NEW_KEYS) == "true"


def pending(practice: PracticeFile) -> str:
    """A patient whose erasure was cut off; empty: nobody."""
    return (practice.setting(_PENDING) or "").strip('"')


def take_rows(
    record: Record, wearers: Wearers, patient: str, kept: Iterable[str], *, author: str, reason: str, at_us: int
) -> None:
    """All but who they were and which visits they had. Within the record's transaction; of every chair before the
    first `take_versions`."""
    file = record.file
    file.execute("PRAGMA secure_delete = ON")
    wearers.lend(file)
    file.execute(
        "INSERT OR IGNORE INTO erasure (patient, author, reason, at_us) VALUES (?, ?, ?, ?)",
        (patient, author, reason, at_us),
    )
    for column, table, key, rows in (
        ("day", "hub_day", "day", worn_days(file, wearers, patient)),
        ("event", "hub_event", "number", worn_events(file, wearers, patient)),
    ):
        file.many(f"INSERT INTO erased_wear (source, {column}) VALUES (?, ?)", rows)
        file.many(f"DELETE FROM {table} WHERE source = ? AND {key} = ?", rows)
    SearchIndex(file).forget(patient)
    record.reread()  # nothing of theirs waits to be written, and nothing that is being packed comes back
    mixed = between_channels(file, patient)
    for table, owner in owners(kept).items():
        if table != "search_row" and table not in _LAST:
            file.execute(f"DELETE FROM {table} AS t WHERE {owner} = ?", (patient,))
    take_raw(file, wearers, patient)
    without_visit(file, mixed)


def take_versions(record: Record, plan: Plan, kept: Iterable[str], *, author: str, at_us: int) -> None:
    """What is left, and the log's word of it. Within the record's transaction."""
    for table in _LAST:
        record.file.execute(f"DELETE FROM {table} AS t WHERE {owners(kept)[table]} = ?", (plan.patient,))
    body = {"patient": plan.patient, "visits": len(plan.codes), "left": dict(plan.stays)}
    record.audit("patient.erased", actor=author, at_us=at_us, body=body)
    record.reread()


def fold(record: Record) -> None:
    """Outside any transaction: what was overwritten does not linger in the write-ahead log."""
    record.file.rows("PRAGMA wal_checkpoint(TRUNCATE)")


def _count_rows(
    file: CipherFile, wearers: Wearers, patient: str, kept: set[str], goes: Counter[str], stays: Counter[str]
) -> None:
    wearers.lend(file)
    for kind, count in file.rows(
        "SELECT kind, count(*) FROM version WHERE CASE kind WHEN 'patient' THEN entity ELSE owner END = ? "
        "GROUP BY kind",
        (patient,),
    ):
        (stays if kind in kept else goes)[kind] += count
    for table, owner in owners().items():
        if table not in ("version", "search_row"):
            goes["bytes of files" if table == "attachment" else table] += _count(
                file, f"SELECT count(*) FROM {table} t WHERE {owner} = ?", patient
            )
    goes["hub_day"] += len(worn_days(file, wearers, patient))
    goes["hub_event"] += len(worn_events(file, wearers, patient))


def _count(file: CipherFile, sql: str, patient: str) -> int:
    row = file.row(sql, (patient,))
    return int(row[0]) if row is not None else 0

"""Takes a patient out of the records for good. `docs/decisions/0022-erasure.md` says what that reaches."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.backup.belongings import Wearers, owners, worn_days, worn_events
from core.backup.errors import EraseRefused
from core.record.practice import PracticeFile
from core.record.record import OPEN, Record
from core.record.search import SearchIndex
from core.record.sqlcipher import CipherFile

_PENDING = "erase.pending"


@dataclass(frozen=True, slots=True)
class Plan:
    """What an erasure takes and leaves.

    Attributes:
        goes: rows by what they are: kinds of versions, and tables of all else.
        stays: rows that are left by the practice's rules.
        codes: of the patient's visits.
    """

    patient: str
    goes: Counter[str]
    stays: Counter[str]
    codes: tuple[str, ...]


def plan_erasure(records: Sequence[Record], patient: str, kept: Iterable[str]) -> Plan:
    """Look at the records of all chairs. Raises EraseRefused: a visit of the patient is open."""
    goes, stays, codes = Counter[str](), Counter[str](), list[str]()
    wearers = Wearers.of(record.file for record in records)
    kinds = set(kept)
    for record in records:
        for visit in record.visits(patient):
            if visit.state == OPEN:
                raise EraseRefused(
                    f"Visit {visit.code} at chair {visit.chair} is still open.", "End the visit first, then erase."
                )
            codes.append(visit.code)
        file = record.file
        for kind, count in file.rows(
            "SELECT kind, count(*) FROM version WHERE CASE kind WHEN 'patient' THEN entity ELSE owner END = ? "
            "GROUP BY kind",
            (patient,),
        ):
            (stays if kind in kinds else goes)[kind] += count
        for table, owner in owners().items():
            if table not in ("version", "search_row"):
                goes["bytes of files" if table == "attachment" else table] += _count(
                    file, f"SELECT count(*) FROM {table} t WHERE {owner} = ?", patient
                )
        goes["hub_day"] += len(worn_days(file, wearers, patient))
        goes["hub_event"] += len(worn_events(file, wearers, patient))
    return Plan(patient, +goes, +stays, tuple(codes))


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
    practice.set_setting(_PENDING, f'"{patient}"')
    wearers = Wearers.of(record.file for record in records)
    for record in records:
        _erase_rows(record, wearers, plan, kept, author=author, reason=reason, at_us=at_us)
    practice.keys.erase_patient_key(patient)
    practice.keys.sweep()
    practice.set_setting(_PENDING, '""')


def pending(practice: PracticeFile) -> str:
    """A patient whose erasure was cut off; empty: nobody."""
    return (practice.setting(_PENDING) or "").strip('"')


def _erase_rows(
    record: Record, wearers: Wearers, plan: Plan, kept: frozenset[str], *, author: str, reason: str, at_us: int
) -> None:
    file, patient = record.file, plan.patient
    file.execute("PRAGMA secure_delete = ON")
    with record.transaction():
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
        for table, owner in owners(kept).items():
            if table != "search_row":
                file.execute(f"DELETE FROM {table} AS t WHERE {owner} = ?", (patient,))
        body = {"patient": patient, "visits": len(plan.codes), "left": dict(plan.stays)}
        record.audit("patient.erased", actor=author, at_us=at_us, body=body)
    file.rows("PRAGMA wal_checkpoint(TRUNCATE)")


def _count(file: CipherFile, sql: str, patient: str) -> int:
    row = file.row(sql, (patient,))
    return int(row[0]) if row is not None else 0

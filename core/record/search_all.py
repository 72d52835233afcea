"""A search over the files of all chairs: one ranked, bounded answer."""

from collections.abc import Callable, Sequence

from core.model.people import Patient, VisitSummary
from core.model.search import Found
from core.record.entries import KINDS
from core.record.newest import newest_patient
from core.record.reader import RecordReader
from core.record.search import Hit

LIMIT = 40
"""Of each group and file, and of patients when nothing is asked for."""
SHOWN = 60


def search_all(
    readers: Sequence[RecordReader],
    query: str,
    limit: int = LIMIT,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[Found, ...]:
    """What matches every word of a query, the best first; without a query, who was here last.

    Raises:
        Interrupted: another thread broke it off.
    """
    people = _People(readers)
    if not query.strip():
        return _newest(readers, people, limit)
    hits: dict[tuple[str, str], tuple[Hit, RecordReader]] = {}
    for reader in readers:
        for hit in reader.search.find(query, limit, cancelled):
            hits.setdefault((hit.kind, hit.entity), (hit, reader))
    best = sorted(hits.values(), key=lambda pair: pair[0].order)[:SHOWN]
    if cancelled():
        return ()
    return tuple(found for hit, reader in best if (found := _found(hit, reader, people)) is not None)


class _People:
    """Patients in their newest version over all files, each looked up once."""

    def __init__(self, readers: Sequence[RecordReader]) -> None:
        self._readers = readers
        self._known: dict[str, Patient | None] = {}

    def get(self, patient_id: str) -> Patient | None:
        if patient_id not in self._known:
            self._known[patient_id] = newest_patient(self._readers, patient_id)
        return self._known[patient_id]

    def last(self, patient_id: str) -> VisitSummary | None:
        """Their newest visit over all files."""
        known = [one for reader in self._readers if (one := reader.last_visit(patient_id)) is not None]
        return max(known, key=lambda visit: visit.began_us, default=None)

    def found(self, patient: Patient, chair: int = 0, at_us: int = 0) -> Found:
        last = self.last(patient.id)
        last_us = last.began_us if last is not None else None
        return Found(
            kind="patient", id=patient.id, chair=chair, at_us=at_us, patient=patient, last_us=last_us, visit=last
        )


def _newest(readers: Sequence[RecordReader], people: _People, limit: int) -> tuple[Found, ...]:
    ids = dict.fromkeys(patient for reader in readers for patient in reader.search.newest_patients(limit))
    found = [people.found(one) for patient_id in ids if (one := people.get(patient_id)) is not None]
    return tuple(sorted(found, key=lambda one: -(one.last_us or 0))[:limit])


def _found(hit: Hit, reader: RecordReader, people: _People) -> Found | None:
    """None when the row's own thing cannot be found: then there is nothing to open."""
    patient = people.get(hit.patient)
    if patient is None:
        return None
    if hit.kind == "patient":
        return people.found(patient, reader.chair, hit.at_us)
    row = reader.entries.newest(hit.kind, hit.entity) if hit.kind in KINDS else None
    return Found(
        kind=hit.kind,
        id=hit.entity,
        chair=reader.chair,
        at_us=hit.at_us,
        patient=patient,
        entry=row.entry if row is not None else None,
        visit=reader.visit(hit.visit) if hit.visit else None,
        event=reader.event_text(hit.entity) if hit.kind == "event" else None,
    )

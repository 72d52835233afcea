"""A patient over all chairs: versions may lie in several files, and the highest counts."""

from collections.abc import Iterable

from core.model.people import Patient
from core.record.reader import RecordReader


def newest_patient(readers: Iterable[RecordReader], patient_id: str) -> Patient | None:
    """None: none of them knows the patient."""
    found = (reader.patient(patient_id) for reader in readers)
    return max((one for one in found if one is not None), key=lambda one: one.version, default=None)

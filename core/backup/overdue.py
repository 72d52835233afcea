"""Whose record is past the practice's time, so that a person decides about it. Nothing is ever erased by itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from core.model.people import Patient

YEAR_US: Final = 365_250_000 * 86_400


class Known(Protocol):
    """A record as it is looked at here."""

    def patients(self) -> list[Patient]: ...
    def known_since(self, patient_id: str) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Overdue:
    """A patient, and when they were seen last, UTC µs."""

    patient: Patient
    last_us: int


def overdue(records: Iterable[Known], years: int, now_us: int) -> list[Overdue]:
    """Who was not seen in any chair for so many years, the longest gone first."""
    last: dict[str, int] = {}
    people: dict[str, Patient] = {}
    for record in records:
        for one in record.patients():
            if one.id not in people or one.version > people[one.id].version:
                people[one.id] = one
            last[one.id] = max(last.get(one.id, 0), record.known_since(one.id) or 0)
    before = now_us - years * YEAR_US
    found = [Overdue(people[patient], at_us) for patient, at_us in last.items() if at_us < before]
    return sorted(found, key=lambda one: (one.last_us, one.patient.code))

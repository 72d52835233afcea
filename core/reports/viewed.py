"""Who looked at a patient's data, each person with each kind of look told once."""

from collections.abc import Iterable

from core.people.views import looked_at
from core.record import RecordReader
from core.reports.data import View


def views(readers: Iterable[RecordReader], patient_id: str) -> tuple[View, ...]:
    """Each person with each kind of look, the latest look first."""
    found: dict[tuple[str, str], View] = {}
    for look in reversed(looked_at(readers, patient_id)):
        before = found.pop((look.who, look.kind), None)
        count = before.count + 1 if before is not None else 1
        found[look.who, look.kind] = View(look.who, look.kind, count, look.at_us)
    return tuple(reversed(found.values()))

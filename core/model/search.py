"""What a search over all chair files found."""

import msgspec

from core.model.clinical import Entry
from core.model.people import Patient, VisitSummary
from core.model.words import Text


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One thing, with what is needed to show it in a list.

    Attributes:
        kind: `patient`, `visit`, `event`, or the kind of an entry.
        chair: in whose file it was found.
        patient: in the newest version over all files.
        last_us: of a patient, when their newest visit began; None without one.
        entry, event: what it is, by its kind.
        visit: the one, the one that it belongs to, or a patient's newest.
    """

    kind: str
    id: str
    chair: int
    at_us: int
    patient: Patient
    last_us: int | None = None
    entry: Entry | None = None
    visit: VisitSummary | None = None
    event: Text | None = None

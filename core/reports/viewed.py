"""Who looked at a patient's data, out of the audit logs."""

from collections.abc import Iterable

import msgspec

from core.model import cbor
from core.record import RecordReader
from core.reports.data import View

_PAGE = 1000


class _Body(msgspec.Struct):
    """What a `view` entry names: the request, and the visit or the patient it was about."""

    request: str = ""
    visit: str = ""
    patient: str = ""


class _Entry(msgspec.Struct):
    kind: str
    actor: str
    at_us: int
    body: dict[str, object]


def views(readers: Iterable[RecordReader], patient_id: str) -> tuple[View, ...]:
    """Each person with each kind of look, the latest look first."""
    files = list(readers)
    visits = {visit.id for reader in files for visit in reader.visits(patient_id)}
    found: dict[tuple[str, str], View] = {}
    for reader in files:
        for entry in _looks(reader):
            body = msgspec.convert(entry.body, _Body)
            if body.patient == patient_id or body.visit in visits:
                before = found.get((entry.actor, body.request))
                count, last_us = (before.count, before.last_us) if before else (0, 0)
                found[entry.actor, body.request] = View(entry.actor, body.request, count + 1, max(last_us, entry.at_us))
    return tuple(sorted(found.values(), key=lambda view: view.last_us, reverse=True))


def _looks(reader: RecordReader) -> Iterable[_Entry]:
    start = 0
    while page := reader.audit_entries(start, _PAGE):
        for one in page:
            if b"dview" in one.entry:  # as CBOR writes the text "view"; most entries are spared decoding
                entry = msgspec.convert(cbor.decode(one.entry), _Entry)
                if entry.kind == "view":
                    yield entry
        start = page[-1].sequence + 1

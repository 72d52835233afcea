"""What people wrote into the record, with every version of it.

The newest version of an entry is a resource. Each version has a Provenance: who wrote it, when and why; what stood
there before is contained in it, so that nobody takes it for what holds. R4 has no way to withdraw an AdverseEvent: a
withdrawn one stands in that Provenance alone.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from core.exchange.fhir.agreement import participant
from core.exchange.fhir.by_hand import KINDS, ByHand
from core.exchange.fhir.clinical import structure_entry
from core.exchange.fhir.codes import hl7, urn
from core.exchange.fhir.context import Context, Entries, instant
from core.exchange.fhir.datatypes import Concept, Reference, refer
from core.exchange.fhir.people import Acting
from core.exchange.fhir.resources import Communication, Payload, Provenance, ProvenanceAgent, ProvenanceEntity
from core.model.clinical import (
    AdverseEvent,
    Attachment,
    EntryVersion,
    Finding,
    Observation,
    Source,
    StepDone,
    Written,
    kind_of,
)
from core.people.charting import without_repeats
from core.record import RecordReader

_BEFORE = "before"


def written_entries(
    context: Context,
    readers: Iterable[RecordReader],
    acting: Acting,
    treated: Reference | None,
    results: list[str],
) -> Entries:
    """The entries of the visit, and those that belong to no visit.

    Args:
        readers: of every chair: people write wherever they are.
        treated: as in `ByHand`.
        results: urns of what a report refers to are added.

    Raises RecordDamaged: a file is not what was put in.
    """
    by_hand = ByHand(context, acting, treated)
    for reader, versions in _kept(readers, context):
        entry = versions[-1].entry
        identity = urn(KINDS[kind_of(entry)], entry.id)
        gone = isinstance(entry, AdverseEvent) and entry.withdrawn
        if isinstance(entry, Finding | Observation) and entry.fdi:
            yield structure_entry(context, entry.fdi)
        if not gone:
            yield identity, by_hand.resource(versions, _bytes(reader, entry))
        if isinstance(entry, AdverseEvent) and entry.reported_to and not gone:
            yield urn("Communication", entry.id), _reported(context, entry, identity)
        if isinstance(entry, Finding | Observation) and not entry.withdrawn and by_hand.encounter(entry) is not None:
            results.append(identity)
        target = context.subject if gone else refer(identity)
        for count in range(1, len(versions) + 1):
            yield urn("Provenance", identity, str(count)), _version(by_hand, versions[:count], target)


def _kept(readers: Iterable[RecordReader], context: Context) -> Iterator[tuple[RecordReader, Sequence[EntryVersion]]]:
    """Each entry with its versions, in the order in which entries were begun."""
    rows: list[EntryVersion] = []
    holders: dict[str, RecordReader] = {}
    for reader in readers:
        for row in reader.entries.of_patient(context.visit.patient_id, KINDS):
            rows.append(row)
            holders[row.entry.id] = reader
    entries: dict[str, list[EntryVersion]] = {}
    for row in without_repeats(rows):
        entries.setdefault(row.entry.id, []).append(row)
    for identity, versions in entries.items():
        newest = versions[-1].entry
        if newest.visit_id in ("", context.visit.id) and not _told_already(newest, versions):
            yield holders[identity], sorted(versions, key=lambda row: row.version)


def _told_already(entry: Written, versions: Sequence[EntryVersion]) -> bool:
    """By the chart and the procedure of the visit, from which it was taken; unless somebody corrected it."""
    if isinstance(entry, StepDone):
        return bool(entry.module)
    if isinstance(entry, Finding):
        return entry.source in (Source.CARRIED, Source.PROCEDURE) and len(versions) == 1
    return False


def _bytes(reader: RecordReader, entry: Written) -> bytes | None:
    """Of a file; one that was withdrawn does not go out again."""
    return reader.attachments.whole(entry) if isinstance(entry, Attachment) and not entry.withdrawn else None


def _version(by_hand: ByHand, versions: Sequence[EntryVersion], target: Reference) -> Provenance:
    """Who wrote the last of these versions, when and why; and the one before it."""
    version, older = versions[-1], versions[:-1]
    withdrawn = version.entry.withdrawn
    activity = ("NULLIFY", "nullify") if withdrawn else ("UPDATE", "revise") if older else ("CREATE", "create")
    before = msgspec.structs.replace(by_hand.resource(older), id=_BEFORE) if older else None
    entity = ProvenanceEntity(role="removal" if withdrawn else "revision", what=refer(f"#{_BEFORE}"))
    return Provenance(
        contained=(before,) if before is not None else (),
        target=(target,),
        recorded=instant(version.written_us),
        reason=(Concept(text=version.reason),) if older else (),
        activity=hl7("v3-DataOperation", *activity),
        agent=(ProvenanceAgent(type=participant("author", "Author"), who=by_hand.who(version)),),
        entity=(entity,) if before is not None else (),
    )


def _reported(context: Context, entry: AdverseEvent, identity: str) -> Communication:
    return Communication(
        status="completed",
        subject=context.subject,
        about=(refer(identity),),
        sent=instant(entry.reported_us) if entry.reported_us is not None else None,
        payload=(Payload(content_string=context.words.say("exchange.reported", to=entry.reported_to)),),
    )

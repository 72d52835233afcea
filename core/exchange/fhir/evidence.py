"""Who did and saw what: the audit log's entries of a visit, and where each part of the bundle comes from."""

from collections.abc import Iterator, Mapping, Sequence

from core.exchange.fhir.agreement import participant
from core.exchange.fhir.codes import DICOM, HL7, Own, hl7, urn
from core.exchange.fhir.context import Context, Entries, instant
from core.exchange.fhir.datatypes import Coding, Concept, Reference, refer
from core.exchange.fhir.people import Acting
from core.exchange.fhir.resources import (
    AuditAgent,
    AuditDetail,
    AuditEntity,
    AuditEvent,
    AuditSource,
    Provenance,
    ProvenanceAgent,
)
from core.model import cbor
from core.model.hub import ReceiptCode
from core.record import RecordReader
from core.record.types import AuditEntry

PATIENT_RECORD = Coding(system=DICOM, code="110110", display="Patient Record")
DOMAIN_RESOURCE = Coding(system=HL7 + "object-role", code="4", display="Domain Resource")
PATIENT = Coding(system=HL7 + "object-role", code="1", display="Patient")
PAGE = 1_000
NOBODY, HUB = "workstation", "hub"


def audit_entries(context: Context, reader: RecordReader, hub: Reference | None, acting: Acting) -> Entries:
    """Entries of one chair's log about the visit, and who looked at the patient. Each carries its own bytes, leaf hash
    and number, so that it can be proven against the log's tree."""
    for entry, body in _about(context, reader):
        kind, actor = str(body["kind"]), str(body["actor"])
        if actor == HUB and hub is not None:
            who = hub
        elif actor in ("", NOBODY, HUB):
            who = context.workstation
        else:
            who = refer(acting.meet(actor))
        details = body.get("body")
        outcome = _outcome(kind, details)
        of_visit = isinstance(details, dict) and details.get("visit") == context.visit.id
        yield (
            urn("AuditEvent", str(reader.chair), entry.leaf.hex()),
            AuditEvent(
                type=PATIENT_RECORD,
                subtype=(context.own.coding(Own.AUDIT, kind, context.words.say("exchange.audit", kind=kind)),),
                action=_action(kind),
                recorded=instant(_integer(body.get("at_us"))),
                outcome=outcome,
                agent=(AuditAgent(who=who, requestor=True),),
                source=AuditSource(
                    site=context.words.say("exchange.chair", chair=reader.chair), observer=context.workstation
                ),
                entity=(
                    AuditEntity(
                        what=context.encounter if of_visit else context.subject,
                        role=DOMAIN_RESOURCE if of_visit else PATIENT,
                        detail=tuple(_details(entry, details)),
                    ),
                ),
            ),
        )


def _about(context: Context, reader: RecordReader) -> Iterator[tuple[AuditEntry, Mapping[str, object]]]:
    start = 0
    named = (context.visit.id.encode(), context.visit.patient_id.encode())  # CBOR has text as it is
    while page := reader.audit_entries(start, PAGE):
        for entry in page:
            if not any(one in entry.entry for one in named):
                continue  # most entries are spared decoding
            whole = cbor.decode(entry.entry)
            if isinstance(whole, dict) and _concerns(context, whole.get("body")):
                yield entry, whole
        start = page[-1].sequence + 1


def _concerns(context: Context, body: object) -> bool:
    if not isinstance(body, dict):
        return False
    patient_id = context.visit.patient_id
    return body.get("visit") == context.visit.id or patient_id in (body.get("patient"), *_listed(body))


def _listed(body: object) -> Sequence[object]:
    """The patients whose names came up together."""
    many = body.get("patients") if isinstance(body, dict) else None
    return many if isinstance(many, list | tuple) else ()


def _details(entry: AuditEntry, body: object) -> Iterator[AuditDetail]:
    """What proves the entry; the entry itself only where it names nobody else."""
    yield AuditDetail(type="sequence", value_string=str(entry.sequence))
    yield AuditDetail(type="leaf-sha256", value_base64_binary=entry.leaf)
    if not _listed(body):
        yield AuditDetail(type="entry-cbor", value_base64_binary=entry.entry)


def _action(kind: str) -> str:
    """C, R, U or E, as FHIR wants it."""
    if kind == "view":
        return "R"
    if kind in ("visit.begun", "event.consent"):
        return "C"
    return "U" if kind in ("patient.saved", "visit.ended") else "E"


def _outcome(kind: str, body: object) -> str | None:
    """Of an order, whether the hub took it: 0 success, 4 minor failure. Nothing where nobody can say."""
    if kind == "command.unsent":
        return "4"
    if kind != "command.receipt" or not isinstance(body, dict):
        return None
    return "0" if body.get("code") in (int(ReceiptCode.DONE), int(ReceiptCode.ALREADY)) else "4"


def _integer(value: object) -> int:
    return value if isinstance(value, int) else 0


# provenance


def signed_entry(context: Context, targets: list[str], signer: str, signed_us: int) -> Entries:
    """The dentist who signed the visit stands for what was done in it."""
    if targets:
        agent = ProvenanceAgent(type=participant("legal", "Legal Authenticator"), who=refer(signer))
        yield urn("Provenance", context.visit.id, "signed"), _provenance(targets, signed_us, agent)


def measured_entry(context: Context, targets: list[str], hub: Reference | None) -> Entries:
    """Signals come from devices, by way of this program; each Observation names its own device."""
    if targets:
        author = ProvenanceAgent(
            type=participant("author", "Author"), who=hub if hub is not None else context.workstation
        )
        enterer = ProvenanceAgent(type=participant("enterer", "Enterer"), who=context.workstation)
        yield urn("Provenance", context.visit.id, "measured"), _provenance(targets, context.end_us, author, enterer)


def sent_entry(context: Context, targets: list[str]) -> Entries:
    """The program put the bundle together."""
    agent = ProvenanceAgent(type=participant("assembler", "Assembler"), who=context.workstation)
    made = _provenance(targets, context.made_us, agent, activity=hl7("v3-DataOperation", "CREATE", "create"))
    yield urn("Provenance", context.visit.id, "sent", str(context.made_us)), made


def _provenance(
    targets: list[str], at_us: int, *agents: ProvenanceAgent, activity: Concept | None = None
) -> Provenance:
    return Provenance(
        target=tuple(refer(one) for one in targets), recorded=instant(at_us), activity=activity, agent=agents
    )

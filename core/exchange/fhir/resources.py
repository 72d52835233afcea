"""FHIR R4's resources, as far as we write them: only what is required or what we have something to say in."""

import msgspec

from core.exchange.fhir.datatypes import (
    Annotation,
    Coding,
    Concept,
    ContactPoint,
    Element,
    HumanName,
    Identifier,
    Meta,
    Period,
    Quantity,
    Reference,
    SampledData,
)


class Resource(Element, frozen=True, kw_only=True, tag_field="resourceType", tag=True):
    """`id`: of one that is contained in another, and nothing without it."""

    id: str | None = None
    meta: Meta | None = None


class Bundle(Resource, frozen=True, kw_only=True):
    """Without its entries, which follow one by one."""

    identifier: Identifier
    type: str
    timestamp: str


class Organization(Resource, frozen=True, kw_only=True):
    name: str
    telecom: tuple[ContactPoint, ...] = ()


class Practitioner(Resource, frozen=True, kw_only=True):
    identifier: tuple[Identifier, ...]
    name: tuple[HumanName, ...] = ()


class Patient(Resource, frozen=True, kw_only=True):
    identifier: tuple[Identifier, ...]
    name: tuple[HumanName, ...]
    telecom: tuple[ContactPoint, ...] = ()
    birth_date: str


class AllergyIntolerance(Resource, frozen=True, kw_only=True):
    clinical_status: Concept
    verification_status: Concept
    code: Concept
    patient: Reference


class Encounter(Resource, frozen=True, kw_only=True):
    identifier: tuple[Identifier, ...]
    status: str
    class_: Coding = msgspec.field(name="class")
    type: tuple[Concept, ...]
    subject: Reference
    period: Period
    service_provider: Reference | None = None


class DeviceName(Element, frozen=True, kw_only=True):
    name: str
    type: str


class DeviceVersion(Element, frozen=True, kw_only=True):
    value: str


class Device(Resource, frozen=True, kw_only=True):
    identifier: tuple[Identifier, ...] = ()
    device_name: tuple[DeviceName, ...] = ()
    type: Concept
    version: tuple[DeviceVersion, ...] = ()
    owner: Reference | None = None


class DeviceMetric(Resource, frozen=True, kw_only=True):
    type: Concept
    unit: Concept
    source: Reference
    category: str


class Component(Element, frozen=True, kw_only=True):
    code: Concept
    value_quantity: Quantity | None = None
    value_codeable_concept: Concept | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None
    value_sampled_data: SampledData | None = None


class Observation(Resource, frozen=True, kw_only=True):
    part_of: tuple[Reference, ...] = ()
    status: str
    category: tuple[Concept, ...]
    code: Concept
    subject: Reference
    focus: tuple[Reference, ...] = ()
    encounter: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    performer: tuple[Reference, ...] = ()
    value_quantity: Quantity | None = None
    value_codeable_concept: Concept | None = None
    value_integer: int | None = None
    value_string: str | None = None
    value_sampled_data: SampledData | None = None
    note: tuple[Annotation, ...] = ()
    body_site: Concept | None = None
    method: Concept | None = None
    device: Reference | None = None
    has_member: tuple[Reference, ...] = ()
    component: tuple[Component, ...] = ()


class ProcedurePerformer(Element, frozen=True, kw_only=True):
    actor: Reference


class Procedure(Resource, frozen=True, kw_only=True):
    part_of: tuple[Reference, ...] = ()
    status: str
    status_reason: Concept | None = None
    code: Concept
    subject: Reference
    encounter: Reference | None = None
    performed_date_time: str | None = None
    performed_period: Period | None = None
    performer: tuple[ProcedurePerformer, ...] = ()
    body_site: tuple[Concept, ...] = ()
    note: tuple[Annotation, ...] = ()
    used_reference: tuple[Reference, ...] = ()


class BodyStructure(Resource, frozen=True, kw_only=True):
    identifier: tuple[Identifier, ...]
    location: Concept
    description: str
    patient: Reference


class Causality(Element, frozen=True, kw_only=True):
    assessment: Concept


class Suspect(Element, frozen=True, kw_only=True):
    instance: Reference
    causality: tuple[Causality, ...] = ()


class AdverseEvent(Resource, frozen=True, kw_only=True):
    identifier: Identifier
    actuality: str
    event: Concept
    subject: Reference
    encounter: Reference | None = None
    date: str
    recorded_date: str | None = None
    severity: Concept | None = None
    outcome: Concept
    recorder: Reference | None = None
    suspect_entity: tuple[Suspect, ...] = ()


class Payload(Element, frozen=True, kw_only=True):
    content_string: str


class Communication(Resource, frozen=True, kw_only=True):
    status: str
    subject: Reference
    about: tuple[Reference, ...]
    sent: str | None = None
    payload: tuple[Payload, ...]


class Attachment(Element, frozen=True, kw_only=True):
    """`hash` is SHA-1, as FHIR wants it; the record goes by SHA-256."""

    content_type: str
    data: bytes | None = None
    size: int
    hash: bytes | None = None
    title: str | None = None


class DocumentContent(Element, frozen=True, kw_only=True):
    attachment: Attachment


class DocumentContext(Element, frozen=True, kw_only=True):
    encounter: tuple[Reference, ...]


class DocumentReference(Resource, frozen=True, kw_only=True):
    identifier: tuple[Identifier, ...] = ()
    status: str
    type: Concept
    subject: Reference
    date: str
    author: tuple[Reference, ...] = ()
    description: str | None = None
    content: tuple[DocumentContent, ...]
    context: DocumentContext | None = None


class Provision(Element, frozen=True, kw_only=True):
    type: str
    period: Period | None = None
    code: tuple[Concept, ...] = ()
    provision: tuple["Provision", ...] = ()


class Verification(Element, frozen=True, kw_only=True):
    verified: bool
    verified_with: Reference
    verification_date: str


class Consent(Resource, frozen=True, kw_only=True):
    identifier: tuple[Identifier, ...]
    status: str
    scope: Concept
    category: tuple[Concept, ...]
    patient: Reference
    date_time: str
    performer: tuple[Reference, ...]
    organization: tuple[Reference, ...] = ()
    policy_rule: Concept
    verification: tuple[Verification, ...]
    provision: Provision


class AuditAgent(Element, frozen=True, kw_only=True):
    who: Reference
    requestor: bool


class AuditSource(Element, frozen=True, kw_only=True):
    site: str
    observer: Reference


class AuditDetail(Element, frozen=True, kw_only=True):
    type: str
    value_string: str | None = None
    value_base64_binary: bytes | None = msgspec.field(name="valueBase64Binary", default=None)


class AuditEntity(Element, frozen=True, kw_only=True):
    what: Reference | None = None
    role: Coding | None = None
    detail: tuple[AuditDetail, ...] = ()


class AuditEvent(Resource, frozen=True, kw_only=True):
    type: Coding
    subtype: tuple[Coding, ...]
    action: str
    recorded: str
    outcome: str | None = None
    agent: tuple[AuditAgent, ...]
    source: AuditSource
    entity: tuple[AuditEntity, ...]


class ProvenanceAgent(Element, frozen=True, kw_only=True):
    type: Concept
    who: Reference


class ProvenanceEntity(Element, frozen=True, kw_only=True):
    role: str
    what: Reference


class Provenance(Resource, frozen=True, kw_only=True):
    """`contained`: what `entity` speaks of and stands nowhere else."""

    contained: tuple[Resource, ...] = ()
    target: tuple[Reference, ...]
    occurred_date_time: str | None = None
    recorded: str
    reason: tuple[Concept, ...] = ()
    activity: Concept | None = None
    agent: tuple[ProvenanceAgent, ...]
    entity: tuple[ProvenanceEntity, ...] = ()


class DiagnosticReport(Resource, frozen=True, kw_only=True):
    identifier: tuple[Identifier, ...]
    status: str
    code: Concept
    subject: Reference
    encounter: Reference
    effective_period: Period
    issued: str
    performer: tuple[Reference, ...] = ()
    results_interpreter: tuple[Reference, ...] = ()
    result: tuple[Reference, ...] = ()
    conclusion: str | None = None


class CodeSystemConcept(Element, frozen=True, kw_only=True):
    code: str
    display: str


class CodeSystem(Resource, frozen=True, kw_only=True):
    url: str
    version: str
    name: str
    title: str
    status: str
    experimental: bool
    publisher: str
    description: str
    case_sensitive: bool
    content: str
    concept: tuple[CodeSystemConcept, ...]

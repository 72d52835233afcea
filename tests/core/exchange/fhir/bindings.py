"""FHIR R4's required bindings for what we write: the codes of 4.0.1, by path. fhir.resources checks none of these."""

from collections.abc import Iterator

EVENT = {"preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "entered-in-error", "unknown"}

REQUIRED: dict[str, set[str]] = {
    "Bundle.type": {
        "document", "message", "transaction", "transaction-response", "batch", "batch-response", "history",
        "searchset", "collection",
    },
    "Patient.name.use": {"usual", "official", "temp", "nickname", "anonymous", "old", "maiden"},
    "Patient.telecom.system": {"phone", "fax", "email", "pager", "url", "sms", "other"},
    "Organization.telecom.system": {"phone", "fax", "email", "pager", "url", "sms", "other"},
    "Encounter.status": {
        "planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error",
        "unknown",
    },
    "Device.deviceName.type": {
        "udi-label-name", "user-friendly-name", "patient-reported-name", "manufacturer-name", "model-name", "other",
    },
    "DeviceMetric.category": {"measurement", "setting", "calculation", "unspecified"},
    "Observation.status": {
        "registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown",
    },
    "Procedure.status": EVENT,
    "AdverseEvent.actuality": {"actual", "potential"},
    "AdverseEvent.outcome.coding.code": {
        "resolved", "recovering", "ongoing", "resolvedWithSequelae", "fatal", "unknown",
    },
    "AdverseEvent.severity.coding.code": {"mild", "moderate", "severe"},
    "DocumentReference.status": {"current", "superseded", "entered-in-error"},
    "Communication.status": EVENT,
    "Provenance.entity.role": {"derivation", "revision", "quotation", "source", "removal"},
    "AllergyIntolerance.clinicalStatus.coding.code": {"active", "inactive", "resolved"},
    "AllergyIntolerance.verificationStatus.coding.code": {"unconfirmed", "confirmed", "refuted", "entered-in-error"},
    "Consent.status": {"draft", "proposed", "active", "rejected", "inactive", "entered-in-error"},
    "Consent.provision.type": {"deny", "permit"},
    "Consent.provision.provision.type": {"deny", "permit"},
    "AuditEvent.action": {"C", "R", "U", "D", "E"},
    "AuditEvent.outcome": {"0", "4", "8", "12"},
    "DiagnosticReport.status": {
        "registered", "partial", "preliminary", "final", "amended", "corrected", "appended", "cancelled",
        "entered-in-error", "unknown",
    },
    "CodeSystem.status": {"draft", "active", "retired", "unknown"},
    "CodeSystem.content": {"not-present", "example", "fragment", "complete", "supplement"},
}  # fmt: skip

HL7 = "http://terminology.hl7.org/CodeSystem/"
KNOWN: dict[str, set[str]] = {
    HL7 + "observation-statistics": {"average", "maximum", "minimum", "count"},
    HL7 + "observation-category": {
        "social-history", "vital-signs", "imaging", "laboratory", "procedure", "survey", "exam", "therapy", "activity",
    },
    HL7 + "FDI-surface": {"M", "O", "I", "D", "B", "V", "L", "MO", "DO", "DI", "MOD"},
    HL7 + "ex-tooth": {str(10 * quadrant + place) for quadrant in (1, 2, 3, 4) for place in range(1, 9)},
    HL7 + "consentscope": {"adr", "research", "patient-privacy", "treatment"},
    HL7 + "object-role": {str(number) for number in range(1, 25)},
    HL7 + "provenance-participant-type": {
        "enterer", "performer", "author", "verifier", "legal", "attester", "informant", "custodian", "assembler",
        "composer",
    },
    HL7 + "allergyintolerance-clinical": {"active", "inactive", "resolved"},
    HL7 + "allergyintolerance-verification": {"unconfirmed", "confirmed", "refuted", "entered-in-error"},
    HL7 + "adverse-event-outcome": {
        "resolved", "recovering", "ongoing", "resolvedWithSequelae", "fatal", "unknown",
    },
    HL7 + "v3-ActReason": {"HTEST"},
    HL7 + "v3-ActCode": {"AMB"},
    HL7 + "adverse-event-severity": {"mild", "moderate", "severe"},
    HL7 + "v3-DataOperation": {"CREATE", "UPDATE", "NULLIFY"},
    "http://dicom.nema.org/resources/ontology/DCM": {"110110"},
    "http://loinc.org": {"59408-5", "8889-8", "2708-6", "8867-4", "8310-5", "59284-0", "28577-5"},
    "urn:iso:std:iso:11073:10101": {
        "147842", "147240", "150452", "150456", "149530", "150364", "528388", "528392",
    },
}  # fmt: skip
"""Every standard code that may leave the house, as it stands in 4.0.1 or in the nomenclature. Another needs a look."""


def values(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every leaf of a resource with its path, list indexes left out."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from values(inner, f"{path}.{key}" if path else str(value["resourceType"]) + f".{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from values(inner, path)
    else:
        yield path, value

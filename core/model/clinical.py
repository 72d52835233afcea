"""What clinicians write into a record: findings, steps, observations, adverse events, notes, files, plans, consents.

Each entry is a version of something with an id: a correction is the next version, with its author and reason. The words
of the enumerations are the field's own; `source` names where each comes from.
"""

from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from core.model.people import Patient
from core.model.procedure import Envelope, PhaseState, Plan

MAX_TEXT: Final = 10_000
MAX_SHORT: Final = 200
SURFACES: Final = "MDBLO"
"""Mesial, distal, buccal (labial), lingual (palatal), occlusal (incisal), in the order in which they are written."""
TEETH: Final = frozenset(
    quadrant * 10 + place
    for quadrants, places in (((1, 2, 3, 4), range(1, 9)), ((5, 6, 7, 8), range(1, 6)))
    for quadrant in quadrants
    for place in places
)
"""ISO 3950: permanent teeth 11–48, primary teeth 51–85."""
FIRST_PRIMARY: Final = 51
ICDAS: Final = range(7)
"""ICDAS II caries codes: 0 sound; 1, 2 first and distinct visual change in enamel; 3 localised enamel breakdown;
4 underlying dark shadow; 5, 6 distinct and extensive cavity. Source: ICDAS Coordinating Committee, 2005."""


class Condition(StrEnum):
    """What was found on a tooth."""

    SOUND = "sound"
    CARIES = "caries"
    RESTORATION = "restoration"
    SEALANT = "sealant"
    FRACTURE = "fracture"
    WEAR = "wear"
    MISSING = "missing"
    NOTED = "noted"
    """Of what kind was not said."""


class Material(StrEnum):
    """Of a restoration or sealant."""

    UNKNOWN = "unknown"
    COMPOSITE = "composite"
    AMALGAM = "amalgam"
    GLASS_IONOMER = "glass_ionomer"
    CERAMIC = "ceramic"
    GOLD = "gold"
    RESIN = "resin"
    SMILESCAPE = "smilescape"
    """Placed by the procedure."""


class Source(StrEnum):
    """How a finding came about."""

    EXAM = "exam"
    IMAGE = "image"
    PATIENT = "patient"
    """The patient told of it."""
    ELSEWHERE = "elsewhere"
    """Another practice's papers."""
    PROCEDURE = "procedure"
    CARRIED = "carried"
    """From the chart with which a visit began: it was found before, and no entry tells when."""


class Severity(StrEnum):
    """Of an adverse event. Source: HL7 FHIR R4, adverse-event-severity."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


class Relation(StrEnum):
    """Whether the treatment caused it. Source: WHO-UMC causality categories."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"
    UNLIKELY = "unlikely"
    UNASSESSED = "unassessed"


class Outcome(StrEnum):
    """How an adverse event ended. Source: HL7 FHIR R4, adverse-event-outcome."""

    RESOLVED = "resolved"
    RECOVERING = "recovering"
    ONGOING = "ongoing"
    LASTING = "lasting"
    """Resolved with sequelae."""
    FATAL = "fatal"
    UNKNOWN = "unknown"


class ConsentState(StrEnum):
    GIVEN = "given"
    VOID = "void"
    """The plan was changed afterwards, or the patient took it back."""


class Written(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What all entries have.

    Attributes:
        id: the same in every version; empty in an entry that is still to be added.
        visit_id: empty when it belongs to no visit.
        at_us: UTC µs when it was found, done or said; when it was written stands beside the version.
        withdrawn: entered in error. It stays readable, struck through.
    """

    id: str = ""
    patient_id: str
    visit_id: str = ""
    at_us: int = 0
    text: str = ""
    withdrawn: bool = False


class Finding(Written, frozen=True, kw_only=True, tag="finding"):
    """One thing found on one tooth.

    Attributes:
        fdi: ISO 3950 number.
        surfaces: out of "MDBLO"; empty for the whole tooth.
        icdas: 0–6 for caries, None when not assessed.
        material: of a restoration or sealant.
    """

    fdi: int
    condition: Condition
    surfaces: str = ""
    icdas: int | None = None
    material: Material | None = None
    source: Source = Source.EXAM


class StepDone(Written, frozen=True, kw_only=True, tag="step"):
    """A step of a procedure: of the Smilescape procedure by module and phase, or another, in words.

    Attributes:
        fdi: 0 for the whole mouth.
        number: of the phase; 0 for a step in words.
    """

    fdi: int = 0
    module: str = ""
    phase: str = ""
    number: int = 0
    state: PhaseState = PhaseState.DONE
    delivered_s: float = 0.0


class Observation(Written, frozen=True, kw_only=True, tag="observation"):
    """Something seen or measured by hand. `unit`: UCUM; empty without a value."""

    fdi: int = 0
    value: float | None = None
    unit: str = ""


class AdverseEvent(Written, frozen=True, kw_only=True, tag="adverse"):
    """Harm, or what could have become harm. `reported_to`: empty while nobody was told."""

    severity: Severity
    relation: Relation = Relation.UNASSESSED
    outcome: Outcome = Outcome.UNKNOWN
    reported_to: str = ""
    reported_us: int | None = None


class Note(Written, frozen=True, kw_only=True, tag="note"):
    pass


class Attachment(Written, frozen=True, kw_only=True, tag="attachment"):
    """A file. Its bytes never change; a correction is about its name and words.

    Attributes:
        media_type: found in the bytes, not in the name.
        size: bytes.
        sha256: of the bytes.
    """

    name: str
    media_type: str = ""
    size: int = 0
    sha256: bytes = b""


class PlanMade(Written, frozen=True, kw_only=True, tag="plan"):
    """A version of the plan of a visit."""

    plan: Plan


class Consent(Written, frozen=True, kw_only=True, tag="consent"):
    """A version of the consent of a visit; `envelope.witness` is who saw it given."""

    envelope: Envelope
    state: ConsentState


class Identity(Written, frozen=True, kw_only=True, tag="patient"):
    """A version of who the patient is. Kept as `Patient`; an entry only where entries are read together."""

    patient: Patient


Entry: TypeAlias = Finding | StepDone | Observation | AdverseEvent | Note | Attachment | PlanMade | Consent | Identity
BY_HAND: Final = (Finding, StepDone, Observation, AdverseEvent, Note, Attachment)
"""What people add and correct; plans, consents and identities change where they are made."""


class EntryVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an entry, as it stands in a chair's record.

    Attributes:
        chair: whose record holds it; corrections go there.
        version: 1 for the first.
        author: id of who wrote it; a name once it reached people.
        reason: why; of a first version how it came about.
        written_us: UTC µs.
    """

    chair: int
    version: int
    author: str
    reason: str
    written_us: int
    entry: Entry


def kind_of(entry: Written) -> str:
    """Its tag, under which the record keeps it."""
    return str(type(entry).__struct_config__.tag)

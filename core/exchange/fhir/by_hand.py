"""What a person wrote, as one resource: finding, step in words, observation, adverse event, note, file."""

import hashlib
from collections.abc import Iterator, Sequence
from decimal import Decimal

from core.exchange.fhir.clinical import chart_code, structure_urn
from core.exchange.fhir.codes import Number, Own, global_id, hl7, surface_concept, tooth_concept
from core.exchange.fhir.context import Context, instant
from core.exchange.fhir.datatypes import Concept, Identifier, Reference, note, quantity, refer
from core.exchange.fhir.people import Acting
from core.exchange.fhir.resources import (
    AdverseEvent,
    Attachment,
    Causality,
    Component,
    DocumentContent,
    DocumentContext,
    DocumentReference,
    Observation,
    Procedure,
    ProcedurePerformer,
    Resource,
    Suspect,
)
from core.model import clinical as model
from core.model.clinical import EntryVersion, Outcome, Relation, Written
from core.model.procedure import PhaseState

KINDS: dict[str, str] = {
    "finding": "Observation",
    "step": "Procedure",
    "observation": "Observation",
    "adverse": "AdverseEvent",
    "note": "DocumentReference",
    "attachment": "DocumentReference",
}
"""The resource of each kind of entry."""
_SEVERITY = {"mild": "Mild", "moderate": "Moderate", "severe": "Severe"}
_OUTCOME = {
    Outcome.RESOLVED: ("resolved", "Resolved"),
    Outcome.RECOVERING: ("recovering", "Recovering"),
    Outcome.ONGOING: ("ongoing", "Ongoing"),
    Outcome.LASTING: ("resolvedWithSequelae", "Resolved with Sequelae"),
    Outcome.FATAL: ("fatal", "Fatal"),
    Outcome.UNKNOWN: ("unknown", "Unknown"),
}
_STEP = {
    PhaseState.DONE: "completed",
    PhaseState.SKIPPED: "not-done",
    PhaseState.HELD: "on-hold",
    PhaseState.WAITING: "preparation",
    PhaseState.UNKNOWN: "unknown",
}
_TEXT = "text/plain; charset=utf-8"
_WRONG = "entered-in-error"


class ByHand:
    """`treated`: what the patient was treated by in this visit; None where nothing is known of a treatment."""

    def __init__(self, context: Context, acting: Acting, treated: Reference | None) -> None:
        self._context = context
        self._acting = acting
        self._treated = treated

    def resource(self, versions: Sequence[EntryVersion], data: bytes | None = None) -> Resource:
        """The last of these versions. `data`: the bytes of a file, where they are to be in it."""
        match versions[-1].entry:
            case model.Finding() as entry:
                return self._finding(entry, versions)
            case model.Observation() as entry:
                return self._observation(entry, versions)
            case model.StepDone() as entry:
                return self._step(entry, versions)
            case model.AdverseEvent() as entry:
                return self._adverse(entry, versions)
            case model.Note() as entry:
                said = entry.text.encode()
                return self._document(entry, versions, Attachment(content_type=_TEXT, data=said, size=len(said)))
            case model.Attachment() as entry:
                return self._document(entry, versions, _file(entry, data))
        raise TypeError(type(versions[-1].entry).__name__)

    def who(self, version: EntryVersion) -> Reference:
        """Who wrote it: somebody, or the program."""
        if version.author in ("", "workstation"):
            return self._context.workstation
        return refer(self._acting.meet(version.author))

    def encounter(self, entry: Written) -> Reference | None:
        return self._context.encounter if entry.visit_id == self._context.visit.id else None

    # teeth, and what was seen

    def _finding(self, entry: model.Finding, versions: Sequence[EntryVersion]) -> Observation:
        source = self._context.words.say(f"clinical.source.{entry.source.value}")
        return Observation(
            status=_observed(versions),
            category=(hl7("observation-category", "exam", "Exam"),),
            code=chart_code(self._context, "found"),
            subject=self._context.subject,
            focus=(refer(structure_urn(self._context, entry.fdi)),),
            encounter=self.encounter(entry),
            effective_date_time=_when(entry, versions),
            performer=self._performer(versions),
            value_codeable_concept=self._said("condition", entry.condition.value),
            note=note(entry.text),
            body_site=tooth_concept(entry.fdi),
            method=Concept(text=source),
            component=tuple(self._finding_parts(entry)),
        )

    def _finding_parts(self, entry: model.Finding) -> Iterator[Component]:
        for surface in entry.surfaces:
            where = surface_concept(entry.fdi, surface)
            yield Component(code=chart_code(self._context, "surface"), value_codeable_concept=where)
        if entry.icdas is not None:
            yield Component(code=chart_code(self._context, "icdas"), value_integer=entry.icdas)
        if entry.material is not None:
            material = self._said("material", entry.material.value)
            yield Component(code=chart_code(self._context, "material"), value_codeable_concept=material)

    def _observation(self, entry: model.Observation, versions: Sequence[EntryVersion]) -> Observation:
        """With a figure its words are a note; without one they are the value."""
        measured = entry.value is not None
        return Observation(
            status=_observed(versions),
            category=(hl7("observation-category", "exam", "Exam"),),
            code=chart_code(self._context, "observed"),
            subject=self._context.subject,
            focus=(refer(structure_urn(self._context, entry.fdi)),) if entry.fdi else (),
            encounter=self.encounter(entry),
            effective_date_time=_when(entry, versions),
            performer=self._performer(versions),
            value_quantity=quantity(Decimal(repr(entry.value)), entry.unit or "1") if measured else None,
            value_string=None if measured else entry.text,
            note=note(entry.text) if measured else (),
            body_site=tooth_concept(entry.fdi) if entry.fdi else None,
        )

    def _step(self, entry: model.StepDone, versions: Sequence[EntryVersion]) -> Procedure:
        return Procedure(
            status=_WRONG if entry.withdrawn else _STEP.get(entry.state, "in-progress"),
            code=Concept(text=entry.text),
            subject=self._context.subject,
            encounter=self.encounter(entry),
            performed_date_time=_when(entry, versions),
            performer=tuple(ProcedurePerformer(actor=one) for one in self._performer(versions)),
            body_site=(tooth_concept(entry.fdi),) if entry.fdi else (),
        )

    def _performer(self, versions: Sequence[EntryVersion]) -> tuple[Reference, ...]:
        """Who wrote it first; nobody where the program did."""
        return (self.who(versions[0]),) if versions[0].author not in ("", "workstation") else ()

    # harm

    def _adverse(self, entry: model.AdverseEvent, versions: Sequence[EntryVersion]) -> AdverseEvent:
        """What somebody wrote down has happened: *actual*. Whether the treatment did it is told in words: the codes for
        it are written one way in R4 and another in what terminology servers hold."""
        suspect: tuple[Suspect, ...] = ()
        if self._treated is not None and self.encounter(entry) is not None:
            said = self._context.words.say(f"clinical.relation.{entry.relation.value}")
            assessed = () if entry.relation is Relation.UNASSESSED else (Causality(assessment=Concept(text=said)),)
            suspect = (Suspect(instance=self._treated, causality=assessed),)
        return AdverseEvent(
            identifier=_identifier(entry),
            actuality="actual",
            event=Concept(text=entry.text),
            subject=self._context.subject,
            encounter=self.encounter(entry),
            date=_when(entry, versions),
            recorded_date=instant(versions[0].written_us),
            severity=hl7("adverse-event-severity", entry.severity.value, _SEVERITY[entry.severity.value]),
            outcome=hl7("adverse-event-outcome", *_OUTCOME[entry.outcome]),
            recorder=next(iter(self._performer(versions)), None),
            suspect_entity=suspect,
        )

    # notes and files

    def _document(
        self, entry: model.Note | model.Attachment, versions: Sequence[EntryVersion], file: Attachment
    ) -> DocumentReference:
        encounter = self.encounter(entry)
        kind = "note" if isinstance(entry, model.Note) else "attachment"
        return DocumentReference(
            identifier=global_id(entry.id),
            status=_WRONG if entry.withdrawn else "current",
            type=Concept(text=self._context.words.say(f"clinical.kind.{kind}")),
            subject=self._context.subject,
            date=_when(entry, versions),
            author=self._performer(versions),
            description=(entry.text or None) if isinstance(entry, model.Attachment) else None,
            content=(DocumentContent(attachment=file),),
            context=DocumentContext(encounter=(encounter,)) if encounter is not None else None,
        )

    def _said(self, group: str, code: str) -> Concept:
        """A word out of the list that people choose from; its code is our own."""
        return self._context.own.concept(
            Own.CHART, f"{group}-{code}", self._context.words.say(f"clinical.{group}.{code}")
        )


def _file(entry: model.Attachment, data: bytes | None) -> Attachment:
    sha1 = hashlib.sha1(data, usedforsecurity=False).digest() if data is not None else None
    return Attachment(content_type=entry.media_type, data=data, size=entry.size, hash=sha1, title=entry.name)


def _observed(versions: Sequence[EntryVersion]) -> str:
    if versions[-1].entry.withdrawn:
        return _WRONG
    return "corrected" if len(versions) > 1 else "final"


def _when(entry: Written, versions: Sequence[EntryVersion]) -> str:
    return instant(entry.at_us or versions[0].written_us)


def _identifier(entry: Written) -> Identifier:
    """AdverseEvent takes one alone."""
    return next(iter(global_id(entry.id)), Number.ENTRY.of(entry.id))

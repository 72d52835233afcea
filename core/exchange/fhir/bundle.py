"""A visit, or every visit of a patient, as one FHIR R4 bundle in a file.

The bundle is a `collection`: what was recorded, to be taken as it is. A `document` would claim that somebody attests
its text, which is what the signed report is for; a `transaction` would tell a server what to do with it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import msgspec

from core.exchange.fhir.agreement import consent_entries, envelopes
from core.exchange.fhir.clinical import (
    chart_entries,
    encounter_entry,
    mdas_entry,
    near_miss_entries,
    procedure_entries,
    procedure_urn,
)
from core.exchange.fhir.codes import LOINC, TEST_DATA, URI, Number, OwnCodes, global_id, urn
from core.exchange.fhir.context import Context, Detail, Entries, Entry, Sender, instant
from core.exchange.fhir.datatypes import Coding, Concept, Identifier, Meta, refer
from core.exchange.fhir.evidence import audit_entries, measured_entry, sent_entry, signed_entry
from core.exchange.fhir.home import home_entries
from core.exchange.fhir.people import Acting, patient_entries, patient_urn, sender_entries
from core.exchange.fhir.resources import Bundle, DiagnosticReport
from core.exchange.fhir.signals import Signals
from core.exchange.fhir.written import written_entries
from core.model.clock import Clock, SystemClock
from core.model.people import Patient, VisitSummary
from core.model.procedure import ProcedureView
from core.model.progress import Watch, unwatched, within
from core.model.wear import AtHome
from core.model.words import Words, load_words
from core.record import NotFound, RecordReader
from core.record.drafts import complete_file
from core.record.types import RecordedMoment

SIGNALS_SHARE = 0.9
"""Of the time that a visit takes."""

_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Held:
    """A visit and the record that holds it."""

    reader: RecordReader
    visit: VisitSummary


def export_visit(
    reader: RecordReader,
    visit_id: str,
    path: Path,
    *,
    sender: Sender | None = None,
    detail: Detail = Detail.REDUCED,
    others: Sequence[RecordReader] = (),
    home: AtHome | None = None,
    clock: Clock | None = None,
    watch: Watch = unwatched,
) -> int:
    """Write one visit; returns the resources written.

    Args:
        others: the records of the other chairs, in which somebody may have written about the patient, or looked.
        home: the patient's days at home, which only the records of all chairs together tell.

    Raises:
        NotFound: the record does not know the visit.
        ExportFailed: the file cannot be written.
        Cancelled: `watch` raised it. In both cases nothing of the file is left, and what was there before stays.
    """
    visit = reader.visit(visit_id)
    if visit is None:
        raise NotFound(f"There is no visit {visit_id}.", "Choose another visit.")
    held = [Held(reader, visit)]
    return export_visits(held, path, sender=sender, detail=detail, others=others, home=home, clock=clock, watch=watch)


def export_visits(
    held: Sequence[Held],
    path: Path,
    *,
    sender: Sender | None = None,
    detail: Detail = Detail.REDUCED,
    others: Sequence[RecordReader] = (),
    home: AtHome | None = None,
    clock: Clock | None = None,
    watch: Watch = unwatched,
) -> int:
    """Write visits of one patient, which may lie in several records; returns the resources written. The rest as above;
    `others` may name those of `held` again."""
    patient = _patient(held)
    making = _Making(
        sender=sender or Sender(),
        detail=detail,
        made_us=(clock or SystemClock()).utc_us(),
        words=load_words(),
        readers=tuple(dict.fromkeys((*(one.reader for one in held), *others))),
        home=home or AtHome(),
        watch=watch,
    )
    with complete_file(path) as out:
        written = _write(out, making.entries(held, patient), patient, held, making.made_us)
        watch(1.0)
        return written


def _patient(held: Sequence[Held]) -> Patient:
    """The newest version that any of the records has. Raises NotFound."""
    found = [one.reader.patient(one.visit.patient_id) for one in held]
    known = [patient for patient in found if patient is not None]
    if not known:
        raise NotFound(
            "The record does not know the patient of this visit.", "Look in the records of the other chairs."
        )
    return max(known, key=lambda patient: patient.version)


def _write(out: TextIO, entries: Iterable[Entry], patient: Patient, held: Sequence[Held], made_us: int) -> int:
    """One resource after the other, each once, so that memory holds one of them."""
    simulated = patient.simulated or any(one.visit.simulated for one in held)
    meta = Meta(security=(TEST_DATA,)) if simulated else None
    identity = urn("Bundle", *(one.visit.id for one in held), str(made_us))
    head = Bundle(
        meta=meta, identifier=Identifier(system=URI, value=identity), type="collection", timestamp=instant(made_us)
    )
    out.write(_encoder.encode(head).decode().removesuffix("}") + ',"entry":[')
    written: set[str] = set()
    for full_url, resource in entries:
        if full_url in written:
            continue
        out.write(",\n" if written else "\n")
        written.add(full_url)
        labelled = msgspec.structs.replace(resource, meta=meta)
        out.write(_encoder.encode({"fullUrl": full_url, "resource": labelled}).decode())
    out.write("\n]}\n")
    return len(written)


@dataclass(frozen=True, slots=True)
class _Making:
    sender: Sender
    detail: Detail
    made_us: int
    words: Words
    readers: tuple[RecordReader, ...]
    home: AtHome
    watch: Watch

    def entries(self, held: Sequence[Held], patient: Patient) -> Iterator[Entry]:
        own = OwnCodes()
        yield from patient_entries(patient)
        yield from sender_entries(self.sender, own, self.words)
        for number, one in enumerate(held):
            end = self.made_us if one.visit.ended_us is None else one.visit.ended_us
            context = Context(
                words=self.words,
                own=own,
                sender=self.sender,
                visit=one.visit,
                end_us=max(end, one.visit.began_us),
                patient=patient_urn(patient.id),
                made_us=self.made_us,
                detail=self.detail,
            )
            part = within(self.watch, number / len(held), (number + 1) / len(held))
            yield from _Visit(context, one.reader, self.readers, part).entries()
            if number == 0:
                yield from home_entries(context, self.home)
        yield from own.systems()


class _Visit:
    """Everything of one visit."""

    def __init__(self, context: Context, reader: RecordReader, readers: Sequence[RecordReader], watch: Watch) -> None:
        """`reader`: of the record that holds the visit, one of `readers`."""
        self._context = context
        self._reader = reader
        self._readers = readers
        self._acting = Acting(context)
        self._signals = Signals(context, reader, within(watch, 0.0, SIGNALS_SHARE))
        self._watch = watch
        self._done: list[str] = []

    def entries(self) -> Entries:
        context, reader = self._context, self._reader
        history = reader.procedure_history(context.visit.id)
        view = history[-1] if history else None
        moments = reader.moments(context.visit.id)
        yield self._keep(encounter_entry(context))
        yield from self._signals.entries()
        hub, results = self._signals.hub, self._signals.results
        if view is not None:
            for entry in procedure_entries(context, view, moments, hub, self._acting):
                yield self._keep(entry)
            for entry in chart_entries(context, view, results):
                yield self._keep(entry)
            yield from mdas_entry(context, view, results)
        treated = refer(procedure_urn(context)) if view is not None else hub
        yield from written_entries(context, self._readers, self._acting, treated, results)
        if view is not None:
            yield from consent_entries(context, envelopes(history), view.envelope, self._acting)
            yield self._keep(self._report(view, moments, results))
        yield from near_miss_entries(context, reader.alarms(), hub, self._acting)
        for log in self._readers:
            for entry in audit_entries(context, log, hub if log is reader else None, self._acting):
                self._watch(SIGNALS_SHARE)
                yield entry
        yield from measured_entry(context, self._signals.measured, hub)
        signed = _signed(view, moments)
        if signed is not None:
            yield from signed_entry(context, self._done, self._acting.meet(signed.author, _name(signed)), signed.at_us)
        yield from sent_entry(context, [context.patient, context.encounter.reference])
        yield from self._acting.entries()

    def _keep(self, entry: Entry) -> Entry:
        """What the signature stands for."""
        self._done.append(entry[0])
        return entry

    def _report(self, view: ProcedureView, moments: list[RecordedMoment], results: list[str]) -> Entry:
        context = self._context
        signed = _signed(view, moments)
        signer = (refer(self._acting.meet(signed.author, _name(signed))),) if signed is not None else ()
        said = [context.words.tell(moment.text) for moment in moments if moment.kind in ("signed", "ended_early")]
        procedure_note = Coding(system=LOINC, code="28577-5", display="Dentist Procedure note")
        return urn("DiagnosticReport", context.visit.id), DiagnosticReport(
            identifier=(Number.VISIT_CODE.of(context.visit.code), *global_id(context.visit.id)),
            status="final" if signed is not None else "preliminary",
            code=Concept(coding=(procedure_note,), text=context.words.say("visit.title.procedure")),
            subject=context.subject,
            encounter=context.encounter,
            effective_period=context.period,
            issued=instant(signed.at_us if signed is not None else context.made_us),
            performer=context.organization,
            results_interpreter=signer,
            result=tuple(refer(one) for one in results),
            conclusion=" ".join(said) or None,
        )


def _signed(view: ProcedureView | None, moments: Iterable[RecordedMoment]) -> RecordedMoment | None:
    """The signature that closed the visit; None while nobody has signed."""
    found = [moment for moment in moments if moment.kind == "signed"]
    return found[-1] if found and (view is None or view.signed_by is not None or view.closed) else None


def _name(signed: RecordedMoment) -> str:
    return str(signed.text.values.get("name", ""))

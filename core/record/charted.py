"""The entries that follow from a procedure: plans, consents, steps and what was charted, each a version of its own."""

from collections.abc import Iterator

import msgspec

from core.model.clinical import Consent, ConsentState, Entry, PlanMade, StepDone
from core.model.procedure import PhaseState, PhaseView, ProcedureView
from core.people.charting import chart, charted
from core.record.entries import EntryBook

_TOLD = (PhaseState.STARTING, PhaseState.DONE, PhaseState.SKIPPED)


def write_entries(
    book: EntryBook, before: ProcedureView | None, view: ProcedureView, *, author: str, at_us: int
) -> None:
    """Write what is new in `view` against the state before it; within the transaction that saves the view."""
    for entry, reason in _entries(book, before, view, at_us):
        book.carry_on(entry, author=author, reason=reason, at_us=at_us)


def _entries(
    book: EntryBook, before: ProcedureView | None, view: ProcedureView, at_us: int
) -> Iterator[tuple[Entry, str]]:
    if view.plan is not None and (before is None or before.plan != view.plan):
        plan = PlanMade(
            id=view.visit_id, patient_id=view.patient_id, visit_id=view.visit_id, at_us=at_us, plan=view.plan
        )
        yield plan, "plan"
    yield from _consents(before, view, at_us)
    phases = {phase.number: phase for phase in before.phases} if before is not None else {}
    for phase in view.phases:
        known = phases.get(phase.number)
        if phase.state in _TOLD and (known is None or known.state is not phase.state):
            yield _step(view, phase, at_us), str(phase.state)
    if before is None or before.teeth != view.teeth:
        yield from _findings(book, before, view, at_us)


def _consents(before: ProcedureView | None, view: ProcedureView, at_us: int) -> Iterator[tuple[Entry, str]]:
    old = before.envelope if before is not None else None
    new = view.envelope
    if new == old:
        return
    envelope, state = (new, ConsentState.GIVEN) if new is not None else (old, ConsentState.VOID)
    if envelope is not None:
        consent = Consent(
            id=view.visit_id,
            patient_id=view.patient_id,
            visit_id=view.visit_id,
            at_us=envelope.signed_us if new is not None else at_us,
            envelope=envelope,
            state=state,
        )
        yield consent, str(state)


def _step(view: ProcedureView, phase: PhaseView, at_us: int) -> StepDone:
    return StepDone(
        id=f"{view.visit_id}/{phase.number}",
        patient_id=view.patient_id,
        visit_id=view.visit_id,
        at_us=at_us,
        fdi=phase.tooth,
        module=phase.module,
        phase=phase.key,
        number=phase.number,
        state=phase.state,
        delivered_s=round(phase.elapsed_s + phase.delivered_before_s, 1),
    )


def _findings(
    book: EntryBook, before: ProcedureView | None, view: ProcedureView, at_us: int
) -> Iterator[tuple[Entry, str]]:
    """Of the chart with which a visit begins, only what no finding in this file tells of."""
    known = tuple(chart(book.findings(view.patient_id)).values()) if before is None else before.teeth
    for found in charted(known, view.teeth, first=before is None):
        what = f"{found.condition}/{found.surfaces}" + ("" if found.icdas is None else f"/{found.icdas}")
        entry = msgspec.structs.replace(
            found,
            id=f"{view.visit_id}/{found.fdi}/{what}",
            patient_id=view.patient_id,
            visit_id=view.visit_id,
            at_us=at_us,
        )
        yield entry, str(found.source)

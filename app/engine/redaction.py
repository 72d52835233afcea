"""What is left of a push or an answer for somebody who may not see all of it. Pure: everything is handed in.

What nobody may see never leaves the engine: a window that was taken over, or a bug in it, has nothing to show.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from app.ipc import messages as ipc
from app.ipc.clinical_messages import SearchHits
from core.model.people import Operator, Patient, Role, VisitSummary
from core.model.procedure import Hold, PhaseView, ProcedureView
from core.model.search import Found
from core.model.words import Text

OPEN = frozenset(
    {
        *("address", "at", "ch", "chair", "channel", "count", "device", "dbm", "firmware", "frames", "hub", "kid"),
        *(
            "days",
            "dentist",
            "kind",
            "limit",
            "minutes",
            "link",
            "megabytes",
            "model",
            "name",
            "number",
            "outcome",
            "percent",
            "places",
            "seconds",
        ),
        *("serial", "state", "step", "unit", "value", "version", "what", "workstation", "workstations"),
    }
)
"""Values of sentences that name no patient and repeat nobody's words; any other text is left out."""
CLINICAL = frozenset({"phase", "tooth"})
"""Left out where the treatment is not seen, whatever their type."""
ABOUT_KEYS = ("log.keys.", "log.doubt.", "log.emergency_", "alarm.")
"""Sentences whose reason is about hubs, keys or the workstation; who reads the log needs it."""
CLINICAL_LINES = ("note.", "log.seated", "log.mark", "hold.")


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody sees of one patient, or of none. `course`: that of visits in the log, without names."""

    identities: bool = False
    treatment: bool = False
    course: bool = False


ALL = Seen(identities=True, treatment=True, course=True)


def cut_text(text: Text, seen: Seen) -> Text:
    """The same sentence without what is not seen."""
    if seen.identities:
        return text
    values = {name: _value(text.key, name, value, seen) for name, value in text.values.items()}
    key = text.key
    if key.endswith(".reason_tooth") and not seen.treatment:
        key = key.removesuffix("_tooth")
    return Text(key, values)


def _value(key: str, name: str, value: str | int | float, seen: Seen) -> str | int | float:
    if name == "patient":
        return "@cut.patient"
    if name in CLINICAL and not seen.treatment:
        return "@cut.treatment"
    if not isinstance(value, str) or value.startswith("@") or name in OPEN:
        return value
    if name == "reason" and key.startswith(ABOUT_KEYS):
        return value
    return "@cut.hidden"


def cut_patient(patient: Patient, seen: Seen) -> Patient:
    """A patient by code; allergies stay while the treatment is seen, since they matter to it."""
    if seen.identities:
        return patient
    return Patient(
        id=patient.id,
        version=patient.version,
        code=patient.code,
        given_name=patient.code,
        family_name="",
        birth_date="",
        allergies=patient.allergies if seen.treatment else "",
        simulated=patient.simulated,
    )


def cut_chair(chair: ipc.Chair, seen: Seen) -> ipc.Chair:
    """A chair as who is logged in may see it: state, link and lease always."""
    if seen.identities and seen.treatment:
        return chair
    patient, view = chair.patient, chair.procedure
    chair = msgspec.structs.replace(
        chair,
        headline=cut_text(chair.headline, seen),
        reason=cut_text(chair.reason, seen),
        next_step=cut_text(chair.next_step, seen),
        patient=cut_patient(patient, seen) if patient is not None else None,
        procedure=_cut_view(view, seen) if view is not None else None,
    )
    if seen.treatment or view is None:
        return chair
    unknown = msgspec.structs.replace(chair.patient, id="") if chair.patient is not None else None
    return msgspec.structs.replace(chair, patient=unknown, shown=False, limits=(), values={})


def _cut_view(view: ProcedureView, seen: Seen) -> ProcedureView:
    hold = view.hold
    if hold is not None:
        hold = msgspec.structs.replace(
            hold, reason=cut_text(hold.reason, seen), next_step=cut_text(hold.next_step, seen)
        )
    if seen.treatment:
        blocked = tuple(cut_text(text, seen) for text in view.blocked)
        return msgspec.structs.replace(view, comfort_words="", hold=hold, blocked=blocked)
    return _outline(view, hold)


def _outline(view: ProcedureView, hold: Hold | None) -> ProcedureView:
    """How far it is, and whether dose may flow: what the bars, STOP and the lease need."""
    return ProcedureView(
        visit_id="",
        visit_code=view.visit_code,
        patient_id="",
        chair=view.chair,
        step=view.step,
        revision=view.revision,
        began_us=view.began_us,
        phases=tuple(
            PhaseView(number=one.number, module="", key="", tooth=0, seconds=0, dose_percent=0, state=one.state)
            for one in view.phases
        ),
        current_phase=view.current_phase,
        hold=hold,
        closed=view.closed,
        ended_early=view.ended_early,
        simulated=view.simulated,
    )


def cut_log(page: ipc.LogPage, seen: Seen) -> ipc.LogPage:
    """The log without names; without lines about visits where their course is not seen."""
    if seen.identities:
        return page
    lines = (
        msgspec.structs.replace(one, text=cut_text(one.text, seen))
        for one in page.entries
        if seen.course or not one.text.key.startswith(CLINICAL_LINES)
    )
    return ipc.LogPage(entries=tuple(lines), more=page.more)


def cut_timeline(timeline: ipc.Timeline, seen: Seen) -> ipc.Timeline:
    """Visits by code."""
    if seen.identities:
        return timeline
    return ipc.Timeline(
        patient=cut_patient(timeline.patient, seen),
        visits=tuple(_cut_visit(visit) for visit in timeline.visits),
        home=None,
        entries=(),
    )


def cut_patients(reply: ipc.Patients, seen: Callable[[str], Seen], *, own_only: bool) -> ipc.Patients:
    """A list of patients, as `cut_hits` does."""
    wanted = reply.query.strip().casefold()
    kept = (
        cut_patient(one, seen(one.id))
        for one in reply.patients
        if seen(one.id).identities or (not own_only and wanted in one.code.casefold())
    )
    return ipc.Patients(query=reply.query, patients=tuple(kept))


def cut_hits(reply: SearchHits, seen: Callable[[str], Seen], *, own_only: bool) -> SearchHits:
    """What a search found. Who does not see a patient by name finds them by code, and never by what was searched for
    in names or words: whether anything is found would tell.

    Args:
        seen: of a patient by id.
        own_only: without those who are not seen by name.
    """
    hits = (one if seen(one.patient.id).identities else _by_code(one, reply.query, seen) for one in reply.hits)
    kept = (one for one in hits if one is not None and not (own_only and not seen(one.patient.id).identities))
    return SearchHits(query=reply.query, hits=tuple(kept))


def _by_code(hit: Found, query: str, seen: Callable[[str], Seen]) -> Found | None:
    codes = hit.patient.code, hit.visit.code if hit.kind == "visit" and hit.visit is not None else ""
    wanted = query.strip().casefold()
    if hit.kind not in ("patient", "visit") or not any(wanted in code.casefold() for code in codes if code):
        return None
    return msgspec.structs.replace(
        hit,
        patient=cut_patient(hit.patient, seen(hit.patient.id)),
        visit=_cut_visit(hit.visit) if hit.visit is not None else None,
        entry=None,
        event=None,
    )


def _cut_visit(visit: VisitSummary) -> VisitSummary:
    return msgspec.structs.replace(visit, teeth=(), mdas=None)


def cut_operator(operator: Operator, seen: Seen) -> Operator:
    """Companions by their initials: their name tells whose companion they are."""
    if seen.identities or operator.role is not Role.COMPANION:
        return operator
    initials = " ".join(f"{part[0]}." for part in operator.name.split())
    return msgspec.structs.replace(operator, name=initials)

"""What was done in a visit: the visit, the procedure's modules tooth by tooth, the chart, and what went wrong."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from core.exchange.fhir.codes import HL7, Number, Own, global_id, hl7, surface_concept, tooth_concept, urn
from core.exchange.fhir.context import Context, Entries, Entry, instant
from core.exchange.fhir.datatypes import Coding, Concept, Period, Reference, note, refer
from core.exchange.fhir.people import Acting
from core.exchange.fhir.resources import (
    AdverseEvent,
    BodyStructure,
    Component,
    Encounter,
    Observation,
    Procedure,
    ProcedurePerformer,
    Suspect,
)
from core.model.alarm import Alarm, AlarmPriority, AlarmState
from core.model.people import ToothState
from core.model.procedure import Choice, ModulePlan, PhaseState, PhaseView, ProcedureView
from core.record.types import RecordedMoment

WORKSTATION = "workstation"
"""Author of what nobody did."""
NEAR_MISS = ("limit.", "trust.", "hub.fault", "hub.unexpected")
"""Alarms of what could have harmed; a lost link or a full disk could not."""
MDAS_ITEMS, MDAS_LOWEST = 5, 5
SURFACES = "MDBLO"


def encounter_entry(context: Context) -> Entry:
    """The visit."""
    visit, words = context.visit, context.words
    return context.encounter.reference, Encounter(
        identifier=(Number.VISIT_CODE.of(visit.code), *global_id(visit.id)),
        status="in-progress" if visit.ended_us is None else "finished",
        class_=Coding(system=HL7 + "v3-ActCode", code="AMB", display="ambulatory"),
        type=(Concept(text=words.say(visit.title_key, teeth="").strip()),),
        subject=context.subject,
        period=Period(
            start=instant(visit.began_us), end=instant(visit.ended_us) if visit.ended_us is not None else None
        ),
        service_provider=next(iter(context.organization), None),
    )


# the procedure


@dataclass(frozen=True, slots=True)
class Timed:
    """When a phase was ordered and done, by its number; and who ordered it."""

    ordered: Mapping[int, RecordedMoment]
    done: Mapping[int, RecordedMoment]

    @classmethod
    def of(cls, moments: Iterable[RecordedMoment]) -> "Timed":
        ordered: dict[int, RecordedMoment] = {}
        done: dict[int, RecordedMoment] = {}
        for moment in moments:
            number = moment.text.values.get("number")
            if isinstance(number, int) and moment.kind == "phase_ordered":
                ordered.setdefault(number, moment)
            elif isinstance(number, int) and moment.kind == "phase_done":
                done[number] = moment
        return cls(ordered, done)


def procedure_urn(context: Context) -> str:
    return urn("Procedure", context.visit.id)


def procedure_entries(
    context: Context, view: ProcedureView, moments: list[RecordedMoment], hub: Reference | None, acting: Acting
) -> Entries:
    """The procedure, and below it one for each module and tooth; what was declined, too."""
    timed, over = Timed.of(moments), context.visit.ended_us is not None
    whole = procedure_urn(context)
    yield (
        whole,
        Procedure(
            status=_status(view.phases, over=over) if view.phases else ("not-done" if over else "preparation"),
            code=context.own.concept(Own.MODULE, "procedure", context.words.say("visit.title.procedure")),
            subject=context.subject,
            encounter=context.encounter,
            performed_period=_performed(view.phases, timed),
            used_reference=(hub,) if hub is not None else (),
        ),
    )
    for module in view.plan.modules if view.plan is not None else ():
        for tooth in module.teeth or (0,):
            phases = tuple(one for one in view.phases if one.module == module.module and one.tooth == tooth)
            made = _module(context, module, tooth, phases, timed, hub, acting, over=over)
            yield urn("Procedure", context.visit.id, module.module, str(tooth)), made


def _module(
    context: Context,
    module: ModulePlan,
    tooth: int,
    phases: tuple[PhaseView, ...],
    timed: Timed,
    hub: Reference | None,
    acting: Acting,
    *,
    over: bool,
) -> Procedure:
    declined = module.choice is Choice.DECLINED
    started = [timed.ordered[one.number] for one in phases if one.number in timed.ordered]
    people = dict.fromkeys(acting.meet(one.author) for one in started if one.author not in ("", WORKSTATION))
    return Procedure(
        part_of=(refer(procedure_urn(context)),),
        status="not-done" if declined else _status(phases, over=over),
        status_reason=Concept(text=context.words.say("exchange.declined")) if declined else None,
        code=module_concept(context, module.module),
        subject=context.subject,
        encounter=context.encounter,
        performed_period=_performed(phases, timed),
        performer=tuple(ProcedurePerformer(actor=refer(one)) for one in people),
        body_site=(tooth_concept(tooth),) if tooth else (),
        note=note(*(_phase_said(context, one) for one in phases)),
        used_reference=(hub,) if hub is not None and started else (),
    )


def module_concept(context: Context, module: str) -> Concept:
    return context.own.concept(Own.MODULE, module, context.words.say(f"module.{module}.name"))


def _status(phases: Iterable[PhaseView], *, over: bool) -> str:
    """FHIR's status of what these phases did; what is unknown stays unknown."""
    states = {one.state for one in phases}
    begun = any(one.elapsed_s or one.delivered_before_s for one in phases) or PhaseState.DONE in states
    if PhaseState.UNKNOWN in states:
        return "unknown"
    if states == {PhaseState.DONE}:
        return "completed"
    if over:
        return "stopped" if begun else "not-done"
    if PhaseState.HELD in states:
        return "on-hold"
    return "in-progress" if begun or states & {PhaseState.RUNNING, PhaseState.STARTING} else "preparation"


def _performed(phases: Iterable[PhaseView], timed: Timed) -> Period | None:
    """From the first order to the last phase that was done; None when nothing was ordered."""
    numbers = [one.number for one in phases]
    starts = [timed.ordered[number].at_us for number in numbers if number in timed.ordered]
    ends = [timed.done[number].at_us for number in numbers if number in timed.done]
    if not starts:
        return None
    return Period(start=instant(min(starts)), end=instant(max(ends)) if ends and max(ends) >= min(starts) else None)


def _phase_said(context: Context, phase: PhaseView) -> str:
    return context.words.say(
        "exchange.phase",
        phase=f"@module.{phase.module}.phase.{phase.key}",
        seconds=round(phase.elapsed_s + phase.delivered_before_s),
        dose=phase.dose_percent,
        state=f"@exchange.state.{phase.state.value}",
    )


# the chart


def chart_entries(context: Context, view: ProcedureView, results: list[str]) -> Entries:
    """Each tooth of which there is something to say, as a body structure and what is charted of it."""
    planned = {tooth for module in (view.plan.modules if view.plan else ()) for tooth in module.teeth}
    for tooth in view.teeth:
        blank = ToothState(fdi=tooth.fdi)
        if tooth == blank and tooth.fdi not in planned:
            continue
        identity = _tooth_urn(context, tooth.fdi)
        yield structure_entry(context, tooth.fdi)
        results.append(identity)
        yield identity, _charted(context, tooth)


def structure_urn(context: Context, fdi: int) -> str:
    """Of a tooth of the patient."""
    return urn("BodyStructure", context.patient, str(fdi))


def structure_entry(context: Context, fdi: int) -> Entry:
    """A tooth of the patient."""
    place = tooth_concept(fdi)
    return structure_urn(context, fdi), BodyStructure(
        identifier=(Number.TOOTH.of(f"{context.visit.patient_id}/{fdi}"),),
        location=place,
        description=place.text or "",
        patient=context.subject,
    )


def _tooth_urn(context: Context, fdi: int) -> str:
    return urn("Observation", context.visit.id, "tooth", str(fdi))


def _charted(context: Context, tooth: ToothState) -> Observation:
    return Observation(
        part_of=(refer(procedure_urn(context)),),
        status="final",
        category=(hl7("observation-category", "exam", "Exam"),),
        code=chart_code(context, "tooth"),
        subject=context.subject,
        focus=(refer(structure_urn(context, tooth.fdi)),),
        encounter=context.encounter,
        effective_period=context.period,
        performer=context.organization,
        body_site=tooth_concept(tooth.fdi),
        note=note(tooth.note),
        component=tuple(_tooth_parts(context, tooth)),
    )


def _tooth_parts(context: Context, tooth: ToothState) -> Iterator[Component]:
    yield Component(code=chart_code(context, "missing"), value_boolean=tooth.missing)
    if tooth.icdas is not None:
        yield Component(code=chart_code(context, "icdas"), value_integer=tooth.icdas)
    for state in ("filled", "finding", "planned", "done"):
        for surface in getattr(tooth, state):
            if surface in SURFACES:
                where = surface_concept(tooth.fdi, surface)
                yield Component(code=chart_code(context, state), value_codeable_concept=where)


def chart_code(context: Context, key: str) -> Concept:
    """What is charted: a code of our own."""
    return context.own.concept(Own.CHART, key, context.words.say(f"exchange.chart.{key}"))


def mdas_entry(context: Context, view: ProcedureView, results: list[str]) -> Entries:
    """The anxiety score, when every question was answered."""
    answers = [view.comfort.get(f"mdas{number}", 0) for number in range(1, MDAS_ITEMS + 1)]
    total = sum(answers) if all(answers) else context.visit.mdas
    if total is None or total < MDAS_LOWEST:
        return
    identity = urn("Observation", context.visit.id, "mdas")
    results.append(identity)
    yield (
        identity,
        Observation(
            status="final",
            category=(hl7("observation-category", "survey", "Survey"),),
            code=chart_code(context, "mdas"),
            subject=context.subject,
            encounter=context.encounter,
            effective_period=context.period,
            performer=context.organization,
            value_integer=total,
        ),
    )


# what could have harmed


def near_miss_entries(context: Context, alarms: Iterable[Alarm], hub: Reference | None, acting: Acting) -> Entries:
    """Alarms of the visit that tell of what could have harmed. Whether it did, no alarm knows: all are potential."""
    for alarm in alarms:
        within = context.visit.began_us <= alarm.began_us <= context.end_us
        if not within or alarm.priority < AlarmPriority.MEDIUM or not alarm.kind.startswith(NEAR_MISS):
            continue
        ended = alarm.state is AlarmState.ENDED
        outcome = ("resolved", "Resolved") if ended else ("unknown", "Unknown")
        said = context.words.tell(alarm.text)
        seen_by = alarm.acknowledged_by
        yield (
            urn("AdverseEvent", alarm.id),
            AdverseEvent(
                identifier=Number.ALARM.of(alarm.id),
                actuality="potential",
                event=Concept(
                    coding=(
                        context.own.coding(Own.ALARM, alarm.kind, context.words.say("exchange.alarm", kind=alarm.kind)),
                    ),
                    text=said,
                ),
                subject=context.subject,
                encounter=context.encounter,
                date=instant(alarm.began_us),
                outcome=hl7("adverse-event-outcome", *outcome),
                recorder=refer(acting.meet(seen_by)) if seen_by else None,
                suspect_entity=(Suspect(instance=hub),) if hub is not None else (),
            ),
        )

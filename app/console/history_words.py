"""Entries as people read them: a line each, an icon, the filter that shows them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.console.review_words import birth_date, clock_time, is_today, short_date, visit_title
from core.model.clinical import (
    AdverseEvent,
    Attachment,
    Consent,
    ConsentState,
    Entry,
    EntryVersion,
    Finding,
    Identity,
    Note,
    Observation,
    PlanMade,
    StepDone,
    kind_of,
)
from core.model.people import ToothState, VisitSummary
from core.model.procedure import Choice
from core.model.words import Words
from core.people.charting import chart

ALL = "all"
FILTERS = {
    "visits": ("visit",),
    "notes": ("note", "observation"),
    "teeth": ("finding", "step"),
    "events": ("adverse",),
    "files": ("attachment",),
    "consents": ("plan", "consent"),
}
ICONS = {
    "visit": "chair",
    "finding": "tooth",
    "step": "check",
    "observation": "eye",
    "adverse": "flag",
    "note": "talk",
    "attachment": "doc",
    "plan": "setup",
    "consent": "hand",
    "patient": "user",
    "event": "talk",
}
WORKSTATION = "workstation"


@dataclass(frozen=True)
class HistoryItem:
    """One thing on the time line with all its versions, the first one first; a visit has none.

    Attributes:
        at_us: when it happened.
        voice: `patient` is drawn in plum.
    """

    id: str
    kind: str
    at_us: int
    line: str
    versions: tuple[EntryVersion, ...] = ()
    visit: VisitSummary | None = None
    voice: str = "staff"
    older: tuple[str, ...] = field(default=())

    @property
    def newest(self) -> EntryVersion | None:
        return self.versions[-1] if self.versions else None

    @property
    def withdrawn(self) -> bool:
        return self.newest is not None and self.newest.entry.withdrawn


def items_of(words: Words, visits: tuple[VisitSummary, ...], rows: tuple[EntryVersion, ...]) -> list[HistoryItem]:
    """Visits and entries over all chairs, the latest first."""
    entities: dict[tuple[str, str], list[EntryVersion]] = {}
    for row in rows:
        entities.setdefault((kind_of(row.entry), row.entry.id), []).append(row)
    made = [_item(words, kind, versions) for (kind, _), versions in entities.items()]
    made += [
        HistoryItem(id=visit.id, kind="visit", at_us=visit.began_us, line=_visit_line(words, visit), visit=visit)
        for visit in visits
    ]
    return sorted(made, key=lambda item: item.at_us, reverse=True)


def _item(words: Words, kind: str, versions: list[EntryVersion]) -> HistoryItem:
    ordered = sorted(versions, key=lambda row: row.version)
    newest = ordered[-1].entry
    first_us = ordered[0].entry.at_us if kind == "patient" else newest.at_us
    return HistoryItem(
        id=newest.id,
        kind=kind,
        at_us=first_us,
        line=line_of(words, newest),
        versions=tuple(ordered),
        voice="patient" if isinstance(newest, Consent) else "staff",
        older=tuple(line_of(words, row.entry) for row in ordered[:-1]),
    )


def teeth_of(items: Iterable[HistoryItem]) -> list[ToothState]:
    """The chart that the patient's findings add up to; teeth of which none tells are left out."""
    newest = [item.newest.entry for item in items if item.newest is not None]
    return list(chart(entry for entry in newest if isinstance(entry, Finding)).values())


def matches(item: HistoryItem, chosen: str) -> bool:
    return chosen == ALL or item.kind in FILTERS[chosen]


def line_of(words: Words, entry: Entry) -> str:
    """One entry in one line."""
    say = words.say
    match entry:
        case Finding():
            return _finding_line(words, entry)
        case StepDone() if entry.module:
            fdi = say("clinical.tooth", fdi=entry.fdi) if entry.fdi else say("clinical.whole_mouth")
            told = say(
                "clinical.line.step",
                module=say(f"module.{entry.module}.name"),
                phase=say(f"module.{entry.module}.phase.{entry.phase}"),
                fdi=fdi.lower(),
                state=say(f"clinical.step_state.{entry.state}"),
            )
            return f"{told}. {' '.join(entry.text.split())}" if entry.text else told
        case StepDone():
            fdi = str(entry.fdi) if entry.fdi else say("clinical.whole_mouth")
            return say("clinical.line.step_words", fdi=fdi, text=" ".join(entry.text.split()))
        case Observation() if entry.value is not None:
            value = f"{entry.value:g}"
            said = say("clinical.line.observation", text=entry.text, value=value, unit=entry.unit)
            return " ".join(said.split())
        case AdverseEvent():
            return say("clinical.line.adverse", severity=say(f"clinical.severity.{entry.severity}"), text=entry.text)
        case Attachment():
            kind = say(f"clinical.type.{entry.media_type}")
            return say("clinical.line.attachment", name=entry.name, type=kind, size=file_size(entry.size))
        case PlanMade():
            chosen = [row.module for row in entry.plan.modules if row.choice is not Choice.DECLINED]
            modules = ", ".join(say(f"module.{module}.name") for module in chosen)
            return say(
                "clinical.line.plan", version=entry.plan.version, modules=modules or say("clinical.line.plan_empty")
            )
        case Consent():
            key = "consent_given" if entry.state is ConsentState.GIVEN else "consent_void"
            how = say(f"clinical.how.{entry.envelope.signed_by}")
            return say(f"clinical.line.{key}", version=entry.envelope.version, how=how)
        case Identity():
            return say("clinical.line.patient", name=entry.patient.name, born=birth_date(words, entry.patient))
        case Note() | Observation():
            return " ".join(entry.text.split())


def _finding_line(words: Words, entry: Finding) -> str:
    condition = words.say(f"clinical.condition.{entry.condition}")
    parts = [condition if entry.icdas is None else f"{condition}, {words.say('clinical.line.icdas', code=entry.icdas)}"]
    if entry.material is not None and entry.material != "unknown":
        parts.append(words.say(f"clinical.material.{entry.material}"))
    key = "finding" if entry.surfaces else "finding_whole"
    said = words.say(f"clinical.line.{key}", fdi=entry.fdi, surfaces=entry.surfaces, condition=", ".join(parts))
    return f"{said}. {' '.join(entry.text.split())}" if entry.text else said


def _visit_line(words: Words, visit: VisitSummary) -> str:
    state = words.say(f"patients.visit.state.{visit.state}")
    return words.say("clinical.line.visit", title=visit_title(words, visit), chair=visit.chair, state=state)


def who(words: Words, author: str) -> str:
    return words.say("clinical.workstation") if author == WORKSTATION else author


def when(words: Words, at_us: int, now_us: int) -> str:
    """The time alone if it is today, the day otherwise."""
    return clock_time(at_us) if is_today(at_us, now_us) else short_date(words, at_us, day=True)


def correction(words: Words, item: HistoryItem, now_us: int) -> str:
    """How the newest version came about; empty for a first one and for what the procedure carried on."""
    row = item.newest
    if row is None or row.version == 1 or item.kind in ("plan", "consent"):
        return ""
    if isinstance(row.entry, StepDone) and row.entry.module and row.reason == row.entry.state:
        return ""
    key = "withdrawn" if row.entry.withdrawn else "corrected"
    return words.say(
        f"clinical.{key}", when=when(words, row.written_us, now_us), who=who(words, row.author), reason=row.reason
    )


def file_size(size: int) -> str:
    return f"{size / 1_048_576:.1f} MB" if size >= 1_048_576 else f"{max(1, round(size / 1024))} KB"

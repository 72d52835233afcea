"""Between the chart of a visit and the history of its findings: what changed, and what all findings add up to."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from core.model.clinical import SURFACES, Condition, EntryVersion, Finding, Material, Source
from core.model.people import ToothState


def chart(findings: Iterable[Finding], base: Sequence[ToothState] = ()) -> dict[int, ToothState]:
    """By FDI number, what findings add up to, the earliest first, on top of a chart that is known.

    Args:
        findings: newest versions; withdrawn ones do not count.
    """
    teeth = {tooth.fdi: tooth for tooth in base}
    for finding in sorted((one for one in findings if not one.withdrawn), key=lambda one: one.at_us):
        tooth = teeth.get(finding.fdi) or ToothState(fdi=finding.fdi)
        teeth[finding.fdi] = _with(tooth, finding)
    return teeth


def _with(tooth: ToothState, finding: Finding) -> ToothState:
    change = msgspec.structs.replace
    match finding.condition:
        case Condition.MISSING:
            return ToothState(fdi=tooth.fdi, missing=True, note=tooth.note)
        case Condition.SOUND:
            return ToothState(fdi=tooth.fdi, filled=tooth.filled)
        case Condition.RESTORATION | Condition.SEALANT:
            left = _without(tooth.finding, finding.surfaces)
            icdas = tooth.icdas if left else None
            return change(tooth, filled=_union(tooth.filled, finding.surfaces), finding=left, icdas=icdas)
        case Condition.CARIES:
            worst = max((code for code in (tooth.icdas, finding.icdas) if code is not None), default=None)
            if finding.icdas == 0:
                return change(tooth, finding=_without(tooth.finding, finding.surfaces))
            return change(tooth, finding=_union(tooth.finding, finding.surfaces), icdas=worst)
        case Condition.FRACTURE | Condition.WEAR | Condition.NOTED:
            return change(tooth, finding=_union(tooth.finding, finding.surfaces))


def without_repeats(rows: Iterable[EntryVersion]) -> list[EntryVersion]:
    """Entries of several files, without what a chart carried over though another file tells of it already."""
    told: set[tuple[int, Condition, str]] = set()
    kept = []
    for row in sorted(rows, key=lambda row: row.written_us):
        entry = row.entry
        if isinstance(entry, Finding) and not entry.withdrawn:
            what = {(entry.fdi, entry.condition, surface) for surface in entry.surfaces or "-"}
            if entry.source is Source.CARRIED and what <= told:
                continue
            told |= what
        kept.append(row)
    return kept


def with_findings(teeth: Sequence[ToothState], findings: Iterable[Finding], *, since_us: int) -> tuple[ToothState, ...]:
    """The chart that a visit left, with what people found afterwards or wrote down beside it.

    Args:
        since_us: when that visit began, 0 when there was none. Of a tooth that nobody charted by hand since then, the
            visit's own state counts.
    """
    known = list(findings)
    by_hand = {
        one.fdi
        for one in known
        if one.at_us >= since_us and not one.withdrawn and one.source not in (Source.CARRIED, Source.PROCEDURE)
    }
    made = chart(
        (one for one in known if one.fdi in by_hand), () if since_us else [t for t in teeth if t.fdi in by_hand]
    )
    planned = {tooth.fdi: tooth.planned for tooth in teeth}
    fresh = {fdi: msgspec.structs.replace(tooth, planned=planned.get(fdi, "")) for fdi, tooth in made.items()}
    known_teeth = {tooth.fdi for tooth in teeth}
    more = (tooth for fdi, tooth in sorted(fresh.items()) if fdi not in known_teeth)  # of the other dentition
    return (*(fresh.get(tooth.fdi, tooth) for tooth in teeth), *more)


def charted(before: Sequence[ToothState], after: Sequence[ToothState], *, first: bool) -> Iterator[Finding]:
    """The findings that turn one chart of a visit into the next; ids, times and people are the caller's.

    Args:
        first: `after` is the chart with which the visit began: what it has is carried over.
    """
    known = {tooth.fdi: tooth for tooth in before}
    for tooth in after:
        yield from _changes(known.get(tooth.fdi) or ToothState(fdi=tooth.fdi), tooth, first=first)


def _changes(was: ToothState, now: ToothState, *, first: bool) -> Iterator[Finding]:
    source = Source.CARRIED if first else Source.EXAM
    if now.missing and not was.missing:
        yield _made(now, Condition.MISSING, source)
    if fresh := _without(now.filled, was.filled):
        yield _made(now, Condition.RESTORATION, source, surfaces=fresh, material=Material.UNKNOWN)
    fresh = _without(now.finding, was.finding)
    if fresh or (now.finding and now.icdas != was.icdas):
        condition = Condition.NOTED if now.icdas is None else Condition.CARIES
        yield _made(now, condition, source, surfaces=fresh or now.finding, icdas=now.icdas, text=now.note)
    if fresh := _without(now.done, was.done):
        yield _made(now, Condition.RESTORATION, Source.PROCEDURE, surfaces=fresh, material=Material.SMILESCAPE)


def _made(
    tooth: ToothState,
    condition: Condition,
    source: Source,
    *,
    surfaces: str = "",
    icdas: int | None = None,
    material: Material | None = None,
    text: str = "",
) -> Finding:
    return Finding(
        patient_id="",
        fdi=tooth.fdi,
        condition=condition,
        surfaces=surfaces,
        icdas=icdas,
        material=material,
        source=source,
        text=text,
    )


def _union(some: str, more: str) -> str:
    return "".join(surface for surface in SURFACES if surface in some + more)


def _without(some: str, taken: str) -> str:
    return "".join(surface for surface in some if surface not in taken)

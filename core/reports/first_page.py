"""The report's first page: what we did, how the mouth is, what to watch for."""

from collections.abc import Iterable, Iterator

from core.model.clinical import FIRST_PRIMARY
from core.model.people import ToothState
from core.model.procedure import Choice, PhaseState, PhaseView
from core.model.words import Words
from core.reports import odontogram, svg
from core.reports.course import agreed
from core.reports.data import ReportData, Signal
from core.reports.letters import drawable, literal
from core.reports.phrasing import Told, date, joined, listed, number

_NEVER = (PhaseState.WAITING, PhaseState.SKIPPED)
"""Phases that may still have been begun: then time was delivered."""
_WATCH_ICONS = {"warm": "drop", "taste": "eye", "helpers": "talk", "pain": "clock", "swelling": "phone"}


def title(data: ReportData, words: Words) -> str:
    """With the patient's name, unless no shipped font has its letters: question marks are no name."""
    name = data.patient.given_name.strip() or data.patient.family_name.strip()
    if not name or not drawable(name):
        return words.say("report.title_nameless")
    return words.say("report.title", patient=literal(name))


def subtitle(data: ReportData, words: Words) -> str:
    day = date(data, data.visit.began_us, words)
    if data.signed_by:
        return words.say("report.subtitle", date=day, name=literal(data.signed_by))
    return words.say("report.subtitle_alone", date=day)


def did(data: ReportData, words: Words) -> str:
    """What was done, in plain sentences."""
    view = data.procedure
    done = [phase for phase in view.phases if phase.state is PhaseState.DONE]
    rows = agreed(data).modules
    sentences: list[str] = []
    open_ended = _begun(view.phases)
    if not done and not open_ended:
        sentences.append(words.say("report.did.nothing" if data.signals else "report.did.nothing_measured"))
    for module in dict.fromkeys(phase.module for phase in done):
        teeth = sorted({phase.tooth for phase in done if phase.module == module and phase.tooth})
        key = f"report.did.{module}" if len(teeth) != 1 else f"report.did.{module}_one"
        sentences.append(words.say(key, teeth=listed(map(str, teeth), words), count=len(teeth)))
    sentences += _unfinished(open_ended, words)
    if done and any(row.choice is Choice.GENTLER for row in rows):
        sentences.append(words.say("report.did.gentler"))
    left_out = [words.say(f"module.{row.module}.name") for row in rows if row.choice is Choice.DECLINED]
    if left_out and len(left_out) == len(rows):
        sentences.append(words.say("report.did.declined_all"))
    elif left_out:
        sentences.append(words.say("report.did.declined", names=listed(left_out, words)))
    sentences += _paused(data, words)
    if view.ended_early:
        sentences.append(words.say("report.did.ended_early"))
    return joined(sentences, words)


def _begun(phases: Iterable[PhaseView]) -> list[PhaseView]:
    """Phases that were begun and are not done, or of which nobody knows."""
    return [
        phase
        for phase in phases
        if phase.state is not PhaseState.DONE
        and (phase.state not in _NEVER or phase.elapsed_s + phase.delivered_before_s > 0)
    ]


def _unfinished(begun: Iterable[PhaseView], words: Words) -> Iterator[str]:
    unknown = [phase for phase in begun if phase.state is PhaseState.UNKNOWN]
    known = [phase for phase in begun if phase.state is not PhaseState.UNKNOWN]
    if known:
        yield words.say("report.did.begun_one" if len(known) == 1 else "report.did.begun", count=len(known))
    if unknown:
        yield words.say("report.did.unknown")


def _paused(data: ReportData, words: Words) -> Iterator[str]:
    """Who paused and how often, and whether it went on."""
    for who, by_patient in (("you", True), ("we", False)):
        count = sum(1 for pause in data.pauses if pause.by_patient is by_patient)
        if count:
            yield words.say(f"report.did.paused_{who}{'_one' if count == 1 else ''}", count=count)
    if data.pauses and all(pause.went_on for pause in data.pauses):
        yield words.say("report.did.went_on")
    elif data.pauses and not data.pauses[-1].went_on:
        yield words.say("report.did.went_not_on")


def teeth_told(teeth: tuple[ToothState, ...], words: Words) -> Told:
    found = charted(teeth)
    return {
        "picture": odontogram.teeth(teeth),
        "milk": any(tooth.fdi >= FIRST_PRIMARY for tooth in teeth),
        "alt": words.say("report.teeth_alt", **names_of(found, words)),
        "legend": [
            {"picture": svg.swatch(kind), "text": words.say(f"report.tooth.{kind}")}
            for kind, some in found.items()
            if some
        ],
    }


def charted(teeth: Iterable[ToothState]) -> dict[str, list[ToothState]]:
    """The teeth that are done, watched, filled or missing."""
    all_teeth = list(teeth)
    return {
        "done": [tooth for tooth in all_teeth if tooth.done and not tooth.missing],
        "finding": [tooth for tooth in all_teeth if _watched(tooth)],
        "filled": [tooth for tooth in all_teeth if tooth.filled and not tooth.missing],
        "missing": [tooth for tooth in all_teeth if tooth.missing],
    }


def names_of(found: dict[str, list[ToothState]], words: Words) -> dict[str, str]:
    """The same as lists of numbers, to be read out."""
    none = words.say("report.teeth_none")
    return {kind: listed((str(tooth.fdi) for tooth in some), words) or none for kind, some in found.items()}


def figure(data: ReportData, key: str, words: Words) -> Told:
    """What was measured on average, and what that means; what was not measured is said to be unknown."""
    signal = data.signal(key)
    if signal is None:
        return {"value": "–", "text": words.say(f"report.figure.{key}_unknown")}
    value = number(f"{signal.mean:.{signal.spec.decimals}f}", words)
    return {
        "value": words.say(f"report.figure.{key}_value", value=value),
        "text": words.say(f"report.figure.{key}_{_judge(signal)}"),
    }


def spots(teeth: Iterable[ToothState], words: Words) -> Told:
    spots = sum(1 for tooth in teeth if _watched(tooth))
    return {
        "value": words.say("report.figure.spots_one" if spots == 1 else "report.figure.spots", count=spots),
        "text": words.say("report.figure.spots_text"),
    }


def _watched(tooth: ToothState) -> bool:
    return not tooth.missing and bool(set(tooth.finding) - set(tooth.done))


def _judge(signal: Signal) -> str:
    low, high = signal.spec.normal_low, signal.spec.normal_high
    if low is not None and signal.mean < low:
        return "low"
    return "high" if high is not None and signal.mean > high else "normal"


def watch(data: ReportData, words: Words) -> list[Told]:
    phases = data.procedure.phases
    done = {phase.module for phase in phases if phase.state is PhaseState.DONE}.union(
        phase.module for phase in _begun(phases)
    )
    because = {"warm": "repair", "taste": "balance", "helpers": "augment"}
    keys = [key for key, module in because.items() if module in done] + ["pain", "swelling"]
    return [
        {
            "icon": svg.icon(_WATCH_ICONS[key]),
            "title": words.say(f"report.watch.{key}.title"),
            "text": words.say(f"report.watch.{key}.text"),
        }
        for key in keys
    ]

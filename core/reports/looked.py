"""Who looked at a patient's data, every look of the log, as a sheet to take home: PDF/A-2a and PDF/UA-1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.model.access import View
from core.model.people import Patient, Role
from core.model.words import Words
from core.reports.data import Practice
from core.reports.languages import report_words
from core.reports.letters import literal
from core.reports.patient import ReportMade, print_report
from core.reports.phrasing import Told, clock, date, date_numbers
from core.reports.told import mended


@dataclass(frozen=True, slots=True)
class LookedData:
    """What the sheet tells of.

    Attributes:
        views: the newest first; `who` is the id of an operator.
        names: of operators, by id.
        made_us: when the sheet is made, UTC µs.
        utc_offset_s: the practice's offset from UTC.
    """

    patient: Patient
    views: Sequence[View]
    names: Mapping[str, str]
    practice: Practice
    made_us: int
    utc_offset_s: int


def print_looked(data: LookedData, path: Path, *, language: str = "en") -> ReportMade:
    """Write the sheet. The file appears when it is complete; one of that name that was there stays until then.

    Raises:
        ReportFailed: Typst refused it, or the place cannot be written.
        WordsError: there are no words, or not all words, for the language.
    """
    return print_report("looked.typ", looked_told(data, report_words(language)), data.made_us // 1_000_000, path)


def looked_told(data: LookedData, words: Words) -> Told:
    """Every word of the sheet."""
    say = words.say
    made = date(data, data.made_us, words)
    told, whole = mended(
        {
            "language": words.language,
            "title": say("report.label.viewed"),
            "practice": data.practice.name or say("report.practice"),
            "date": date_numbers(data),
            "for": say("report.looked.for", name=literal(data.patient.name), code=data.patient.code),
            "text": say("report.looked.all", date=made),
            "ask": say("report.looked.ask"),
            "headers": [say(f"report.looked.{key}") for key in ("when", "who", "what")],
            "rows": [_row(data, view, words) for view in data.views],
            "nobody": "" if data.views else say("report.viewed.nobody"),
            "unreviewed": "" if words.reviewed else say("report.unreviewed"),
            "simulated": say("report.simulated") if data.patient.simulated else "",
            "page": say("report.label.page"),
            "of": say("report.label.of"),
        }
    )
    return {**told, "letters": "" if whole else say("report.letters")}


def _row(data: LookedData, view: View, words: Words) -> list[str]:
    who = words.say("report.viewed.somebody")
    if name := data.names.get(view.who, ""):
        role = words.say(f"report.looked.role.{view.role}") if view.role in set(Role) else ""
        who = words.say("report.looked.named", name=literal(name), role=role) if role else literal(name)
    elif view.role == Role.COMPANION:
        who = words.say("report.looked.companion")
    what = f"report.viewed.what.{view.kind}"
    did = words.say(what if what in words else "report.viewed.what.other")
    if view.emergency:
        did = words.say("report.looked.emergency", what=did)
    return [f"{date(data, view.at_us, words)} {clock(data, view.at_us, words)}", who, did]

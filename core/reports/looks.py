"""Who looked at the patient's data, as the patient reads it."""

from core.model.words import Words
from core.reports.data import ReportData, View
from core.reports.letters import literal
from core.reports.phrasing import clock, date

MOST = 12
"""Lines on a report; the whole log is in the record."""


def looks(data: ReportData, words: Words) -> list[str]:
    """One sentence for each person and kind of look, the latest first; nothing where the log was not read."""
    if data.views is None:
        return []
    return [_said(data, view, words) for view in data.views[:MOST]] or [words.say("report.viewed.nobody")]


def name_of(data: ReportData, operator: str, words: Words) -> str:
    """An operator's name, or that it was somebody of the practice."""
    name = data.names.get(operator, "")
    return literal(name) if name else words.say("report.viewed.somebody")


def _said(data: ReportData, view: View, words: Words) -> str:
    what = f"report.viewed.what.{view.what}"
    return words.say(
        "report.viewed.once" if view.count == 1 else "report.viewed.often",
        name=name_of(data, view.actor, words),
        what=words.say(what if what in words else "report.viewed.what.other"),
        count=view.count,
        date=date(data, view.last_us, words),
        time=clock(data, view.last_us, words),
    )

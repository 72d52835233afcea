"""The days at home, as a patient reads them."""

from collections.abc import Iterator
from datetime import timedelta

from core.model.wear import EPOCH, AtHome, HomeDay
from core.model.words import Words
from core.people.at_home import ENOUGH_S, SHOWN_DAYS, counted, shown
from core.reports.day_plot import day_plot, day_swatch
from core.reports.phrasing import Told, joined


def home_told(home: AtHome | None, words: Words) -> Told | None:
    """The section's words and picture; None while no day is over on which the patient wore a hub."""
    if home is None or not any(day.whole and day.worn_s for day in home.days):
        return None
    days = shown(home)
    minutes = [day.acid_s / 60 for day in days if day.worn_s]
    values: dict[str, str | float] = {"date": _date(days[-1].day, words), "known": len(days), "worn": len(minutes)}
    extremes: dict[str, str | float] = {"low": round(min(minutes, default=0)), "high": round(max(minutes, default=0))}
    kept = words.say("report.home.kept_one" if len(days) == 1 else "report.home.kept", **values)
    answer = _answer(home, words)
    said = {key: words.say(f"report.home.{key}") for key in ("before", "since")}
    return {
        "text": joined((kept, answer), words),
        "explain": words.say("report.home.explain"),
        "picture": day_plot(home, list(_months(days[-1].day, words)), height=150, said=said),
        "alt": joined((words.say("report.home.alt", **values, **extremes), answer), words),
        "legend": [
            {
                "picture": day_swatch(kind),
                "text": words.say(f"report.home.legend.{kind}", hours=ENOUGH_S // 3600),
            }
            for kind in _kinds(home, days)
        ],
    }


def _answer(home: AtHome, words: Words) -> str:
    """Whether it changed with the last visit; nothing where nothing can be said."""
    change = home.change
    if change is None:
        return ""
    return words.say(
        f"report.home.answer.{'no_visit' if change.visit_day is None else change.verdict}",
        visit="" if change.visit_day is None else _date(change.visit_day, words),
        since=round(change.since.acid_s / 60),
        before=round(change.before.acid_s / 60),
    )


def _kinds(home: AtHome, days: list[HomeDay]) -> Iterator[str]:
    """What the picture shows, in the legend's order."""
    if any(counted(day) for day in days):
        yield "bar"
    if any(day.worn_s and not counted(day) for day in days):
        yield "part"
    if any(not day.worn_s for day in days):
        yield "bare"
    if len(days) < SHOWN_DAYS:
        yield "unknown"
    if any(day > days[-1].day - SHOWN_DAYS for day in home.visits):
        yield "visit"


def _months(last: int, words: Words) -> Iterator[tuple[int, str]]:
    """The first days of months within the picture, and their names."""
    for day in range(last - SHOWN_DAYS + 1, last + 1):
        when = EPOCH + timedelta(days=day)
        if when.day == 1:
            yield day, words.say(f"report.month.{when.month}")


def _date(day: int, words: Words) -> str:
    """A day counted from 1970-01-01 UTC."""
    when = EPOCH + timedelta(days=day)
    return words.say("report.date", day=when.day, month=f"@report.month.{when.month}", year=when.year)

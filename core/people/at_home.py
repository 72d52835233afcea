"""Whether the days at home changed with a visit, and how they are drawn. It says no more than the days can tell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

from core.model.wear import AtHome, HomeChange, HomeDay, HomeMean, Verdict

ENOUGH_S = 6 * 3600
"""A day worn less tells too little of itself to be counted. Our choice."""
ENOUGH_DAYS = 7
"""On either side of the visit: a week has working days and free ones. Our choice."""
BEFORE_DAYS = 90
"""How far back from the visit days count: what a hub remembers."""
EVEN_WEAR = 0.75
"""Who wears the hub half as long has half the acid seen. Mean wear may differ by a quarter at most. Our choice."""
CLEAR_S = 300
"""A smaller change of the mean, a day, helps nobody. Our choice."""
CLEAR_ERRORS = 2.0
"""A change is clear from two standard errors of the difference on (Welch), days taken as independent of each other."""

SHOWN_DAYS = 90
SCALES = (15, 30, 60, 90, 120, 180, 240, 360, 480, 720, 960, 1440)
"""Minutes at the top of a picture; the lowest keeps a quiet mouth from looking busy."""
COMPARED = ("less", "more", "alike")


@dataclass(frozen=True, slots=True)
class Level:
    """The mean `before` or `since` the visit, and the days from `first` to `last` over which its line is drawn."""

    side: Literal["before", "since"]
    first: int
    last: int
    mean: HomeMean


def counted(day: HomeDay) -> bool:
    """Whether a day is over and was worn long enough to stand in a mean."""
    return day.whole and day.worn_s >= ENOUGH_S


def change(days: Iterable[HomeDay], visits: Iterable[int]) -> HomeChange | None:
    """Acid since the last visit that has days after it, against the time before it; None while no day counts.

    `visits`: their days. The day of the visit itself is left out: part of it was spent in the chair.
    """
    good = [day for day in days if counted(day)]
    if not good:
        return None
    newest = max(day.day for day in good)
    visit = max((day for day in visits if day < newest), default=None)
    if visit is None:
        return HomeChange(visit_day=None, before=HomeMean(), since=mean(good), verdict="alone")
    since = mean([day for day in good if day.day > visit])
    before = mean([day for day in good if visit - BEFORE_DAYS <= day.day < visit])
    return HomeChange(visit_day=visit, before=before, since=since, verdict=_verdict(before, since))


def mean(days: Sequence[HomeDay]) -> HomeMean:
    if not days:
        return HomeMean()
    count = len(days)
    acid = sum(day.acid_s for day in days) / count
    squares = sum((day.acid_s - acid) ** 2 for day in days)
    return HomeMean(
        days=count,
        worn_s=sum(day.worn_s for day in days) / count,
        acid_s=acid,
        spread_s=sqrt(squares / (count - 1)) if count > 1 else 0.0,
    )


def shown(home: AtHome) -> list[HomeDay]:
    """The days of a picture: the last 90 up to the newest known one."""
    return [day for day in home.days if day.day > home.days[-1].day - SHOWN_DAYS]


def scale_minutes(days: Iterable[HomeDay]) -> int:
    """Minutes at the top of a picture of these days."""
    most = max((day.acid_s for day in days), default=0) / 60
    return next((scale for scale in SCALES if most <= scale), SCALES[-1])


def levels(home: AtHome) -> list[Level]:
    """The means before and since the visit within the picture, where they may be compared."""
    change, days = home.change, shown(home)
    if change is None or change.visit_day is None or change.verdict not in COMPARED:
        return []
    first = days[-1].day - SHOWN_DAYS + 1
    last = max((day.day for day in days if counted(day)), default=first)
    sides = (
        Level("before", max(first, change.visit_day - BEFORE_DAYS), change.visit_day - 1, change.before),
        Level("since", max(first, change.visit_day + 1), last, change.since),
    )
    return [level for level in sides if level.last >= level.first]


def _verdict(before: HomeMean, since: HomeMean) -> Verdict:
    if not before.days:
        return "alone"
    if min(before.days, since.days) < ENOUGH_DAYS:
        return "few"
    if min(before.worn_s, since.worn_s) < EVEN_WEAR * max(before.worn_s, since.worn_s):
        return "uneven"
    difference = since.acid_s - before.acid_s
    error = sqrt(before.spread_s**2 / before.days + since.spread_s**2 / since.days)
    if abs(difference) < max(CLEAR_S, CLEAR_ERRORS * error):
        return "alike"
    return "less" if difference < 0 else "more"

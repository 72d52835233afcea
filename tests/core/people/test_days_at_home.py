"""Whether acid changed with a visit: said only where the days can tell."""

from collections.abc import Iterator

import pytest

from core.model.wear import AtHome, HomeDay, HomeMean
from core.people.at_home import (
    BEFORE_DAYS,
    ENOUGH_DAYS,
    ENOUGH_S,
    SHOWN_DAYS,
    change,
    levels,
    scale_minutes,
    shown,
)

VISIT = 20_000
WORN = 16 * 3600


def days(first: int, count: int, minutes: float, *, spread: float = 4.0, worn_s: int = WORN) -> Iterator[HomeDay]:
    """Days of acid about a mean, alternately above and below it."""
    for number in range(count):
        acid = minutes + (spread if number % 2 else -spread)
        yield HomeDay(day=first + number, worn_s=worn_s, acid_s=round(acid * 60))


def both(before: float, since: float, **how: float) -> list[HomeDay]:
    return [*days(VISIT - 30, 30, before, **how), *days(VISIT + 1, 30, since, **how)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("since", "verdict"), [(38, "less"), (66, "more"), (51, "alike"), (48, "alike"), (46.9, "less")]
)
def test_a_change_counts_from_five_minutes_a_day_on(since: float, verdict: str) -> None:
    found = change(both(52, since), [VISIT])
    assert found is not None
    assert found.verdict == verdict
    assert found.visit_day == VISIT
    assert (found.before.days, found.since.days) == (30, 30)
    assert found.before.acid_s == pytest.approx(52 * 60)
    assert found.since.acid_s == pytest.approx(since * 60)


def test_days_that_differ_much_from_each_other_need_a_larger_change() -> None:
    calm, wild = change(both(60, 50), [VISIT]), change(both(60, 50, spread=40), [VISIT])
    assert calm is not None
    assert wild is not None
    assert (calm.verdict, wild.verdict) == ("less", "alike")


def test_few_days_on_either_side_say_nothing() -> None:
    short = [*days(VISIT - 30, 30, 60), *days(VISIT + 1, ENOUGH_DAYS - 1, 10)]
    found = change(short, [VISIT])
    assert found is not None
    assert found.verdict == "few"
    enough = change([*short, *days(VISIT + 9, 1, 10)], [VISIT])
    assert enough is not None
    assert enough.verdict == "less"


def test_who_wears_the_hub_much_less_has_not_less_acid() -> None:
    found = change([*days(VISIT - 30, 30, 60), *days(VISIT + 1, 30, 30, worn_s=8 * 3600)], [VISIT])
    assert found is not None
    assert found.verdict == "uneven"


def test_short_days_unfinished_days_and_the_day_of_the_visit_are_not_counted() -> None:
    noise = [
        HomeDay(day=VISIT, worn_s=WORN, acid_s=9999),
        HomeDay(day=VISIT + 40, worn_s=ENOUGH_S - 1, acid_s=9999),
        HomeDay(day=VISIT + 41, worn_s=WORN, acid_s=9999, whole=False),
        HomeDay(day=VISIT + 42, worn_s=0),
        HomeDay(day=VISIT - BEFORE_DAYS - 1, worn_s=WORN, acid_s=9999),
    ]
    assert change([*both(52, 38), *noise], [VISIT]) == change(both(52, 38), [VISIT])


def test_the_last_visit_is_the_newest_one_that_has_days_after_it() -> None:
    found = change(both(52, 38), [VISIT - 200, VISIT, VISIT + 30, VISIT + 31])
    assert found is not None
    assert found.visit_day == VISIT, "the hub was read at the newest visit: that one has no days after it yet"


def test_without_a_time_before_there_is_nothing_to_compare_with() -> None:
    first = change(days(VISIT + 1, 30, 40), [VISIT])
    assert first is not None
    assert (first.verdict, first.visit_day, first.before) == ("alone", VISIT, HomeMean())
    came_with_it = change(days(VISIT - 30, 30, 40), [VISIT])
    assert came_with_it is not None
    assert (came_with_it.verdict, came_with_it.visit_day, came_with_it.since.days) == ("alone", None, 30)
    assert change([], [VISIT]) is None
    assert change([HomeDay(day=VISIT + 1, worn_s=60)], [VISIT]) is None


def test_a_single_day_has_a_mean_and_no_spread() -> None:
    found = change(days(VISIT + 1, 1, 40, spread=0), [VISIT])
    assert found is not None
    assert found.since == HomeMean(days=1, worn_s=WORN, acid_s=2400, spread_s=0)


def test_a_picture_ends_with_the_newest_known_day_and_has_a_round_scale() -> None:
    known = [*days(VISIT - 60, 60, 30), *days(VISIT + 1, 60, 40)]
    assert [shown(AtHome(days=tuple(known)))[at].day for at in (0, -1)] == [VISIT + 61 - SHOWN_DAYS, VISIT + 60]
    assert scale_minutes(known) == 60
    assert scale_minutes([]) == scale_minutes([HomeDay(day=1, worn_s=WORN, acid_s=60)]) == 15
    assert scale_minutes([HomeDay(day=1, worn_s=86_400, acid_s=86_400)]) == 1440


def test_the_means_are_drawn_over_the_days_that_are_shown_and_only_where_they_compare() -> None:
    known = [*days(VISIT - 60, 60, 52), *days(VISIT + 1, 60, 38), HomeDay(day=VISIT + 61, worn_s=60, whole=False)]
    before, since = levels(AtHome(days=tuple(known), change=change(known, [VISIT])))
    assert (before.first, before.last) == (VISIT + 62 - SHOWN_DAYS, VISIT - 1)
    assert (since.first, since.last) == (VISIT + 1, VISIT + 60)
    assert (before.mean.days, since.mean.days) == (60, 60)
    long = [*days(VISIT - 30, 30, 52), *days(VISIT + 1, 119, 38)]
    (only,) = levels(AtHome(days=tuple(long), change=change(long, [VISIT])))
    assert only.mean.acid_s == pytest.approx(38 * 60, abs=10)
    few = [*days(VISIT - 30, 30, 52), *days(VISIT + 1, 3, 38)]
    assert levels(AtHome(days=tuple(few), change=change(few, [VISIT]))) == []
    assert levels(AtHome()) == []

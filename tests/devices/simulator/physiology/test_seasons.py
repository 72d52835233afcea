"""Weeks and months: microbes tip over and stay so, gums follow plaque, enamel follows both. Stepped in long leaps."""

import numpy as np
import pytest

from devices.simulator.physiology.dose import BALANCE, Dose
from devices.simulator.physiology.figures import load_physiology
from devices.simulator.physiology.mouth import Mouth
from devices.simulator.physiology.traits import Traits

FIGURES = load_physiology()
DAY = 86_400
TEETH = (11, 15, 16, 31, 36)
"""One of each kind is enough, and quick. Order: upper incisor, premolar, molar, lower incisor, molar."""
MOLAR, LOWER_INCISOR = 2, 3


def mouth(**traits: object) -> Mouth:
    person = Traits(seed=0, teeth=TEETH, anxiety=10, reactivity=10.0, resting_pulse=70.0, **traits)  # type: ignore[arg-type]
    return Mouth(FIGURES, person, np.random.default_rng(4), np.random.default_rng(5))


def season(one: Mouth, days: int, servings: float) -> Mouth:
    """Live a day in twelve, and let the others be like it."""
    one.eat_daily(servings)
    for _ in range(days // 12):
        one.live(DAY)
        one.repeat(11)
    return one


def sick() -> Mouth:
    one = mouth()
    one.microbiome.guilds[0], one.microbiome.guilds[1] = 0.8, 0.1
    return one


def test_at_two_servings_a_day_the_community_stays_healthy_and_enamel_sound() -> None:
    one = season(mouth(), 96, 2)
    assert (one.microbiome.acid_share < 0.45).all()
    assert one.mineral.lost.max() == 0


def test_much_sugar_tips_the_upper_molar_and_spares_the_lower_incisor() -> None:
    one = season(mouth(), 96, 9)
    share = one.microbiome.acid_share
    assert share[MOLAR] > 0.8
    assert share[LOWER_INCISOR] < 0.35
    assert one.mineral.lost[MOLAR] > 1000, "a white spot"
    assert one.mineral.lost[LOWER_INCISOR] == 0
    assert one.plaque.ph[MOLAR] < 6.2, "its rest has moved"


def test_a_community_that_tipped_stays_so_on_a_diet_that_would_not_have_tipped_it() -> None:
    fell, never = season(sick(), 96, 2), season(mouth(), 96, 2)
    assert fell.microbiome.acid_share[MOLAR] > 0.8
    assert never.microbiome.acid_share[MOLAR] < 0.45
    assert fell.microbiome.acid_share[LOWER_INCISOR] < 0.35, "where saliva reaches, it heals by itself"


def test_the_balancing_dose_brings_it_back_over_the_tipping_point() -> None:
    one = sick()
    for _ in range(60):
        one.step(60.0, Dose(1.0, BALANCE))
    assert one.microbiome.acid_share[MOLAR] < 0.25
    season(one, 96, 1)
    assert one.microbiome.acid_share[MOLAR] < 0.45


def test_one_visit_of_minutes_moves_nobody_over_a_tipping_point() -> None:
    one = mouth()
    before = one.microbiome.acid_share
    one.eat_sugar(1.0)
    for _ in range(20 * 60):
        one.step(0.5)
    assert np.abs(one.microbiome.acid_share - before).max() < 0.01


def test_guilds_stay_within_their_bounds() -> None:
    for one in (season(mouth(), 24, 24), season(sick(), 24, 0), season(mouth(dryness=0.9), 24, 6)):
        assert (one.microbiome.guilds > 0).all()
        assert (one.microbiome.guilds.sum(axis=0) < 1.5).all()
        assert (one.plaque.ph > 3.5).all()
        assert np.isfinite(one.mineral.lost).all()


def test_leaps_come_out_as_days_lived_one_by_one() -> None:
    lived, leapt = mouth(), mouth()
    lived.eat_daily(8)
    lived.live(12 * DAY)
    season(leapt, 12, 8)
    assert lived.microbiome.acid_share == pytest.approx(leapt.microbiome.acid_share, abs=0.05)


def test_without_brushing_gums_inflame_within_three_weeks_and_heal_in_ten_days() -> None:
    """Löe 1965: 10-21 days; back to health 5-10 days after hygiene began again."""
    one = mouth()
    healthy = one.gums.mean
    assert healthy < 0.2
    assert one.gums.active_mmp8 < 20
    assert one.gums.il1b < 100
    assert one.gums.sulphur(0.0) < 110
    one.hygiene = 0.0
    rise = []
    for _ in range(21):
        one.live(DAY)
        rise.append(one.gums.mean)
    assert rise[2] < 0.45
    assert rise[-1] > 0.6
    assert one.gums.active_mmp8 > 20
    assert one.gums.il1b > 100
    assert one.gums.sulphur(0.0) > 150
    assert 0.3 < one.gums.warmth < 0.6
    one.hygiene = 0.7
    one.live(10 * DAY)
    assert one.gums.mean < 0.45 * rise[-1]


def test_servings_come_as_often_as_the_diet_says() -> None:
    one = mouth()
    one.eat_daily(6)
    falls, acid = 0, False
    for _ in range(25 * 60):
        one.live(60)
        low = bool(one.plaque.ph.min() < 5.5)
        falls += low and not acid
        acid = low
    assert falls == 6
    one.eat_daily(0)
    one.live(3 * 3600)
    assert one.plaque.ph.min() > 6.4

"""Saliva, plaque and mineral within hours: Stephan curves by tooth, buffering, saturation, loss and gain."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from devices.simulator.physiology.dose import BALANCE, REPAIR, Dose
from devices.simulator.physiology.drift import Floats
from devices.simulator.physiology.figures import Physiology, load_physiology
from devices.simulator.physiology.mineral import saturation
from devices.simulator.physiology.mouth import Mouth
from devices.simulator.physiology.traits import Traits

FIGURES = load_physiology()
LOWER_INCISOR, LOWER_MOLAR, UPPER_INCISOR, UPPER_PREMOLAR, UPPER_MOLAR = 31, 36, 11, 15, 16


def mouth(seed: int = 1, figures: Physiology = FIGURES, **traits: object) -> Mouth:
    person = replace(Traits.of(seed, figures), **traits)  # type: ignore[arg-type]
    return Mouth(figures, person, np.random.default_rng(seed), np.random.default_rng(seed + 1))


def curve(one: Mouth, minutes: int = 60, servings: float = 1.0) -> Floats:
    """Plaque pH each ten seconds after sugar, shape (time, teeth)."""
    one.eat_sugar(servings)
    rows = []
    for _ in range(minutes * 6):
        one.step(10.0)
        rows.append(one.plaque.ph)
    return np.array(rows)


def of(one: Mouth, row: Floats, fdi: int) -> float:
    return float(row[one.teeth.fdi.index(fdi)])


@pytest.mark.parametrize("seed", range(5))
def test_sugar_draws_a_stephan_curve(seed: int) -> None:
    one = mouth(seed)
    rest = one.plaque.ph.min()
    assert 6.4 < rest < 7.0
    lowest = curve(one).min(axis=1)
    at = int(lowest.argmin())
    assert 4.6 < lowest[at] < 5.5
    assert 4 < (at + 1) / 6 < 15
    assert lowest[45 * 6] > rest - 0.35


@pytest.mark.parametrize("seed", range(5))
def test_each_tooth_falls_by_how_saliva_reaches_it(seed: int) -> None:
    one = mouth(seed)
    rest = one.plaque.ph
    after = curve(one, 90)
    depth = rest - after.min(axis=0)
    low = (after < 5.5).sum(axis=0)
    order = (LOWER_INCISOR, LOWER_MOLAR, UPPER_PREMOLAR, UPPER_MOLAR)
    assert sorted(after.min(axis=0)) == sorted(after.min(axis=0), key=float)
    assert [of(one, after.min(axis=0), fdi) for fdi in order] == sorted(
        (of(one, after.min(axis=0), fdi) for fdi in order), reverse=True
    )
    assert of(one, low, LOWER_INCISOR) == 0
    assert of(one, low, UPPER_MOLAR) == low.max() > 5 * 6
    assert depth.argmin() in [one.teeth.fdi.index(fdi) for fdi in (31, 32, 41, 42)]
    assert of(one, after.min(axis=0), UPPER_INCISOR) < of(one, after.min(axis=0), LOWER_INCISOR) - 0.4


def test_more_sugar_lasts_longer_rather_than_going_ever_deeper() -> None:
    once, thrice = curve(mouth()), curve(mouth(), servings=3.0)
    assert 0.05 < once.min() - thrice.min() < 0.8
    assert (thrice.min(axis=1) < 5.5).sum() > 1.3 * (once.min(axis=1) < 5.5).sum()
    assert curve(mouth(), servings=30.0).min() > 3.8


def test_taste_and_chewing_bring_saliva_that_buffers_better() -> None:
    one = mouth()
    one.step(1.0)
    resting = (one.saliva.flow, one.saliva.bicarbonate, one.saliva.ph)
    one.eat_sugar(1.0)
    one.step(1.0)
    tasting = (one.saliva.flow, one.saliva.bicarbonate, one.saliva.ph)
    chewing = mouth()
    chewing.step(1.0, chewing=1.0)
    for flow, bicarbonate, ph in (tasting, (chewing.saliva.flow, chewing.saliva.bicarbonate, chewing.saliva.ph)):
        assert 1.0 < flow < 3.0
        assert bicarbonate > 2 * resting[1] > 2 * 1.8
        assert ph > resting[2] + 0.2


def test_bicarbonate_follows_the_measured_pairs() -> None:
    """4.4 mmol/L at 0.55 mL/min and 9.7 at 1.66: Bardow 2000."""
    most, half = FIGURES.saliva.bicarbonate_most.value, FIGURES.saliva.bicarbonate_half_flow.value
    assert [most * flow / (flow + half) for flow in (0.55, 1.66)] == pytest.approx([4.4, 9.7], rel=0.02)


def test_chewing_after_sugar_shortens_the_attack() -> None:
    still, chewed = mouth(), mouth()
    for one, chewing in ((still, 0.0), (chewed, 1.0)):
        one.eat_sugar(1.0)
        for minute in range(40):
            for _ in range(6):
                one.step(10.0, chewing=chewing if minute > 8 else 0.0)
    assert chewed.plaque.ph.min() > still.plaque.ph.min() + 0.15


def test_a_dry_mouth_falls_deeper_and_stays_there() -> None:
    wet, dry = mouth(), mouth(dryness=0.7)
    dry.step(1.0)
    assert dry.saliva.flow < 0.12
    healthy, dried = curve(wet), curve(dry)
    assert dried.min() < healthy.min() - 0.1
    assert (dried < 5.5).sum() > 3 * (healthy < 5.5).sum()


def test_lactate_rises_in_plaque_and_then_in_saliva() -> None:
    one = mouth()
    rest = (one.plaque.lactate.max(), one.saliva.lactate)
    assert rest[0] < 1
    assert 0.1 < rest[1] < 0.31, "0.17±0.14 mmol/L"
    one.eat_sugar(1.0)
    seen = []
    for _ in range(120):
        one.step(10.0)
        seen.append((one.plaque.lactate.max(), one.saliva.lactate))
    assert 20 < max(plaque for plaque, _ in seen) < 60, "about 35 mmol/L"
    assert 0.35 < max(saliva for _, saliva in seen) < 2.0


@pytest.mark.parametrize("seed", range(8))
def test_the_critical_ph_comes_out_of_calcium_and_phosphate(seed: int) -> None:
    assert 5.0 < mouth(seed).mineral.critical_ph < 5.8


def test_more_calcium_or_phosphate_lowers_the_critical_ph() -> None:
    def critical(**changed: float) -> float:
        mineral = FIGURES.mineral
        for key, value in changed.items():
            figure = msgspec.structs.replace(getattr(mineral, key), value=value, spread=0.0)
            mineral = msgspec.structs.replace(mineral, **{key: figure})
        return mouth(figures=msgspec.structs.replace(FIGURES, mineral=mineral)).mineral.critical_ph

    usual = critical(calcium=1.5, phosphate=14.0)
    assert critical(calcium=3.0, phosphate=14.0) < usual - 0.05
    assert critical(calcium=1.5, phosphate=4.0) > usual + 0.1
    assert critical(calcium=0.8, calcium_release=0.0, phosphate=4.0) == pytest.approx(5.8, abs=0.3), "as in saliva"


def test_saturation_grows_with_ph_and_is_high_at_rest() -> None:
    ph = np.linspace(4, 8, 50)
    degree = saturation(ph, FIGURES.mineral, FIGURES.mineral.calcium.value, FIGURES.mineral.phosphate.value)
    assert (np.diff(degree) > 0).all()
    assert 4 < np.interp(6.8, ph, degree) < 20


def test_enamel_dissolves_below_saturation_by_undissociated_acid_and_comes_back_above() -> None:
    mineral = mouth().mineral

    def net(ph: float, lactate: float, acetate: float = 10.0) -> float:
        taken, given = mineral.rates(np.array([ph]), np.array([lactate]), np.array([acetate]))
        return float((taken - given)[0])

    assert 3 < net(5.0, 35.0) < 30, "µg/cm²/h"
    assert net(4.5, 35.0) > 2 * net(5.0, 35.0)
    assert net(5.0, 35.0, 10.0) > 1.5 * net(5.0, 12.0, 3.0), "the same pH with more acid behind it"
    assert -1.0 < net(6.8, 1.0) < -0.3


def test_half_a_ppm_of_fluoride_cuts_dissolution_about_tenfold() -> None:
    mineral = mouth().mineral
    acid = (np.array([4.8]), np.array([30.0]), np.array([20.0]))
    mineral.fluoride = 0.0
    bare, _ = mineral.rates(*acid)
    mineral.fluoride = 0.5
    protected, _ = mineral.rates(*acid)
    assert bare[0] / protected[0] == pytest.approx(10.0)


def test_what_was_lost_comes_back_and_no_more_than_that() -> None:
    one = mouth()
    one.live(86_400)
    assert one.mineral.lost.max() == 0
    one.mineral.lost = np.full(len(one.teeth), 5.0)
    one.live(4 * 3600)
    assert 1 < one.mineral.lost.min() < one.mineral.lost.max() < 4
    one.live(2 * 86_400)
    assert one.mineral.lost.max() == 0


def test_the_repairing_module_mends_its_tooth_and_the_whole_mouth_when_told_so() -> None:
    single, whole = mouth(), mouth()
    for one in (single, whole):
        one.mineral.lost = np.full(len(one.teeth), 50.0)
    for _ in range(300):
        single.step(1.0, Dose(1.0, REPAIR, UPPER_MOLAR))
        whole.step(1.0, Dose(1.0, REPAIR, 0))
    mended = 50.0 - single.mineral.lost
    assert of(single, mended, UPPER_MOLAR) > 20 * np.delete(mended, single.teeth.fdi.index(UPPER_MOLAR)).max()
    assert (50.0 - whole.mineral.lost).min() > 1.5


def test_an_order_for_a_tooth_that_is_not_there_mends_nothing() -> None:
    one = mouth(teeth=(11, 21))
    one.mineral.lost = np.full(2, 50.0)
    other = mouth(teeth=(11, 21))
    other.mineral.lost = np.full(2, 50.0)
    one.step(10.0, Dose(1.0, REPAIR, UPPER_MOLAR))
    other.step(10.0)
    assert np.array_equal(one.mineral.lost, other.mineral.lost)


def test_the_balancing_module_raises_plaque_ph_and_slows_the_next_attack() -> None:
    treated, not_treated = mouth(), mouth()
    for _ in range(600):
        treated.step(1.0, Dose(1.0, BALANCE))
        not_treated.step(1.0)
    assert treated.plaque.ph.min() > not_treated.plaque.ph.min() + 0.03
    assert treated.sulphur < not_treated.sulphur
    assert curve(treated).min() > curve(not_treated).min() + 0.1

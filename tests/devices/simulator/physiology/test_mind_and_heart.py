"""How the pulse answers to a visit: to procedure, warmth and fright, to kindness and slow breathing."""

import numpy as np
import pytest

from devices.simulator.physiology.drift import Floats
from devices.simulator.physiology.figures import load_physiology
from devices.simulator.physiology.heart import Heart
from devices.simulator.physiology.mind import Mind, Moment
from devices.simulator.physiology.traits import fear_of

FIGURES = load_physiology()
WARM = 36.0
STEP = 0.1


class Patient:
    """Mind and heart of one person in the chair."""

    def __init__(self, anxiety: int = 20, reactivity: float = 20.0, seed: int = 4) -> None:
        self.mind = Mind(FIGURES.mind, fear_of(anxiety))
        self.heart = Heart(FIGURES.heart, 70.0, reactivity, np.random.default_rng(seed), np.random.default_rng(seed))

    def rates(self, seconds: float, *, treated: bool = False, tissue_c: float = WARM) -> Floats:
        """Beats a minute at each step."""
        rows = []
        for _ in range(round(seconds / STEP)):
            self.mind.step(STEP, treated, tissue_c)
            self.heart.step(STEP, self.mind.arousal, self.mind.breathing)
            rows.append(self.heart.rate)
        return np.array(rows)

    def mean(self, seconds: float, *, treated: bool = False) -> float:
        return float(self.rates(seconds, treated=treated).mean())


def test_a_visit_raises_the_pulse_step_by_step_and_a_pause_lets_it_fall() -> None:
    patient = Patient()
    means = [patient.mean(120)]
    for moment in (Moment.SEAT, Moment.CONSENT):
        patient.mind.meet(moment)
        means.append(patient.mean(120))
    means.append(patient.mean(120, treated=True))
    assert means == sorted(means)
    assert 8 < means[-1] - means[0] < 25
    patient.mean(240)
    assert patient.mean(120) < means[-1] - 4
    assert patient.mind.arousal > 0.1
    patient.mean(1200)
    assert patient.mind.arousal < 0.01, "it was the last pause"


def test_the_first_moment_of_treatment_is_felt_most() -> None:
    patient = Patient()
    patient.mind.meet(Moment.CONSENT)
    patient.rates(120)
    before = patient.mind.arousal
    patient.rates(STEP, treated=True)
    assert patient.mind.arousal > before + 0.1


def test_reassurance_calms_and_wears_off() -> None:
    alone, cared_for = Patient(), Patient()
    for patient in (alone, cared_for):
        patient.rates(180, treated=True)
    cared_for.mind.reassure()
    cared_for.mind.reassure()
    for patient in (alone, cared_for):
        patient.rates(180, treated=True)
    assert cared_for.mind.arousal < 0.8 * alone.mind.arousal
    cared_for.rates(3600, treated=True)
    assert cared_for.mind.arousal == pytest.approx(alone.mind.arousal, abs=0.01)


def test_kindness_has_a_limit() -> None:
    patient = Patient()
    for _ in range(50):
        patient.mind.reassure()
    patient.rates(300, treated=True)
    assert patient.mind.arousal > 0.05


def test_warmth_is_felt() -> None:
    cool, hot = Patient(anxiety=5), Patient(anxiety=5)
    cool.rates(120, treated=True)
    hot.rates(120, treated=True, tissue_c=40.0)
    assert hot.mind.arousal > cool.mind.arousal + 0.2


def test_the_breathing_guide_widens_the_arrhythmia_at_six_breaths_a_minute() -> None:
    patient = Patient(anxiety=5, reactivity=0.0)
    free = patient.rates(300)
    patient.mind.breathe(310)
    patient.rates(10)
    guided = patient.rates(300)
    assert guided.std() > 1.7 * free.std()
    spectrum = np.abs(np.fft.rfft(guided - guided.mean()))
    assert np.fft.rfftfreq(len(guided), STEP)[spectrum.argmax()] == pytest.approx(0.1, abs=0.005)
    assert guided.mean() == pytest.approx(free.mean(), abs=1.5), "Song & Lehrer 2003"
    assert not patient.mind.breathing


def test_with_the_guide_the_breath_out_is_the_longer_half() -> None:
    patient = Patient(anxiety=5, reactivity=0.0)
    patient.mind.breathe(60)
    lungs = []
    for _ in range(300):
        patient.rates(STEP)
        lungs.append(patient.heart.lungs)
    falling = (np.diff(lungs) < 0).mean()
    assert falling == pytest.approx(0.6, abs=0.03)


def test_arousal_narrows_arrhythmia_and_pulse_wave() -> None:
    calm, tense = Patient(anxiety=5, reactivity=0.0), Patient(anxiety=25, reactivity=0.0)
    waves = []
    for patient, treated in ((calm, False), (tense, True)):
        patient.rates(120, treated=treated)
        waves.append(float(np.ptp(patient.heart.pulse_wave(np.arange(0.0, 2.0, 0.008)))))
    assert waves[1] < 0.85 * waves[0]
    assert tense.rates(300, treated=True).std() < calm.rates(300).std()


def test_an_anxious_patient_may_show_nothing_and_a_calm_one_may_startle() -> None:
    silent, calm = Patient(anxiety=25, reactivity=1.0), Patient(anxiety=5, reactivity=25.0)
    rest = [patient.mean(120) for patient in (silent, calm)]
    rise = [patient.mean(120, treated=True) - before for patient, before in zip((silent, calm), rest, strict=True)]
    assert silent.mind.arousal > 3 * calm.mind.arousal
    assert rise[0] < 3 < rise[1] + 2


def test_excitement_raises_the_pulse_and_settles() -> None:
    patient = Patient()
    rest = patient.mean(30)
    patient.heart.excite(25)
    assert patient.mean(10) > rest + 15
    patient.mean(600)
    assert patient.mean(30) < rest + 6

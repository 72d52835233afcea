"""The model behind a simulated hub: plausible, reproducible, complete."""

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from core.signals.catalogue import Catalogue, load_catalogue
from devices.simulator.body import TICK_US, Body, NotSimulated
from devices.simulator.heart_rate import Heart as Belt
from devices.simulator.mouth import Chemistry, Heart
from devices.simulator.pulse import resting_pulse

CATALOGUE = load_catalogue()
TICKS_A_SECOND = 1_000_000 // TICK_US


def samples(body: Body, seconds: float, dose: float = 0.0) -> dict[str, npt.NDArray[np.float64]]:
    """Physical values of every channel over the next seconds; indexes must follow one another."""
    raw: dict[int, list[npt.NDArray[np.int16]]] = {}
    ends: dict[int, int] = {}
    for _ in range(round(seconds * TICKS_A_SECOND)):
        for block in body.tick(dose):
            assert ends.get(block.channel, block.first_index) == block.first_index
            assert block.start_us == block.first_index * block.period_us
            assert block.start_us >= body.now_us - TICK_US
            assert block.end_us - block.period_us < body.now_us
            ends[block.channel] = block.end_index
            raw.setdefault(block.channel, []).append(block.samples)
    specs = {spec.number: spec for spec in CATALOGUE}
    return {
        specs[n].key: np.concatenate(parts, dtype=np.float64) * specs[n].scale + specs[n].offset
        for n, parts in raw.items()
    }


def test_every_hub_channel_comes_at_its_rate() -> None:
    values = samples(Body(CATALOGUE, seed=1, boot=1), 20)
    assert {spec.key: round(20 * spec.rate_hz) for spec in CATALOGUE.from_source("hub")} == {
        key: len(row) for key, row in values.items()
    }


def test_the_same_seed_makes_the_same_samples() -> None:
    one, two, other, later = (
        samples(Body(CATALOGUE, seed, boot), 5) for seed, boot in ((7, 1), (7, 1), (8, 1), (7, 2))
    )
    assert all(np.array_equal(one[key], two[key]) for key in one)
    assert not np.array_equal(one["jaw_emg"], other["jaw_emg"])
    assert not np.array_equal(one["jaw_emg"], later["jaw_emg"])


@pytest.mark.parametrize("seed", range(3))
def test_at_rest_everything_is_normal(seed: int) -> None:
    values = samples(Body(CATALOGUE, seed, boot=1), 30)
    for spec in CATALOGUE.from_source("hub"):
        row = values[spec.key]
        if spec.normal_low is not None and spec.normal_high is not None:
            assert spec.normal_low - 0.1 <= row.mean() <= spec.normal_high, spec.key
        assert np.percentile(row, 1) >= spec.low, spec.key
        assert np.percentile(row, 99) <= spec.high, spec.key


@pytest.mark.parametrize("seed", range(5))
def test_sugar_draws_a_stephan_curve(seed: int) -> None:
    mouth = Chemistry(np.random.default_rng(seed))
    rest = mouth.plaque_ph
    mouth.eat_sugar(1.0)
    curve = []
    for _ in range(60 * 60):
        mouth.step(1.0, 0.0)
        curve.append(mouth.plaque_ph)
    lowest = int(np.argmin(curve))
    assert 4.6 < curve[lowest] < 5.5
    assert 4 * 60 < lowest < 15 * 60
    assert curve[45 * 60] > rest - 0.35


def test_a_dose_warms_and_its_end_cools() -> None:
    body = Body(CATALOGUE, seed=1, boot=1)
    rest = samples(body, 5)
    treated = samples(body, 60, dose=100.0)
    cooled = samples(body, 60)
    rise = treated["pulp_temperature"][-20:].mean() - rest["pulp_temperature"].mean()
    assert 0.6 < rise < 1.5, "well below the 5.5 K that harm pulp"
    assert cooled["pulp_temperature"][-20:].mean() < rest["pulp_temperature"].mean() + rise / 2
    assert treated["swarm_dose"][0] < 20 < treated["swarm_dose"][-1] == 100
    assert cooled["swarm_dose"].max() == 0


def test_a_runaway_crosses_any_ceiling() -> None:
    body = Body(CATALOGUE, seed=1, boot=1)
    body.warmth.run_away(kelvin=20.0, seconds=120.0)
    assert samples(body, 15, dose=50.0)["tissue_temperature"].max() > 40.0


def test_a_clench_shows_in_muscle_and_force() -> None:
    body = Body(CATALOGUE, seed=3, boot=1)
    quiet = samples(body, 1)
    body.clench(seconds=2.0, strength=1.0)
    clenched = samples(body, 2)
    assert np.abs(clenched["jaw_emg"]).mean() > 5 * np.abs(quiet["jaw_emg"]).mean()
    assert clenched["bite_force"].max() > 200


def test_the_pulse_wave_beats_at_the_pulse_rate() -> None:
    values = samples(Body(CATALOGUE, seed=4, boot=1), 30)
    wave = values["pulse_wave"] - values["pulse_wave"].mean()
    spectrum = np.abs(np.fft.rfft(wave))
    beats_a_minute = 2 * (np.argmax(spectrum[20:75]) + 20)
    assert abs(beats_a_minute - values["pulse_rate"].mean()) < 5


def test_excitement_raises_the_pulse_and_settles() -> None:
    heart = Heart(np.random.default_rng(4), 70.0)

    def mean_rate(seconds: int) -> float:
        rates = []
        for _ in range(seconds):
            heart.step(1.0)
            rates.append(heart.rate)
        return float(np.mean(rates))

    rest = mean_rate(30)
    heart.excite(25)
    assert mean_rate(10) > rest + 15
    mean_rate(600)
    assert mean_rate(30) < rest + 6


def test_each_person_has_a_pulse_of_their_own_that_never_stands_still_and_that_a_belt_agrees_with() -> None:
    rests = {round(resting_pulse(seed)) for seed in range(101, 109)}
    assert len(rests) > 4
    for seed in (101, 102):
        body = Body(CATALOGUE, seed=seed, boot=3)
        optical = np.concatenate([samples(body, 1)["pulse_rate"] for _ in range(60)])
        belt = Belt(seed)
        shown = []
        for _ in range(60):
            belt.second()
            shown.append(belt.bpm)
        assert abs(optical.mean() - resting_pulse(seed)) < 5
        assert abs(np.mean(shown) - optical.mean()) < 6
        assert len(set(shown)) > 2


def test_a_channel_that_the_mouth_does_not_have_is_said() -> None:
    other = Catalogue([msgspec.structs.replace(CATALOGUE.key("spo2"), key="aura")])
    with pytest.raises(NotSimulated, match="aura"):
        Body(other, seed=1, boot=1)


def test_a_silent_sensor_leaves_indexes_out() -> None:
    body = Body(CATALOGUE, seed=1, boot=1)
    body.silence(2)
    assert "saliva_ph" not in samples(body, 1)
    body.unsilence(2)
    (block,) = [b for b in (*body.tick(0), *body.tick(0)) if b.channel == 2]
    assert block.first_index == 10
    assert block.start_us == 1_000_000

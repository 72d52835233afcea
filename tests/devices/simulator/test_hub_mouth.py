"""The body behind a simulated hub, as its channels show it: plausible, reproducible, complete."""

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from core.signals.catalogue import Catalogue, load_catalogue
from devices.simulator.body import TICK_US, Body, NotSimulated
from devices.simulator.heart_rate import Heart as Belt
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
    assert not np.array_equal(one["plaque_ph"], later["plaque_ph"])


def test_a_boot_changes_what_is_measured_and_not_whose_mouth_it_is() -> None:
    first, second, other = (Body(CATALOGUE, seed, boot) for seed, boot in ((7, 1), (7, 2), (8, 1)))
    assert first.mouth.teeth.fdi == second.mouth.teeth.fdi
    assert np.array_equal(first.mouth.plaque.ph, second.mouth.plaque.ph)
    assert (first.warmth.pulp, first.mind.fear) == (second.warmth.pulp, second.mind.fear)
    assert first.mouth.mineral.critical_ph != other.mouth.mineral.critical_ph


@pytest.mark.parametrize("seed", range(3))
def test_at_rest_everything_is_normal(seed: int) -> None:
    values = samples(Body(CATALOGUE, seed, boot=1), 30)
    for spec in CATALOGUE.from_source("hub"):
        row = values[spec.key]
        if spec.normal_low is not None and spec.normal_high is not None:
            assert spec.normal_low - 0.1 <= row.mean() <= spec.normal_high, spec.key
        assert np.percentile(row, 1) >= spec.low, spec.key
        assert np.percentile(row, 99) <= spec.high, spec.key


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


def test_the_hub_reports_the_lowest_plaque_of_all_teeth() -> None:
    body = Body(CATALOGUE, seed=1, boot=1)
    body.mouth.eat_sugar(1.0)
    told = samples(body, 300)["plaque_ph"]
    assert told[-1] == pytest.approx(body.mouth.plaque.ph.min(), abs=0.1)
    assert told[-1] < body.mouth.plaque.ph.max() - 0.5
    assert body.mouth.worst in body.mouth.teeth.fdi


def test_half_a_second_of_chemistry_is_sharp_enough() -> None:
    """The hub's steps, and steps twenty times as large, draw the same curve."""
    fine, coarse = (Body(CATALOGUE, seed=3, boot=1).mouth for _ in range(2))
    for mouth, step in ((fine, 0.5), (coarse, 10.0)):
        mouth.eat_sugar(1.0)
        for _ in range(round(600 / step)):
            mouth.step(step)
    assert np.abs(fine.plaque.ph - coarse.plaque.ph).max() < 0.05


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


def test_a_frozen_sensor_repeats_its_last_value_while_indexes_go_on() -> None:
    body = Body(CATALOGUE, seed=1, boot=1)
    before = samples(body, 2)["saliva_ph"]
    body.freeze(2)
    frozen = samples(body, 2)
    assert set(frozen["saliva_ph"]) == {before[-1]}
    assert len(frozen["saliva_ph"]) == 20
    assert len(set(frozen["plaque_ph"])) > 2
    body.unfreeze(2)
    assert len(set(samples(body, 2)["saliva_ph"])) > 2


def test_a_sensor_frozen_from_the_first_repeats_the_first_value_that_it_finds() -> None:
    body = Body(CATALOGUE, seed=1, boot=1)
    body.freeze(8)
    assert len(set(samples(body, 1)["jaw_emg"])) == 1


def test_thawed_it_measures_what_it_would_have_measured() -> None:
    bodies = [Body(CATALOGUE, seed=1, boot=1) for _ in range(2)]
    bodies[0].freeze(2)
    for body in bodies:
        samples(body, 2)
    bodies[0].unfreeze(2)
    thawed, sound = (samples(body, 2)["saliva_ph"] for body in bodies)
    assert np.array_equal(thawed, sound)


def test_out_of_the_mouth_the_hub_meets_the_room_and_measures_nothing_else() -> None:
    body = Body(CATALOGUE, seed=1, boot=1)
    samples(body, 5)
    body.wear(False)
    out = samples(body, 120)
    assert out["tissue_temperature"][-1] < 25
    assert {key for key in out if not key.startswith("swarm_")} == {"tissue_temperature"}
    body.wear(True)
    assert samples(body, 180)["tissue_temperature"][-1] > 35


def test_a_runaway_shows_in_energy_and_warmth_though_the_hub_denies_it() -> None:
    honest, faked, sound = (Body(CATALOGUE, seed=1, boot=1) for _ in range(3))
    honest.swarm.run_away(100.0, 120.0, deaf=False, faked=False)
    faked.swarm.run_away(100.0, 120.0, deaf=False, faked=True)
    seen = [samples(body, 60, dose=50.0) for body in (honest, faked, sound)]
    ends = [{key: row[-10:].mean() for key, row in one.items()} for one in seen]
    assert [one["swarm_dose"] for one in ends] == [150.0, 50.0, 50.0]
    for wild in ends[:2]:
        assert wild["swarm_energy"] < ends[2]["swarm_energy"] - 1.0
        assert wild["swarm_temperature"] > ends[2]["swarm_temperature"] + 2.0
        assert wild["tissue_temperature"] > ends[2]["tissue_temperature"] + 0.8
    over = [samples(body, 70, dose=50.0)["swarm_dose"] for body in (honest, faked)]
    assert over[0][-1] == 50.0, "it ends after its seconds"
    assert over[1].max() == 50.0, "and was denied to the last"


def test_a_runaway_on_a_full_order_crosses_the_ceiling_of_pulp_and_of_the_swarm() -> None:
    body = Body(CATALOGUE, seed=1, boot=1)
    body.swarm.run_away(100.0, 300.0, deaf=False, faked=True)
    values = samples(body, 240, dose=100.0)
    assert values["pulp_temperature"].max() > 40.0
    assert values["swarm_temperature"].max() > 42.0


def test_a_tired_swarm_falls_out_of_step() -> None:
    body = Body(CATALOGUE, seed=1, boot=1)
    rested = samples(body, 20)["swarm_sync_error"].mean()
    body.swarm.energy = 15.0
    assert samples(body, 20)["swarm_sync_error"].mean() > rested + 15


def test_energy_is_spent_by_a_dose_and_comes_back_at_rest() -> None:
    body = Body(CATALOGUE, seed=1, boot=1)
    full = samples(body, 2)["swarm_energy"].mean()
    spent = samples(body, 120, dose=100.0)["swarm_energy"][-1]
    assert spent < full - 3
    assert samples(body, 120)["swarm_energy"][-1] > spent + 0.3

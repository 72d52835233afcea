"""What cannot be true is found; what is only unusual is not."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from core.model.block import Provenance, SampleBlock
from core.model.datafile import DataError, parse
from core.safety.detectors import Detectors, Finding, Rules, load_rules
from core.signals.catalogue import load_catalogue
from devices.simulator.body import Body

CATALOGUE = load_catalogue()
EMG = CATALOGUE.key("jaw_emg").number
ENERGY = CATALOGUE.key("swarm_energy")
PH = CATALOGUE.key("saliva_ph")


def live(seconds: float, *, seed: int = 1, boot: int = 1, dose: float = 0.0) -> Iterator[list[SampleBlock]]:
    """What a simulated hub sends."""
    body = Body(CATALOGUE, seed, boot)
    for _ in range(round(seconds * 20)):
        yield body.tick(dose)


def emg(first: int, samples: npt.NDArray[np.generic]) -> SampleBlock:
    return SampleBlock(EMG, 1, first, first * 1000, 1000, samples.astype(np.int16))


def energy(first: int, values: list[float], boot: int = 1) -> SampleBlock:
    raw = np.rint((np.array(values) - ENERGY.offset) / ENERGY.scale).astype(np.int16)
    return SampleBlock(ENERGY.number, boot, first, first * ENERGY.period_us, ENERGY.period_us, raw)


@pytest.mark.parametrize("seed", range(3))
def test_an_honest_hub_is_not_suspected(seed: int) -> None:
    detectors = Detectors(CATALOGUE)
    found = [finding for blocks in live(120, seed=seed) for finding in detectors.feed(blocks)]
    detectors.order(60)
    body = [finding for blocks in live(120, seed=seed, boot=2, dose=60) for finding in detectors.feed(blocks)]
    assert found + body == []


@pytest.mark.parametrize(("cut", "offset"), [(50, 0), (37, 13), (1000, 501)])
def test_a_stretch_that_was_heard_before_is_a_recording_wherever_it_is_cut(cut: int, offset: int) -> None:
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 25, 60_000)
    detectors = Detectors(CATALOGUE)
    heard = noise.copy()
    heard[40_000:55_000] = noise[10_000 + offset : 25_000 + offset]
    found_at = [first for first in range(0, 60_000, cut) if detectors.feed([emg(first, heard[first : first + cut])])]
    assert found_at, "a replay of 15 s"
    assert 40_000 <= found_at[0] < 42_000
    assert found_at[-1] < 55_000 + cut


def test_a_replay_is_found_over_a_gap_and_silence_is_none() -> None:
    rng = np.random.default_rng(6)
    noise = rng.normal(0, 25, 20_000)
    detectors = Detectors(CATALOGUE)
    assert detectors.feed([emg(0, noise)]) == ()
    assert detectors.feed([emg(30_000, np.zeros(5000))]) == ()
    assert Finding("repeated", "jaw_emg") in detectors.feed([emg(50_000, noise[3000:13_000])])


def test_a_value_that_stands_still_is_frozen_after_its_time() -> None:
    detectors = Detectors(CATALOGUE)
    still = int(load_rules().frozen.seconds * PH.rate_hz)
    found = []
    for first in range(still + 20):
        block = SampleBlock(PH.number, 1, first, first * PH.period_us, PH.period_us, np.array([70], np.int16))
        found.append(detectors.feed([block]))
    assert found.index((Finding("frozen", "saliva_ph"),)) == still - 1
    moved = SampleBlock(PH.number, 1, 500, 500 * PH.period_us, PH.period_us, np.array([70, 71], np.int16))
    assert detectors.feed([moved]) == ()


def test_energy_tells_of_dose_that_nobody_ordered() -> None:
    rule = load_rules().dose
    for dose, ordered, suspected in ((0, 0, False), (60, 60, False), (60, 0, True), (100, 60, True), (30, 0, False)):
        share = dose / 100
        slope = rule.gain_at_rest * (1 - share) - rule.use_at_full * share
        detectors = Detectors(CATALOGUE)
        detectors.order(ordered)
        found = [detectors.feed([energy(at, [90 + slope * at])]) for at in range(90)]
        assert ((Finding("dose", "swarm_energy"),) in found) is suspected, (dose, ordered)


def test_a_hub_that_hides_its_dose_is_found_by_its_energy() -> None:
    detectors = Detectors(CATALOGUE)
    hidden = CATALOGUE.key("swarm_dose").number
    found: list[Finding] = []
    for blocks in live(60, dose=100):
        found += detectors.feed([one for one in blocks if one.channel != hidden])
    assert Finding("dose", "swarm_energy") in found


def test_energy_of_another_boot_or_after_a_long_gap_is_not_compared() -> None:
    detectors = Detectors(CATALOGUE)
    for at in range(40):
        detectors.feed([energy(at, [95.0])])
    assert detectors.feed([energy(0, [60.0], boot=2)]) == ()
    fresh = Detectors(CATALOGUE)
    for at in range(40):
        fresh.feed([energy(at, [95.0])])
    assert fresh.feed([energy(4000, [60.0])]) == ()


def test_what_comes_late_or_twice_is_not_judged() -> None:
    rng = np.random.default_rng(7)
    noise = rng.normal(0, 25, 10_000).astype(np.int16)
    detectors = Detectors(CATALOGUE)
    assert detectors.feed([emg(0, noise)]) == ()
    late = SampleBlock(EMG, 1, 20_000, 20_000_000, 1000, noise, Provenance.BACKFILLED)
    assert detectors.feed([emg(0, noise), late]) == ()


def test_a_wrong_rule_names_its_file() -> None:
    with pytest.raises(DataError, match=r"detectors\.toml"):
        parse("[repeated]\nchannels = 3\n", "detectors.toml", Rules)

"""Bite and muscle: clenching, chewing, grinding."""

import msgspec
import numpy as np
import pytest

from devices.simulator.physiology.drift import Floats
from devices.simulator.physiology.figures import load_physiology
from devices.simulator.physiology.jaw import Jaw

FIGURES = load_physiology().jaw
TICK = 0.05


def jaw() -> Jaw:
    """One that does nothing by itself."""
    patient = msgspec.structs.replace(FIGURES.own_pause, value=1e9)
    return Jaw(msgspec.structs.replace(FIGURES, own_pause=patient), np.random.default_rng(3))


def record(one: Jaw, seconds: float) -> tuple[Floats, Floats]:
    """Rectified EMG at 1 kHz and force at 200 Hz, as a hub samples them, tick by tick."""
    emg, force = [], []
    for tick in range(round(seconds / TICK)):
        begin = tick * TICK
        one.step(begin + TICK)
        emg.append(np.abs(one.emg(begin + np.arange(50) / 1000)))
        force.append(one.force(begin + np.arange(10) / 200))
    return np.concatenate(emg), np.concatenate(force)


def bursts(force: Floats) -> int:
    pressed = force > 20
    return int((np.diff(pressed.astype(int)) == 1).sum())


def test_muscle_comes_before_force() -> None:
    one = jaw()
    one.clench(0.5, 1.0, 1.0)
    emg, force = record(one, 2.0)
    active = np.convolve(emg, np.ones(20) / 20, mode="same")
    muscle_s = int((active > 15).argmax()) / 1000
    force_s = int((force > 50).argmax()) / 200
    assert 0.02 < force_s - muscle_s < 0.12
    assert force.max() == pytest.approx(FIGURES.force_full.value, rel=0.05)


def test_chewing_has_its_rhythm_and_is_known_to_saliva() -> None:
    one = jaw()
    one.chew(0.0, 20.0)
    assert one.chewing(10.0) == 1.0
    _, force = record(one, 22.0)
    assert bursts(force) == pytest.approx(20 * FIGURES.chew_rate.value, abs=2)
    assert one.chewing(22.0) == 0.0


def test_grinding_is_slower_than_chewing_and_harder() -> None:
    ground, chewed = jaw(), jaw()
    ground.grind(0.0, 6, 0.8)
    chewed.chew(0.0, 6.0)
    (_, grind), (_, chew) = record(ground, 8.0), record(chewed, 8.0)
    assert bursts(grind) == 6
    assert bursts(chew) > 7
    assert grind.max() > chew.max() + 30


def test_a_long_meal_does_not_slow_the_jaw() -> None:
    one = jaw()
    one.chew(0.0, 600.0)
    record(one, 10.0)
    assert len(one.bursts) < 5


def test_left_alone_the_jaw_moves_a_little_now_and_then() -> None:
    one = Jaw(FIGURES, np.random.default_rng(3))
    _, force = record(one, 120.0)
    assert 2 <= bursts(force) <= 20
    assert force.max() < 0.6 * FIGURES.force_full.value

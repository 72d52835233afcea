"""Alarm sounds as IEC 60601-1-8 wants them, measured in the samples themselves."""

from itertools import pairwise

import numpy as np
import pytest

from core.model.alarm import AlarmPriority
from core.safety.alarm_catalogue import load_alarms
from core.safety.sound import RATE, burst, cycle

PULSES = {AlarmPriority.HIGH: 10, AlarmPriority.MEDIUM: 3, AlarmPriority.LOW: 1}
LENGTHS_MS = {AlarmPriority.HIGH: (75, 200), AlarmPriority.MEDIUM: (125, 250), AlarmPriority.LOW: (125, 250)}
BETWEEN_S = {AlarmPriority.HIGH: (2.5, 15), AlarmPriority.MEDIUM: (2.5, 30), AlarmPriority.LOW: (15, 120)}


def pulses(samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> list[tuple[int, int]]:
    """Start and end of each stretch of sound; zero crossings inside a pulse are far shorter than 20 ms."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 300)
    breaks = np.flatnonzero(np.diff(loud) > RATE // 50)
    starts = [int(loud[0]), *(int(loud[index + 1]) for index in breaks)]
    ends = [*(int(loud[index]) for index in breaks), int(loud[-1])]
    return list(zip(starts, ends, strict=True))


@pytest.mark.parametrize("priority", list(AlarmPriority))
def test_a_burst_has_the_pulses_of_its_priority(priority: AlarmPriority) -> None:
    found = pulses(burst(load_alarms().sounds[priority]))
    assert len(found) == PULSES[priority]
    shortest, longest = LENGTHS_MS[priority]
    for start, end in found:
        assert shortest * 0.9 <= (end - start) / RATE * 1000 <= longest


def test_a_high_burst_is_three_and_two_twice() -> None:
    found = pulses(burst(load_alarms().sounds[AlarmPriority.HIGH]))
    gaps = [after[0] - before[1] for before, after in pairwise(found)]
    assert gaps[:4] == pytest.approx(gaps[5:], abs=RATE // 200)
    assert min(gaps[2], gaps[4]) > 2 * max(gaps[0], gaps[1], gaps[3])
    assert gaps[4] > gaps[2]


@pytest.mark.parametrize("priority", list(AlarmPriority))
def test_its_spectrum_has_a_fundamental_and_four_harmonics(priority: AlarmPriority) -> None:
    sound = load_alarms().sounds[priority]
    start, end = pulses(burst(sound))[0]
    piece = burst(sound)[start:end].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), n=RATE))

    def level_db(hertz: float) -> float:
        return float(20 * np.log10(spectrum[round(hertz) - 5 : round(hertz) + 6].max()))

    loudest = float(np.argmax(spectrum))
    assert 150 <= loudest <= 1000
    base = level_db(loudest)
    tones = [loudest * number for number in range(2, 20) if 300 <= loudest * number <= 4000]
    assert sum(abs(level_db(tone) - base) <= 15 for tone in tones) >= 4
    assert level_db(loudest * 1.5) < base - 20


@pytest.mark.parametrize("priority", list(AlarmPriority))
def test_bursts_repeat_in_the_time_of_their_priority(priority: AlarmPriority) -> None:
    sound = load_alarms().sounds[priority]
    silence = (len(cycle(sound)) - len(burst(sound))) / RATE
    shortest, longest = BETWEEN_S[priority]
    assert shortest <= silence <= longest


def test_nothing_clips() -> None:
    for sound in load_alarms().sounds.values():
        assert np.max(np.abs(burst(sound).astype(np.int32))) < 30_000

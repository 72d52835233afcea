"""The jaw: clenching, chewing, grinding; muscle noise, and the bite force that follows it."""

import heapq
from typing import NamedTuple

import numpy as np

from devices.simulator.physiology.drift import Floats
from devices.simulator.physiology.figures import JawFigures

_KEPT_S = 1.0
_STRENGTHS = (0.15, 0.5)
_LENGTHS_S = (0.4, 1.6)
_SHORTEST_PAUSE_S = 2.0


class Burst(NamedTuple):
    """One contraction, hub seconds; strength 1 is a full clench."""

    start: float
    end: float
    strength: float


class Jaw:
    """Jaw muscles and what they press. What is ordered and what the jaw does by itself are bursts in one queue.

    Attributes:
        bursts: under way, or over since less than a second.
    """

    def __init__(self, figures: JawFigures, noise: np.random.Generator) -> None:
        self._figures = figures
        self._noise = noise
        self._coming: list[Burst] = []
        self.bursts: list[Burst] = []
        self._chewing_until = 0.0
        self._next_s = float(noise.exponential(figures.own_pause.value))

    def clench(self, at_s: float, seconds: float, strength: float) -> None:
        """Hold the teeth together."""
        heapq.heappush(self._coming, Burst(at_s, at_s + seconds, strength))

    def chew(self, at_s: float, seconds: float) -> None:
        """Chew at this person's pace."""
        figures = self._figures
        self._rhythm(at_s, seconds, figures.chew_rate.value, figures.chew_burst.value, figures.chew_strength.value)
        self._chewing_until = at_s + seconds

    def grind(self, at_s: float, bursts: int, strength: float) -> None:
        """An episode as of sleep bruxism: so many bursts, about one a second."""
        figures = self._figures
        pace = figures.grind_rate.value
        self._rhythm(at_s, bursts / pace, pace, figures.grind_burst.value, strength)

    def chewing(self, at_s: float) -> float:
        """1 while the jaw chews, 0 otherwise."""
        return 1.0 if at_s < self._chewing_until else 0.0

    def step(self, until_s: float) -> None:
        """Decide what the jaw does by itself until then, take what begins, and forget what is over."""
        while self._next_s < until_s:
            self.clench(self._next_s, float(self._noise.uniform(*_LENGTHS_S)), float(self._noise.uniform(*_STRENGTHS)))
            self._next_s += _SHORTEST_PAUSE_S + float(self._noise.exponential(self._figures.own_pause.value))
        while self._coming and self._coming[0].start < until_s:
            self.bursts.append(heapq.heappop(self._coming))
        if self.bursts:
            self.bursts = [burst for burst in self.bursts if burst.end > until_s - _KEPT_S]

    def emg(self, times_s: Floats) -> Floats:
        """Surface EMG, µV."""
        figures = self._figures
        noise = self._noise.standard_normal(len(times_s))
        if not self.bursts:
            return np.asarray(figures.emg_rest.value * noise)
        return np.asarray(noise * (figures.emg_rest.value + figures.emg_full.value * self._activity(times_s)))

    def force(self, times_s: Floats) -> Floats:
        """Bite force, N; it comes after the electrical activity."""
        figures = self._figures
        force = figures.force_noise.value * self._noise.standard_normal(len(times_s))
        if self.bursts:
            force = force + figures.force_full.value * self._activity(times_s - figures.lag.value)
        return np.asarray(np.maximum(0.0, force))

    def _rhythm(self, at_s: float, seconds: float, pace: float, length: float, strength: float) -> None:
        for beat in range(round(seconds * pace)):
            start = at_s + beat / pace * float(self._noise.uniform(0.98, 1.02))
            self.clench(start, length, strength * float(self._noise.uniform(0.85, 1.15)))

    def _activity(self, times_s: Floats) -> Floats:
        total = np.zeros(len(times_s))
        for start, end, strength in self.bursts:
            rise = np.clip((times_s - start) / self._figures.rise.value, 0.0, 1.0)
            fall = np.clip((end - times_s) / self._figures.fall.value, 0.0, 1.0)
            total += strength * rise * fall
        return total

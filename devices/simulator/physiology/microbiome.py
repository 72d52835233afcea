"""Acid makers and base makers on each tooth: generalised Lotka-Volterra with feedback through pH. Illustrative."""

import math
from typing import Final

import numpy as np

from devices.simulator.physiology.drift import Floats
from devices.simulator.physiology.figures import MicrobiomeFigures
from devices.simulator.physiology.teeth import Teeth

_LN10: Final = math.log(10.0)
_DAY: Final = 86_400.0
_LONGEST_DAYS: Final = 0.25
_LEAST: Final = 1e-4


class Microbiome:
    """Two guilds on every tooth, on a clock of days.

    Acid makers bear acid and thrive on sugar; base makers fade where it is acid. As acid makers make the acid that
    favours them, a community that tipped over stays so when the sugar is back to what it was (hysteresis).

    Attributes:
        guilds: how many acid makers (row 0) and base makers (row 1) there are, shape (2, teeth); about 1 is full.
        care: 0–1, how much treatment slows acid making now.
    """

    def __init__(self, figures: MicrobiomeFigures, teeth: Teeth, person: np.random.Generator) -> None:
        self._figures = figures
        share = figures.acid_share.of(person)
        self.guilds: Floats = np.stack([np.full(len(teeth), share), np.full(len(teeth), 1.0 - share)])
        self.care = 0.0
        rival = figures.competition.value
        self._rivalry: Floats = np.array([[1.0, rival], [rival, 1.0]])
        self._growth: Floats = np.zeros((2, len(teeth)))
        self._seconds = 0.0
        self._day_growth: Floats = np.zeros((2, len(teeth)))
        self._day_seconds = 0.0

    @property
    def acid_makers(self) -> Floats:
        """Relative to health, shape (teeth,)."""
        return np.asarray(self.guilds[0] / self._figures.acid_share.value)

    @property
    def base_makers(self) -> Floats:
        """Relative to health, shape (teeth,)."""
        return np.asarray(self.guilds[1] / (1.0 - self._figures.acid_share.value))

    @property
    def acid_share(self) -> Floats:
        """Share of the community that makes acid, shape (teeth,)."""
        return np.asarray(self.guilds[0] / self.guilds.sum(axis=0))

    @property
    def slowed(self) -> float:
        """Share of acid making that treatment takes away now."""
        return self.care * self._figures.care_slows.value

    def live(self, seconds: float, ph: Floats, fed: Floats) -> None:
        """Note how well the guilds do at this pH and on this sugar; numbers change with the next `grow`."""
        figures = self._figures
        self._growth[0] += seconds * (figures.acid_growth.value + figures.sugar_growth.value * fed)
        steep = _LN10 * figures.base_steepness.value
        self._growth[1] += seconds / (1.0 + np.exp(steep * (figures.base_pk.value - ph)))
        self._seconds += seconds
        self._forget(seconds)

    def treat(self, seconds: float, share: float) -> None:
        """A dose of `share` 0–1 of the balancing module: acid makers give way to base makers."""
        figures = self._figures
        self.care = min(1.0, self.care + share * seconds / (60.0 * figures.care_full.value))
        moved = self.guilds[0] * -math.expm1(-figures.balance_shift.value * share * seconds / 60.0)
        self.guilds = self.guilds + np.stack([-moved, moved])

    def grow(self) -> None:
        """Let numbers follow what was noted since the last call."""
        if self._seconds:
            self._follow(self._growth / self._seconds, self._seconds / _DAY)
            self._day_growth += self._growth
            self._day_seconds += self._seconds
            self._growth = np.zeros_like(self._growth)
            self._seconds = 0.0

    def repeat(self, days: float) -> None:
        """Go on for `days` as on the mean of the time since the last call."""
        self.grow()
        if self._day_seconds:
            self._follow(self._day_growth / self._day_seconds, days)
        self._day_growth = np.zeros_like(self._day_growth)
        self._day_seconds = 0.0
        self._forget(days * _DAY)

    def _forget(self, seconds: float) -> None:
        self.care *= math.exp(-seconds / (self._figures.care_lasts.value * _DAY))

    def _follow(self, growth: Floats, days: float) -> None:
        figures = self._figures
        parts = max(1, math.ceil(days / _LONGEST_DAYS))
        for _ in range(parts):
            pull = figures.growth.value * self.guilds * (growth - self._rivalry @ self.guilds)
            self.guilds = np.maximum(_LEAST, self.guilds + (days / parts) * (pull + figures.arrival.value))

"""Plaque on each tooth: sugar comes in, acid is made, buffered and carried off. All arrays have shape (teeth,)."""

import math
from typing import Final

import numpy as np

from devices.simulator.physiology.drift import Floats
from devices.simulator.physiology.figures import PlaqueFigures
from devices.simulator.physiology.saliva import Saliva
from devices.simulator.physiology.teeth import Teeth

_LN10: Final = math.log(10.0)
_NEUTRAL: Final = 7.0
_ONSET_PH: Final = 6.8
_USUAL_BICARBONATE: Final = 2.85
"""At a resting flow of 0.33 mL/min, mmol/L; `exchange` is meant for it."""
_GROWTH_POWER: Final = 0.3
_LEAST_COVER: Final = 0.5
_MOST_COVER: Final = 1.6


class Plaque:
    """The approximal plaque of every tooth.

    Buffer capacity times change of pH = base made - acid made + exchange with saliva.

    Attributes:
        ph: pH of plaque fluid.
        sugar: mmol/L.
        lactate, acetate: acids of sugar and of stores, mmol/L.
        fed: 0–1, how near to the most acid the sugar there lets bacteria make.
        lactate_out: lactate that leaves, mean over the teeth, mmol/L/s.
        thickness: relative; 1 is that of a lower molar at usual hygiene.
    """

    def __init__(self, figures: PlaqueFigures, teeth: Teeth, hygiene: float) -> None:
        self._figures = figures
        self._teeth = teeth
        self._cover = self._cover_at(hygiene)
        self.ph: Floats = np.full(len(teeth), _ONSET_PH)
        self.sugar: Floats = np.zeros(len(teeth))
        self.lactate: Floats = np.zeros(len(teeth))
        self.acetate: Floats = np.zeros(len(teeth))
        self.fed: Floats = np.zeros(len(teeth))
        self.lactate_out = 0.0
        self.thickness: Floats = teeth.thickness
        self._lay()

    def grow(self, days: float, hygiene: float) -> None:
        """Let plaque become as thick as this hygiene leaves it."""
        aim = self._cover_at(hygiene)
        self._cover = aim + (self._cover - aim) * math.exp(-days / self._figures.regrowth.value)
        self._lay()

    def step(
        self, seconds: float, saliva: Saliva, acid_makers: Floats, base_makers: Floats, slowed: float, base: float
    ) -> None:
        """Let time pass; stable for any step, sharp up to some 10 s while there is sugar.

        Args:
            acid_makers, base_makers: how many there are, relative to health, shape (teeth,).
            slowed: share of acid making that treatment takes away.
            base: base that treatment brings, mmol/L/s.
        """
        figures = self._figures
        steep = _LN10 * figures.acid_steepness.value
        able = 1.0 / (1.0 + np.exp(steep * (figures.acid_pk.value - self.ph)))
        most = (figures.acid_rate.value * (1.0 - slowed)) * acid_makers * able
        half = figures.half_sugar.value
        eaten = most / (figures.acids_per_sugar.value * (half + self.sugar))
        come = self.sugar + (seconds * saliva.sugar_met) * self._sugar_in
        self.sugar = come / (1.0 + seconds * (self._sugar_way + eaten))
        self.fed = self.sugar / (half + self.sugar)

        sour = most * self.fed
        lactic = figures.lactate_share.value * sour
        share = figures.rest_acid_share.value
        other = sour - lactic + (figures.rest_acid.value * able) * (1.0 - share + share * acid_makers)
        left = 1.0 / (1.0 + seconds * self._acid_way)
        self.lactate = (self.lactate + seconds * lactic) * left
        self.acetate = (self.acetate + seconds * other) * left
        self.lactate_out = float((self._acid_way * self.lactate).mean())

        fixed = figures.exchange_fixed.value
        washed = self._exchange * math.sqrt(fixed + (1.0 - fixed) * saliva.bicarbonate / _USUAL_BICARBONATE)
        below = np.maximum(0.0, _NEUTRAL - self.ph)
        buffer = figures.buffer_neutral.value + figures.buffer_acid.value * below * below
        made = figures.base_rate.value * base_makers + base - lactic - other
        self.ph = self.ph + seconds * (made + washed * (saliva.ph - self.ph)) / (buffer + seconds * washed)

    def _cover_at(self, hygiene: float) -> float:
        """How thick plaque becomes, relative to that of usual hygiene."""
        left = max(0.0, 1.0 - hygiene) / (1.0 - self._figures.usual_hygiene.value)
        return min(_MOST_COVER, max(_LEAST_COVER, math.pow(left, _GROWTH_POWER)))

    def _lay(self) -> None:
        """What follows from thickness: diffusion takes its square in time, exchange by the surface its first power."""
        teeth, figures = self._teeth, self._figures
        self.thickness = teeth.thickness * self._cover
        squared = self.thickness * self.thickness
        self._sugar_way: Floats = (0.5 + 0.5 * teeth.reach) / (figures.sugar_way.value * squared)
        self._sugar_in: Floats = self._sugar_way * teeth.reach
        self._acid_way: Floats = (0.3 + 0.7 * teeth.access) / (figures.acid_way.value * squared)
        self._exchange: Floats = figures.exchange.value * np.sqrt(teeth.access) / self.thickness

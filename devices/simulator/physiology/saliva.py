"""Saliva: how much flows, what taste and chewing add, how it buffers, and how it clears sugar and acid."""

import math

import numpy as np

from devices.simulator.physiology.figures import SalivaFigures

_MINUTE = 60.0
_LEAST_BICARBONATE = 0.05


class Saliva:
    """Whole saliva of one person.

    Attributes:
        dryness: 0–1; takes that share away from flow at rest and from what taste and chewing add.
        flow: mL/min.
        sugar: in saliva, mmol/L.
        sugar_met: the mean of it over the last step, which is what plaque met.
        lactate: mmol/L.
        bicarbonate: mmol/L.
        ph: by Henderson and Hasselbalch, from bicarbonate and dissolved carbon dioxide.
    """

    def __init__(self, figures: SalivaFigures, person: np.random.Generator, dryness: float) -> None:
        self._figures = figures
        self._rest_flow = figures.rest_flow.of(person)
        self._carbon_dioxide = figures.carbon_dioxide.of(person)
        self._own_lactate = figures.lactate.of(person)
        self.dryness = dryness
        self.sugar = self.sugar_met = 0.0
        self.lactate = self._own_lactate
        self.flow = self.bicarbonate = self.ph = 0.0
        self._secrete(0.0)

    def eat_sugar(self, servings: float) -> None:
        self.sugar += servings * self._figures.serving.value

    def step(self, seconds: float, chewing: float, lactate_in: float) -> None:
        """Let time pass.

        Args:
            chewing: 0–1, how busily the jaw chews.
            lactate_in: what comes out of plaque, mmol for each litre of saliva and second.
        """
        self._secrete(chewing)
        renewed = self.flow / _MINUTE / self._figures.volume.value
        washed = -math.expm1(-seconds * renewed)
        self.sugar_met = self.sugar * washed / (seconds * renewed)
        self.sugar *= 1.0 - washed
        aim = self._own_lactate + lactate_in / renewed
        self.lactate = aim + (self.lactate - aim) * (1.0 - washed)

    def _secrete(self, chewing: float) -> None:
        figures = self._figures
        taste = self.sugar / (self.sugar + figures.half_taste.value)
        added = figures.taste_flow.value * taste + figures.chewing_flow.value * chewing
        wet = 1.0 - min(1.0, max(0.0, self.dryness))
        self.flow = max(figures.least_flow.value, wet * (self._rest_flow + added))
        self.bicarbonate = (
            figures.bicarbonate_most.value * self.flow / (self.flow + figures.bicarbonate_half_flow.value)
        )
        left = max(_LEAST_BICARBONATE, self.bicarbonate - (self.lactate - self._own_lactate))
        self.ph = figures.bicarbonate_pk.value + math.log10(left / self._carbon_dioxide)

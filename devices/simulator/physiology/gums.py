"""The gums: inflamed by the plaque that stays, within days; what that does to breath, warmth and markers."""

import math

import numpy as np

from devices.simulator.physiology.drift import Floats
from devices.simulator.physiology.figures import GumFigures


class Gums:
    """The gum at every tooth.

    Attributes:
        inflammation: 0 healthy to 1, shape (teeth,).
        mean: of the whole mouth, 0–1.
    """

    def __init__(self, figures: GumFigures, load: Floats, person: np.random.Generator) -> None:
        self._figures = figures
        self._sulphur_rest = figures.sulphur_rest.of(person)
        self.inflammation: Floats = self._aim(load)
        self.mean = float(self.inflammation.mean())

    def step(self, days: float, load: Floats) -> None:
        """Follow the plaque that is there: `load`, its thickness times how crowded it is, shape (teeth,)."""
        aim = self._aim(load)
        self.inflammation = aim + (self.inflammation - aim) * math.exp(-days / self._figures.response.value)
        self.mean = float(self.inflammation.mean())

    def _aim(self, load: Floats) -> Floats:
        cubed = load**3
        return np.asarray(cubed / (cubed + self._figures.half_load.value**3))

    @property
    def warmth(self) -> float:
        """How much warmer inflamed gums make the tissue, K."""
        return self._figures.warmth.value * self.mean

    def sulphur(self, care: float) -> float:
        """Volatile sulphur, ppb, with `care` 0–1 of treatment in place."""
        figures = self._figures
        whole = self._sulphur_rest + figures.sulphur_inflamed.value * self.mean
        return whole * (1.0 - figures.sulphur_care.value * care)

    @property
    def active_mmp8(self) -> float:
        """aMMP-8 as a visit would find it, ng/mL; below 20 is healthy."""
        return self._figures.mmp8_rest.value + self._figures.mmp8_inflamed.value * self.mean

    @property
    def il1b(self) -> float:
        """IL-1β as a visit would find it, pg/mL; below 100 is healthy."""
        return self._figures.il1b_rest.value + self._figures.il1b_inflamed.value * self.mean

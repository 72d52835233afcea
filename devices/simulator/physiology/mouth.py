"""Saliva, plaque, microbes, mineral and gums, coupled."""

from typing import Final

import numpy as np

from devices.simulator.physiology.dose import BALANCE, NONE, REPAIR, Dose
from devices.simulator.physiology.drift import Drifts, Floats
from devices.simulator.physiology.figures import Physiology
from devices.simulator.physiology.gums import Gums
from devices.simulator.physiology.microbiome import Microbiome
from devices.simulator.physiology.mineral import Mineral
from devices.simulator.physiology.plaque import Plaque
from devices.simulator.physiology.saliva import Saliva
from devices.simulator.physiology.teeth import Teeth
from devices.simulator.physiology.traits import Traits

_DAY: Final = 86_400.0
_SLOW_S: Final = 60.0
"""How often microbes, gums and the thickness of plaque are looked after."""
_SETTLE_S: Final = 300.0
_SETTLE_STEPS: Final = 80
_SHARP_S: Final = 10.0
_EASY_S: Final = 60.0
_CALM_S: Final = 300.0
_STARVED: Final = 0.02
_SUGAR_OVER_S: Final = 3 * 3600.0
_LEAST_FLOW: Final = 0.02
_LEAST_LACTATE: Final = 0.02
_LEAST_SULPHUR: Final = 5.0


class Mouth:
    """The mouth of one person, at rest when it begins.

    Three clocks: the caller's steps for chemistry (half a second in a hub), a minute for microbes and gums, and
    `repeat` for seasons. What sensors see wanders a little; the state of the teeth does not.

    Attributes:
        diet: servings of sugar a day that the person takes without being told, evenly spread.
        dryness, hygiene: as in `Traits`; may change.
    """

    def __init__(
        self, figures: Physiology, traits: Traits, person: np.random.Generator, noise: np.random.Generator
    ) -> None:
        self.teeth = Teeth(traits.teeth, figures)
        self.hygiene = traits.hygiene
        self.diet = 0.0
        self._balance_base = figures.microbiome.balance_base.value
        self.saliva = Saliva(figures.saliva, person, traits.dryness)
        self.plaque = Plaque(figures.plaque, self.teeth, self.hygiene)
        self.microbiome = Microbiome(figures.microbiome, self.teeth, person)
        self.mineral = Mineral(figures.mineral, self.teeth, person)
        self.gums = Gums(figures.gums, self._load(), person)
        self._plaque_share = figures.saliva.plaque_share.value
        self._drifts = Drifts(noise, [0.02, 0.03, 0.015, 0.015, 6.0], [40, 60, 120, 90, 120])
        self._pending = 0.0
        self._since_sugar = _SUGAR_OVER_S
        self._to_meal = 0.0
        for _ in range(_SETTLE_STEPS):
            self._chemistry(_SETTLE_S, NONE, 0.0)

    @property
    def dryness(self) -> float:
        return self.saliva.dryness

    @dryness.setter
    def dryness(self, share: float) -> None:
        self.saliva.dryness = share

    def eat_daily(self, servings: float) -> None:
        """From now on take so many servings a day; the first comes after its share of the day."""
        self.diet = servings
        self._to_meal = _DAY / servings if servings > 0 else 0.0

    def eat_sugar(self, servings: float) -> None:
        self.saliva.eat_sugar(servings)
        self._since_sugar = 0.0

    def step(self, seconds: float, dose: Dose = NONE, chewing: float = 0.0) -> None:
        """Let `seconds` pass with this dose: up to about 10 s while there is sugar, 300 s long after it."""
        if self.diet > 0 and self._to_meal <= 0:
            self.eat_sugar(1.0)
            self._to_meal += _DAY / self.diet
        self._to_meal -= seconds
        self._since_sugar += seconds
        self._chemistry(seconds, dose, chewing)
        self.mineral.step(seconds, self.plaque, self._repair(dose))
        self.microbiome.live(seconds, self.plaque.ph, self.plaque.fed)
        if dose.module == BALANCE and dose.share > 0:
            self.microbiome.treat(seconds, dose.share)
        self._drifts.step(seconds)
        self._pending += seconds
        if self._pending >= _SLOW_S:
            self._slowly(self._pending / _DAY)
            self.microbiome.grow()
            self._pending = 0.0

    def live(self, seconds: float) -> None:
        """Let a long time pass, in steps as large as what goes on allows."""
        while seconds > 0:
            step = min(seconds, self._sharpness())
            self.step(step)
            seconds -= step

    def repeat(self, days: float) -> None:
        """Let `days` pass like the mean of the time since the last call; for seasons."""
        self.microbiome.repeat(days)
        self.mineral.repeat(days)
        self._slowly(days)

    @property
    def worst(self) -> int:
        """FDI number of the tooth under the most acid plaque now."""
        return self.teeth.fdi[int(self.plaque.ph.argmin())]

    @property
    def plaque_ph(self) -> float:
        """The lowest of all teeth, as sensed."""
        return float(self.plaque.ph.min() + self._drifts.values[0])

    @property
    def saliva_ph(self) -> float:
        return float(self.saliva.ph + self._drifts.values[1])

    @property
    def flow(self) -> float:
        """Saliva, mL/min."""
        return max(_LEAST_FLOW, float(self.saliva.flow + self._drifts.values[2]))

    @property
    def lactate(self) -> float:
        """mmol/L in saliva."""
        return max(_LEAST_LACTATE, float(self.saliva.lactate + self._drifts.values[3]))

    @property
    def sulphur(self) -> float:
        """Volatile sulphur, ppb."""
        return max(_LEAST_SULPHUR, float(self.gums.sulphur(self.microbiome.care) + self._drifts.values[4]))

    def _chemistry(self, seconds: float, dose: Dose, chewing: float) -> None:
        self.saliva.step(seconds, chewing, self._plaque_share * self.plaque.lactate_out)
        microbes = self.microbiome
        base = self._balance_base * dose.share if dose.module == BALANCE else 0.0
        self.plaque.step(seconds, self.saliva, microbes.acid_makers, microbes.base_makers, microbes.slowed, base)

    def _sharpness(self) -> float:
        """The longest step that draws the curve as it is, s."""
        meal = self.diet > 0 and self._to_meal <= 0
        if meal or self._since_sugar < _EASY_S or self.plaque.fed.max() > _STARVED:
            return _SHARP_S
        longest = _EASY_S if self._since_sugar < _SUGAR_OVER_S else _CALM_S
        return min(longest, self._to_meal) if self.diet > 0 else longest

    def _repair(self, dose: Dose) -> Floats | float:
        if dose.module != REPAIR or dose.share == 0:
            return 0.0
        place = self.teeth.index(dose.tooth)
        if place is None:
            return dose.share if dose.tooth == 0 else 0.0
        mended = np.zeros(len(self.teeth))
        mended[place] = dose.share
        return mended

    def _slowly(self, days: float) -> None:
        self.plaque.grow(days, self.hygiene)
        self.gums.step(days, self._load())

    def _load(self) -> Floats:
        """The plaque that hygiene leaves to the gums, shape (teeth,)."""
        left = max(0.0, 1.0 - self.hygiene)
        return np.asarray(left * self.plaque.thickness * self.microbiome.guilds.sum(axis=0))

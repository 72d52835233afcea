"""Enamel under plaque: dissolved below saturation, built up above it. All arrays have shape (teeth,)."""

import math
from typing import Final

import numpy as np

from devices.simulator.physiology.drift import Floats
from devices.simulator.physiology.figures import MineralFigures
from devices.simulator.physiology.plaque import Plaque
from devices.simulator.physiology.teeth import Teeth

_LN10: Final = math.log(10.0)
_HOUR: Final = 3600.0
_PH: Final[Floats] = np.linspace(3.0, 9.0, 601)
_NEUTRAL: Final = 7.0
_PHOSPHORIC_K: Final = (10**-2.15, 10**-7.20, 10**-12.20)
"""Steps of phosphoric acid at mouth temperature, rounded from tables of chemistry. (check)"""
_WATER_K: Final = 10**-13.6
"""At 37 °C. (check)"""


def saturation(ph: Floats, figures: MineralFigures, calcium: float, phosphate: float) -> Floats:
    """Degree of saturation with respect to enamel: the ninth root of {Ca}⁵{PO₄}³{OH} over its solubility product.

    Args:
        calcium: free calcium at pH 7, mmol/L; plaque lets go of more as it turns acid.
        phosphate: in all its forms, mmol/L.
    """
    root = math.sqrt(figures.ionic_strength.value / 1000.0)
    davies = -0.52 * (root / (1.0 + root) - 0.3 * root * root)
    once, twice, thrice = (10.0 ** (davies * charge * charge) for charge in (1, 2, 3))
    h = 10.0**-ph
    k1, k2, k3 = _PHOSPHORIC_K
    parts = 1.0 + h * once / k1 + k2 * once / (h * twice) + k2 * k3 * once / (h * h * thrice)
    po4 = k2 * k3 * once / (h * h) * phosphate / 1000.0 / parts
    free = twice * (calcium + figures.calcium_release.value * np.maximum(0.0, _NEUTRAL - ph)) / 1000.0
    product = 5.0 * np.log10(free) + 3.0 * np.log10(po4) + np.log10(_WATER_K / h)
    return np.asarray(10.0 ** ((product + figures.solubility.value / 2.0) / 9.0))


class Mineral:
    """The outer enamel of every tooth.

    Attributes:
        lost: mineral missing, µg/cm²; 0 is sound, and nothing grows beyond that.
        fluoride: in plaque fluid, mg/L.
        critical_ph: where saturation is 1 for this person; nobody set it.
    """

    def __init__(self, figures: MineralFigures, teeth: Teeth, person: np.random.Generator) -> None:
        self._figures = figures
        self._saturation = saturation(_PH, figures, figures.calcium.of(person), figures.phosphate.of(person))
        self.critical_ph = float(np.interp(1.0, self._saturation, _PH))
        self.fluoride = figures.fluoride.of(person)
        self.lost: Floats = np.zeros(len(teeth))
        self._taken: Floats = np.zeros(len(teeth))
        self._given: Floats = np.zeros(len(teeth))
        self._seconds = 0.0

    def step(self, seconds: float, plaque: Plaque, repair: Floats | float) -> None:
        """Let time pass. `repair`: dose of the module that brings mineral, 0–1, shape (teeth,) or for all."""
        taken, given = self.rates(plaque.ph, plaque.lactate, plaque.acetate, repair)
        self._taken += taken * seconds
        self._given += given * seconds
        self._seconds += seconds
        self.lost = np.maximum(0.0, self.lost + (taken - given) * (seconds / _HOUR))

    def rates(
        self, ph: Floats, lactate: Floats, acetate: Floats, repair: Floats | float = 0.0
    ) -> tuple[Floats, Floats]:
        """What dissolves and what could be built up, µg/cm²/h, with acids in mmol/L.

        Dissolution grows with undersaturation and with undissociated acid (form after Margolis & Moreno 1992).
        """
        figures = self._figures
        degree = np.interp(ph, _PH, self._saturation)
        acid = lactate / (1.0 + np.exp(_LN10 * (ph - figures.lactate_pk.value)))
        acid = acid + acetate / (1.0 + np.exp(_LN10 * (ph - figures.acetate_pk.value)))
        below = np.maximum(0.0, 1.0 - degree)
        above = np.maximum(0.0, degree - 1.0)
        protection = 1.0 + 9.0 * self.fluoride / figures.fluoride_tenth.value
        taken = (
            (figures.loss_rate.value / protection) * below**figures.loss_order.value * acid**figures.acid_order.value
        )
        given = figures.gain_rate.value * above / (above + figures.gain_half.value)
        return taken, given * (1.0 + figures.repair_gain.value * np.asarray(repair))

    def repeat(self, days: float) -> None:
        """Go on for `days` as on the mean of the time since the last call."""
        if self._seconds:
            net = (self._taken - self._given) / self._seconds
            self.lost = np.maximum(0.0, self.lost + net * (days * 24.0))
        self._taken = np.zeros_like(self._taken)
        self._given = np.zeros_like(self._given)
        self._seconds = 0.0

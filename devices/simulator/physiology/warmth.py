"""Pulp and tissue temperature: first order towards what dose, inflamed gums and a fault demand."""

import math

import numpy as np

from devices.simulator.physiology.figures import WarmthFigures


class Warmth:
    """What the hub's thermometers meet.

    Attributes:
        pulp, tissue: °C.
        worn: whether the hub is in the mouth; out of it, both go to the temperature of the room.
    """

    def __init__(self, figures: WarmthFigures, person: np.random.Generator) -> None:
        self._figures = figures
        self._rest_pulp = figures.pulp.of(person)
        self._rest_tissue = figures.tissue.of(person)
        self._fault_k = 0.0
        self._fault_s = 0.0
        self.worn = True
        self.pulp = self._rest_pulp
        self.tissue = self._rest_tissue

    def run_away(self, kelvin: float, seconds: float) -> None:
        """Heat by `kelvin` more, for `seconds` or until the dose is withdrawn."""
        self._fault_k = kelvin
        self._fault_s = seconds

    def withdrawn(self) -> None:
        self._fault_s = 0.0

    def step(self, seconds: float, heat: float, gums_k: float) -> None:
        """Let time pass with `heat` of the dose, 1 at a full one, and gums that warm by `gums_k`."""
        figures = self._figures
        extra = self._fault_k if self._fault_s > 0 else 0.0
        self._fault_s = max(0.0, self._fault_s - seconds)
        pulp = tissue = figures.room.value
        if self.worn:
            pulp = self._rest_pulp + figures.pulp_dose.value * heat + extra
            tissue = self._rest_tissue + gums_k + figures.tissue_dose.value * heat + extra
        self.pulp += (pulp - self.pulp) * -math.expm1(-seconds / figures.pulp_lag.value)
        self.tissue += (tissue - self.tissue) * -math.expm1(-seconds / figures.tissue_lag.value)

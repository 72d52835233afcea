"""The swarm: it delivers the dose, tires, warms, keeps in step, and may run away. The device is imagined."""

import math
from dataclasses import dataclass

import numpy as np

from devices.simulator.physiology.dose import waste_heat
from devices.simulator.physiology.drift import Drift
from devices.simulator.physiology.figures import SwarmFigures

FULL = 100.0


@dataclass
class Runaway:
    """Firmware gone wrong.

    Attributes:
        percent: delivered beyond what is ordered.
        seconds: still to go.
        deaf: it delivers though nothing is ordered, and neither hold nor STOP reaches it.
        faked: `told` goes on saying what was ordered.
    """

    percent: float
    seconds: float
    deaf: bool
    faked: bool


class Swarm:
    """What the hub hears from its nanobots. Energy, temperature and step follow what is truly delivered.

    Attributes:
        dose: truly delivered now, % of the module's full dose.
        told: what the hub says that it delivers, %.
        energy, live: %.
        temperature: °C.
        sync_error: ms.
    """

    def __init__(
        self, figures: SwarmFigures, person: np.random.Generator, noise: np.random.Generator, tissue_c: float
    ) -> None:
        self._figures = figures
        self._sync_drift = Drift(noise, 0.6, 8)
        self._live_drift = Drift(noise, 0.15, 30)
        self._ordered = 0.0
        self._extra = 0.0
        self._runaway = Runaway(0.0, 0.0, deaf=False, faked=False)
        self._most_energy = figures.energy.value + figures.energy.spread
        self.energy = figures.energy.of(person)
        self.temperature = tissue_c
        self._live = self.live = figures.live.value
        self.sync_error = figures.sync.value

    @property
    def dose(self) -> float:
        return self._ordered + self._extra

    @property
    def told(self) -> float:
        return self._ordered if self._runaway.faked else self.dose

    def told_percent(self, ordered: float) -> int:
        """What the status says now that `ordered` % is allowed: a withdrawal counts before the next step."""
        obeyed = self._ordered if ordered > 0 else 0.0
        wild = (ordered > 0 or self._runaway.deaf) and not self._runaway.faked
        return min(round(FULL), round(obeyed + self._extra if wild else obeyed))

    def run_away(self, percent: float, seconds: float, *, deaf: bool, faked: bool) -> None:
        """Deliver `percent` beyond what is ordered for `seconds`; see `Runaway`."""
        self._runaway = Runaway(percent, seconds, deaf, faked)

    def step(self, seconds: float, ordered: float, tissue_c: float) -> None:
        """Let time pass while `ordered` % is allowed; 0 withdraws at once."""
        figures = self._figures
        ramp = FULL * seconds / figures.ramp.value
        self._ordered = min(ordered, self._ordered + ramp) if ordered > 0 else 0.0
        self._run_away(seconds, ramp, ordered)
        share = self.dose / FULL
        heat = waste_heat(share)
        spent = figures.drain.value * heat - figures.recharge.value * max(0.0, 1.0 - share)
        self.energy = min(self._most_energy, max(figures.energy_least.value, self.energy - seconds * spent))
        self._live = max(figures.live_least.value, self._live - figures.live_loss.value * heat * seconds)
        self.live = min(FULL, self._live + self._live_drift.step(seconds))
        aim = tissue_c + figures.heat_rest.value + figures.heat_dose.value * heat
        self.temperature += (aim - self.temperature) * -math.expm1(-seconds / figures.heat_lag.value)
        tired = max(0.0, 1.0 - self.energy / figures.tired_below.value)
        late = figures.sync_dose.value * share + figures.sync_tired.value * tired * tired
        self.sync_error = max(0.2, figures.sync.value + late + self._sync_drift.step(seconds))

    def _run_away(self, seconds: float, ramp: float, ordered: float) -> None:
        runaway = self._runaway
        wild = runaway.seconds > 0 and (ordered > 0 or runaway.deaf)
        self._extra = min(runaway.percent, self._extra + ramp) if wild else 0.0
        runaway.seconds = max(0.0, runaway.seconds - seconds)

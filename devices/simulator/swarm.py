"""The swarm: it delivers the dose, tires, warms, and keeps in step. Illustrative."""

from typing import Final

import numpy as np

from devices.simulator.mouth import Drift

RAMP_S: Final = 2.0
"""From nothing to full dose; withdrawal is immediate."""


class Swarm:
    """What the hub hears from its nanobots.

    Attributes:
        dose: delivered now, % of the module's full dose.
        energy, live: %.
        temperature: °C.
        sync_error: ms.
    """

    def __init__(self, rng: np.random.Generator, tissue_c: float) -> None:
        self._sync_drift = Drift(rng, 0.6, 8)
        self._live_drift = Drift(rng, 0.15, 30)
        self.dose = 0.0
        self.energy = float(rng.uniform(93, 98))
        self.temperature = tissue_c
        self._live = 99.4
        self.live = 99.4
        self.sync_error = 3.5

    def step(self, seconds: float, ordered: float, tissue_c: float) -> None:
        """Let time pass while `ordered` % is allowed; 0 withdraws at once."""
        step = 100.0 * seconds / RAMP_S
        self.dose = min(ordered, self.dose + step) if ordered > 0 else 0.0
        share = self.dose / 100.0
        self.energy = float(np.clip(self.energy - seconds * (0.03 * share - 0.004 * (1 - share)), 5.0, 98.0))
        self._live = max(80.0, self._live - 0.002 * share * seconds)
        self.live = min(100.0, self._live + self._live_drift.step(seconds))
        self.temperature += (tissue_c + 0.2 + 1.6 * share - self.temperature) * min(1.0, seconds / 10.0)
        self.sync_error = max(0.2, 3.5 + 2.0 * share + self._sync_drift.step(seconds))

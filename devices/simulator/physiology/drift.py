"""Slow random wandering, of one value or of several at once."""

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Drift:
    """Wanders round zero (Ornstein-Uhlenbeck) with deviation `sigma` and a memory of `tau` seconds."""

    def __init__(self, rng: np.random.Generator, sigma: float, tau: float) -> None:
        self._rng = rng
        self._sigma = sigma
        self._tau = tau
        self._seconds = -1.0
        self._decay = self._kick = 0.0
        self.value = 0.0

    def step(self, seconds: float) -> float:
        if seconds != self._seconds:
            self._seconds = seconds
            self._decay = math.exp(-seconds / self._tau)
            self._kick = self._sigma * math.sqrt(1 - self._decay * self._decay)
        self.value = self.value * self._decay + self._kick * self._rng.standard_normal()
        return self.value


class Drifts:
    """Several at once, shape (n,)."""

    def __init__(self, rng: np.random.Generator, sigma: list[float], tau: list[float]) -> None:
        self._rng = rng
        self._sigma = np.array(sigma)
        self._tau = np.array(tau)
        self.values: Floats = np.zeros(len(sigma))

    def step(self, seconds: float) -> None:
        decay = np.exp(-seconds / self._tau)
        kick = self._sigma * np.sqrt(1 - decay * decay)
        self.values = self.values * decay + kick * self._rng.standard_normal(len(self._sigma))

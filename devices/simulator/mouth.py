"""A small mouth: plaque and saliva, warmth, heart and jaw. Illustrative, seeded, reproducible.

Values follow the catalogue's references; the shapes are the textbook's: the Stephan curve after sugar, first-order
warming, respiratory sinus arrhythmia, amplitude-modulated noise for muscle.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.float64]

_MINUTE: Final = 60.0


class Drift:
    """Slow random wandering round zero (Ornstein-Uhlenbeck), deviation `sigma`, memory `tau` seconds."""

    def __init__(self, rng: np.random.Generator, sigma: float, tau: float) -> None:
        self._rng = rng
        self._sigma = sigma
        self._tau = tau
        self.value = 0.0

    def step(self, seconds: float) -> float:
        decay = math.exp(-seconds / self._tau)
        kick = self._sigma * math.sqrt(1 - decay * decay)
        self.value = self.value * decay + kick * float(self._rng.standard_normal())
        return self.value


class Chemistry:
    """Plaque acid, saliva flow and their products.

    Sugar decays within minutes; bacteria make acid out of it; saliva clears the acid, the faster the more of it flows.
    With one serving plaque pH falls by about 1.6 within 7 min and is back after 45 min (Stephan curve).

    Attributes:
        care: 0–1, what treatment has done so far: it slows acid and sulphur.
    """

    _SUGAR_TAU: Final = 4 * _MINUTE
    _ACID_TAU: Final = 14 * _MINUTE
    _TASTE_TAU: Final = 3 * _MINUTE
    _ACID_RATE: Final = 0.4127 / _MINUTE
    """Acid made for each serving of sugar present; its peak is then 1."""
    _PLAQUE_FALL: Final = 1.6

    def __init__(self, rng: np.random.Generator) -> None:
        self._rest_plaque_ph = rng.uniform(6.65, 6.9)
        self._rest_saliva_ph = rng.uniform(6.95, 7.3)
        self._rest_flow = rng.uniform(0.28, 0.38)
        self._rest_sulphur = rng.uniform(75, 100)
        self._sugar = 0.0
        self._taste = 0.0
        self._acid = 0.0
        self._plaque_drift = Drift(rng, 0.02, 40)
        self._saliva_drift = Drift(rng, 0.03, 60)
        self._flow_drift = Drift(rng, 0.015, 120)
        self._lactate_drift = Drift(rng, 0.015, 90)
        self._sulphur_drift = Drift(rng, 6.0, 120)
        self.care = 0.0

    def eat_sugar(self, servings: float) -> None:
        self._sugar += servings
        self._taste = min(1.0, self._taste + servings)

    def step(self, seconds: float, dose: float) -> None:
        """Let time pass with `dose` 0–1 of the swarm at work."""
        self.care = min(1.0, self.care + dose * seconds / (10 * _MINUTE))
        clearance = (self.flow / self._rest_flow) ** 0.25 / self._ACID_TAU
        made = self._sugar * self._ACID_RATE * (1 - 0.3 * self.care)
        self._acid += (made - self._acid * clearance) * seconds
        self._sugar *= math.exp(-seconds / self._SUGAR_TAU)
        self._taste *= math.exp(-seconds / self._TASTE_TAU)
        for drift in (
            self._plaque_drift,
            self._saliva_drift,
            self._flow_drift,
            self._lactate_drift,
            self._sulphur_drift,
        ):
            drift.step(seconds)

    @property
    def flow(self) -> float:
        """Saliva, mL/min."""
        return max(0.02, self._rest_flow + 1.1 * self._taste + self._flow_drift.value)

    @property
    def plaque_ph(self) -> float:
        return self._rest_plaque_ph - self._PLAQUE_FALL * self._acid + self._plaque_drift.value

    @property
    def saliva_ph(self) -> float:
        buffered = 0.25 * self._taste - 0.3 * self._acid
        return self._rest_saliva_ph + buffered + self._saliva_drift.value

    @property
    def lactate(self) -> float:
        """mmol/L in saliva."""
        return max(0.02, 0.17 + 0.55 * self._acid + self._lactate_drift.value)

    @property
    def sulphur(self) -> float:
        """Volatile sulphur, ppb."""
        return max(5.0, self._rest_sulphur * (1 - 0.35 * self.care) + self._sulphur_drift.value)


class Warmth:
    """Pulp and tissue temperature, °C: first order towards what dose, and a runaway, demand."""

    _PULP_TAU: Final = 45.0
    _TISSUE_TAU: Final = 30.0

    def __init__(self, rng: np.random.Generator) -> None:
        self._rest_pulp = rng.uniform(35.9, 36.3)
        self._rest_tissue = rng.uniform(35.5, 35.9)
        self._runaway_k = 0.0
        self._runaway_s = 0.0
        self.pulp = self._rest_pulp
        self.tissue = self._rest_tissue

    def run_away(self, kelvin: float, seconds: float) -> None:
        """Heat by `kelvin` more, for `seconds` or until the dose is withdrawn."""
        self._runaway_k = kelvin
        self._runaway_s = seconds

    def withdrawn(self) -> None:
        self._runaway_s = 0.0

    def step(self, seconds: float, dose: float) -> None:
        extra = self._runaway_k if self._runaway_s > 0 else 0.0
        self._runaway_s = max(0.0, self._runaway_s - seconds)
        pulp_aim = self._rest_pulp + 1.1 * dose + extra
        tissue_aim = self._rest_tissue + 0.7 * dose + extra
        self.pulp += (pulp_aim - self.pulp) * -math.expm1(-seconds / self._PULP_TAU)
        self.tissue += (tissue_aim - self.tissue) * -math.expm1(-seconds / self._TISSUE_TAU)


class Heart:
    """Pulse that breathes, and the pulse wave that follows it."""

    def __init__(self, rng: np.random.Generator, rest: float) -> None:
        self._rng = rng
        self._rest = rest
        self._breaths_hz = rng.uniform(0.21, 0.27)
        self._drift = Drift(rng, 1.5, 30)
        self._spo2_drift = Drift(rng, 0.25, 40)
        self._excited = 0.0
        self._breath = 0.0
        self._phase = 0.0
        self.rate = self._rest
        self.spo2 = 97.6

    def excite(self, beats: float) -> None:
        """Raise the pulse by so many beats a minute; it settles within some minutes."""
        self._excited += beats

    def step(self, seconds: float) -> None:
        self._breath = (self._breath + seconds * self._breaths_hz) % 1.0
        self._excited *= math.exp(-seconds / 90.0)
        arrhythmia = 2.5 * math.sin(2 * math.pi * self._breath)
        self.rate = self._rest + self._excited + arrhythmia + self._drift.step(seconds)
        self.spo2 = min(100.0, 97.6 + self._spo2_drift.step(seconds))
        self._phase += seconds * self.rate / 60.0

    def pulse_wave(self, before_now: Times) -> Floats:
        """The AC part, % of DC, at times given as seconds before the end of the last step."""
        phase = (self._phase - before_now * (self.rate / 60.0)) % 1.0
        wave = np.interp(phase, _PHASES, _PULSE, period=1.0)
        baseline = 0.15 * math.sin(2 * math.pi * self._breath)
        return np.asarray(wave * 1.3 + baseline + 0.02 * self._rng.standard_normal(len(before_now)))


def _pulse_template() -> tuple[Floats, Floats]:
    """One beat: systolic peak, dicrotic wave; mean 0."""
    phase = np.arange(256) / 256
    systole = np.exp(-0.5 * ((phase - 0.18) / 0.075) ** 2)
    dicrotic = 0.4 * np.exp(-0.5 * ((phase - 0.45) / 0.11) ** 2)
    wave = systole + dicrotic
    wave = (wave - wave.mean()) * 2.2
    return phase, wave


_PHASES, _PULSE = _pulse_template()


class Jaw:
    """Clenches: bursts of muscle noise, and bite force that follows them."""

    _RISE_S: Final = 0.08
    _FALL_S: Final = 0.15
    _LAG_S: Final = 0.06
    """Force comes after the electrical activity."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._bursts: list[tuple[float, float, float]] = []
        self._next_s = float(rng.exponential(12.0))

    def clench(self, at_s: float, seconds: float, strength: float) -> None:
        self._bursts.append((at_s, at_s + seconds, strength))

    def step(self, until_s: float) -> None:
        """Decide what the jaw does by itself until then, and forget what is over."""
        while self._next_s < until_s:
            self.clench(self._next_s, float(self._rng.uniform(0.4, 1.6)), float(self._rng.uniform(0.15, 0.5)))
            self._next_s += 2.0 + float(self._rng.exponential(18.0))
        self._bursts = [burst for burst in self._bursts if burst[1] > until_s - 1.0]

    def emg(self, times_s: Times) -> Floats:
        """Surface EMG, µV."""
        amplitude = 2.5 + 75.0 * self._activity(times_s)
        return np.asarray(self._rng.standard_normal(len(times_s)) * amplitude)

    def force(self, times_s: Times) -> Floats:
        """Bite force, N."""
        noise = 0.4 * self._rng.standard_normal(len(times_s))
        return np.asarray(np.maximum(0.0, 260.0 * self._activity(times_s - self._LAG_S) + noise))

    def _activity(self, times_s: Times) -> Floats:
        total = np.zeros(len(times_s))
        for start, end, strength in self._bursts:
            rise = np.clip((times_s - start) / self._RISE_S, 0.0, 1.0)
            fall = np.clip((end - times_s) / self._FALL_S, 0.0, 1.0)
            total += strength * rise * fall
        return total

"""Pulse that breathes and answers to arousal, the pulse wave that follows it, and oxygen."""

import math
from typing import Final

import numpy as np

from devices.simulator.physiology.drift import Drift, Floats
from devices.simulator.physiology.figures import HeartFigures


class Heart:
    """The heart of one person.

    Attributes:
        rate: beats a minute.
        centre: what the rate swings and wanders about; a belt on the same chest would show it.
        lungs: how full they are, -1 to 1.
        spo2: %.
    """

    def __init__(
        self,
        figures: HeartFigures,
        rest: float,
        reactivity: float,
        person: np.random.Generator,
        noise: np.random.Generator,
    ) -> None:
        self._figures = figures
        self._noise = noise
        self._rest = rest
        self._reactivity = reactivity
        self._breaths_hz = figures.breath.of(person)
        self._arrhythmia = figures.arrhythmia.of(person)
        self._drift = Drift(noise, figures.wander.value, 30)
        self._spo2_drift = Drift(noise, figures.spo2_wander.value, 40)
        self._excited = 0.0
        self._breath = 0.0
        self.lungs = 0.0
        self._phase = 0.0
        self._tight = 1.0
        self.rate = self.centre = rest
        self.spo2 = figures.spo2.value

    def excite(self, beats: float) -> None:
        """Raise the pulse by so many beats a minute; it settles within some minutes."""
        self._excited += beats

    def step(self, seconds: float, arousal: float, guided: bool) -> None:
        """Let time pass in this state of mind; `guided`: breathing with the guide, in for 4 s and out for 6 s."""
        figures = self._figures
        vagal = 1.0 / (1.0 + figures.vagal_loss.value * arousal)
        swing = self._arrhythmia * vagal
        inhaling = 0.5
        pace = self._breaths_hz
        if guided:
            cycle = figures.guided_in.value + figures.guided_out.value
            inhaling, pace = figures.guided_in.value / cycle, 1.0 / cycle
            swing *= figures.guided_gain.value
        self._breath = (self._breath + seconds * pace) % 1.0
        self.lungs = _filled(self._breath, inhaling)
        self._excited *= math.exp(-seconds / figures.startle_lasts.value)
        self._tight = 1.0 / (1.0 + figures.constriction.value * arousal)
        self.centre = self._rest + self._reactivity * arousal + self._excited
        self.rate = self.centre + swing * self.lungs + self._drift.step(seconds)
        self.spo2 = min(100.0, figures.spo2.value + self._spo2_drift.step(seconds))
        self._phase += seconds * self.rate / 60.0

    def pulse_wave(self, before_now: Floats) -> Floats:
        """The AC part, % of DC, at times given as seconds before the end of the last step."""
        phase = (self._phase - before_now * (self.rate / 60.0)) % 1.0
        wave = np.interp(phase, _PHASES, _PULSE)
        noise = 0.02 * self._noise.standard_normal(len(before_now))
        return np.asarray(wave * (self._figures.swing.value * self._tight) + 0.15 * self.lungs + noise)


def _filled(breath: float, inhaling: float) -> float:
    """How full the lungs are, -1 to 1, at a share of the breath of which `inhaling` is breathed in."""
    if breath < inhaling:
        return -math.cos(math.pi * breath / inhaling)
    return math.cos(math.pi * (breath - inhaling) / (1.0 - inhaling))


def _pulse_template() -> tuple[Floats, Floats]:
    """One beat: systolic peak, dicrotic wave; mean 0. The last point is the first again."""
    phase = np.arange(257) / 256
    systole = np.exp(-0.5 * ((phase - 0.18) / 0.075) ** 2)
    dicrotic = 0.4 * np.exp(-0.5 * ((phase - 0.45) / 0.11) ** 2)
    wave = systole + dicrotic
    wave = (wave - wave[:-1].mean()) * 2.2
    wave[-1] = wave[0]
    return phase, wave


_TEMPLATE: Final = _pulse_template()
_PHASES, _PULSE = _TEMPLATE

"""Alarm bursts as samples, ready for any player."""

import numpy as np
import numpy.typing as npt

from core.safety.alarm_catalogue import SoundPattern

RATE = 48_000
PEAK = 0.8
"""Largest sample, as share of full scale."""


def burst(sound: SoundPattern, rate: int = RATE) -> npt.NDArray[np.int16]:
    """One burst, mono int16, shape (n,): equal pulses with the pattern's gaps between them."""
    one = _pulse(sound, rate)
    parts = [one]
    for gap in sound.gaps_ms:
        parts += [np.zeros(rate * gap // 1000), one]
    whole = np.concatenate(parts)
    scaled: npt.NDArray[np.int16] = np.round(whole / np.max(np.abs(whole)) * PEAK * 32767).astype(np.int16)
    return scaled


def cycle(sound: SoundPattern, rate: int = RATE) -> npt.NDArray[np.int16]:
    """A burst with the silence after it, to be played over and over while the alarm sounds."""
    silence = np.zeros(round((sound.repeat_s or 0.0) * rate), dtype=np.int16)
    return np.concatenate([burst(sound, rate), silence])


def _pulse(sound: SoundPattern, rate: int) -> npt.NDArray[np.float64]:
    at = np.arange(rate * sound.pulse_ms // 1000) / rate
    tone = np.sin(2 * np.pi * sound.fundamental_hz * at)
    for number, level_db in enumerate(sound.harmonics_db, 2):
        tone += 10 ** (level_db / 20) * np.sin(2 * np.pi * number * sound.fundamental_hz * at)
    rise = rate * sound.rise_ms // 1000
    slope = np.sin(np.linspace(0, np.pi / 2, rise)) ** 2
    tone[:rise] *= slope
    tone[-rise:] *= slope[::-1]
    return tone

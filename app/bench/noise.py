"""The corpus of `bench record`: eight noisy signals, made once from a seed and known by their hash.

What sensors send is noise on something slow: four signals of EMG in bursts, two pulse waves, a force and a drifting
temperature. None compresses to nothing, as clean sines would.
"""

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt

CHANNELS: Final = 8
SEED: Final = 20_260_101
_PULSE_HZ: Final = 1.1

Matrix = npt.NDArray[np.int16]
Wave = npt.NDArray[np.float64]


def noisy(samples: int, rate_hz: int, *, seed: int = SEED) -> Matrix:
    """Shape (8, samples), raw; the same for the same arguments."""
    rng = np.random.default_rng(seed)
    t = np.arange(samples) / rate_hz
    rows = [_emg(rng, t, number) for number in range(4)]
    rows += [_pulse(rng, t, number) for number in range(2)]
    rows += [_force(rng, t), _drift(rng, t)]
    return np.stack([np.clip(np.rint(row), -32_768, 32_767).astype(np.int16) for row in rows])


def digest(matrix: Matrix) -> str:
    """SHA-256 of the samples as little-endian int16, channel after channel, hex."""
    return hashlib.sha256(np.ascontiguousarray(matrix, "<i2").tobytes()).hexdigest()


def _emg(rng: np.random.Generator, t: Wave, number: int) -> Wave:
    clenched = np.sin(2 * np.pi * t / (7 + number)) > 0.5
    noise: Wave = rng.normal(0, 1, len(t))
    return noise * np.where(clenched, 400, 40)


def _pulse(rng: np.random.Generator, t: Wave, number: int) -> Wave:
    phase = 2 * np.pi * (_PULSE_HZ + 0.05 * number) * t
    wave: Wave = 900 * np.sin(phase) + 300 * np.sin(2 * phase + 0.6) + 400 * np.sin(2 * np.pi * t / 4.3)
    return wave + rng.normal(0, 12, len(t))


def _force(rng: np.random.Generator, t: Wave) -> Wave:
    bitten: Wave = np.maximum(0, 2500 * np.sin(2 * np.pi * t / 11))
    return bitten + rng.normal(0, 6, len(t))


def _drift(rng: np.random.Generator, t: Wave) -> Wave:
    return 3650 + 40 * np.sin(2 * np.pi * t / 900) + rng.normal(0, 2, len(t))

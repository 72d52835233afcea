"""Which samples come next: bursts of the wanted alarm priority, repeated, with silence between them."""

import threading
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.model.alarm import AlarmPriority

Pcm = npt.NDArray[np.int16]


class Signal(NamedTuple):
    """How a priority sounds.

    Attributes:
        burst: mono int16, shape (n,), n ≥ 1.
        pause: samples of silence until the next burst; None: it sounds once.
    """

    burst: Pcm
    pause: int | None


class Mixer:
    """`play` in one thread, `take` in the sound device's."""

    def __init__(self, signals: Mapping[AlarmPriority, Signal]) -> None:
        self._signals = dict(signals)
        self._lock = threading.Lock()
        self._wanted: AlarmPriority | None = None
        self._burst: Pcm = np.zeros(0, np.int16)
        self._at = 0
        self._pause: int | None = None
        """Silence still to come before the next burst; None: no further burst."""

    @property
    def wanted(self) -> AlarmPriority | None:
        return self._wanted

    def play(self, priority: AlarmPriority | None) -> None:
        """A higher priority sounds at once; a lower one lets the burst that sounds finish; None silences at once."""
        with self._lock:
            was, self._wanted = self._wanted, priority
            if priority == was:
                return
            if priority is None:
                self._at, self._pause = len(self._burst), None
            elif was is None or priority > was:
                self._begin(priority)
            elif self._at == len(self._burst):
                self._pause = self._signals[priority].pause

    def take(self, frames: int) -> Pcm:
        """The next `frames` samples, shape (frames,)."""
        out = np.zeros(frames, np.int16)
        with self._lock:
            done = 0
            while done < frames and self._wanted is not None:
                done += self._copy(out[done:]) if self._at < len(self._burst) else self._wait(frames - done)
        return out

    def _copy(self, out: Pcm) -> int:
        count = min(len(out), len(self._burst) - self._at)
        out[:count] = self._burst[self._at : self._at + count]
        self._at += count
        if self._at == len(self._burst) and self._wanted is not None:
            self._pause = self._signals[self._wanted].pause
        return count

    def _wait(self, frames: int) -> int:
        if self._pause is None:
            return frames
        count = min(frames, self._pause)
        self._pause -= count
        if self._pause == 0 and self._wanted is not None:
            self._begin(self._wanted)
        return count

    def _begin(self, priority: AlarmPriority) -> None:
        self._burst, self._at, self._pause = self._signals[priority].burst, 0, None

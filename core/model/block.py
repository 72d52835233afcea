"""Samples on their way from a hub to the screen and the record."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]


class Provenance(IntEnum):
    """How a range of samples reached us; stored with it."""

    LIVE = 0
    BACKFILLED = 1
    SUSPECT = 2
    """Delivered, but the sensor or the hub says that the value cannot be trusted."""
    LOST = 3
    """The source confirms that it no longer has these samples."""
    IMPORTED = 4
    """Recorded elsewhere and read from a file: never live, never judged, on channels of its own."""


@dataclass(frozen=True, slots=True)
class SampleBlock:
    """A run of consecutive samples of one channel.

    Attributes:
        channel: number of the channel in the catalogue (0–255).
        boot: the hub's boot counter; sample indexes and hub time restart with it.
        first_index: index of the first sample, counted by the source from 0 at boot.
        start_us: hub time of the first sample, µs since boot.
        period_us: µs from one sample to the next.
        samples: raw values, shape (n,), n ≥ 1; physical = raw * spec.scale + spec.offset.
        provenance: how the samples got here.
        sequence: sequence number of the frame that brought them; what is acknowledged after the commit.
    """

    channel: int
    boot: int
    first_index: int
    start_us: int
    period_us: int
    samples: Samples
    provenance: Provenance = Provenance.LIVE
    sequence: int = 0

    @property
    def end_index(self) -> int:
        """Index one past the last sample."""
        return self.first_index + len(self.samples)

    @property
    def end_us(self) -> int:
        """Hub time one period past the last sample."""
        return self.start_us + len(self.samples) * self.period_us

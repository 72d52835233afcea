"""Real encrypted files in a temporary folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core.model.block import Provenance, SampleBlock
from core.model.clock import ManualClock
from core.record import Record, StampedBlock

KEY = bytes(range(32))
UTC0 = 1_800_000_000_000_000
EMG, PH = 8, 2
"""1 kHz and 10 Hz in the catalogue."""

MakeBlock = Callable[..., StampedBlock]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(utc_us=UTC0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chair-1.smile"


@pytest.fixture
def record(path: Path, clock: ManualClock) -> Iterator[Record]:
    made = Record.create(path, KEY, chair=1, simulated=True, clock=clock)
    yield made
    made.close()


@pytest.fixture
def key() -> bytes:
    return KEY


@pytest.fixture
def stamped() -> MakeBlock:
    """Samples whose value follows from their index alone, so that any of them can be checked."""

    def make(
        first: int,
        count: int,
        *,
        channel: int = EMG,
        boot: int = 0,
        period_us: int = 1000,
        provenance: Provenance = Provenance.LIVE,
        late_us: int = 0,
    ) -> StampedBlock:
        index = np.arange(first, first + count)
        samples = ((index * 7919) % 4001 - 2000).astype(np.int16)
        block = SampleBlock(channel, boot, first, first * period_us + late_us, period_us, samples, provenance)
        return StampedBlock(block, UTC0 + block.start_us)

    return make

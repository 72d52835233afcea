"""A long block under a bent clock: its samples stay where the map says, and never reach behind the next block's."""

import numpy as np
import pytest

from core.model.block import SampleBlock
from core.model.clock import ManualClock
from core.signals.clockmap import ClockFit, ClockMap
from core.signals.dating import MOST_AT_ONCE, dated

PERIOD_US = 1000


def bent(drift: float) -> ClockMap:
    fit = ClockFit(hub0_us=0, utc0_us=1_800_000_000_000_000, drift=drift, observations=1, spread_us=0)
    return ClockMap(ManualClock(), [fit])


def block(first: int, count: int) -> SampleBlock:
    return SampleBlock(5, 1, first, first * PERIOD_US, PERIOD_US, np.arange(count, dtype=np.int16))


@pytest.mark.parametrize("drift", [-0.01, -0.003, 0.0, 50e-6, 0.01])
def test_samples_rise_over_blocks_of_any_length_and_keep_their_place(drift: float) -> None:
    clock = bent(drift)
    parts = [part for one in (block(0, 1600), block(1600, 30), block(1630, 4000)) for part in dated(one, clock)]
    assert np.array_equal(
        np.concatenate([part.first_index + np.arange(len(part.samples)) for part, _ in parts]), np.arange(5630)
    )
    times = np.concatenate([utc_us + PERIOD_US * np.arange(len(part.samples)) for part, utc_us in parts])
    assert np.all(np.diff(times) > 0)
    right = np.array([clock.utc_us(index * PERIOD_US) for index in range(5630)])
    assert np.abs(times - right).max() <= PERIOD_US / 2 + 1


def test_a_block_that_lies_evenly_stays_whole() -> None:
    assert len(list(dated(block(0, 1600), bent(50e-6)))) == 1
    assert len(list(dated(block(0, MOST_AT_ONCE), bent(0.01)))) == 1

"""The samples of a block stay where the map says, and never reach behind the next block's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.block import SampleBlock
from core.model.clock import ManualClock
from core.signals.clockmap import ClockFit, ClockMap
from core.signals.dating import dated

UTC_US = 1_800_000_000_000_000
PERIOD_US = 1000


def straight(drift: float) -> ClockMap:
    fit = ClockFit(hub0_us=0, utc0_us=UTC_US, drift=drift, observations=1, spread_us=0)
    return ClockMap(ManualClock(), [fit])


def bent(at_us: list[int], drifts: list[float]) -> ClockMap:
    """Straight from each of `at_us` to the next."""
    fits = [ClockFit(hub0_us=0, utc0_us=UTC_US, drift=0.0, observations=1, spread_us=0)]
    for begin_us, drift in zip(at_us, drifts, strict=True):
        utc_us = ClockMap(ManualClock(), fits).utc_us(begin_us)
        fits.append(ClockFit(hub0_us=begin_us, utc0_us=utc_us, drift=drift, observations=1, spread_us=0))
    return ClockMap(ManualClock(), fits)


def block(first: int, count: int, period_us: int = PERIOD_US) -> SampleBlock:
    return SampleBlock(5, 1, first, first * period_us, period_us, np.arange(count, dtype=np.int16))


@pytest.mark.parametrize("drift", [-0.01, 0.0, 50e-6, 0.01])
def test_where_the_map_is_straight_a_block_stays_whole_however_long(drift: float) -> None:
    clock = straight(drift)
    one = block(70, 4000)
    assert dated(one, clock) == [(one, clock.utc_us(one.start_us), clock.utc_us(one.end_us))]


def test_a_bend_outside_of_a_block_does_not_cut_it() -> None:
    one = block(1000, 500)
    for at_us in (one.start_us - 1, one.start_us, one.end_us, one.end_us + 1):
        assert len(dated(one, bent([at_us], [0.01]))) == 1


@given(
    bends=st.lists(st.integers(1, 400_000), min_size=1, max_size=4, unique=True),
    drifts=st.lists(st.floats(-0.01, 0.01), min_size=4, max_size=4),
    counts=st.lists(st.integers(1, 200), min_size=1, max_size=5),
)
def test_samples_rise_over_blocks_and_keep_their_place(
    bends: list[int], drifts: list[float], counts: list[int]
) -> None:
    clock = bent(sorted(bends), drifts[: len(bends)])
    firsts = np.cumsum([0, *counts])
    parts = [
        part
        for first, count in zip(firsts.tolist(), counts, strict=False)
        for part in dated(block(first, count), clock)
    ]
    indexes = np.concatenate([one.first_index + np.arange(len(one.samples)) for one, _, _ in parts])
    assert np.array_equal(indexes, np.arange(firsts[-1]))
    times = np.concatenate(
        [utc_us + np.arange(len(one.samples)) * (end_us - utc_us) / len(one.samples) for one, utc_us, end_us in parts]
    )
    assert np.all(np.diff(times) > 0)
    right = np.array([clock.utc_us(index * PERIOD_US) for index in range(firsts[-1])])
    assert np.abs(times - right).max() <= PERIOD_US / 50


def test_a_channel_slower_than_the_bends_is_dated_too() -> None:
    one = block(1, 1, period_us=10_000_000)
    clock = bent([12_000_000, 15_000_000], [0.01, -0.01])
    (whole,) = dated(one, clock)
    assert whole == (one, clock.utc_us(one.start_us), clock.utc_us(one.end_us))

"""What a review reads and draws, without a window."""

import numpy as np
import pytest

from core.model.channel import ChannelSpec
from core.model.limits import Limit, LimitOwner
from widgets.review_data import ReviewRow, ReviewTrace, fitted_range, row_edges

SPEC = ChannelSpec(
    number=1, key="k", unit="Cel", display_unit="°C", rate_hz=10, scale=0.01, low=30.0, high=40.0, decimals=1
)


def columns(*, gaps: tuple[tuple[float, float], ...] = (), exact: bool = False) -> ReviewTrace:
    at = np.arange(0.0, 10.0)
    return ReviewTrace(channel="k", at=at, low=at, high=at if exact else at + 1, gaps=gaps, exact=exact)


def test_the_value_at_a_time_is_the_nearest_sample() -> None:
    trace = columns(exact=True)
    assert trace.value_at(3.4) == 3.0
    assert trace.value_at(3.6) == 4.0


def test_the_value_of_a_column_is_its_middle() -> None:
    assert columns().value_at(4.0) == 4.5


def test_there_is_no_value_in_a_gap_beyond_the_ends_or_without_samples() -> None:
    assert columns(gaps=((2.0, 5.0),)).value_at(3.0) is None
    assert columns().value_at(30.0) is None
    none = np.empty(0)
    assert ReviewTrace(channel="k", at=none, low=none, high=none).value_at(1.0) is None


def test_columns_are_drawn_from_low_to_high_and_steps_have_corners() -> None:
    x, y = columns().polyline("line")
    assert list(zip(x[:4], y[:4], strict=True)) == [(0, 0), (0, 1), (1, 1), (1, 2)]
    x, y = columns(exact=True).polyline("step")
    assert list(zip(x[:4], y[:4], strict=True)) == [(0, 0), (1, 0), (1, 1), (2, 1)]


def test_the_range_shows_all_values_and_the_limits_near_them() -> None:
    at = np.array([0.0, 1.0])
    flat = ReviewTrace(channel="k", at=at, low=np.array([36.4, 36.5]), high=np.array([36.6, 36.7]))
    limits = [
        Limit(channel="k", owner=LimitOwner.PATIENT, high=38.0),
        Limit(channel="k", owner=LimitOwner.DEVICE, high=90.0),
    ]
    low, high = fitted_range(SPEC, flat, limits)
    assert low < 36.4
    assert 38.0 < high < 40.0
    low, high = fitted_range(SPEC, flat, [])
    assert high - low == pytest.approx(2.0, rel=0.2)
    assert fitted_range(SPEC, None, []) == (30.0, 40.0)


def test_the_rows_fill_the_height_exactly() -> None:
    rows = [ReviewRow(spec=SPEC, name="k", low=0, high=1) for _ in range(4)]
    edges = row_edges(rows, 310)
    assert edges[0] == 0
    assert edges[-1] == 310
    assert edges == sorted(edges)

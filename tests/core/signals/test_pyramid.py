"""The pyramid against numpy, and columns against brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.signals.pyramid import STRIDE, Binner, Pyramid, PyramidError

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]


@given(samples=hnp.arrays(np.int16, st.integers(1, 3 * STRIDE + 5), elements=st.integers(-32768, 32767)))
def test_entries_are_those_of_numpy_and_survive_storage(samples: Samples) -> None:
    pyramid = Pyramid.from_bytes(Pyramid.of(samples).to_bytes(), len(samples))
    parts = [samples[start : start + STRIDE] for start in range(0, len(samples), STRIDE)]
    assert pyramid.low.tolist() == [part.min() for part in parts]
    assert pyramid.high.tolist() == [part.max() for part in parts]
    np.testing.assert_allclose(pyramid.mean, [part.mean() for part in parts], rtol=1e-5, atol=1e-3)


def test_a_pyramid_of_another_size_is_refused() -> None:
    data = Pyramid.of(np.zeros(1000, np.int16)).to_bytes()
    assert len(Pyramid.from_bytes(data, 1000).low) == 4
    with pytest.raises(PyramidError):
        Pyramid.from_bytes(data, 1025)


@given(
    samples=hnp.arrays(np.int16, st.integers(1, 300), elements=st.integers(-3000, 3000)),
    from_us=st.integers(-50, 500),
    width=st.integers(1, 500),
    columns=st.integers(1, 60),
)
def test_samples_fall_into_their_columns(samples: Samples, from_us: int, width: int, columns: int) -> None:
    at_us = np.arange(len(samples), dtype=np.int64) * 2
    binner = Binner(from_us, from_us + width, columns)
    binner.add_samples(at_us, samples)
    middle, low, high, mean = binner.result()
    for i in range(columns):
        mine = [int(v) for t, v in zip(at_us, samples, strict=True) if (t - from_us) * columns // width == i]
        if not mine:
            assert np.isnan(low[i])
            assert np.isnan(high[i])
            assert np.isnan(mean[i])
        else:
            assert (low[i], high[i]) == (min(mine), max(mine))
            assert mean[i] == pytest.approx(np.mean(mine))
    assert middle.tolist() == [from_us + (2 * i + 1) * width // (2 * columns) for i in range(columns)]


def test_an_entry_on_a_border_counts_to_both_columns() -> None:
    binner = Binner(0, 1000, 10)
    one = [np.array([v]) for v in (-5.0, 7.0, 1.0, 20.0)]
    binner.add_entries(np.array([180]), np.array([215]), *one)
    _, low, high, mean = binner.result()
    assert np.flatnonzero(~np.isnan(low)).tolist() == [1, 2]
    assert (low[1], low[2], high[1], high[2]) == (-5, -5, 7, 7)
    assert mean[1] == mean[2] == 1.0

"""Cells: what they say is what numpy says of the samples, in whatever order these became known."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.signals.pyramid import Pyramid
from core.signals.summary import LEVELS, PAGE_BITS, Cells, SummaryError, base_level

PERIOD = 4_000
BEGIN = 1_800_000_000_000_000


def cells_of(first: int, count: int, level: int = 18) -> Cells:
    index = np.arange(first, first + count)
    at_us = BEGIN + index * PERIOD
    return Cells.of((index * 7919 % 4001 - 2000).astype(np.int16), at_us, int(at_us[-1]) + PERIOD, PERIOD, level)


def stored(cells: Cells) -> Cells:
    return Cells.from_bytes(cells.level, [(page, part.to_bytes()) for page, part in cells.pages()])


def same(one: Cells, other: Cells) -> bool:
    return one.level == other.level and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("index", "low", "high", "total", "count", "first_us", "end_us")
    )


@given(
    st.lists(st.tuples(st.integers(0, 40_000), st.integers(1, 3_000)), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
    st.sampled_from(LEVELS),
)
def test_parts_add_up_in_any_order(runs: list[tuple[int, int]], random: Random, level: int) -> None:
    parts = [cells_of(first, count) for first, count in runs]
    shuffled = list(parts)
    random.shuffle(shuffled)
    one, other = Cells.none(18), Cells.none(18)
    for part in parts:
        one = one.merged(part)
    for part in shuffled:
        other = other.merged(stored(part))
    assert same(stored(one.coarser(level)), other.coarser(level))
    assert one.count.sum() == sum(count for _, count in runs)
    assert np.all(np.diff(one.index) > 0)


@given(st.integers(0, 100_000), st.integers(1, 50_000), st.sampled_from(LEVELS[:4]))
def test_a_cell_says_what_numpy_says(first: int, count: int, level: int) -> None:
    index = np.arange(first, first + count)
    raw, at_us = index * 7919 % 4001 - 2000, BEGIN + index * PERIOD
    found = stored(cells_of(first, count).coarser(level))
    for number, cell in enumerate(found.index.tolist()):
        mine = (at_us >> level) == cell
        said = (found.low[number], found.high[number], found.total[number], found.count[number])
        assert said == (raw[mine].min(), raw[mine].max(), raw[mine].sum(), mine.sum())
        assert 0 <= at_us[mine][0] - found.first_us[number] < PERIOD
        assert abs(at_us[mine][-1] + PERIOD - found.end_us[number]) < PERIOD


def test_a_page_holds_its_cells_alone_and_damage_is_said() -> None:
    cells = cells_of(0, 200_000)
    pages = cells.pages()
    assert [page for page, _ in pages] == sorted({int(one) >> PAGE_BITS for one in cells.index})
    with pytest.raises(SummaryError):
        Cells.from_bytes(18, [(0, pages[0][1].to_bytes()[:-3])])
    with pytest.raises(SummaryError):
        Cells.from_bytes(18, [(0, b"nothing")])
    assert len(Cells.from_bytes(18, [])) == 0


def test_the_finest_level_is_a_few_thousand_samples_or_two_minutes() -> None:
    assert [base_level(1_000_000 // hz) for hz in (1000, 250, 100, 10, 1)] == [21, 24, 24, 27, 27]
    assert base_level(1) == LEVELS[0]


@given(st.integers(512, 20_000), st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 8, 64]), st.booleans())
def test_a_packed_pyramid_is_the_same_and_a_coarser_one_has_the_extremes(
    count: int, seed: int, factor: int, loud: bool
) -> None:
    scale = 32_767 if loud else 100
    samples = np.random.default_rng(seed).integers(-scale, scale, count).astype(np.int16)
    pyramid = Pyramid.of(samples)
    again = Pyramid.from_bytes(pyramid.packed(count), count)
    assert len(pyramid.packed(count)) <= len(pyramid.to_bytes())
    np.testing.assert_array_equal(again.low, pyramid.low)
    np.testing.assert_array_equal(again.high, pyramid.high)
    np.testing.assert_allclose(again.mean, pyramid.mean, rtol=1e-6, atol=1e-3)
    wide = again.coarser(factor, count)
    starts = np.arange(0, count, 256 * factor)
    np.testing.assert_array_equal(wide.low, np.minimum.reduceat(samples, starts))
    np.testing.assert_array_equal(wide.high, np.maximum.reduceat(samples, starts))
    means = np.add.reduceat(samples.astype(np.int64), starts) / np.diff(np.append(starts, count))
    np.testing.assert_allclose(wide.mean, means, rtol=1e-4, atol=0.01)

"""Joining blocks changes how many there are, and nothing else."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.block import Provenance, SampleBlock
from core.record import StampedBlock
from core.record.joining import MOVED_US, joined

DAY_US = 1_800_000_000_000_000


def stamped(channel: int, first: int, count: int, *, utc_us: int | None = None, period_us: int = 1000) -> StampedBlock:
    start_us = first * period_us
    samples = np.arange(first, first + count).astype(np.int16)
    block = SampleBlock(channel, 1, first, start_us, period_us, samples, Provenance.LIVE, first)
    return StampedBlock(block, DAY_US + start_us if utc_us is None else utc_us)


def told(blocks: Sequence[StampedBlock]) -> list[tuple[int, int, int, int, Provenance]]:
    """Channel, index, hub time, value and provenance of each sample, those of a channel in their order."""
    rows = [
        (one.channel, one.first_index + n, one.start_us + n * one.period_us, int(value), one.provenance)
        for one in (item.block for item in blocks)
        for n, value in enumerate(one.samples)
    ]
    return sorted(rows, key=lambda row: row[0])


def test_what_follows_is_one_block_whatever_comes_between() -> None:
    one, other = stamped(8, 0, 50), stamped(7, 0, 10)
    found = joined([one, other, stamped(8, 50, 50), stamped(7, 10, 10), stamped(8, 100, 1)])
    assert [(item.block.channel, item.block.first_index, len(item.block.samples)) for item in found] == [
        (8, 0, 101),
        (7, 0, 20),
    ]
    assert found[0].utc_us == one.utc_us
    assert found[0].block.sequence == 100


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(stamped(8, 51, 50), id="a sample is missing between"),
        pytest.param(stamped(8, 40, 50), id="it was there already"),
        pytest.param(stamped(8, 50, 50, utc_us=DAY_US + 50_000 + MOVED_US + 1), id="its time would move"),
        pytest.param(stamped(8, 50, 50, period_us=2000), id="another period"),
        pytest.param(
            StampedBlock(replace(stamped(8, 50, 50).block, provenance=Provenance.SUSPECT), DAY_US + 50_000),
            id="another provenance",
        ),
        pytest.param(StampedBlock(replace(stamped(8, 50, 50).block, boot=2), DAY_US + 50_000), id="another boot"),
    ],
)
def test_what_does_not_follow_stays_apart(other: StampedBlock) -> None:
    both = [stamped(8, 0, 50), other]
    found = joined(both)
    assert [(item.block.boot, item.utc_us) for item in found] == [(item.block.boot, item.utc_us) for item in both]
    assert told(found) == told(both)


def test_time_does_not_creep_away_over_many_blocks() -> None:
    drifting = [stamped(8, first, 50, utc_us=DAY_US + first * 1010) for first in range(0, 2000, 50)]
    for item in joined(drifting):
        for original in drifting:
            moved = original.utc_us - item.utc_us - (original.block.start_us - item.block.start_us)
            inside = item.block.first_index <= original.block.first_index < item.block.end_index
            assert not inside or abs(moved) <= MOVED_US


@given(st.lists(st.tuples(st.sampled_from((7, 8)), st.integers(0, 6), st.integers(1, 4)), max_size=12))
def test_no_sample_is_lost_doubled_or_changed(pieces: list[tuple[int, int, int]]) -> None:
    blocks = [stamped(channel, first, count) for channel, first, count in pieces]
    assert told(joined(blocks)) == told(blocks)

"""What a foreign driver delivers is looked at before it is believed."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.block import Provenance, SampleBlock
from core.model.channel import ChannelSpec
from core.model.clock import ManualClock
from devices.plugins.guard import LARGEST_CALL, Guard

SPEC = ChannelSpec(
    number=160, key="ph", unit="[pH]", display_unit="", rate_hz=10, scale=0.001, low=4, high=8, decimals=2
)


class Taken:
    """A guard, and all that came through it."""

    def __init__(self) -> None:
        self.clock = ManualClock(monotonic=1000.0)
        self.blocks: list[SampleBlock] = []
        self.faults: list[str] = []
        self.guard = Guard([SPEC], 7, clock=self.clock, blocks=self.blocks.extend, fault=self.faults.append)


def test_samples_end_now_and_are_numbered() -> None:
    taken = Taken()
    taken.guard("ph", [7.0, 7.1])
    taken.guard("ph", (np.float64(7.2),), suspect=True)
    first, second = taken.blocks
    assert (first.channel, first.boot, first.first_index, first.end_us) == (160, 7, 0, 1_000_000_000)
    assert first.samples.tolist() == [7000, 7100]
    assert (second.first_index, second.provenance) == (2, Provenance.SUSPECT)
    assert taken.faults == []


def test_what_is_no_number_is_a_gap_in_its_place() -> None:
    taken = Taken()
    taken.guard("ph", [7.0, math.nan, math.inf, 7.3, -math.inf])
    assert [(block.first_index, block.samples.tolist()) for block in taken.blocks] == [(0, [7000]), (3, [7300])]
    assert taken.blocks[1].start_us - taken.blocks[0].start_us == 300_000
    taken.guard("ph", [7.5])
    assert taken.blocks[-1].first_index == 5
    assert taken.faults == []


@pytest.mark.parametrize(
    ("channel", "values", "says"),
    [
        ("spo2", [97.0], "no channel"),
        (None, [97.0], "no channel"),
        ("ph", ["acid"], "no list of numbers|could not convert"),
        ("ph", 7.0, "no list of numbers"),
        ("ph", [None], "no list of numbers"),
        ("ph", [7.0] * (LARGEST_CALL + 1), "in one call"),
        ("ph", [7.0] * 200, "more samples"),
        ("ph", [10**400], "no list of numbers"),
        ("ph", [1e9], "beyond what can be recorded"),
    ],
)
def test_what_must_not_be_is_refused_with_a_sentence(channel: str, values: Sequence[float], says: str) -> None:
    taken = Taken()
    taken.guard(channel, values)
    assert taken.blocks == []
    assert len(taken.faults) == 1
    assert any(part in taken.faults[0] for part in says.split("|"))


def test_a_flood_is_cut_to_its_rate_and_a_clock_a_little_fast_is_not() -> None:
    taken = Taken()
    for _ in range(1000):
        taken.clock.advance(0.001)
        taken.guard("ph", [7.0])
    assert len(taken.blocks) < 120
    assert taken.faults
    steady = Taken()
    for _ in range(2000):
        steady.clock.advance(0.09)
        steady.guard("ph", [7.0])
    assert steady.faults == []
    assert len(steady.blocks) == 2000


def test_nothing_comes_through_once_it_is_closed() -> None:
    taken = Taken()
    taken.guard.close()
    taken.guard("ph", [7.0])
    assert taken.blocks == []


@given(st.lists(st.lists(st.floats(width=32), max_size=30), max_size=20))
def test_indexes_never_repeat_and_every_sample_is_what_was_given(calls: list[list[float]]) -> None:
    taken = Taken()
    given_values: list[float] = []
    for values in calls:
        taken.clock.advance(3.0)
        taken.guard("ph", values)
        given_values += values
    seen: set[int] = set()
    for block in taken.blocks:
        for place, raw in enumerate(block.samples.tolist()):
            index = block.first_index + place
            assert index not in seen
            seen.add(index)
            assert abs(raw * SPEC.scale - given_values[index]) <= SPEC.scale

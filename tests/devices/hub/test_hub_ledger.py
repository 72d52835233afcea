"""Which frames are had: checked against plain sets."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import FrameError
from devices.hub.intervals import IntervalSet
from devices.hub.ledger import FURTHEST_JUMP, Ledger

RUNS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)), max_size=25)


def one(ledger: Ledger, sequence: int) -> bool:
    """Take a single frame; whether it is new."""
    return bool(ledger.take(sequence, sequence + 1))


@given(RUNS, st.integers(0, 70), st.integers(0, 80))
def test_an_interval_set_is_a_set(runs: list[tuple[int, int]], start: int, stop: int) -> None:
    ours, plain = IntervalSet(), set[int]()
    for first, count in runs:
        ours.add(first, first + count)
        plain |= set(range(first, first + count))
    assert {n for a, b in ours for n in range(a, b)} == plain
    assert all(a < b for a, b in ours)
    intervals = list(ours)
    assert all(left[1] < right[0] for left, right in itertools.pairwise(intervals))
    assert [n for n in range(90) if n in ours] == sorted(plain)
    assert [n for a, b in ours.gaps(start, stop) for n in range(a, b)] == [
        n for n in range(start, stop) if n not in plain
    ]
    assert [n for a, b in ours.runs(start, stop) for n in range(a, b)] == [n for n in range(start, stop) if n in plain]
    assert all(a < b for a, b in ours.runs(start, stop))
    assert ours.stop_of_run(start) == next(n for n in range(start, 200) if n not in plain)


def test_each_frame_is_taken_once() -> None:
    ledger = Ledger(first=5, next_sequence=8)
    assert [one(ledger, n) for n in (5, 7, 5, 7, 9, 4)] == [True, True, False, False, True, False]
    assert ledger.window(64) == (6, 7)
    assert ledger.missing == 2


def test_of_a_run_only_what_is_new_is_taken() -> None:
    ledger = Ledger(first=5, next_sequence=8)
    assert ledger.take(6, 8) == [(6, 8)]
    assert ledger.take(3, 12) == [(5, 6), (8, 12)]
    assert ledger.take(3, 12) == []
    assert (ledger.next_sequence, ledger.missing) == (12, 0)


def test_a_window_is_cut() -> None:
    ledger = Ledger(first=0, next_sequence=1000)
    assert ledger.window(64) == (0, 64)
    assert ledger.missing == 1000


def test_a_frame_from_the_far_future_is_not_believed() -> None:
    ledger = Ledger(first=0, next_sequence=10)
    with pytest.raises(FrameError):
        one(ledger, 10 + FURTHEST_JUMP)
    assert ledger.missing == 10


def test_only_what_is_committed_without_a_hole_may_be_acknowledged() -> None:
    ledger = Ledger(first=3, next_sequence=3)
    assert ledger.acknowledgeable == 2
    for sequence in (3, 4, 6):
        one(ledger, sequence)
    ledger.commit(3, 4)
    ledger.commit(6, 7)
    assert ledger.acknowledgeable == 3
    ledger.commit(4, 6)
    assert ledger.acknowledgeable == 4, "5 was never delivered, so nobody can have committed it"
    one(ledger, 5)
    ledger.commit(0, 100)
    assert ledger.acknowledgeable == 6


def test_a_loss_closes_a_hole_and_names_only_what_we_never_had() -> None:
    ledger = Ledger(first=0, next_sequence=10)
    one(ledger, 2)
    assert ledger.lose(0, 5) == [(0, 2), (3, 5)]
    assert ledger.acknowledgeable == 1
    ledger.commit(2, 3)
    assert ledger.acknowledgeable == 4
    assert not one(ledger, 3), "a frame told to be lost is not delivered later"


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(0, 10))
def test_nothing_is_doubled_and_nothing_forgotten(arrivals: list[int], first: int) -> None:
    ledger = Ledger(first=first, next_sequence=first)
    delivered = [n for n in arrivals if one(ledger, n)]
    assert len(delivered) == len(set(delivered))
    wanted = set(range(first, max((n + 1 for n in arrivals if n >= first), default=first)))
    assert ledger.missing == len(wanted - set(delivered))
    while (window := ledger.window(7)) is not None:
        assert window[1] - window[0] <= 7
        delivered += [n for a, b in ledger.take(*window) for n in range(a, b)]
    assert sorted(delivered) == sorted(wanted)

"""Coverage against a plain set."""

from hypothesis import given
from hypothesis import strategies as st

from core.record.coverage import Coverage

ranges = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda r: (r[0], r[0] + r[1])), max_size=25)


@given(ranges, st.integers(0, 70), st.integers(0, 30))
def test_missing_and_runs_are_those_of_a_set(added: list[tuple[int, int]], start: int, length: int) -> None:
    coverage, numbers = Coverage(), set[int]()
    for low, high in added:
        coverage.add(low, high)
        numbers |= set(range(low, high))
    parts = coverage.missing(start, start + length)
    assert {n for low, high in parts for n in range(low, high)} == set(range(start, start + length)) - numbers
    assert all(low < high for low, high in parts)
    assert len(coverage) == len(numbers)
    edges = [edge for pair in coverage.ranges() for edge in pair]
    assert edges == sorted(set(edges)), "ranges are disjoint, do not touch, and ascend"
    end = start
    while end in numbers:
        end += 1
    assert coverage.end_of_run(start) == end
    assert Coverage(added).ranges() == coverage.ranges()
    assert coverage.take(start, start + length) == parts
    assert coverage.missing(start, start + length) == []
    assert len(coverage) == len(numbers | set(range(start, start + length)))


def test_what_goes_on_where_it_ended_is_all_new() -> None:
    coverage = Coverage([(0, 3), (5, 9)])
    assert coverage.take(9, 12) == [(9, 12)]
    assert coverage.take(12, 12) == []
    assert coverage.ranges() == [(0, 3), (5, 12)]
    assert Coverage().take(0, 2) == [(0, 2)]

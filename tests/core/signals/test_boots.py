"""Former boots are dated between what came before and after them, whatever hub and wall clock believed."""

from hypothesis import given
from hypothesis import strategies as st

from core.model.clock import ManualClock
from core.signals.boots import FormerBoot, date_boots
from core.signals.clockmap import ClockMap

HOUR = 3_600_000_000
NOW = 1_800_000_000_000_000


def ends(boots: list[FormerBoot], *, after: int, before: int) -> list[tuple[int, int]]:
    """UTC µs of the first and newest sample of each boot."""
    fits = date_boots(boots, after_us=after, before_us=before)
    maps = [(ClockMap(ManualClock(), [fits[boot.boot]]), boot) for boot in boots]
    return [(one.utc_us(0), one.utc_us(boot.newest_us)) for one, boot in maps]


def test_a_label_that_fits_is_taken() -> None:
    boot = FormerBoot(3, NOW - 5 * HOUR, HOUR)
    assert ends([boot], after=NOW - 6 * HOUR, before=NOW) == [(NOW - 5 * HOUR, NOW - 4 * HOUR)]


def test_without_a_label_a_boot_ended_just_before_the_next_began() -> None:
    (begin, end), (later, last) = ends([FormerBoot(3, 0, HOUR), FormerBoot(4, 0, HOUR)], after=0, before=NOW)
    assert (begin, end) < (later, last)
    assert 0 < NOW - last < 10_000
    assert 0 < later - end < 10_000
    assert end - begin == HOUR


def test_a_label_that_cannot_be_is_not_believed() -> None:
    for label in (NOW - 7 * HOUR, NOW + HOUR, NOW - HOUR // 2):
        (begin, end) = ends([FormerBoot(3, label, HOUR)], after=NOW - 6 * HOUR, before=NOW)[0]
        assert NOW - 6 * HOUR <= begin < end < NOW, label


@given(
    spans=st.lists(st.tuples(st.integers(0, NOW * 2), st.integers(1, 100 * HOUR)), min_size=1, max_size=6),
    room=st.integers(0, 300 * HOUR),
)
def test_no_boot_overlaps_another_nor_what_came_before(spans: list[tuple[int, int]], room: int) -> None:
    boots = [FormerBoot(number, label, newest) for number, (label, newest) in enumerate(spans)]
    placed = ends(boots, after=NOW - room, before=NOW)
    assert all(begin <= end for begin, end in placed)
    in_order = [moment for span in placed for moment in span]
    assert in_order == sorted(in_order)
    assert in_order[0] >= NOW - room - 1
    if room >= sum(newest // 1000 + 1000 for _, newest in spans):
        assert in_order[-1] < NOW


def test_a_clock_set_back_to_before_what_is_recorded_squeezes_no_boot() -> None:
    placed = ends([FormerBoot(3, NOW, HOUR), FormerBoot(4, 0, 2 * HOUR)], after=NOW + 9 * HOUR, before=NOW)
    assert [end - begin for begin, end in placed] == [HOUR, 2 * HOUR]
    assert placed[0][0] >= NOW + 9 * HOUR
    assert placed[0][1] < placed[1][0]

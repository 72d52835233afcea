"""Which runs share an EDF file, and where in it each of them lies.

EDF gives all signals of a file one start, one length and no gap. So runs that begin and end together share a file, and
what is missing of a data record at either end is padded; every other run has files of its own. No run is ever cut
because another one has a gap.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from core.exchange.runs import Run

SECOND_US: Final = 1_000_000
LONGEST_RECORD_US: Final = 60 * SECOND_US
"""Channels whose rates fit no shorter data record have files of their own."""
LONGEST_FILE_US: Final = 7200 * SECOND_US
"""A longer run goes on in the next file, so that memory stays bounded: 15 MB at 1,000 samples a second."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Samples [first, end) of a run, by index, in a file: after `before` samples of padding, `shift_us` late."""

    run: Run
    first: int
    end: int
    before: int
    shift_us: int


@dataclass(frozen=True, slots=True)
class FilePlan:
    """One file: `records` data records of `record_us` from hub time `start_us` on. `continues` the one before it."""

    start_us: int
    record_us: int
    records: int
    placed: tuple[Placed, ...]
    continues: bool


def is_even(stream: Sequence[Run]) -> bool:
    """Whether EDF can hold a stream: each sample lies nearest to its own place on a grid that the header can tell."""
    return all(2 * run.off_us <= run.period_us and record_us((run.period_us,)) is not None for run in stream)


def record_us(periods: Sequence[int]) -> int | None:
    """The length of a data record that holds whole samples of each, at least 1 s; None when there is no such length.

    The header has eight characters for it.
    """
    least = math.lcm(*periods)
    length = least * -(-SECOND_US // least)
    short = len(seconds(length)) <= 8
    return length if short and (length <= LONGEST_RECORD_US or len(set(periods)) == 1) else None


def seconds(length_us: int) -> str:
    """As the header has it: no trailing zeros."""
    whole, part = divmod(length_us, SECOND_US)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".")


def plan(runs: Sequence[Run]) -> Iterator[FilePlan]:
    """The files of one source and boot, in order of their start."""
    for group in _together(runs):
        yield from _files(group)


def _together(runs: Sequence[Run]) -> list[list[Run]]:
    groups: list[list[Run]] = []
    for run in sorted(runs, key=lambda one: (one.start_us, one.channel.number)):
        home = next((group for group in groups if _fits(group, run)), None)
        if home is not None:
            home.append(run)
        else:
            groups.append([run])
    return groups


def _fits(group: Sequence[Run], run: Run) -> bool:
    if any(one.channel.key == run.channel.key for one in group):
        return False
    if record_us([one.period_us for one in (*group, run)]) is None:
        return False
    near = max(SECOND_US, run.period_us, *(one.period_us for one in group))
    return all(abs(one.start_us - run.start_us) <= near and abs(one.end_us - run.end_us) <= near for one in group)


def _files(group: Sequence[Run]) -> Iterator[FilePlan]:
    length = record_us([run.period_us for run in group])
    assert length is not None  # _fits and is_even saw to it
    start_us = min(run.start_us for run in group)
    longest = max(1, LONGEST_FILE_US // length) * length
    before = {id(run): round((run.start_us - start_us) / run.period_us) for run in group}
    ends_us = max((before[id(run)] + run.count) * run.period_us for run in group)
    for from_us in range(0, ends_us, longest):
        placed = [one for run in group if (one := _placed(run, before[id(run)], start_us, from_us, longest))]
        reach = max((one.before + one.end - one.first) * one.run.period_us for one in placed)
        yield FilePlan(start_us + from_us, length, -(-reach // length), tuple(placed), continues=from_us > 0)


def _placed(run: Run, before: int, start_us: int, from_us: int, longest: int) -> Placed | None:
    """What of a run lies in the file that begins `from_us` past the group's start."""
    begin = from_us // run.period_us - before  # counted from the run's first sample
    end = min(run.count, begin + longest // run.period_us)
    first = max(0, begin)
    if first >= end:
        return None
    shift_us = run.start_us - start_us - before * run.period_us
    return Placed(run, run.first_index + first, run.first_index + end, first - begin, shift_us)

"""Samples are dated, judged, kept in their visit and shown; frames count when all that they brought is kept."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from app.engine.clock import SystemAsyncClock
from app.engine.flow import SampleFlow, Stay
from app.engine.recorder import Committed, Recorder
from app.ipc.ring import RingWriter
from core.model.block import Provenance, SampleBlock
from core.record import Record, RecordReader, StampedBlock
from core.safety.limits import LimitMonitor
from core.signals.boots import FormerBoot, date_boots
from core.signals.catalogue import load_catalogue
from core.signals.clockmap import ClockFit, ClockMap

KEY = bytes(range(32))
PH = 2
PLAQUE_PH = 5
"""One sample in 10 s."""
PERIOD_US = 100_000


class SetClock(SystemAsyncClock):
    """The real clock, with a wall clock that can be set."""

    def __init__(self) -> None:
        self.set_by_us = 0

    def utc_us(self) -> int:
        return super().utc_us() + self.set_by_us


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def recorder(tmp_path: Path, clock: SetClock) -> Iterator[Recorder]:
    record = Record.create(tmp_path / "r.sqlite", KEY, chair=1, simulated=True, clock=clock)
    done: list[Committed] = []
    one = Recorder(record, committed=done.append, failed=lambda error: None)
    one.start()
    yield one
    if one.alive:
        one.close()


@pytest.fixture
def flow(tmp_path: Path, recorder: Recorder, clock: SetClock) -> SampleFlow:
    catalogue = load_catalogue()
    return SampleFlow(
        catalogue=catalogue,
        monitor=LimitMonitor((), catalogue),
        recorder=recorder,
        ring=RingWriter(tmp_path / "ring"),
        clock=clock,
    )


def block(first: int, count: int = 10, *, boot: int = 5, late: bool = False) -> SampleBlock:
    samples = np.arange(first, first + count).astype(np.int16)
    provenance = Provenance.BACKFILLED if late else Provenance.LIVE
    return SampleBlock(PH, boot, first, first * PERIOD_US, PERIOD_US, samples, provenance)


def recorded(recorder: Recorder, folder: Path) -> tuple[list[tuple[int, int, int]], int | None]:
    """(boot, index, UTC) of every sample, and the resume point, once everything is on disk."""
    point = recorder.do(lambda record: record.resume_point("hub"))
    recorder.close()
    with RecordReader.open(folder / "r.sqlite", KEY) as reader:
        found = [
            (one.boot, index, int(at))
            for one in reader.samples("hub", "saliva_ph")
            for index, at in zip(range(one.first_index, one.end_index), one.times_us(), strict=True)
        ]
    return found, point.result()


def test_backfilled_samples_wait_for_a_live_one_and_their_frames_with_them(
    flow: SampleFlow, recorder: Recorder, tmp_path: Path
) -> None:
    flow.take("hub", [block(0, late=True)], [("hub", 0, 3)])
    assert recorder.do(lambda record: record.resume_point("hub")).result() is None
    flow.take("hub", [block(10)], [("hub", 3, 5)])
    found, _ = recorded(recorder, tmp_path)
    assert [(boot, index) for boot, index, _ in found] == [(5, index) for index in range(20)]
    assert [at for *_, at in found] == sorted({at for *_, at in found})


def test_a_sample_of_a_slow_channel_is_not_taken_for_one_of_the_future(
    flow: SampleFlow, recorder: Recorder, clock: SetClock, tmp_path: Path
) -> None:
    """Its period runs on long after it arrived; only the sample was measured."""
    slow = SampleBlock(PLAQUE_PH, 5, 0, 0, 10_000_000, np.zeros(1, np.int16))
    flow.take("hub", [block(0, 1), slow], [("hub", 0, 1)])
    now_us = clock.utc_us()
    found, _ = recorded(recorder, tmp_path)
    ((_, _, at_us),) = found
    assert abs(at_us - now_us) < 5_000_000


def test_a_bend_of_the_clock_and_the_line_after_it_are_one_commit(
    flow: SampleFlow, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[Callable[[Record], object]] = []
    note = recorder.note

    def counted(run: Callable[[Record], object]) -> "Future[object]":
        commits.append(run)
        return note(run)

    monkeypatch.setattr(recorder, "note", counted)
    flow.take("hub", [block(0, 1)])
    flow.take("hub", [block(1, 20)])
    assert len(recorder.do(lambda record: record.clock_fits("hub", 5)).result()) == 3
    assert len(commits) == 2


def test_one_batch_may_span_boots_and_the_end_of_a_visit(flow: SampleFlow, recorder: Recorder, tmp_path: Path) -> None:
    now_us = flow._clock.utc_us()
    fits = date_boots([FormerBoot(4, 0, 1_000_000)], after_us=0, before_us=now_us - 10_000_000)
    flow.recall("hub", 4, [fits[4]])
    flow.visit = Stay("visit", now_us - 1_500_000)
    flow.take("hub", [block(0, boot=4, late=True), block(100)], [("hub", 0, 2)])
    found, _ = recorded(recorder, tmp_path)
    assert {boot for boot, *_ in found} == {4, 5}
    with RecordReader.open(tmp_path / "r.sqlite", KEY) as reader:
        (span,) = reader.spans("visit")
        assert span.samples == 10, "only what was measured in the visit belongs to it"


def test_a_clock_that_was_set_back_over_a_reboot_reorders_nothing(
    flow: SampleFlow, recorder: Recorder, clock: SetClock, tmp_path: Path
) -> None:
    flow.take("hub", [block(600, boot=5)], [("hub", 0, 1)])
    clock.set_by_us = -3_600_000_000
    flow.recall("hub", 6, [])
    flow.take("hub", [block(0, boot=6), block(700, boot=5, late=True)], [("hub", 1, 3)])
    found, _ = recorded(recorder, tmp_path)
    by_boot = {boot: [at for one, _, at in found if one == boot] for boot in (5, 6)}
    assert by_boot[5][9] < by_boot[6][0], "the newest sample that was recorded comes before the next boot"


@pytest.mark.parametrize("compacted", [False, True])
def test_nor_does_one_that_was_set_back_while_the_engine_was_away(
    recorder: Recorder, clock: SetClock, tmp_path: Path, compacted: bool
) -> None:
    samples = np.zeros(10, np.int16)
    stamped = [
        StampedBlock(SampleBlock(PH, boot, 0, 0, PERIOD_US, samples), clock.utc_us() + boot * 10_000_000)
        for boot in (3, 4, 5)
    ]
    recorder.do(lambda record: record.add_blocks("hub", stamped, None)).result()
    if compacted:
        recorder.do(lambda record: record.compact(settle=True)).result()
    ends = [recorder.do(lambda record, boot=boot: record.newest_us("hub", boot)).result() for boot in (3, 5, 6)]  # type: ignore[misc]
    assert ends == [0, stamped[1].utc_us + 1_000_000, stamped[2].utc_us + 1_000_000]
    clock.set_by_us = -3_600_000_000
    fresh = ClockMap(clock, not_before_us=ends[-1])
    fresh.observe(5_000_000, clock.monotonic())
    assert fresh.utc_us(0) >= ends[-1]


def test_a_long_block_ends_where_the_next_begins_whatever_the_fit_becomes(
    flow: SampleFlow, recorder: Recorder, tmp_path: Path
) -> None:
    flow.take("hub", [block(0, 1)], [("hub", 0, 1)])
    clock_map = flow.clock_map("hub", 5)
    clock_map._append(
        ClockFit(hub0_us=50_000, utc0_us=clock_map.utc_us(50_000), drift=-0.01, observations=1, spread_us=0)
    )
    flow.take("hub", [block(1, 30, late=True)], [("hub", 1, 30)])
    flow.take("hub", [block(31, 5, late=True)], [("hub", 30, 35)])
    found, _ = recorded(recorder, tmp_path)
    times = [at for *_, at in found]
    assert times == sorted(set(times)), "3 s at 1 % would be 30 ms"

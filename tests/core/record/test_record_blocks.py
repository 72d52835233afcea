"""Samples in, samples out: each once, whatever the order, at any zoom."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.model.block import Provenance, SampleBlock
from core.model.clock import ManualClock
from core.record import NotFound, Record, RecordReader, StampedBlock, StoredBlock
from core.signals.catalogue import load_catalogue

EMG = 8
KEY = bytes(range(32))
PH = 2
UTC0 = 1_800_000_000_000_000
MakeBlock = Callable[..., StampedBlock]

REAL_FILES = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


def fresh(folder: Path) -> Record:
    """A new record for each example."""
    for old in folder.iterdir():
        old.unlink()
    return Record.create(folder / "r", KEY, chair=1, simulated=True, clock=ManualClock(UTC0))


def flat(blocks: list[StoredBlock]) -> tuple[list[int], list[int], list[int]]:
    """Indexes, values and UTC of all samples."""
    index = [i for block in blocks for i in range(block.first_index, block.end_index)]
    values = [int(v) for block in blocks for v in block.samples]
    return index, values, [int(t) for block in blocks for t in block.times_us()]


@REAL_FILES
@given(
    arrivals=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 400), st.booleans()), min_size=1, max_size=30),
    compacted_after=st.integers(0, 30),
)
def test_every_sample_stands_once_whatever_the_order(
    arrivals: list[tuple[int, int, bool]], compacted_after: int, tmp_path: Path, stamped: MakeBlock
) -> None:
    record = fresh(tmp_path)
    first_seen: dict[int, Provenance] = {}
    stored = 0
    for number, (first, count, live) in enumerate(arrivals):
        provenance = Provenance.LIVE if live else Provenance.BACKFILLED
        for index in range(first, first + count):
            first_seen.setdefault(index, provenance)
        with record.transaction():
            stored += record.add_blocks("hub", [stamped(first, count, provenance=provenance)], None)
        if number == compacted_after:
            record.compact(settle=True)
    assert stored == len(first_seen)
    record.compact(settle=True)
    record.close()
    with RecordReader.open(tmp_path / "r", KEY) as reader:
        blocks = list(reader.samples("hub", "jaw_emg"))
        stood, values, times = flat(blocks)
        assert stood == sorted(first_seen)
        assert values == [(i * 7919) % 4001 - 2000 for i in stood]
        assert times == [UTC0 + i * 1000 for i in stood]
        assert [p for b in blocks for p in [b.provenance] * len(b.samples)] == [first_seen[i] for i in stood]
        report = reader.verify()
        assert report.problems == ()
        assert report.samples == stored


def test_blocks_are_joined_and_stay_the_same(record: Record, path: Path, stamped: MakeBlock) -> None:
    for step in range(400):
        with record.transaction():
            record.add_blocks(
                "hub", [stamped(step * 200, 200), stamped(step * 2, 2, channel=PH, period_us=100_000)], "v"
            )
    with RecordReader.open(path, KEY) as reader:
        before = {key: flat(list(reader.samples(None, key))) for key in ("jaw_emg", "saliva_ph")}
        while record.compact():
            pass
        record.compact(settle=True)
        assert {key: flat(list(reader.samples(None, key))) for key in before} == before
        info = reader.info()
        assert (info.samples, info.blocks) == (80_800, 2)
        assert [(s.channel, s.from_us, s.to_us, s.samples) for s in reader.spans("v")] == [
            ("saliva_ph", UTC0, UTC0 + 80_000_000, 800),
            ("jaw_emg", UTC0, UTC0 + 80_000_000, 80_000),
        ]
        assert reader.spans("other") == []
        assert reader.verify().problems == ()


def test_compaction_in_steps_is_bounded_and_goes_on_where_it_stopped(record: Record, stamped: MakeBlock) -> None:
    channels = [EMG, 7, 9]
    for step in range(900):
        with record.transaction():
            record.add_blocks("hub", [stamped(step * 200, 200, channel=c) for c in channels], None)
    runs = []
    while written := record.compact():
        runs.append(written)
    assert len(runs) == 2, "some 2,000 pieces to a run: 667 commits of three channels, then the others"
    assert record.compact() == 0


def test_a_jittery_sensor_keeps_the_time_of_each_sample(record: Record, path: Path) -> None:
    clock = np.random.default_rng(3)
    starts = [i * 1_000_000 + int(clock.integers(-90_000, 90_000)) for i in range(400)]
    for i, start in enumerate(starts):
        block = SampleBlock(64, 0, i, start, 1_000_000, np.array([60 + i % 9], np.int16))
        with record.transaction():
            record.add_blocks("strap", [StampedBlock(block, UTC0 + start)], None)
    record.compact(settle=True)
    with RecordReader.open(path, KEY) as reader:
        blocks = list(reader.samples("strap", "heart_rate"))
        assert [b.start_us for b in blocks for _ in [0]] == starts
        moved = max(abs(t - UTC0 - s) for t, s in zip(flat(blocks)[2], starts, strict=True))
        assert moved <= 1000
        assert reader.info().blocks < 20
        # Whether a pause counts as a gap does not depend on jitter.
        assert reader.columns("heart_rate", UTC0, UTC0 + 399_000_000, 2000).gaps in ((), ((UTC0, UTC0 + starts[0]),))
        assert reader.verify().problems == ()


def test_a_bend_of_the_clock_map_splits_blocks_instead_of_moving_samples(
    record: Record, path: Path, stamped: MakeBlock
) -> None:
    def bent(hub_us: int) -> int:
        return UTC0 + hub_us + max(0, hub_us - 5_000_000) // 50

    for step in range(50):
        block = stamped(step * 200, 200).block
        with record.transaction():
            record.add_blocks("hub", [StampedBlock(block, bent(block.start_us))], None)
    record.compact(settle=True)
    with RecordReader.open(path, KEY) as reader:
        index, _, times = flat(list(reader.samples("hub", "jaw_emg")))
        assert max(abs(t - bent(i * 1000)) for i, t in zip(index, times, strict=True)) < 5000
        assert reader.info().blocks > 1
        assert reader.columns("jaw_emg", UTC0, UTC0 + 10_000_000, 100).gaps == ()


@REAL_FILES
@given(
    runs=st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 3000)), min_size=1, max_size=8),
    start=st.integers(-2_000_000, 20_000_000),
    width=st.integers(1, 25_000_000),
    n=st.integers(1, 400),
    state=st.sampled_from(["raw", "compacted", "half"]),
)
def test_columns_agree_with_every_sample(
    runs: list[tuple[int, int]], start: int, width: int, n: int, state: str, tmp_path: Path, stamped: MakeBlock
) -> None:
    record = fresh(tmp_path)
    at = 0
    for number, (count, pause) in enumerate(runs):
        with record.transaction():
            record.add_blocks("hub", [stamped(at, count)], None)
        if state == "half" and number == len(runs) // 2:
            record.compact(settle=True)
        at += count + pause
    if state == "compacted":
        record.compact(settle=True)
    from_us, to_us = UTC0 + start, UTC0 + start + width
    with RecordReader.open(tmp_path / "r", KEY) as reader:
        got = reader.columns("jaw_emg", from_us, to_us, n)
        _, values, times = flat(list(reader.samples("hub", "jaw_emg")))
    record.close()
    at_us, raw = np.array(times), np.array(values)
    inside = (at_us >= from_us) & (at_us < to_us)
    physical = (raw[inside] * 0.1).astype(np.float32)
    if inside.sum() <= n:
        assert got.samples
        np.testing.assert_array_equal(got.at_us, at_us[inside])
        np.testing.assert_allclose(got.low, physical, atol=1e-4)
        np.testing.assert_allclose(got.high, physical, atol=1e-4)
        return
    assert not got.samples
    column = (at_us[inside] - from_us) * n // (to_us - from_us)
    for i in range(n):
        mine = physical[column == i]
        if not len(mine):
            assert np.isnan(got.low[i])
            continue
        assert got.low[i] == pytest.approx(mine.min(), abs=1e-4)
        assert got.high[i] == pytest.approx(mine.max(), abs=1e-4)
        assert got.mean[i] == pytest.approx(mine.mean(), abs=1e-3)


def test_the_pyramid_never_misses_a_peak(record: Record, path: Path) -> None:
    n = 600_000
    rng = np.random.default_rng(5)
    samples = rng.integers(-50, 50, n).astype(np.int16)
    peaks = rng.choice(n, 40, replace=False)
    samples[peaks] = 3000
    for start in range(0, n, 20_000):
        block = SampleBlock(EMG, 0, start, start * 1000, 1000, samples[start : start + 20_000])
        with record.transaction():
            record.add_blocks("hub", [StampedBlock(block, UTC0 + block.start_us)], None)
        record.compact(settle=True)
    with RecordReader.open(path, KEY) as reader:
        for columns in (10, 100, 500):
            got = reader.columns("jaw_emg", UTC0, UTC0 + n * 1000, columns)
            width = n // columns
            by_column = samples.reshape(columns, width)
            high = (by_column.max(axis=1) * 0.1).astype(np.float32)
            assert np.all(got.high >= high - 1e-4), "an extreme is never missed"
            excess = np.flatnonzero(got.high > high + 1)
            reach = max(256, width // 2)
            for i in excess:  # and only comes from within one entry of the border
                around = samples[max(0, i * width - reach) : (i + 1) * width + reach]
                assert around.max() == 3000
            assert abs(np.nanmean(got.mean) - samples.mean() * 0.1) < 0.05
            np.testing.assert_array_equal(got.at_us, UTC0 + (np.arange(columns) * 2 + 1) * n * 1000 // (2 * columns))
            assert got.gaps == ()


def test_gaps_are_told_from_the_edges_of_the_range_to_lost_frames(
    record: Record, path: Path, stamped: MakeBlock
) -> None:
    with record.transaction():
        record.add_blocks("hub", [stamped(1000, 1000), stamped(2500, 500), stamped(3000, 500)], None)
    expected = ((UTC0, UTC0 + 1_000_000), (UTC0 + 2_000_000, UTC0 + 2_500_000), (UTC0 + 3_500_000, UTC0 + 4_000_000))
    with RecordReader.open(path, KEY) as reader:
        for _ in range(2):
            for columns in (5, 50, 10_000):
                assert reader.columns("jaw_emg", UTC0, UTC0 + 4_000_000, columns).gaps == expected
            record.compact(settle=True)
        empty = reader.columns("saliva_ph", UTC0, UTC0 + 1000, 10)
        assert (len(empty.at_us), empty.samples, empty.gaps) == (0, True, ((UTC0, UTC0 + 1000),))


def test_two_boots_and_a_reader_that_reads_on_while_blocks_are_compacted(
    record: Record, path: Path, stamped: MakeBlock
) -> None:
    with record.transaction():
        for step in range(300):
            record.add_blocks("hub", [stamped(step * 10, 10), stamped(step * 10, 10, boot=1)], None)
    with RecordReader.open(path, KEY) as reader:
        blocks = reader.samples(None, "jaw_emg")
        got = [next(blocks) for _ in range(100)]
        record.compact(settle=True)
        got += list(blocks)
    assert [(b.boot, i) for b in got for i in range(b.first_index, b.end_index)] == [
        (boot, i) for boot in (0, 1) for i in range(3000)
    ]


def test_the_resume_point_waits_for_the_first_frame_and_steps_over_lost_ones(
    record: Record, path: Path, clock: ManualClock
) -> None:
    def add(*ranges: tuple[int, int]) -> int | None:
        with record.transaction():
            record.add_sequences("hub", ranges)
        return record.resume_point("hub")

    assert add((5, 8)) is None, "acknowledging 7 would let the hub forget 0 to 4"
    assert add((0, 2)) == 1
    with record.transaction():
        record.add_loss("hub", 2, 3, UTC0)
    assert record.resume_point("hub") == 3
    assert record.missing_sequences("hub", 0, 9) == [(4, 4), (8, 9)]
    assert add((4, 5)) == 7
    assert record.resume_point("another hub") is None
    record.close()
    again = Record.open(path, KEY, clock=clock)
    assert again.resume_point("hub") == 7
    again.close()
    with RecordReader.open(path, KEY) as reader:
        assert [(loss.first, loss.last) for loss in reader.losses()] == [(2, 3)]


def test_what_a_hub_made_before_this_record_knew_it_belongs_elsewhere(record: Record) -> None:
    with record.transaction():
        record.begin_frames("hub", 1000)
        record.add_sequences("hub", [(1200, 1300)])
    assert record.resume_point("hub") == 999, "1000 to 1199 are still to be fetched"
    with record.transaction():
        record.begin_frames("hub", 1200)
    assert record.resume_point("hub") == 999, "a hub that is known begins once"


def test_a_channel_that_the_catalogue_does_not_know_is_kept(record: Record, path: Path, stamped: MakeBlock) -> None:
    with record.transaction():
        record.add_blocks("hub", [stamped(0, 10, channel=200)], None)
    assert load_catalogue().number(200) is None
    with RecordReader.open(path, KEY) as reader:
        assert sum(len(block.samples) for block in reader.samples(None, "channel_200")) == 10
        with pytest.raises(NotFound):
            reader.columns("channel_201", UTC0, UTC0 + 1, 1)

"""Any range at any zoom, against numpy over every sample: through back-fill, gaps, boots, sources, settled blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from core.model.block import Provenance, SampleBlock
from core.model.clock import ManualClock
from core.record import Columns, Record, RecordReader, StampedBlock
from core.record.settling import SETTLED
from core.record.sqlcipher import CipherFile
from core.record.summary import SummaryBook
from core.signals.summary import LEVELS, Cells

KEY = bytes(range(32))
UTC0 = 1_800_000_000_000_000
HOUR = 3_600_000_000
RATE = "heart_rate"
"""A channel of 1 Hz, so that hours are few samples. Its cells are 2^27 µs wide at their finest."""
CHANNEL, PERIOD = 64, 1_000_000
CELL = 1 << 27

Int64s = npt.NDArray[np.int64]
REAL_FILES = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


@dataclass(frozen=True)
class Arrival:
    """A run of samples of one stream; `jitter`: from a sensor without a clock, one by one."""

    source: str
    boot: int
    first: int
    count: int
    visit: str | None
    provenance: Provenance
    jitter: bool

    def blocks(self) -> list[StampedBlock]:
        if not self.jitter:
            return [self._block(self.first, self.count, 0)]
        late = np.random.default_rng(self.first).integers(-200_000, 200_000, self.count)
        return [self._block(self.first + at, 1, int(us)) for at, us in enumerate(late)]

    def _block(self, first: int, count: int, late_us: int) -> StampedBlock:
        index = np.arange(first, first + count)
        samples = ((index * 7919 + self.boot) % 4001 - 2000).astype(np.int16)
        start_us = first * PERIOD + late_us
        block = SampleBlock(CHANNEL, self.boot, first, start_us, PERIOD, samples, self.provenance)
        offset = {"hub": 0, "strap": 300_000}[self.source]
        return StampedBlock(block, UTC0 + self.boot * 3 * HOUR + offset + start_us)


ARRIVALS = st.builds(
    Arrival,
    source=st.sampled_from(["hub", "strap"]),
    boot=st.integers(0, 1),
    first=st.integers(0, 12_000),
    count=st.integers(1, 4_000),
    visit=st.sampled_from([None, "a", "b"]),
    provenance=st.sampled_from([Provenance.LIVE, Provenance.BACKFILLED]),
    jitter=st.booleans(),
).map(lambda one: one if not one.jitter else Arrival(one.source, one.boot, one.first, one.count % 90 + 1, *_rest(one)))
STEPS = st.lists(st.tuples(ARRIVALS, st.sampled_from(["", "", "compact", "settle"])), min_size=1, max_size=10)


def _rest(one: Arrival) -> tuple[str | None, Provenance, bool]:
    return one.visit, one.provenance, one.jitter


@dataclass(frozen=True)
class Everything:
    """All samples of the channel, in order of time, with the visit of each and when it ends."""

    at_us: Int64s
    end_us: Int64s
    raw: Int64s

    def within(self, from_us: int, to_us: int) -> "Everything":
        inside = (self.at_us >= from_us) & (self.at_us < to_us)
        return Everything(self.at_us[inside], self.end_us[inside], self.raw[inside])


def stored(reader: RecordReader, visits: dict[tuple[str, int, int], str | None], wanted: str | None) -> Everything:
    at, end, raw = [], [], []
    for block in reader.samples(None, RATE):
        times = [*block.times_us().tolist(), block.end_utc_us]
        for number, value in enumerate(block.samples.tolist()):
            if wanted is None or visits[block.source, block.boot, block.first_index + number] == wanted:
                at.append(times[number])
                end.append(times[number + 1])
                raw.append(value)
    order = np.argsort(np.array(at, np.int64), kind="stable")
    return Everything(*(np.array(one, np.int64)[order] for one in (at, end, raw)))


def gaps_of(every: Everything, from_us: int, to_us: int) -> list[tuple[int, int]]:
    """Where nothing was recorded, by the samples alone."""
    reached, found = from_us, []
    for at_us, end_us in zip(every.at_us.tolist(), every.end_us.tolist(), strict=True):
        if end_us <= from_us or at_us >= to_us:
            continue
        if at_us > reached:
            found.append((reached, at_us))
        reached = max(reached, end_us)
    return [*found, *([(reached, to_us)] if reached < to_us else [])]


def same(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """To within a sample."""
    return all(abs(a - b) < PERIOD for a, b in zip(one, other, strict=True))


def agrees(got: Columns, every: Everything, from_us: int, to_us: int, columns: int) -> None:
    inside = every.within(from_us, to_us)
    if len(inside.raw) <= columns:
        assert got.samples
        np.testing.assert_array_equal(got.at_us, inside.at_us)
        np.testing.assert_array_equal(np.sort(got.mean), np.sort(inside.raw.astype(np.float32)))
        return
    assert not got.samples
    width = (to_us - from_us) / columns
    for i in range(columns):
        begin, end = from_us + i * width, from_us + (i + 1) * width
        mine = every.within(int(np.ceil(begin)), int(np.ceil(end)))
        near = every.within(int(max(begin - width / 2, 0)) - 1, int(end + width / 2) + 1)
        if len(mine.raw):
            assert got.low[i] <= mine.raw.min(), "an extreme is never missed"
            assert got.high[i] >= mine.raw.max()
        if not len(near.raw):
            assert np.isnan(got.low[i]), "nothing is drawn where nothing was recorded"
            continue
        if not np.isnan(got.low[i]):
            assert near.raw.min() <= got.low[i] <= got.mean[i] <= got.high[i] <= near.raw.max()


def played(folder: Path, steps: Sequence[tuple[Arrival, str]]) -> dict[tuple[str, int, int], str | None]:
    """Write a record anew; returns the visit of each sample."""
    for old in folder.iterdir():
        old.unlink()
    record = Record.create(folder / "r", KEY, chair=1, simulated=True, clock=ManualClock(UTC0))
    visits: dict[tuple[str, int, int], str | None] = {}
    for arrival, then in steps:
        for index in range(arrival.first, arrival.first + arrival.count):
            visits.setdefault((arrival.source, arrival.boot, index), arrival.visit)
        with record.transaction():
            record.add_blocks(arrival.source, arrival.blocks(), arrival.visit)
        if then:
            record.compact(settle=then == "settle")
    record._file.close()  # not by `close`, which would settle what the steps have left
    record._lock.release()
    return visits


@REAL_FILES
@given(
    steps=STEPS,
    start=st.integers(-HOUR, 5 * HOUR),
    wide=st.one_of(st.integers(1, 2 * CELL), st.integers(2 * CELL, 40 * CELL), st.integers(2 * CELL, 4 * CELL)),
    columns=st.integers(1, 60),
    visit=st.sampled_from([None, None, "a"]),
)
def test_columns_agree_with_every_sample(
    steps: list[tuple[Arrival, str]], start: int, wide: int, columns: int, visit: str | None, tmp_path: Path
) -> None:
    visits = played(tmp_path, steps)
    from_us, to_us = UTC0 + start, UTC0 + start + columns * wide
    with RecordReader.open(tmp_path / "r", KEY) as reader:
        got = reader.columns(RATE, from_us, to_us, columns, visit)
        every = stored(reader, visits, visit)
        assert reader.verify().problems == ()
    agrees(got, every, from_us, to_us, columns)
    least = max((1 << level for level in LEVELS if level >= 27 and 2 << level <= wide), default=2 * PERIOD)
    event("from afar" if least > 2 * PERIOD else "from near")
    gaps = gaps_of(every, from_us, to_us)
    told = {gap for gap in got.gaps if gap[1] - gap[0] >= 2 * PERIOD}
    certain = [gap for gap in gaps if gap[1] - gap[0] >= least + 2 * PERIOD]
    assert all(any(same(gap, one) for one in told) for gap in certain), "a gap stays a gap"
    assert all(any(same(gap, one) for one in gaps) for gap in told), "and none is made up"


@REAL_FILES
@given(steps=STEPS, start=st.integers(0, 60), columns=st.integers(1, 60), level=st.sampled_from([27, 30]))
def test_columns_that_begin_with_cells_are_exact(
    steps: list[tuple[Arrival, str]], start: int, columns: int, level: int, tmp_path: Path
) -> None:
    visits = played(tmp_path, [*steps, (steps[0][0], "settle")])
    width = 2 << level
    from_us = (UTC0 // width + start // (1 << (level - 26))) * width
    to_us = from_us + columns * width
    with RecordReader.open(tmp_path / "r", KEY) as reader:
        got = reader.columns(RATE, from_us, to_us, columns)
        every = stored(reader, visits, None)
    inside = every.within(from_us, to_us)
    event(f"samples in view: {len(inside.raw) > columns}")
    if len(inside.raw) <= columns:
        return
    for i in range(columns):
        mine = every.within(from_us + i * width, from_us + (i + 1) * width).raw
        if len(mine):
            assert (got.low[i], got.high[i]) == (mine.min(), mine.max())
            assert got.mean[i] == pytest.approx(mine.mean(), rel=1e-5, abs=1e-3)
        else:
            assert np.isnan(got.low[i])


def test_the_cost_of_a_view_follows_from_its_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the range, few rows and cells are read."""
    record = Record.create(tmp_path / "r", KEY, chair=1, simulated=True, clock=ManualClock(UTC0))
    days = 100
    for day in range(days):
        blocks = [
            SampleBlock(CHANNEL, 0, hour * 360, hour * HOUR, 10_000_000, np.full(360, hour % 50, np.int16))
            for hour in range(24 * day, 24 * (day + 1))
        ]
        with record.transaction():
            record.add_blocks("hub", [StampedBlock(block, UTC0 + block.start_us) for block in blocks], None)
    record.close()
    seen: list[int] = []
    read, rows = SummaryBook.read, CipherFile.rows

    def read_cells(self: SummaryBook, *asked: Any) -> Cells:
        seen.append(len(found := read(self, *asked)))
        return found

    def read_rows(self: CipherFile, sql: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        seen.append(len(found := rows(self, sql, parameters)))
        return found

    monkeypatch.setattr(SummaryBook, "read", read_cells)
    monkeypatch.setattr(CipherFile, "rows", read_rows)
    columns = 100
    with RecordReader.open(tmp_path / "r", KEY) as reader:
        for hours in (1, 24, 240, 2400):
            seen.clear()
            got = reader.columns(RATE, UTC0, UTC0 + hours * HOUR, columns)
            assert len(got.low) == min(columns, hours * 360)
            assert not np.any(np.isnan(got.low))
            assert got.gaps == ()
            assert sum(seen) < 17 * columns, "at most sixteen cells to a column, and little besides"


def test_blocks_that_nothing_continues_settle_while_recording_goes_on(tmp_path: Path) -> None:
    record = Record.create(tmp_path / "r", KEY, chair=1, simulated=True, clock=ManualClock(UTC0))
    at, count = 0, 20_000
    while at < 2 * SETTLED + 3 * count:
        samples = (np.arange(at, at + count) % 1000).astype(np.int16)
        with record.transaction():
            block = SampleBlock(8, 0, at, at * 1000, 1000, samples)
            record.add_blocks("hub", [StampedBlock(block, UTC0 + at * 1000)], None)
        record.compact()
        at += count
    file = record._file
    (settled,) = file.rows("SELECT count(*), sum(count) FROM block WHERE settled = 1")
    assert settled[0] == 2
    assert settled[1] >= 2 * SETTLED
    assert file.rows("SELECT count(*) FROM block WHERE settled = 0") != [(0,)]
    record.close()
    with RecordReader.open(tmp_path / "r", KEY) as reader:
        assert sum(len(block.samples) for block in reader.samples(None, "jaw_emg")) == at
        assert reader.verify().problems == ()


def test_what_stands_idle_settles_as_it_is(tmp_path: Path) -> None:
    clock = ManualClock(UTC0)
    record = Record.create(tmp_path / "r", KEY, chair=1, simulated=True, clock=clock)
    with record.transaction():
        for second in range(400):
            block = SampleBlock(CHANNEL, 0, second, second * PERIOD, PERIOD, np.array([60], np.int16))
            record.add_blocks("hub", [StampedBlock(block, UTC0 + second * PERIOD)], None)
    assert record.compact() == 1
    loose = "SELECT count(*) FROM block WHERE settled = 0"
    assert record.compact() == 0
    assert record._file.rows(loose) == [(1,)]
    clock.advance(2 * HOUR / 1e6)
    assert record.compact() == 1
    assert record._file.rows(loose) == [(0,)]
    record.close()


def test_a_damaged_block_is_never_written_anew(tmp_path: Path) -> None:
    record = Record.create(tmp_path / "r", KEY, chair=1, simulated=True, clock=ManualClock(UTC0))
    for number in range(3):
        with record.transaction():
            block = SampleBlock(8, 0, number * 20_000, number * 20_000_000, 1000, np.zeros(20_000, np.int16))
            record.add_blocks("hub", [StampedBlock(block, UTC0 + number * 20_000_000)], None)
        record.compact()
    with record.transaction():
        record._file.execute("UPDATE payload SET data = x'00' WHERE block = 2")
    record.close()
    with RecordReader.open(tmp_path / "r", KEY) as reader:
        (problem,) = reader.verify().problems
        assert "block 2 (channel 8, samples 20000 to 39999)" in problem
        assert reader.spans()[0].samples == 60_000


def test_a_record_from_before_reads_the_same_and_settles(tmp_path: Path) -> None:
    """m003 changes no block; what an older program wrote settles as time goes by."""
    steps = [(Arrival("hub", 0, at * 4000, 4000, "a", Provenance.LIVE, jitter=False), "compact") for at in range(5)]
    visits = played(tmp_path, steps)
    file = CipherFile.open(tmp_path / "r", KEY)
    with file.transaction():
        for sql in (
            "DROP TABLE summary",
            "DROP INDEX block_loose",
            "ALTER TABLE block DROP COLUMN settled",
            "DELETE FROM _sqlite_migrations WHERE name = 'm003_signals'",
        ):
            file.execute(sql)
    file.close()
    record = Record.open(tmp_path / "r", KEY, clock=ManualClock(UTC0))
    record._file.close()
    record._lock.release()
    with RecordReader.open(tmp_path / "r", KEY) as reader:
        before = stored(reader, visits, None)
        far = reader.columns(RATE, UTC0, UTC0 + 6 * HOUR, 20)
    record = Record.open(tmp_path / "r", KEY, clock=ManualClock(UTC0 + 24 * HOUR))
    record.compact(settle=True)
    record.close()
    with RecordReader.open(tmp_path / "r", KEY) as reader:
        after = stored(reader, visits, None)
        np.testing.assert_array_equal(after.raw, before.raw)
        np.testing.assert_array_equal(after.at_us, before.at_us)
        again = reader.columns(RATE, UTC0, UTC0 + 6 * HOUR, 20)
        assert again.gaps == far.gaps
        assert reader.verify().problems == ()

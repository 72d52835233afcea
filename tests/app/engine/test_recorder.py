"""The record's thread: what is durable, what waits, and what is never lost."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.engine import recorder as recorder_module
from app.engine.recorder import LONG_FRAMES, Arrival, Committed, Recorder
from core.model import cbor
from core.model.block import Provenance, SampleBlock
from core.model.clock import SystemClock
from core.record import DiskFull, Record, RecordError, RecordReader, RecordReadOnly, StampedBlock

KEY = bytes(range(32))
EMG = 8
"""A channel at 1 kHz."""
LENGTH = 4000
PATIENCE_S = 30.0


class Told:
    """What a recorder said, with waiting."""

    def __init__(self) -> None:
        self.sequences: list[int] = []
        self.states: list[RecordError | None] = []
        self._news = threading.Condition()

    def committed(self, done: Committed) -> None:
        with self._news:
            self.sequences += [first for arrival in done.arrivals for _, first, _ in arrival.frames]
            self._news.notify_all()

    def failed(self, error: RecordError | None) -> None:
        with self._news:
            self.states.append(error)
            self._news.notify_all()

    def until_committed(self, *sequences: int) -> None:
        with self._news:
            assert self._news.wait_for(lambda: set(sequences) <= set(self.sequences), PATIENCE_S), self.sequences

    def until_told(self, count: int) -> RecordError | None:
        with self._news:
            assert self._news.wait_for(lambda: len(self.states) >= count, PATIENCE_S), self.states
            return self.states[count - 1]


def arrival(sequence: int) -> Arrival:
    samples = np.random.default_rng(sequence).integers(-2000, 2000, LENGTH).astype(np.int16)
    first = sequence * LENGTH
    block = SampleBlock(EMG, 1, first, first * 1000, 1000, samples, Provenance.LIVE)
    return Arrival(
        "hub", (("hub", sequence, sequence + 1),), (StampedBlock(block, 1_800_000_000_000_000 + first * 1000),), None
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chair-1.sqlite"


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def recorder(path: Path, told: Told) -> Iterator[Recorder]:
    record = Record.create(path, KEY, chair=1, simulated=True, clock=SystemClock())
    one = Recorder(record, committed=told.committed, failed=told.failed)
    one.start()
    yield one
    if one.alive:
        one.close()


def note(recorder: Recorder, word: str) -> None:
    recorder.note(lambda record: record.audit(word, actor="test", at_us=1, body={}))


def limit_pages(recorder: Recorder, pages: int) -> None:
    """A file that may grow no further stands for a full disk."""
    recorder.do(lambda record: record._file.execute(f"PRAGMA max_page_count = {pages}")).result(PATIENCE_S)


def full(recorder: Recorder, told: Told) -> int:
    """Fill the record until it takes no more; how many frames were given to it."""
    limit_pages(recorder, 30)
    given = 0
    while not told.states:
        recorder.add(arrival(given))
        given += 1
        recorder.do(lambda record: record.patients()).result(PATIENCE_S)
    assert isinstance(told.states[0], DiskFull)
    return given


def test_samples_are_durable_before_they_are_called_committed(recorder: Recorder, told: Told, path: Path) -> None:
    recorder.add(arrival(0))
    told.until_committed(0)
    with RecordReader.open(path, KEY) as reader:
        assert reader.info().samples == LENGTH


def test_a_job_is_durable_when_its_future_is_done_and_its_error_reaches_whoever_waits(
    recorder: Recorder, path: Path
) -> None:
    entry = recorder.do(lambda record: record.audit("one", actor="test", at_us=1, body={})).result(PATIENCE_S)
    with RecordReader.open(path, KEY) as reader:
        assert [found.entry for found in reader.audit_entries()] == [entry.entry]

    def stumble(record: Record) -> None:
        record.audit("half", actor="test", at_us=1, body={})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        recorder.do(stumble).result(PATIENCE_S)
    recorder.do(lambda record: None).result(PATIENCE_S)
    with RecordReader.open(path, KEY) as reader:
        assert len(reader.audit_entries()) == 1, "nothing of a job that failed is kept"


def test_a_full_disk_is_told_once_and_when_there_is_room_again_nothing_is_missing(
    recorder: Recorder, told: Told, path: Path
) -> None:
    given = full(recorder, told)
    assert len(told.states) == 1
    limit_pages(recorder, 1_000_000)
    assert told.until_told(2) is None
    told.until_committed(*range(given))
    recorder.close()
    with RecordReader.open(path, KEY) as reader:
        report = reader.verify()
        assert (report.problems, report.samples) == ((), given * LENGTH)


def test_the_room_kept_for_the_last_minutes_is_given_when_the_disk_is_full_and_taken_again_when_there_is_room(
    path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.recorder.COMPACT_SECONDS", 0.1)
    recorder = Recorder(
        Record.create(path, KEY, chair=1, simulated=True, clock=SystemClock()),
        committed=told.committed,
        failed=told.failed,
    )
    assert recorder.on_reserve(), "none is kept yet"
    recorder.start()
    recorder.do(lambda record: record.patients()).result(PATIENCE_S)
    assert not recorder.on_reserve()
    given = full(recorder, told)
    assert recorder.on_reserve(), "it was given before the full disk was told of"
    limit_pages(recorder, 1_000_000)
    told.until_committed(*range(given))
    ballast = path.with_name(path.name + ".ballast")
    ends = time.monotonic() + PATIENCE_S
    while recorder.on_reserve() and time.monotonic() < ends:
        recorder.do(lambda record: record.patients()).result(PATIENCE_S)
    recorder.close()
    assert ballast.exists(), "taken again, and it stays for the next procedure"


def test_what_happened_while_nothing_could_be_written_is_written_later_in_its_order(
    recorder: Recorder, told: Told, path: Path
) -> None:
    recorder.do(lambda record: record._file.execute("PRAGMA query_only = 1")).result(PATIENCE_S)
    for word in ("first", "second", "third"):
        note(recorder, word)
    with pytest.raises(RecordReadOnly):
        recorder.do(lambda record: record.audit("refused", actor="test", at_us=1, body={})).result(PATIENCE_S)
    assert isinstance(told.until_told(1), RecordReadOnly)
    recorder.do(lambda record: record._file.execute("PRAGMA query_only = 0")).result(PATIENCE_S)
    assert told.until_told(2) is None
    recorder.close()
    with RecordReader.open(path, KEY) as reader:
        assert _words(reader) == ["first", "second", "third"]


def test_an_error_that_will_not_pass_does_not_stop_what_comes_after(recorder: Recorder, path: Path) -> None:
    recorder.note(lambda record: 1 // 0)
    note(recorder, "after")
    recorder.close()
    with RecordReader.open(path, KEY) as reader:
        assert _words(reader) == ["after"]


def test_closing_commits_everything(recorder: Recorder, path: Path) -> None:
    for sequence in range(5):
        recorder.add(arrival(sequence))
    note(recorder, "last")
    recorder.close()
    with RecordReader.open(path, KEY) as reader:
        assert reader.info().samples == 5 * LENGTH
        assert _words(reader) == ["last"]


def test_closing_on_a_full_disk_ends(recorder: Recorder, told: Told, path: Path) -> None:
    given = full(recorder, told)
    recorder.close()
    with RecordReader.open(path, KEY) as reader:
        report = reader.verify()
        assert report.problems == ()
        assert report.samples < given * LENGTH
        assert report.samples == len(told.sequences) * LENGTH, "just what was called committed"


def _words(reader: RecordReader) -> list[str]:
    decoded = [cbor.decode(found.entry) for found in reader.audit_entries()]
    return [str(entry["kind"]) for entry in decoded if isinstance(entry, dict)]


def test_what_was_gathered_for_long_does_not_wait_for_the_next_commit(
    recorder: Recorder, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder.add(arrival(1))
    told.until_committed(1)
    monkeypatch.setattr(recorder_module, "COMMIT_SECONDS", 1000.0)
    recorder.add(arrival(2))
    told.until_committed(2)  # due since before
    recorder.add(arrival(3))
    recorder.do(lambda record: record.id).result(PATIENCE_S)
    assert 3 not in told.sequences
    recorder.add(replace(arrival(4), frames=(("hub", 4, 4 + LONG_FRAMES),)))
    told.until_committed(3, 4)


def test_commits_go_on_while_what_came_before_is_packed(
    recorder: Recorder, path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For one record at a time: here another one's work holds the packer up."""
    monkeypatch.setattr(recorder_module, "COMPACT_SECONDS", 0.0)
    monkeypatch.setattr("core.record.compaction._RIPE_ROWS", 1)
    recorder.close()
    again = Recorder(Record.open(path, KEY, clock=SystemClock()), committed=told.committed, failed=told.failed)
    other = threading.Event()
    recorder_module._packer.submit(other.wait)

    def blocks() -> int:
        return again.do(lambda record: int(record.file.rows("SELECT count(*) FROM block")[0][0])).result(PATIENCE_S)

    again.start()
    for number in range(5, 8):
        again.add(arrival(number))
        told.until_committed(number)
    assert blocks() == 0
    other.set()
    ends = time.monotonic() + PATIENCE_S
    while not blocks() and time.monotonic() < ends:
        pass
    assert blocks()
    again.close()
    with RecordReader.open(path, KEY) as reader:
        report = reader.verify()
        assert (report.problems, report.samples) == ((), 3 * LENGTH)


def test_what_was_packed_before_something_else_was_compacted_is_not_stored_twice(
    recorder: Recorder, path: Path, told: Told
) -> None:
    recorder.add(arrival(5))
    told.until_committed(5)
    task = recorder.do(lambda record: record.plan_compaction(settle=True)).result(PATIENCE_S)
    assert task is not None
    recorder.do(lambda record: record.compact(settle=True)).result(PATIENCE_S)
    assert recorder.do(lambda record: record.store_compacted(task.pack())).result(PATIENCE_S) == 0
    recorder.close()
    with RecordReader.open(path, KEY) as reader:
        report = reader.verify()
        assert (report.problems, report.samples) == ((), LENGTH)

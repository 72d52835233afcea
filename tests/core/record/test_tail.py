"""Rows of what was committed and is not compacted yet: slots that are used again, and nothing lost in them."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.record import Record, RecordReader, StampedBlock
from core.record.tail import SLOT_BYTES, Fresh, Tail, pack
from tests.core.record.conftest import EMG, KEY, PH, UTC0

MakeBlock = Callable[..., StampedBlock]
FRAME_BYTES = 24 + 16_384
"""A page in the write-ahead log."""


def commit(record: Record, *blocks: StampedBlock, visit: str | None = None) -> None:
    with record.transaction():
        record.add_blocks("hub", blocks, visit)


def table(record: Record) -> list[tuple[int, str | None, int]]:
    """Number, visit and length of each row."""
    return record.file.rows("SELECT number, visit, length(data) FROM tail ORDER BY id")


def test_a_commit_writes_one_page(record: Record, path: Path, stamped: MakeBlock) -> None:
    log = path.with_name(path.name + "-wal")
    commit(record, stamped(0, 200))  # the first ones make slots
    grew = []
    for step in range(1, 10):
        before = log.stat().st_size
        commit(record, *(stamped(step * 200, 200, channel=channel) for channel in (EMG, 7)))
        grew.append((log.stat().st_size - before) / FRAME_BYTES)
    assert grew[1:] == [1.0] * 8, "the first with a new channel is a row of `stream` more"


def test_all_channels_of_a_commit_are_one_row_and_each_visit_has_its_own(
    record: Record, path: Path, stamped: MakeBlock
) -> None:
    with record.transaction():
        record.add_blocks("hub", [stamped(0, 200), stamped(0, 2, channel=PH, period_us=100_000)], "a")
        record.add_blocks("strap", [stamped(0, 3, channel=PH, period_us=100_000)], "a")
        record.add_blocks("hub", [stamped(200, 200)], "b")
    assert [row[:2] for row in table(record) if row[0]] == [(2, "b"), (1, "a")][::-1]
    with RecordReader.open(path, KEY) as reader:
        assert [(span.channel, span.samples) for span in reader.spans("a")] == [("saliva_ph", 5), ("jaw_emg", 200)]
        assert [(span.channel, span.samples) for span in reader.spans("b")] == [("jaw_emg", 200)]
        assert reader.columns("jaw_emg", UTC0, UTC0 + 400_000, 1000, "b").at_us[0] == UTC0 + 200_000
        assert reader.verify().problems == ()


def test_slots_are_used_again_and_nothing_stays_in_a_free_one(record: Record, stamped: MakeBlock) -> None:
    for step in range(30):
        commit(record, stamped(step * 200, 200), visit="v")
    commit(record, stamped(6000, 5000), visit="v")
    slots = len([row for row in table(record) if row[2] == SLOT_BYTES])
    assert [row[2] for row in table(record) if row[2] != SLOT_BYTES] == [len(pack([fresh(5000)]))], "too long for one"
    record.compact(settle=True)
    assert table(record) == [(0, None, SLOT_BYTES)] * slots
    assert not any(any(data) for (data,) in record.file.rows("SELECT data FROM tail"))
    for step in range(30):
        commit(record, stamped(11_000 + step * 200, 200))
    assert len(table(record)) == slots


def test_a_burst_gives_its_slots_back_and_closing_leaves_none(record: Record, path: Path, stamped: MakeBlock) -> None:
    for step in range(200):
        commit(record, stamped(step * 200, 200))
    record.compact(settle=True)
    assert len(table(record)) == 128
    commit(record, stamped(40_000, 200))
    record.close()
    with RecordReader.open(path, KEY) as reader:
        assert reader._file.rows("SELECT count(*) FROM tail") == [(0,)]
        assert reader.info().samples == 40_200


def test_what_failed_left_nothing_and_what_comes_next_is_kept(record: Record, path: Path, stamped: MakeBlock) -> None:
    for step in range(40):
        with contextlib.suppress(ZeroDivisionError), record.transaction():
            record.add_blocks("hub", [stamped(step * 200, 200, channel=7)], None)
            raise ZeroDivisionError
        commit(record, stamped(step * 200, 200))
        if step % 9 == 8:
            record.compact(settle=True)
    with RecordReader.open(path, KEY) as reader:
        assert [(span.channel, span.samples) for span in reader.spans()] == [("jaw_emg", 8000)]
        assert reader.verify().problems == ()


def test_a_damaged_row_stays_as_it_is_and_all_others_are_compacted(
    record: Record, path: Path, stamped: MakeBlock
) -> None:
    for step in range(5):
        commit(record, stamped(step * 200, 200))
    ((row, data),) = record.file.rows("SELECT id, data FROM tail WHERE number = 3")
    with record.transaction():
        spoilt = data[:300] + bytes([data[300] ^ 1]) + data[301:]
        record.file.execute("UPDATE tail SET data = ? WHERE id = ?", (spoilt, row))
        record.file.execute("INSERT INTO tail (id, number, data) VALUES (999, 999, x'07')")
    record.close()
    with RecordReader.open(path, KEY) as reader:
        report = reader.verify()
        assert report.samples == 800
        assert any(f"tail {row} (channel 8, samples 400 to 599)" in problem for problem in report.problems)
        assert any("tail 999 cannot be read" in problem for problem in report.problems)


def test_what_is_much_comes_in_several_rows(record: Record, path: Path, stamped: MakeBlock) -> None:
    commit(record, *(stamped(first, 60_000) for first in range(0, 900_000, 60_000)), visit="v")
    assert [row[0] for row in table(record) if row[0]] == [1, 2]
    with RecordReader.open(path, KEY) as reader:
        assert reader.verify().samples == 900_000


def fresh(count: int) -> Fresh:
    return Fresh((1, 8, 0, count, 0, 1, 0, count), 0, np.arange(count, dtype=np.int16))


def test_a_row_is_what_it_was_and_no_other_bytes_pass_for_one() -> None:
    data = pack([fresh(3), fresh(200)])
    tail = Tail([(7, "v", data.ljust(SLOT_BYTES, b"\0"))])
    assert [tail.data(entry) for entry in range(2)] == [np.arange(n, dtype="<i2").tobytes() for n in (3, 200)]
    assert tail.unsound(np.arange(2)) == set()
    assert tail.values(1)[:4] + tail.values(1)[-3:] == (1, 8, 0, 200, 0, 199, 19_900)
    for length in range(len(data)):
        assert Tail([(7, "v", data[:length])]).damaged == [7]
    assert Tail([(7, "v", bytes(SLOT_BYTES)), (8, "v", b"\xff" * SLOT_BYTES)]).damaged == [7, 8]

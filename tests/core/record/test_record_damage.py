"""Damage anywhere is found and named; it never passes for data, and never ends in anything but a typed error."""

import contextlib
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.model.clock import ManualClock
from core.model.words import Text
from core.record import Record, RecordDamaged, RecordReader, StampedBlock, WrongKey
from core.record.inspect import record_info, verify_record
from core.record.sqlcipher import CipherFile
from core.record.tail import Fresh, pack

KEY = bytes(range(32))
UTC0 = 1_800_000_000_000_000
MakeBlock = Callable[..., StampedBlock]
AGAIN = pack([Fresh((1, 8, 5, 1, 0, 1, 0, 1000), 0, np.zeros(1, np.int16))])
"""A row of the tail: a sample that is there already."""


@pytest.fixture
def sound(record: Record, path: Path, stamped: MakeBlock) -> Path:
    """A closed record with some of everything."""
    for step in range(60):
        with record.transaction():
            record.add_blocks("hub", [stamped(step * 500, 500)], "v")
            record.add_event("mark", Text("mark"), at_us=UTC0 + step, visit_id="v", author="op")
            record.audit("step", actor="op", at_us=UTC0, body={"step": step})
    record.close()
    return path


def test_a_sound_record_verifies(sound: Path) -> None:
    report = verify_record(sound, KEY)
    assert (report.ok, report.problems, report.entries, report.samples) == (True, (), 60, 30_000)
    info = record_info(sound, KEY)
    assert (info.samples, info.audit.size, info.chair, info.simulated) == (30_000, 60, 1, True)


@pytest.mark.parametrize("seed", range(12))
def test_one_flipped_bit_anywhere_is_found(sound: Path, seed: int, clock: ManualClock) -> None:
    chance = random.Random(seed)
    raw = bytearray(sound.read_bytes())
    at = chance.randrange(16, len(raw)) if seed else 100
    raw[at] ^= 1 << chance.randrange(8)
    sound.write_bytes(raw)
    report = verify_record(sound, KEY)
    assert not report.ok
    assert report.problems
    with contextlib.suppress(RecordDamaged):  # the only error that may come of it; what is read is right
        with RecordReader.open(sound, KEY) as reader:
            for block in reader.samples(None, "jaw_emg"):
                index = range(block.first_index, block.end_index)
                assert [int(v) for v in block.samples] == [(i * 7919) % 4001 - 2000 for i in index]
            reader.info()
        Record.open(sound, KEY, clock=clock).close()


def test_damage_to_the_first_page_is_not_taken_for_a_wrong_key(sound: Path) -> None:
    raw = bytearray(sound.read_bytes())
    raw[200] ^= 1
    sound.write_bytes(raw)
    with pytest.raises(RecordDamaged):
        RecordReader.open(sound, KEY)
    with pytest.raises(WrongKey):
        RecordReader.open(sound, bytes(32))


@pytest.mark.parametrize("length", [0, 1, 15, 4096, 16384, -1, -16384])
def test_a_truncated_file_is_damaged(sound: Path, length: int) -> None:
    raw = sound.read_bytes()
    sound.write_bytes(raw[:length])
    report_or_error: object
    try:
        report_or_error = verify_record(sound, KEY).ok
    except WrongKey:  # so little is left that it could be any file
        report_or_error = length < 16 and length >= 0
        report_or_error = not report_or_error
    assert report_or_error is False


def test_a_file_that_is_no_record_is_refused(tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Anna, " * 5000)
    with pytest.raises((WrongKey, RecordDamaged)):
        RecordReader.open(letter, KEY)
    assert letter.read_text() == "Dear Anna, " * 5000


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE payload SET data = zeroblob(40)", "checksum"),
        ("DELETE FROM payload", "missing"),
        ("UPDATE block SET count = count - 1", "samples"),
        ("UPDATE block SET high = high + 1", "low, high or total"),
        ("UPDATE block SET codec = 77", "Codec 77"),
        ("UPDATE block SET end_utc_us = utc_us - 5", "time runs backwards"),
        (f"INSERT INTO tail VALUES (99, 1, NULL, x'{AGAIN.hex()}')", "stand twice"),
        ("INSERT INTO tail VALUES (99, 1, NULL, x'09')", "tail 99 cannot be read"),
        (f"INSERT INTO tail VALUES (99, 1, NULL, x'{AGAIN[:-2].hex()}')", "tail 99 cannot be read"),
        (f"INSERT INTO tail VALUES (99, 1, NULL, x'{AGAIN[:-1].hex()}01')", "fail their checksum"),
        ("DELETE FROM audit WHERE sequence = 7", "entry 7 was removed"),
        ("UPDATE audit SET entry = x'a0' WHERE sequence = 7", "entry 7 was changed"),
    ],
)  # fmt: skip
def test_what_somebody_with_the_key_changed_is_named(sound: Path, statement: str, told: str) -> None:
    file = CipherFile.open(sound, KEY)
    file.execute("DROP TRIGGER audit_no_update")
    file.execute("DROP TRIGGER audit_no_delete")
    file.execute("PRAGMA foreign_keys = OFF")
    file.execute(statement)
    file.close()
    report = verify_record(sound, KEY)
    assert not report.ok
    assert any(told in problem for problem in report.problems), report.problems


@pytest.mark.parametrize("body", [b"", b"\xa1", b"\xff", b"\x01"], ids=["empty", "cut", "no value", "a number"])
def test_a_stored_value_that_cannot_be_read_is_damage(sound: Path, body: bytes) -> None:
    file = CipherFile.open(sound, KEY)
    with file.transaction():
        source = file.rows("SELECT id FROM source")[0][0]
        file.execute("INSERT INTO hub_day (source, day, read_us, body) VALUES (?, 1, 1, ?)", (source, body))
    file.close()
    with RecordReader.open(sound, KEY) as reader, pytest.raises(RecordDamaged, match="DaySummary"):
        reader.days("hub")

"""A practice with a file of its own, and dentists."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.keys.authority import Authority
from core.model.clock import ManualClock
from core.model.people import Operator, Role
from core.record.practice import PracticeFile

FILE_KEY = bytes(range(32))
ADA = Operator(id="0190a000-0000-7000-8000-00000000000a", name="Dr. Ada Moor", role=Role.DENTIST)
LEE = Operator(id="0190a000-0000-7000-8000-00000000000b", name="Dr. Lee", role=Role.DENTIST)
PIN, OTHER_PIN = "739154", "286413"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(utc_us=1_800_000_000_000_000)


@pytest.fixture
def practice(tmp_path: Path, clock: ManualClock) -> Iterator[PracticeFile]:
    file = PracticeFile.create(tmp_path / "practice.sqlite", FILE_KEY, clock=clock)
    for one in (ADA, LEE):
        file.add_operator(one, "hash")
    yield file
    file.close()


@pytest.fixture
def authority(practice: PracticeFile, clock: ManualClock) -> Authority:
    return Authority(practice.keys, clock, simulated=False)


Everything = Callable[[], bytes]


@pytest.fixture
def everything(practice: PracticeFile) -> Everything:
    """Every value of every row of the file, decrypted, one after the other."""

    def read() -> bytes:
        file = practice._file
        tables = [row[0] for row in file.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        values = [value for table in tables for row in file.rows(f"SELECT * FROM {table}") for value in row]
        return b"\0".join(value if isinstance(value, bytes) else str(value).encode() for value in values)

    return read

"""A write-ahead log cut at any length, or with a bit flipped: all whole commits before that are there, none after."""

import random
import shutil
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.proof.record_script import Writer, check

HEADER, FRAME = 32, 24 + 16384
"""Bytes of the log's header, and of a frame: its own header and a page."""
SETTLED, LOGGED = 5, 12


@dataclass(frozen=True)
class Log:
    """A record whose last steps stand in its log only. `ends`: the log's length after each of them."""

    file: bytes
    log: bytes
    ends: list[int]

    def steps(self, sound: int) -> int:
        """Steps that are there when only so many bytes of the log are as written."""
        return SETTLED + bisect_right(self.ends, sound)

    def opens_to(self, folder: Path, log: bytes) -> int:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "r").write_bytes(self.file)
        (folder / "r-wal").write_bytes(log)
        return check(folder / "r")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Log:
    path = tmp_path_factory.mktemp("torn") / "r"
    writer = Writer(path, lambda _: None)
    for _ in range(SETTLED):
        writer.go()
    writer.record.close()
    writer = Writer(path, lambda _: None)
    log, ends = path.with_name("r-wal"), []
    for _ in range(LOGGED):
        writer.go()
        ends.append(log.stat().st_size)
    found = Log(path.read_bytes(), log.read_bytes(), ends)
    writer.record.close()
    assert sorted(set(ends)) == ends, "the log did not begin anew"
    return found


def test_a_log_cut_anywhere_ends_with_the_last_whole_commit(written: Log, tmp_path: Path) -> None:
    chance = random.Random(1)
    edges = [end + by for end in written.ends for by in (-1, 0, 1) if end + by <= len(written.log)]
    for cut in [0, 1, HEADER, *edges, *(chance.randrange(len(written.log)) for _ in range(30))]:
        assert written.opens_to(tmp_path / "r", written.log[:cut]) == written.steps(cut), f"cut at {cut}"


def test_a_flipped_bit_in_the_log_ends_it_before_that_commit(written: Log, tmp_path: Path) -> None:
    chance = random.Random(2)
    for _ in range(50):
        at = chance.randrange(len(written.log))
        log = bytearray(written.log)
        log[at] ^= 1 << chance.randrange(8)
        sound = max(0, (at - HEADER) // FRAME * FRAME + HEADER)
        assert written.opens_to(tmp_path / "r", bytes(log)) == written.steps(sound), f"flipped in byte {at}"


def test_after_a_torn_log_the_next_writer_goes_on(written: Log, tmp_path: Path) -> None:
    chance = random.Random(3)
    for _ in range(5):
        cut = chance.randrange(len(written.log))
        found = written.opens_to(tmp_path / "r", written.log[:cut])
        writer = Writer(tmp_path / "r" / "r", lambda _: None)
        writer.go()
        writer.record.close()
        assert check(tmp_path / "r" / "r") == found + 1, f"cut at {cut}"

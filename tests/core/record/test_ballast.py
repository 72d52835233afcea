"""The room that is kept for the last minutes of a procedure: real blocks, given back when needed, taken again."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.model.block import Provenance, SampleBlock
from core.model.clock import ManualClock
from core.record import Ballast, DiskFull, Record, StampedBlock
from core.record.ballast import BALLAST_BYTES, MINUTES
from core.signals.catalogue import load_catalogue
from tests.core.record.test_record_disk import mounted, unmounted

KEY = bytes(range(32))
MIB = 1 << 20
LOG_LIMIT = 16 * MIB


def test_it_takes_blocks_of_the_disk_and_gives_them_back(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "r", size=4 * MIB)
    assert not ballast.held()
    assert not ballast.release(), "there was none"
    assert ballast.keep()
    assert ballast.keep(), "once is enough"
    found = ballast.path.stat()
    assert found.st_size == 4 * MIB
    assert sys.platform == "win32" or found.st_blocks * 512 >= 4 * MIB, "no hole"
    assert ballast.release()
    assert not ballast.held()
    assert list(tmp_path.iterdir()) == []


def test_it_is_not_taken_where_too_little_is_left_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ballast = Ballast(tmp_path / "r", size=MIB)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=3 * MIB - 1))
    assert not ballast.keep()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=3 * MIB))
    assert ballast.keep()


def test_half_a_file_is_no_room_and_a_folder_that_is_gone_raises_nothing(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "r", size=MIB)
    ballast.path.write_bytes(bytes(MIB - 1))
    assert not ballast.held()
    assert ballast.keep()
    assert ballast.held()
    assert not Ballast(tmp_path / "none" / "r").keep()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path | None]:
    """A disk of 16 MiB; None where none can be had."""
    folder = tmp_path / "disk"
    folder.mkdir()
    really = mounted(folder, "size=16m")
    yield folder if really else None
    if really:
        unmounted(folder)


def test_on_a_full_disk_its_room_takes_the_last_minutes(disk: Path | None, tmp_path: Path, clock: ManualClock) -> None:
    folder = disk or tmp_path
    ballast = Ballast(folder / "r", size=4 * MIB)
    record = Record.create(folder / "r", KEY, chair=1, simulated=True, clock=clock)
    assert ballast.keep()
    with (folder / "others").open("wb", buffering=0) as others:
        while disk and shutil.disk_usage(disk).free:
            others.write(bytes(min(MIB, shutil.disk_usage(disk).free)))
    if not disk:  # a file that may grow no further stands for a full disk
        record._file.execute("PRAGMA max_page_count = 40")
    done = 0

    def commits(most: int) -> int:
        nonlocal done
        for _ in range(most):
            samples = np.full(20_000, done % 30_000, np.int16)
            block = SampleBlock(8, 0, done * 20_000, done * 20_000_000, 1000, samples, Provenance.LIVE)
            with record.transaction():
                record.add_blocks("hub", [StampedBlock(block, done * 20_000_000)], None)
            done += 1
        return most

    with pytest.raises(DiskFull):
        commits(1000)
    assert ballast.release()
    if not disk:
        record._file.execute("PRAGMA max_page_count = 4294967294")
    assert commits(20) == 20
    assert not ballast.keep() or not disk, "while the disk is full, it is not taken again"
    (folder / "others").unlink()
    record.close()
    assert ballast.keep()


def test_a_quarter_of_an_hour_of_a_full_chair_fits(path: Path, clock: ManualClock) -> None:
    """Every channel of the catalogue, a commit each 200 ms, nothing compacted: a minute of it, fifteen times."""
    record = Record.create(path, KEY, chair=1, simulated=True, clock=clock)
    chance = np.random.default_rng(1)
    sent = dict.fromkeys((spec.number for spec in load_catalogue()), 0)

    def size() -> int:
        return int(record._file.rows("PRAGMA page_count")[0][0]) * 16384

    began = size()
    for commit in range(1, 301):
        blocks = []
        for spec in load_catalogue():
            count = int(commit * spec.rate_hz / 5) - sent[spec.number]
            if count:
                first, period_us = sent[spec.number], round(1_000_000 / spec.rate_hz)
                samples = chance.integers(-20_000, 20_000, count).astype(np.int16)
                block = SampleBlock(spec.number, 0, first, first * period_us, period_us, samples, Provenance.LIVE)
                blocks.append(StampedBlock(block, first * period_us))
                sent[spec.number] += count
        with record.transaction():
            record.add_blocks("hub", blocks, "v")
            record.audit("order", actor="op", at_us=1, body={"commit": commit})
    grew = size() - began
    record._file.close()
    record._lock.release()
    assert grew > MIB // 4, "something was written"
    assert grew * MINUTES + LOG_LIMIT <= BALLAST_BYTES, f"{grew / 60:.0f} B/s"

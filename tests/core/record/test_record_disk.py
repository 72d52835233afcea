"""A disk that is full, a folder that cannot be written."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.model.clock import ManualClock
from core.record import DiskFull, Record, RecordReader, RecordReadOnly, StampedBlock

KEY = bytes(range(32))
MakeBlock = Callable[..., StampedBlock]


def mounted(folder: Path, options: str) -> bool:
    """Whether a small file system of its own could be mounted here, as root on Linux can."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return False
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def unmounted(folder: Path) -> None:
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MiB, where one can be had; else a file that may grow no further stands in for it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    really = mounted(folder, "size=4m")
    yield folder
    if really:
        unmounted(folder)


def test_a_full_disk_is_told_and_costs_nothing_that_was_committed(
    small_disk: Path, clock: ManualClock, stamped: MakeBlock
) -> None:
    record = Record.create(small_disk / "r", KEY, chair=1, simulated=True, clock=clock)
    if shutil.disk_usage(small_disk).total > 8 << 20:
        record._file.execute("PRAGMA max_page_count = 40")
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1 << 20))
    committed = 0

    def fill() -> None:
        nonlocal committed
        for _ in range(1000):
            with record.transaction():
                record.add_blocks("hub", [stamped(committed, 10_000)], None)
                record.add_sequences("hub", [(committed // 10_000, committed // 10_000 + 1)])
            committed += 10_000

    with pytest.raises(DiskFull, match="no space"):
        fill()
    assert committed > 0
    assert record.resume_point("hub") == committed // 10_000 - 1, "the hub is not told to forget what failed"
    with pytest.raises(DiskFull):
        fill()
    full_at = committed
    ballast.unlink()
    record._file.execute("PRAGMA max_page_count = 4294967294")
    with record.transaction():
        record.add_blocks("hub", [stamped(committed, 10_000)], None)
        record.add_sequences("hub", [(committed // 10_000, committed // 10_000 + 1)])
    record.close()
    with RecordReader.open(small_disk / "r", KEY) as reader:
        report = reader.verify()
        assert (report.problems, report.samples) == ((), full_at + 10_000)


if os.name == "posix":  # Windows keeps nobody from writing into a folder of their own

    @pytest.fixture
    def read_only_folder(clock: ManualClock, stamped: MakeBlock) -> Iterator[Path]:
        """A folder with a closed record that we cannot write to. Rights do not stop root, who becomes nobody."""
        folder = Path(tempfile.mkdtemp())  # everybody can reach it, unlike pytest's
        record = Record.create(folder / "r", KEY, chair=1, simulated=True, clock=clock)
        with record.transaction():
            record.add_blocks("hub", [stamped(0, 1000)], None)
        record.close()
        (folder / "r").chmod(0o644)
        folder.chmod(0o555)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        yield folder
        os.seteuid(user)
        folder.chmod(0o755)
        shutil.rmtree(folder)

    def test_a_read_only_folder_can_be_read_and_says_why_it_cannot_be_written(
        read_only_folder: Path, clock: ManualClock
    ) -> None:
        with RecordReader.open(read_only_folder / "r", KEY) as reader:
            assert reader.info().samples == 1000
            assert reader.verify().ok
        with pytest.raises(RecordReadOnly, match="rights"):
            Record.open(read_only_folder / "r", KEY, clock=clock)
        with pytest.raises(RecordReadOnly):
            Record.create(read_only_folder / "new", KEY, chair=2, simulated=True, clock=clock)

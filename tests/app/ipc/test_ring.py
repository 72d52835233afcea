"""The live ring between real processes: nothing torn, everything counted, either side may die."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.ipc.ring import LiveBlock, RingPoll, RingReader, RingUnavailable, RingWriter
from core.model.block import Provenance, SampleBlock

LENGTHS = (1, 7, 100, 470)

# Block n: every field and every sample follows from n, so that a mix of two blocks cannot look right.
WRITER = f"""
import sys
from pathlib import Path
import numpy as np
from app.ipc.ring import RingWriter
from core.model.block import Provenance, SampleBlock

path, slots, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
writer = RingWriter(path, slots)
print("ready", flush=True)
sys.stdin.readline()
n = 0
while n != count:
    samples = np.full({LENGTHS}[n % 4], n & 0x7FFF, np.int16)
    writer.write(SampleBlock(n % 200, n % 1000, n, 3 * n, 5, samples, Provenance(n % 4), 7 * n), 11 * n)
    n += 1
print("done", flush=True)
sys.stdin.read()
"""

READER = """
import sys
from pathlib import Path
from app.ipc.ring import RingReader
reader = RingReader(Path(sys.argv[1]), from_start=True)
while not reader.poll().blocks:
    pass
print("reading", flush=True)
while True:
    reader.poll()
"""


def number_of(live: LiveBlock) -> int:
    """Which block this is; fails when any part of it belongs to another one."""
    block, n = live.block, live.block.first_index
    assert (block.channel, block.boot, block.start_us, block.period_us) == (n % 200, n % 1000, 3 * n, 5)
    assert (block.provenance, block.sequence, live.utc_us) == (Provenance(n % 4), 7 * n, 11 * n)
    assert len(block.samples) == LENGTHS[n % 4]
    assert (block.samples == n & 0x7FFF).all()
    return n


def block(first: int, samples: int = 4) -> SampleBlock:
    return SampleBlock(3, 1, first, 1000 * first, 1000, np.arange(first, first + samples).astype(np.int16))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chair-1.ring"


@pytest.fixture
def spawned() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def spawn(spawned: list[subprocess.Popen[str]], code: str, *arguments: object) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    spawned.append(process)
    assert process.stdout is not None
    assert process.stdout.readline().strip() in ("ready", "reading")
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def indexes(poll: RingPoll) -> list[int]:
    return [live.block.first_index for live in poll.blocks]


def test_a_block_arrives_as_it_was_written(path: Path) -> None:
    writer, reader = RingWriter(path), RingReader(path)
    assert reader.poll() == RingPoll([])
    sent = SampleBlock(250, 9, 77, 123_456_789, 4000, np.array([-32768, 0, 32767], np.int16), Provenance.SUSPECT, 5)
    writer.write(sent, 1_800_000_000_000_000)
    (live,) = reader.poll().blocks
    assert live.utc_us == 1_800_000_000_000_000
    got = live.block
    assert got.samples.tolist() == [-32768, 0, 32767]
    for name in ("channel", "boot", "first_index", "start_us", "period_us", "provenance", "sequence"):
        assert getattr(got, name) == getattr(sent, name)
    assert reader.poll() == RingPoll([])


def test_a_block_larger_than_a_slot_is_split_without_a_seam(path: Path) -> None:
    writer, reader = RingWriter(path, slots=8, slot_bytes=128), RingReader(path, from_start=True)
    writer.write(block(10, samples=100), 5_000_000)
    blocks = reader.poll().blocks
    assert len(blocks) > 1
    assert np.concatenate([live.block.samples for live in blocks]).tolist() == list(range(10, 110))
    for live in blocks:
        passed = live.block.first_index - 10
        assert live.block.start_us == 10_000 + 1000 * passed
        assert live.utc_us == 5_000_000 + 1000 * passed


@pytest.mark.parametrize("bend", [-0.01, 0.01])
def test_samples_closer_or_wider_than_their_period_keep_their_place(path: Path, bend: float) -> None:
    writer, reader = RingWriter(path), RingReader(path, from_start=True)
    for first in (0, 400):
        utc_us = round(first * 1000 * (1 + bend))
        writer.write(block(first, samples=400), utc_us, utc_us + round(400_000 * (1 + bend)))
    found = reader.poll().blocks
    times = np.concatenate([live.utc_us + 1000 * np.arange(len(live.block.samples)) for live in found])
    assert np.abs(times - np.arange(800) * 1000 * (1 + bend)).max() <= 501, "half a period, and one for rounding"
    assert np.all(np.diff(times) > 0)
    assert [sample for live in found for sample in live.block.samples.tolist()] == list(range(800))


def test_samples_that_lie_by_their_period_are_not_split_for_it(path: Path) -> None:
    writer, reader = RingWriter(path), RingReader(path, from_start=True)
    writer.write(block(0, samples=400), 0, 400_020)
    (live,) = reader.poll().blocks
    assert len(live.block.samples) == 400


def test_a_reader_starts_now_or_with_what_is_still_there(path: Path) -> None:
    writer = RingWriter(path, slots=4)
    for n in range(10):
        writer.write(block(n), n)
    late, redraw = RingReader(path), RingReader(path, from_start=True)
    assert late.poll() == RingPoll([])
    assert indexes(redraw.poll()) == [6, 7, 8, 9]
    writer.write(block(10), 10)
    assert indexes(late.poll()) == [10]
    assert indexes(redraw.poll()) == [10]


def test_what_was_overwritten_is_counted_exactly(path: Path) -> None:
    writer, reader = RingWriter(path, slots=4), RingReader(path)
    reader.poll()
    for n in range(11):
        writer.write(block(n), n)
    poll = reader.poll()
    assert indexes(poll) == [7, 8, 9, 10]
    assert poll.skipped == 7


def test_a_damaged_slot_is_given_up_and_counted(path: Path) -> None:
    writer, reader = RingWriter(path, slots=8), RingReader(path, from_start=True)
    for n in range(3):
        writer.write(block(n), n)
    with path.open("r+b") as stream:
        stream.seek(4096 + 1024 + 70)  # among the samples
        stream.write(b"\xff\xff")
    polls = [reader.poll() for _ in range(3)]
    assert [index for poll in polls for index in indexes(poll)] == [0, 2]
    assert sum(poll.skipped for poll in polls) == 1


def test_a_reader_waits_for_a_file_that_is_not_there_or_makes_no_sense(path: Path) -> None:
    reader = RingReader(path, from_start=True)
    assert reader.poll() == RingPoll([])
    path.write_bytes(b"")
    assert reader.poll() == RingPoll([])
    path.write_bytes(b"\xff" * 100_000)
    assert reader.poll() == RingPoll([])
    writer = RingWriter(path, slots=4)
    writer.write(block(1), 1)
    assert indexes(reader.poll()) == [1]


def test_a_new_engine_is_noticed_even_with_another_geometry(path: Path) -> None:
    first = RingWriter(path, slots=8)
    reader = RingReader(path)
    reader.poll()
    for n in range(5):
        first.write(block(n), n)
    assert indexes(reader.poll()) == [0, 1, 2, 3, 4]
    second = RingWriter(path, slots=8)
    for n in range(20, 30):
        second.write(block(n), n)
    poll = reader.poll()
    assert poll.restarted
    assert indexes(poll) == [22, 23, 24, 25, 26, 27, 28, 29]
    assert poll.skipped == 2
    third = RingWriter(path, slots=16)
    third.write(block(50), 50)
    found = [index for _ in range(2) for index in indexes(reader.poll())]
    third.write(block(51), 51)
    found += indexes(reader.poll())
    assert found[-1] == 51
    assert set(found) <= {50, 51}


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_only_this_user_can_read_it_and_all_of_it_is_allocated(path: Path) -> None:
    RingWriter(path, slots=64)
    state = path.stat()
    assert state.st_mode & 0o777 == 0o600
    assert state.st_blocks * 512 >= state.st_size


def test_a_ring_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RingUnavailable) as error:
        RingWriter(tmp_path / "file" / "ring")
    assert error.value.remedy


@pytest.mark.parametrize("slots", [8, 4096])
def test_nothing_torn_is_delivered_and_every_block_is_delivered_or_counted(
    path: Path, spawned: list[subprocess.Popen[str]], slots: int
) -> None:
    count = 30_000
    reader = RingReader(path, from_start=True)
    process = spawn(spawned, WRITER, path, slots, count)
    assert reader.poll() == RingPoll([])
    go(process)
    delivered, skipped, last = 0, 0, -1
    while last < count - 1:
        poll = reader.poll()
        skipped += poll.skipped
        for live in poll.blocks:
            n = number_of(live)
            assert n > last
            last = n
            delivered += 1
    assert delivered + skipped == count
    assert delivered > 0
    assert process.poll() is None


def test_a_writer_that_is_killed_leaves_a_ring_that_can_be_read_and_written_again(
    path: Path, spawned: list[subprocess.Popen[str]]
) -> None:
    reader = RingReader(path, from_start=True)
    for life in range(3):
        process = spawn(spawned, WRITER, path, 32, -1)
        go(process)
        seen, restarted = 0, life == 0
        while seen < 200 or not restarted:
            poll = reader.poll()
            restarted |= poll.restarted
            seen += len([number_of(live) for live in poll.blocks])
        process.kill()
        process.wait()
        while reader.poll().blocks:
            pass
        assert [number_of(live) for live in RingReader(path, from_start=True).poll().blocks]


def test_a_reader_that_is_killed_disturbs_nobody(path: Path, spawned: list[subprocess.Popen[str]]) -> None:
    writer = RingWriter(path, slots=16)
    writer.write(block(0), 0)
    process = spawn(spawned, READER, path)
    for n in range(1, 500):
        writer.write(block(n), n)
        if n == 250:
            process.kill()
            process.wait()
    assert indexes(RingReader(path, from_start=True).poll()) == list(range(484, 500))

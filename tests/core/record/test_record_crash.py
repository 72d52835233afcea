"""kill -9 at any point: everything acknowledged is there, nothing is half there, and the next writer goes on."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from core.record import RecordReader

KEY = bytes(range(32))
WRITER = Path(__file__).with_name("crash_writer.py")
ROOT = WRITER.parents[3]


def run_and_kill(path: Path, after: int, lag: int) -> int:
    """Let a writer commit until `after` more steps were acknowledged and kill it; returns the last one it told of."""
    with subprocess.Popen(
        [sys.executable, str(WRITER), str(path)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as writer:
        assert writer.stdout is not None
        last = -1
        for count, line in enumerate(writer.stdout, 1):
            last = int(line)
            if count == after:
                for _ in range(lag):  # so that the kill falls at different points of a commit
                    random.random()
                writer.kill()
        return last


@pytest.mark.parametrize("seed", range(3))
def test_what_was_acknowledged_survives_kill_9(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = tmp_path / "r"
    told = -1
    for _ in range(3):
        told = run_and_kill(path, chance.randint(1, 60), chance.randint(0, 40_000))
    with RecordReader.open(path, KEY) as reader:
        report = reader.verify()
        assert report.problems == ()
        steps = report.entries
        assert steps >= told + 1, "each step that was told of is there"
        assert report.samples == steps * 202, "and none is there by half"
        emg = [i for b in reader.samples("hub", "jaw_emg") for i in range(b.first_index, b.end_index)]
        assert emg == list(range(steps * 200))
        values = [int(v) for b in reader.samples("hub", "jaw_emg") for v in b.samples]
        assert values == [i if i < 32768 else i - 65536 for i in (n % 65536 for n in emg)]

"""kill -9 at any point: what was acknowledged is there to the sample, nothing is there by half, the next one goes on.

`pytest tests/proof/test_record_kill.py --all-kills -s` kills a thousand times. Half of the writers die at a random
moment, half (with libfiu, see `faults.py`) before a random call to the system.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from core.model.clock import SystemClock
from core.record import Record
from tests.proof.faults import preloaded
from tests.proof.record_script import KEY, check

ROOT = Path(__file__).parents[2]
FORKS = hasattr(os, "fork")
KILLS_A_FILE = 25
"""Then another record is begun, so that beginnings die too."""
MOST_CALLS = 2500
"""About fifty steps."""


class Writers:
    """Starts one writer after another on the same record."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._process: subprocess.Popen[str] | None = None

    def lines(self) -> IO[str]:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout

    def kill_one(self, chance: random.Random) -> int:
        """Returns the last step that the writer told of; -1 for none."""
        if self._process is None:
            command = [sys.executable, "-m", "tests.proof.record_writer", str(self.path)]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)} | (preloaded() if FORKS else {}),
            )
            self.counts = self.lines().readline() == "counts\n"
        by_call = self.counts and chance.random() < 0.5
        after, lag = chance.randint(0, 40), chance.randint(0, 40_000)
        assert self._process.stdin is not None
        self._process.stdin.write(f"{chance.randint(1, MOST_CALLS) if by_call else 0}\n")
        self._process.stdin.flush()
        word, _, pid = self.lines().readline().partition(" ")
        assert word == "pid"
        if not by_call and after == 0:
            _kill(int(pid), lag)
        last = -1
        for told, line in enumerate(self.lines(), 1):
            if line == "dead\n":
                break
            last = int(line)
            if told == after and not by_call:
                _kill(int(pid), lag)
        if not FORKS:
            self.close()
        return last

    def close(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            with contextlib.suppress(OSError):  # killed as it is on Windows
                self._process.stdin.close()
            self._process.wait()
            self.lines().close()
            self._process = None


def _kill(pid: int, lag: int) -> None:
    for _ in range(lag):  # so that the kill falls at different points of a commit
        random.random()
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))  # on Windows any signal ends a process at once


@pytest.fixture
def writers(tmp_path: Path) -> Iterator[list[Writers]]:
    made: list[Writers] = []
    yield made
    for one in made:
        one.close()


def test_what_was_acknowledged_survives_kill_9(
    tmp_path: Path, request: pytest.FixtureRequest, writers: list[Writers]
) -> None:
    every = request.config.getoption("--all-kills")
    kills = 1000 if every else 50 if FORKS else 9
    there, grew = 0, 0
    for number in range(kills):
        chance = random.Random(number)
        if number % KILLS_A_FILE == 0:
            for former in writers:
                former.close()
            writers[:] = [Writers(tmp_path / f"{number}.sqlite")]
            there = 0
        path = writers[0].path
        told = writers[0].kill_one(chance)
        if not path.exists():
            assert told == -1
            continue
        steps = check(path)
        where = f"kill {number} (its seed) of {path}"
        assert max(there, told + 1) <= steps, f"{where}: of {told + 1} steps told, {steps} are there"
        assert steps <= max(there, told + 1) + 1, f"{where}: a commit that nobody began"
        grew += steps - there
        there = steps
    Record.open(writers[0].path, KEY, clock=SystemClock()).close()
    assert check(writers[0].path) == there
    assert grew > kills, "the writers did write"
    sys.stdout.write(f"\n{kills} kills, {grew} steps: none lost\n")

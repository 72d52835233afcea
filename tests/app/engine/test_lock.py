"""One engine per data folder, between real processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.engine.lock import EngineLock, EngineRunning

HOLDER = """
import sys
from pathlib import Path
from app.engine.lock import EngineLock
lock = EngineLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    folder = tmp_path / "runtime"
    folder.mkdir()
    return folder


def test_a_second_engine_is_refused_and_told_which_process_holds_the_folder(runtime: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(runtime)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "held"
        with pytest.raises(EngineRunning) as error:
            EngineLock(runtime).acquire()
        assert error.value.pid == holder.pid
        assert str(holder.pid) in str(error.value)
        assert error.value.remedy
        holder.kill()
        holder.wait()
    with EngineLock(runtime):  # the system let it go
        assert int((runtime / "engine.pid").read_text(encoding="ascii")) == os.getpid()


def test_a_lock_that_was_released_can_be_taken_again(runtime: Path) -> None:
    first, second = EngineLock(runtime), EngineLock(runtime)
    with first, pytest.raises(EngineRunning):
        second.acquire()
    with second:
        pass

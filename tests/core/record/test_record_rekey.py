"""A new key for a record, killed at each step of it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.model.clock import ManualClock
from core.record import Record, RecordBusy, RecordReader, WrongKey
from core.record.keys import KeyStore, key_file
from core.record.rekey import rekey

WORD = "correct horse"
STEPS = ("export", "change", "fsync", "rename", "replace")


def word() -> str:
    return WORD


@pytest.fixture
def path(tmp_path: Path, clock: ManualClock) -> Path:
    path = tmp_path / "chair-1.sqlite"
    key = KeyStore(prefer="file").load_or_create(path, word)
    record = Record.create(path, key, chair=1, simulated=True, clock=clock)
    with record.transaction():
        for number in range(50):
            record.audit("entry", actor="a", at_us=number, body={"text": "x" * 500})
    record.close()
    return path


def entries(path: Path) -> int:
    with RecordReader.open(path, KeyStore(prefer="file").load(path, word)) as reader:
        assert reader.verify().ok
        return reader.audit_head().size


def test_the_old_key_opens_nothing_any_more(path: Path) -> None:
    keys = KeyStore(prefer="file")
    old = keys.load(path, word)
    new = rekey(path, keys, word)
    assert new != old
    assert keys.load(path, word) == new
    with pytest.raises(WrongKey):
        RecordReader.open(path, old)
    assert entries(path) == 50
    assert {one.name for one in path.parent.iterdir()} <= {path.name, key_file(path).name, path.name + ".lock"}


def test_an_open_record_is_left_alone(path: Path, clock: ManualClock) -> None:
    keys = KeyStore(prefer="file")
    record = Record.open(path, keys.load(path, word), clock=clock)
    with pytest.raises(RecordBusy):
        rekey(path, keys, word)
    record.close()
    assert entries(path) == 50


KILLED = """
import os, signal, sys
from pathlib import Path
import core.record.keys as keys_module
keys_module._MEMORY_KIB, keys_module._PASSES = 32, 1
from core.record.rekey import rekey
from core.record.keys import KeyStore
path, wanted = Path(sys.argv[1]), int(sys.argv[2])
calls = 0
def hook(event, arguments):
    global calls
    if event in ("os.rename", "os.remove", "open", "os.truncate"):
        if any(str(path) in str(one) for one in arguments if isinstance(one, (str, bytes, os.PathLike))):
            if calls == wanted:
                os.kill(os.getpid(), signal.SIGKILL)
            calls += 1
sys.addaudithook(hook)
rekey(path, KeyStore(prefer="file"), lambda: "correct horse")
"""


def test_killed_at_any_step_file_and_key_fit(path: Path) -> None:
    killed = 0
    for wanted in range(60):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(path), str(wanted)], check=False, capture_output=True, text=True
        )
        assert entries(path) == 50, f"killed at step {wanted}"
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        killed += 1
    else:
        pytest.fail("it never came to its end")
    assert killed >= 8


KILLED_INSIDE = """
import os, signal, sys
from pathlib import Path
import core.record.keys as keys_module
keys_module._MEMORY_KIB, keys_module._PASSES = 32, 1
from core.record.keys import KeyStore
from core.record.rekey import rekey
from core.record.sqlcipher import CipherFile
path, wanted = Path(sys.argv[1]), int(sys.argv[2])
export, calls = CipherFile.export, 0
def watched(self, target, key):
    def step():
        global calls
        if calls == wanted:
            os.kill(os.getpid(), signal.SIGKILL)
        calls += 1
        return 0
    self.database.conn.set_progress_handler(step, 20)
    try:
        export(self, target, key)
    finally:
        self.database.conn.set_progress_handler(None, 0)
CipherFile.export = watched
rekey(path, KeyStore(prefer="file"), lambda: "correct horse")
print(calls)
"""


def test_killed_inside_the_export_file_and_key_fit(path: Path) -> None:
    """SQLCipher copies table by table: cut off anywhere in it, the old file stands and the next try succeeds."""

    def run(wanted: int) -> "subprocess.CompletedProcess[str]":
        arguments = [sys.executable, "-c", KILLED_INSIDE, str(path), str(wanted)]
        return subprocess.run(arguments, check=False, capture_output=True, text=True)

    whole = run(-1)
    assert whole.returncode == 0, whole.stderr
    steps = int(whole.stdout)
    assert steps > 20
    for wanted in (0, steps // 4, steps // 2, 3 * steps // 4, steps - 1):
        done = run(wanted)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert entries(path) == 50, f"killed at step {wanted} of {steps}"
        assert path.with_name(path.name + ".next").exists(), "it was cut off in the middle"
    keys = KeyStore(prefer="file")
    old = keys.load(path, word)
    assert rekey(path, keys, word) != old
    assert entries(path) == 50
    assert {one.name for one in path.parent.iterdir()} <= {path.name, key_file(path).name, path.name + ".lock"}

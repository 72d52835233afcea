"""What cannot work is said in one line with a next step, before anything is touched, and loses nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from app.engine.lock import EngineLock
from app.engine.runtime import Folder
from app.engine_config import EngineConfig
from app.launch import EngineProcess, StartFailed
from core.model.clock import SystemClock
from core.record import Record, RecordReader
from core.record.keys import KeyStore

ROOT = Path(__file__).resolve().parent.parent.parent
PASSPHRASE = "correct horse"


def config(root: Path, **changes: object) -> EngineConfig:
    base = EngineConfig(
        data_folder=str(root), radio="bumble:tcp-client:127.0.0.1:9", chairs=1, passphrase=PASSPHRASE, sound=False
    )
    return msgspec.structs.replace(base, **changes)


def refused(config: EngineConfig) -> str:
    """What the launcher is told when the engine does not start."""
    with pytest.raises(StartFailed) as failed:
        EngineProcess(config, Path(config.data_folder)).ensure()
    said = str(failed.value)
    assert "Traceback" not in said
    assert "\n" not in said
    return said


@pytest.fixture
def practice(tmp_path: Path) -> Path:
    """A real (not simulated) practice with a record that holds something."""
    folder = Folder.open(tmp_path / "practice", simulated=False)
    path = folder.chair_file(1)
    key = KeyStore(prefer="file").load_or_create(path, lambda: PASSPHRASE)
    record = Record.create(path, key, chair=1, simulated=False, clock=SystemClock())
    with record.transaction():
        record.audit("kept", actor="test", at_us=1, body={})
    record.close()
    return folder.root


def test_a_second_engine_on_the_same_folder_names_the_first(practice: Path) -> None:
    with EngineLock(practice / "runtime"):
        said = refused(config(practice))
    assert "already served" in said


def test_a_wrong_passphrase_opens_nothing_and_harms_nothing(practice: Path) -> None:
    before = (practice / "chair-1.sqlite").read_bytes()
    assert "passphrase" in refused(config(practice, passphrase="wrong"))
    assert (practice / "chair-1.sqlite").read_bytes() == before


def test_a_damaged_record_is_named_and_left_alone(practice: Path) -> None:
    path = practice / "chair-1.sqlite"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    data[20_000] ^= 0xFF
    path.write_bytes(data)
    said = refused(config(practice))
    assert "chair-1.sqlite" in said
    assert path.read_bytes() == bytes(data)


def test_simulated_data_does_not_enter_a_real_folder(practice: Path) -> None:
    assert "simulated" in refused(config(practice, simulated=True))


def test_a_lost_key_file_never_makes_a_new_key(practice: Path) -> None:
    (practice / "chair-1.sqlite.key").unlink()
    refused(config(practice))
    assert not (practice / "chair-1.sqlite.key").exists()


def test_commands_say_one_line_and_exit_non_zero(practice: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    shutil.copyfile(practice / "chair-1.sqlite", copy)
    for arguments in (
        ["record", "verify", str(tmp_path / "absent.sqlite")],
        ["record", "verify", str(copy), "--passphrase", PASSPHRASE],
        ["record", "info", str(practice / "chair-1.sqlite"), "--passphrase", "wrong"],
        ["simulate", "hub", "--transport", "nonsense:1"],
        ["--radio", "nonsense", "doctor", "--radio", "nonsense"],
    ):
        done = subprocess.run(
            [sys.executable, "main.py", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0, arguments
        assert "Traceback" not in done.stdout + done.stderr, arguments
        assert (done.stdout + done.stderr).strip(), arguments


def test_what_was_recorded_is_still_there(practice: Path) -> None:
    refused(config(practice, passphrase="wrong"))
    path = practice / "chair-1.sqlite"
    with RecordReader.open(path, KeyStore(prefer="file").load(path, lambda: PASSPHRASE)) as reader:
        assert len(reader.audit_entries()) == 1
        assert reader.verify().problems == ()

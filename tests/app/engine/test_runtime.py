"""The data folder: private, writable, and never of two kinds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.engine.runtime import Folder, FolderError, MixedData

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights")


def test_everything_has_its_place_and_only_this_user_sees_it(tmp_path: Path) -> None:
    folder = Folder.open(tmp_path / "data", simulated=False)
    assert folder.chair_file(2) == tmp_path / "data" / "chair-2.sqlite"
    assert folder.ring_file(2).parent == folder.runtime_dir
    for place in (folder.root, folder.runtime_dir, folder.log_dir, folder.exports):
        assert place.is_dir()
        if sys.platform != "win32":
            assert place.stat().st_mode & 0o777 == 0o700
    assert folder.free_bytes() > 0
    assert sorted(file.name for file in folder.root.iterdir()) == ["exports", "log", "runtime"]


def test_chairs_are_those_that_have_a_record(tmp_path: Path) -> None:
    folder = Folder.open(tmp_path, simulated=False)
    for name in ("chair-2.sqlite", "chair-10.sqlite", "chair-2.sqlite-wal", "chair-x.sqlite", "practice.sqlite"):
        (tmp_path / name).touch()
    assert folder.chairs() == (2, 10)


def test_the_demo_has_a_folder_of_its_own() -> None:
    assert Folder.default(demo=True).name == "smilescape-demo"
    assert Folder.default().name == "smilescape"


def test_a_simulated_folder_stays_simulated(tmp_path: Path) -> None:
    assert Folder.open(tmp_path, simulated=True) == Folder.open(tmp_path, simulated=True)
    with pytest.raises(MixedData) as error:
        Folder.open(tmp_path, simulated=False)
    assert error.value.remedy


def test_a_real_folder_never_becomes_simulated(tmp_path: Path) -> None:
    Folder.open(tmp_path, simulated=False).practice_file.touch()
    with pytest.raises(MixedData):
        Folder.open(tmp_path, simulated=True)
    assert Folder.open(tmp_path, simulated=False).simulated is False


@pytest.mark.parametrize("simulated", [False, True])
def test_a_hub_of_the_other_kind_is_refused(tmp_path: Path, simulated: bool) -> None:
    folder = Folder.open(tmp_path, simulated=simulated)
    folder.admit(simulated=simulated)
    with pytest.raises(MixedData):
        folder.admit(simulated=not simulated)


READ_ONLY = """
import os, sys
from pathlib import Path
from app.engine.runtime import Folder, FolderReadOnly
if os.getuid() == 0:
    os.setuid(65534)
try:
    Folder.open(Path(sys.argv[1]), simulated=False)
except FolderReadOnly as error:
    print(error.code, bool(error.remedy))
"""


@POSIX
def test_a_read_only_folder_says_so(tmp_path: Path) -> None:
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)  # so that the other user gets as far as the folder itself
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(locked)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.stdout.strip() == "folder.read_only True", done.stderr


def test_a_folder_that_is_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderError) as error:
        Folder.open(tmp_path / "file", simulated=False)
    assert error.value.remedy

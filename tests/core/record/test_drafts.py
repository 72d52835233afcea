"""Files and folders that appear when they are complete."""

from pathlib import Path

import pytest

from core.record import ExportFailed
from core.record.drafts import complete_file, complete_folder, free_name, scratch_folder, sweep


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _fail_in(folder: Path) -> None:
    with complete_folder(folder) as draft:
        (draft / "half").write_text("half")
        raise RuntimeError


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with complete_folder(tmp_path / "out") as draft:
        (draft / "inner").mkdir()
        (draft / "inner" / "a").write_text("a")
        assert not (tmp_path / "out").exists()
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / "inner" / "a").read_text() == "a"
    with pytest.raises(RuntimeError):
        _fail_in(tmp_path / "other")
    assert names(tmp_path) == ["out"]


def test_a_sweep_takes_the_drafts_of_one_name_and_nothing_else(tmp_path: Path) -> None:
    kept = [".a.csv.0123456.part", ".a.csv.0123456z.part", ".b.csv.01234567.part", "a.csv", ".a.csv.01234567.part.bak"]
    for name in [*kept, ".a.csv.01234567.part"]:
        (tmp_path / name).write_text(name)
    (tmp_path / ".a.csv.89abcdef.part").mkdir()
    (tmp_path / ".a.csv.89abcdef.part" / "inner").write_text("x")
    sweep(tmp_path / "a.csv")
    assert names(tmp_path) == sorted(kept)
    sweep(tmp_path / "none" / "a.csv")


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    assert free_name(tmp_path / "day").name == "day"
    for name in ("day", "day-2"):
        (tmp_path / name).mkdir()
    assert free_name(tmp_path / "day").name == "day-3"


def test_a_scratch_folder_is_for_this_user_alone_and_goes(tmp_path: Path) -> None:
    with scratch_folder(tmp_path / "pack") as work:
        assert work.stat().st_mode & 0o077 == 0 or work.drive
        (work / "secret").write_text("secret")
        sweep(tmp_path / "pack")
        assert not work.exists(), "a sweep finds it after a kill"
    assert names(tmp_path) == []
    with pytest.raises(ExportFailed), scratch_folder(tmp_path / "none" / "pack"):
        pass


def test_a_place_that_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ExportFailed, match="another name"), complete_file(tmp_path / "folder"):
        pass

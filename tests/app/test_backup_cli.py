"""Backup and restore on the command line: real files, a sheet that is typed in, a new machine."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import cli
from app.engine.lock import EngineLock
from core.model.clock import SystemClock
from core.record import PracticeFile, RecordReader
from core.record.keys import KeyStore, key_file
from tests.app.test_keys_cli import ADA, PIN, WORD, make_folder, quick

__all__ = ["quick"]

NEW_WORD = "battery staple"


def said(arguments: list[str], typed: str = "", **env: str) -> str:
    result = CliRunner().invoke(cli, arguments, input=typed, env=env, standalone_mode=False)
    assert result.exception is None, result.output
    return result.output


def sheet_lines(output: str) -> list[str]:
    return re.findall(r"^  \d  ((?:[A-Z2-7]{4} ?){4})$", output, re.MULTILINE)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "old", (ADA, PIN))


def test_from_the_sheet_on_paper_to_a_new_machine(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = {"SMILESCAPE_PASSPHRASE": WORD, "SMILESCAPE_PIN": PIN}
    seen: list[str] = []
    prompt = "click.prompt"

    def typed(text: str, **_: object) -> str:
        """Whoever copies the line from the paper."""
        assert "line 3" in text
        return seen[2]

    from core.backup import vault

    draw = vault.draw_sheet

    def drawn() -> tuple[bytes, list[str]]:
        seed, lines = draw()
        seen[:] = lines
        return seed, lines

    monkeypatch.setattr("core.backup.sheet.draw_sheet", drawn)
    monkeypatch.setattr(prompt, typed)
    output = said(["backup", "sheet", "--data", str(data)], **env)
    monkeypatch.undo()
    assert [line.strip() for line in sheet_lines(output)] == seen
    place = tmp_path / "stick"
    engine = EngineLock(data / "runtime")
    with engine:  # the workstation may be running
        assert "Made and checked" in said(["backup", "make", str(place), "--data", str(data)], **env)
    said(["backup", "daily", str(place), "--data", str(data)], **env)
    assert "daily" in said(["backup", "list", "--data", str(data)], **env)

    new = tmp_path / "new"
    env["SMILESCAPE_PASSPHRASE"] = NEW_WORD
    output = said(["restore", str(place), "--data", str(new)], typed="\n".join(seen) + "\n", **env)
    assert "Dr. Ada Moor answers for it" in output
    keys = KeyStore(prefer="file")
    path = new / "chair-1.sqlite"
    assert key_file(path).read_bytes() != key_file(data / "chair-1.sqlite").read_bytes()
    with RecordReader.open(path, keys.load(path, lambda: NEW_WORD)) as reader:
        assert reader.verify().ok
    practice_path = new / "practice.sqlite"
    practice = PracticeFile.open(practice_path, keys.load(practice_path, lambda: NEW_WORD), clock=SystemClock())
    assert practice.operators() == [ADA]
    practice.close()
    output = said(["keys", "list", "--data", str(new)], **env)
    assert "Dr. Ada Moor" in output


def test_a_wrong_pin_restores_nothing(data: Path, tmp_path: Path) -> None:
    from core.backup.vault import draw_sheet, take_sheet
    from tests.app.test_keys_cli import practice_file

    file = practice_file(data)
    seed, lines = draw_sheet()
    take_sheet(file.keys, seed, author=ADA.id)
    file.close()
    place = tmp_path / "stick"
    said(["backup", "make", str(place), "--data", str(data)], SMILESCAPE_PASSPHRASE=WORD)
    result = CliRunner().invoke(
        cli,
        ["restore", str(place), "--data", str(tmp_path / "new")],
        input="\n".join(lines) + "\n",
        env={"SMILESCAPE_PASSPHRASE": NEW_WORD, "SMILESCAPE_PIN": "000111"},
        standalone_mode=False,
    )
    assert getattr(result.exception, "code", "") == "keys.wrong_secret", result.exception
    assert {path.name for path in tmp_path.iterdir()} == {"old", "stick"}


def test_the_sheet_is_a_page_with_its_lines(tmp_path: Path) -> None:
    from core.backup.vault import draw_sheet
    from core.reports.recovery import write_recovery_sheet

    _, lines = draw_sheet()
    path = tmp_path / "sheet.pdf"
    write_recovery_sheet(lines, "Moor & Lee", 1_800_000_000_000_000, path)
    assert path.read_bytes().startswith(b"%PDF-")
    assert path.stat().st_mode & 0o077 == 0

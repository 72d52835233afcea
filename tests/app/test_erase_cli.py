"""Erasing a patient on the command line: what is shown, what is asked, and what is left."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import cli
from core.model.clock import SystemClock
from core.record import Record, RecordReader
from core.record.keys import KeyStore
from tests.app.test_keys_cli import ADA, PIN, WORD, key_of, make_folder, practice_file, quick
from tests.core.backup.house import BO, ZEB, visit

__all__ = ["quick"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = make_folder(tmp_path / "practice", (ADA, PIN))
    path = root / "chair-1.sqlite"
    record = Record.open(path, key_of(path), clock=SystemClock())
    visit(record, BO, 10)
    visit(record, ZEB, 15)
    record.close()
    (root / "exports" / "V-15.pdf").write_bytes(b"report")
    (root / "exports" / "V-10.pdf").write_bytes(b"report")
    return root


def run(data: Path, typed: str, *arguments: str) -> Result:
    env = {"SMILESCAPE_PASSPHRASE": WORD, "SMILESCAPE_PIN": PIN}
    return CliRunner().invoke(
        cli, ["patient", *arguments, "--data", str(data)], input=typed, env=env, standalone_mode=False
    )


def patients(data: Path) -> set[str]:
    path = data / "chair-1.sqlite"
    with RecordReader.open(path, KeyStore(prefer="file").load(path, lambda: WORD)) as reader:
        assert reader.verify().ok
        return {one.patient_id for one in reader.visits()}


def test_it_shows_asks_twice_erases_and_changes_the_keys(data: Path) -> None:
    before = key_of(data / "chair-1.sqlite")
    done = run(data, f"y\n{ZEB.code}\n", "erase", ZEB.code, "--reason", "on request")
    assert done.exception is None, done.output
    for word in ("V-15", "note", "block", "What stays", "audit", "V-15.pdf", "retention.toml", "Every place has"):
        assert word in done.output
    assert "Quackenbush" not in done.output
    assert patients(data) == {BO.id}
    assert key_of(data / "chair-1.sqlite") != before
    assert {path.name for path in (data / "exports").iterdir()} == {"V-10.pdf"}
    file = practice_file(data)
    assert set(file.keys.erased_patients()) == {ZEB.id}
    file.close()


@pytest.mark.parametrize("typed", ["n\n", f"y\n{BO.code}\n"])
def test_a_doubt_erases_nothing(data: Path, typed: str) -> None:
    done = run(data, typed, "erase", ZEB.code, "--reason", "on request")
    assert done.exception is not None
    assert patients(data) == {BO.id, ZEB.id}
    assert (data / "exports" / "V-15.pdf").exists()


def test_nobody_is_overdue_who_was_here(data: Path) -> None:
    done = run(data, "", "overdue")
    assert done.exception is None
    assert "Not seen for 10 years: 0" in done.output

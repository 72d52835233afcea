"""`main.py record report`: a report without the workstation, out of a real record."""

from pathlib import Path

import pytest

from app.cli import main
from core.record.keys import KeyStore
from core.reports import patient
from tests.core.reports.recorded import KEY, STORIES, recorded


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(KeyStore, "load", lambda *_: KEY)
    recorded(tmp_path, STORIES["held by the patient"])
    return tmp_path / "chair-1.sqlite"


def run(*arguments: str) -> int:
    return main(["record", "report", *arguments])


def test_visits_are_listed_and_reported_by_their_code(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(record), "--visit", "list") == 0
    assert capsys.readouterr().out.startswith("V-1 ")
    page, pdf = record.parent / "r.html", record.parent / "r.pdf"
    options = ("--practice", "Mill Street", "--phone", "020 5550 0142")
    assert run(str(record), "--visit", "V-1", "--format", "html", "--language", "zh", "--out", str(page), *options) == 0
    text = page.read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in text
    assert "020 5550 0142" in text
    assert run(str(record), "--visit", "v1", "--out", str(pdf)) == 0
    assert pdf.read_bytes().startswith(b"%PDF-")


def test_a_visit_that_is_not_there_is_said_and_nothing_is_written(
    record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = record.parent / "none.pdf"
    assert run(str(record), "--visit", "V-9", "--out", str(out)) != 0
    assert "no visit 'V-9'" in capsys.readouterr().err
    assert not out.exists()


def test_the_command_line_offers_every_language_of_reports() -> None:
    from app.cli import cli
    from core.reports.languages import LANGUAGES

    group = cli.commands["record"]
    options = {option.name: option for option in group.commands["report"].params}  # type: ignore[attr-defined]
    assert tuple(options["language"].type.choices) == LANGUAGES
    assert set(options["form"].type.choices) == set(patient.PLOT_COLUMNS)

"""Out of a record to other programs, and in, by the command line."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from app.cli import main
from core.model.block import SampleBlock
from core.model.clock import ManualClock
from core.model.people import Patient, VisitSummary
from core.record import Record, StampedBlock
from core.record.keys import KeyStore
from tests.core.exchange.fhir import visits
from tests.core.exchange.fhir.check import resolved

BEGAN = 1_800_000_000_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "chair-1.sqlite"
    key = KeyStore(prefer="file").load_or_create(path, lambda: "word")
    patient = Patient(id="p", version=1, code="K7", given_name="Ada", family_name="Berg", birth_date="1980-01-02")
    visit = VisitSummary(
        id="v",
        patient_id="p",
        code="V-77AB",
        chair=1,
        began_us=BEGAN,
        ended_us=BEGAN + 30_000_000,
        state="complete",
        title_key="",
    )
    with_samples = Record.create(path, key, chair=1, simulated=True, clock=ManualClock(BEGAN))
    with with_samples.transaction():
        with_samples.save_patient(patient, author="op", reason="new", at_us=BEGAN)
        with_samples.begin_visit(visit)
        block = SampleBlock(2, 1, 0, 0, 100_000, np.arange(600).astype(np.int16))
        with_samples.add_blocks("hub", [StampedBlock(block, BEGAN)], "v")
    with_samples.close()
    return path


def run(*arguments: object) -> int:
    return main(["record", *(str(one) for one in arguments), "--passphrase", "word"])


def test_a_visit_goes_out_in_every_format(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    visit = ("--visit", "V-77AB")
    assert run("csv", file, *visit, "--out", tmp_path / "a.csv") == 0
    assert run("parquet", file, *visit, "--out", tmp_path / "a.parquet") == 0
    assert run("edf", file, *visit, "--out", tmp_path / "edf") == 0
    assert run("pack", file, *visit, "--out", tmp_path / "pack") == 0
    said = capsys.readouterr().out
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 301
    assert pq.read_metadata(tmp_path / "a.parquet").num_rows == 300
    (segment,) = json.loads((tmp_path / "edf" / "manifest.json").read_bytes())["segments"]
    assert segment["signals"][0]["samples"] == 300
    assert "X X X X" in (tmp_path / "edf" / "segment-001.edf").read_bytes()[:256].decode("ascii")
    assert (tmp_path / "pack" / "OPEN-ME.html").exists()
    assert "Code: " in said


def test_a_name_is_written_when_it_is_asked_for(file: Path, tmp_path: Path) -> None:
    assert run("edf", file, "--visit", "V-77AB", "--named", "--out", tmp_path / "edf") == 0
    assert "Ada_Berg" in (tmp_path / "edf" / "segment-001.edf").read_bytes()[:256].decode("ascii")


def test_signals_of_elsewhere_come_in_and_a_faulty_file_leaves_the_record_as_it_was(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signals = tmp_path / "in.csv"
    signals.write_text("utc,channel,value,unit\n2027-01-15T09:00:00Z,pH,6.8,[pH]\n")
    mapped = ("--map", "pH=saliva_ph")
    assert run("import", file, signals, "--visit", "V-77AB", *mapped) == 0
    assert "1 samples imported; 0 were there already" in capsys.readouterr().out
    assert run("csv", file, "--channel", "imported.saliva_ph", "--out", tmp_path / "a.csv") == 0
    assert (tmp_path / "a.csv").read_text().splitlines()[1] == (
        "2027-01-15T09:00:00.000000Z,imported.saliva_ph,6.8,[pH],imported"
    )
    signals.write_text("utc,channel,value,unit\n2027-01-15T09:00:01,pH,6.8,[pH]\n")
    assert run("import", file, signals, "--visit", "V-77AB", *mapped) != 0
    assert "Line 2, utc" in capsys.readouterr().err
    assert run("import", file, signals, "--visit", "V-77AB", "--map", "pH") != 0
    assert run("verify", file) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("edf", "--named"), "needs --visit"),
        (("csv", "--visit", "V-NONE"), "no visit V-NONE"),
        (("fhir", "--visit", "V-NONE"), "no visit V-NONE"),
        (("pack", "--visit", "V-NONE"), "no visit V-NONE"),
    ],
)
def test_what_cannot_be_is_one_line(
    file: Path, tmp_path: Path, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *rest = arguments
    assert run(command, file, *rest, "--out", tmp_path / "out") != 0
    shown = capsys.readouterr().err
    assert said in shown
    assert len(shown.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


def test_a_visit_goes_out_as_fhir_by_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = visits.write(tmp_path / "chair-1.sqlite", *visits.everything())
    monkeypatch.setattr("app.exchange_commands.open_key", lambda _file, _passphrase: visits.KEY)
    code, out, larger = visits.VISIT.code, tmp_path / "V-7KQ2MC.json", tmp_path / "larger.json"
    assert run("fhir", file, "--visit", code.lower(), "--out", out) == 0
    made = json.loads(out.read_text(encoding="utf-8"))
    resolved(made)
    assert capsys.readouterr().out == f"{len(made['entry'])} resources of 1 visit in {out}\n"
    assert run("fhir", file, "--visit", code, "--every-visit", "--every-sample", "--out", larger) == 0
    assert larger.stat().st_size > out.stat().st_size
    assert run("fhir", file, "--visit", code, "--out", tmp_path / "none" / "x.json") == 1
    shown = capsys.readouterr().err
    assert str(Path("none") / "x.json") in shown
    assert len(shown.strip().splitlines()) == 1

"""A patient out of a file on the command line: real files, one line when something is wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main
from app.engine.lock import EngineLock
from app.engine.runtime import Folder
from core.keys.authority import Authority
from core.model import cbor
from core.model.clock import SystemClock
from core.model.people import Operator, Role
from core.people import pin as pins
from core.people.codes import valid_code
from core.record import PracticeFile, Record, RecordReader
from core.record.keys import KeyStore

WORD, PIN = "correct horse", "739154"
ADA = Operator(id="0190a000-0000-7000-8000-00000000000a", name="Dr. Ada Moor", role=Role.DENTIST)
LEE = Operator(id="0190a000-0000-7000-8000-00000000000b", name="Robin Lee", role=Role.ASSISTANT)
PATIENT = {
    "resourceType": "Patient",
    "name": [{"family": "Okafor", "given": ["Ngozi"]}],
    "birthDate": "1990-04-01",
    "gender": "female",
}

Said = tuple[int, str, str]
Run = Callable[..., Said]


def key_of(path: Path) -> bytes:
    return KeyStore(prefer="file").load_or_create(path, lambda: WORD)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A practice of a dentist and an assistant, with the records of two chairs."""
    folder, clock = Folder.open(tmp_path / "practice", simulated=False), SystemClock()
    file = PracticeFile.create(folder.practice_file, key_of(folder.practice_file), clock=clock)
    for person in (ADA, LEE):
        file.add_operator(person, pins.hash_pin(PIN))
    Authority(file.keys, clock, simulated=False).found(ADA, PIN)
    file.close()
    for chair in (1, 2):
        path = folder.chair_file(chair)
        Record.create(path, key_of(path), chair=chair, simulated=False, clock=clock).close()
    return tmp_path / "practice"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the program: exit code, standard output, standard error."""

    def go(*arguments: str, typed: str = "", pin: str = PIN) -> Said:
        with monkeypatch.context() as environment:
            environment.setenv("SMILESCAPE_PASSPHRASE", WORD)
            environment.setenv("SMILESCAPE_PIN", pin)
            with CliRunner().isolation(input=typed) as (out, err, _):
                code = main(list(arguments))
                return code, out.getvalue().decode(), err.getvalue().decode()

    return go


def saved(tmp_path: Path, value: object) -> str:
    file = tmp_path / "patient.json"
    file.write_text(json.dumps(value), encoding="utf-8")
    return str(file)


def one_line(said: Said, *parts: str) -> None:
    code, _, err = said
    assert code == 1, said
    assert len(err.strip().splitlines()) == 1, err
    for part in parts:
        assert part in err


def test_a_patient_is_added_with_author_and_audit(run: Run, folder: Path, tmp_path: Path) -> None:
    arguments = ("patient", "import", saved(tmp_path, PATIENT), "--data", str(folder), "--as", "robin lee")
    code, out, err = run(*arguments, typed="y\n")
    assert (code, err) == (0, "")
    assert "left out: Patient.gender" in out
    assert "Allergies: not in the file. Ask." in out
    path = folder / "chair-1.sqlite"
    with RecordReader.open(path, key_of(path)) as reader:
        (patient,) = reader.patients()
        assert (patient.given_name, patient.family_name, patient.birth_date) == ("Ngozi", "Okafor", "1990-04-01")
        assert (patient.allergies, patient.simulated, valid_code(patient.code)) == ("", False, True)
        assert reader._file.rows("SELECT author, reason FROM version WHERE kind = 'patient'") == [(LEE.id, "added")]
        entry = cbor.decode(reader.audit_entries()[-1].entry)
        assert isinstance(entry, dict)
        assert (entry["kind"], entry["actor"]) == ("patient.saved", LEE.id)
        assert entry["body"] == {"patient": patient.id, "reason": "added", "by": "command line"}


def test_nobody_is_added_twice_nor_without_a_yes(run: Run, folder: Path, tmp_path: Path) -> None:
    arguments = ("patient", "import", saved(tmp_path, PATIENT), "--data", str(folder), "--as", ADA.id)
    assert run(*arguments, typed="n\n")[0] == 1
    assert run(*arguments, "--yes")[0] == 0
    one_line(run(*arguments, "--yes"), "Ngozi Okafor", "is on record as P-")
    path = folder / "chair-1.sqlite"
    with RecordReader.open(path, key_of(path)) as reader:
        assert len(reader.patients()) == 1


def test_who_adds_a_patient_has_to_prove_it(run: Run, folder: Path, tmp_path: Path) -> None:
    arguments = ("patient", "import", saved(tmp_path, PATIENT), "--data", str(folder), "--yes")
    one_line(run(*arguments), "Who adds the patient?", "Dr. Ada Moor, Robin Lee", "--as NAME")
    one_line(run(*arguments, "--as", "Nobody"), "Name one")
    one_line(run(*arguments, "--as", "Robin Lee", pin="000001"), "PIN")
    practice = PracticeFile.open(folder / "practice.sqlite", key_of(folder / "practice.sqlite"), clock=SystemClock())
    assert [(login.operator_id, login.outcome) for login in practice.logins()] == [(LEE.id, "refused")]
    practice.close()


def test_a_file_that_cannot_be_taken_says_where(run: Run, folder: Path, tmp_path: Path) -> None:
    partial = saved(tmp_path, {**PATIENT, "birthDate": "1990"})
    one_line(run("patient", "import", partial, "--data", str(folder)), "Patient.birthDate", "Ask the patient")
    one_line(run("patient", "import", str(tmp_path / "none.json"), "--data", str(folder)), "cannot be read")


def test_the_workstation_must_be_closed(run: Run, folder: Path, tmp_path: Path) -> None:
    opened = Folder.open(folder, simulated=False)
    with EngineLock(opened.runtime_dir):
        said = run("patient", "import", saved(tmp_path, PATIENT), "--data", str(folder), "--as", ADA.name, "--yes")
    assert said[0] not in (0, None)
    assert "Traceback" not in said[2]

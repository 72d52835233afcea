"""`record verify` and `record bundle` on a practice's folder, as a person meets them."""

import hashlib
from pathlib import Path

import pytest

from app.cli import main
from core.keys.authority import Authority
from core.model.clock import ManualClock
from core.model.keys import grouped
from core.model.people import Operator, Role
from core.record import PracticeFile, Record
from core.record.evidence import Signing
from core.record.keys import KeyStore
from tests.core.record.signing import Keys

CLOCK = ManualClock(utc_us=1_800_000_000_000_000)
ADA = Operator(id="op-ada", name="Dr. Ada Moor", role=Role.DENTIST)
WORD = ["--passphrase", "word"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A practice whose one chair has a log of twelve entries, ten of them signed."""
    keys = KeyStore(prefer="file")
    path = tmp_path / "practice.sqlite"
    practice = PracticeFile.create(path, keys.load_or_create(path, lambda: "word"), clock=CLOCK)
    authority = Authority(practice.keys, CLOCK, simulated=False)
    authority.found(ADA, "739154").close()
    register = authority.register
    signing = Signing(register.workstation_signer, register.workstation.certificate, register.root)
    (tmp_path / "root").write_text(grouped(hashlib.sha256(register.root.signing_key).digest()), encoding="utf-8")
    practice.close()
    fill(tmp_path / "chair-1.sqlite", keys, signing)
    return tmp_path


def fill(path: Path, keys: KeyStore, signing: Signing) -> None:
    record = Record.create(path, keys.load_or_create(path, lambda: "word"), chair=1, simulated=False, clock=CLOCK)
    with record.transaction():
        for number in range(10):
            record.audit("step", actor="op", at_us=number, body={"step": number})
        record.checkpoints.make(signing, at_us=CLOCK.utc_us(), reason="test")
        record.audit("later", actor="op", at_us=10, body={})
        record.audit("later", actor="op", at_us=11, body={})
    record.close()


def test_verify_says_what_speaks_for_the_log(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", "verify", str(folder / "chair-1.sqlite"), *WORD]) == 0
    said = capsys.readouterr().out
    assert "Signed up to 10 of 12 entries; checkpoints: 1." in said
    assert (folder / "root").read_text(encoding="utf-8") in said
    assert "Sound: 0 blocks, 0 samples, 12 log entries." in said


def test_verify_knows_the_practices_root_from_the_file_beside_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(folder / "chair-2.sqlite", KeyStore(prefer="file"), Keys().signing)
    assert main(["record", "verify", str(folder / "chair-2.sqlite"), *WORD]) == 1
    assert "its root was never the practice's" in capsys.readouterr().err


def test_a_record_beside_it_that_cannot_be_asked_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "chair-2.sqlite").write_bytes(b"nothing of the kind")
    assert main(["record", "verify", str(folder / "chair-1.sqlite"), *WORD]) == 0
    assert "chair-2.sqlite could not be asked" in capsys.readouterr().out


def test_a_bundle_says_what_is_in_it_and_what_is_left_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record, out = str(folder / "chair-1.sqlite"), folder / "bundle"
    assert main(["record", "bundle", record, "--out", str(out), *WORD]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("Log entries: 10, checkpoints: 1, in ")
    assert said.err.startswith("Left out: 2.")
    assert main(["record", "bundle", record, "--out", str(folder / "some.zip"), "--entries", "3-5", *WORD]) == 0
    assert capsys.readouterr().out.startswith("Log entries: 3,")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--visit", "V-0000"], "There is no visit V-0000"),
        (["--entries", "3-x"], "neither a number nor a range"),
        (["--entries", "11"], "None of these entries was signed yet"),
    ],
)
def test_what_cannot_be_bundled_is_said_in_a_line(
    folder: Path, capsys: pytest.CaptureFixture[str], more: list[str], told: str
) -> None:
    out = folder / "bundle"
    assert main(["record", "bundle", str(folder / "chair-1.sqlite"), "--out", str(out), *more, *WORD]) != 0
    said = capsys.readouterr().err
    assert told in said
    assert "Traceback" not in said
    assert not out.exists()

"""An exported bundle, verified by nothing but what docs/verify.md says; and altered ones, which fail."""

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.model.clock import ManualClock
from core.model.cose import KeySigner
from core.model.note import cosign
from core.model.people import Patient, VisitSummary
from core.model.witness import hub_witness
from core.record import ExportFailed, NotFound, Record, RecordReader
from core.record.bundle import entries_of_visit, export_bundle
from core.record.evidence import Cosignature, StoredCheckpoint, WitnessKind, vouch
from tests.core.record.signing import Keys

KEY = bytes(range(32))
UTC0 = 1_800_000_000_000_000
KEYS = Keys(30)
FINGERPRINT = hashlib.sha256(KEYS.root.public).hexdigest().upper()
DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "verify.md").read_text(encoding="utf-8")
CODE = re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
SHELL = re.findall(r"^```sh\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
VISIT = "0190a000-0000-7000-8000-0000000000ff"
NAME = "Marlowe"

needs_shell = pytest.mark.skipif(sys.platform == "win32", reason="there is no POSIX shell")


def sealed(record: Record, by: Record, keys: Keys = KEYS) -> StoredCheckpoint:
    """Signed, and countersigned by a hub and by another chair."""
    with record.transaction():
        made = record.checkpoints.make(keys.signing, at_us=UTC0, reason="test")
        assert made is not None
        line = cosign(made.note, hub_witness(keys.hub_certificate.kid), keys.hub, UTC0 // 1_000_000)
        voucher = keys.hub_certificate.raw
        record.checkpoints.countersigned(made, Cosignature(WitnessKind.HUB, "SH-1", line, voucher, UTC0))
    seen = by.witness.seen(made.note.checkpoint.origin)
    old = seen.checkpoint.size if seen is not None else 0
    with by.transaction():
        path = record.checkpoints.consistency(old, made.size)
        line = by.witness.countersign(made.note, keys.signing.signer.public, old, path, at_us=UTC0)
        voucher = vouch(by.witness.name, by.witness.public(), keys.signing)
    with record.transaction():
        record.checkpoints.countersigned(made, Cosignature(WitnessKind.CHAIR, "2", line, voucher, UTC0))
    return made


@pytest.fixture
def evident(record: Record, path: Path, tmp_path: Path, clock: ManualClock) -> Path:
    """A closed record: a visit among other entries, three checkpoints, the workstation's key replaced in between."""
    other = Record.create(tmp_path / "chair-2.smile", KEY, chair=2, simulated=True, clock=clock)
    patient = Patient(
        id="p", version=1, code="K3", given_name="Ida", family_name=NAME, birth_date="2030-01-01", simulated=True
    )
    visit = VisitSummary(
        id=VISIT,
        patient_id="p",
        code="V-7K2M",
        chair=1,
        began_us=UTC0,
        ended_us=None,
        state="open",
        title_key="visit.title.procedure",
        simulated=True,
    )
    with record.transaction():
        record.save_patient(patient, author="op", reason="new", at_us=UTC0)
        record.begin_visit(visit)
        for number in range(9):
            body: dict[str, object] = {"visit": VISIT} if number % 2 else {"text": "of nobody"}
            record.audit("step", actor="op", at_us=UTC0 + number, body={**body, "raw": bytes([number])})
    sealed(record, other)
    with record.transaction():
        for number in range(12):
            record.audit("step", actor="op", at_us=UTC0 + number, body={"visit": VISIT})
    sealed(record, other)
    later = Keys(30)
    later.signing = KEYS.workstation(KeySigner())
    sealed(record, other, later)
    with record.transaction():
        record.audit("unsigned", actor="op", at_us=UTC0, body={"visit": VISIT})
    record.close()
    other.close()
    return path


def bundled(path: Path, out: Path) -> Path:
    with RecordReader.open(path, KEY) as reader:
        export_bundle(reader, entries_of_visit(reader, VISIT), out)
    return out


def run(code: str, bundle: Path, place: Path, fingerprint: str = FINGERPRINT) -> "subprocess.CompletedProcess[str]":
    """As a stranger runs it: another Python, nothing of ours on its path, an empty folder."""
    place.mkdir(exist_ok=True)
    (place / "verify.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-I", "verify.py", str(bundle), fingerprint]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)


def test_forty_lines_verify_a_fresh_bundle_and_a_few_more_its_witnesses(evident: Path, tmp_path: Path) -> None:
    program, witnesses = CODE
    assert len([line for line in program.splitlines() if line.strip()]) <= 40
    bundle = bundled(evident, tmp_path / "bundle")
    found = run(program, bundle, tmp_path / "a")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == "16 entries stand in the log, as signed at 21 entries\n"
    found = run(program + witnesses, bundle, tmp_path / "b")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.count("21 entries, seen by smilescape/hub/") == 2
    assert found.stdout.count("seen by smilescape/witness/") == 3


@needs_shell
def test_one_signature_is_verified_with_openssl_alone(evident: Path, tmp_path: Path) -> None:
    bundle = bundled(evident, tmp_path / "bundle")

    def by_hand() -> "subprocess.CompletedProcess[str]":
        (tmp_path / "hand").mkdir(exist_ok=True)
        return subprocess.run(
            ["sh", "-c", f'BUNDLE="{bundle}"\n{SHELL[0]}'],
            cwd=tmp_path / "hand",
            capture_output=True,
            text=True,
            check=False,
        )

    found = by_hand()
    assert found.returncode == 0, found.stderr
    assert "Signature Verified Successfully" in found.stdout
    (newest,) = bundle.glob("checkpoints/000003-*.txt")
    newest.write_text(newest.read_text(encoding="utf-8").replace("\n21\n", "\n22\n"), encoding="utf-8")
    assert by_hand().returncode != 0


def altered(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def alter(bundle: Path) -> None:
        file = next(iter(sorted(bundle.glob(name))))
        file.write_bytes(change(file.read_bytes()))

    return alter


def flipped(raw: bytes) -> bytes:
    return raw[:-5] + bytes((raw[-5] ^ 1,)) + raw[-4:]


def other_proof(raw: bytes) -> bytes:
    proof = json.loads(raw)
    return json.dumps({**proof, "path": [*proof["path"][:-1], bytes(32).hex()]}).encode()


def longer(raw: bytes) -> bytes:
    proof = json.loads(raw)
    return json.dumps({**proof, "path": [bytes(32).hex(), *proof["path"]]}).encode()


@pytest.mark.parametrize(
    "alter",
    [
        altered("entries/*.cbor", flipped),
        altered("proofs/inclusion-*.json", other_proof),
        altered("proofs/inclusion-*.json", longer),
        altered("proofs/consistency-*.json", other_proof),
        altered("checkpoints/000001-*.txt", lambda raw: raw.replace(b"\n9\n", b"\n8\n")),
        altered("checkpoints/000002-*.txt", lambda raw: raw.replace(b"smilescape/record", b"smilescape/other!", 1)),
        altered("keys/workstation-*.cbor", flipped),
        altered("keys/root-*.cbor", flipped),
        altered("bundle.json", lambda raw: re.sub(rb'"root": "root', b'"root": "workstation', raw)),
    ],
)
def test_a_bundle_that_was_altered_is_refused(evident: Path, tmp_path: Path, alter: Callable[[Path], None]) -> None:
    bundle = bundled(evident, tmp_path / "bundle")
    before = {file: file.read_bytes() for file in bundle.rglob("*") if file.is_file()}
    alter(bundle)
    assert before != {file: file.read_bytes() for file in bundle.rglob("*") if file.is_file()}
    found = run(CODE[0], bundle, tmp_path / "a")
    assert found.returncode != 0
    assert "stand in the log" not in found.stdout


@pytest.mark.parametrize(
    "alter",
    [
        altered("keys/hub-*.cbor", flipped),
        altered("keys/chair-*.cbor", flipped),
        altered("checkpoints/000002-*.txt", lambda raw: b"\n".join([*raw.split(b"\n")[:-2], raw.split(b"\n")[4], b""])),
    ],
)
def test_a_witness_that_is_none_is_refused(evident: Path, tmp_path: Path, alter: Callable[[Path], None]) -> None:
    bundle = bundled(evident, tmp_path / "bundle")
    alter(bundle)
    assert run(CODE[0], bundle, tmp_path / "a").returncode == 0
    assert run(CODE[0] + CODE[1], bundle, tmp_path / "a").returncode != 0


def test_another_practices_bundle_is_refused(evident: Path, tmp_path: Path) -> None:
    bundle = bundled(evident, tmp_path / "bundle")
    found = run(CODE[0], bundle, tmp_path / "a", hashlib.sha256(b"another").hexdigest())
    assert found.returncode != 0
    assert "another practice" in found.stderr


def test_a_bundle_holds_the_visit_and_nobody_elses_entries_and_no_name_tells_whose(
    evident: Path, tmp_path: Path
) -> None:
    bundle = bundled(evident, tmp_path / "bundle")
    entries = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(bundle.glob("entries/*.json"))]
    assert {one["body"]["visit"] for one in entries} == {VISIT}
    assert entries[0]["body"]["raw"] == "01"
    for file in bundle.rglob("*"):
        said = file.relative_to(bundle).as_posix()
        assert not any(word in said for word in (VISIT, NAME, "V-7K2M", "Ida", "K3"))
        assert file.is_dir() or NAME.encode() not in file.read_bytes()


def test_a_zip_holds_the_same(evident: Path, tmp_path: Path) -> None:
    bundle, packed = bundled(evident, tmp_path / "bundle"), bundled(evident, tmp_path / "bundle.zip")
    with zipfile.ZipFile(packed) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            file.relative_to(bundle).as_posix(): file.read_bytes() for file in bundle.rglob("*") if file.is_file()
        }


def test_what_cannot_be_bundled_leaves_nothing_behind(evident: Path, tmp_path: Path, clock: ManualClock) -> None:
    here = set(tmp_path.iterdir())
    with RecordReader.open(evident, KEY) as reader:
        made = export_bundle(reader, entries_of_visit(reader, VISIT), tmp_path / "bundle")
        assert (made.entries, made.checkpoints, made.uncovered) == (16, 3, 1)
        with pytest.raises(ExportFailed):
            export_bundle(reader, [1], tmp_path / "bundle")
        with pytest.raises(ExportFailed):
            export_bundle(reader, [1], tmp_path / "nowhere" / "bundle")
        with pytest.raises(NotFound):
            export_bundle(reader, [21], tmp_path / "other")
    Record.create(tmp_path / "bare", KEY, chair=3, simulated=True, clock=clock).close()
    with RecordReader.open(tmp_path / "bare", KEY) as reader, pytest.raises(NotFound):
        export_bundle(reader, [0], tmp_path / "other")
    left = {one.name for one in set(tmp_path.iterdir()) - here}
    assert {name for name in left if not name.endswith(("-wal", "-shm", ".lock"))} == {"bundle", "bare"}

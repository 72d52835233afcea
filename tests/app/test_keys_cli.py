"""The practice's keys on the command line: real files, real passphrases and PINs, one line when something is wrong."""

import re
from collections.abc import Callable
from pathlib import Path

import keyring
import pytest
from click.testing import CliRunner

from app.cli import main
from app.engine.lock import EngineLock
from app.engine.runtime import Folder
from core.keys import makers
from core.keys.authority import Authority
from core.model import cbor
from core.model.certificate import Role as CertificateRole
from core.model.certificate import read_revocations
from core.model.clock import SystemClock
from core.model.cose import KeySigner
from core.model.people import Operator, Role
from core.people import pin as pins
from core.record import PracticeFile, Record, RecordReader, WrongKey
from core.record.keys import KeyStore
from core.record.rekey import rekey
from core.record.sqlcipher import CipherFile
from devices.simulator.session.edhoc import KeyPair
from tests.core.keys.test_makers import Maker
from tests.core.record.old_practice import make_old_practice
from tests.core.record.test_record_keys import ShelfKeyring

WORD, PIN, OTHER_PIN, NEW_PIN = "correct horse", "739154", "286413", "918273"
ADA = Operator(id="0190a000-0000-7000-8000-00000000000a", name="Dr. Ada Moor", role=Role.DENTIST)
LEE = Operator(id="0190a000-0000-7000-8000-00000000000b", name="Dr. Lee", role=Role.DENTIST)
DEMO = Operator(id="0190a000-0000-7000-8000-00000000000d", name="Demo dentist", role=Role.DENTIST, demo=True)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SMILESCAPE_PIN", "SMILESCAPE_NEW_PIN", "SMILESCAPE_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)


def key_of(path: Path) -> bytes:
    return KeyStore(prefer="file").load_or_create(path, lambda: WORD)


def practice_file(root: Path) -> PracticeFile:
    path = root / "practice.sqlite"
    return PracticeFile.open(path, key_of(path), clock=SystemClock())


def make_folder(root: Path, *people: tuple[Operator, str], simulated: bool = False) -> Path:
    """A data folder with a practice, dentists with keys, and the record of one chair."""
    folder, clock = Folder.open(root, simulated=simulated), SystemClock()
    file = PracticeFile.create(folder.practice_file, key_of(folder.practice_file), clock=clock)
    authority = Authority(file.keys, clock, simulated=simulated)
    for operator, pin in people:
        file.add_operator(operator, pins.hash_pin(pin) if pin else "")
        if not authority.register.founded:
            unlocked = authority.found(operator, pin)
        else:
            authority.enter(authority.grant(unlocked, operator, pin), author=ADA.id)
    file.close()
    path = folder.chair_file(1)
    Record.create(path, key_of(path), chair=1, simulated=simulated, clock=clock).close()
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "practice", (ADA, PIN))


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `keys ARGUMENTS` on the folder: exit code, standard output, standard error."""

    def go(*arguments: str, typed: str = "", pin: str | None = PIN, data: Path | None = None) -> tuple[int, str, str]:
        with monkeypatch.context() as environment:
            environment.setenv("SMILESCAPE_PASSPHRASE", WORD)
            if pin is not None:
                environment.setenv("SMILESCAPE_PIN", pin)
            with CliRunner().isolation(input=typed) as (out, err, _):
                code = main(["keys", *arguments, "--data", str(data or folder)])
                return code, out.getvalue().decode(), err.getvalue().decode()

    return go


def one_line(said: tuple[int, str, str], *parts: str) -> None:
    code, out, err = said
    assert code not in (0, 3), said
    assert "Traceback" not in out + err
    shown = [line for line in err.strip().splitlines() if not line.startswith(("Usage:", "Try "))]
    assert len([line for line in shown if line]) == 1, err
    for part in parts:
        assert part in shown[-1], err


def kid_in(text: str, line: str) -> str:
    found = re.search(rf"^{line}.*?((?:[0-9A-F]{{4}} ){{3}}[0-9A-F]{{4}})", text, re.MULTILINE)
    assert found is not None, text
    return found.group(1)


def audited(folder: Path) -> list[tuple[str, str, dict[str, object]]]:
    path = folder / "chair-1.sqlite"
    found = []
    with RecordReader.open(path, key_of(path)) as reader:
        for entry in reader.audit_entries():
            plain = cbor.decode(entry.entry)
            assert isinstance(plain, dict)
            found.append((plain["kind"], plain["actor"], plain["body"]))
    return found


def unlocks(folder: Path, operator: Operator, pin: str) -> bool:
    """Whether somebody's PIN logs them in and opens the root."""
    file = practice_file(folder)
    try:
        known = next(one for one in file.operators() if one.name == operator.name)
        assert pins.check_pin(file.pin_hash(known.id), pin)
        Authority(file.keys, SystemClock(), simulated=False).unlock(known, pin).close()
    except (Exception, AssertionError):
        return False
    finally:
        file.close()
    return True


def test_the_list_names_every_key(run: Run) -> None:
    code, out, err = run("list", pin=None)
    assert (code, err) == (0, "")
    assert kid_in(out, "root") != kid_in(out, "clinician") != kid_in(out, "workstation")
    assert "revoked  list 1 of" in out
    assert re.search(r"^clinician +Dr\. Ada Moor .*\d{4}-\d\d-\d\d  \d{4}-\d\d-\d\d  In force$", out, re.MULTILINE)


def test_a_key_is_revoked_with_a_reason_that_everybody_can_read(run: Run, tmp_path: Path) -> None:
    both = make_folder(tmp_path / "two", (ADA, PIN), (LEE, OTHER_PIN))
    _, out, _ = run("list", data=both)
    kid = kid_in(out, r"clinician +Dr\. Lee")
    one_line(run("revoke", kid, "--reason", "lost", data=both), "Which dentist acts?", "Dr. Ada Moor, Dr. Lee", "--as")
    one_line(run("revoke", kid, "--reason", " ", "--as", ADA.name, data=both), "needs a reason")
    assert run("revoke", kid, data=both)[0] == 2
    code, out, err = run("revoke", kid.lower(), "--reason", "PIN seen", "--as", "dr. ada moor", data=both)
    assert (code, err) == (0, "")
    assert "Revoked the key of Dr. Lee" in out
    _, out, _ = run("list", data=both)
    assert re.search(r"Dr\. Lee .* Revoked +PIN seen$", out, re.MULTILINE)
    one_line(run("revoke", kid, "--reason", "again", "--as", ADA.name, data=both), "was revoked before")
    one_line(run("revoke", "1A2B", "--reason", "x", "--as", ADA.name, data=both), "is not the number of a key")
    one_line(run("renew", "--as", LEE.name, data=both, pin=OTHER_PIN), "has no key here")
    kind, actor, body = audited(both)[-1]
    assert (kind, actor) == ("keys.revoked", ADA.id)
    assert (body["reason"], body["holder"], body["by"], body["list"]) == ("PIN seen", LEE.id, "command line", 2)


def test_the_pin_is_asked_for_hidden_and_a_wrong_one_is_a_line(run: Run, folder: Path) -> None:
    code, out, _ = run("rotate", "workstation", "--reason", "stolen", typed=f"{PIN}\n", pin=None)
    assert code == 0, out
    assert "PIN of Dr. Ada Moor" in out
    assert PIN not in out
    one_line(run("renew", pin="000000"), "does not open this key")
    one_line(run("renew", pin=None), "A PIN is needed", "SMILESCAPE_PIN")
    file = practice_file(folder)
    assert [login.outcome for login in file.logins()] == ["refused"]
    file.close()


def test_a_workstation_and_a_dentist_get_new_keys(run: Run, folder: Path) -> None:
    before = {what: kid_in(run("list")[1], what) for what in ("workstation", "clinician")}
    for what, reason in (("workstation", "stolen"), ("clinician", "copied")):
        code, out, _ = run("rotate", what, "--reason", reason)
        assert code == 0
        assert kid_in(out, "New key:") != before[what]
    _, out, _ = run("list")
    for what, reason in (("workstation", "stolen"), ("clinician", "copied")):
        assert re.search(rf"^{what} .*{before[what]}.* Revoked +{reason}$", out, re.MULTILINE), out
    assert unlocks(folder, ADA, PIN)
    assert [kind for kind, _, _ in audited(folder)] == ["keys.workstation_rotated", "keys.mine_rotated"]
    assert run("rotate", "hub")[0] == 2
    code, out, _ = run("renew")
    assert (code, len(out.splitlines())) == (0, 2)


def test_a_hub_that_is_found_is_taken_back(run: Run, folder: Path) -> None:
    file = practice_file(folder)
    authority = Authority(file.keys, SystemClock(), simulated=False)
    with authority.unlock(ADA, PIN) as ada:
        authority.certify_hub(ada, "SH-0001", KeySigner().public, KeyPair().x)
    file.close()
    kid = kid_in(run("list")[1], "hub")
    one_line(run("take-back", kid, "--reason", "found"), "no revoked key of a hub")
    run("revoke", kid, "--reason", "lost")
    assert re.search(r"^hub .* Revoked +lost$", run("list")[1], re.MULTILINE)
    code, out, _ = run("take-back", kid, "--reason", "found in the lab")
    assert code == 0
    assert "Open the hub by hand, enrol it, and replace its keys" in out
    assert re.search(r"^hub .* In force$", run("list")[1], re.MULTILINE)
    station = kid_in(run("list")[1], "workstation")
    run("rotate", "workstation")
    one_line(run("take-back", station, "--reason", "found"), "no revoked key of a hub")
    assert [kind for kind, _, _ in audited(folder)][:2] == ["keys.revoked", "keys.taken_back"]


def test_a_maker_is_trusted_after_its_number_was_compared(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped, made, simulated = tmp_path / "trust", Maker("Acme hubs"), Maker("Simulated")
    shipped.mkdir()
    (shipped / "simulated.cert").write_bytes(simulated.root)
    monkeypatch.setattr(makers, "_shipped", lambda: shipped)
    root, signer, rubbish = (tmp_path / name for name in ("root.cert", "signer.cert", "letter.txt"))
    root.write_bytes(made.root)
    signer.write_bytes(made.signer)
    rubbish.write_text("Dear practice")
    code, out, _ = run("trust-maker", str(signer), str(root), typed="n\n")
    assert code == 130
    assert len(re.findall(r"  (?:[0-9A-F]{4} ){15}[0-9A-F]{4}$", out, re.MULTILINE)) == 2, "the whole hash is compared"
    assert "Acme" not in run("list")[1]
    one_line(run("trust-maker", str(signer), "--yes"), "maker is not known")
    one_line(run("trust-maker", str(rubbish), "--yes"), "letter.txt is no certificate")
    one_line(run("trust-maker", str(shipped / "simulated.cert"), "--yes"), "simulated maker")
    assert run("trust-maker")[0] == 2
    assert run("trust-maker", str(tmp_path / "absent.cert"))[0] == 2
    code, out, _ = run("trust-maker", str(signer), str(root), typed="y\n")
    assert code == 0
    _, out, _ = run("list")
    kid = kid_in(out, "maker")
    assert "Acme hubs firmware" in out
    one_line(run("trust-maker", "--withdraw", "0000 0000 0000 0000"), "No trusted maker")
    assert run("trust-maker", "--withdraw", kid)[0] == 0
    assert "Acme" not in run("list")[1]
    kinds = [kind for kind, _, _ in audited(folder)]
    assert kinds == ["keys.maker_trusted", "keys.maker_trusted", "keys.maker_withdrawn"]


def test_the_newest_list_can_be_carried_away(run: Run, folder: Path, tmp_path: Path) -> None:
    run("rotate", "workstation", "--reason", "stolen")
    out_file = tmp_path / "list.cose"
    code, out, _ = run("export-revocations", "--out", str(out_file), pin=None)
    assert code == 0
    assert "List 2 with 1 keys" in out
    file = practice_file(folder)
    register = Authority(file.keys, SystemClock(), simulated=False).register
    listed = read_revocations(out_file.read_bytes(), register.root)
    assert (listed, listed.number) == (register.trust.revoked, 2)
    file.close()
    one_line(run("export-revocations", "--out", str(tmp_path / "absent" / "list.cose")), "No such file or directory")


def test_when_nobody_opens_the_root_there_is_a_new_one(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = kid_in(run("list")[1], "root")
    code, out, _ = run("new-root", typed="n\n", pin=None)
    assert code == 130
    for consequence in ("opened by hand", "enrolled anew", "needs a new PIN"):
        assert consequence in out
    assert kid_in(run("list")[1], "root") == old
    one_line(run("new-root", "--yes", typed="1111\n1111\n", pin=None), "among the first")
    assert unlocks(folder, ADA, PIN)
    code, out, _ = run("new-root", typed=f"y\n{NEW_PIN}\n{NEW_PIN}\n", pin=None)
    assert code == 0
    assert NEW_PIN not in out
    assert unlocks(folder, ADA, NEW_PIN)
    assert not unlocks(folder, ADA, PIN)
    assert kid_in(run("list")[1], "root") != old
    assert run("new-root", "--add", "X", "--as", "Y")[0] == 2
    one_line(run("new-root", "--add", " ", "--yes", pin=None), "A name is needed")
    monkeypatch.setenv("SMILESCAPE_NEW_PIN", OTHER_PIN)
    assert run("new-root", "--add", LEE.name, "--yes", pin=None)[0] == 0
    assert unlocks(folder, LEE, OTHER_PIN)
    assert re.search(r"Dr\. Ada Moor .* No key$", run("list")[1], re.MULTILINE)
    assert [kind for kind, _, _ in audited(folder)] == ["keys.new_root", "keys.new_root"]


def test_the_sheet_brings_the_root_back(run: Run, folder: Path) -> None:
    code, out, _ = run("sheet")
    assert code == 0
    lines = re.findall(r"^  \d  (.+)$", out, re.MULTILINE)
    assert len(lines) == 4
    root = kid_in(run("list")[1], "root")
    wrong = [lines[0], lines[2], lines[1], lines[3]]
    one_line(run("recover", typed="\n".join(wrong) + "\n", pin=None), "Line 2 is not as it was printed")
    code, out, _ = run("recover", typed="\n".join(lines).lower() + f"\n{NEW_PIN}\n{NEW_PIN}\n", pin=None)
    assert code == 0, out
    assert unlocks(folder, ADA, NEW_PIN)
    assert not unlocks(folder, ADA, PIN)
    assert kid_in(run("list")[1], "root") == root, "no hub notices"
    run("new-root", "--yes", typed=f"{OTHER_PIN}\n{OTHER_PIN}\n", pin=None)
    one_line(
        run("recover", typed="\n".join(lines) + f"\n{PIN}\n{PIN}\n", pin=None), "another root", "Take the newest sheet"
    )
    assert unlocks(folder, ADA, OTHER_PIN), "and nothing was changed"
    assert [kind for kind, _, _ in audited(folder)] == ["keys.sheet", "keys.recovered", "keys.new_root"]


def test_nothing_is_done_beside_a_running_engine(run: Run, folder: Path) -> None:
    with EngineLock(folder / "runtime"):
        for arguments in (("list",), ("renew",), ("new-root", "--yes"), ("export-revocations", "--out", "x")):
            one_line(run(*arguments), "is already served by", "end that process first")
    assert run("list")[0] == 0


@pytest.mark.parametrize(
    ("passphrase", "said"), [("wrong", "does not open"), (None, "needs its passphrase")], ids=["wrong", "none"]
)
def test_the_files_passphrase_comes_first(
    folder: Path, passphrase: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--passphrase", passphrase] if passphrase is not None else []
    code = main(["keys", "list", "--data", str(folder), *given])
    shown = capsys.readouterr()
    one_line((code, shown.out, shown.err), said)


def test_a_folder_without_a_practice_and_one_without_keys(run: Run, tmp_path: Path) -> None:
    one_line(run("list", data=tmp_path / "absent"), "There is no practice", "--data")
    old = tmp_path / "old"
    old.mkdir()
    path = old / "practice.sqlite"
    make_old_practice(path, key_of(path), [(ADA.id, ADA.name, "dentist", pins.hash_pin(PIN))])
    for arguments in (("list",), ("renew",), ("sheet",), ("export-revocations", "--out", "x")):
        one_line(run(*arguments, data=old), "has no keys yet", "A dentist has to log in once")
    assert run("new-root", "--yes", typed=f"{NEW_PIN}\n{NEW_PIN}\n", pin=None, data=old)[0] == 0
    assert unlocks(old, ADA, NEW_PIN)


def test_the_demo_asks_for_no_pin_and_trusts_nobody_else(tmp_path: Path, run: Run) -> None:
    root = make_folder(tmp_path / "demo", (DEMO, ""), simulated=True)
    maker = tmp_path / "maker.cert"
    maker.write_bytes(Maker("Acme hubs").root)
    assert run("rotate", "workstation", pin=None, data=root)[0] == 0
    assert run("rotate", "clinician", pin=None, data=root)[0] == 0
    assert run("new-root", "--yes", pin=None, data=root)[0] == 0
    one_line(run("trust-maker", str(maker), "--yes", pin=None, data=root), "trusts the simulated maker alone")
    assert CertificateRole.ROOT.name.lower() in run("list", data=root)[1]


def rotated(folder: Path, run: Run, load: Callable[[Path], bytes]) -> None:
    """Every file has a new key, opens with it and not with the one before, and the log says who asked for it."""
    files = [folder / "chair-1.sqlite", folder / "practice.sqlite"]
    before = {path: load(path) for path in files}
    code, out, err = run("rotate", "files", "--reason", "a copy of the disk is missing")
    assert (code, err) == (0, ""), err
    assert "Every file has a new key" in out
    for path in files:
        assert load(path) != before[path]
        with pytest.raises(WrongKey):
            CipherFile.read(path, before[path])
    path = folder / "chair-1.sqlite"
    with RecordReader.open(path, load(path)) as reader:
        assert reader.verify().ok
        kinds = [cbor.decode(one.entry)["kind"] for one in reader.audit_entries()]  # type: ignore[index]
    assert kinds[-1] == "keys.files_rotated"
    assert not [one.name for one in folder.iterdir() if ".next" in one.name or ".made" in one.name]
    assert run("list")[0] == 0


def test_every_file_gets_a_new_key_in_its_key_file(folder: Path, run: Run) -> None:
    rotated(folder, run, key_of)


def test_every_file_gets_a_new_key_in_the_keyring(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked for a passphrase, and the keyring keeps nothing of the former keys."""
    ring = ShelfKeyring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: ring)
    store = KeyStore(prefer="keyring")
    for name in ("chair-1.sqlite", "practice.sqlite"):
        rekey(folder / name, store, lambda: WORD)
    assert len(ring.shelf) == 2
    former = set(ring.shelf)

    def load(path: Path) -> bytes:
        return store.load(path, lambda: pytest.fail("no passphrase is needed"))

    rotated(folder, run, load)
    assert len(ring.shelf) == 2
    assert not former & set(ring.shelf), "the former keys are destroyed"


def test_a_keyring_that_takes_no_new_key_leaves_the_old_ones(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = ShelfKeyring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: ring)
    store = KeyStore(prefer="keyring")
    for name in ("chair-1.sqlite", "practice.sqlite"):
        rekey(folder / name, store, lambda: WORD)
    ring.writable = False
    before = dict(ring.shelf)
    with monkeypatch.context() as environment:
        environment.setenv("SMILESCAPE_PIN", PIN)
        with CliRunner().isolation() as (_, err, _output):
            assert main(["keys", "rotate", "files", "--data", str(folder)]) != 0
            assert "keyring takes no new key" in err.getvalue().decode()
    assert ring.shelf == before
    assert run("list")[0] == 0

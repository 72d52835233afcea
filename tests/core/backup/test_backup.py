"""Backups of real encrypted files, made while they are written, and data folders made out of them."""

import itertools
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.backup.checking import check_backup, look_at
from core.backup.errors import BackupCancelled, BackupDamaged, BackupFailed, NoSheet, SheetUnknown
from core.backup.making import MANIFEST, make_backup, manifests, one_at_a_time
from core.backup.places import outstanding, places, renew_keys, surplus
from core.backup.restoring import find_backup, finish, restoring
from core.backup.vault import VAULT_NAME, Vault, draw_sheet, take_sheet, typed_sheet
from core.keys.errors import SheetWrong
from core.model import cbor
from core.model.wear import DAY_US
from core.record import PracticeFile, RecordReader
from core.record.inspect import verify_record
from core.record.keys import KeyStore, key_file
from core.record.schema import record_migrations
from core.record.sqlcipher import Database
from tests.core.backup.house import (
    BO,
    DENTIST,
    HUB,
    PH,
    UTC0,
    WORDS,
    ZEB,
    Premises,
    decrypted,
    premises,
    samples_of,
    visit,
)
from tests.core.record.signing import Keys

WORD = "correct horse"


def restored(house: Premises, place: Path, target: Path) -> dict[str, bytes]:
    """Restore the newest backup with nothing but the sheet; the new keys, by file."""
    keys = KeyStore(prefer="file")
    vault = Vault.read(place, typed_sheet(house.lines))
    with restoring(find_backup(place), vault, target, keys, lambda: WORD, clock=house.clock) as draft:
        finish(draft, target, author=DENTIST.id, clock=house.clock)
    return {path.name: keys.load(path, lambda: WORD) for path in target.glob("*.sqlite")}


def whole(path: Path, key: bytes) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    from core.record.sqlcipher import CipherFile

    file = CipherFile.read(path, key)
    try:
        names = [row[0] for row in file.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {name: sorted(file.rows(f"SELECT * FROM {name}"), key=repr) for name in names}
    finally:
        file.close()


def test_a_new_machine_gets_every_row_back_with_the_sheet_alone(house: Premises, place: Path, tmp_path: Path) -> None:
    house.backup(place)
    before = {name: whole(house.path(name), key) for name, key in ((s.path.name, s.key) for s in house.sources)}
    shutil.rmtree(house.root)
    target = tmp_path / "new" / "practice"
    keys = restored(house, place, target)
    assert keys.keys() == before.keys()
    for name, tables in before.items():
        after = whole(target / name, keys[name])
        differs = {table for table in tables if after[table] != tables[table]}
        # What restoring itself writes down; words of the search are stored anew.
        allowed = {"audit", "audit_tree", "event", "restored", "setting", "secret", "patient_key"}
        assert {table for table in differs if not table.startswith(("search_word", "sqlite_"))} <= allowed, name
        if name != "practice.sqlite":
            assert verify_record(target / name, keys[name]).ok
            with RecordReader.open(target / name, keys[name]) as reader:
                assert [hit.entity for hit in reader.search.find("Quackenbush", 10)] == [ZEB.id]


def test_a_backup_of_an_older_version_is_brought_up_to_date(
    house: Premises, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.backup(place)
    monkeypatch.setattr(record_migrations, "_migrations", list(record_migrations._migrations))

    @record_migrations(name="m900_more")
    def _more(database: Database) -> None:
        database.execute("CREATE TABLE more (id INTEGER PRIMARY KEY) STRICT")

    keys = restored(house, place, tmp_path / "new")
    assert "more" in whole(tmp_path / "new" / "chair-1.sqlite", keys["chair-1.sqlite"])


def test_nothing_of_a_patient_lies_in_a_backup_but_sealed(house: Premises, place: Path) -> None:
    made = house.backup(place)
    vault = house.vault(place)
    for file in made.glob("*.backup"):
        plain = decrypted(file, vault.file_key(made.name, file.name))
        assert b"CREATE TABLE" in plain
        for word in (*WORDS, b"gnome", b"Boswell"):
            assert word not in plain
        assert samples_of(ZEB).tobytes()[:64] not in plain
    live = decrypted(house.path("chair-1.sqlite"), house.sources[0].key)
    assert all(word in live for word in WORDS), "the search would find them"


def test_a_backup_is_made_while_a_record_is_written(house: Premises, place: Path, tmp_path: Path) -> None:
    """Whatever was committed when it began is in it, and of what comes meanwhile only whole transactions."""
    stop, failed = threading.Event(), []

    def write() -> None:
        record = house.record(1)
        try:
            number = 100
            while not stop.is_set():
                visit(record, BO, number)
                number += 1
        except Exception as error:
            failed.append(error)
        finally:
            record.close()

    with house.reader(1) as reader:
        visits = len(reader.visits())
    thread = threading.Thread(target=write)
    thread.start()
    try:
        house.backup(place)
    finally:
        stop.set()
        thread.join()
    assert not failed
    keys = restored(house, place, tmp_path / "new")
    with RecordReader.open(tmp_path / "new" / "chair-1.sqlite", keys["chair-1.sqlite"]) as reader:
        found = reader.visits()
        assert len(found) >= visits
        assert all(one.state == "complete" for one in found)
        assert reader.verify().ok


def test_a_restored_log_goes_on_under_a_name_of_its_own(house: Premises, place: Path, tmp_path: Path) -> None:
    """Witnesses keep what they saw under the old one, and countersign the new one."""
    keys = Keys()
    record, other = house.record(1), house.record(2)
    with record.transaction():
        first = record.checkpoints.make(keys.signing, at_us=UTC0, reason="test")
    assert first is not None
    house.backup(place)
    with record.transaction():
        record.audit("later", actor="a", at_us=UTC0, body={})
        late = record.checkpoints.make(keys.signing, at_us=UTC0, reason="test")
    assert late is not None
    with other.transaction():
        other.witness.countersign(late.note, keys.signing.signer.public, 0, [], at_us=UTC0)
    record.close()
    other.close()
    target = tmp_path / "new"
    fresh = restored(house, place, target)
    from core.record import Record

    record = Record.open(target / "chair-1.sqlite", fresh["chair-1.sqlite"], clock=house.clock)
    with record.transaction():
        made = record.checkpoints.make(keys.signing, at_us=UTC0, reason="test")
    assert made is not None
    assert made.note.checkpoint.origin != first.note.checkpoint.origin
    witness = house.record(2)
    with witness.transaction():
        witness.witness.countersign(made.note, keys.signing.signer.public, 0, [], at_us=UTC0)
    witness.close()
    record.close()
    report = verify_record(
        target / "chair-1.sqlite",
        fresh["chair-1.sqlite"],
        witnesses={house.path("chair-2.sqlite"): house.sources[1].key},
    )
    assert report.ok, report.problems
    assert any("Restored on" in note for note in report.notes)
    with RecordReader.open(target / "chair-1.sqlite", fresh["chair-1.sqlite"]) as reader:
        kinds = [cbor.decode(one.entry)["kind"] for one in reader.audit_entries()]  # type: ignore[index]
        assert kinds[-1] == "record.restored"


def test_a_backup_that_is_broken_off_leaves_nothing(house: Premises, place: Path) -> None:
    practice = house.practice()
    for stop_at in range(3):
        asked = itertools.count()

        def watch(_: float, asked: Iterator[int] = asked, stop_at: int = stop_at) -> bool:
            return next(asked) < stop_at

        with pytest.raises(BackupCancelled):
            make_backup(
                place,
                house.sources,
                practice,
                clock=house.clock,
                simulated=False,
                scratch=house.root / "runtime",
                watch=watch,
            )
        assert {path.name for path in place.iterdir()} <= {VAULT_NAME}
        assert not list((house.root / "runtime").glob("trial*"))
    assert not places(practice)
    assert not list(place.iterdir())
    practice.close()


def test_what_a_killed_backup_left_is_swept_by_the_next(house: Premises, place: Path) -> None:
    (place / ".part-backup-1").mkdir(parents=True)
    (place / ".part-backup-1" / "chair-1.backup").write_bytes(b"half")
    made = house.backup(place)
    assert {path.name for path in place.iterdir()} == {VAULT_NAME, made.name}


def test_a_damaged_record_is_not_backed_up_as_if_it_were_sound(house: Premises, place: Path) -> None:
    from core.record.sqlcipher import CipherFile

    file = CipherFile.open(house.path("chair-1.sqlite"), house.sources[0].key)
    with file.transaction():
        file.execute("UPDATE payload SET data = x'00'")
    file.close()
    with pytest.raises(BackupFailed, match=r"chair-1\.sqlite does not hold"):
        house.backup(place)
    assert not manifests(place)


def test_a_changed_backup_is_found_out(house: Premises, place: Path, tmp_path: Path) -> None:
    made = house.backup(place)
    vault = house.vault(place)

    def attempt() -> None:
        with restoring(
            find_backup(place), vault, tmp_path / "new", KeyStore(prefer="file"), lambda: WORD, clock=house.clock
        ):
            pytest.fail("it was restored")

    manifest = made / MANIFEST
    said = manifest.read_text()
    manifest.write_text(said.replace('"simulated": false', '"simulated": true'))
    with pytest.raises(BackupDamaged):
        attempt()
    manifest.write_text(said)
    copy = made / "chair-2.backup"
    data = bytearray(copy.read_bytes())
    data[20_000] ^= 1
    copy.write_bytes(data)
    with pytest.raises(BackupDamaged):
        attempt()
    assert not (tmp_path / "new").exists()


def test_a_folder_with_something_in_it_is_never_written_over(house: Premises, place: Path, tmp_path: Path) -> None:
    house.backup(place)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "thesis.txt").write_text("mine")
    with pytest.raises(BackupFailed, match="not empty"):
        restored(house, place, tmp_path / "new")
    assert (tmp_path / "new" / "thesis.txt").read_text() == "mine"


def test_without_a_dentist_who_answers_nothing_is_restored(house: Premises, place: Path, tmp_path: Path) -> None:
    house.backup(place)
    keys = KeyStore(prefer="file")
    with restoring(find_backup(place), house.vault(place), tmp_path / "new", keys, lambda: WORD, clock=house.clock):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"data", "stick"}


def test_another_sheet_opens_nothing_and_a_new_one_takes_over(house: Premises, place: Path) -> None:
    house.backup(place)
    seed, lines = draw_sheet()
    with pytest.raises(SheetUnknown):
        Vault.read(place, seed)
    practice = house.practice()
    take_sheet(practice.keys, seed, author=DENTIST.id)
    practice.close()
    house.backup(place)
    assert Vault.read(place, typed_sheet(lines)).patients.keys() == {ZEB.id, BO.id}
    with pytest.raises(SheetUnknown):
        Vault.read(place, house.sheet)


def test_a_line_that_is_mistyped_is_named(house: Premises) -> None:
    lines = list(house.lines)
    lines[2] = lines[1]
    with pytest.raises(SheetWrong, match="Line 3"):
        typed_sheet(lines)


def test_without_a_sheet_there_is_no_backup(tmp_path: Path, house: Premises) -> None:
    practice = PracticeFile.create(tmp_path / "practice.sqlite", b"k" * 32, clock=house.clock)
    with pytest.raises(NoSheet):
        make_backup(tmp_path / "stick", house.sources, practice, clock=house.clock, simulated=False, scratch=house.root)
    practice.close()


def test_a_backup_beside_the_data_is_refused_and_two_at_once_as_well(house: Premises, place: Path) -> None:
    with pytest.raises(BackupFailed, match="beside the data"):
        house.backup(house.root / "backups")
    with one_at_a_time(house.root / "runtime"), pytest.raises(BackupFailed, match="under way"):
        house.backup(place)


def test_old_backups_are_thinned(house: Premises, place: Path) -> None:
    for _ in range(9):
        house.backup(place)
        house.clock.advance(86_400)
    assert len(manifests(place)) < 9
    assert len(manifests(place)) >= 7
    practice = house.practice()
    (known,) = places(practice)
    assert known.path == str(place)
    assert not outstanding(practice)
    practice.close()


def test_what_is_surplus() -> None:
    days = [UTC0 + number * DAY_US for number in range(800)]
    gone = surplus(days)
    kept = sorted(set(days) - set(gone))
    assert kept[-7:] == days[-7:]
    assert 7 + 4 + 10 <= len(kept) <= 7 + 5 + 12
    assert not surplus([UTC0, UTC0 + DAY_US])
    assert surplus([UTC0, UTC0 + 1]) == [UTC0]


def test_keys_lie_in_no_backup_but_in_the_vault_beside_it(house: Premises, place: Path, tmp_path: Path) -> None:
    made = house.backup(place)
    practice = house.practice()
    keys = practice.keys.patient_keys()
    practice.close()
    assert keys
    vault = house.vault(place)
    plain = decrypted(made / "practice.backup", vault.file_key(made.name, "practice.backup"))
    assert not [one for one in keys.values() if one in plain]
    fresh = restored(house, place, tmp_path / "new")
    again = PracticeFile.open(tmp_path / "new" / "practice.sqlite", fresh["practice.sqlite"], clock=house.clock)
    assert again.keys.patient_keys() == keys
    assert again.operators() == [DENTIST]
    again.close()
    assert key_file(tmp_path / "new" / "practice.sqlite").exists()


def test_channels_and_hub_are_named_in_the_copy(house: Premises) -> None:
    """What the tests above look for is really there."""
    with house.reader(1) as reader:
        assert HUB in reader.info().sources
        assert any(one.number == PH for one in reader.channels())


def test_backups_of_another_practice_are_left_alone(house: Premises, place: Path, tmp_path: Path) -> None:
    other = premises(tmp_path / "other")
    other.backup(place)
    before = (place / VAULT_NAME).read_bytes()
    with pytest.raises(BackupFailed, match="does not open"):
        house.backup(place)
    assert (place / VAULT_NAME).read_bytes() == before


KILLED = """
import os, signal, sys
from pathlib import Path
from core.backup import making
from tests.core.backup.house import Premises
from core.model.clock import ManualClock

data, place, wanted = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
original = getattr(making, wanted)
def cut(*arguments, **named):
    done = original(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(making, wanted, cut)
Premises(data, ManualClock(utc_us=1_800_000_000_000_000), b"", []).backup(place)
"""


@pytest.mark.parametrize("after", ["copy_file", "prove", "replace_file"])
def test_a_backup_killed_in_a_new_place_is_known_named_and_swept(house: Premises, place: Path, after: str) -> None:
    """Its keys lie there already: an erasure must know where."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(house.root), str(place), after], check=False, capture_output=True, text=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    practice = house.practice()
    (shelf,) = look_at(practice)
    assert (shelf.place.path, shelf.place.made_us, shelf.kept) == (str(place), 0, ())
    assert [name.startswith(".part-backup-") for name in shelf.cut_off] == [True]
    practice.keys.erase_patient_key(ZEB.id)
    assert [one.path for one in outstanding(practice)] == [str(place)]
    assert not renew_keys(practice)
    practice.close()
    assert set(house.vault(place).patients) == {BO.id}
    made = house.backup(place)
    assert {path.name for path in place.iterdir()} == {VAULT_NAME, made.name}
    assert not list((house.root / "runtime").glob("trial*"))


def test_a_backup_is_opened_again_to_see_whether_it_holds(house: Premises, place: Path) -> None:
    made = house.backup(place)
    practice, scratch = house.practice(), house.root / "runtime"
    house.clock.advance(DAY_US / 1e6)
    check_backup(place, made.name, practice, clock=house.clock, scratch=scratch)
    (shelf,) = look_at(practice)
    (kept,) = shelf.kept
    assert (kept.name, kept.chairs, kept.ours) == (made.name, 2, True)
    assert kept.checked_us == house.clock.utc_us() > kept.made_us
    practice.keys.erase_patient_key(ZEB.id)
    assert not renew_keys(practice)
    check_backup(place, made.name, practice, clock=house.clock, scratch=scratch)  # less in it, and sound all the same
    copy = made / "chair-2.backup"
    copy.write_bytes(copy.read_bytes()[:-4096] + b"\0" * 4096)
    with pytest.raises(BackupDamaged, match="chair-2"):
        check_backup(place, made.name, practice, clock=house.clock, scratch=scratch)
    (place / VAULT_NAME).unlink()
    with pytest.raises(BackupDamaged, match=VAULT_NAME):
        check_backup(place, made.name, practice, clock=house.clock, scratch=scratch)
    assert not list(scratch.glob("trial*"))
    practice.close()

"""A patient who was erased: looked for in every page of the live files and of backups, in the clear."""

from pathlib import Path

import msgspec
import pytest

from core.backup.erasing import erase, pending, plan_erasure
from core.backup.errors import EraseRefused
from core.backup.places import outstanding, renew_keys
from core.backup.retention import RetentionWrong, load_retention
from core.backup.sealed_file import restore_file
from core.model.wear import DAY_US
from core.record import RecordReader
from core.record.errors import RecordError
from core.record.sqlcipher import CipherFile
from tests.core.backup.house import BO, DAY0, DENTIST, HUB, KEYS, UTC0, WORDS, ZEB, Premises, decrypted, samples_of
from tests.core.backup.house import visit as seated

KEPT = frozenset({"adverse"})


def gone(house: Premises, kept: frozenset[str] = frozenset()) -> None:
    practice, records = house.practice(), [house.record(1), house.record(2)]
    try:
        erase(records, practice, ZEB.id, kept, author=DENTIST.id, reason="asked for", at_us=UTC0)
        assert not pending(practice)
    finally:
        for record in records:
            record.close()
        practice.close()


def test_nothing_of_an_erased_patient_is_left_in_the_live_files(house: Premises) -> None:
    before = decrypted(house.path("chair-1.sqlite"), KEYS["chair-1.sqlite"])
    assert all(word in before for word in WORDS)
    gone(house)
    for name in ("chair-1.sqlite", "chair-2.sqlite"):
        plain = decrypted(house.path(name), KEYS[name])
        assert not [word for word in WORDS if word in plain or word.lower() in plain]
        assert b"Boswell" in plain
        with RecordReader.open(house.path(name), KEYS[name]) as reader:
            assert reader.verify().ok
            assert {visit.patient_id for visit in reader.visits()} == {BO.id}
            assert not reader.search.find("quackenbush", 10)
            assert reader.search.find("boswell", 10)
            assert {one.summary.worn_s for one in reader.days_read(HUB)} == {3600 + 10 * reader.chair}
            assert reader.info().samples == len(samples_of(BO))


def test_raw_samples_go_too(house: Premises) -> None:
    """Those that were not compacted yet, byte for byte as they came."""
    record = house.record(1)
    seated(record, ZEB, 77)
    values = samples_of(ZEB).tobytes()[:64]
    record.file.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    assert values in decrypted(house.path("chair-1.sqlite"), KEYS["chair-1.sqlite"])
    practice, other = house.practice(), house.record(2)
    erase([record, other], practice, ZEB.id, (), author=DENTIST.id, reason="asked for", at_us=UTC0)
    assert values not in decrypted(house.path("chair-1.sqlite"), KEYS["chair-1.sqlite"])
    for one in (record, other, practice):
        one.close()


def test_backups_from_before_hold_noise(house: Premises, place: Path, tmp_path: Path) -> None:
    made = house.backup(place)
    old = house.vault(place)
    gone(house)
    practice = house.practice()
    assert [one.path for one in outstanding(practice)] == [str(place)]
    assert not renew_keys(practice)
    assert not outstanding(practice)
    practice.close()
    vault = house.vault(place)
    assert set(vault.patients) == {BO.id}
    assert set(vault.erased) == {ZEB.id}
    assert old.patients[ZEB.id] not in (place / "keys.vault").read_bytes()
    for name, key in (("chair-1.sqlite", b"x" * 32), ("chair-2.sqlite", b"y" * 32)):
        copy = made / f"{name.removesuffix('.sqlite')}.backup"
        target = tmp_path / name
        back = restore_file(
            copy,
            vault.file_key(made.name, copy.name),
            target,
            key,
            backup=made.name,
            name=copy.name,
            patients=vault.patients,
        )
        assert back.missing == {ZEB.id}
        plain = decrypted(target, key) + decrypted(copy, vault.file_key(made.name, copy.name))
        assert not [word for word in WORDS if word in plain or word.lower() in plain]
        with RecordReader.open(target, key) as reader:
            assert reader.verify().ok
            assert {visit.patient_id for visit in reader.visits()} == {BO.id}


def test_a_place_that_cannot_be_reached_is_outstanding(house: Premises, place: Path, tmp_path: Path) -> None:
    house.backup(place)
    place.rename(tmp_path / "in a drawer")
    gone(house)
    practice = house.practice()
    assert [one.path for one in renew_keys(practice)] == [str(place)]
    assert [one.path for one in outstanding(practice)] == [str(place)]
    (tmp_path / "in a drawer").rename(place)
    assert not renew_keys(practice)
    assert not outstanding(practice)
    practice.close()


def test_the_log_verifies_and_says_so_by_id_alone(house: Premises) -> None:
    with house.reader(1) as reader:
        before = reader.audit_head()
    gone(house)
    with house.reader(1) as reader:
        assert reader.audit_head().size == before.size + 1
        assert reader.consistency(before.size, before.size + 1)
        entries = b"".join(one.entry for one in reader.audit_entries())
        assert b"patient.erased" in entries
        assert not [word for word in WORDS if word in entries]


def test_what_the_rules_keep_stays_also_in_later_backups(house: Premises, place: Path) -> None:
    practice, records = house.practice(), [house.record(1), house.record(2)]
    plan = plan_erasure(records, ZEB.id, KEPT)
    for record in records:
        record.close()
    practice.close()
    assert plan.stays == {"adverse": 2}
    assert plan.goes["note"] == 2
    assert plan.goes["block"] >= 2
    gone(house, KEPT)
    with house.reader(1) as reader:
        assert reader.verify().ok
    plain = decrypted(house.path("chair-1.sqlite"), KEYS["chair-1.sqlite"])
    assert b"mandrake" in plain
    assert not [word for word in WORDS if word != b"mandrake" and word in plain]
    house.backup(place)


def test_an_open_visit_is_not_erased(house: Premises) -> None:
    record, other, practice = house.record(1), house.record(2), house.practice()
    with record.transaction():
        visit = next(one for one in record.visits(ZEB.id))
        record.begin_visit(msgspec.structs.replace(visit, id="now", state="open"))
    with pytest.raises(EraseRefused, match="still open"):
        erase([record, other], practice, ZEB.id, (), author=DENTIST.id, reason="asked", at_us=UTC0)
    assert record.patient(ZEB.id) is not None
    assert not practice.keys.erased_patients()
    for one in (record, other, practice):
        one.close()


def test_rows_of_others_cannot_be_taken(house: Premises) -> None:
    gone(house)
    file = CipherFile.open(house.path("chair-1.sqlite"), KEYS["chair-1.sqlite"])
    for table in ("version", "event", "attachment", "hub_day", "hub_event", "erasure", "audit"):
        with pytest.raises(RecordError, match="append-only"):
            file.execute(f"DELETE FROM {table}")
    file.close()


def test_a_hub_that_tells_again_is_not_listened_to(house: Premises) -> None:
    """It remembers 90 days, also those of somebody who was erased meanwhile."""
    with house.reader(1) as reader:
        days = [one.summary for one in reader.days_read(HUB)]
        events = reader.hub_events(HUB)
    gone(house)
    record = house.record(1)
    with record.transaction():
        record.add_wear(HUB, days, events, read_us=UTC0 + 99 * DAY_US)
    record.close()
    with house.reader(1) as reader:
        assert DAY0 + 15 not in {one.summary.day for one in reader.days_read(HUB)}
        assert {one.number for one in reader.hub_events(HUB)} == {10}


def test_the_rules_are_checked(tmp_path: Path) -> None:
    assert load_retention().kept_kinds == KEPT
    path = tmp_path / "retention.toml"
    path.write_text('years = 10\n[[stays]]\nwhat = "notes"\nwhy = "because"\n')
    with pytest.raises(RetentionWrong, match="notes"):
        load_retention(path)

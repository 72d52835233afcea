"""A patient who was erased: looked for in every page of the live files and of backups, in the clear."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from core.backup import erasing
from core.backup.erasing import erase, pending, plan_erasure
from core.backup.errors import EraseRefused
from core.backup.places import outstanding, renew_keys
from core.backup.retention import RetentionWrong, load_retention
from core.backup.sealed_file import restore_file
from core.model.block import Provenance, SampleBlock
from core.model.wear import DAY_US
from core.record import Record, RecordReader, StampedBlock
from core.record.errors import RecordError
from core.record.sqlcipher import CipherFile
from tests.core.backup.house import (
    BO,
    DAY0,
    DENTIST,
    HUB,
    KEYS,
    PH,
    UTC0,
    WORDS,
    ZEB,
    Premises,
    decrypted,
    samples_of,
)
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


def test_what_was_being_packed_does_not_come_back(house: Premises) -> None:
    record, other, practice = house.record(1), house.record(2), house.practice()
    between_visits(record)
    task = record.plan_compaction(settle=True)
    assert task is not None
    erase([record, other], practice, ZEB.id, (), author=DENTIST.id, reason="asked for", at_us=UTC0)
    with record.transaction():
        assert record.store_compacted(task.pack()) == 0, "it was read before they went"
    for one in (record, other, practice):
        one.close()
    plain = decrypted(house.path("chair-1.sqlite"), KEYS["chair-1.sqlite"])
    assert noise(16).tobytes()[64:128] not in plain
    assert set(stored(house, 1)) == {(HUB, 12), (BAND, 16)}


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


BAND = "AA:BB:CC:00:11:22"


def noise(seed: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.random.default_rng(seed).integers(-30000, 30000, 6000).astype(np.int16)


RAW = {where: noise(seed).tobytes()[64:128] for where, seed in (((HUB, 12), 12), ((HUB, 16), 16), ((BAND, 16), 17))}


def between_visits(record: Record) -> None:
    """While no visit is open: the hub after Bo's visit and after Zeb's, and another sensor meanwhile."""
    parts = ((HUB, 12, noise(12)), (HUB, 16, noise(16)), (BAND, 16, noise(17)))
    with record.transaction():
        for source, on, values in parts:
            at_us = (DAY0 + on) * DAY_US
            block = SampleBlock(PH, 1, 100_000 * on, at_us - UTC0, 100_000, values, Provenance.LIVE)
            record.add_blocks(source, [StampedBlock(block, at_us)], None)


def stored(house: Premises, chair: int) -> dict[tuple[str, int], bytes]:
    """By source and day, the packed samples outside any visit."""
    file = CipherFile.read(house.path(f"chair-{chair}.sqlite"), KEYS[f"chair-{chair}.sqlite"])
    try:
        rows = file.rows(
            "SELECT s.name, b.utc_us, p.data FROM block b JOIN payload p ON p.block = b.id "
            "JOIN stream m ON m.id = b.stream JOIN source s ON s.id = m.source WHERE b.visit IS NULL"
        )
    finally:
        file.close()
    return {(name, at_us // DAY_US - DAY0): data[64:128] for name, at_us, data in rows}


@pytest.mark.parametrize("packed", [True, False])
def test_samples_outside_any_visit_go_with_whoever_had_the_hub(house: Premises, packed: bool) -> None:
    record, other, practice = house.record(1), house.record(2), house.practice()
    between_visits(record)
    if packed:
        record.compact(settle=True)
        found = stored(house, 1)
    else:
        record.file.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        found = RAW
    plain = decrypted(house.path("chair-1.sqlite"), KEYS["chair-1.sqlite"])
    assert all(data in plain for data in found.values())
    plan = plan_erasure([record, other], ZEB.id, ())
    assert plan.nobodys == {BAND: 6000}, "what stays of nobody is told"
    assert plan.goes["block"] + plan.goes["tail"] == 3, "of two visits and of the days after one"
    if not packed:
        assert record.file.rows("SELECT count(*) FROM tail WHERE number > 0") == [(1,)], "they came together"
    erase([record, other], practice, ZEB.id, (), author=DENTIST.id, reason="asked for", at_us=UTC0)
    for one in (record, other, practice):
        one.close()
    plain = decrypted(house.path("chair-1.sqlite"), KEYS["chair-1.sqlite"])
    assert {where for where, data in found.items() if data in plain} <= {(HUB, 12), (BAND, 16)}
    assert set(stored(house, 1)) == {(HUB, 12), (BAND, 16)}
    with house.reader(1) as reader:
        assert reader.verify().ok, "the cells of no visit say what its blocks say"
        assert reader.info().samples == len(samples_of(BO)) + 12_000


@pytest.mark.parametrize("packed", [True, False])
def test_samples_outside_any_visit_are_sealed_in_backups(
    house: Premises, place: Path, tmp_path: Path, packed: bool
) -> None:
    record = house.record(1)
    between_visits(record)
    if packed:
        record.compact(settle=True)
    found = stored(house, 1) if packed else RAW
    made = house.backup(place)
    record.close()
    vault = house.vault(place)
    copy = made / "chair-1.backup"
    plain = decrypted(copy, vault.file_key(made.name, copy.name))
    assert {where for where, data in found.items() if data in plain} == {(BAND, 16)}
    gone(house)
    practice = house.practice()
    assert not renew_keys(practice)
    practice.close()
    target, vault = tmp_path / "chair-1.sqlite", house.vault(place)
    restore_file(
        copy,
        vault.file_key(made.name, copy.name),
        target,
        b"x" * 32,
        backup=made.name,
        name=copy.name,
        patients=vault.patients,
    )
    with RecordReader.open(target, b"x" * 32) as reader:
        assert reader.verify().ok
        assert reader.info().samples == len(samples_of(BO)) + 12_000


def test_cut_off_after_any_step_it_is_done_again(house: Premises, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose the samples of the second chair are, only the first one's visits may tell: these go last."""
    record = house.record(1)
    between_visits(record)
    record.close()
    steps = ("take_rows", "take_rows", "take_versions", "take_versions", "end")
    for stop_at in range(len(steps)):
        asked = itertools.count()

        def once(step: Callable[..., None], asked: Iterator[int] = asked, last: int = stop_at) -> Callable[..., None]:
            def cut(*arguments: Any, **named: Any) -> None:
                if next(asked) == last:
                    raise KeyboardInterrupt
                step(*arguments, **named)

            return cut

        with monkeypatch.context() as patch:
            for name in set(steps):
                patch.setattr(erasing, name, once(getattr(erasing, name)))
            with pytest.raises(KeyboardInterrupt):
                gone(house)
        practice = house.practice()
        assert pending(practice) == ZEB.id
        practice.close()
    gone(house)
    assert set(stored(house, 1)) == {(HUB, 12), (BAND, 16)}
    for chair in (1, 2):
        with house.reader(chair) as reader:
            assert reader.verify().ok
            assert {visit.patient_id for visit in reader.visits()} == {BO.id}
            assert {one.summary.worn_s for one in reader.days_read(HUB)} == {3600 + 10 * chair}

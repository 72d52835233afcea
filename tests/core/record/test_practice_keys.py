"""The keys' part of the practice's file: what stays, what is erased, and how an older file gets it."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from core.keys.authority import Authority
from core.model.clock import ManualClock
from core.model.people import Operator, Role
from core.people.pin import check_pin, hash_pin
from core.record import PracticeFile, RecordError, RecordNewer
from core.record.practice_keys import HubRow
from core.record.sqlcipher import PAGE_BYTES, CipherFile
from tests.core.record.old_practice import make_old_practice, of_then

KEY = bytes(range(32))
EVA = Operator(id="o1", name="Eva Lind", role=Role.DENTIST)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "practice.sqlite"


@pytest.fixture
def file(path: Path, clock: ManualClock) -> PracticeFile:
    return PracticeFile.create(path, KEY, clock=clock)


def schema(path: Path) -> list[tuple[str, str]]:
    opened = CipherFile.read(path, KEY)
    try:
        return opened.rows("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
    finally:
        opened.close()


def test_a_file_from_before_gets_its_keys_and_loses_nothing(tmp_path: Path, path: Path, clock: ManualClock) -> None:
    pin_hash = hash_pin("739154")
    make_old_practice(path, KEY, [("o1", "Eva Lind", "dentist", pin_hash), ("o2", "Sam Reed", "assistant", "h")])
    file = PracticeFile.open(path, KEY, clock=clock)
    assert [one.name for one in file.operators()] == ["Eva Lind", "Sam Reed"]
    assert check_pin(file.pin_hash("o1"), "739154")
    assert [one.serial for one in file.devices(1)] == ["SH-0001"]
    assert file.setting("practice.name") == '"Elm Street"'
    assert [login.outcome for login in file.logins()] == ["in"]
    authority = Authority(file.keys, clock, simulated=False)
    assert not authority.register.founded
    authority.found(EVA, "739154").close()
    file.close()
    file = PracticeFile.open(path, KEY, clock=clock)
    Authority(file.keys, clock, simulated=False).unlock(EVA, "739154").close()
    file.close()
    fresh = tmp_path / "fresh.sqlite"
    PracticeFile.create(fresh, KEY, clock=clock).close()
    assert schema(path) == schema(fresh), "an older file becomes the same as a new one"
    with pytest.raises(RecordNewer):
        CipherFile.open(path, KEY).migrate(of_then)


def test_tables_only_grow(file: PracticeFile, clock: ManualClock) -> None:
    Authority(file.keys, clock, simulated=False).found(EVA, "739154").close()
    file.keys.save_hub(HubRow("SH-0001"))
    inner = file._file
    inner.execute(
        "INSERT INTO maker (kid, role, subject, raw, trusted, reason, author, at_us) "
        "VALUES (x'00', 0, '', x'', 1, '', '', 0)"
    )
    inner.execute("INSERT INTO revoked (kid, number, counts, reason, author, at_us) VALUES (x'00', 1, 1, '', '', 0)")
    for table in ("certificate", "revocation_list", "revoked", "hub", "maker"):
        assert inner.row(f"SELECT count(*) FROM {table}") != (0,), table
        for statement in (f"UPDATE {table} SET at_us = 7", f"DELETE FROM {table}"):
            with pytest.raises(RecordError, match="append-only"):
                inner.execute(statement)
    for statement in (
        "DELETE FROM secret",
        "UPDATE secret SET data = x'00'",
        "UPDATE secret SET holder = 'thief'",
        "UPDATE secret SET kid = x'00', data = x''",
        "UPDATE secret SET at_us = at_us + 1, data = x''",
    ):
        with pytest.raises(RecordError, match="kept or erased"):
            inner.execute(statement)
    file.keys.erase_secret("clinician", "o1")
    assert file.keys.secret("clinician", "o1") is None
    file.close()


def test_what_is_erased_is_in_no_page_of_the_file(file: PracticeFile, path: Path, clock: ManualClock) -> None:
    """Neither in a free part of a page nor in the write-ahead log: a decrypted copy is searched byte by byte."""
    needles = [bytes([number, 255 - number]) * 100 for number in range(39)]
    for number, needle in enumerate(needles):
        file.keys.keep_secret("clinician", f"o{number % 3}", b"kid", needle, author="o1")
    file.keys.erase_secret("clinician", "o0")
    file.keys.sweep()
    pages = decrypted(path)
    kept = [number for number, needle in enumerate(needles) if needle[:16] in pages]
    assert kept == [37, 38], "the newest of those who have one, and no shred of another"
    log = path.with_name(path.name + "-wal")
    assert not log.exists() or log.stat().st_size == 0
    file.close()


def decrypted(path: Path) -> bytes:
    """Every page in the clear, free parts included: AES-256-CBC, the IV in each page's last 80 bytes, salt first."""
    raw, clear = path.read_bytes(), b""
    for start in range(0, len(raw), PAGE_BYTES):
        page = raw[start : start + PAGE_BYTES]
        sealed, iv = page[16 if start == 0 else 0 : -80], page[-80:-64]
        clear += Cipher(algorithms.AES(KEY), modes.CBC(iv)).decryptor().update(sealed)
    assert b"CREATE TABLE secret" in clear, "the pages were decrypted rightly"
    return clear


def test_what_is_known_of_a_hub_is_versions_and_the_newest_counts(
    file: PracticeFile, path: Path, clock: ManualClock
) -> None:
    first = HubRow("SH-0001", irk=bytes(16), security_version=1)
    full = HubRow(
        "SH-0001",
        irk=bytes(range(16)),
        certificate=b"cert",
        security_version=3,
        journal_number=12,
        journal_hash=bytes(32),
        next_event=7,
        last_day=20_000,
        revocations=4,
    )
    file.keys.save_hub(first)
    file.keys.save_hub(full)
    file.keys.save_hub(full)
    file.keys.save_hub(HubRow("SH-0002"))
    file.close()
    file = PracticeFile.open(path, KEY, clock=clock)
    assert file.keys.hub("SH-0001") == full
    assert file.keys.hub("SH-0002") == HubRow("SH-0002")
    assert file.keys.hub("SH-0003") is None
    assert file.keys.hubs() == [full, HubRow("SH-0002")]
    assert file._file.row("SELECT count(*) FROM hub") == (3,), "nothing new, no new row"
    file.close()


def test_several_calls_are_one_commit_or_none(file: PracticeFile) -> None:
    def half() -> None:
        with file.transaction():
            file.add_operator(EVA, "hash")
            file.keys.keep_secret("clinician", "o1", b"kid", b"data", author="o1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert file.operators() == []
    assert file.keys.secret("clinician", "o1") is None
    file.close()

"""Keys: in a keyring or wrapped in a file, never lost by our doing, never given to the wrong passphrase."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import keyring.backend
import keyring.backends.fail
import keyring.errors
import pytest

from core.record.keys import (
    KeyExists,
    KeyFileDamaged,
    KeyMissing,
    KeyStore,
    WrongPassphrase,
    _write_new,
    key_file,
)


class ShelfKeyring(keyring.backend.KeyringBackend):
    """A keyring that keeps its entries in memory."""

    priority = 1.0

    def __init__(self, *, writable: bool = True) -> None:
        self.shelf: dict[tuple[str, str], str] = {}
        self.writable = writable

    def get_password(self, service: str, username: str) -> str | None:
        return self.shelf.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.writable:
            raise keyring.errors.PasswordSetError("locked")
        self.shelf[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.shelf[service, username]


def never() -> str:
    pytest.fail("asked for a passphrase that it did not need")


@pytest.mark.usefixtures("real_costs")
def test_a_key_file_gives_the_key_back_to_its_passphrase_alone(tmp_path: Path) -> None:
    store, record = KeyStore("file"), tmp_path / "chair.smile"
    key = store.load_or_create(record, lambda: "right horse")
    assert len(key) == 32
    assert store.load_or_create(record, lambda: "right horse") == key
    assert KeyStore("keyring", ShelfKeyring()).load(record, lambda: "right horse") == key
    with pytest.raises(WrongPassphrase):
        store.load(record, lambda: "wrong horse")
    file = key_file(record)
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert key not in file.read_bytes()
    assert [entry.name for entry in tmp_path.iterdir()] == [file.name]
    told = json.loads(file.read_text())
    assert (told["kind"], told["memory_kib"], told["passes"], told["lanes"]) == ("passphrase", 65536, 3, 4)


def test_two_records_have_two_keys(tmp_path: Path) -> None:
    store = KeyStore("file")
    assert store.load_or_create(tmp_path / "a", lambda: "p") != store.load_or_create(tmp_path / "b", lambda: "p")


def test_a_keyring_is_used_when_there_is_one(tmp_path: Path) -> None:
    ring, record = ShelfKeyring(), tmp_path / "chair.smile"
    store = KeyStore("keyring", ring)
    key = store.load_or_create(record, never)
    assert len(ring.shelf) == 1
    assert store.load(record, never) == key
    assert KeyStore("file", ring).load(record, never) == key, "what stands beside the record decides"
    ring.shelf.clear()
    with pytest.raises(KeyMissing, match="unlock"):
        store.load(record, never)


NO_KEYRING: Callable[[], keyring.backend.KeyringBackend] = keyring.backends.fail.Keyring


@pytest.mark.parametrize("ring", [NO_KEYRING(), ShelfKeyring(writable=False)])
def test_without_a_usable_keyring_the_key_goes_into_a_file(
    tmp_path: Path, ring: keyring.backend.KeyringBackend
) -> None:
    store = KeyStore("keyring", ring)
    assert store.keyring_usable() == isinstance(ring, ShelfKeyring)
    key = store.load_or_create(tmp_path / "r", lambda: "p")
    assert json.loads(key_file(tmp_path / "r").read_text())["kind"] == "passphrase"
    assert store.load(tmp_path / "r", lambda: "p") == key


def test_a_record_without_its_key_gets_no_new_one(tmp_path: Path) -> None:
    record = tmp_path / "r"
    record.write_bytes(b"a record")
    with pytest.raises(KeyMissing, match="backup"):
        KeyStore("file").load_or_create(record, lambda: "p")
    assert not key_file(record).exists()


def test_every_change_to_a_key_file_is_found(tmp_path: Path) -> None:
    store, record = KeyStore("file"), tmp_path / "r"
    store.load_or_create(record, lambda: "p")
    file = key_file(record)
    sound = json.loads(file.read_text())
    file.chmod(0o600)
    for name, value in (
        ("memory_kib", 1 << 40),
        ("passes", 4),
        ("salt", "AAAA"),
        ("wrapped", sound["nonce"]),
        ("kind", "x"),
    ):
        file.write_text(json.dumps(sound | {name: value}))
        with pytest.raises(KeyFileDamaged):
            store.load(record, never)
    for text in ("", "{", json.dumps(sound | {"more": 1}), json.dumps(sound)[:-20]):
        file.write_text(text)
        with pytest.raises(KeyFileDamaged):
            store.load(record, never)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(KeyFileDamaged):
        store.load(record, never)


def test_a_key_file_is_never_written_over(tmp_path: Path) -> None:
    kept = tmp_path / "r.key"
    kept.write_bytes(b"the only copy")
    with pytest.raises(KeyExists):
        _write_new(kept, b"another")
    assert kept.read_bytes() == b"the only copy"
    assert [entry.name for entry in tmp_path.iterdir()] == ["r.key"]

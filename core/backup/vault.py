"""The keys that backups need, in one small file that each place of backups holds once, and only its newest state.

A master key, from which each backup file's key is derived, and a key for each patient, which seals all that a backup
holds of them. The master key is wrapped by the key on the recovery sheet; patients' keys are sealed by the master key.
To erase a patient is to write this file anew without their key: every backup that lies beside it then holds noise.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from core.backup.errors import BackupDamaged, NoSheet, SheetUnknown
from core.keys.errors import SheetWrong, WrappedDamaged, WrongSecret
from core.keys.sheet import read_sheet, write_sheet
from core.keys.wrapping import KEY_BYTES, unwrap_by_key, wrap_by_key
from core.model import cbor
from core.record.practice_keys import PracticeKeys
from core.record.sqlcipher import sync_folder

VAULT_NAME: Final = "keys.vault"
SHEET: Final = b"smilescape/backup-sheet/1"
NONCE_BYTES: Final = 12
_CONTEXT: Final = ("backup master key", "1")
_DOMAIN: Final = "smilescape/vault/1"


class _Contents(msgspec.Struct, frozen=True, kw_only=True):
    patients: dict[str, bytes]
    erased: dict[str, int]


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As it lies on the disk, JSON; bytes are base64."""

    format: int
    number: int
    wrapped: bytes
    nonce: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Vault:
    """What opens backups.

    Attributes:
        number: grows with each change.
        master: 32 bytes.
        wrapped: the master key under that of the recovery sheet.
        patients: keys of 32 bytes, by patient.
        erased: whose key was destroyed, and when, UTC µs.
    """

    number: int
    master: bytes
    wrapped: bytes
    patients: Mapping[str, bytes]
    erased: Mapping[str, int]

    def file_key(self, backup: str, name: str) -> bytes:
        """The key of one file of one backup."""
        return file_key(self.master, backup, name)

    def write(self, folder: Path) -> None:
        """Put it into a place of backups, over the one before. Raises OSError."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        contents = cbor.encode(_Contents(patients=dict(self.patients), erased=dict(self.erased)))
        sealed = ChaCha20Poly1305(self.master).encrypt(nonce, contents, _header(self.number, self.wrapped))
        made = _File(format=1, number=self.number, wrapped=self.wrapped, nonce=nonce, sealed=sealed)
        replace_file(folder / VAULT_NAME, msgspec.json.encode(made))

    @classmethod
    def read(cls, folder: Path, sheet: bytes | bytearray) -> "Vault":
        """Open the one of a place with the key on the sheet. Raises BackupDamaged, SheetUnknown."""
        found = _file_in(folder)
        try:
            master = bytes(unwrap_by_key(found.wrapped, sheet, _CONTEXT))
        except WrongSecret:
            raise SheetUnknown(
                "The sheet does not open these backups.", "Take the sheet that was printed last, or another place."
            ) from None
        except WrappedDamaged as error:
            raise _damaged(folder) from error
        return cls._opened(folder, found, master)

    @classmethod
    def read_with(cls, folder: Path, master: bytes) -> "Vault":
        """The same with the master key, as the practice itself can. Raises BackupDamaged."""
        return cls._opened(folder, _file_in(folder), master)

    @classmethod
    def _opened(cls, folder: Path, found: _File, master: bytes) -> "Vault":
        try:
            plain = ChaCha20Poly1305(master).decrypt(found.nonce, found.sealed, _header(found.number, found.wrapped))
            inside = msgspec.convert(cbor.decode(plain), _Contents)
        except (InvalidTag, ValueError, msgspec.ValidationError) as error:
            raise _damaged(folder) from error
        return cls(found.number, master, found.wrapped, inside.patients, inside.erased)


def _file_in(folder: Path) -> _File:
    try:
        return msgspec.json.decode((folder / VAULT_NAME).read_bytes(), type=_File)
    except FileNotFoundError:
        raise BackupDamaged(
            f"There is no {VAULT_NAME} in {folder}.", "Name the folder that holds the backups and their keys."
        ) from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _damaged(folder) from error


def current(keys: PracticeKeys) -> Vault:
    """As the practice has it now. Raises NoSheet."""
    master, sheet = keys.secret("backup"), keys.secret("sheet")
    if master is None or sheet is None:
        raise NoSheet
    return Vault(keys.vault_number(), master.data, sheet.data, keys.patient_keys(), keys.erased_patients())


def draw_sheet() -> tuple[bytes, list[str]]:
    """A fresh key and the lines to print. It counts for nothing before `take_sheet`."""
    seed = secrets.token_bytes(KEY_BYTES)
    return seed, write_sheet(seed, SHEET)


def typed_sheet(lines: list[str]) -> bytearray:
    """The key on a sheet, as somebody types it. Raises SheetWrong."""
    try:
        return read_sheet(lines, SHEET)
    except SheetWrong as error:
        raise SheetWrong(str(error).strip(), "It must be the sheet for backups.") from None


def take_sheet(keys: PracticeKeys, seed: bytes | bytearray, *, author: str) -> None:
    """From now on this sheet opens the backups, and none before: of each place, once its keys were written anew."""
    with keys.transaction():
        held = keys.secret("backup")
        master = held.data if held is not None else secrets.token_bytes(KEY_BYTES)
        if held is None:
            keys.keep_secret("backup", "", key_id(master), master, author=author)
        keys.keep_secret("sheet", "", key_id(seed), wrap_by_key(master, seed, _CONTEXT), author=author)
    keys.sweep()


def key_id(key: bytes | bytearray) -> bytes:
    """8 bytes by which a key can be named without telling it."""
    return hmac.digest(bytes(key), b"smilescape key id 1", hashlib.sha256)[:8]


def file_key(master: bytes, backup: str, name: str) -> bytes:
    return hmac.digest(master, cbor.encode(["smilescape/backup-file/1", backup, name]), hashlib.sha256)


def replace_file(path: Path, data: bytes) -> None:
    """Whole or not at all, durable, and over the one before. Raises OSError."""
    draft = path.with_name(path.name + ".part")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _header(number: int, wrapped: bytes) -> bytes:
    return cbor.encode([_DOMAIN, number, wrapped])


def _damaged(folder: Path) -> BackupDamaged:
    return BackupDamaged(f"{folder / VAULT_NAME} is damaged.", "Take the one of another place of backups.")

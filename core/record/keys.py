"""Where a record's key is kept: the system's keyring, or a file that a passphrase opens.

Beside each record stands `<record>.key`, a JSON file that says which of the two it is. Of a key in the keyring it holds
only the entry's name. Otherwise it holds the key itself, wrapped: Argon2id (RFC 9106, low-memory profile) makes a
key out of the passphrase, and ChaCha20-Poly1305 (RFC 8439) encrypts the record's key with it.
"""

# ruff: noqa: N818 - the names say what happened, as in `raise WrongPassphrase`

import base64
import binascii
import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import keyring
import keyring.backend
import keyring.backends.fail
import keyring.errors
import msgspec
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from core.model.ids import new_id
from core.record.errors import RecordError, RecordReadOnly
from core.record.sqlcipher import KEY_BYTES, of_system, sync_folder

SERVICE = "Smilescape Workstation"
"""Name under which keys stand in the system's keyring."""

_MEMORY_KIB, _PASSES, _LANES = 64 * 1024, 3, 4
_MOST_MEMORY_KIB, _MOST_PASSES, _MOST_LANES = 1024 * 1024, 20, 16
_NONCE_BYTES, _SALT_BYTES = 12, 16

Keeper = Literal["keyring", "file"]


class KeyMissing(RecordError):
    """The key of a record is not where it should be."""

    code = "record.key_missing"


class KeyFileDamaged(RecordError):
    """The key file is not what was written."""

    code = "record.key_file_damaged"


class WrongPassphrase(RecordError):
    """The passphrase does not open the key file."""

    code = "record.wrong_passphrase"


class KeyExists(RecordError):
    """A key would have been written over."""

    code = "record.key_exists"


class _InKeyring(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="keyring", tag_field="kind"
):
    format: int = 1
    service: str
    entry: str


class _Wrapped(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="passphrase", tag_field="kind"
):
    """`check`: SHA-256 over the other fields, to tell damage from a wrong passphrase. Bytes are base64."""

    format: int = 1
    memory_kib: int
    passes: int
    lanes: int
    salt: bytes
    nonce: bytes
    wrapped: bytes
    check: str = ""


_decoder = msgspec.json.Decoder(_InKeyring | _Wrapped)


def key_file(record: Path) -> Path:
    """The file beside `record` that says where its key is."""
    return record.with_name(record.name + ".key")


def next_file(record: Path) -> Path:
    """What a file under a new key is called until it takes the place of `record`; see `rekey`."""
    return record.with_name(record.name + ".next")


class KeyStore:
    """Makes and finds keys. Every method may raise RecordReadOnly."""

    def __init__(self, prefer: Keeper = "keyring", backend: keyring.backend.KeyringBackend | None = None) -> None:
        """`prefer` decides for new keys; `backend` is the system's keyring when None."""
        self._prefer = prefer
        self._backend = backend

    def keyring_usable(self) -> bool:
        """Whether the system has a keyring that we can write to."""
        with contextlib.suppress(Exception):  # a broken backend may raise anything at all when it is asked
            return float(self._ring().priority) > 0
        return False

    def load_or_create(self, record: Path, passphrase: Callable[[], str]) -> bytes:
        """The key of `record`, a new one when neither record nor key exist. `passphrase` is asked only when needed.

        Raises:
            KeyMissing: the record exists and its key does not: a new key would be of no use.
            WrongPassphrase, KeyFileDamaged: as `load`.
        """
        if key_file(record).exists() or record.exists():
            return self.load(record, passphrase)
        key = secrets.token_bytes(KEY_BYTES)
        if self._prefer == "keyring" and self.keyring_usable():
            with contextlib.suppress(keyring.errors.KeyringError):
                entry = new_id()
                self._ring().set_password(SERVICE, entry, base64.b64encode(key).decode())
                if self._recall(SERVICE, entry) == key:
                    _write_new(key_file(record), msgspec.json.encode(_InKeyring(service=SERVICE, entry=entry)))
                    return key
        _write_new(key_file(record), msgspec.json.format(msgspec.json.encode(wrap(key, passphrase())), indent=2))
        return key

    @staticmethod
    def wrapped(record: Path) -> bool:
        """Whether the key of `record` lies in its key file, wrapped by a passphrase. False when there is none yet."""
        try:
            return isinstance(_decoder.decode(key_file(record).read_bytes()), _Wrapped)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return False

    def load(self, record: Path, passphrase: Callable[[], str]) -> bytes:
        """The key of `record`.

        Raises:
            KeyMissing: there is no key file, or the keyring does not have the key.
            WrongPassphrase, KeyFileDamaged.
        """
        path = key_file(record)
        _finish_rekey(record)
        try:
            kept = _decoder.decode(path.read_bytes())
        except FileNotFoundError:
            raise KeyMissing(
                f"{record.name} has no key file ({path}).", "Put the key file back beside the record, from a backup."
            ) from None
        except OSError as error:
            raise RecordReadOnly(
                f"{path} cannot be read: {error.strerror}.", "Check the rights of the file."
            ) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _damaged(path) from error
        if isinstance(kept, _Wrapped):
            return unwrap(kept, path, passphrase)
        key = self._recall(kept.service, kept.entry)
        if key is None:
            raise KeyMissing(
                f"The keyring does not give out the key of {record.name} (entry {kept.entry}).",
                "Log in as the user who made the record and unlock the keyring, then try again.",
            )
        return key

    def entry(self, record: Path) -> tuple[str, str] | None:
        """Service and name of the keyring's entry with the key of `record`; None when it lies in its key file."""
        try:
            kept = _decoder.decode(key_file(record).read_bytes())
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        return (kept.service, kept.entry) if isinstance(kept, _InKeyring) else None

    def forget_entry(self, entry: tuple[str, str] | None) -> None:
        """Destroy a key in the keyring, if the keyring lets us."""
        if entry is not None:
            with contextlib.suppress(keyring.errors.KeyringError):
                self._ring().delete_password(*entry)

    def forget(self, file: Path) -> None:
        """Destroy a key file and what it names."""
        self.forget_entry(self.entry(file.with_name(file.name.removesuffix(".key"))))
        file.unlink(missing_ok=True)

    def _ring(self) -> keyring.backend.KeyringBackend:
        return self._backend if self._backend is not None else keyring.get_keyring()

    def _recall(self, service: str, entry: str) -> bytes | None:
        with contextlib.suppress(keyring.errors.KeyringError, binascii.Error):
            kept = self._ring().get_password(service, entry)
            key = base64.b64decode(kept, validate=True) if kept else b""
            return key if len(key) == KEY_BYTES else None
        return None


def _finish_rekey(record: Path) -> None:
    """The record changed its name to one that this key file still has to follow; see `rekey`."""
    fresh = next_file(record)
    if key_file(fresh).exists() and not fresh.exists():
        with contextlib.suppress(OSError):
            key_file(fresh).replace(key_file(record))
            sync_folder(record.parent)


def wrap(key: bytes, passphrase: str) -> _Wrapped:
    """`key` so that only `passphrase` gives it back."""
    made = _Wrapped(
        memory_kib=_MEMORY_KIB,
        passes=_PASSES,
        lanes=_LANES,
        salt=secrets.token_bytes(_SALT_BYTES),
        nonce=secrets.token_bytes(_NONCE_BYTES),
        wrapped=b"",
    )
    sealed = ChaCha20Poly1305(_stretch(made, passphrase)).encrypt(made.nonce, key, _header(made))
    made = msgspec.structs.replace(made, wrapped=sealed)
    return msgspec.structs.replace(made, check=_check(made))


def unwrap(kept: _Wrapped, path: Path, passphrase: Callable[[], str]) -> bytes:
    """Raises KeyFileDamaged, WrongPassphrase."""
    sound = (
        kept.format == 1
        and 8 * kept.lanes <= kept.memory_kib <= _MOST_MEMORY_KIB
        and 0 < kept.passes <= _MOST_PASSES
        and 0 < kept.lanes <= _MOST_LANES
        and (len(kept.salt), len(kept.nonce)) == (_SALT_BYTES, _NONCE_BYTES)
        and kept.check == _check(kept)
    )
    if not sound:
        raise _damaged(path)
    try:
        return ChaCha20Poly1305(_stretch(kept, passphrase())).decrypt(kept.nonce, kept.wrapped, _header(kept))
    except InvalidTag:
        raise WrongPassphrase(f"The passphrase does not open {path.name}.", "Try again.") from None


def _stretch(kept: _Wrapped, passphrase: str) -> bytes:
    return hash_secret_raw(
        passphrase.encode(),
        kept.salt,
        time_cost=kept.passes,
        memory_cost=kept.memory_kib,
        parallelism=kept.lanes,
        hash_len=32,
        type=Type.ID,
    )


def _header(kept: _Wrapped) -> bytes:
    """What the seal covers besides the key."""
    return msgspec.json.encode(msgspec.structs.replace(kept, wrapped=b"", check=""))


def _check(kept: _Wrapped) -> str:
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(kept, check=""))).hexdigest()


def _damaged(path: Path) -> KeyFileDamaged:
    return KeyFileDamaged(f"{path} is damaged.", "Put it back from a backup; without it the record cannot be opened.")


def _write_new(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all, and never over another. Raises KeyExists."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        try:
            path.hardlink_to(draft)  # unlike a rename, this fails when the name is taken
        except (NotImplementedError, PermissionError):  # a file system without links, such as FAT
            if path.exists():
                raise FileExistsError from None
            draft.rename(path)
        sync_folder(path.parent)
    except FileExistsError:
        raise KeyExists(f"{path} exists already.", "Move it away only if its record is gone for good.") from None
    except OSError as error:
        raise of_system(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)

"""A new key for a file, so that a crash at any moment leaves a file and a key that fit each other.

The file is written anew under the new key and then takes the old one's place. SQLCipher's own `PRAGMA rekey` would
write over the pages of the only file there is, and would keep the salt, which is made of the key here.

The order is: the new file, whole, as `<file>.next`; its key file, `<file>.next.key`; then the file's name, then the key
file's. Whoever finds `<file>.next.key` without `<file>.next` knows that the first name was changed and the second was
not, and changes it.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from core.record.errors import RecordDamaged, RecordReadOnly
from core.record.keys import KeyStore, key_file, next_file
from core.record.record import writer_lock
from core.record.sqlcipher import CipherFile, sync_folder

Change = Callable[[CipherFile], None]


def rekey(path: Path, keys: KeyStore, passphrase: Callable[[], str], change: Change = lambda _: None) -> bytes:
    """Give a file that nobody has open a new key; returns it. The old key is destroyed.

    Args:
        change: what is written into the new file before it counts, such as the log's word of it.

    Raises:
        RecordBusy: it is open in another program.
        RecordDamaged, DiskFull, RecordReadOnly: the old file and its key stand.
    """
    lock = writer_lock(path)
    try:
        return _rekey(path, keys, passphrase, change)
    finally:
        lock.release()


def _rekey(path: Path, keys: KeyStore, passphrase: Callable[[], str], change: Change) -> bytes:
    old = keys.load(path, passphrase)
    fresh, made = next_file(path), path.with_name(path.name + ".made")
    for left in (key_file(fresh), key_file(made), *_all_of(fresh)):
        keys.forget(left) if left.name.endswith(".key") else left.unlink(missing_ok=True)
    new = keys.load_or_create(made, passphrase)
    file = CipherFile.open(path, old)
    try:
        file.rows("PRAGMA journal_mode = DELETE")  # no log is left behind that would be taken for the new file's
        if file.rows("PRAGMA integrity_check(1)") != [("ok",)]:
            raise RecordDamaged(f"{path} is damaged.", "Run `record verify`, and restore it from a backup.")
        file.export(fresh, new)
    except BaseException:
        keys.forget(key_file(made))
        raise
    finally:
        file.close()
    copy = CipherFile.open(fresh, new)
    try:
        with copy.transaction():
            change(copy)
        copy.rows("PRAGMA journal_mode = DELETE")
    finally:
        copy.close()
    try:
        with fresh.open("rb+") as written:
            os.fsync(written.fileno())
        key_file(made).rename(key_file(fresh))
        sync_folder(path.parent)
        replaced = keys.entry(path)
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        fresh.replace(path)
        sync_folder(path.parent)
        with suppress(FileNotFoundError):  # a reader may have done it
            key_file(fresh).replace(key_file(path))
        sync_folder(path.parent)
    except OSError as error:
        raise RecordReadOnly(f"{path} cannot be replaced: {error.strerror}.", "Check the folder's rights.") from error
    keys.forget_entry(replaced)
    return new


def _all_of(path: Path) -> list[Path]:
    return [path.with_name(path.name + end) for end in ("", "-wal", "-shm", "-journal")]

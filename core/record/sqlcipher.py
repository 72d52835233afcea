"""Encrypted SQLite through sqlite-utils: the only module of the record that imports either.

sqlite-utils looks for `pysqlite3` before the standard library's sqlite3, so sqlcipher3 is registered under that name
before its first import; otherwise its upserts and schema changes use the wrong library's exceptions.

A file's key is 32 random bytes, used raw. SQLCipher's salt (the file's first 16 bytes, used only to derive the page
authentication key) is derived from that key: it costs nothing, because no two files share a key, and it tells a wrong
key from a damaged first page.
"""

import contextlib
import errno
import hashlib
import hmac
import importlib
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlcipher3

from core.record.errors import (
    DiskFailing,
    DiskFull,
    Interrupted,
    RecordBusy,
    RecordDamaged,
    RecordError,
    RecordExists,
    RecordMissing,
    RecordNewer,
    RecordOlder,
    RecordReadOnly,
    WrongKey,
)

sys.modules.setdefault("pysqlite3", sqlcipher3)
sys.modules.setdefault("pysqlite3.dbapi2", importlib.import_module("sqlcipher3.dbapi2"))

from sqlite_utils import Database  # noqa: E402
from sqlite_utils.migrations import Migrations  # noqa: E402

__all__ = ["KEY_BYTES", "CipherFile", "Database", "Migrations"]

KEY_BYTES = 32
PAGE_BYTES = 16384
_SALT_BYTES = 16
_WAL_PAGES = 256
"""Pages in the write-ahead log before SQLite moves them into the file: 4 MiB."""
_BUSY_MS = 5000
_SHRUNK_PAGES, _WORTH = 4096, 20
"""Up to 64 MiB a file is written anew when it is closed, if a twentieth of it is free: under a second."""

_BUSY, _READONLY, _INTERRUPT, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _PROTOCOL, _NOTADB = 5, 8, 9, 10, 11, 13, 14, 15, 26

_WRITES = ("BEGIN IMMEDIATE", "PRAGMA user_version = 0", "ROLLBACK")
"""Whether a file can be written: where SQLite cannot open it or its log for that, it quietly opens it to read, and even
begins a transaction. What these do is undone before it reaches the disk."""

Row = tuple[Any, ...]


class CipherFile:
    """One open, encrypted SQLite file. Every error that leaves it is a `RecordError`.

    When a page could not be read, SQLCipher refuses everything on that connection from then on, also when the disk is
    well again. So the next call after such an error begins with a new connection.
    """

    def __init__(self, path: Path, key: bytes, mode: str, database: Database | None = None) -> None:
        """`database`: a connection that stands already, such as a migration's."""
        self.path = path
        self.database = _connect(path, key, mode) if database is None else database
        self._key = key
        self._mode = mode
        self._spent = False
        self._settings: list[str] = []
        self._lock = threading.RLock()

    @classmethod
    def create(cls, path: Path, key: bytes, fill: Callable[["CipherFile"], None] | None = None) -> "CipherFile":
        """Make a new file, with what `fill` puts into it. No crash leaves half of it under its name.

        One process at a time may make a file. Raises RecordExists, RecordMissing (no such folder), RecordReadOnly,
        DiskFull, DiskFailing.
        """
        if path.exists():
            raise RecordExists(f"{path} exists already.", "Choose another name, or open it.")
        if not path.parent.is_dir():
            raise RecordMissing(f"The folder {path.parent} does not exist.", "Make it, or choose another.")
        draft = path.with_name(path.name + ".new")
        try:
            _remove(draft)  # of a creation that was cut off
            file = cls(draft, key, "rwc")
            try:
                if fill is not None:
                    with file.transaction():
                        fill(file)
                file.execute("PRAGMA journal_mode = WAL")
            finally:
                file.close()
            draft.rename(path)
            sync_folder(path.parent)
        except OSError as error:
            raise of_system(error, path) from error
        finally:
            with contextlib.suppress(OSError):
                _remove(draft)
        return cls.open(path, key)

    @classmethod
    def open(cls, path: Path, key: bytes) -> "CipherFile":
        """Open an existing file to read and write.

        Raises RecordMissing, WrongKey, RecordDamaged, RecordReadOnly.
        """
        _check_file(path)
        file = cls(path, key, "rw")
        try:
            _check_writable(path)
            if file.rows("PRAGMA journal_mode") != [("wal",)]:
                file.execute("PRAGMA journal_mode = WAL")
            for statement in _WRITES:
                file.execute(statement)
        except BaseException:
            file.close()
            raise
        return file

    @classmethod
    def read(cls, path: Path, key: bytes) -> "CipherFile":
        """Open an existing file to read only, while another process may be writing it.

        In a folder that cannot be written, SQLite cannot share its index of the write-ahead log; the file is then
        read as immutable, which is sound only when no such log is left over.

        Raises RecordMissing, WrongKey, RecordDamaged, RecordReadOnly.
        """
        _check_file(path)
        try:
            return cls(path, key, "ro")
        except RecordReadOnly:
            log = path.with_name(path.name + "-wal")
            if log.exists() and log.stat().st_size:
                raise RecordReadOnly(
                    f"{path} was not closed in good order, and its folder cannot be written.",
                    f"Copy {path.name} and {log.name} together to a folder that can be written, and open the copy.",
                ) from None
            return cls(path, key, "ro&immutable=1")

    # statements

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run one statement; returns the row id of the last row inserted."""
        with self._guarded():
            return int(self.database.execute(sql, parameters).lastrowid or 0)

    def many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each row, within the open transaction."""
        with self._guarded():
            self.database.conn.executemany(sql, rows)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        with self._guarded():
            return list(self.database.execute(sql, parameters).fetchall())

    def row(self, sql: str, parameters: Sequence[object] = ()) -> Row | None:
        with self._guarded():
            found: Row | None = self.database.execute(sql, parameters).fetchone()
            return found

    def each(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[Row]:
        """Rows one after the other, for tables that do not fit into memory."""
        with self._guarded():
            cursor = self.database.execute(sql, parameters)
        while True:
            with self._guarded():
                some = cursor.fetchmany(64)
            if not some:
                return
            yield from some

    @property
    def in_transaction(self) -> bool:
        with contextlib.suppress(sqlcipher3.ProgrammingError):  # closed
            return bool(self.database.conn.in_transaction)
        return False

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """One durable commit around everything inside; nothing at all when an exception leaves it."""
        with self._guarded(), self.database.atomic():
            yield

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """One snapshot for several reads. Keep it short: while it is open, the write-ahead log cannot shrink."""
        with self._guarded():
            if self.in_transaction:
                yield
                return
            self.database.begin()
            try:
                yield
            finally:
                self.database.rollback()

    def interrupt(self) -> None:
        """Break off whatever runs on this file now, from another thread: it raises Interrupted there."""
        with contextlib.suppress(sqlcipher3.Error):
            self.database.conn.interrupt()

    def applied(self, migrations: Migrations) -> list[str]:
        """Names of the migrations that this file has been through, in order."""
        with self._guarded():
            return [migration.name for migration in migrations.applied(self.database)]

    def check_schema(self, migrations: Migrations) -> None:
        """Raises RecordNewer when the file has been through migrations that this program does not know."""
        with self._guarded():
            known = [migration.name for migration in migrations._migrations]
            unknown = [name for name in self.applied(migrations) if name not in known]
            if unknown:
                raise RecordNewer(
                    f"{self.path} was written by a newer version of the program ({', '.join(unknown)}).",
                    "Update this workstation, then open it again.",
                )

    def check_current(self, migrations: Migrations) -> None:
        """Raises RecordNewer, and RecordOlder when the file is still to go through migrations."""
        self.check_schema(migrations)
        with self._guarded():
            if self.applied(migrations) and migrations.pending(self.database):
                raise RecordOlder(
                    f"{self.path} was written by an older version of the program.",
                    "Start this workstation on its folder once, which brings it up to date, or open a copy with the "
                    "version that wrote it.",
                )

    def migrate(self, migrations: Migrations) -> None:
        """Bring the schema up to date, in one transaction: a file goes through all that is new, or stays as it was.

        Raises RecordNewer.
        """
        self.check_schema(migrations)
        with self._guarded():
            if migrations.pending(self.database):
                with self.transaction():
                    migrations.apply(self.database)

    def export(self, path: Path, key: bytes) -> None:
        """Write all of it anew into a file that does not exist, under another key."""
        self.execute("ATTACH DATABASE ? AS fresh KEY ?", (str(path), f"x'{key.hex()}{_salt(key).hex()}'"))
        try:
            self.execute(f"PRAGMA fresh.cipher_page_size = {PAGE_BYTES}")
            self.rows("SELECT sqlcipher_export('fresh')")
        finally:
            self.execute("DETACH DATABASE fresh")

    def shrink(self) -> None:
        """Give back the space of what was deleted, when that is much of a small file; a large one fills it again."""
        (pages,), (free,) = self.rows("PRAGMA page_count")[0], self.rows("PRAGMA freelist_count")[0]
        if pages <= _SHRUNK_PAGES and free * _WORTH >= pages:
            self.execute("VACUUM")

    def close(self) -> None:
        with self._lock, contextlib.suppress(sqlcipher3.Error):
            self._spent = False  # closed is closed
            self.database.close()

    def always(self, setting: str) -> None:
        """A PRAGMA that holds for as long as the file is open."""
        self.execute(setting)
        self._settings.append(setting)

    def _renew(self) -> None:
        """Connect anew. What fails is tried again at the next call."""
        with contextlib.suppress(sqlcipher3.Error):
            self.database.close()
        self.database = _connect(self.path, self._key, self._mode)
        try:
            for statement in (*self._settings, *(_WRITES if self._mode.startswith("rw") else ())):
                self.database.execute(statement)
        except sqlcipher3.Error as error:
            raise _translated(error, self.path) from error
        self._spent = False

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        with self._lock:
            if self._spent and not self.in_transaction:
                self._renew()
            try:
                yield
            except sqlcipher3.Error as error:
                self._spent = self._spent or _code(error) in (_IOERR, _CORRUPT, _NOTADB)
                raise _translated(error, self.path) from error


def _connect(path: Path, key: bytes, mode: str) -> Database:
    if len(key) != KEY_BYTES:
        raise WrongKey(f"A key has {KEY_BYTES} bytes, this one has {len(key)}.", "Take the key kept for this file.")
    address = f"file:{quote(str(path.absolute()))}?mode={mode}"
    try:
        # One thread at a time is enough: `_lock` sees to it.
        connection = sqlcipher3.connect(address, uri=True, check_same_thread=False, cached_statements=256)
    except sqlcipher3.Error as error:
        raise _translated(error, path) from error
    try:
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(f"PRAGMA key = \"x'{key.hex()}{_salt(key).hex()}'\"")
        connection.execute(f"PRAGMA cipher_page_size = {PAGE_BYTES}")
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # decrypts the first page
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {4 * _WAL_PAGES * PAGE_BYTES}")
        return Database(connection, execute_plugins=False)
    except sqlcipher3.Error as error:
        connection.close()
        if _code(error) == _NOTADB and not _made_with(path, key):
            raise WrongKey(
                f"The key does not open {path}.",
                "Take the key kept for this file; after a move, bring its key file along.",
            ) from error
        raise _translated(error, path) from error


def _salt(key: bytes) -> bytes:
    return hmac.digest(key, b"smilescape record salt 1", hashlib.sha256)[:_SALT_BYTES]


def _made_with(path: Path, key: bytes) -> bool:
    """Whether the file begins with the salt that belongs to this key."""
    try:
        with path.open("rb") as raw:
            return hmac.compare_digest(raw.read(_SALT_BYTES), _salt(key))
    except OSError:
        return False


def _remove(draft: Path) -> None:
    for part in ("-journal", "-wal", "-shm", ""):  # logs first: they must never meet another file
        draft.with_name(draft.name + part).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a new name in `folder` durable, where the system knows how (Windows does it by itself).

    Raises OSError when the disk fails or is full.
    """
    if not hasattr(os, "O_DIRECTORY"):
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in (errno.EIO, errno.ENOSPC, errno.EDQUOT):
            raise


def _check_file(path: Path) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise RecordMissing(f"There is no file {path}.", "Check the name and the folder.") from None
    if not path.is_file():
        raise RecordMissing(f"{path} is not a file.", "Name the record itself.")
    if size == 0:
        raise RecordDamaged(f"{path} is empty.", "Restore it from a backup.")


def _check_writable(path: Path) -> None:
    """SQLite opens a read-only file without complaint and fails at the first commit: ask now."""
    try:
        with path.open("r+b"):
            pass
    except OSError as error:
        raise of_system(error, path) from error


def _code(error: BaseException) -> int:
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def _translated(error: Exception, path: Path) -> RecordError:
    """The typed error for what SQLite said."""
    code, said = _code(error), f"{path}: {error}."
    if code == _FULL or (code == _IOERR and _no_space(path)):
        return DiskFull(
            f"There is no space left for {path}.", "Free some space; recording goes on by itself when there is room."
        )
    if code in (_CORRUPT, _NOTADB):
        return RecordDamaged(said, "Run `record verify` to see what is affected, and restore it from a backup.")
    if code in (_READONLY, _CANTOPEN):
        return RecordReadOnly(said, "Check the rights of the file and of its folder.")
    if code == _INTERRUPT:
        return Interrupted("The read was broken off.", "Ask again.")
    if code == _BUSY:
        return RecordBusy(said, "Close the other program that uses it, and try again.")
    if code in (_IOERR, _PROTOCOL):
        return DiskFailing(said, "Try again. If it goes on, check the disk and its cable, then run `record verify`.")
    return RecordError(said, "Run `record verify`; if it finds nothing, check the disk.")


def of_system(error: OSError, path: Path) -> RecordError:
    """The typed error for what the system said without SQLite."""
    said = f"{path} cannot be written: {error.strerror}."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(said, "Free some space, then try again.")
    if error.errno == errno.EIO:
        return DiskFailing(said, "Try again. If it goes on, check the disk and its cable.")
    return RecordReadOnly(said, "Check the rights of the file and of its folder.")


def _no_space(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return shutil.disk_usage(path.parent).free < 4 * PAGE_BYTES
    return False

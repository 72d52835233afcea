"""Encrypted SQLite through sqlite-utils: the only module of the record that imports either.

sqlite-utils looks for `pysqlite3` before the standard library's sqlite3, so sqlcipher3 is registered under that name
before its first import; otherwise its upserts and schema changes use the wrong library's exceptions.

A file's key is 32 random bytes, used raw. SQLCipher's salt (the file's first 16 bytes, used only to derive the page
authentication key) is derived from that key: it costs nothing, because no two files share a key, and it tells a wrong
key from a damaged first page.
"""

import contextlib
import hashlib
import hmac
import importlib
import shutil
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlcipher3

from core.record.errors import (
    DiskFull,
    Interrupted,
    RecordBusy,
    RecordDamaged,
    RecordError,
    RecordExists,
    RecordMissing,
    RecordNewer,
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

_BUSY, _READONLY, _INTERRUPT, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 5, 8, 9, 10, 11, 13, 14, 26

Row = tuple[Any, ...]


class CipherFile:
    """One open, encrypted SQLite file. Every error that leaves it is a `RecordError`."""

    def __init__(self, path: Path, database: Database) -> None:
        self.path = path
        self.database = database
        self._lock = threading.RLock()

    @classmethod
    def create(cls, path: Path, key: bytes) -> "CipherFile":
        """Make a new, empty file. Raises RecordExists, RecordReadOnly, DiskFull."""
        if path.exists():
            raise RecordExists(f"{path} exists already.", "Choose another name, or open it.")
        if not path.parent.is_dir():
            raise RecordMissing(f"The folder {path.parent} does not exist.", "Make it, or choose another.")
        file = cls._connect(path, key, "rwc")
        try:
            file.execute("PRAGMA journal_mode = WAL")
        except RecordError:
            file.close()
            raise
        return file

    @classmethod
    def open(cls, path: Path, key: bytes) -> "CipherFile":
        """Open an existing file to read and write.

        Raises RecordMissing, WrongKey, RecordDamaged, RecordReadOnly.
        """
        _check_file(path)
        file = cls._connect(path, key, "rw")
        try:
            _check_writable(path)
            if file.rows("PRAGMA journal_mode") != [("wal",)]:
                file.execute("PRAGMA journal_mode = WAL")
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
            return cls._connect(path, key, "ro")
        except RecordReadOnly:
            log = path.with_name(path.name + "-wal")
            if log.exists() and log.stat().st_size:
                raise RecordReadOnly(
                    f"{path} was not closed in good order, and its folder cannot be written.",
                    f"Copy {path.name} and {log.name} together to a folder that can be written, and open the copy.",
                ) from None
            return cls._connect(path, key, "ro&immutable=1")

    @classmethod
    def _connect(cls, path: Path, key: bytes, mode: str) -> "CipherFile":
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
            return cls(path, Database(connection, execute_plugins=False))
        except sqlcipher3.Error as error:
            connection.close()
            if _code(error) == _NOTADB and not _made_with(path, key):
                raise WrongKey(
                    f"The key does not open {path}.",
                    "Take the key kept for this file; after a move, bring its key file along.",
                ) from error
            raise _translated(error, path) from error

    # ---- statements --------------------------------------------------------------------------------

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
        return bool(self.database.conn.in_transaction)

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

    def migrate(self, migrations: Migrations) -> None:
        """Bring the schema up to date. Raises RecordNewer."""
        self.check_schema(migrations)
        with self._guarded():
            if migrations.pending(self.database):
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
            self.database.close()

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlcipher3.Error as error:
                raise _translated(error, self.path) from error


def _salt(key: bytes) -> bytes:
    return hmac.digest(key, b"smilescape record salt 1", hashlib.sha256)[:_SALT_BYTES]


def _made_with(path: Path, key: bytes) -> bool:
    """Whether the file begins with the salt that belongs to this key."""
    try:
        with path.open("rb") as raw:
            return hmac.compare_digest(raw.read(_SALT_BYTES), _salt(key))
    except OSError:
        return False


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
        raise RecordReadOnly(f"{path} cannot be written: {error.strerror}.", "Check the rights of the file.") from error


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
    return RecordError(said, "Run `record verify`; if it finds nothing, check the disk.")


def _no_space(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return shutil.disk_usage(path.parent).free < 4 * PAGE_BYTES
    return False

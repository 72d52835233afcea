"""One file of the data folder as a backup holds it, and back.

It is copied row by row out of one snapshot, so that what is somebody's never reaches the place of backups but sealed
under their own key. The copy is a SQLCipher file again: the schema, and rows in pieces. A piece is msgpack of
`[table, columns, rows]`, of one patient or of nobody, and stands in a table of its own with its owner.
"""

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from core.backup.belongings import Wearers, owners
from core.backup.errors import BackupCancelled, BackupDamaged
from core.backup.raw import Parting
from core.backup.vault import NONCE_BYTES
from core.model import cbor
from core.model.wear import HubEvent
from core.record.sqlcipher import CipherFile, Row
from core.record.versions import read_cbor
from core.record.without_visit import without_visit

NOBODY: Final = ""
_PIECE: Final = 512 * 1024
_MOST_WAITING: Final = 64 * 1024 * 1024
_ORPHANS: Final = frozenset({"attachment"})
"""Rows of these tables that are nobody's are left out: bytes that no entry names."""
_LEFT_OUT: Final = frozenset({"patient_key"})
"""Tables whose rows no backup holds: patients' keys lie in the vault alone."""
_TAIL: Final = ("id", "number", "visit", "data")
_CREATE: Final = (
    "CREATE TABLE about_copy (source TEXT NOT NULL, backup TEXT NOT NULL, name TEXT NOT NULL) STRICT",
    "CREATE TABLE shape (id INTEGER PRIMARY KEY, type TEXT NOT NULL, name TEXT NOT NULL, sql TEXT NOT NULL) STRICT",
    "CREATE TABLE piece (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, data BLOB NOT NULL) STRICT",
)

Progress = Callable[[int], None]
"""Told the bytes that were copied since the last call."""
Cancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Copied:
    """Rows that were copied, and whose."""

    rows: int
    patients: frozenset[str]


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back. `missing`: patients whose key was destroyed; nothing of them is in the file."""

    rows: int
    missing: frozenset[str]


class _Writer:
    def __init__(
        self, file: CipherFile, backup: str, name: str, key_of: Callable[[str], bytes], erased: Collection[str]
    ) -> None:
        self._file = file
        self._erased = erased
        self._where = (backup, name)
        self._key_of = key_of
        self._waiting: dict[tuple[str, str, tuple[str, ...]], list[Row]] = {}
        self._bytes: dict[tuple[str, str, tuple[str, ...]], int] = {}
        self._number = 0
        self.patients: set[str] = set()

    def add(self, owner: str, table: str, columns: tuple[str, ...], row: Row) -> int:
        size = sum(len(value) if isinstance(value, bytes | str) else 8 for value in row)
        place = (NOBODY if owner in self._erased else owner, table, columns)
        self._waiting.setdefault(place, []).append(row)
        self._bytes[place] = self._bytes.get(place, 0) + size
        if self._bytes[place] >= _PIECE:
            self._flush(place)
        return size

    def flush(self) -> None:
        for place in list(self._waiting):
            self._flush(place)

    @property
    def waiting(self) -> int:
        return sum(self._bytes.values())

    def _flush(self, place: tuple[str, str, tuple[str, ...]]) -> None:
        owner, table, columns = place
        rows = self._waiting.pop(place)
        del self._bytes[place]
        self._number += 1
        data = msgspec.msgpack.encode([table, list(columns), rows])
        if owner:
            self.patients.add(owner)
            nonce = secrets.token_bytes(NONCE_BYTES)
            header = _context(*self._where, owner, self._number)
            data = nonce + ChaCha20Poly1305(self._key_of(owner)).encrypt(nonce, data, header)
        self._file.execute("INSERT INTO piece (id, owner, data) VALUES (?, ?, ?)", (self._number, owner, data))


def copy_file(
    source: CipherFile,
    target: Path,
    key: bytes,
    *,
    backup: str,
    name: str,
    key_of: Callable[[str], bytes],
    wearers: Wearers | None,
    erased: Collection[str],
    progress: Progress,
    cancelled: Cancelled,
) -> Copied:
    """Copy a file out of its open snapshot (`source.reading()`), sealing what is somebody's.

    Args:
        key: of the copy, 32 bytes.
        key_of: a patient's key.
        wearers: of a chair's record, who wore which hub; None: the practice's file, which is nobody's.
        erased: patients who have no key any more; what was kept of them is nobody's.

    Raises:
        BackupCancelled, DiskFull, RecordReadOnly, RecordDamaged.
    """
    if wearers is not None:
        wearers.lend(source)
    file = CipherFile.create(target, key)
    try:
        file.rows("PRAGMA journal_mode = OFF")  # a copy that is not finished is thrown away whole
        file.execute("PRAGMA synchronous = OFF")
        shape = source.rows("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        virtual = [row[1] for row in shape if row[2].startswith("CREATE VIRTUAL")]
        shape = [row for row in shape if not _inside(row[1], virtual)]
        writer, count = _Writer(file, backup, name, key_of, erased), 0
        with file.transaction():
            for statement in _CREATE:
                file.execute(statement)
            file.execute("INSERT INTO about_copy VALUES (?, ?, ?)", (source.path.name, backup, name))
            file.many("INSERT INTO shape (type, name, sql) VALUES (?, ?, ?)", shape)
            for kind, table, _ in shape:
                if kind == "table" and table not in virtual and table not in _LEFT_OUT:
                    count += _copy_table(source, table, writer, wearers, progress, cancelled)
            writer.flush()
        return Copied(count, frozenset(writer.patients))
    finally:
        file.close()


def _copy_table(
    source: CipherFile,
    table: str,
    writer: _Writer,
    wearers: Wearers | None,
    progress: Progress,
    cancelled: Cancelled,
) -> int:
    # Cells of no visit are of several people: a restored file makes them anew out of its blocks.
    own = " WHERE t.visit != ''" if wearers is not None and table == "summary" else ""
    columns = tuple(row[1] for row in source.rows(f"PRAGMA table_info({table})"))
    chosen = ", ".join(f"t.{column}" for column in columns)
    owner = owners().get(table, "NULL") if wearers is not None else "NULL"
    hubs: dict[int, str] = dict(source.rows("SELECT id, name FROM source")) if wearers is not None else {}
    count = 0
    rows = source.each(f"SELECT {owner}, {chosen} FROM {table} t{own}")
    if wearers is not None and columns == _TAIL:
        rows = _parted(rows, source, wearers)
    for row in rows:
        whose, values = row[0] or NOBODY, row[1:]
        if wearers is not None and table == "hub_day":
            whose = wearers.of_day(hubs[values[1]], values[2])
        elif wearers is not None and table == "hub_event":
            whose = wearers.of_event(hubs[values[0]], read_cbor(values[2], HubEvent))
        elif not whose and table in _ORPHANS and wearers is not None:
            continue
        progress(writer.add(whose, table, columns, values))
        count += 1
        if cancelled():
            raise BackupCancelled
        if writer.waiting >= _MOST_WAITING:
            writer.flush()
    return count


def _parted(rows: Iterator[Row], source: CipherFile, wearers: Wearers) -> Iterator[Row]:
    """Rows of `tail`; one without a visit is parted by owner. What is added has the number of the row it was in."""
    parting = Parting(source, wearers)
    top = (source.row("SELECT coalesce(max(id), 0) FROM tail") or (0,))[0]
    for row in rows:
        owner, place, number, visit, data = row
        if visit is not None or not number:
            yield owner, place, number, visit, data
            continue
        for at, part in enumerate(parting.parts(place, data)):
            top += at > 0
            yield part.owner, top if at else place, number, None, part.data


def restore_file(
    source: Path,
    key: bytes,
    target: Path,
    target_key: bytes,
    *,
    backup: str,
    name: str,
    patients: Mapping[str, bytes],
    progress: Progress = lambda _: None,
    cancelled: Cancelled = lambda: False,
) -> Restored:
    """Make a file out of a backup's copy. Whoever has no key in `patients` is left out.

    Raises:
        BackupDamaged: a piece is not what was written.
        BackupCancelled, WrongKey, RecordDamaged, DiskFull.
    """
    copy = CipherFile.read(source, key)
    try:
        file = CipherFile.create(target, target_key)
        try:
            with copy.reading():
                return _restore(copy, file, (backup, name), patients, progress, cancelled)
        finally:
            file.close()
    finally:
        copy.close()


def _restore(
    copy: CipherFile,
    file: CipherFile,
    where: tuple[str, str],
    patients: Mapping[str, bytes],
    progress: Progress,
    cancelled: Cancelled,
) -> Restored:
    shape = copy.rows("SELECT type, name, sql FROM shape ORDER BY id")
    virtual = [name for _, name, sql in shape if sql.startswith("CREATE VIRTUAL")]
    count, missing = 0, set()
    file.execute("PRAGMA foreign_keys = OFF")
    with file.transaction():
        for kind, name, sql in shape:
            if kind == "table" and name not in virtual:
                file.execute(sql)
        for number, owner, data in copy.each("SELECT id, owner, data FROM piece ORDER BY id"):
            if cancelled():
                raise BackupCancelled
            progress(len(data))
            if owner and owner not in patients:
                missing.add(owner)
                continue
            table, columns, rows = _opened(data, owner, number, where, patients)
            marks = ", ".join("?" * len(columns))
            file.many(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
            count += len(rows)
        if any(name == "summary" for _, name, _ in shape):
            channels = file.rows("SELECT DISTINCT channel FROM block WHERE visit IS NULL AND settled = 1")
            without_visit(file, [row[0] for row in channels])
        for kind, name, sql in sorted(shape, key=lambda one: ("table", "index", "trigger", "view").index(one[0])):
            if kind != "table" or name in virtual:
                file.execute(sql)
        for name in virtual:
            file.execute(f"INSERT INTO {name} ({name}) VALUES ('rebuild')")
            file.execute(f"INSERT INTO {name} ({name}, rank) VALUES ('secure-delete', 1)")
        if file.rows("PRAGMA foreign_key_check"):
            raise BackupDamaged(f"{copy.path.name} is not whole.", "Take another backup.")
    return Restored(count, frozenset(missing))


def _opened(
    data: bytes, owner: str, number: int, where: tuple[str, str], patients: Mapping[str, bytes]
) -> tuple[str, list[str], list[Row]]:
    try:
        if owner:
            nonce, sealed = data[:NONCE_BYTES], data[NONCE_BYTES:]
            data = ChaCha20Poly1305(patients[owner]).decrypt(nonce, sealed, _context(*where, owner, number))
        return msgspec.msgpack.decode(data, type=tuple[str, list[str], list[tuple[object, ...]]])
    except (InvalidTag, msgspec.DecodeError) as error:
        raise BackupDamaged(f"Piece {number} of {where[1]} is not what was written.", "Take another backup.") from error


def _context(backup: str, name: str, owner: str, number: int) -> bytes:
    """What a piece is bound to: it opens nowhere else."""
    return cbor.encode(["smilescape/backup-piece/1", backup, name, owner, number])


def _inside(name: str, virtual: list[str]) -> bool:
    """Whether it is SQLite's own, or a table that a virtual one keeps for itself."""
    return name.startswith("sqlite_") or any(name.startswith(f"{one}_") for one in virtual)

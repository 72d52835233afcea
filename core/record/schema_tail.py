"""Migration 7: a commit is one row of `tail`, in a slot. Once released, none of it changes."""

from collections.abc import Iterator
from itertools import groupby

import numpy as np

from core.record.sqlcipher import Database, Row
from core.record.tail import ENTRY, SLOT_BYTES, join

_TABLE = "CREATE TABLE tail (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, visit TEXT, data BLOB NOT NULL) STRICT"
_NAMES = tuple(ENTRY.names or ())
_TOGETHER = 32
"""Rows of before that become one."""


def create(database: Database) -> None:
    """What was raw stays raw, in the order in which it came."""
    before = f"SELECT visit, data, {', '.join(_NAMES)} FROM tail ORDER BY id"
    rows = list(database.execute(before).fetchall())
    database.execute("DROP TABLE tail")
    database.execute(_TABLE)
    number = 0
    for visit, some in groupby(rows, key=lambda row: row[0]):
        for part in _parts(list(some)):
            number += 1
            entries = np.array([row[2:] for row in part], ENTRY)
            # A row of another length than its count says is damaged: as long as it should be, its checksum tells.
            samples = b"".join(
                row[1][: 2 * int(count)].ljust(2 * int(count), b"\0")
                for row, count in zip(part, entries["count"], strict=True)
            )
            data = join(entries, samples).ljust(SLOT_BYTES, b"\0")
            database.execute("INSERT INTO tail (number, visit, data) VALUES (?, ?, ?)", (number, visit, data))


def _parts(rows: list[Row]) -> Iterator[list[Row]]:
    for at in range(0, len(rows), _TOGETHER):
        yield rows[at : at + _TOGETHER]

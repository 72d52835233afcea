"""What was committed and is not compacted yet: all channels of a commit in one row, a row for each visit.

Rows lie in slots, which are rows of one length that are written over again and again. A commit then changes one page
of the file and allocates none; a row of its own for each channel cost twice the pages and most of the processor.
"""

import struct
import zlib
from collections.abc import Container, Iterable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from core.model.block import Samples
from core.record.sqlcipher import CipherFile, Row
from core.signals.codec import Codec

ENTRY: Final = np.dtype(
    [
        ("stream", "<u4"),
        ("channel", "<u4"),
        ("first_index", "<i8"),
        ("count", "<u4"),
        ("start_us", "<i8"),
        ("period_us", "<i8"),
        ("utc_us", "<i8"),
        ("end_utc_us", "<i8"),
        ("provenance", "u1"),
        ("crc", "<u4"),
        ("low", "<i2"),
        ("high", "<i2"),
        ("total", "<i8"),
    ]
)
"""What a row says of the samples of each channel in it; they follow behind all entries, as int16. Part of the file
format, which migration 7 writes: another one takes another migration."""
_PACKED: Final = struct.Struct("<IIqIqqqqBIhhq")
"""The same, quicker for a few."""
SLOT_BYTES: Final = 4_000
"""Four to a page of 16 KiB, with what SQLite keeps of each. What is longer gets a row as long as it is, once."""
_COUNT_BYTES: Final = 4
_AT_ONCE: Final = 16
"""Slots that are made together."""
_KEPT: Final = 128
"""Free slots that are kept for the next commits; more came with a burst and are given back."""
_MOST_BYTES: Final = 1 << 20
"""Samples to a row."""

Entries = npt.NDArray[np.void]


class Fresh(NamedTuple):
    """Samples of one stream that were not in the record.

    Attributes:
        place: stream, channel, first_index, count, start_us, period_us, utc_us, end_utc_us.
    """

    place: tuple[int, int, int, int, int, int, int, int]
    provenance: int
    samples: Samples


def pack(blocks: Sequence[Fresh]) -> bytes:
    """One row: the number of entries, the entries, the samples."""
    samples = np.concatenate([one.samples for one in blocks]).astype("<i2", copy=False)
    starts = [0, *accumulate(len(one.samples) for one in blocks)]
    low, high = np.minimum.reduceat(samples, starts[:-1]), np.maximum.reduceat(samples, starts[:-1])
    total = np.add.reduceat(samples, starts[:-1], dtype=np.int64)
    data = samples.tobytes()
    entries = [
        _PACKED.pack(*one.place, one.provenance, zlib.crc32(data[2 * start : 2 * end]), *of_samples)
        for one, start, end, *of_samples in zip(
            blocks, starts, starts[1:], low.tolist(), high.tolist(), total.tolist(), strict=False
        )
    ]
    return b"".join((len(blocks).to_bytes(_COUNT_BYTES, "little"), *entries, data))


def join(entries: Entries, samples: bytes) -> bytes:
    return len(entries).to_bytes(_COUNT_BYTES, "little") + entries.tobytes() + samples


class Tail:
    """Rows of the table, as they were read: their entries as one table, in the order in which they were committed.

    Attributes:
        entries: shape (n,), of type `ENTRY`.
        row: which row each is in, shape (n,).
        ids, visits: of each row.
        damaged: ids of rows that cannot be read.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        """`rows`: id, visit and data of each."""
        self.damaged: list[int] = []
        sound = []
        for row in rows:
            _, _, data = row
            count = int.from_bytes(data[:_COUNT_BYTES], "little")
            if count and _COUNT_BYTES + count * ENTRY.itemsize <= len(data):
                sound.append((row, count))
            else:
                self.damaged.append(row[0])
        while not self._parsed(sound):
            sound = [one for one in sound if one[0][0] not in self.damaged]

    def _parsed(self, rows: list[tuple[Row, int]]) -> bool:
        """Read rows with room for their entries; False when one has none for its samples, and is now `damaged`."""
        self.ids = [row[0] for row, _ in rows]
        self.visits: list[str | None] = [row[1] for row, _ in rows]
        self._data = [bytes(row[2]) for row, _ in rows]
        lengths = np.array([count for _, count in rows], np.int64)
        heads = (
            data[_COUNT_BYTES : _COUNT_BYTES + n * ENTRY.itemsize]
            for data, (_, n) in zip(self._data, rows, strict=True)
        )
        self.entries: Entries = np.frombuffer(b"".join(heads), ENTRY)
        self.row = np.repeat(np.arange(len(rows)), lengths)
        size = 2 * self.entries["count"].astype(np.int64)
        end = np.cumsum(size)
        first = np.cumsum(lengths) - lengths  # of each row, among all entries
        end += (_COUNT_BYTES + ENTRY.itemsize * lengths - (end - size)[first])[self.row] if len(rows) else 0
        begin = end - size
        bad = (size == 0) | (end > np.array([len(data) for data in self._data], np.int64)[self.row])
        if bad.any():
            self.damaged += [self.ids[row] for row in np.unique(self.row[bad]).tolist()]
            return False
        self._spans = list(zip(self.row.tolist(), begin.tolist(), end.tolist(), strict=True))
        return True

    def __len__(self) -> int:
        return len(self.entries)

    def visit(self, entry: int) -> str | None:
        return self.visits[self._spans[entry][0]]

    def data(self, entry: int) -> bytes:
        """The samples of an entry."""
        row, begin, end = self._spans[entry]
        return self._data[row][begin:end]

    def unsound(self, entries: npt.NDArray[np.int64]) -> set[int]:
        """Rows among these entries that do not hold the samples that were written."""
        checked = zip(entries.tolist(), self.entries["crc"][entries].tolist(), strict=True)
        return {self._spans[entry][0] for entry, crc in checked if zlib.crc32(self.data(entry)) != crc}

    def of_visit(self, visit: str) -> npt.NDArray[np.bool_]:
        """Which entries are of a visit."""
        return np.array([one == visit for one in self.visits], bool)[self.row]

    def values(self, entry: int) -> tuple[object, ...]:
        """One value for each of `blocks.COLUMNS`."""
        found = dict(zip(ENTRY.names or (), self.entries[entry].item(), strict=True))
        first = ("stream", "channel", "first_index", "count", "start_us", "period_us", "utc_us", "end_utc_us")
        return (
            *(found[name] for name in first),
            found["provenance"],
            self.visit(entry),
            int(Codec.RAW),
            *(found[name] for name in ("crc", "low", "high", "total")),
        )


def read_tail(file: CipherFile, *, without: Container[int] = ()) -> Tail:
    """All that is not compacted yet; `without` the rows of these ids."""
    rows = file.rows("SELECT id, visit, data FROM tail WHERE number > 0 ORDER BY number")
    return Tail([row for row in rows if row[0] not in without] if without else rows)


class TailBook:
    """Writes rows. What it remembers of the file must be forgotten when a transaction fails: `forget`."""

    def __init__(self, file: CipherFile) -> None:
        self._file = file
        self._free: list[int] | None = None
        self._number = self._top = 0

    def forget(self) -> None:
        self._free = None

    def write(self, visit: str | None, blocks: Sequence[Fresh]) -> None:
        """Append the samples of one commit and visit."""
        part: list[Fresh] = []
        size = 0
        for one in blocks:
            if part and size + one.samples.nbytes > _MOST_BYTES:
                self.put(visit, pack(part))
                part, size = [], 0
            part.append(one)
            size += one.samples.nbytes
        if part:
            self.put(visit, pack(part))

    def put(self, visit: str | None, data: bytes) -> None:
        """Append one row."""
        free = self._slots()
        self._number += 1
        if len(data) > SLOT_BYTES:
            self._top += 1
            place = self._top
        else:
            if not free:
                self._more(free)
            place = free.pop()
        sql = "INSERT OR REPLACE INTO tail (id, number, visit, data) VALUES (?, ?, ?, ?)"
        self._file.execute(sql, (place, self._number, visit, data.ljust(SLOT_BYTES, b"\0")))

    def release(self, ids: Sequence[int]) -> None:
        """These rows are compacted: nothing of them stays. Their slots are free, or given back."""
        free = self._slots()
        long = {row[0] for row in self._file.rows("SELECT id FROM tail WHERE length(data) <> ?", (SLOT_BYTES,))}
        slots = [identity for identity in ids if identity not in long]
        self._file.many("DELETE FROM tail WHERE id = ?", [(identity,) for identity in long.intersection(ids)])
        empty = "UPDATE tail SET number = 0, visit = NULL, data = zeroblob(?) WHERE id = ?"
        self._file.many(empty, [(SLOT_BYTES, identity) for identity in slots])
        free += slots
        free.sort(reverse=True)
        self._give_back(free, max(0, len(free) - _KEPT))

    def close(self) -> None:
        """Give all free slots back, in the open transaction."""
        free = self._slots()
        self._give_back(free, len(free))

    def _slots(self) -> list[int]:
        """Free ones, the first of the file at the end."""
        if self._free is None:
            rows = self._file.rows("SELECT id, number FROM tail ORDER BY id DESC")
            self._free = [row[0] for row in rows if row[1] == 0]
            self._top = max((row[0] for row in rows), default=0)
            self._number = max((row[1] for row in rows), default=0)
        return self._free

    def _more(self, free: list[int]) -> None:
        made = range(self._top + _AT_ONCE, self._top, -1)
        sql = "INSERT INTO tail (id, number, data) VALUES (?, 0, zeroblob(?))"
        self._file.many(sql, [(identity, SLOT_BYTES) for identity in reversed(made)])
        free += made
        self._top += _AT_ONCE

    def _give_back(self, free: list[int], count: int) -> None:
        """Those at the end of the file."""
        self._file.many("DELETE FROM tail WHERE id = ?", [(identity,) for identity in free[:count]])
        del free[:count]

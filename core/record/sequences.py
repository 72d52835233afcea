"""Which frames of a hub are accounted for, so that it knows what it may forget."""

from collections.abc import Iterable

from core.record.blocks import BlockStore
from core.record.coverage import Coverage
from core.record.sqlcipher import CipherFile

FIRST_SEQUENCE = 0
"""Number of the first frame of a hub's life."""


class SequenceBook:
    """Frame sequences of each source: committed, confirmed lost, or made before this record knew the source."""

    def __init__(self, file: CipherFile, blocks: BlockStore) -> None:
        self._file = file
        self._blocks = blocks
        self._books: dict[int, Coverage] = {}

    def forget(self) -> None:
        self._books.clear()

    def begin(self, source: str, first: int) -> None:
        """Of a source that this record does not know yet, frames before `first` belong elsewhere."""
        if not self._book(self._blocks.source(source)).ranges():
            self._add_ranges(source, [(FIRST_SEQUENCE, first)] if first > FIRST_SEQUENCE else [])

    def add(self, source: str, ranges: Iterable[tuple[int, int]]) -> None:
        """Frames of half-open ranges are in the record."""
        self._add_ranges(source, list(ranges))

    def add_loss(self, source: str, first: int, last: int, at_us: int) -> None:
        """Frames `first` to `last`, both included, are gone for good."""
        self._file.execute(
            "INSERT INTO loss (source, first, last, at_us) VALUES (?, ?, ?, ?)",
            (self._blocks.source(source), first, last, at_us),
        )
        self._add_ranges(source, [(first, last + 1)])

    def resume_point(self, source: str) -> int | None:
        """Highest sequence such that it and all before it are accounted for; None when the very first is not."""
        end = self._book(self._blocks.source(source)).end_of_run(FIRST_SEQUENCE)
        return None if end == FIRST_SEQUENCE else end - 1

    def missing(self, source: str, first: int, last: int) -> list[tuple[int, int]]:
        """The ranges within `first` to `last`, both included, that are not accounted for; ends included."""
        parts = self._book(self._blocks.source(source)).missing(first, last + 1)
        return [(start, end - 1) for start, end in parts]

    def _add_ranges(self, source: str, ranges: list[tuple[int, int]]) -> None:
        source_id = self._blocks.source(source)
        book = self._book(source_id)
        before = set(book.ranges())
        for start, end in ranges:
            book.add(start, end)
        after = set(book.ranges())
        self._file.many(
            "DELETE FROM sequence_range WHERE source = ? AND first = ?",
            [(source_id, start) for start, _ in before - after],
        )
        self._file.many(
            "INSERT INTO sequence_range (source, first, last) VALUES (?, ?, ?)",
            [(source_id, start, end - 1) for start, end in after - before],
        )

    def _book(self, source: int) -> Coverage:
        found = self._books.get(source)
        if found is None:
            sql = "SELECT first, last + 1 FROM sequence_range WHERE source = ?"
            found = Coverage((row[0], row[1]) for row in self._file.rows(sql, (source,)))
            self._books[source] = found
        return found

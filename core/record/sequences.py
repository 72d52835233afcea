"""Which frames of a boot are accounted for, so that the hub knows what it may forget."""

from collections.abc import Iterable

from core.record.blocks import BlockStore
from core.record.coverage import Coverage
from core.record.sqlcipher import CipherFile

FIRST_SEQUENCE = 0
"""Number of the first frame after boot."""


class SequenceBook:
    """Frame sequences of each (source, boot): committed, or confirmed lost."""

    def __init__(self, file: CipherFile, blocks: BlockStore) -> None:
        self._file = file
        self._blocks = blocks
        self._books: dict[tuple[int, int], Coverage] = {}

    def forget(self) -> None:
        self._books.clear()

    def add(self, source: str, boot: int, sequences: Iterable[int]) -> None:
        self._add_ranges(source, boot, [(number, number + 1) for number in sequences])

    def add_loss(self, source: str, boot: int, first: int, last: int, at_us: int) -> None:
        """Frames `first` to `last`, both included, are gone for good."""
        self._file.execute(
            "INSERT INTO loss (source, boot, first, last, at_us) VALUES (?, ?, ?, ?, ?)",
            (self._blocks.source(source), boot, first, last, at_us),
        )
        self._add_ranges(source, boot, [(first, last + 1)])

    def resume_point(self, source: str, boot: int) -> int | None:
        """Highest sequence such that it and all before it are accounted for; None when the very first is not."""
        end = self._book(self._blocks.source(source), boot).end_of_run(FIRST_SEQUENCE)
        return None if end == FIRST_SEQUENCE else end - 1

    def missing(self, source: str, boot: int, first: int, last: int) -> list[tuple[int, int]]:
        """The ranges within `first` to `last`, both included, that are not accounted for; ends included."""
        parts = self._book(self._blocks.source(source), boot).missing(first, last + 1)
        return [(start, end - 1) for start, end in parts]

    def _add_ranges(self, source: str, boot: int, ranges: list[tuple[int, int]]) -> None:
        source_id = self._blocks.source(source)
        book = self._book(source_id, boot)
        before = set(book.ranges())
        for start, end in ranges:
            book.add(start, end)
        after = set(book.ranges())
        self._file.many(
            "DELETE FROM sequence_range WHERE source = ? AND boot = ? AND first = ?",
            [(source_id, boot, start) for start, _ in before - after],
        )
        self._file.many(
            "INSERT INTO sequence_range (source, boot, first, last) VALUES (?, ?, ?, ?)",
            [(source_id, boot, start, end - 1) for start, end in after - before],
        )

    def _book(self, source: int, boot: int) -> Coverage:
        found = self._books.get((source, boot))
        if found is None:
            sql = "SELECT first, last + 1 FROM sequence_range WHERE source = ? AND boot = ?"
            found = Coverage((row[0], row[1]) for row in self._file.rows(sql, (source, boot)))
            self._books[(source, boot)] = found
        return found

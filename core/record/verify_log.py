"""Are the entries of the audit log those that were written? The first that is not is named, and what became of it.

Three things are held against each other: the bytes of an entry, the leaf hash beside them, and the tree, which has
every leaf and node once more. Whoever has the file's key can make them agree again; `verify_evidence` has the rest.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from core.model import cbor
from core.model.merkle import CompactRange, leaf_hash, stored_index
from core.record.audit import AuditLog
from core.record.sqlcipher import CipherFile
from core.record.types import AuditEntry

_PAGE: Final = 2000
_WINDOW: Final = 64
"""How many entries are looked at to say what became of one."""


class LogCheck:
    """One pass over all entries.

    Attributes:
        entries: rows that there are.
        problems: what is wrong; of the entries only the first.
        roots: the tree hash over the entries as they stand, at each size that was wanted.
    """

    def __init__(self, file: CipherFile) -> None:
        self.entries = 0
        self.problems: list[str] = []
        self.roots: dict[int, bytes] = {}
        self._file = file
        self._log = AuditLog(file)
        self._has_tree = has_evidence(file)
        self._told = False

    def run(self, wanted: frozenset[int] = frozenset()) -> None:
        """Raises RecordDamaged: what SQLite itself refuses to read."""
        whole, expected = CompactRange(), 0
        for entry, stored in self._pairs():
            nodes = whole.append(leaf_hash(entry.entry))
            if not self._told:
                self._look(entry, expected, nodes, stored)
            expected = entry.sequence + 1
            if whole.size in wanted:
                self.roots[whole.size] = whole.root()
        self.entries = whole.size
        if self._has_tree and not self._told:
            self._end(expected)

    def _look(self, entry: AuditEntry, expected: int, nodes: Sequence[bytes], stored: Sequence[bytes]) -> None:
        """One row: is it the next, is it itself, and are the nodes that it completes those of the tree?"""
        own = nodes[0]
        if entry.sequence != expected:
            self._tell(_removed(expected, entry.sequence))
        elif own != entry.leaf or _says(entry.entry) != expected or (self._has_tree and stored[:1] != [own]):
            self._tell(self._became(expected))
        elif self._has_tree and list(stored) != list(nodes):
            level = next(at for at, node in enumerate(nodes) if stored[at : at + 1] != [node])
            first = (expected >> level) << level
            self._tell(f"the tree's hash over entries {first} to {expected} is not theirs")

    def _became(self, first: int) -> str:
        """What became of entry `first`, told from those around it and from what the tree has of them."""
        rows = self._log.entries(first, _WINDOW)
        leaves = {at: self._stored(at) for at in range(max(0, first - _WINDOW), first + _WINDOW)}
        homes = [_home(row.entry, leaves if self._has_tree else None) for row in rows]
        home, later = homes[0], first in homes[1:]
        if home == first:
            return f"entry {first} is what was written; the hash beside it was changed"
        if (home is None and later) or (home is not None and home < first):
            return f"{_count(homes.index(first) if later else 1)} inserted at {first}"
        if home is None:
            return f"entry {first} was changed"
        if later:
            return f"entries were reordered: {home} stands where {first} should"
        return f"{_removed(first, home)}, and those behind moved up"

    def _end(self, expected: int) -> None:
        size = self._log.tree.size()
        if size > expected:
            self._tell(f"{_removed(expected, size)}, at the end")
        elif size < expected:
            self._tell(f"the tree ends at entry {size}, the log at {expected}")

    def _tell(self, problem: str) -> None:
        self._told = True
        self.problems.append(f"audit: {problem}")

    def _pairs(self) -> Iterator[tuple[AuditEntry, list[bytes]]]:
        """Each row, and what the tree has of the nodes that it completes."""
        start = 0
        while page := self._log.entries(start, _PAGE):
            nodes = self._nodes(page[0].sequence, page[-1].sequence) if self._has_tree else {}
            for entry in page:
                first, past = stored_index(0, entry.sequence), stored_index(0, entry.sequence + 1)
                yield entry, [nodes[at] for at in range(first, past) if at in nodes]
            start = page[-1].sequence + 1

    def _nodes(self, first: int, last: int) -> dict[int, bytes]:
        sql = "SELECT id, hash FROM audit_tree WHERE id >= ? AND id < ?"
        return dict(self._file.rows(sql, (stored_index(0, first), stored_index(0, last + 1))))

    def _stored(self, number: int) -> bytes:
        if not self._has_tree:
            return b""
        row = self._file.row("SELECT hash FROM audit_tree WHERE id = ?", (stored_index(0, number),))
        return bytes(row[0]) if row else b""


def has_evidence(file: CipherFile) -> bool:
    """Whether the file has a tree and checkpoints; one that an older program wrote last has none."""
    return bool(file.rows("SELECT 1 FROM sqlite_master WHERE name = 'audit_tree'"))


def _home(entry: bytes, leaves: dict[int, bytes] | None) -> int | None:
    """Where an entry stood when it was written, whatever number it was given since; None: nowhere near."""
    plain = _plain(entry)
    says = _says(entry)
    if plain is None or says is None:
        return None
    if leaves is None:
        return says
    near = sorted(leaves, key=lambda at: abs(at - says))
    return next((at for at in near if leaf_hash(cbor.encode({**plain, "sequence": at})) == leaves[at]), None)


def _plain(entry: bytes) -> dict[object, object] | None:
    try:
        plain = cbor.decode(entry)
    except ValueError:
        return None
    return plain if isinstance(plain, dict) else None


def _says(entry: bytes) -> int | None:
    """The number that an entry itself has."""
    plain = _plain(entry)
    says = plain.get("sequence") if plain is not None else None
    return says if isinstance(says, int) else None


def _removed(first: int, past: int) -> str:
    return f"entry {first} was removed" if past == first + 1 else f"entries {first} to {past - 1} were removed"


def _count(entries: int) -> str:
    return "an entry was" if entries == 1 else f"{entries} entries were"

"""The audit log: entries verbatim, and the RFC 9162 tree over them, which grows in the same commits."""

from collections.abc import Iterable, Mapping

from core.model import cbor
from core.model.merkle import (
    CompactRange,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    leaves_of,
    node_hash,
    root_at,
    stored_index,
)
from core.record.errors import RecordDamaged
from core.record.sqlcipher import CipherFile
from core.record.types import AuditEntry, AuditHead
from core.record.versions import utc_offset_s

__all__ = ["AuditLog", "AuditTree", "CompactRange", "leaf_hash", "tree_head"]

_PAGE = 1000


def tree_head(leaves: Iterable[bytes]) -> AuditHead:
    tree = CompactRange()
    for leaf in leaves:
        tree.append(leaf)
    return AuditHead(tree.size, tree.root())


class AuditTree:
    """Every complete node of the tree, in the order in which they became complete: it is only ever appended to."""

    def __init__(self, file: CipherFile) -> None:
        self._file = file

    def append(self, sequence: int, leaf: bytes) -> None:
        """Keep a leaf and the nodes that it completes, within the open transaction."""
        node, level = leaf, 0
        rows = [(stored_index(0, sequence), leaf)]
        while (sequence >> level) & 1:
            node = node_hash(self.node(level, (sequence >> level) - 1), node)
            level += 1
            rows.append((stored_index(level, sequence >> level), node))
        self._file.many("INSERT INTO audit_tree (id, hash) VALUES (?, ?)", rows)

    def size(self) -> int:
        """Leaves that there are."""
        row = self._file.row("SELECT max(id) + 1 FROM audit_tree")
        return leaves_of(int(row[0] or 0)) if row else 0

    def node(self, level: int, number: int) -> bytes:
        """Raises RecordDamaged: it is not there."""
        row = self._file.row("SELECT hash FROM audit_tree WHERE id = ?", (stored_index(level, number),))
        if row is None:
            raise RecordDamaged(
                f"{self._file.path}: node {level}/{number} of the audit tree is missing.",
                "Run `record verify` to see what is affected, and restore it from a backup.",
            )
        return bytes(row[0])

    def root_at(self, size: int) -> bytes:
        """The tree hash over the first `size` entries. Raises RecordDamaged: there are not so many."""
        return root_at(self.node, size)

    def inclusion(self, sequence: int, size: int) -> list[bytes]:
        """Proof that an entry is among the first `size`. Raises RecordDamaged, ValueError."""
        return inclusion_proof(self.node, sequence, size)

    def consistency(self, old: int, size: int) -> list[bytes]:
        """Proof that the first `size` entries begin with the first `old`. Raises RecordDamaged, ValueError."""
        return consistency_proof(self.node, old, size)


class AuditLog:
    """Append-only; the file's own triggers refuse a change.

    Attributes:
        tree: over the entries.
    """

    def __init__(self, file: CipherFile) -> None:
        self._file = file
        self.tree = AuditTree(file)

    def append(self, kind: str, *, actor: str, at_us: int, body: Mapping[str, object]) -> AuditEntry:
        """Store one entry within the open transaction."""
        sequence = self.size()
        entry = cbor.encode(
            {
                "format": 1,
                "sequence": sequence,
                "kind": kind,
                "actor": actor,
                "at_us": at_us,
                "utc_offset_s": utc_offset_s(at_us),
                "body": dict(body),
            }
        )
        leaf = leaf_hash(entry)
        self._file.execute("INSERT INTO audit (sequence, entry, leaf) VALUES (?, ?, ?)", (sequence, entry, leaf))
        self.tree.append(sequence, leaf)
        return AuditEntry(sequence, entry, leaf)

    def size(self) -> int:
        """Number of the next entry. One that the tree knows is never given again, though its row is gone."""
        row = self._file.row("SELECT max(sequence) + 1 FROM audit")
        return max(int(row[0] or 0) if row else 0, self.tree.size())

    def entries(self, start: int = 0, limit: int = _PAGE) -> list[AuditEntry]:
        """Entries from `start` on, in order."""
        sql = "SELECT sequence, entry, leaf FROM audit WHERE sequence >= ? ORDER BY sequence LIMIT ?"
        return [AuditEntry(*row) for row in self._file.rows(sql, (start, limit))]

    def head(self) -> AuditHead:
        """As the leaves have it, whatever the tree says."""
        return tree_head(row[0] for row in self._file.rows("SELECT leaf FROM audit ORDER BY sequence"))

"""The audit log: entries verbatim, and a Merkle tree over them as in RFC 9162 (Certificate Transparency 2.0), 2.1.1."""

import hashlib
from collections.abc import Iterable, Mapping

from core.model import cbor
from core.record.sqlcipher import CipherFile
from core.record.types import AuditEntry, AuditHead
from core.record.versions import utc_offset_s

_PAGE = 1000


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class CompactRange:
    """The tree hash over leaves that come one by one, in logarithmic memory: one hash for each 1 bit of the size."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        node, size = leaf, self.size
        while size & 1:
            node = _node_hash(self._roots.pop(), node)
            size >>= 1
        self._roots.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The tree hash; SHA-256 of nothing for the empty tree."""
        if not self._roots:
            return hashlib.sha256(b"").digest()
        node = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            node = _node_hash(left, node)
        return node


def tree_head(leaves: Iterable[bytes]) -> AuditHead:
    tree = CompactRange()
    for leaf in leaves:
        tree.append(leaf)
    return AuditHead(tree.size, tree.root())


class AuditLog:
    """Append-only; the file's own triggers refuse a change."""

    def __init__(self, file: CipherFile) -> None:
        self._file = file

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
        return AuditEntry(sequence, entry, leaf)

    def size(self) -> int:
        row = self._file.row("SELECT max(sequence) + 1 FROM audit")
        return int(row[0] or 0) if row else 0

    def entries(self, start: int = 0, limit: int = _PAGE) -> list[AuditEntry]:
        """Entries from `start` on, in order."""
        sql = "SELECT sequence, entry, leaf FROM audit WHERE sequence >= ? ORDER BY sequence LIMIT ?"
        return [AuditEntry(*row) for row in self._file.rows(sql, (start, limit))]

    def head(self) -> AuditHead:
        return tree_head(row[0] for row in self._file.rows("SELECT leaf FROM audit ORDER BY sequence"))

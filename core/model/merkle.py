"""Merkle trees and their proofs as RFC 9162 (Certificate Transparency 2.0), 2.1, defines them. Pure.

A tree of `size` leaves has complete nodes, named by level and number: node (l, i) covers the 2**l leaves from
i * 2**l on. Who keeps them all can prove anything about any earlier size in logarithmic time.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""The tree hash over nothing."""
MAX_PROOF: Final = 64
"""Longest proof that is looked at: no tree of 2**63 leaves needs more."""

Node = Callable[[int, int], bytes]
"""Gives the hash of the complete node (level, number)."""


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class CompactRange:
    """The tree hash over leaves that come one by one, in logarithmic memory: one hash for each 1 bit of the size."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    def append(self, leaf: bytes) -> list[bytes]:
        """Take one leaf hash in; the complete nodes that it makes, itself first, each next one a level higher."""
        made = [leaf]
        size = self.size
        while size & 1:
            made.append(node_hash(self._roots.pop(), made[-1]))
            size >>= 1
        self._roots.append(made[-1])
        self.size += 1
        return made

    def root(self) -> bytes:
        """The tree hash; SHA-256 of nothing for the empty tree."""
        return _folded(self._roots) if self._roots else EMPTY_ROOT


def stored_index(level: int, number: int) -> int:
    """Where node (level, number) stands when every node is written as soon as it is complete, lower levels first.

    So a growing tree is only ever appended to.
    """
    last = ((number + 1) << level) - 1  # the leaf that completes it
    return 2 * last - last.bit_count() + level


def leaves_of(count: int) -> int:
    """Leaves of a tree of which `count` nodes were written that way."""
    leaves = count // 2
    while stored_index(0, leaves) < count:
        leaves += 1
    return leaves


def root_at(node: Node, size: int) -> bytes:
    """The tree hash over the first `size` leaves."""
    return _subtree(node, 0, size) if size else EMPTY_ROOT


def inclusion_proof(node: Node, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]) of 2.1.3.1, the lowest sibling first. Raises ValueError: no such leaf."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_subtree(node, middle, end))
            end = middle
        else:
            path.append(_subtree(node, start, middle))
            start = middle
    return path[::-1]


def consistency_proof(node: Node, old: int, size: int) -> list[bytes]:
    """PROOF(old, D[size]) of 2.1.4.1; empty for old = 0 and old = size. Raises ValueError: old is beyond size."""
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {size} leaves was never one of {old}")
    if old in (0, size):
        return []
    path: list[bytes] = []
    start, end = 0, size
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_subtree(node, middle, end))
            end = middle
        else:
            path.append(_subtree(node, start, middle))
            start = middle
    if start:
        path.append(_subtree(node, start, end))
    return path[::-1]


def includes(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` proves that the leaf hash stands at `index` of the tree of `size` leaves (2.1.3.2)."""
    if not 0 <= index < size or not _sound(path):
        return False
    first, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if first & 1 or first == last:
            found = node_hash(sibling, found)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and found == root


def is_consistent(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` proves that the tree of `size` leaves begins with that of `old` leaves (2.1.4.2)."""
    if not 0 <= old <= size or not _sound(path):
        return False
    if old in (0, size):
        return not path and old_root == (root if old else EMPTY_ROOT)
    rest = list(path) if old & (old - 1) else [old_root, *path]
    if not rest:
        return False
    first, last = old - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    found_old = found = rest[0]
    for sibling in rest[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            found_old, found = node_hash(sibling, found_old), node_hash(sibling, found)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and found_old == old_root and found == root


def _sound(path: Sequence[bytes]) -> bool:
    return len(path) <= MAX_PROOF and all(len(one) == HASH_BYTES for one in path)


def _split(width: int) -> int:
    """The largest power of two below `width`."""
    return 1 << ((width - 1).bit_length() - 1)


def _subtree(node: Node, start: int, end: int) -> bytes:
    """The tree hash over leaves [start, end), as 2.1.1 splits a tree."""
    roots: list[bytes] = []
    while start < end:
        level = (end - start).bit_length() - 1
        roots.append(node(level, start >> level))
        start += 1 << level
    return _folded(roots)


def _folded(roots: Sequence[bytes]) -> bytes:
    found = roots[-1]
    for left in reversed(roots[:-1]):
        found = node_hash(left, found)
    return found

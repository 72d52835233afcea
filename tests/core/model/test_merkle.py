"""Proofs over the tree: against RFC 9162 as it is written, against pymerkle, and against everything that is wrong."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree, verify_consistency, verify_inclusion

from core.model.merkle import (
    EMPTY_ROOT,
    CompactRange,
    consistency_proof,
    includes,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    leaves_of,
    node_hash,
    root_at,
    stored_index,
)

MOST = 70
sizes = st.integers(1, MOST)


class Grown:
    """A tree of entries 0, 1, 2, …, its nodes kept in the order in which they became complete."""

    def __init__(self, size: int) -> None:
        self.leaves = [leaf_hash(entry(number)) for number in range(size)]
        self.nodes: list[bytes] = []
        tree = CompactRange()
        for leaf in self.leaves:
            self.nodes += tree.append(leaf)
        self.root = tree.root()

    def node(self, level: int, number: int) -> bytes:
        return self.nodes[stored_index(level, number)]


def entry(number: int) -> bytes:
    return number.to_bytes(3, "big")


def split(width: int) -> int:
    k = 1
    while k * 2 < width:
        k *= 2
    return k


def mth(leaves: list[bytes]) -> bytes:
    """MTH(D[n]) of 2.1.1."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    k = split(len(leaves))
    return node_hash(mth(leaves[:k]), mth(leaves[k:]))


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    return [*path(m, leaves[:k]), mth(leaves[k:])] if m < k else [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b) of 2.1.4.1."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


@given(sizes, st.data())
def test_proofs_are_those_of_the_rfc(size: int, data: st.DataObject) -> None:
    tree = Grown(size)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    assert root_at(tree.node, old) == mth(tree.leaves[:old])
    assert inclusion_proof(tree.node, index, size) == path(index, tree.leaves)
    assert consistency_proof(tree.node, old, size) == subproof(old, tree.leaves, True)


@given(sizes, st.data())
def test_pymerkle_makes_the_same_and_believes_ours(size: int, data: st.DataObject) -> None:
    tree, other = Grown(size), InmemoryTree(algorithm="sha256")
    for number in range(size):
        other.append_entry(entry(number))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    assert other.get_root(size) == tree.root
    proof = other.prove_inclusion(index + 1, size)  # it counts entries from 1
    verify_inclusion(tree.leaves[index], tree.root, proof)
    assert proof.path[1:] == inclusion_proof(tree.node, index, size)
    consistency = other.prove_consistency(old, size)
    verify_consistency(root_at(tree.node, old), tree.root, consistency)
    ours = consistency_proof(tree.node, old, size)  # pymerkle cuts its own otherwise: each believes the other's roots
    assert is_consistent(old, other.get_root(old), size, other.get_root(size), ours)


@given(sizes, st.data())
def test_what_is_proven_is_believed_and_nothing_else(size: int, data: st.DataObject) -> None:
    tree = Grown(size)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    inclusion, consistency = inclusion_proof(tree.node, index, size), consistency_proof(tree.node, old, size)
    earlier = root_at(tree.node, old)
    assert includes(tree.leaves[index], index, size, inclusion, tree.root)
    assert is_consistent(old, earlier, size, tree.root, consistency)
    wrong = data.draw(st.binary(min_size=32, max_size=32))
    for bad in bent(inclusion, wrong):
        assert not includes(tree.leaves[index], index, size, bad, tree.root)
    for bad in bent(consistency, wrong):
        assert not is_consistent(old, earlier, size, tree.root, bad)
    assert not includes(wrong, index, size, inclusion, tree.root)
    assert not includes(tree.leaves[index], index, size, inclusion, wrong)
    assert not is_consistent(old, wrong, size, tree.root, consistency)
    if old:
        assert not is_consistent(old, earlier, size, wrong, consistency)
    for other in {*range(size)} - {index}:
        assert not includes(tree.leaves[index], other, size, inclusion, tree.root)


def bent(proof: list[bytes], wrong: bytes) -> list[list[bytes]]:
    """The proof, altered in every way that is not the proof."""
    ways = [[*proof, wrong], [wrong, *proof], *(proof[:at] + proof[at + 1 :] for at in range(len(proof)))]
    ways += [[*proof[:at], wrong, *proof[at + 1 :]] for at in range(len(proof))]
    ways += [[*proof, b"short"], [wrong] * 65]
    return [way for way in ways if way != proof]


def test_stored_nodes_follow_each_other_without_a_hole() -> None:
    places, written = [], 0
    for number in range(300):
        level = 0
        places.append(stored_index(0, number))
        while (number >> level) & 1:
            level += 1
            places.append(stored_index(level, number >> level))
        assert leaves_of(len(places)) == number + 1
        written = len(places)
    assert places == list(range(written))
    assert leaves_of(0) == 0


def test_what_there_is_not_cannot_be_proven() -> None:
    tree = Grown(5)
    for index in (-1, 5, 6):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion_proof(tree.node, index, 5)
        assert not includes(tree.leaves[0], index, 5, [], tree.root)
    for old in (-1, 6):
        with pytest.raises(ValueError, match="never"):
            consistency_proof(tree.node, old, 5)
        assert not is_consistent(old, EMPTY_ROOT, 5, tree.root, [])
    assert not is_consistent(4, root_at(tree.node, 4), 5, tree.root, [])
    assert is_consistent(0, EMPTY_ROOT, 5, tree.root, [])
    assert not is_consistent(0, tree.root, 5, tree.root, [])

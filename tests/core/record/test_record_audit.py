"""The audit log: entries verbatim, and the tree over them against a naive reading of RFC 9162, 2.1.1."""

import hashlib
from pathlib import Path

import cbor2
from hypothesis import given
from hypothesis import strategies as st

from core.record import Record, RecordReader
from core.record.audit import CompactRange, leaf_hash, tree_head

KEY = bytes(range(32))
UTC0 = 1_800_000_000_000_000


def naive(entries: list[bytes]) -> bytes:
    """MTH(D[n]) as the RFC writes it."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return hashlib.sha256(b"\x01" + naive(entries[:k]) + naive(entries[k:])).digest()


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_tree_is_that_of_the_rfc(entries: list[bytes]) -> None:
    head = tree_head(leaf_hash(entry) for entry in entries)
    assert (head.size, head.root) == (len(entries), naive(entries))


def test_known_roots() -> None:
    # From the test vectors of Google's Certificate Transparency: an empty leaf, then 00.
    tree = CompactRange()
    assert tree.root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    tree.append(leaf_hash(b""))
    assert tree.root().hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    tree.append(leaf_hash(b"\x00"))
    assert tree.root().hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"


def test_entries_are_kept_verbatim_and_in_canonical_form(record: Record, path: Path) -> None:
    bodies: list[dict[str, object]] = [{"z": 1, "a": b"\x01"}, {"nested": {"x": [1, 2]}}, {}]
    with record.transaction():
        made = [record.audit("kind", actor="op", at_us=UTC0 + i, body=body) for i, body in enumerate(bodies)]
    with RecordReader.open(path, KEY) as reader:
        assert reader.audit_entries() == made
        assert reader.audit_entries(start=2) == made[2:]
        assert reader.audit_head().root == naive([entry.entry for entry in made])
    for number, (entry, body) in enumerate(zip(made, bodies, strict=True)):
        plain = cbor2.loads(entry.entry)
        assert (plain["sequence"], plain["kind"], plain["actor"], plain["at_us"]) == (
            number,
            "kind",
            "op",
            UTC0 + number,
        )
        assert plain["body"] == body
        assert cbor2.dumps(plain, canonical=True) == entry.entry

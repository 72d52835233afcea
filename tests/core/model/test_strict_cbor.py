"""Deterministic CBOR and nothing else; cbor2 judges what is right."""

import math

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model import cbor
from core.model.strict_cbor import MAX_DEPTH, CborRefused, Fields, Tagged, Value, decode, decode_sequence

LIMIT = 4096
KEYS = st.integers(-(2**64), 2**64 - 1) | st.text(max_size=30) | st.binary(max_size=30)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.floats(allow_nan=False) | KEYS,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.integers(0, 23) | st.text(max_size=9), inner, max_size=5)
    ),
    max_leaves=12,
)


def refused(raw: bytes, limit: int = LIMIT) -> str:
    with pytest.raises(CborRefused) as caught:
        decode(raw, limit=limit)
    return str(caught.value)


def depth(value: object) -> int:
    inner = value if isinstance(value, list) else [*value.values()] if isinstance(value, dict) else []
    return 1 + max((depth(one) for one in inner), default=0)


@given(PLAIN)
def test_what_is_written_canonically_is_read(value: object) -> None:
    raw = cbor.encode(value)
    if depth(value) <= MAX_DEPTH:
        assert decode(raw, limit=10**6) == value


@given(st.binary(max_size=60))
def test_what_is_read_has_one_form(raw: bytes) -> None:
    """Whatever is accepted, cbor2 reads as the same value, and writes as the same bytes."""
    try:
        value = decode(raw, limit=LIMIT)
    except CborRefused:
        return
    if not holds(value, Tagged, dict) and not has_nan(value):
        assert cbor2.loads(raw) == value
        assert cbor2.dumps(value, canonical=True) == raw


def holds(value: Value, *kinds: type) -> bool:
    return isinstance(value, kinds) or (isinstance(value, list) and any(holds(one, *kinds) for one in value))


def has_nan(value: Value) -> bool:
    return any(map(has_nan, value)) if isinstance(value, list) else isinstance(value, float) and math.isnan(value)


@pytest.mark.parametrize(
    "raw",
    [
        "1801",
        "190018",
        "1a0000ffff",
        "1b00000000ffffffff",
        "3817",
        "580101",
        "780161",
        "9801f6",
        "b8010101",
        "d81200",
        "fb3ff8000000000000",
        "fa3fc00000",
        "fb7ff8000000000000",
        "f97e01",
    ],
)
def test_nothing_is_written_longer_than_it_need_be(raw: str) -> None:
    assert "longer than it need be" in refused(bytes.fromhex(raw))


@pytest.mark.parametrize("raw", ["5f4101ff", "7f6161ff", "9f01ff", "bf0101ff", "1c", "ff"])
def test_no_indefinite_or_reserved_length(raw: str) -> None:
    refused(bytes.fromhex(raw))


@pytest.mark.parametrize("raw", ["a202010101", "a201010102", "a2616100616100", "a2617a00616100"])
def test_keys_are_in_order_and_once(raw: str) -> None:
    assert "out of order or doubled" in refused(bytes.fromhex(raw))


@pytest.mark.parametrize("raw", ["a1f500", "a1f600", "a18000", "a1a000", "a1f93c0000", "a1c10100"])
def test_keys_are_numbers_texts_or_bytes(raw: str) -> None:
    refused(bytes.fromhex(raw))


@pytest.mark.parametrize(
    "raw",
    ["", "62", "4201", "8201", "a101", "18", "c1", "f9", "9affffffff", "bb7fffffffffffffff", "5b7fffffffffffffff"],
)
def test_what_ends_too_early_is_refused_whatever_it_promises(raw: str) -> None:
    assert "too early" in refused(bytes.fromhex(raw))


def test_other_faults() -> None:
    assert "UTF-8" in refused(b"\x61\xff")
    assert "followed" in refused(b"\x01\x01")
    assert "not 2 at most" in refused(b"\x42ab", limit=2)
    assert "kind" in refused(b"\xf8\xff")
    assert "kind" in refused(b"\xf7")
    assert "deep" in refused(b"\x81" * MAX_DEPTH + b"\x01")
    assert decode(b"\x81" * (MAX_DEPTH - 1) + b"\x01", limit=LIMIT) is not None
    assert "deep" in refused(b"\x81" * 4000)


def test_a_tag_is_kept_as_it_is() -> None:
    """cbor2 would make a date of it."""
    assert decode(b"\xc1\x00", limit=LIMIT) == Tagged(1, 0)


def test_a_sequence_is_taken_apart() -> None:
    assert decode_sequence(b"\x03\x41a", limit=LIMIT) == [(3, b"\x03"), (b"a", b"\x41a")]
    assert decode_sequence(b"", limit=LIMIT) == []
    with pytest.raises(CborRefused):
        decode_sequence(b"\x03\x41", limit=LIMIT)


def test_fields_are_what_was_agreed() -> None:
    fields = Fields(cbor.encode({1: 5, 2: b"ab", 3: "é", 4: [1]}), 5, limit=LIMIT, optional=1)
    assert (fields.unsigned(1, 5), fields.octets(2, 2), fields.octets(2, most=2)) == (5, b"ab", b"ab")
    assert (fields.text(3, 2), fields.array(4, 1), 5 in fields) == ("é", [1], False)
    for wrong in (
        lambda: fields.unsigned(1, 4),
        lambda: fields.unsigned(2, 4),
        lambda: fields.octets(2, 1, 3),
        lambda: fields.octets(2, most=1),
        lambda: fields.octets(1, 1),
        lambda: fields.text(3, 1),
        lambda: fields.text(2, 9),
        lambda: fields.array(4, 0),
        lambda: fields.array(3, 9),
    ):
        with pytest.raises(CborRefused, match="Field"):
            wrong()


@pytest.mark.parametrize("value", [{1: 0}, {1: 0, 2: 0, 3: 0}, {0: 0, 1: 0}, {2: 0, 3: 0}, {"1": 0, "2": 0}, [1, 2], 5])
def test_other_fields_are_refused(value: object) -> None:
    with pytest.raises(CborRefused):
        Fields(cbor.encode(value), 2, limit=LIMIT)


@pytest.mark.parametrize("value", [True, -1, 1.0])
def test_only_a_whole_number_is_a_number(value: object) -> None:
    with pytest.raises(CborRefused):
        Fields(cbor.encode({1: value}), 1, limit=LIMIT).unsigned(1, 9)

"""Documents: a kind and a body, and nothing else is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model import cbor
from core.model.strict_cbor import Value
from devices.hub.session.documents import (
    decode_document,
    decode_journal,
    decode_keys,
    encode_document,
    encode_journal,
    encode_keys,
    octets,
)
from devices.hub.session.errors import MessageMalformed
from devices.hub.session.wire import MAX_DOCUMENT, DocumentKind
from tests.devices.session.parties import pair, signer


def body_of(raw: bytes, kind: DocumentKind) -> Value:
    found, body = decode_document(raw)
    assert found == kind
    return body


def test_a_journal_and_new_keys_travel_as_documents() -> None:
    assert decode_journal(body_of(encode_journal(5, [b"a", b"b"]), DocumentKind.JOURNAL)) == (5, [b"a", b"b"])
    keys = (signer("new").public, pair("new").x)
    assert decode_keys(body_of(encode_keys(*keys), DocumentKind.KEYS)) == keys


@pytest.mark.parametrize("body", [None, [5], [True, []], [-1, []], [5, [1]], [5, [bytes(161)]], [5, [b""] * 65]])
def test_what_is_no_journal_is_refused(body: Value) -> None:
    with pytest.raises(MessageMalformed):
        decode_journal(body)


@pytest.mark.parametrize("body", [None, [b"", b""], [bytes(32), b"\xff" * 32], [bytes(32), bytes(32), b""]])
def test_what_are_no_keys_is_refused(body: Value) -> None:
    with pytest.raises(MessageMalformed):
        decode_keys(body)


def test_a_document_of_an_unknown_kind_can_be_passed_over() -> None:
    assert decode_document(cbor.encode([99, {"later": 1}])) == (99, {"later": 1})


def test_a_document_that_is_too_long_is_neither_sent_nor_read() -> None:
    with pytest.raises(ValueError, match="fit"):
        encode_document(DocumentKind.IDENTITY, bytes(MAX_DOCUMENT))
    with pytest.raises(MessageMalformed):
        decode_document(cbor.encode([1, bytes(MAX_DOCUMENT)]))


@given(st.binary(max_size=200))
def test_garbage_is_refused_in_a_typed_way(garbage: bytes) -> None:
    for read in (decode_document, lambda raw: octets(decode_document(raw)[1])):
        try:
            read(garbage)
        except MessageMalformed:
            continue


@pytest.mark.parametrize(
    "raw", [b"", b"\x81\x01", b"\x83\x01\x02\x03", b"\x82\x20", b"\x82\xf5\x01", b"\x82\x01\x9f\xff"]
)
def test_what_is_no_document_is_refused(raw: bytes) -> None:
    with pytest.raises(MessageMalformed):
        decode_document(raw)

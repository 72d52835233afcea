"""Documents: what a hub sends at length inside a session (docs/hub-protocol.md, section 7)."""

from typing import Final

from core.model import cbor
from core.model.certificate import CertificateRefused, check_point
from core.model.cose import KEY_BYTES
from core.model.note import Note, NoteRefused, read_note
from core.model.strict_cbor import CborRefused, Value, decode
from devices.hub.session.errors import MessageMalformed
from devices.hub.session.journal import MAX_ENTRY
from devices.hub.session.wire import MAX_DOCUMENT, MAX_JOURNAL_ENTRIES, DocumentKind

_U32: Final = 0xFFFF_FFFF


def encode_document(kind: DocumentKind, body: object) -> bytes:
    """A document, to be split into segments. Raises ValueError when it is too long."""
    raw = cbor.encode([int(kind), body])
    if len(raw) > MAX_DOCUMENT:
        raise ValueError(f"{len(raw)} bytes do not fit a document")
    return raw


def decode_document(raw: bytes) -> tuple[int, Value]:
    """Kind and body; a kind that this version does not know is for the caller to ignore. Raises MessageMalformed."""
    try:
        value = decode(raw, limit=MAX_DOCUMENT)
    except CborRefused as error:
        raise MessageMalformed(str(error)) from error
    match value:
        case [int(kind), body] if not isinstance(kind, bool):
            return kind, body
    raise MessageMalformed("it is no document")


def octets(body: Value) -> bytes:
    """The body of an identity or an attestation. Raises MessageMalformed: not a byte string."""
    if not isinstance(body, bytes):
        raise MessageMalformed("its body is no byte string")
    return body


def encode_journal(first: int, entries: list[bytes]) -> bytes:
    """The document that answers JOURNAL."""
    return encode_document(DocumentKind.JOURNAL, [first, entries])


def decode_journal(body: Value) -> tuple[int, list[bytes]]:
    """Number of the first entry, and the entries, to be verified by journal.verify_chain. Raises MessageMalformed."""
    match body:
        case [int(first), list(entries)] if 0 <= first <= _U32 and len(entries) <= MAX_JOURNAL_ENTRIES:
            raws = [entry for entry in entries if isinstance(entry, bytes) and len(entry) <= MAX_ENTRY]
            if len(raws) == len(entries) and not isinstance(first, bool):
                return first, raws
    raise MessageMalformed("it is no journal")


def encode_keys(signing_key: bytes, agreement_x: bytes) -> bytes:
    """The document that answers REKEY."""
    return encode_document(DocumentKind.KEYS, [signing_key, agreement_x])


def decode_keys(body: Value) -> tuple[bytes, bytes]:
    """The hub's new Ed25519 key and the x of its new P-256 key. Raises MessageMalformed."""
    match body:
        case [bytes(signing), bytes(x)] if len(signing) == len(x) == KEY_BYTES:
            try:
                check_point(x)
            except CertificateRefused as error:
                raise MessageMalformed(str(error)) from error
            return signing, x
    raise MessageMalformed("it holds no keys")


def encode_witness(note: bytes) -> bytes:
    """The document that answers WITNESS and WITNESSED: a countersigned checkpoint; empty for none."""
    return encode_document(DocumentKind.WITNESS, note)


def decode_witness(body: Value) -> Note | None:
    """The checkpoint that the hub countersigned last; None for none. Raises MessageMalformed: not one."""
    raw = octets(body)
    try:
        return read_note(raw) if raw else None
    except NoteRefused as error:
        raise MessageMalformed(str(error)) from error


def whole_numbers(item: Value, count: int) -> list[int]:
    """An array of `count` whole numbers. Raises MessageMalformed: anything else."""
    if isinstance(item, list) and len(item) == count:
        numbers = [one for one in item if isinstance(one, int) and not isinstance(one, bool)]
        if len(numbers) == count:
            return numbers
    raise MessageMalformed("an array of whole numbers cannot be read")

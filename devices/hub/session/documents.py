"""What a hub says of itself inside a session: identity, attestation of its firmware, journal, new keys."""

import struct
from collections.abc import Mapping
from typing import Final

import msgspec

from core.model import cbor
from core.model.certificate import MAX_SUBJECT, Certificate, CertificateRefused, Role, check_point
from core.model.cose import KEY_BYTES, CoseRefused, Signer, parse1, sign1
from core.model.hub import HubIdentity
from core.model.strict_cbor import CborRefused, Fields, Value, decode
from devices.errors import FrameError
from devices.hub.identity import decode_identity, encode_identity
from devices.hub.session.errors import FirmwareRefused, IdentityDowngraded, MessageMalformed
from devices.hub.session.journal import MAX_ENTRY
from devices.hub.session.signed import SESSION_ID_BYTES
from devices.hub.session.wire import MAX_DOCUMENT, MAX_JOURNAL_ENTRIES, DocumentKind

ENROLLED, SIMULATED, OPEN = 1, 2, 4
"""Flags of the identity: enrolled in a practice; simulated; enrolment is open."""

_CLEAR: Final = struct.Struct("<BBBB")
_ATTESTATION: Final = b"smilescape/attestation/2"
_FIRMWARE: Final = b"smilescape/firmware/2"
_MAX_TEXT: Final = 64
_MAX_MANIFEST: Final = 512
_MAX_ATTESTATION: Final = 1024
_U32: Final = 0xFFFF_FFFF


class ClearIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """The Identity characteristic of 2.0, readable by anybody: nothing that tells one hub from another."""

    major: int
    minor: int
    flags: int
    model: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A firmware that its signer vouches for. `measurement` is its SHA-256."""

    model: str
    version: str
    measurement: bytes
    security_version: int


class Attestation(msgspec.Struct, frozen=True, kw_only=True):
    """What a hub says that it runs, signed by its key for one session, and the manifest that it came with."""

    session_id: bytes
    version: str
    measurement: bytes
    security_version: int
    boot: int
    manifest: bytes


def encode_clear_identity(identity: ClearIdentity) -> bytes:
    """The characteristic's value. Raises struct.error, ValueError when a field is out of range."""
    model = identity.model.encode()
    return _CLEAR.pack(identity.major, identity.minor, identity.flags, 0) + bytes((len(model),)) + model


def decode_clear_identity(data: bytes) -> ClearIdentity:
    """Trailing bytes are ignored. Raises FrameError: cut short, or a model that is no printable text."""
    if len(data) <= _CLEAR.size or len(data) < _CLEAR.size + 1 + data[_CLEAR.size]:
        raise FrameError("The hub's identity is too short.")
    major, minor, flags, _ = _CLEAR.unpack_from(data)
    try:
        model = data[_CLEAR.size + 1 : _CLEAR.size + 1 + data[_CLEAR.size]].decode()
    except UnicodeDecodeError as error:
        raise FrameError("The hub's identity is not UTF-8.") from error
    if not model.isprintable():
        raise FrameError("The hub's model is not printable.")
    return ClearIdentity(major=major, minor=minor, flags=flags, model=model)


def encode_identity_document(identity: HubIdentity, flags: int) -> bytes:
    """The document that follows message 4; `flags` are those of the characteristic in clear."""
    body = bytearray(encode_identity(identity))
    body[2] = flags
    return encode_document(DocumentKind.IDENTITY, bytes(body))


def check_identity(clear: ClearIdentity, body: bytes, hub: Certificate) -> HubIdentity:
    """The hub's identity, when it fits what was read in clear and the certificate of the session.

    Raises:
        IdentityDowngraded: it does not.
        FrameError: it cannot be read.
    """
    identity = decode_identity(body)
    said = (identity.profile_major, identity.profile_minor, body[2], identity.model)
    for what, one, other in zip(
        ("major", "minor", "flags", "model"), msgspec.structs.astuple(clear), said, strict=True
    ):
        if one != other:
            raise IdentityDowngraded(what)
    if identity.serial != hub.subject:
        raise IdentityDowngraded("serial")
    return identity


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


def sign_manifest(manifest: Manifest, signer: Signer) -> bytes:
    """The manifest as a firmware signer hands it out."""
    fields = {1: manifest.model, 2: manifest.version, 3: manifest.measurement, 4: manifest.security_version}
    return sign1(cbor.encode(fields), signer, _FIRMWARE)


def sign_attestation(attestation: Attestation, signer: Signer) -> bytes:
    """The attestation as the hub's key signs it."""
    fields = {
        1: attestation.session_id,
        2: attestation.version,
        3: attestation.measurement,
        4: attestation.security_version,
        5: attestation.boot,
        6: attestation.manifest,
    }
    return sign1(cbor.encode(fields), signer, _ATTESTATION)


def verify_attestation(
    message: bytes,
    hub: Certificate,
    signers: Mapping[bytes, Certificate],
    *,
    session_id: bytes,
    model: str,
    least_version: int,
) -> Attestation:
    """What the hub runs, if a known signer vouches for it.

    Args:
        signers: firmware signers that count now, by kid.
        session_id: of this session: an attestation of another one proves nothing.
        model: of the hub, as its identity says.
        least_version: highest security version ever seen of this hub; older firmware was given up for a reason.

    Raises:
        FirmwareRefused: the hub is to be treated as read-only.
    """
    try:
        quote = _read_attestation(parse1(message, limit=_MAX_ATTESTATION).verify(hub.signing_key, _ATTESTATION))
        if quote.session_id != session_id:
            raise FirmwareRefused("the proof is of another session")
        vouched = parse1(quote.manifest, limit=_MAX_MANIFEST)
        signer = signers.get(vouched.kid)
        if signer is None or signer.role is not Role.FIRMWARE_SIGNER:
            raise FirmwareRefused("nobody known has signed it")
        manifest = _read_manifest(vouched.verify(signer.signing_key, _FIRMWARE))
    except (CoseRefused, CborRefused) as error:
        raise FirmwareRefused(str(error)) from error
    said = (model, quote.version, quote.measurement, quote.security_version)
    if msgspec.structs.astuple(manifest) != said:
        raise FirmwareRefused("it is not the firmware that was signed")
    if quote.security_version < least_version:
        raise FirmwareRefused("it is older than what this hub ran before")
    return quote


def _read_attestation(payload: bytes) -> Attestation:
    fields = Fields(payload, 6, limit=_MAX_ATTESTATION)
    return Attestation(
        session_id=fields.octets(1, SESSION_ID_BYTES),
        version=fields.text(2, _MAX_TEXT),
        measurement=fields.octets(3, 32),
        security_version=fields.unsigned(4, _U32),
        boot=fields.unsigned(5, _U32),
        manifest=fields.octets(6, most=_MAX_MANIFEST),
    )


def _read_manifest(payload: bytes) -> Manifest:
    fields = Fields(payload, 4, limit=_MAX_MANIFEST)
    return Manifest(
        model=fields.text(1, _MAX_TEXT),
        version=fields.text(2, _MAX_TEXT),
        measurement=fields.octets(3, 32),
        security_version=fields.unsigned(4, _U32),
    )


MAX_SERIAL: Final = MAX_SUBJECT
"""A hub's serial is the subject of its certificate, so 2.0 lets it be 24 bytes long."""

"""What a hub says of itself: compared, measured, and never believed without proof."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model import cbor
from core.model.certificate import Role
from core.model.hub import HubIdentity
from core.model.strict_cbor import Value
from devices.errors import FrameError
from devices.hub.session.documents import (
    ENROLLED,
    OPEN,
    SIMULATED,
    Attestation,
    ClearIdentity,
    Manifest,
    check_identity,
    decode_clear_identity,
    decode_document,
    decode_journal,
    decode_keys,
    encode_clear_identity,
    encode_document,
    encode_identity_document,
    encode_journal,
    encode_keys,
    octets,
    sign_attestation,
    sign_manifest,
    verify_attestation,
)
from devices.hub.session.errors import FirmwareRefused, IdentityDowngraded, MessageMalformed
from devices.hub.session.wire import MAX_DOCUMENT, DocumentKind
from tests.devices.session.parties import HUB, ROOT, SERIAL, certificate, pair, secret, signer

FLAGS = ENROLLED | SIMULATED
CLEAR = ClearIdentity(major=2, minor=0, flags=FLAGS, model="Smilescape Hub")
IDENTITY = HubIdentity(
    serial=SERIAL,
    model="Smilescape Hub",
    firmware="2.0.0",
    hardware="A",
    profile_major=2,
    profile_minor=0,
    boot=7,
    simulated=True,
)
SESSION = secret("session")[:16]
MAKER = certificate(ROOT, Role.FIRMWARE_SIGNER, "maker")
MANIFEST = Manifest(model="Smilescape Hub", version="2.0.0", measurement=secret("firmware"), security_version=3)
QUOTE = Attestation(
    session_id=SESSION,
    version="2.0.0",
    measurement=secret("firmware"),
    security_version=3,
    boot=7,
    manifest=sign_manifest(MANIFEST, signer("maker")),
)


def body_of(raw: bytes, kind: DocumentKind) -> Value:
    found, body = decode_document(raw)
    assert found == kind
    return body


def attest(quote: Attestation = QUOTE, *, least: int = 0, model: str = "Smilescape Hub") -> Attestation:
    return verify_attestation(
        sign_attestation(quote, signer(SERIAL)),
        HUB,
        {MAKER.kid: MAKER},
        session_id=SESSION,
        model=model,
        least_version=least,
    )


def test_an_identity_comes_in_clear_and_in_secret() -> None:
    assert decode_clear_identity(encode_clear_identity(CLEAR) + b"later minor") == CLEAR
    body = octets(body_of(encode_identity_document(IDENTITY, FLAGS), DocumentKind.IDENTITY))
    assert check_identity(CLEAR, body, HUB) == IDENTITY


@pytest.mark.parametrize(
    ("altered", "what"),
    [
        (msgspec.structs.replace(CLEAR, major=1), "major"),
        (msgspec.structs.replace(CLEAR, minor=1), "minor"),
        (msgspec.structs.replace(CLEAR, flags=SIMULATED | OPEN), "flags"),
        (msgspec.structs.replace(CLEAR, model="Another"), "model"),
    ],
)
def test_what_was_altered_in_clear_is_a_downgrade(altered: ClearIdentity, what: str) -> None:
    body = octets(decode_document(encode_identity_document(IDENTITY, FLAGS))[1])
    with pytest.raises(IdentityDowngraded, match=what):
        check_identity(altered, body, HUB)


def test_a_hub_is_called_what_its_certificate_says() -> None:
    body = octets(decode_document(encode_identity_document(IDENTITY, FLAGS))[1])
    with pytest.raises(IdentityDowngraded, match="serial"):
        check_identity(CLEAR, body, certificate(ROOT, Role.HUB, "SH-0002"))


def test_a_firmware_is_trusted_when_everything_fits() -> None:
    assert attest(least=3) == QUOTE


OTHER = msgspec.structs.replace(MANIFEST, measurement=secret("other firmware"))
BAD_QUOTES = {
    "another session": msgspec.structs.replace(QUOTE, session_id=bytes(16)),
    "another measurement": msgspec.structs.replace(QUOTE, measurement=secret("patched")),
    "another version": msgspec.structs.replace(QUOTE, version="2.0.1"),
    "another security version": msgspec.structs.replace(QUOTE, security_version=4),
    "another manifest": msgspec.structs.replace(QUOTE, manifest=sign_manifest(OTHER, signer("maker"))),
    "unknown signer": msgspec.structs.replace(QUOTE, manifest=sign_manifest(MANIFEST, signer("stranger"))),
    "signed by the hub itself": msgspec.structs.replace(QUOTE, manifest=sign_manifest(MANIFEST, signer(SERIAL))),
    "no manifest": msgspec.structs.replace(QUOTE, manifest=b""),
    "no version": msgspec.structs.replace(QUOTE, version=""),
}


@pytest.mark.parametrize("quote", BAD_QUOTES.values(), ids=BAD_QUOTES.keys())
def test_a_firmware_that_is_not_proven_is_refused(quote: Attestation) -> None:
    with pytest.raises(FirmwareRefused):
        attest(quote)


def test_firmware_of_another_model_or_older_than_before_is_refused() -> None:
    with pytest.raises(FirmwareRefused, match="not the firmware"):
        attest(model="Another")
    with pytest.raises(FirmwareRefused, match="older"):
        attest(least=4)


def test_an_attestation_of_another_hub_or_altered_is_refused() -> None:
    raw = sign_attestation(QUOTE, signer(SERIAL))

    def check(message: bytes, hub: str = SERIAL) -> None:
        cert = HUB if hub == SERIAL else certificate(ROOT, Role.HUB, hub)
        known = {MAKER.kid: MAKER}
        verify_attestation(message, cert, known, session_id=SESSION, model="Smilescape Hub", least_version=0)

    check(raw)
    with pytest.raises(FirmwareRefused):
        check(raw, "SH-0002")
    for at in range(len(raw)):
        with pytest.raises(FirmwareRefused):
            check(raw[:at] + bytes((raw[at] ^ 1 << at % 8,)) + raw[at + 1 :])


def test_a_signer_without_the_role_vouches_for_nothing() -> None:
    clinician = certificate(ROOT, Role.CLINICIAN, "maker")
    with pytest.raises(FirmwareRefused, match="nobody"):
        verify_attestation(
            sign_attestation(QUOTE, signer(SERIAL)),
            HUB,
            {clinician.kid: clinician},
            session_id=SESSION,
            model="Smilescape Hub",
            least_version=0,
        )


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
    for read in (decode_document, decode_clear_identity, lambda raw: check_identity(CLEAR, raw, HUB)):
        try:
            read(garbage)
        except (FrameError, IdentityDowngraded):
            continue
    with pytest.raises(FirmwareRefused):
        verify_attestation(garbage, HUB, {}, session_id=SESSION, model="x", least_version=0)


@pytest.mark.parametrize(
    "raw", [b"", b"\x81\x01", b"\x83\x01\x02\x03", b"\x82\x20", b"\x82\xf5\x01", b"\x82\x01\x9f\xff"]
)
def test_what_is_no_document_is_refused(raw: bytes) -> None:
    with pytest.raises(MessageMalformed):
        decode_document(raw)

"""COSE_Sign1 of one exact form; another implementation has said what is right."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model import cbor
from core.model.cose import CoseRefused, KeySigner, SignatureWrong, kid_of, parse1, sign1, verify1

SIGNER = KeySigner(bytes(range(32)))
AAD = b"smilescape/certificate/2"

# pycose 1.1.0, with this key: payload, external data, message (the last one its SHA-256)
ORACLE = [
    (
        b"",
        b"",
        "d2844da20127044856475aa75463474ca0405840e6cc8955564c229523f80166e0362f82ec1425453c64ddd1b95aa13f0a36c491c2512ff7"
        "4df6378cb7732846e44ef23f18ab2b2e46e2ddccd6d339b2633ffa06",
    ),
    (
        b"hi",
        AAD,
        "d2844da20127044856475aa75463474ca04268695840d32447654ed9fe0d87da0f3c9641aea630017cc849a84c712327fd261a7b532a5767"
        "41c316930ab7d167b2e0733a040707ae07fad628f06bf3fb82a2f3601800",
    ),
]
LONG = (bytes(300), b"\x83" + bytes(40), "39ebd29efbff3cf87d763a882c80312f4df8f4adff83b26dcee45db6b7cd0c14")


@pytest.mark.parametrize(("payload", "aad", "message"), ORACLE)
def test_a_message_is_what_another_implementation_makes_of_it(payload: bytes, aad: bytes, message: str) -> None:
    assert sign1(payload, SIGNER, aad).hex() == message
    assert verify1(bytes.fromhex(message), SIGNER.public, aad) == payload


def test_a_long_message_too() -> None:
    payload, aad, digest = LONG
    assert hashlib.sha256(sign1(payload, SIGNER, aad)).hexdigest() == digest


@given(st.binary(max_size=400), st.binary(max_size=80))
def test_what_was_signed_is_verified(payload: bytes, aad: bytes) -> None:
    message = sign1(payload, SIGNER, aad)
    assert verify1(message, SIGNER.public, aad) == payload
    assert parse1(message).encode() == message


def test_no_bit_can_be_flipped() -> None:
    message = sign1(b"payload", SIGNER, AAD)
    for bit in range(len(message) * 8):
        forged = bytearray(message)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CoseRefused):
            verify1(bytes(forged), SIGNER.public, AAD)


def test_another_key_or_other_external_data_is_wrong() -> None:
    message = sign1(b"payload", SIGNER, AAD)
    with pytest.raises(SignatureWrong, match="another key"):
        verify1(message, KeySigner().public, AAD)
    with pytest.raises(SignatureWrong):
        verify1(message, SIGNER.public, AAD + b"x")


KID = kid_of(SIGNER.public)
HEADER = cbor.encode({1: -8, 4: KID})
SIGNATURE = parse1(sign1(b"p", SIGNER, AAD)).signature
VARIANTS = {
    "no tag": cbor.encode([HEADER, {}, b"p", SIGNATURE]),
    "another tag": b"\xd1" + cbor.encode([HEADER, {}, b"p", SIGNATURE]),
    "an unprotected header": b"\xd2" + cbor.encode([HEADER, {4: KID}, b"p", SIGNATURE]),
    "an extra header": b"\xd2" + cbor.encode([cbor.encode({1: -8, 3: 0, 4: KID}), {}, b"p", SIGNATURE]),
    "a critical header": b"\xd2" + cbor.encode([cbor.encode({1: -8, 2: [4], 4: KID}), {}, b"p", SIGNATURE]),
    "another algorithm": b"\xd2" + cbor.encode([cbor.encode({1: -7, 4: KID}), {}, b"p", SIGNATURE]),
    "no kid": b"\xd2" + cbor.encode([cbor.encode({1: -8}), {}, b"p", SIGNATURE]),
    "a longer kid": b"\xd2" + cbor.encode([cbor.encode({1: -8, 4: b"x" + KID}), {}, b"p", SIGNATURE]),
    "a header out of order": b"\xd2" + cbor.encode([b"\xa2\x04\x48" + KID + b"\x01\x27", {}, b"p", SIGNATURE]),
    "a detached payload": b"\xd2" + cbor.encode([HEADER, {}, None, SIGNATURE]),
    "a short signature": b"\xd2" + cbor.encode([HEADER, {}, b"p", SIGNATURE[:63]]),
    "an item more": b"\xd2" + cbor.encode([HEADER, {}, b"p", SIGNATURE, b""]),
    "bytes behind it": sign1(b"p", SIGNER, AAD) + b"\0",
    "an indefinite array": b"\xd2\x9f" + cbor.encode([HEADER, {}, b"p", SIGNATURE])[1:] + b"\xff",
    "a long tag": b"\xd8\x12" + cbor.encode([HEADER, {}, b"p", SIGNATURE]),
}


@pytest.mark.parametrize("message", VARIANTS.values(), ids=VARIANTS.keys())
def test_any_other_form_is_refused(message: bytes) -> None:
    with pytest.raises(CoseRefused):
        verify1(message, SIGNER.public, AAD)


def test_a_message_longer_than_the_limit_is_not_looked_at() -> None:
    with pytest.raises(CoseRefused, match="at most"):
        verify1(sign1(bytes(200), SIGNER, AAD), SIGNER.public, AAD, limit=200)


@given(st.binary(max_size=200))
def test_garbage_is_refused_in_a_typed_way(garbage: bytes) -> None:
    with pytest.raises(CoseRefused):
        parse1(garbage)


def test_a_new_key_is_another_each_time_and_can_be_kept() -> None:
    first = KeySigner()
    assert first.public != KeySigner().public
    assert KeySigner(first.seed).public == first.public

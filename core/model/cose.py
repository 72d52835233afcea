"""COSE_Sign1 (RFC 9052, 4.2) with Ed25519 and one exact header; see docs/decisions/0017-secure-session.md."""

import hashlib
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.model import cbor
from core.model.errors import SmilescapeError
from core.model.strict_cbor import CborRefused, Tagged, decode

TAG: Final = 18
EDDSA: Final = -8
KID_BYTES: Final = 8
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
MAX_MESSAGE: Final = 4096
"""Largest message that is looked at, bytes."""

_ALGORITHM, _KID = 1, 4


class CoseRefused(SmilescapeError):  # noqa: N818 - named for what is the case
    """Bytes that are not a signed message of the one form that is used here."""

    code = "cose.refused"


class SignatureWrong(CoseRefused):
    """The signature is not that of the key, or not over these bytes."""

    code = "cose.signature"


class Signer(Protocol):
    """Who signs. The private key may live elsewhere, in a card or a key store."""

    @property
    def public(self) -> bytes:
        """Ed25519 public key, 32 bytes."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Ed25519 signature, 64 bytes."""
        ...


class KeySigner:
    """Signs with a key in memory. `seed` is the Ed25519 private key, 32 bytes; without one a new key is made."""

    def __init__(self, seed: bytes | None = None) -> None:
        self._key = Ed25519PrivateKey.generate() if seed is None else Ed25519PrivateKey.from_private_bytes(seed)
        self._public = self._key.public_key().public_bytes_raw()

    @property
    def public(self) -> bytes:
        return self._public

    @property
    def seed(self) -> bytes:
        return self._key.private_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A message whose signature has not been verified: its payload is not to be believed yet."""

    kid: bytes
    unverified: bytes
    signature: bytes

    def verify(self, public: bytes, aad: bytes) -> bytes:
        """The payload.

        Raises:
            SignatureWrong: another key, other bytes, or another `aad`.
        """
        if self.kid != kid_of(public):
            raise SignatureWrong("The message is signed by another key.", "Use the message of the right sender.")
        try:
            signed = _to_be_signed(self.kid, self.unverified, aad)
            Ed25519PublicKey.from_public_bytes(public).verify(self.signature, signed)
        except (InvalidSignature, ValueError) as error:
            raise SignatureWrong("The signature is wrong.", "Ask for the message again.") from error
        return self.unverified

    def encode(self) -> bytes:
        """The message's one form."""
        return _TAGGED + cbor.encode([_protected(self.kid), {}, self.unverified, self.signature])


def kid_of(public: bytes) -> bytes:
    """The name of a key: the first 8 bytes of the SHA-256 of its Ed25519 public key."""
    return hashlib.sha256(public).digest()[:KID_BYTES]


def sign1(payload: bytes, signer: Signer, aad: bytes) -> bytes:
    """A COSE_Sign1 message; deterministic, byte for byte. `aad` is what both sides know and the message leaves out."""
    kid = kid_of(signer.public)
    return SignedMessage(kid, payload, signer.sign(_to_be_signed(kid, payload, aad))).encode()


def parse1(message: bytes, *, limit: int = MAX_MESSAGE) -> SignedMessage:
    """Take a message apart.

    Raises:
        CoseRefused: not a COSE_Sign1, another header, not deterministic, or longer than `limit` bytes.
    """
    try:
        match decode(message, limit=limit):
            case Tagged(tag=18, value=[bytes(protected), dict(unprotected), bytes(payload), bytes(signature)]):
                pass
            case _:
                raise CoseRefused("This is not a signed message.", _AGAIN)
    except CborRefused as error:
        raise CoseRefused(f"A signed message cannot be read: {error}", _AGAIN) from error
    kid = protected[-KID_BYTES:]
    if unprotected or protected != _protected(kid) or len(signature) != SIGNATURE_BYTES:
        raise CoseRefused("A signed message has another header than ours.", _AGAIN)
    return SignedMessage(kid, payload, signature)


def verify1(message: bytes, public: bytes, aad: bytes, *, limit: int = MAX_MESSAGE) -> bytes:
    """The payload of a message signed by `public`. Raises CoseRefused, SignatureWrong."""
    return parse1(message, limit=limit).verify(public, aad)


_TAGGED: Final = bytes((0xC0 | TAG,))
_AGAIN: Final = "Ask for the message again."


def _protected(kid: bytes) -> bytes:
    return cbor.encode({_ALGORITHM: EDDSA, _KID: kid})


def _to_be_signed(kid: bytes, payload: bytes, aad: bytes) -> bytes:
    return cbor.encode(["Signature1", _protected(kid), aad, payload])

"""EDHOC (RFC 9528), method 3 (static Diffie-Hellman on both sides), cipher suite 2, credentials by kid.

Written from the RFC on `cryptography` alone; names follow its sections. The responder is the simulated hub's. The
initiator is for test vectors, as the workstation's library does not let an ephemeral key be chosen.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from core.model import cbor
from core.model.errors import SmilescapeError
from core.model.strict_cbor import CborRefused, Value, decode_sequence

METHOD: Final = 3
SUITE: Final = 2
MAX_MESSAGE: Final = 400

_CURVE: Final = ec.SECP256R1()
_X, _HASH, _MAC, _KEY, _NONCE = 32, 32, 8, 16, 13
_KID: Final = 4


class EdhocMalformed(SmilescapeError):  # noqa: N818 - named for what is the case
    """A message that does not follow the RFC, or asks for what is not offered."""

    code = "edhoc.malformed"


class EdhocNotAuthentic(SmilescapeError):  # noqa: N818 - named for what is the case
    """The peer does not hold the key that it named, or a message was altered."""

    code = "edhoc.not_authentic"


@dataclass(frozen=True, slots=True)
class Ead:
    """One item of external authorization data (3.8)."""

    label: int
    critical: bool
    value: bytes | None


class KeyPair:
    """A P-256 key; `private` is its 32 bytes, a new one without."""

    def __init__(self, private: bytes | None = None) -> None:
        number = None if private is None else int.from_bytes(private, "big")
        self._key = ec.generate_private_key(_CURVE) if number is None else ec.derive_private_key(number, _CURVE)

    @property
    def x(self) -> bytes:
        return self._key.public_key().public_numbers().x.to_bytes(_X, "big")

    @property
    def private(self) -> bytes:
        return self._key.private_numbers().private_value.to_bytes(_X, "big")

    def agree(self, x: bytes) -> bytes:
        """The shared secret; either y gives the same. Raises EdhocMalformed: `x` is of no point of the curve."""
        try:
            peer = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, b"\x02" + x)
        except ValueError as error:
            raise EdhocMalformed("A key is not on the curve.") from error
        return self._key.exchange(ec.ECDH(), peer)


@dataclass(frozen=True, slots=True)
class Party:
    """One's own long-term key, the credential that names it (CRED_x), and its kid."""

    key: KeyPair
    credential: bytes
    kid: bytes


class _Schedule:
    """What both roles compute alike (4.1, 5.3 – 5.5)."""

    def __init__(self, me: Party, ephemeral: KeyPair | None) -> None:
        self._me = me
        self._ephemeral = ephemeral or KeyPair()
        self._message_1 = b""
        self._th2 = self._th3 = self._th4 = b""
        self._prk_2e = self._prk_3e2m = self._prk_4e3m = self._prk_exporter = b""

    def export(self, label: int, context: bytes, size: int) -> bytes:
        """EDHOC_Exporter (4.2.1), once message 3 was verified or made."""
        if not self._prk_exporter:
            raise EdhocNotAuthentic("There are no keys yet.")
        return _kdf(self._prk_exporter, label, context, size)

    def _agree_2(self, g_y: bytes, g_xy: bytes, g_rx: bytes) -> None:
        self._begin_2(g_y, g_xy)
        self._authenticate_2(g_rx)

    def _begin_2(self, g_y: bytes, g_xy: bytes) -> None:
        self._th2 = _hash(cbor.encode(g_y) + cbor.encode(_hash(self._message_1)))
        self._prk_2e = _extract(self._th2, g_xy)

    def _authenticate_2(self, g_rx: bytes) -> None:
        self._prk_3e2m = _extract(_kdf(self._prk_2e, 1, self._th2, _HASH), g_rx)

    def _authenticate_3(self, g_iy: bytes) -> None:
        self._prk_4e3m = _extract(_kdf(self._prk_3e2m, 5, self._th3, _HASH), g_iy)

    def _crypt_2(self, text: bytes) -> bytes:
        stream = _kdf(self._prk_2e, 0, self._th2, len(text))
        return bytes(a ^ b for a, b in zip(text, stream, strict=True))

    def _mac_2(self, c_r: bytes, kid: bytes, credential: bytes, ead: bytes) -> bytes:
        context = c_r + cbor.encode({_KID: kid}) + cbor.encode(self._th2) + credential + ead
        return _kdf(self._prk_3e2m, 2, context, _MAC)

    def _mac_3(self, kid: bytes, credential: bytes, ead: bytes) -> bytes:
        context = cbor.encode({_KID: kid}) + cbor.encode(self._th3) + credential + ead
        return _kdf(self._prk_4e3m, 6, context, _MAC)

    def _follow_2(self, plaintext: bytes, credential: bytes) -> None:
        self._th3 = _hash(cbor.encode(self._th2) + plaintext + credential)

    def _follow_3(self, plaintext: bytes, credential: bytes) -> None:
        self._th4 = _hash(cbor.encode(self._th3) + plaintext + credential)
        prk_out = _kdf(self._prk_4e3m, 7, self._th4, _HASH)
        self._prk_exporter = _kdf(prk_out, 10, b"", _HASH)

    def _aead_3(self) -> "_Aead":
        return _Aead(self._prk_3e2m, 3, 4, self._th3)

    def _aead_4(self) -> "_Aead":
        return _Aead(self._prk_4e3m, 8, 9, self._th4)


class Responder(_Schedule):
    """The hub's role. One object serves one attempt; steps out of order raise EdhocMalformed.

    Args:
        ephemeral: fixed for test vectors only.
    """

    def __init__(self, me: Party, *, ephemeral: KeyPair | None = None) -> None:
        super().__init__(me, ephemeral)
        self._plaintext_3 = b""
        self._theirs: _Content | None = None

    def message_2(self, message_1: bytes, *, c_r: bytes = b"\x27", ead_2: Sequence[Ead] = ()) -> bytes:
        """Take message 1, answer it (5.2.3, 5.3.2). Raises EdhocMalformed."""
        items = _sequence(message_1)
        match [value for value, _ in items]:
            case [int(method), suites, bytes(g_x), int() | bytes(), *ead_1] if method == METHOD and len(g_x) == _X:
                if not _offers(suites) or ead_1:
                    raise EdhocMalformed("Another suite was asked for, or more than a handshake.")
            case _:
                raise EdhocMalformed("This is not message 1 of method 3.")
        self._message_1 = message_1
        self._agree_2(self._ephemeral.x, self._ephemeral.agree(g_x), self._me.key.agree(g_x))
        ead = _encode_ead(ead_2)
        mac = self._mac_2(c_r, self._me.kid, self._me.credential, ead)
        plaintext = c_r + _compact(self._me.kid) + cbor.encode(mac) + ead
        self._follow_2(plaintext, self._me.credential)
        return cbor.encode(self._ephemeral.x + self._crypt_2(plaintext))

    def open_3(self, message_3: bytes) -> tuple[bytes, tuple[Ead, ...]]:
        """The initiator's kid and EAD 3, whose bearer is not authenticated yet (5.4.3).

        Raises:
            EdhocMalformed, EdhocNotAuthentic.
        """
        if not self._th3:
            raise EdhocMalformed("Message 3 came before message 1.")
        self._plaintext_3 = self._aead_3().open(_byte_string(message_3))
        self._theirs = _content(_sequence(self._plaintext_3))
        return self._theirs.kid, self._theirs.items

    def message_4(self, credential: bytes, x: bytes) -> bytes:
        """Verify who made message 3, and confirm (5.4.3, 5.5.2).

        Args:
            credential: CRED_I of the kid that `open_3` named; `x` is the key in it.

        Raises:
            EdhocNotAuthentic: somebody else made it.
        """
        theirs = self._theirs
        if theirs is None:
            raise EdhocMalformed("Message 3 has not come.")
        self._authenticate_3(self._ephemeral.agree(x))
        if not hmac.compare_digest(self._mac_3(theirs.kid, credential, theirs.ead), theirs.mac):
            raise EdhocNotAuthentic("The workstation could not prove who it is.")
        self._follow_3(self._plaintext_3, credential)
        return cbor.encode(self._aead_4().seal(b""))


class Initiator(_Schedule):
    """The workstation's role, with an ephemeral key that can be chosen."""

    def __init__(self, me: Party, *, ephemeral: KeyPair | None = None) -> None:
        super().__init__(me, ephemeral)
        self._g_y = self._plaintext_2 = self._c_r = b""
        self._theirs: _Content | None = None

    def message_1(self, *, c_i: bytes = b"\x37", suites: int | list[int] = SUITE) -> bytes:
        encoded = (cbor.encode(METHOD), cbor.encode(suites), cbor.encode(self._ephemeral.x), c_i)
        self._message_1 = b"".join(encoded)
        return self._message_1

    def open_2(self, message_2: bytes) -> tuple[bytes, tuple[Ead, ...]]:
        """The responder's kid and EAD 2, not authenticated yet. Raises EdhocMalformed."""
        body = _byte_string(message_2)
        self._g_y = body[:_X]
        self._begin_2(self._g_y, self._ephemeral.agree(self._g_y))
        self._plaintext_2 = self._crypt_2(body[_X:])
        (_, self._c_r), *rest = _sequence(self._plaintext_2) or [(None, b"")]
        self._theirs = _content(rest)
        return self._theirs.kid, self._theirs.items

    def message_3(self, credential: bytes, x: bytes, *, ead_3: Sequence[Ead] = ()) -> bytes:
        """Verify who made message 2, and answer. Raises EdhocNotAuthentic: somebody else made it."""
        theirs = self._theirs
        if theirs is None:
            raise EdhocMalformed("Message 2 has not come.")
        self._authenticate_2(self._ephemeral.agree(x))
        if not hmac.compare_digest(self._mac_2(self._c_r, theirs.kid, credential, theirs.ead), theirs.mac):
            raise EdhocNotAuthentic("The hub could not prove who it is.")
        self._follow_2(self._plaintext_2, credential)
        self._authenticate_3(self._me.key.agree(self._g_y))
        ead = _encode_ead(ead_3)
        mac = self._mac_3(self._me.kid, self._me.credential, ead)
        plaintext = _compact(self._me.kid) + cbor.encode(mac) + ead
        ciphertext = self._aead_3().seal(plaintext)
        self._follow_3(plaintext, self._me.credential)
        return cbor.encode(ciphertext)

    def finish(self, message_4: bytes) -> None:
        """Raises EdhocNotAuthentic: the responder did not accept message 3, or this is another's."""
        if self._aead_4().open(_byte_string(message_4)):
            raise EdhocMalformed("Message 4 carries what was not agreed.")


@dataclass(frozen=True, slots=True)
class _Content:
    """What PLAINTEXT_2 and PLAINTEXT_3 have in common: ID_CRED by kid, MAC, EAD and its bytes."""

    kid: bytes
    mac: bytes
    items: tuple[Ead, ...]
    ead: bytes


class _Aead:
    """AES-CCM-16-64-128 under keys of this transcript."""

    def __init__(self, prk: bytes, key_label: int, nonce_label: int, transcript: bytes) -> None:
        self._cipher = AESCCM(_kdf(prk, key_label, transcript, _KEY), tag_length=8)
        self._nonce = _kdf(prk, nonce_label, transcript, _NONCE)
        self._aad = cbor.encode(["Encrypt0", b"", transcript])

    def seal(self, plaintext: bytes) -> bytes:
        return self._cipher.encrypt(self._nonce, plaintext, self._aad)

    def open(self, ciphertext: bytes) -> bytes:
        try:
            return self._cipher.decrypt(self._nonce, ciphertext, self._aad)
        except (InvalidTag, ValueError) as error:
            raise EdhocNotAuthentic("A message was altered, or is of another handshake.") from error


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _extract(salt: bytes, material: bytes) -> bytes:
    return hmac.digest(salt, material, "sha256")


def _kdf(prk: bytes, label: int, context: bytes, size: int) -> bytes:
    """EDHOC_KDF (4.1.2)."""
    info = cbor.encode(label) + cbor.encode(context) + cbor.encode(size)
    return HKDFExpand(hashes.SHA256(), size, info).derive(prk)


def _compact(kid: bytes) -> bytes:
    """A kid as it travels (3.5.3.2): one byte that is itself a small CBOR number goes as that number."""
    return kid if len(kid) == 1 and _is_small(kid[0]) else cbor.encode(kid)


def _is_small(byte: int) -> bool:
    return byte <= 0x17 or 0x20 <= byte <= 0x37


def _offers(suites: Value) -> bool:
    """The selected suite is ours: alone, or the last of a list."""
    if isinstance(suites, list):
        return len(suites) >= 2 and suites[-1] == SUITE and all(isinstance(one, int) for one in suites)
    return isinstance(suites, int) and suites == SUITE


def _encode_ead(items: Sequence[Ead]) -> bytes:
    encoded = b""
    for item in items:
        encoded += cbor.encode(-item.label if item.critical else item.label)
        encoded += b"" if item.value is None else cbor.encode(item.value)
    return encoded


def _sequence(data: bytes) -> list[tuple[Value, bytes]]:
    try:
        return decode_sequence(data, limit=MAX_MESSAGE)
    except CborRefused as error:
        raise EdhocMalformed(f"A message cannot be read: {error}") from error


def _byte_string(message: bytes) -> bytes:
    match _sequence(message):
        case [(bytes(body), _)]:
            return body
    raise EdhocMalformed("A message is not one byte string.")


def _content(items: list[tuple[Value, bytes]]) -> _Content:
    match items:
        case [(bytes() | int() as kid, raw), (bytes(mac), _), *rest] if len(mac) == _MAC and not isinstance(kid, bool):
            found = kid if isinstance(kid, bytes) else raw
            if _compact(found) != raw:
                raise EdhocMalformed("A kid is written longer than it need be.")
            return _Content(found, mac, _read_ead(rest), b"".join(one for _, one in rest))
    raise EdhocMalformed("A message does not hold what it should.")


def _read_ead(items: list[tuple[Value, bytes]]) -> tuple[Ead, ...]:
    found: list[Ead] = []
    for value, _ in items:
        if isinstance(value, int) and not isinstance(value, bool):
            found.append(Ead(abs(value), value < 0, None))
        elif isinstance(value, bytes) and found and found[-1].value is None:
            found[-1] = Ead(found[-1].label, found[-1].critical, value)
        else:
            raise EdhocMalformed("What a message carries besides cannot be read.")
    return tuple(found)

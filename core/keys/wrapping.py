"""Secrets wrapped: under a person's PIN, or under another key.

Argon2id (RFC 9106, second recommended option: 64 MiB, 3 passes, 4 lanes) makes a key out of the PIN;
ChaCha20-Poly1305 (RFC 8439) encrypts with it, or with the key that is given. What a secret is for stands in its
context, which is authenticated: a wrapped secret that is put in another's place does not open.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from argon2.low_level import Type, hash_secret_raw
from argon2.profiles import RFC_9106_LOW_MEMORY
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from core.keys.errors import WrappedDamaged, WrongSecret
from core.model import cbor
from core.model.strict_cbor import CborRefused, Fields
from core.people.pin import normal

KEY_BYTES: Final = 32
MAX_WRAPPED: Final = 512
"""Largest wrapped secret, bytes."""

_DOMAIN: Final = "smilescape/wrapped/1"
_NONCE_BYTES, _SALT_BYTES, _TAG_BYTES, _CHECK_BYTES = 12, 16, 16, 8
_MOST_MEMORY_KIB, _MOST_PASSES, _MOST_LANES = 1024 * 1024, 20, 16

Context = Sequence[str | bytes]
"""What a secret is for, such as its kind, its holder and the kid of its key."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """How a key is made out of a PIN. Bounded, so that a forged file cannot cost the machine its memory."""

    salt: bytes
    memory_kib: int
    passes: int
    lanes: int

    @property
    def sound(self) -> bool:
        return (
            0 < self.lanes <= _MOST_LANES
            and 8 * self.lanes <= self.memory_kib <= _MOST_MEMORY_KIB
            and 0 < self.passes <= _MOST_PASSES
        )

    def key(self, pin: str) -> bytes:
        return hash_secret_raw(
            normal(pin).encode(),
            self.salt,
            time_cost=self.passes,
            memory_cost=self.memory_kib,
            parallelism=self.lanes,
            hash_len=KEY_BYTES,
            type=Type.ID,
        )


def wrap_by_pin(plain: bytes | bytearray, pin: str, context: Context) -> bytes:
    """`plain` so that only `pin` gives it back. Takes 64 MiB and a tenth of a second or so."""
    costs = RFC_9106_LOW_MEMORY
    salt = secrets.token_bytes(_SALT_BYTES)
    stretch = _Stretch(salt, costs.memory_cost, costs.time_cost, costs.parallelism)
    return _seal(stretch.key(pin), plain, context, stretch)


def unwrap_by_pin(wrapped: bytes, pin: str, context: Context) -> bytearray:
    """What was wrapped. Raises WrongSecret, WrappedDamaged."""
    nonce, sealed, stretch = _read(wrapped, context)
    if stretch is None:
        raise WrappedDamaged
    return _open(stretch.key(pin), nonce, sealed, context, stretch)


def wrap_by_key(plain: bytes | bytearray, key: bytes | bytearray, context: Context) -> bytes:
    """`plain` so that only `key` (32 bytes) gives it back."""
    return _seal(key, plain, context, None)


def unwrap_by_key(wrapped: bytes, key: bytes | bytearray, context: Context) -> bytearray:
    """What was wrapped. Raises WrongSecret, WrappedDamaged."""
    nonce, sealed, stretch = _read(wrapped, context)
    if stretch is not None:
        raise WrappedDamaged
    return _open(key, nonce, sealed, context, None)


def wipe(secret: bytearray) -> None:
    """Overwrite with zeros, as far as Python lets us: copies that a library made are out of reach."""
    secret[:] = bytes(len(secret))


def _seal(key: bytes | bytearray, plain: bytes | bytearray, context: Context, stretch: _Stretch | None) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    header = _header(nonce, context, stretch)
    sealed = ChaCha20Poly1305(key).encrypt(nonce, plain, header)
    fields: dict[int, object] = {1: nonce, 2: sealed, 3: _check(header, sealed)}
    if stretch is not None:
        fields |= {4: stretch.salt, 5: stretch.memory_kib, 6: stretch.passes, 7: stretch.lanes}
    return cbor.encode(fields)


def _open(key: bytes | bytearray, nonce: bytes, sealed: bytes, context: Context, stretch: _Stretch | None) -> bytearray:
    plain = bytearray(len(sealed) - _TAG_BYTES)
    try:
        ChaCha20Poly1305(key).decrypt_into(nonce, sealed, _header(nonce, context, stretch), plain)
    except InvalidTag:
        wipe(plain)  # it holds what nobody vouches for
        raise WrongSecret from None
    return plain


def _header(nonce: bytes, context: Context, stretch: _Stretch | None) -> bytes:
    """What is authenticated besides the secret."""
    costs = [] if stretch is None else [stretch.salt, stretch.memory_kib, stretch.passes, stretch.lanes]
    return cbor.encode([_DOMAIN, nonce, list(context), costs])


def _check(header: bytes, sealed: bytes) -> bytes:
    """Tells damage from a wrong PIN; protects nothing."""
    return hashlib.sha256(header + sealed).digest()[:_CHECK_BYTES]


def _read(wrapped: bytes, context: Context) -> tuple[bytes, bytes, _Stretch | None]:
    """Nonce, sealed bytes and costs of a wrapped secret that is sound. Raises WrappedDamaged."""
    try:
        fields = Fields(wrapped, 7, limit=MAX_WRAPPED, optional=4)
        nonce, sealed = fields.octets(1, _NONCE_BYTES), fields.octets(2, most=MAX_WRAPPED)
        stretch = None
        if 4 in fields:
            costs = (fields.unsigned(5, _MOST_MEMORY_KIB), fields.unsigned(6, _MOST_PASSES))
            stretch = _Stretch(fields.octets(4, _SALT_BYTES), *costs, fields.unsigned(7, _MOST_LANES))
        check = fields.octets(3, _CHECK_BYTES)
    except (CborRefused, KeyError) as error:
        raise WrappedDamaged from error
    sound = len(sealed) > _TAG_BYTES and (stretch is None or stretch.sound)
    if not sound or check != _check(_header(nonce, context, stretch), sealed):
        raise WrappedDamaged
    return nonce, sealed, stretch

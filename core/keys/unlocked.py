"""Secrets in the clear: made at login, wiped and closed at logout.

Python wipes little. What is held here is overwritten; what libraries copied on the way (the PIN as text, the key that
Argon2id made of it, OpenSSL's own copy during a signature) is only given back to the allocator, or cleansed by the
library. See docs/keys.md.
"""

from types import TracebackType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.keys.errors import SigningEnded
from core.keys.wrapping import wipe


class HeldKey:
    """Signs until it is closed. A `core.model.cose.Signer`: whoever kept it past the logout signs nothing more."""

    def __init__(self, seed: bytearray) -> None:
        """Takes `seed` (32 bytes) over: it is wiped here."""
        self._seed: bytearray | None = seed
        self._public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()

    @property
    def public(self) -> bytes:
        return self._public

    @property
    def seed(self) -> bytearray:
        """The secret itself, to be wrapped; not to be copied. Raises SigningEnded."""
        if self._seed is None:
            raise SigningEnded
        return self._seed

    def sign(self, data: bytes) -> bytes:
        """Ed25519 signature, 64 bytes. Raises SigningEnded."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(data)

    def close(self) -> None:
        if self._seed is not None:
            wipe(self._seed)
            self._seed = None


class Unlocked:
    """What a dentist's PIN opened: their signing key, and the practice's root.

    Attributes:
        operator_id: whose login it is.
        clinician: their signing key.
        root: the practice's root.
    """

    def __init__(self, operator_id: str, clinician: HeldKey, root: HeldKey, root_key: bytearray) -> None:
        """Takes all keys over. `root_key` (32 bytes) wraps the root's seed."""
        self.operator_id = operator_id
        self.clinician = clinician
        self.root = root
        self._root_key: bytearray | None = root_key

    @property
    def root_key(self) -> bytearray:
        """To be wrapped for another dentist. Raises SigningEnded."""
        if self._root_key is None:
            raise SigningEnded
        return self._root_key

    def take(self, clinician: HeldKey) -> None:
        """Sign with another key from now on; the one before is closed."""
        self.clinician.close()
        self.clinician = clinician

    def close(self) -> None:
        self.clinician.close()
        self.root.close()
        if self._root_key is not None:
            wipe(self._root_key)
            self._root_key = None

    def __enter__(self) -> "Unlocked":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

"""Protected records: one Sealer and one Opener for each direction of a session.

The key changes for good every 2^20 records or hour, so that a key found later opens nothing older. Numbers run on
through a change of key, so that an old record never counts twice. A record must be sealed when it is sent, not when it
is queued: whatever overtakes it would put it behind its stream or its epoch.
"""

import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from core.model.clock import Clock
from devices.hub.session.errors import RecordFault, RecordRefused, SessionSpent
from devices.hub.session.wire import (
    LAST_EPOCH,
    MAX_PLAINTEXT,
    MAX_RECORD,
    RECORD,
    RECORDS_PER_EPOCH,
    SECONDS_PER_EPOCH,
)

HEAD: Final = struct.Struct("<BBI")
"""0x80 + stream, epoch, number; authenticated, not encrypted."""
_TAG: Final = 16
_STREAMS: Final = 16


def expand(secret: bytes, info: bytes, size: int) -> bytes:
    """HKDF-Expand with SHA-256."""
    return HKDFExpand(hashes.SHA256(), size, info).derive(secret)


class _Epoch:
    """Key and nonce base of one epoch of one direction."""

    __slots__ = ("aead", "iv", "secret")

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.aead = ChaCha20Poly1305(expand(secret, b"key", 32))
        self.iv = int.from_bytes(expand(secret, b"iv", 12), "big")

    def following(self) -> "_Epoch":
        return _Epoch(expand(self.secret, b"next", 32))


class Sealer:
    """Makes the records of one direction.

    Args:
        secret: the direction's, 32 bytes.
        records_per_epoch: after so many the key changes.
    """

    def __init__(self, secret: bytes, clock: Clock, *, records_per_epoch: int = RECORDS_PER_EPOCH) -> None:
        self._clock = clock
        self._per_epoch = records_per_epoch
        self._numbers = [0] * _STREAMS
        self._number = 0
        self._begin(_Epoch(secret))

    @property
    def epoch(self) -> int:
        """The epoch of the last record."""
        return self._number

    def seal(self, stream: int, plaintext: bytes) -> bytes:
        """The record that carries `plaintext`, to be sent at once.

        Raises:
            ValueError: more than MAX_PLAINTEXT bytes.
            SessionSpent: the last epoch is over; the link has to be closed.
        """
        if len(plaintext) > MAX_PLAINTEXT:
            raise ValueError(f"{len(plaintext)} bytes do not fit a record")
        if not self._left or self._clock.monotonic() >= self._until:
            self._advance()
        number = self._numbers[stream]
        head = HEAD.pack(RECORD | stream, self._number, number)
        nonce = (self._epoch.iv ^ (stream << 32 | number)).to_bytes(12, "big")
        self._numbers[stream] = number + 1
        self._left -= 1
        return head + self._epoch.aead.encrypt(nonce, plaintext, head)

    def _advance(self) -> None:
        if self._number == LAST_EPOCH:
            raise SessionSpent
        self._number += 1
        self._begin(self._epoch.following())

    def _begin(self, epoch: _Epoch) -> None:
        self._epoch = epoch
        self._left = self._per_epoch
        self._until = self._clock.monotonic() + SECONDS_PER_EPOCH


class Opener:
    """Opens the records of one direction. `secret` is the direction's, 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        self._epoch = _Epoch(secret)
        self._next: _Epoch | None = None
        self._number = 0
        self._last = [-1] * _STREAMS

    @property
    def epoch(self) -> int:
        """The epoch of the last record."""
        return self._number

    def last(self, stream: int) -> int:
        """Number of the last record of a stream; −1 before the first."""
        return self._last[stream]

    def open(self, stream: int, record: bytes) -> bytes:
        """The plaintext of a record that came where `stream` belongs. Its number is `last(stream)` afterwards.

        Raises:
            RecordRefused: not of this stream, not above the last number, not of this epoch or the next, not genuine.
        """
        size = len(record)
        if not HEAD.size + _TAG <= size <= MAX_RECORD:
            raise RecordRefused(RecordFault.SIZE)
        first, epoch_number, number = HEAD.unpack_from(record)
        if first != RECORD | stream:
            raise RecordRefused(RecordFault.STREAM)
        if number <= self._last[stream]:
            raise RecordRefused(RecordFault.NUMBER)
        if epoch_number == self._number:
            epoch = self._epoch
        elif epoch_number == self._number + 1:
            epoch = self._next = self._next or self._epoch.following()
        else:
            raise RecordRefused(RecordFault.EPOCH)
        nonce = (epoch.iv ^ (stream << 32 | number)).to_bytes(12, "big")
        try:
            plaintext = epoch.aead.decrypt(nonce, record[HEAD.size :], record[: HEAD.size])
        except InvalidTag:
            raise RecordRefused(RecordFault.TAG) from None
        if epoch is not self._epoch:
            self._epoch, self._next, self._number = epoch, None, epoch_number
        self._last[stream] = number
        return plaintext

"""Signed notes, checkpoints of a log and cosignatures of its witnesses, as C2SP writes them. Pure.

https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint, https://c2sp.org/tlog-cosignature
"""

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.model.cose import SIGNATURE_BYTES, Signer
from core.model.errors import SmilescapeError
from core.model.merkle import HASH_BYTES

MAX_NOTE: Final = 8192
"""Longest note that is looked at, bytes."""
MAX_SIGNATURES: Final = 64
MAX_SIZE: Final = (1 << 63) - 1

_ED25519: Final = 0x01
_COSIGNATURE: Final = 0x04
_DASH: Final = "\N{EM DASH}"
_ID_BYTES: Final = 4
_TIME: Final = struct.Struct(">Q")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_NAME: Final = re.compile(r"[^\s+]{1,128}")


class NoteRefused(SmilescapeError):  # noqa: N818 - named for what is the case
    """A note that cannot be read, or that the key in question did not sign."""

    code = "note.refused"

    def __init__(self, what: str) -> None:
        super().__init__(f"A checkpoint does not count: {what}.", "Ask for the checkpoint again; keep this one.")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a log reaches: its origin, the number of its entries, and the RFC 9162 tree hash over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The note's text, ending in a newline."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One line below a note. `key_id`: 4 bytes of a hash of name, kind and key; a hint, no proof."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The line, without its newline."""
        return f"{_DASH} {self.name} {base64.b64encode(self.key_id + self.signature).decode()}"


@dataclass(frozen=True, slots=True)
class Note:
    """A checkpoint with whatever stands below it. None of the signatures has been verified."""

    checkpoint: Checkpoint
    text: str
    signatures: tuple[NoteSignature, ...]

    def encode(self) -> str:
        return self.text + "\n" + "".join(f"{one.line}\n" for one in self.signatures)

    def with_signatures(self, more: Iterable[NoteSignature]) -> "Note":
        known = dict.fromkeys((*self.signatures, *more))
        return Note(self.checkpoint, self.text, tuple(known))

    def verify(self, name: str, public: bytes) -> None:
        """That the log itself signed this. Raises NoteRefused."""
        for one in self._by(name, key_id(name, public, _ED25519)):
            _check(public, one.signature, self.text.encode())
            return
        raise NoteRefused(f"it is not signed by {name}")

    def cosigned(self, name: str, public: bytes) -> int:
        """When a witness countersigned this, UTC s by its own clock. Raises NoteRefused."""
        for one in self._by(name, key_id(name, public, _COSIGNATURE)):
            if len(one.signature) != _TIME.size + SIGNATURE_BYTES:
                raise NoteRefused("a cosignature has another length")
            (time_s,) = _TIME.unpack_from(one.signature)
            _check(public, one.signature[_TIME.size :], _cosigned(self.text, time_s))
            return int(time_s)
        raise NoteRefused(f"it is not countersigned by {name}")

    def _by(self, name: str, identity: bytes) -> list[NoteSignature]:
        return [one for one in self.signatures if (one.name, one.key_id) == (name, identity)]


def key_id(name: str, public: bytes, kind: int) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes((kind,)) + public).digest()[:_ID_BYTES]


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> Note:
    """The log's own signature; the key's name is the origin."""
    identity = key_id(checkpoint.origin, signer.public, _ED25519)
    text = checkpoint.text
    return Note(checkpoint, text, (NoteSignature(checkpoint.origin, identity, signer.sign(text.encode())),))


def cosign(note: Note, name: str, signer: Signer, time_s: int) -> NoteSignature:
    """A witness's word that this is the newest of the log that it saw, and that nothing earlier was changed."""
    signature = signer.sign(_cosigned(note.text, time_s))
    return NoteSignature(name, key_id(name, signer.public, _COSIGNATURE), _TIME.pack(time_s) + signature)


def read_note(raw: str | bytes) -> Note:
    """A checkpoint with its signatures, read and not verified.

    Raises:
        NoteRefused: too long, not UTF-8, another form, or with extension lines, which this log never writes.
    """
    try:
        whole = raw if isinstance(raw, str) else raw.decode()
    except UnicodeDecodeError as error:
        raise NoteRefused("it is not UTF-8") from error
    text, parted, below = whole.rpartition("\n\n")
    if len(whole.encode()) > MAX_NOTE or not parted or not below.endswith("\n"):
        raise NoteRefused("it is no signed note")
    text += "\n"
    lines = below[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteRefused("it has too many signatures")
    return Note(_read_checkpoint(text), text, tuple(read_signature(line) for line in lines))


def read_signature(line: str) -> NoteSignature:
    """One signature line, without its newline. Raises NoteRefused."""
    match line.split(" "):
        case [dash, name, encoded] if dash == _DASH and _NAME.fullmatch(name) and name.isprintable():
            raw = _unbase64(encoded)
            if len(raw) > _ID_BYTES:
                return NoteSignature(name, raw[:_ID_BYTES], raw[_ID_BYTES:])
    raise NoteRefused("a line of its signatures cannot be read")


def _read_checkpoint(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not _NAME.fullmatch(lines[0]) or not lines[0].isprintable():
        raise NoteRefused("its text has another form")
    origin, size, encoded, _ = lines
    root = _unbase64(encoded)
    if not _NUMBER.fullmatch(size) or int(size) > MAX_SIZE or len(root) != HASH_BYTES:
        raise NoteRefused("its size or its root cannot be read")
    return Checkpoint(origin, int(size), root)


def _unbase64(encoded: str) -> bytes:
    """Only the one way to write it."""
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteRefused("it holds what is no base64") from error
    if base64.b64encode(raw).decode() != encoded:
        raise NoteRefused("it holds base64 that could be written otherwise")
    return raw


def _cosigned(text: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def _check(public: bytes, signature: bytes, message: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise NoteRefused("a signature is wrong") from error

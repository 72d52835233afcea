"""Files sealed into one web page that any browser opens, offline, with the words of a person and none of our software.

docs/decisions/0021-data-pack.md says why it is a page; docs/exchange.md says how it is built, for who has no browser.
"""

import base64
import hashlib
import html
import secrets
import zlib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import IO, Final

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from core.model.errors import SmilescapeError
from core.model.progress import Watch

FORMAT: Final = "smilescape-pack-1"
ROUNDS: Final = 600_000
"""PBKDF2 is the one derivation that browsers have. The passphrase alone has 100 bits; this is for who shortens it."""
CHUNK: Final = 1 << 20
INDEX: Final = (1 << 32) - 1
"""The number of the chunk that lists the files."""
LARGEST: Final = 400_000_000
"""Bytes of sealed chunks. A browser holds the whole page in memory, three times at worst."""
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no I, L, O or U, so that nothing is mistaken when it is read aloud or typed."""
_GROUPS: Final = 5


class PackTooLarge(SmilescapeError):  # noqa: N818
    """More than a browser opens."""

    code = "exchange.pack_too_large"


class PackedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the page.

    Attributes:
        name: its path, with slashes.
        size, sha256: of the file itself.
        first, chunks: where its gzip stream lies.
    """

    name: str
    type: str
    size: int
    sha256: str
    first: int
    chunks: int


class _Lock(msgspec.Struct, frozen=True, kw_only=True):
    format: str
    kdf: str
    rounds: int
    salt: str
    cipher: str


class _Index(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    files: tuple[PackedFile, ...]


def new_passphrase() -> str:
    """Five groups of four signs: 100 bits, such as 7K4M-Q2XD-9HTP-W3RB-6CNE."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(_GROUPS))
    return "-".join(groups)


def tidy(typed: str) -> str:
    """A passphrase as the key is made of it: capital letters and digits alone, O as 0, I and L as 1."""
    plain = "".join(sign for sign in typed.upper() if sign.isascii() and sign.isalnum())
    return plain.translate(str.maketrans("OIL", "011"))


def pack_key(passphrase: str, salt: bytes) -> bytes:
    """32 bytes."""
    return PBKDF2HMAC(SHA256(), 32, salt, ROUNDS).derive(tidy(passphrase).encode())


def nonce(number: int) -> bytes:
    """12 bytes for the chunk of that number: never twice, since each page has a key of its own."""
    return number.to_bytes(12, "big")


class SealedPage:
    """Writes the page as files are added. `finish` must come last."""

    def __init__(
        self, out: IO[str], passphrase: str, words: Mapping[str, str], title: str, language: str = "en"
    ) -> None:
        """`words`: what the page says, by key, in this language. `title`: shown once it is open."""
        self._out = out
        self._title = title
        salt = secrets.token_bytes(16)
        self._cipher = AESGCM(pack_key(passphrase, salt))
        self._files: list[PackedFile] = []
        self._chunks = 0
        self._bytes = 0
        lock = _Lock(
            format=FORMAT,
            kdf="PBKDF2-SHA-256",
            rounds=ROUNDS,
            salt=base64.b64encode(salt).decode(),
            cipher="AES-256-GCM",
        )
        filled = {
            "language": language,
            "script": html.escape(words["script"]),
            "words": _embedded(dict(words)),
            "lock": _embedded(lock),
        }
        page = _page("open.html")
        for name, value in filled.items():
            page = page.replace(f"{{{{{name}}}}}", value)
        out.write(page)

    def add(self, path: Path, name: str, kind: str, watch: Watch) -> None:
        """Seal one file. Raises PackTooLarge."""
        first, digest, size = self._chunks, hashlib.sha256(), 0
        whole = max(1, path.stat().st_size)
        squeezer = zlib.compressobj(6, zlib.DEFLATED, 31)
        waiting = bytearray()
        with path.open("rb") as stream:
            while data := stream.read(CHUNK):
                digest.update(data)
                size += len(data)
                waiting += squeezer.compress(data)
                self._seal_whole(waiting)
                watch(size / whole)
        waiting += squeezer.flush()
        self._seal_whole(waiting)
        if waiting:
            self._seal(bytes(waiting))
        told = PackedFile(
            name=name, type=kind, size=size, sha256=digest.hexdigest(), first=first, chunks=self._chunks - first
        )
        self._files.append(told)

    def finish(self) -> None:
        """The list of files, and the end of the page."""
        index = msgspec.json.encode(_Index(title=self._title, files=tuple(self._files)))
        self._element("index", self._cipher.encrypt(nonce(INDEX), index, None))
        self._out.write(_page("program.html"))

    def _seal_whole(self, waiting: bytearray) -> None:
        while len(waiting) >= CHUNK:
            self._seal(bytes(waiting[:CHUNK]))
            del waiting[:CHUNK]

    def _seal(self, data: bytes) -> None:
        self._bytes += len(data)
        if self._bytes > LARGEST:
            raise PackTooLarge(
                "This is more than a browser can open as one page.", "Pack fewer visits, or export EDF+ onto the stick."
            )
        self._element(f"c{self._chunks}", self._cipher.encrypt(nonce(self._chunks), data, None))
        self._chunks += 1

    def _element(self, name: str, sealed: bytes) -> None:
        self._out.write(f'<script type="text/plain" id="{name}">{base64.b64encode(sealed).decode()}</script>\n')


def files_in(folder: Path) -> Iterator[Path]:
    """All files below a folder, in order of their names."""
    yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def _page(name: str) -> str:
    return (resources.files("resources") / "pack" / name).read_text(encoding="utf-8")


def _embedded(value: object) -> str:
    """JSON that cannot end the script element it stands in."""
    said = msgspec.json.encode(value).decode()
    return said.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

"""The recovery sheet: the root's seed on paper, for the day on which nobody's PIN opens it any more.

Four lines of sixteen characters (RFC 4648 base32). Each holds 8 bytes of the seed and a checksum of 2 bytes, so that a
typing error is found in its line.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Final

from core.keys.errors import SheetWrong
from core.keys.wrapping import KEY_BYTES

LINES: Final = 4
_PART, _CHECK = 8, 2
_LIKE: Final = str.maketrans("018", "OIB")
"""Base32 has no 0, 1, 8: who reads one has misread a letter."""


ROOT: Final = b"smilescape/sheet/1"
"""What a sheet is for: a sheet for something else is told from it by its checksums."""


def write_sheet(seed: bytes | bytearray, domain: bytes = ROOT) -> list[str]:
    """The lines to print, in groups of four characters. Raises ValueError unless `seed` has 32 bytes."""
    if len(seed) != KEY_BYTES:
        raise ValueError("a seed has 32 bytes")
    parts = [bytes(seed[at : at + _PART]) for at in range(0, KEY_BYTES, _PART)]
    lines = [base64.b32encode(part + _check(domain, number, part)).decode() for number, part in enumerate(parts)]
    return [" ".join(line[at : at + 4] for at in range(0, len(line), 4)) for line in lines]


def read_sheet(lines: Sequence[str], domain: bytes = ROOT) -> bytearray:
    """The seed. Upper and lower case, spaces and hyphens do not matter.

    Raises:
        SheetWrong: a line is missing or not as it was printed.
    """
    if len(lines) != LINES:
        raise SheetWrong(f"A recovery sheet has {LINES} lines, not {len(lines)}.", "Type all of them.")
    seed = bytearray()
    for number, line in enumerate(lines):
        seed += _read_line(domain, number, line)
    return seed


def _read_line(domain: bytes, number: int, line: str) -> bytes:
    typed = "".join(line.replace("-", " ").split()).upper().translate(_LIKE)
    try:
        raw = base64.b32decode(typed)
    except ValueError:
        raw = b""
    part, check = raw[:_PART], raw[_PART:]
    if len(part) != _PART or check != _check(domain, number, part):
        raise SheetWrong(f"Line {number + 1} is not as it was printed.", "Compare it, then type it again.")
    return part


def _check(domain: bytes, number: int, part: bytes) -> bytes:
    return hashlib.sha256(domain + bytes((number,)) + part).digest()[:_CHECK]

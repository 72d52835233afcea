"""Which letters the shipped fonts can draw, and what is printed for the others."""

import re
import struct
import unicodedata
from functools import cache
from importlib import resources
from pathlib import Path

STAND_IN = "?"
GUARD = "\ufeff"
"""Put before free text that would read as a key of the words (`@…`); never printed."""
_SPACES = re.compile(r"[^\S\N{NO-BREAK SPACE}]+")


def literal(value: str) -> str:
    """Free text, so that the words take it as it stands."""
    return GUARD + value if value.startswith("@") else value


def drawable(text: str) -> bool:
    """Whether every letter of a text can be drawn."""
    return mend(text)[1]


def mend(text: str) -> tuple[str, bool]:
    """The text as it can be printed, and whether nothing was lost.

    A tagged PDF refuses a letter without a glyph; a report with a stand-in is better than none. Control and joining
    characters are dropped, and so are variation selectors: nobody sees them.
    """
    held = glyphs()
    whole, out = True, []
    for letter in unicodedata.normalize("NFC", _SPACES.sub(" ", text)):
        if unicodedata.category(letter) in ("Cc", "Cf", "Cs") or "\ufe00" <= letter <= "\ufe0f":
            continue
        known = ord(letter) in held and unicodedata.category(letter) != "Co"
        whole = whole and known
        out.append(letter if known else STAND_IN)
    return "".join(out), whole


def font_folder() -> Path:
    return Path(str(resources.files("resources") / "fonts"))


@cache
def glyphs() -> frozenset[int]:
    """The code points that can be drawn: what every weight of some shipped family has."""
    families: dict[str, list[frozenset[int]]] = {}
    for font in sorted(font_folder().glob("*.otf")):
        families.setdefault(font.name.split("-")[0], []).append(_code_points(font.read_bytes()))
    return frozenset().union(*(frozenset.intersection(*weights) for weights in families.values()))


def _code_points(font: bytes) -> frozenset[int]:
    """Out of the `cmap` table, format 12 (OpenType 1.9, cmap: segmented coverage)."""
    tables = struct.unpack_from(">H", font, 4)[0]
    records = (struct.unpack_from(">4sIII", font, 12 + 16 * number) for number in range(tables))
    cmap = next(offset for tag, _, offset, _ in records if tag == b"cmap")
    for number in range(struct.unpack_from(">H", font, cmap + 2)[0]):
        at = cmap + struct.unpack_from(">I", font, cmap + 8 + 8 * number)[0]
        if struct.unpack_from(">H", font, at)[0] == 12:
            groups = struct.unpack_from(">I", font, at + 12)[0]
            return frozenset(
                code
                for first, last, _ in struct.iter_unpack(">III", font[at + 16 : at + 16 + 12 * groups])
                for code in range(first, last + 1)
            )
    raise ValueError("The font has no cmap of format 12.")

"""Which words patients read, and which they never do: `resources/lexicon.toml`."""

import re
from functools import cache

import msgspec

from core.model.datafile import parse, read_resource


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One idea.

    Attributes:
        staff: the word for staff; `patient` the word for patients.
        forbidden: words that no patient reads for it; a trailing * stands for any ending.
    """

    staff: str
    patient: str
    forbidden: tuple[str, ...]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    word: list[Entry]


PATIENT_KEYS = (
    re.compile(r"patient\."),
    re.compile(r"comfort\."),
    re.compile(r"module\.[a-z_]+\.(does|effect|risk|evidence|instead|gentler)$"),
    re.compile(r"channel\.[a-z_0-9]+\.plain$"),
)
"""The keys of sentences that patients read."""


@cache
def load_lexicon() -> tuple[Entry, ...]:
    """The lexicon that ships with the product. Raises DataError."""
    return tuple(parse(read_resource("lexicon.toml"), "lexicon.toml", _File).word)


def for_patients(key: str) -> bool:
    """Whether patients read the sentence with this key."""
    return any(pattern.match(key) for pattern in PATIENT_KEYS)


def forbidden_in(sentence: str, lexicon: tuple[Entry, ...] | None = None) -> tuple[str, ...]:
    """The forbidden words that a sentence contains, as the lexicon writes them."""
    entries = load_lexicon() if lexicon is None else lexicon
    return tuple(word for entry in entries for word in entry.forbidden if _pattern(word).search(sentence))


@cache
def _pattern(word: str) -> re.Pattern[str]:
    stem = re.escape(word.removesuffix("*"))
    return re.compile(rf"\b{stem}" + ("" if word.endswith("*") else r"\b"), re.IGNORECASE)

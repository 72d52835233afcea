"""Text as the search sees it: words folded to what people type, in every script.

Case, accents and letters with a stroke are folded away. Chinese and Japanese put no spaces between words, so each of
their characters is a word of its own: a run of them is then found by any part of it, names of one character included.
The same is done to what is stored and to what is asked, so both always fit.
"""

import re
import unicodedata

_SPELT = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ß": "ss", "ı": "i", "ħ": "h", "ŧ": "t"}
)
"""Letters that Unicode does not take apart."""
_SINGLE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TERM = re.compile(rf"[{_SINGLE}]|[^\W_{_SINGLE}]+")
_SPACE = re.compile(r"\s+")
MAX_WORDS = 8


def terms(text: str) -> list[str]:
    """The words of a text, folded, in their order."""
    if not text.isascii():
        apart = unicodedata.normalize("NFKD", text)
        text = unicodedata.normalize("NFC", "".join(letter for letter in apart if not unicodedata.combining(letter)))
    return _TERM.findall(text.casefold().translate(_SPELT))


def folded(text: str) -> str:
    """The words of a text with one space between them."""
    return " ".join(terms(text))


def wanted(query: str) -> list[list[str]]:
    """What a query asks for: all of these runs of words, each without a break, the last word of each begun only."""
    runs = (terms(part) for part in _SPACE.split(query))
    return [run for run in runs if run][:MAX_WORDS]


def expression(runs: list[list[str]], *, whole: bool) -> str:
    """In the language of FTS5. `whole`: the last word of each run must stand there in full."""
    return " AND ".join(f'"{" ".join(run)}"' + ("" if whole else " *") for run in runs)


def holds(text: str, runs: list[list[str]], *, whole: bool = True) -> bool:
    """Whether a folded text has every run; `whole`: with its last word in full."""
    inside, end = f" {text} ", " " if whole else ""
    return all(f" {' '.join(run)}{end}" in inside for run in runs)

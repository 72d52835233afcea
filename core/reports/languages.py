"""The languages of reports and data packs. One that lacks a sentence is refused: nothing falls back into English."""

import re
import string
from functools import cache

from core.model.words import Words, WordsError, load_words

LANGUAGES = ("en", "es", "zh")
_NEEDED = re.compile(
    r"report\.|pack\.|data\.|module\.(?!row\.)\w+\.(?:name|does|evidence)$|channel\.\w+\.(?:name|plain)$"
)
"""What a report and a data pack say, by key."""


@cache
def report_words(language: str) -> Words:
    """The words of one language, whole.

    Raises:
        WordsError: there is no such language, or it lacks a sentence or one of its values.
    """
    if language not in LANGUAGES:
        raise WordsError(f"There are no reports in {language!r}.", f"Choose one of {', '.join(LANGUAGES)}.")
    words, source = load_words(language), load_words("en")
    for key in sorted(needed()):
        if key not in words:
            raise WordsError(f"words/{language} lacks {key}.", "Translate it.")
        if _fields(words, key) != _fields(source, key):
            raise WordsError(f"words/{language}: {key} has other values than in English.", "Mend the sentence.")
    return words


def needed() -> frozenset[str]:
    """The keys of every sentence that a report or a data pack can say."""
    return frozenset(key for key in load_words("en").keys() if _NEEDED.match(key))  # noqa: SIM118  # no mapping


def _fields(words: Words, key: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words.template(key)) if name}

"""Everything people read, by key, in their language."""

import string
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec

from core.model.errors import SmilescapeError
from core.model.plugins import find_plugins


class WordsError(SmilescapeError):
    """The words of a language cannot be read."""

    code = "words"


class Text(msgspec.Struct, frozen=True):
    """A sentence before translation: its key and the values to put in. A value "@key" stands for another sentence.

    Processes pass this, never finished sentences, so that each reader gets its own language.
    """

    key: str
    values: dict[str, str | int | float] = {}


class Words:
    """One language's sentences, from `resources/words/<language>/*.toml`; dotted keys such as `chair.live.title`."""

    def __init__(self, language: str, table: Mapping[str, str], *, reviewed: bool = False) -> None:
        """`reviewed`: a clinician who speaks the language natively has read every file of it."""
        self.language = language
        self.reviewed = reviewed
        self._table = dict(table)

    def say(self, key: str, **values: str | float) -> str:
        """The sentence for `key` with `values` put in.

        A value that begins with "@" is itself a key; its sentence may use the other values. A missing key gives the key
        itself between brackets, so that a gap is seen and never crashes a treatment.
        """
        template = self._table.get(key)
        if template is None:
            return f"[{key}]"
        plain = {name: value for name, value in values.items() if not _is_key(value)}
        said = {name: self._nested(value, plain) for name, value in values.items()}
        return _Lenient().vformat(template, (), said)

    def tell(self, text: Text) -> str:
        """The sentence for a `Text` that came from another process."""
        return self.say(text.key, **text.values)

    def _nested(self, value: str | float, others: Mapping[str, str | float]) -> str | float:
        return self.say(value[1:], **others) if isinstance(value, str) and _is_key(value) else value

    def template(self, key: str) -> str:
        """The sentence with its values still open. Raises KeyError."""
        return self._table[key]

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def keys(self) -> set[str]:
        return set(self._table)


def _is_key(value: str | float) -> bool:
    return isinstance(value, str) and value.startswith("@")


class _Lenient(string.Formatter):
    """Leaves a missing value visible instead of raising in the middle of a treatment."""

    def get_value(self, key: int | str, args: object, kwargs: Mapping[str, object]) -> object:
        return kwargs.get(str(key), "{" + str(key) + "}")


@cache
def load_words(language: str = "en") -> Words:
    """Read every file of one language, and the words that plug-ins bring.

    A file that a clinician who speaks the language natively has read says `reviewed = true` before its first table.

    Raises:
        WordsError: a file is malformed, or a key stands twice.
    """
    table: dict[str, str] = {}
    reviewed = True
    folder = resources.files("resources") / "words" / language
    if not folder.is_dir():
        raise WordsError(f"There are no words for the language {language!r}.", "Choose en.")
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        try:
            tree = tomllib.loads(file.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise WordsError(f"words/{language}/{file.name}: {error}.", "Mend the file.") from error
        reviewed = tree.pop("reviewed", False) is True and reviewed
        for key, sentence in _flatten(tree):
            if key in table:
                raise WordsError(f"words/{language}/{file.name}: {key} stands twice.", "Keep one of them.")
            table[key] = sentence
    for plugin in find_plugins():
        table = plugin.words(language) | table  # ours are never replaced
    return Words(language, table, reviewed=reviewed)


def _flatten(tree: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in tree.items():
        if isinstance(value, dict):
            rows += _flatten(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", str(value)))
    return rows

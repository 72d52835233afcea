"""Data files in `resources/`: TOML with a schema, whose faults name file and line."""

import re
import tomllib
from importlib import resources
from typing import TypeVar

import msgspec

from core.model.errors import SmilescapeError

T = TypeVar("T")


class DataError(SmilescapeError):
    """A data file is inconsistent; the message names the file and the line."""

    code = "data"


def read_resource(path: str) -> str:
    """The text of `resources/<path>`."""
    return resources.files("resources").joinpath(*path.split("/")).read_text(encoding="utf-8")


def parse(text: str, name: str, kind: type[T]) -> T:
    """Convert TOML text to `kind`.

    Raises:
        DataError: malformed TOML, an unknown or missing field, or a wrong type.
    """
    try:
        return msgspec.convert(tomllib.loads(text), kind)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name}: {error}.", "Mend the file.") from error
    except msgspec.ValidationError as error:
        found = re.search(r"\$\.(\w+)(?:\[(\d+)\])?", str(error))
        line = line_of(text, found.group(1), int(found.group(2) or 0)) if found else 1
        raise DataError(f"{name}:{line}: {error}.", "Mend the entry.") from error


def fault(text: str, name: str, entry: str, index: int, what: str) -> DataError:
    """The error for the `index`-th `[[entry]]` of a file (or for its one `[entry]` or `entry = `)."""
    return DataError(f"{name}:{line_of(text, entry, index)}: {what}.", "Mend the entry.")


def line_of(text: str, entry: str, index: int = 0) -> int:
    """The line where the `index`-th `[[entry]]` begins, or where `[entry]` or `entry =` stands; 1 when nowhere."""
    heads = re.compile(rf"\s*(\[\[{entry}\]\]|\[{entry}(\.\w+)*\]|{entry}\s*=)")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if heads.match(line)]
    return lines[index] if index < len(lines) else 1

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
        raise DataError(f"{name}:{_line_of_error(text, str(error))}: {error}.", "Mend the entry.") from error


def fault(text: str, name: str, entry: str, index: int, what: str) -> DataError:
    """The error for the `index`-th `[[entry]]` of a file (or for its one `[entry]` or `entry = `)."""
    return DataError(f"{name}:{line_of(text, entry, index)}: {what}.", "Mend the entry.")


def line_of(text: str, entry: str, index: int = 0) -> int:
    """The line where the `index`-th `[[entry]]` begins, or where `[entry]` or `entry =` stands; 1 when nowhere."""
    heads = re.compile(rf"\s*(\[\[{entry}\]\]|\[{entry}(\.\w+)*\]|{entry}\s*=)")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if heads.match(line)]
    return lines[index] if index < len(lines) else 1


def line_at(text: str, path: str) -> int:
    """The line where `a.b` stands: `[a.b]`, or `b =` below `[a]`; where `a` stands when there is no `b` in it."""
    section, _, key = path.rpartition(".")
    lines = text.splitlines()
    above = ""
    for number, line in enumerate(lines, 1):
        if head := re.match(r"\s*\[([\w.]+)\]", line):
            above = head.group(1)
            if above == path:
                return number
        elif above == section and re.match(rf"\s*{key}\s*=", line):
            return number
    return line_at(text, section) if section else line_of(text, path)


def _line_of_error(text: str, message: str) -> int:
    """The line that msgspec's path (`$.site[3].access`, `$.saliva.flow`) points at."""
    found = re.search(r"\$\.([\w.]+)(?:\[(\d+)\])?", message)
    if found is None:
        return 1
    path, index = found.group(1), found.group(2)
    if index is not None:
        return line_of(text, path, int(index))
    unknown = re.search(r"unknown field `(\w+)`", message)
    return line_at(text, f"{path}.{unknown.group(1)}" if unknown else path)

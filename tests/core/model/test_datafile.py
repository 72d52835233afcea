"""A fault in a data file is told with its line."""

import msgspec
import pytest

from core.model.datafile import DataError, line_at, parse

TEXT = """[a]
x = 1
y = { z = 2 }
[b]
y = { z = 3 }
[b.c]
y = { z = 4 }
[[d]]
x = 1
[[d]]
x = 2
"""


class Leaf(msgspec.Struct, forbid_unknown_fields=True):
    z: int


class Branch(msgspec.Struct, forbid_unknown_fields=True):
    y: Leaf
    x: int = 0
    c: "Branch | None" = None


class Item(msgspec.Struct):
    x: int


class File(msgspec.Struct):
    a: Branch
    b: Branch
    d: list[Item]


def test_a_line_is_found_by_its_path_or_that_of_its_parent() -> None:
    paths = {"a": 1, "a.y": 3, "b.y": 5, "b.c.y": 7, "b.c": 6, "b.c.none": 6, "a.none": 1, "none": 1}
    assert {path: line_at(TEXT, path) for path in paths} == paths


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("z = 3", 'z = "three"', 5),
        ("z = 4", "q = 4", 7),
        ("y = { z = 2 }", "", 1),
        ("x = 1\ny", "w = 1\ny", 2),
        ("x = 2", "x = []", 10),
    ],
)
def test_a_wrong_entry_is_named_with_its_line(old: str, new: str, line: int) -> None:
    parse(TEXT, "t.toml", File)
    with pytest.raises(DataError, match=rf"^t\.toml:{line}: "):
        parse(TEXT.replace(old, new, 1), "t.toml", File)

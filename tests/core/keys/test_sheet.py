"""The recovery sheet: what is printed is read again, and an error is found in its line."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keys.errors import SheetWrong
from core.keys.sheet import read_sheet, write_sheet


@given(seed=st.binary(min_size=32, max_size=32))
def test_what_is_printed_is_read_again(seed: bytes) -> None:
    lines = write_sheet(seed)
    assert all(re.fullmatch(r"[A-Z2-7]{4}( [A-Z2-7]{4}){3}", line) for line in lines)
    assert read_sheet(lines) == seed
    typed = [line.lower().replace(" ", "-") for line in lines]
    assert read_sheet([line.replace("o", "0").replace("i", "1") for line in typed]) == seed


def test_every_single_wrong_character_is_found_in_its_line() -> None:
    lines = write_sheet(bytes(range(7, 39)))
    for number, line in enumerate(lines):
        for at, character in enumerate(line):
            if character == " ":
                continue
            wrong = line[:at] + ("A" if character != "A" else "B") + line[at + 1 :]
            with pytest.raises(SheetWrong, match=f"Line {number + 1} "):
                read_sheet([*lines[:number], wrong, *lines[number + 1 :]])


def test_lines_in_another_order_or_number_are_refused() -> None:
    lines = write_sheet(bytes(range(7, 39)))
    with pytest.raises(SheetWrong, match="Line 1 "):
        read_sheet([lines[1], lines[0], *lines[2:]])
    with pytest.raises(SheetWrong, match="4 lines, not 3"):
        read_sheet(lines[:3])
    for rubbish in ("", "AAAA", lines[0] + " AAAA", "ÄÖÜß" * 4, "=" * 16, lines[0][:-1]):
        with pytest.raises(SheetWrong, match="Line 1 "):
            read_sheet([rubbish, *lines[1:]])
    with pytest.raises(ValueError, match="32 bytes"):
        write_sheet(bytes(31))

"""A reader of UCUM's grammar (case-sensitive), over the atoms that a mouth needs. For tests alone.

Written after the standard's section on syntax, not after our units, so that a unit of ours can be wrong. Metric atoms
may have a prefix; all others may not.
"""

import re

METRIC = frozenset({
    "m", "s", "g", "K", "C", "cd", "mol", "Hz", "N", "Pa", "J", "W", "A", "V", "Ohm", "S", "Cel", "L", "l", "eq", "U",
})  # fmt: skip
OTHERS = frozenset({
    "%", "[pH]", "[ppb]", "[ppm]", "min", "h", "d", "wk", "deg", "'", "''", "[CFU]", "10*", "10^", "[iU]", "mm[Hg]",
})  # fmt: skip
PREFIXES = ("da", "Y", "Z", "E", "P", "T", "G", "M", "k", "h", "d", "c", "m", "u", "n", "p", "f", "a", "z", "y")
_UNIT = r"(?P<unit>(?:10[*^]|[A-Za-z%']|\[[^\]\s]+\])+)"
_COMPONENT = re.compile(_UNIT + r"(?P<power>[+-]?\d+)?(?P<note>\{[!-z|~]*\})?$")


def valid(unit: str) -> bool:
    """Whether this is a unit."""
    text = unit.removeprefix("/")
    return bool(text) and unit.isascii() and _term(text)


def _term(text: str) -> bool:
    parts, depth, begin = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "({[") - (letter in ")}]")
        if depth == 0 and letter in "./":
            parts.append(text[begin:place])
            begin = place + 1
    parts.append(text[begin:])
    return depth == 0 and all(_component(part) for part in parts)


def _component(text: str) -> bool:
    if text.startswith("(") and text.endswith(")"):
        return _term(text[1:-1])
    if re.fullmatch(r"\d+", text) or re.fullmatch(r"\{[!-z|~]*\}", text):
        return True
    found = _COMPONENT.match(text)
    return found is not None and _atom(found["unit"])


def _atom(unit: str) -> bool:
    if unit in METRIC | OTHERS:
        return True
    return any(unit.startswith(prefix) and unit[len(prefix) :] in METRIC for prefix in PREFIXES)

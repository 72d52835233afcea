"""CBOR from strangers: RFC 8949's deterministic form (4.2.1) and nothing else, within limits.

`cbor2` reads much more than that: indefinite lengths, unordered and doubled keys, and tags that stand for dates, big
numbers, regular expressions and references. Here all costs time and memory in proportion to the bytes that came.
"""

import struct
from dataclasses import dataclass
from typing import Final, TypeAlias

from core.model.errors import SmilescapeError

MAX_DEPTH: Final = 8

_ARGUMENT: Final = {24: (1, 24), 25: (2, 1 << 8), 26: (4, 1 << 16), 27: (8, 1 << 32)}
"""Additional information → bytes of the argument, and the least value that needs them."""
_SIMPLE: Final[dict[int, bool | None]] = {20: False, 21: True, 22: None}
_FLOATS: Final = {25: ">e", 26: ">f", 27: ">d"}
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _OTHER = range(8)


class CborRefused(SmilescapeError):  # noqa: N818 - named for what is the case
    """Bytes that are not deterministic CBOR, or more of it than was agreed."""

    code = "cbor.refused"


@dataclass(frozen=True, slots=True)
class Tagged:
    """A tag and what it stands before."""

    tag: int
    value: "Value"


Value: TypeAlias = "int | float | bool | bytes | str | list[Value] | dict[Value, Value] | Tagged | None"


def decode(data: bytes, *, limit: int) -> Value:
    """The one value that `data` holds.

    Raises:
        CborRefused: longer than `limit` bytes, not deterministic, nested deeper than MAX_DEPTH, or followed by more.
    """
    value, end = _one(data, 0, limit)
    if end != len(data):
        raise CborRefused("CBOR is followed by other bytes.")
    return value


def decode_sequence(data: bytes, *, limit: int) -> list[tuple[Value, bytes]]:
    """The values of a CBOR sequence (RFC 8742), each with its own bytes. Raises CborRefused as `decode` does."""
    found: list[tuple[Value, bytes]] = []
    at = 0
    while at < len(data):
        value, end = _one(data, at, limit)
        found.append((value, data[at:end]))
        at = end
    return found


class Fields:
    """A map with the keys 1, 2, 3, … and nothing else. Whatever is not as asked for raises CborRefused.

    Args:
        count: the keys are 1 to `count`.
        optional: how many of the last keys may be left out.
    """

    def __init__(self, data: bytes, count: int, *, limit: int, optional: int = 0) -> None:
        value = decode(data, limit=limit)
        if not isinstance(value, dict) or not all(isinstance(key, int) for key in value):
            raise CborRefused("A CBOR map with numbers as keys was expected.")
        if list(value) != list(range(1, len(value) + 1)) or not count - optional <= len(value) <= count:
            raise CborRefused("A CBOR map has other fields.")
        self._values = value

    def __contains__(self, key: int) -> bool:
        return key in self._values

    def unsigned(self, key: int, most: int) -> int:
        """A whole number from 0 to `most`."""
        value = self._values[key]
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise CborRefused(f"Field {key} is not a number of 0 to {most}.")
        return value

    def octets(self, key: int, *sizes: int, most: int | None = None) -> bytes:
        """A byte string of one of these sizes, or of `most` bytes at most."""
        value = self._values[key]
        if not isinstance(value, bytes) or (len(value) not in sizes if most is None else len(value) > most):
            raise CborRefused(f"Field {key} is not a byte string of the right length.")
        return value

    def text(self, key: int, most: int, *, least: int = 1) -> str:
        """A printable text of `least` to `most` bytes UTF-8."""
        value = self._values[key]
        if not isinstance(value, str) or not least <= len(value.encode()) <= most or not value.isprintable():
            raise CborRefused(f"Field {key} is not a printable text of {least} to {most} bytes.")
        return value

    def array(self, key: int, most: int) -> list[Value]:
        """An array of `most` items at most."""
        value = self._values[key]
        if not isinstance(value, list) or len(value) > most:
            raise CborRefused(f"Field {key} is not an array of at most {most} items.")
        return value


def _one(data: bytes, at: int, limit: int) -> tuple[Value, int]:
    if len(data) > limit:
        raise CborRefused(f"{len(data)} bytes of CBOR, not {limit} at most.")
    reader = _Reader(data, at)
    return reader.item(MAX_DEPTH), reader.at


class _Reader:
    """Nothing is made ahead of its bytes, so a count that is too high ends where the bytes do."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self.at = at

    def item(self, depth: int) -> Value:
        if depth == 0:
            raise CborRefused("CBOR is nested too deep.")
        major, info = divmod(self._take(1)[0], 32)
        if major == _OTHER:
            return self._other(info)
        size = self._argument(info)
        match major:
            case 0:
                return size
            case 1:
                return -1 - size
            case 2:
                return self._take(size)
            case 3:
                return self._text(size)
            case 4:
                return [self.item(depth - 1) for _ in range(size)]
            case 5:
                return self._map(size, depth)
        return Tagged(size, self.item(depth - 1))

    def _take(self, size: int) -> bytes:
        taken = self._data[self.at : self.at + size]
        if len(taken) != size:
            raise CborRefused("CBOR ends too early.")
        self.at += size
        return taken

    def _argument(self, info: int) -> int:
        if info < 24:
            return info
        if info not in _ARGUMENT:
            raise CborRefused("CBOR of indefinite or reserved length.")
        size, least = _ARGUMENT[info]
        value = int.from_bytes(self._take(size), "big")
        if value < least:
            raise CborRefused("A CBOR number is written longer than it need be.")
        return value

    def _text(self, size: int) -> str:
        try:
            return self._take(size).decode()
        except UnicodeDecodeError as error:
            raise CborRefused("A CBOR text is not UTF-8.") from error

    def _map(self, pairs: int, depth: int) -> dict[Value, Value]:
        found: dict[Value, Value] = {}
        before = b""
        for _ in range(pairs):
            start = self.at
            key = self.item(1)
            if not isinstance(key, int | bytes | str) or isinstance(key, bool):
                raise CborRefused("A CBOR map has a key that is no number, text or byte string.")
            raw = self._data[start : self.at]
            if raw <= before:
                raise CborRefused("The keys of a CBOR map are out of order or doubled.")
            before = raw
            found[key] = self.item(depth - 1)
        return found

    def _other(self, info: int) -> float | bool | None:
        if info in _SIMPLE:
            return _SIMPLE[info]
        if info not in _FLOATS:
            raise CborRefused("A CBOR value of a kind that is not used here.")
        raw = self._take(struct.calcsize(_FLOATS[info]))
        value: float = struct.unpack(_FLOATS[info], raw)[0]
        if raw != _shortest(value):
            raise CborRefused("A CBOR number is written longer than it need be.")
        return value


def _shortest(value: float) -> bytes:
    if value != value:  # noqa: PLR0124 - one way to write what is not a number
        return b"\x7e\x00"
    for form in (">e", ">f"):
        try:
            raw = struct.pack(form, value)
        except OverflowError:
            continue
        if struct.unpack(form, raw)[0] == value:
            return raw
    return struct.pack(">d", value)

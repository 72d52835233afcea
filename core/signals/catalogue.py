"""The channel catalogue, read from `resources/channels.toml` and checked on load."""

import math
import re
import tomllib
from collections.abc import Collection, Iterator
from functools import cache
from importlib import resources

import msgspec

from core.model.channel import ChannelSpec
from core.model.errors import SmilescapeError

USUAL = frozenset({"hub", "heart_rate"})
"""Kinds of devices that have their rows in the strips whether they are bound or not."""


class CatalogueError(SmilescapeError):
    """A data file is inconsistent; the message names the file and the line."""

    code = "catalogue"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    channel: list[ChannelSpec]


class Catalogue:
    """Every channel, by number and by key."""

    def __init__(self, channels: list[ChannelSpec]) -> None:
        self._by_number = {spec.number: spec for spec in channels}
        self._by_key = {spec.key: spec for spec in channels}

    def __iter__(self) -> Iterator[ChannelSpec]:
        return iter(self._by_number.values())

    def __len__(self) -> int:
        return len(self._by_number)

    def number(self, number: int) -> ChannelSpec | None:
        """The channel with this wire number, None when this version does not know it."""
        return self._by_number.get(number)

    def key(self, key: str) -> ChannelSpec:
        """The channel with this key. Raises KeyError."""
        return self._by_key[key]

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    @property
    def strips(self) -> list[ChannelSpec]:
        """The channels drawn live at every chair, from the top row down."""
        return self.strips_of(USUAL)

    def strips_of(self, kinds: Collection[str]) -> list[ChannelSpec]:
        """The channels drawn live at a chair with these kinds of devices, from the top row down."""
        drawn = [(spec.row, spec) for spec in self if spec.row is not None and spec.source in kinds]
        return [spec for _, spec in sorted(drawn, key=lambda pair: pair[0])]

    def from_source(self, source: str) -> list[ChannelSpec]:
        """The channels that one kind of device measures."""
        return [spec for spec in self if spec.source == source]


def parse_catalogue(text: str, name: str = "channels.toml") -> Catalogue:
    """Check and read a catalogue.

    Raises:
        CatalogueError: naming file and line of the first fault.
    """
    try:
        channels = msgspec.convert(tomllib.loads(text), _File).channel
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{name}: {error}.", "Mend the file.") from error
    except msgspec.ValidationError as error:
        raise CatalogueError(f"{name}:{_line_of(text, str(error))}: {error}.", "Mend the entry.") from error
    starts = [number for number, line in enumerate(text.splitlines(), 1) if line.strip() == "[[channel]]"]
    numbers: set[int] = set()
    keys: set[str] = set()
    for line, spec in zip(starts, channels, strict=True):
        fault = channel_fault(spec, numbers, keys)
        if fault:
            raise CatalogueError(f"{name}:{line}: channel {spec.key!r} {fault}.", "Mend the entry.")
        numbers.add(spec.number)
        keys.add(spec.key)
    return Catalogue(channels)


@cache
def own_catalogue() -> Catalogue:
    """The catalogue that ships with the product. Raises CatalogueError."""
    return parse_catalogue((resources.files("resources") / "channels.toml").read_text(encoding="utf-8"))


@cache
def load_catalogue() -> Catalogue:
    """The catalogue that ships with the product, and what sound plug-ins bring. Raises CatalogueError."""
    from core.signals.plugins import load_plugins

    return Catalogue([*own_catalogue(), *(spec for plugin in load_plugins() for spec in plugin.channels)])


def channel_fault(spec: ChannelSpec, numbers: set[int], keys: set[str]) -> str:
    """What is wrong with a channel beside those that have these numbers and keys; empty when it is sound."""
    figures = (
        spec.rate_hz,
        spec.scale,
        spec.offset,
        spec.low,
        spec.high,
        spec.normal_low or 0.0,
        spec.normal_high or 0.0,
    )
    if not all(math.isfinite(figure) for figure in figures):
        return "has a figure that is no finite number"
    if not 0 <= spec.number <= 255:
        return f"has number {spec.number}, not one of 0-255"
    if spec.number in numbers:
        return f"repeats number {spec.number}"
    if spec.key in keys:
        return "stands twice"
    if spec.low >= spec.high:
        return f"has an empty range {spec.low} to {spec.high}"
    if spec.scale <= 0:
        return f"has scale {spec.scale}, which must be above 0"
    if spec.rate_hz <= 0 or abs(spec.period_us * spec.rate_hz - 1_000_000) > 1e-6 * 1_000_000:
        return f"has rate {spec.rate_hz} Hz, whose period is not a whole number of µs"
    return ""


def _line_of(text: str, message: str) -> int:
    """The line where the entry begins that msgspec's path (`$.channel[3].rate_hz`) points at."""
    found = re.search(r"\$\.channel\[(\d+)\]", message)
    starts = [number for number, line in enumerate(text.splitlines(), 1) if line.strip() == "[[channel]]"]
    index = int(found.group(1)) if found else 0
    return starts[index] if index < len(starts) else 1

"""The default limits, read from `resources/limits.toml` and checked on load."""

from functools import cache

import msgspec

from core.model.datafile import fault, parse, read_resource
from core.model.limits import Limit
from core.safety.limits import limit_fault
from core.signals.catalogue import Catalogue, load_catalogue


class LimitEntry(Limit, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit as `resources/limits.toml` gives it, with where its figure comes from."""

    source: str

    def limit(self) -> Limit:
        return Limit(**{name: getattr(self, name) for name in Limit.__struct_fields__})


class Tolerance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How near its baseline a channel must be before the recovery check passes, physical."""

    channel: str
    within: float


class _File(msgspec.Struct, forbid_unknown_fields=True):
    limit: list[LimitEntry]
    recovery: list[Tolerance] = []


class LimitTable(msgspec.Struct, frozen=True):
    """The default limits, their sources in the same order, and the recovery tolerances."""

    limits: tuple[Limit, ...]
    sources: tuple[str, ...]
    recovery: tuple[Tolerance, ...]


def parse_limits(text: str, channels: Catalogue, name: str = "limits.toml") -> LimitTable:
    """Check and read a limits file. Raises DataError, naming file and line."""
    file = parse(text, name, _File)
    for index, entry in enumerate(file.limit):
        what = "gives no source" if not entry.source else limit_fault(entry, channels)
        if what:
            raise fault(text, name, "limit", index, f"the limit of {entry.channel!r} {what}")
    for index, near in enumerate(file.recovery):
        if near.channel not in channels or near.within <= 0:
            raise fault(text, name, "recovery", index, f"{near.channel!r} is unknown, or its tolerance not above 0")
    return LimitTable(
        limits=tuple(entry.limit() for entry in file.limit),
        sources=tuple(entry.source for entry in file.limit),
        recovery=tuple(file.recovery),
    )


@cache
def load_limits() -> LimitTable:
    """The limits that ship with the product. Raises DataError."""
    return parse_limits(read_resource("limits.toml"), load_catalogue())

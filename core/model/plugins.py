"""Sensors of other makers: found by the metadata of installed packages, described by a data file, not run.

A package names its driver in the entry point group `smilescape.sensors`; the entry point's name is the kind of device.
Its `sensor.toml`, beside the driver, says which services it claims, which channels it brings, and the words for them.
Reading that imports nothing of the package: foreign code runs only once somebody connects such a sensor.
"""

import logging
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from core.model.channel import ChannelSpec

_log = logging.getLogger(__name__)

GROUP: Final = "smilescape.sensors"
DATA_FILE: Final = "sensor.toml"
FIRST_NUMBER: Final = 128
"""Channels of plug-ins are numbered from here to 255, ours below."""
_KIND: Final = re.compile(r"[a-z][a-z0-9_]{1,31}")
_SERVICE: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LARGEST: Final = 200_000


class ChannelWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people call a channel."""

    name: str
    short: str
    plain: str
    normal: str


class PluginWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words of one language. `kind`: what people call the device."""

    kind: str
    channel: dict[str, ChannelWords] = {}


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `sensor.toml` says. `services`: 128-bit UUIDs, in small letters."""

    services: tuple[str, ...]
    channel: tuple[ChannelSpec, ...]
    words: dict[str, PluginWords]


@dataclass(frozen=True, slots=True)
class Plugin:
    """One installed driver.

    Attributes:
        kind: the kind of device that it serves.
        driver: `module:class`.
        package: name and version of the package that brings it.
        manifest: None when there is a fault.
        fault: why it is left out; empty when it is used.
    """

    kind: str
    driver: str
    package: str
    manifest: Manifest | None
    fault: str = ""

    @property
    def services(self) -> tuple[str, ...]:
        return self.manifest.services if self.manifest is not None else ()

    @property
    def channels(self) -> tuple[ChannelSpec, ...]:
        return self.manifest.channel if self.manifest is not None else ()

    def words(self, language: str) -> dict[str, str]:
        """Sentences by dotted key; English where the language is missing."""
        words = self.manifest.words if self.manifest is not None else {}
        own = words.get(language) or words.get("en")
        if own is None:
            return {}
        table = {f"shell.device.kind.{self.kind}": own.kind}
        for key, said in own.channel.items():
            table |= {f"channel.{key}.{part}": sentence for part, sentence in msgspec.structs.asdict(said).items()}
        return table


@cache
def find_plugins() -> tuple[Plugin, ...]:
    """Every installed plug-in, by kind; a faulty one with its fault, which is logged."""
    found: dict[str, Plugin] = {}
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        plugin = _read(entry)
        if plugin.kind in found:
            if found[plugin.kind].driver == plugin.driver:  # the same package, found twice on the path
                continue
            plugin = Plugin(
                f"{plugin.kind}", plugin.driver, plugin.package, None, "repeats the kind of another package"
            )
        if plugin.fault:
            _log.warning("The sensor driver %s of %s is left out: it %s.", entry.name, plugin.package, plugin.fault)
        found.setdefault(plugin.kind, plugin)
    return tuple(found.values())


def _read(entry: metadata.EntryPoint) -> Plugin:
    package = f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else entry.value
    try:
        manifest = _manifest(entry.value)
        fault = _fault(entry.name, manifest)
    except (OSError, ImportError, ValueError, msgspec.ValidationError) as error:
        return Plugin(entry.name, entry.value, package, None, f"has no readable {DATA_FILE}: {error}")
    if fault:
        return Plugin(entry.name, entry.value, package, None, fault)
    channels = tuple(msgspec.structs.replace(spec, source=entry.name, pinned=False) for spec in manifest.channel)
    return Plugin(entry.name, entry.value, package, msgspec.structs.replace(manifest, channel=channels))


def _manifest(target: str) -> Manifest:
    """The data file beside a driver. Only the outermost package is looked for, which runs none of its code."""
    module = target.partition(":")[0]
    top, *inner = module.split(".")
    spec = find_spec(top)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(f"{top} is no package")
    folder = Path(next(iter(spec.submodule_search_locations))).joinpath(*inner[:-1])
    file = folder / DATA_FILE
    if file.stat().st_size > _LARGEST:
        raise ValueError("it is too large")
    return read_manifest(file.read_bytes())


def read_manifest(data: bytes) -> Manifest:
    """What the bytes of a data file say. Raises ValueError, msgspec.ValidationError: it is none."""
    return msgspec.convert(tomllib.loads(data.decode()), Manifest)


def _fault(kind: str, manifest: Manifest) -> str:
    if not _KIND.fullmatch(kind):
        return f"names a kind {kind!r}, which is not small letters, digits and underscores"
    if not manifest.services or not all(_SERVICE.fullmatch(service) for service in manifest.services):
        return "claims a service that is no 128-bit UUID in small letters"
    if "en" not in manifest.words:
        return "has no English words"
    keys = [spec.key for spec in manifest.channel]
    for spec in manifest.channel:
        if not FIRST_NUMBER <= spec.number <= 255:
            return f"numbers the channel {spec.key} {spec.number}, not {FIRST_NUMBER}-255"
        if spec.key != kind and not spec.key.startswith(f"{kind}_"):
            return f"calls a channel {spec.key}, which does not begin with {kind}"
    unsaid = [key for key in keys if key not in manifest.words["en"].channel]
    return f"has no words for the channel {unsaid[0]}" if unsaid else ""

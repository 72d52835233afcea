"""Every kind of device: which services say that it is one, who drives it, which channels it gives.

The one place that knows. Scan, engine and Set-up ask here; drivers are imported when a device is bound, not before.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Final

from bleak.uuids import normalize_uuid_16, normalize_uuid_str

from core.model.channel import ChannelSpec
from core.model.plugins import Plugin
from core.signals.catalogue import load_catalogue
from core.signals.plugins import load_plugins
from devices.hub.uuids import SERVICE as HUB_SERVICE

HUB: Final = "hub"
OTHER: Final = "other"
"""What a scan calls a device whose services nobody here knows."""
UNKNOWN: Final = "unknown"
"""What a bound device is when nobody here knows its kind any more."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of device.

    Attributes:
        key: stable name, in bindings, in `ChannelSpec.source` and below `shell.device.kind` in the words.
        services: advertised services, any of which says that a device is of this kind.
        driver: `module:class` of a `devices.vitals.driver.SensorDriver`; empty for the hub, which is no sensor, and for
            a sensor that a plug-in serves.
        plugin: the package of another maker that serves it.
    """

    key: str
    services: frozenset[str]
    driver: str = ""
    plugin: Plugin | None = None

    @property
    def is_sensor(self) -> bool:
        return self.key != HUB

    @property
    def channels(self) -> list[ChannelSpec]:
        """What it measures."""
        return load_catalogue().from_source(self.key)

    def driver_class(self) -> object:
        """The driver's class, imported now."""
        module, _, name = self.driver.partition(":")
        return getattr(import_module(module), name)


OURS: Final = (
    Kind(HUB, frozenset({HUB_SERVICE})),
    # Before the heart rate sensor: many an oximeter offers that service, too.
    Kind("pulse_oximeter", frozenset({normalize_uuid_16(0x1822)}), "devices.vitals.pulse_oximeter:PulseOximeterDriver"),
    Kind("thermometer", frozenset({normalize_uuid_16(0x1809)}), "devices.vitals.thermometer:ThermometerDriver"),
    Kind("heart_rate", frozenset({normalize_uuid_16(0x180D)}), "devices.vitals.heart_rate:HeartRateDriver"),
)
"""In the order in which they are asked about a device that advertises several services."""


@cache
def kinds() -> tuple[Kind, ...]:
    """Ours, then those of plug-ins that are sound; a plug-in cannot take a service away from another."""
    found, taken = list(OURS), {service for kind in OURS for service in kind.services}
    for plugin in load_plugins():
        services = frozenset(normalize_uuid_str(service) for service in plugin.services) - taken
        if not plugin.fault and services:
            found.append(Kind(plugin.kind, services, plugin=plugin))
            taken |= services
    return tuple(found)


def kind_named(key: str) -> Kind | None:
    """The kind with this key; None when nobody here knows it."""
    return next((kind for kind in kinds() if kind.key == key), None)


def kind_of(services: Collection[str]) -> Kind | None:
    """The kind of a device that advertises these services (128-bit UUIDs); None when nobody here knows it."""
    advertised = {service.lower() for service in services}
    return next((kind for kind in kinds() if kind.services & advertised), None)

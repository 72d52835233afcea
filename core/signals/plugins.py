"""Which plug-ins bring sound channels."""

import logging
from dataclasses import replace
from functools import cache

from core.model.plugins import Plugin, find_plugins
from core.signals.catalogue import channel_fault, own_catalogue

_log = logging.getLogger(__name__)


@cache
def load_plugins() -> tuple[Plugin, ...]:
    """Every installed plug-in; one whose channels make no sense, or collide with others, has a fault.

    Raises:
        CatalogueError: our own catalogue makes no sense.
    """
    ours = own_catalogue()
    numbers, keys = {spec.number for spec in ours}, {spec.key for spec in ours}
    kinds = {spec.source for spec in ours}
    checked = []
    for plugin in find_plugins():
        fault = plugin.fault or ("repeats a kind of ours" if plugin.kind in kinds else "")
        fault = fault or _collision(plugin, numbers, keys)
        if not fault:
            numbers |= {spec.number for spec in plugin.channels}
            keys |= {spec.key for spec in plugin.channels}
        if fault and not plugin.fault:
            _log.warning("The sensor driver %s of %s is left out: it %s.", plugin.kind, plugin.package, fault)
            plugin = replace(plugin, manifest=None, fault=fault)
        checked.append(plugin)
    return tuple(checked)


def _collision(plugin: Plugin, numbers: set[int], keys: set[str]) -> str:
    """What is wrong with a plug-in's channels, among themselves and beside those there are; empty when nothing is."""
    numbers, keys = set(numbers), set(keys)
    for spec in plugin.channels:
        problem = channel_fault(spec, numbers, keys)
        if problem:
            return f"has a channel {spec.key} that {problem}"
        numbers.add(spec.number)
        keys.add(spec.key)
    return ""

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
        for spec in plugin.channels:
            problem = channel_fault(spec, numbers, keys)
            fault = fault or (f"has a channel {spec.key} that {problem}" if problem else "")
            numbers.add(spec.number)
            keys.add(spec.key)
        if fault and not plugin.fault:
            _log.warning("The sensor driver %s of %s is left out: it %s.", plugin.kind, plugin.package, fault)
            plugin = replace(plugin, manifest=None, fault=fault)
        checked.append(plugin)
    return tuple(checked)

"""Imports a foreign driver without waiting for it for ever."""

import threading
from importlib import import_module
from typing import Final, Protocol

from core.model.plugins import Plugin
from devices.errors import DeviceError
from devices.plugins.api import Deliver, Driver

LOAD_S: Final = 10.0
_hanging: Final[set[str]] = set()
"""What hung in its import hangs until this process ends; it is not tried again, for each try would cost a thread."""


class PluginUnusable(DeviceError):  # noqa: N818 - what it is
    """A driver of another maker cannot be used; the message says why."""

    code = "device.plugin"


class DriverClass(Protocol):
    """Makes a driver for one connection."""

    def __call__(self, deliver: Deliver) -> Driver: ...


def load_driver(plugin: Plugin, seconds: float | None = None) -> DriverClass:
    """The class that a plug-in names. Blocks for `seconds` (LOAD_S) at most: call it in a thread from an event loop.

    Raises:
        PluginUnusable: it has a fault, cannot be imported, or its import does not end.
    """
    seconds = LOAD_S if seconds is None else seconds
    remedy = f"Mend or remove {plugin.package}. Everything else goes on."
    if plugin.fault:
        raise PluginUnusable(f"{plugin.package} {plugin.fault}.", remedy)
    if plugin.driver in _hanging:
        raise PluginUnusable(f"{plugin.package} hangs in its import.", remedy)
    found: list[DriverClass] = []
    failed: list[BaseException] = []

    def load() -> None:
        module, _, name = plugin.driver.partition(":")
        try:
            found.append(getattr(import_module(module), name))
        except BaseException as error:  # it is foreign: it may even call sys.exit
            failed.append(error)

    thread = threading.Thread(target=load, name=f"load {plugin.kind}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        _hanging.add(plugin.driver)
        raise PluginUnusable(f"{plugin.package} was not imported within {seconds:g} s.", remedy)
    if failed:
        raise PluginUnusable(
            f"{plugin.package} cannot be imported: {type(failed[0]).__name__}: {failed[0]}.", remedy
        ) from failed[0]
    if not callable(found[0]):
        raise PluginUnusable(f"{plugin.package} names {plugin.driver}, which is no class.", remedy)
    return found[0]

"""Makes the driver of a sensor, whoever wrote it."""

import asyncio
from collections.abc import Awaitable, Callable

from core.model.clock import Clock
from devices.kinds import Kind
from devices.plugins.host import HostedDriver
from devices.radio import Radio
from devices.tap import Tap
from devices.vitals.driver import SensorDriver, SensorListener


def make_driver(
    kind: Kind,
    radio: Radio,
    address: str,
    *,
    listener: SensorListener,
    clock: Clock,
    tap: Tap,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> SensorDriver:
    """A driver for a sensor of this kind. Raises ValueError for the hub, which is none."""
    if kind.plugin is not None:
        return HostedDriver(kind, radio, address, listener=listener, clock=clock, tap=tap, sleep=sleep)
    driver = kind.driver_class() if kind.driver else None
    if not isinstance(driver, type) or not issubclass(driver, SensorDriver):
        raise ValueError(f"{kind.key} is no kind of sensor")
    return driver(radio, address, listener=listener, clock=clock, tap=tap, sleep=sleep)

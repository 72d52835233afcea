"""What a sensor driver of another maker is given, and what it must be. See docs/sensor-drivers.md."""

from collections.abc import Callable, Sequence
from typing import Protocol


class Client(Protocol):
    """The connected sensor. It is found, connected and taken up again by the workstation.

    Every method but `has` raises `bleak.exc.BleakError` when the link is lost or the sensor refuses, and KeyError when
    it has no such characteristic. UUIDs are written out (128 bits); where several services have a characteristic, the
    one of a claimed service is meant.
    """

    @property
    def address(self) -> str: ...

    def has(self, characteristic: str) -> bool:
        """Whether the sensor has this characteristic."""
        ...

    async def read(self, characteristic: str) -> bytes: ...

    async def write(self, characteristic: str, data: bytes, *, response: bool = True) -> None: ...

    async def listen(self, characteristic: str, heard: Callable[[bytes], None]) -> None:
        """Subscribe to notifications or indications. `heard` is called with each, one after another."""
        ...


class Deliver(Protocol):
    """Takes what was measured."""

    def __call__(self, channel: str, values: Sequence[float], *, suspect: bool = False) -> None:
        """Samples of one channel of the driver's own, in its unit, at its rate, the newest last and measured now.

        What is not finite becomes a gap. `suspect`: measured, but the sensor doubts it.
        """
        ...


class Driver(Protocol):
    """What an entry point of the group `smilescape.sensors` names: a class, made anew for each connection.

    It runs in a thread of its own with an event loop of its own. An exception costs the frame that caused it.
    """

    def __init__(self, deliver: Deliver) -> None: ...

    async def start(self, client: Client) -> None:
        """The sensor is connected: set it up and listen to it. Raise ValueError when it is not one of yours."""
        ...

    async def ended(self) -> None:
        """The connection is gone."""
        ...

"""Who sits on the air at the hub: hears what crosses it, and may alter what is read in clear."""

from collections import deque
from collections.abc import Callable
from typing import Final

from devices.hub.session.wire import FromHub, ToHub

_KEPT: Final = 64


class Eavesdropper:
    """Hears what anybody in range hears, and keeps the newest of it.

    Attributes:
        written, notified: values in their order, with their stream; None for the handshake.
        reads: how often the identity was read in clear.
        lie: makes another of the identity in clear; None leaves it.
    """

    def __init__(self) -> None:
        self.written: deque[tuple[ToHub | None, bytes]] = deque(maxlen=_KEPT)
        self.notified: deque[tuple[FromHub | None, bytes]] = deque(maxlen=_KEPT)
        self.reads = 0
        self.lie: Callable[[bytes], bytes] | None = None

    def read(self, identity: bytes) -> bytes:
        """What arrives of the identity in clear."""
        self.reads += 1
        return identity if self.lie is None else self.lie(identity)

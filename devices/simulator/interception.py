"""A man in the middle: who sees every message of a link, and may drop, change, add, record and replay.

    def forge(pdu: Pdu, link: RadioLink) -> Iterable[Pdu]:
        return (pdu.with_value(b"more"),) if pdu.handle == CONTROL else (pdu,)

    with air.link.intercept(forge): ...
    recorder = Recorder(); air.link.intercept(recorder)
    replay(recorder.pdus, another_link)
    link.inject(notification(handle, b"forged"))

It stands between the hosts, above the Link Layer, as whoever sits in a hub's or a workstation's radio, or holds the
link's keys, would. The product relies on no encryption of the link, so nothing here has to break one.
"""

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from devices.simulator.pdu import Pdu

if TYPE_CHECKING:
    from devices.simulator.radio_link import RadioLink

Interceptor = Callable[[Pdu, "RadioLink"], Iterable[Pdu]]
"""Takes a message that is on its way and returns what goes on instead: it, nothing, something else, more."""
Where = Callable[["RadioLink"], bool]
"""Which connections to sit in."""


class Interception:
    """An interceptor at work, until closed; also a context."""

    def __init__(self, interceptor: Interceptor, where: Where, end: Callable[["Interception"], None]) -> None:
        self.interceptor = interceptor
        self.where = where
        self._end = end

    def close(self) -> None:
        """From now on messages pass untouched. Twice is once."""
        self._end(self)

    def __enter__(self) -> "Interception":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Recorder:
    """An interceptor that keeps what passes and harms nothing.

    Attributes:
        pdus: in the order of their passing.
    """

    def __init__(self, wanted: Callable[[Pdu], bool] = lambda _: True) -> None:
        self.pdus: list[Pdu] = []
        self._wanted = wanted

    def __call__(self, pdu: Pdu, link: "RadioLink") -> Iterable[Pdu]:
        if self._wanted(pdu):
            self.pdus.append(pdu)
        return (pdu,)


def replay(pdus: Iterable[Pdu], link: "RadioLink") -> None:
    """Put recorded messages into a live link again, each in its own direction.

    Raises:
        LinkGone: the link has ended.
    """
    for pdu in tuple(pdus):
        link.inject(pdu)

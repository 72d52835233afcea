"""What a tester tells the simulated air, one JSON object a line: `{"type": "jam", "radio": 1, "seconds": 2}`."""

from typing import Final, Literal

import msgspec

from devices.simulator.link_model import (
    INTERVAL_UNIT_MS,
    LARGEST_PACKET,
    LONGEST_INTERVAL,
    SHORTEST_INTERVAL,
    SMALLEST_PACKET,
    Phy,
)
from devices.simulator.pdu import SMALLEST_MTU

LARGEST_MTU: Final = 517

Way = Literal["sent", "received", "both"]
"""Which messages of a radio; with "both", each way counts by itself."""


class AirMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of all. `radio`: its number; None for every radio."""

    radio: int | None = None


class SetRange(AirMessage, frozen=True, kw_only=True, tag="range"):
    """Carry a radio out of everybody's range, so that its links end at once, or back into it."""

    in_range: bool


class SetTiming(AirMessage, frozen=True, kw_only=True, tag="timing"):
    """How a radio's links are timed. Of two radios the slower decides, and both hosts are told.

    Attributes:
        interval_ms: connection interval, 7.5–4000 in steps of 1.25, whatever hosts ask for; 0: packets pass at once.
        phy: megabits a second.
        octets: data length, 27–251.
    """

    interval_ms: float = 0.0
    phy: Phy = 2
    octets: int = LARGEST_PACKET

    def __post_init__(self) -> None:
        units = self.interval_ms / INTERVAL_UNIT_MS
        if units != 0 and (units != int(units) or not SHORTEST_INTERVAL <= units <= LONGEST_INTERVAL):
            raise ValueError(f"a connection interval is 7.5 to 4000 ms in steps of 1.25 ms, not {self.interval_ms}")
        if not SMALLEST_PACKET <= self.octets <= LARGEST_PACKET:
            raise ValueError(f"a data length is 27 to 251 octets, not {self.octets}")


class SetErrors(AirMessage, frozen=True, kw_only=True, tag="errors"):
    """So large a part of a radio's packets is damaged and sent again: loss on the air is delay for the hosts."""

    rate: float = 0.0

    def __post_init__(self) -> None:
        _check_rate(self.rate)


class Jam(AirMessage, frozen=True, kw_only=True, tag="jam"):
    """Nothing that a radio sends or should hear gets through for so long; 0 ends it."""

    seconds: float


class MessageFault(AirMessage, frozen=True, kw_only=True):
    """A fault of hosts, to their messages (`message_faults.py`): by probability, and surely for the next `count`.

    Attributes:
        everything: requests and responses, too; one lost blocks a client for 30 s.
    """

    way: Way = "both"
    rate: float = 0.0
    count: int = 0
    everything: bool = False

    def __post_init__(self) -> None:
        _check_rate(self.rate)


class Lose(MessageFault, frozen=True, kw_only=True, tag="lose"):
    pass


class Duplicate(MessageFault, frozen=True, kw_only=True, tag="duplicate"):
    pass


class Reorder(MessageFault, frozen=True, kw_only=True, tag="reorder"):
    """A message is overtaken by 1 to `by` later ones."""

    by: int = 3


class Corrupt(MessageFault, frozen=True, kw_only=True, tag="corrupt"):
    """One bit of what is written or notified turns over."""


class Delay(AirMessage, frozen=True, kw_only=True, tag="delay"):
    """Every message comes later by `seconds` and up to `jitter` more, in order."""

    way: Way = "both"
    seconds: float = 0.0
    jitter: float = 0.0


class CutAtWrite(AirMessage, frozen=True, kw_only=True, tag="cut_at_write"):
    """The link ends with the nth write from now, with or without response; 0 withdraws it.

    Attributes:
        handle: only writes of this attribute count; None for any.
        delivered: the write still reaches the peer, but no answer comes back.
    """

    nth: int = 1
    handle: int | None = None
    delivered: bool = False


class SetMtu(AirMessage, frozen=True, kw_only=True, tag="mtu"):
    """How a radio's host takes part in the exchange of ATT's MTU.

    Attributes:
        largest: what it can; both ends then use no more.
        delay: seconds that its answer takes.
        answered: False: it never answers.
    """

    largest: int = LARGEST_MTU
    delay: float = 0.0
    answered: bool = True

    def __post_init__(self) -> None:
        if not SMALLEST_MTU <= self.largest <= LARGEST_MTU:
            raise ValueError(f"an ATT MTU here is 23 to 517, not {self.largest}")


class Calm(AirMessage, frozen=True, kw_only=True, tag="calm"):
    """Nothing is wrong any more."""


AirControl = (
    SetRange | SetTiming | SetErrors | Jam | Lose | Duplicate | Reorder | Corrupt | Delay | CutAtWrite | SetMtu | Calm
)

_DECODER: Final = msgspec.json.Decoder(AirControl)


def encode_air_control(message: AirControl) -> bytes:
    """One line, with its end."""
    return msgspec.json.encode(message) + b"\n"


def decode_air_control(line: bytes) -> AirControl:
    """One line. Raises msgspec.MsgspecError when it is no such message."""
    message: AirControl = _DECODER.decode(line)
    return message


def _check_rate(rate: float) -> None:
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"a rate is 0 to 1, not {rate}")

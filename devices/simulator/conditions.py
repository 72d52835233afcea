"""What one radio suffers, whoever it is linked with and whichever host uses it."""

from typing import Final

import msgspec

from devices.simulator.air_control import (
    AirControl,
    Calm,
    Corrupt,
    CutAtWrite,
    Delay,
    Duplicate,
    Jam,
    Lose,
    Reorder,
    SetErrors,
    SetMtu,
    SetRange,
    SetTiming,
    Way,
)
from devices.simulator.link_model import INTERVAL_UNIT_MS, Quality, Terms
from devices.simulator.message_faults import MessageFaults, Mishap
from devices.simulator.pdu import WRITE_COMMAND, WRITE_REQUEST, Pdu

USUAL_MTU: Final = SetMtu()


class RadioConditions:
    """One radio's part in the state of the air; `tell` changes it.

    Attributes:
        in_range: whether anything it sends is heard and anything sent is heard by it.
        timing, errors, mtu: as they were told last.
        jammed_until: in the timers' seconds.
        sent, received: what happens to its messages.
        cut: the write that will end its link; None for none.
    """

    def __init__(self) -> None:
        self.sent, self.received = MessageFaults(), MessageFaults()
        self._calm()

    def _calm(self) -> None:
        self.in_range = True
        self.timing = SetTiming()
        self.errors = 0.0
        self.jammed_until = 0.0
        self.mtu = USUAL_MTU
        self.cut: CutAtWrite | None = None
        for faults in self._ways("both"):
            faults.calm()

    def tell(self, message: AirControl, now: float) -> None:
        """Take one message in, whatever radio it names."""
        match message:
            case SetRange():
                self.in_range = message.in_range
            case SetTiming():
                self.timing = message
            case SetErrors():
                self.errors = message.rate
            case Jam():
                self.jammed_until = now + message.seconds
            case Delay():
                for faults in self._ways(message.way):
                    faults.delay_s, faults.jitter_s = message.seconds, message.jitter
            case CutAtWrite():
                self.cut = message if message.nth > 0 else None
            case SetMtu():
                self.mtu = msgspec.structs.replace(message, radio=None)
            case Calm():
                self._calm()
            case Lose() | Duplicate() | Reorder() | Corrupt():
                for faults in self._ways(message.way):
                    _mishap(faults, message).set(rate=message.rate, count=message.count, everything=message.everything)
                    if isinstance(message, Reorder):
                        faults.reorder_by = message.by

    def _ways(self, way: Way) -> tuple[MessageFaults, ...]:
        return {"sent": (self.sent,), "received": (self.received,), "both": (self.sent, self.received)}[way]

    def hears(self, now: float) -> bool:
        """Whether the air carries anything from and to this radio."""
        return self.in_range and now >= self.jammed_until

    @property
    def interval(self) -> int:
        """In HCI's unit of 1.25 ms; 0: not modelled."""
        return round(self.timing.interval_ms / INTERVAL_UNIT_MS)

    @property
    def meddles(self) -> bool:
        """Whether whole messages have anything to fear."""
        return self.sent.possible or self.received.possible or self.cut is not None or self.mtu != USUAL_MTU

    def cuts_at(self, pdu: Pdu) -> CutAtWrite | None:
        """The order to cut, when this message is the write that it waits for."""
        cut = self.cut
        if cut is None or pdu.opcode not in (WRITE_REQUEST, WRITE_COMMAND) or cut.handle not in (None, pdu.handle):
            return None
        self.cut = msgspec.structs.replace(cut, nth=cut.nth - 1) if cut.nth > 1 else None
        return cut if self.cut is None else None


def agreed(asked: Terms, one: RadioConditions, other: RadioConditions) -> Terms:
    """What two radios make of what the central's host asked for."""
    return asked.at_interval(max(one.interval, other.interval) or asked.interval)


def quality(one: RadioConditions, other: RadioConditions, share: int) -> Quality:
    """How the air carries packets between two radios that share it with so many links."""
    return Quality(
        paced=one.interval > 0 or other.interval > 0,
        errors=1.0 - (1.0 - one.errors) * (1.0 - other.errors),
        phy=min(one.timing.phy, other.timing.phy),
        octets=min(one.timing.octets, other.timing.octets),
        share=share,
        jammed_until=max(one.jammed_until, other.jammed_until),
    )


def with_mtu(pdu: Pdu, largest: int) -> Pdu:
    """A request for an MTU, or the answer, that says no more than `largest`."""
    if len(pdu.payload) != 3:
        return pdu
    said = int.from_bytes(pdu.payload[1:], "little")
    return msgspec.structs.replace(pdu, payload=pdu.payload[:1] + min(said, largest).to_bytes(2, "little"))


def _mishap(faults: MessageFaults, message: Lose | Duplicate | Reorder | Corrupt) -> Mishap:
    match message:
        case Lose():
            return faults.lose
        case Duplicate():
            return faults.duplicate
        case Reorder():
            return faults.reorder
        case Corrupt():
            return faults.corrupt

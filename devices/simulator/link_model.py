"""The Link Layer of one connection: events at an interval, acknowledged packets, supervision. It knows no stack.

After the Core Specification, Volume 6, Part B: packets (2.1), connection events and when they close (4.5.1, 4.5.6),
supervision (4.5.2), acknowledgement by SN and NESN (4.5.9). Loss is therefore delay: what arrives is complete and in
order, until the supervision timeout ends the link. A packet error is a damaged packet that its receiver notices; two
in a row close the event. Peripheral latency is 0.
"""

import math
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Final, Literal

import msgspec

from devices.simulator.timers import Cancellable, Timers

Phy = Literal[1, 2]
"""Megabits a second."""

INTERVAL_UNIT_MS: Final = 1.25
TIMEOUT_UNIT_MS: Final = 10
SHORTEST_INTERVAL: Final = 6
LONGEST_INTERVAL: Final = 3200
LARGEST_PACKET: Final = 251
SMALLEST_PACKET: Final = 27
IFS_S: Final = 150e-6
"""Between two packets."""
_FRAMING_OCTETS: Final = {1: 10, 2: 11}
"""Preamble, access address, header and CRC."""
_NEVER: Final = -math.inf
_LATEST_S: Final = 1.0
"""A process that stood still for longer was not on the air meanwhile, and nobody missed it."""


def airtime_s(octets: int, phy: Phy = 2) -> float:
    """How long a data packet of so many octets is on the air; 0 octets: an empty packet."""
    return (octets + _FRAMING_OCTETS[phy]) * 8e-6 / phy


class Terms(msgspec.Struct, frozen=True):
    """What two ends agreed on, in HCI's units: interval of 1.25 ms, supervision timeout of 10 ms."""

    interval: int
    timeout: int

    @property
    def interval_s(self) -> float:
        return self.interval * INTERVAL_UNIT_MS / 1000

    @property
    def timeout_s(self) -> float:
        return self.timeout * TIMEOUT_UNIT_MS / 1000

    def at_interval(self, interval: int) -> "Terms":
        """The same at another interval, with a timeout of more than two intervals, as the specification demands."""
        return Terms(interval, max(self.timeout, interval // 4 + 1))


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """What the air does to a connection.

    Attributes:
        paced: packets wait for connection events; otherwise they pass at once while nothing is wrong.
        errors: probability that a packet arrives damaged.
        octets: data length, the most that one packet carries.
        share: how many connections share the busier of the two radios: each has that part of an interval.
        jammed_until: nothing is heard before, in the timers' seconds.
    """

    paced: bool = False
    errors: float = 0.0
    phy: Phy = 2
    octets: int = LARGEST_PACKET
    share: int = 1
    jammed_until: float = _NEVER


class _Sdu:
    """What somebody gave to send, and what to call when all of it arrived, and when that is known here."""

    __slots__ = ("acknowledged", "delivered", "left")

    def __init__(self, octets: int, delivered: Callable[[], None], acknowledged: Callable[[], None]) -> None:
        self.left = max(1, octets)
        self.delivered = delivered
        self.acknowledged = acknowledged


class End:
    """One side of a connection: its queue and its sequence numbers.

    Attributes:
        more: the MD bit of its last packet: it has more to send.
        resent: packets sent again, as the answer did not acknowledge them.
        damaged: packets heard damaged.
    """

    def __init__(self, now: float) -> None:
        self.queue: deque[_Sdu] = deque()
        self.last_heard = now
        self.more = False
        self.resent = 0
        self.damaged = 0
        self.damaged_in_a_row = 0
        self._sn = 0
        self._nesn = 0
        self._piece = 0
        self._waiting = False
        self._arrived = False

    def offer(self, octets: int) -> int:
        """The size of the packet that is sent now: the same one until it is acknowledged."""
        if self._waiting:
            self.resent += 1
        else:
            self._waiting, self._arrived = True, False
            self._piece = min(self.queue[0].left, octets) if self.queue else 0
        first = self.queue[0].left if self.queue else 0
        self.more = first > self._piece or len(self.queue) > 1
        return self._piece

    def hear(self, other: "End") -> list[Callable[[], None]]:
        """Take in the other's packet undamaged; whom to tell about it."""
        tell: list[Callable[[], None]] = []
        if self._waiting and other._nesn != self._sn:
            tell += self._acknowledge()
        if other._sn == self._nesn:
            self._nesn ^= 1
            other._arrived = True
            if other._piece and other.queue[0].left == other._piece:
                tell.append(other.queue[0].delivered)
        return tell

    def _acknowledge(self) -> list[Callable[[], None]]:
        self._sn ^= 1
        self._waiting = False
        if not self._piece:
            return []
        self.queue[0].left -= self._piece
        return [] if self.queue[0].left else [self.queue.popleft().acknowledged]

    def upcoming(self, octets: int) -> int:
        """The size of the next packet with news in it; 0 when there is none."""
        if not (self._waiting and self._arrived and self._piece):
            return min(self.queue[0].left, octets) if self.queue else 0
        rest = self.queue[0].left - self._piece
        if not rest and len(self.queue) > 1:
            rest = self.queue[1].left
        return min(rest, octets)


class LinkLayer:
    """One connection. Give it packets with `send`; `tune` it as the air changes; `close` it when the link has ended.

    Args:
        lost: called once, when the supervision timeout has passed.

    Attributes:
        ideal: nothing waits and nothing would have to: packets may as well be handed over at once.
        events: connection events held; idle ones of a faultless air are not counted.
    """

    def __init__(self, timers: Timers, random: Random, terms: Terms, *, lost: Callable[[], None]) -> None:
        now = timers.now()
        self.terms = terms
        self.ideal = True
        self.events = 0
        self.central = End(now)
        self.peripheral = End(now)
        self._timers = timers
        self._random = random
        self._lost = lost
        self._quality = Quality()
        self._timer: Cancellable | None = None
        self._resting = True
        self._in_event = False
        self._closed = False
        self._anchor = self._opens = now
        self._packet_end = 0.0
        self._event_end = 0.0
        self._central_speaks = True

    def send(
        self, end: End, octets: int, *, delivered: Callable[[], None], acknowledged: Callable[[], None] = lambda: None
    ) -> None:
        """Queue something for the other end. Without effect once closed."""
        if self._closed:
            return
        end.queue.append(_Sdu(octets, delivered, acknowledged))
        if self._resting:
            self._leave_rest()
            self._plan()

    def tune(self, terms: Terms, quality: Quality) -> None:
        """From now on the air is like this. A jam and a new interval break off an event under way."""
        if self._closed or (terms, quality) == (self.terms, self._quality):
            return
        now = self._timers.now()
        retimed, jammed = terms.interval != self.terms.interval, quality.jammed_until > now
        self._leave_rest()
        self.terms, self._quality = terms, quality
        if retimed:
            # Whoever keeps several connections gives each a place of its own in time; they do not all begin together.
            self._anchor = now - terms.interval_s * self._random.random()
        if retimed or jammed or not self._in_event:
            self._plan()

    def close(self) -> None:
        """No event, no call any more."""
        self._closed = True
        self._in_event = False
        self._disarm()
        self.central.queue.clear()
        self.peripheral.queue.clear()

    def _leave_rest(self) -> None:
        # Events without data that a faultless air was spared were heard all the same.
        if self._resting:
            self._resting = False
            self.central.last_heard = self.peripheral.last_heard = self._timers.now()

    def _plan(self) -> None:
        """Choose what comes next: the end of a jam, an event, or rest."""
        self._disarm()
        now, jammed_until = self._timers.now(), self._quality.jammed_until
        # A timer that was late must not cost the next event, so time goes on where the last packet ended.
        since, self._in_event = self._packet_end if self._in_event else now, False
        if since < now - _LATEST_S:
            since = self.central.last_heard = self.peripheral.last_heard = now
        if jammed_until > now:
            self._arm(min(jammed_until, self._deadline()), self._jam_over)
        elif self.central.queue or self.peripheral.queue or self._quality.errors > 0:
            self._opens = self._next_anchor(since)
            self._arm(self._opens, self._open_event)
        else:
            self._resting = True
        self.ideal = self._resting and not self._quality.paced

    def _next_anchor(self, since: float) -> float:
        interval = self.terms.interval_s
        return self._anchor + interval * max(1, math.ceil((since - self._anchor) / interval - 1e-9))

    def _deadline(self) -> float:
        return min(self.central.last_heard, self.peripheral.last_heard) + self.terms.timeout_s

    def _overdue(self, at: float) -> bool:
        if at < self._deadline():
            return False
        self.close()
        self._lost()
        return True

    def _jam_over(self) -> None:
        if not self._overdue(self._timers.now()):
            self._plan()

    def _open_event(self) -> None:
        if self._overdue(self._opens):
            return
        self.events += 1
        self._anchor = self._opens
        self._event_end = self._anchor + self.terms.interval_s / self._quality.share - IFS_S
        self.central.damaged_in_a_row = self.peripheral.damaged_in_a_row = 0
        self._in_event = True
        self._central_speaks = True
        self._packet_end = self._anchor + self._airtime(self.central.offer(self._quality.octets))
        self._arm(self._packet_end, self._packets_over)

    def _packets_over(self) -> None:
        """A packet has ended; more than one when the timer was late."""
        while self._in_event and self._packet_end <= self._timers.now():
            self._packet_over()
        if self._in_event:
            self._arm(self._packet_end, self._packets_over)

    def _packet_over(self) -> None:
        speaker, listener = self.central, self.peripheral
        if not self._central_speaks:
            speaker, listener = listener, speaker
        tell: list[Callable[[], None]] = []
        if self._quality.errors > 0 and self._random.random() < self._quality.errors:
            listener.damaged += 1
            listener.damaged_in_a_row += 1
        else:
            listener.damaged_in_a_row = 0
            listener.last_heard = self._packet_end
            tell = listener.hear(speaker)
        if self._central_speaks or self._goes_on():
            self._central_speaks = not self._central_speaks
            self._packet_end += IFS_S + self._airtime(listener.offer(self._quality.octets))
        else:
            self._plan()
        # Last: whoever is told may send, tune or close.
        for each in tell:
            if not self._closed:
                each()

    def _goes_on(self) -> bool:
        """Whether another exchange follows in this event: somebody said that there is more, and it fits."""
        ends = (self.central, self.peripheral)
        said = self.central.more or (self.peripheral.more and not self.central.damaged_in_a_row)
        if not said or any(end.damaged_in_a_row > 1 for end in ends):
            return False
        there, back = (end.upcoming(self._quality.octets) for end in ends)
        lasts = IFS_S + self._airtime(there) + IFS_S + self._airtime(back)
        return self._packet_end + lasts <= self._event_end + 1e-9

    def _airtime(self, octets: int) -> float:
        return airtime_s(octets, self._quality.phy)

    def _arm(self, when: float, callback: Callable[[], None]) -> None:
        self._timer = self._timers.call_at(when, callback)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

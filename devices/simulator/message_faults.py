"""What real stacks do to whole messages: lose, double, overtake, delay and damage them. Above the Link Layer.

The Link Layer itself loses and reorders nothing. A host whose queue overflows drops a notification; a defective
stack hands one over twice or late. ATT has no number to notice by, so a client must. Requests and their responses are
left alone unless `everything` is set: ATT allows one request at a time, and one lost answer blocks a client for the
30 seconds of ATT's own timeout and ends its bearer. That is another fault than a lost notification.
"""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Final

import msgspec

from devices.simulator.pdu import Pdu
from devices.simulator.timers import Cancellable, Timers

LONGEST_HOLD_S: Final = 0.5
"""A message that waits to be overtaken goes on by itself after this."""


class Mishap:
    """One kind of fault: by probability, for so many messages, or both.

    Attributes:
        rate: probability for each message.
        count: how many messages it surely strikes next.
        everything: strikes requests and responses, too.
    """

    def __init__(self) -> None:
        self.set()

    def set(self, *, rate: float = 0.0, count: int = 0, everything: bool = False) -> None:
        self.rate, self.count, self.everything = rate, count, everything

    def strikes(self, pdu: Pdu, random: Random) -> bool:
        if not (pdu.unanswered or self.everything):
            return False
        if self.count > 0:
            self.count -= 1
            return True
        return self.rate > 0 and random.random() < self.rate

    @property
    def possible(self) -> bool:
        return self.rate > 0 or self.count > 0


class MessageFaults:
    """What happens to the messages that one radio sends, or to those that it receives.

    Attributes:
        reorder_by: how many later messages overtake one at most.
        delay_s: every message comes so much later, in order.
        jitter_s: and up to so much more.
    """

    def __init__(self) -> None:
        self.lose, self.duplicate, self.reorder, self.corrupt = Mishap(), Mishap(), Mishap(), Mishap()
        self.reorder_by = 1
        self.delay_s = 0.0
        self.jitter_s = 0.0

    def calm(self) -> None:
        """Nothing happens any more."""
        for mishap in (self.lose, self.duplicate, self.reorder, self.corrupt):
            mishap.set()
        self.delay_s = self.jitter_s = 0.0

    @property
    def possible(self) -> bool:
        """Whether anything can happen to the next message."""
        mishaps = (self.lose, self.duplicate, self.reorder, self.corrupt)
        return self.delay_s > 0 or self.jitter_s > 0 or any(mishap.possible for mishap in mishaps)


class MessagePath:
    """The way of one connection's messages through one radio's faults."""

    def __init__(self, faults: MessageFaults, timers: Timers, random: Random, deliver: Callable[[Pdu], None]) -> None:
        self._faults = faults
        self._timers = timers
        self._random = random
        self._deliver = deliver
        self._seen = 0
        self._held: list[tuple[int, Pdu]] = []
        self._held_timer: Cancellable | None = None
        self._late: deque[tuple[float, Pdu]] = deque()
        self._late_timer: Cancellable | None = None

    @property
    def clear(self) -> bool:
        """Whether a message passes unharmed and overtakes none."""
        return not (self._held or self._late or self._faults.possible)

    def carry(self, pdu: Pdu) -> None:
        """Let happen what happens, and hand over what is left."""
        faults, random = self._faults, self._random
        if faults.lose.strikes(pdu, random):
            return
        if faults.corrupt.strikes(pdu, random):
            pdu = self._damaged(pdu)
        twice = faults.duplicate.strikes(pdu, random)
        self._seen += 1
        if faults.reorder.strikes(pdu, random):
            self._hold(pdu, random.randint(1, max(1, faults.reorder_by)))
        else:
            self._delay(pdu)
        if twice:
            self._delay(pdu)
        self._release(self._seen)

    def close(self) -> None:
        """The link has ended: what was under way is lost with it."""
        for timer in (self._held_timer, self._late_timer):
            if timer is not None:
                timer.cancel()
        self._held.clear()
        self._late.clear()

    def _damaged(self, pdu: Pdu) -> Pdu:
        """One bit turns over, behind opcode and handle, so that the message still finds its reader."""
        head = 1 if pdu.handle is None else 3
        if len(pdu.payload) <= head:
            return pdu
        payload = bytearray(pdu.payload)
        bit = self._random.randrange(head * 8, len(payload) * 8)
        payload[bit // 8] ^= 1 << bit % 8
        return msgspec.structs.replace(pdu, payload=bytes(payload))

    def _hold(self, pdu: Pdu, overtaken_by: int) -> None:
        self._held.append((self._seen + overtaken_by, pdu))
        if self._held_timer is None:
            self._held_timer = self._timers.call_at(self._timers.now() + LONGEST_HOLD_S, self._release)

    def _release(self, seen: int | None = None) -> None:
        """Let go whatever waits for no more messages than were seen; everything when None."""
        if not self._held:
            return
        held, self._held = self._held, []
        for until, pdu in held:
            if seen is None or until <= seen:
                self._delay(pdu)
            else:
                self._held.append((until, pdu))
        if not self._held and self._held_timer is not None:
            self._held_timer.cancel()
            self._held_timer = None

    def _delay(self, pdu: Pdu) -> None:
        extra = self._faults.delay_s
        if self._faults.jitter_s > 0:
            extra += self._random.uniform(0, self._faults.jitter_s)
        if extra <= 0 and not self._late:
            self._deliver(pdu)
            return
        due = self._timers.now() + extra
        if self._late:
            due = max(due, self._late[-1][0])
        self._late.append((due, pdu))
        if self._late_timer is None:
            self._late_timer = self._timers.call_at(due, self._arrive)

    def _arrive(self) -> None:
        self._late_timer = None
        while self._late and self._late[0][0] <= self._timers.now():
            self._deliver(self._late.popleft()[1])
        if self._late:
            self._late_timer = self._timers.call_at(self._late[0][0], self._arrive)

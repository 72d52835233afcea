"""One link to a simulated hub, bytes in and bytes out: handshake, records, segments (sections 1, 4 and 5)."""

from collections.abc import Iterable
from typing import NamedTuple

from core.model.clock import Clock
from devices.errors import FrameError
from devices.hub.commands import STOP_PLAINTEXT
from devices.hub.session.errors import MessageMalformed, RecordRefused, SegmentRefused, SessionSpent
from devices.hub.session.segments import Joiner, split
from devices.hub.session.wire import (
    FIRST,
    HANDSHAKE_SECONDS,
    MAX_CONTROL,
    MAX_PLAINTEXT,
    MIN_MTU,
    MOST_REFUSED,
    FromHub,
    Refusal,
    ToHub,
)
from devices.simulator.brain import Brain
from devices.simulator.client import Answer
from devices.simulator.session.handshake import HubHandshake, refuse_mtu


class NoSession(FrameError):  # noqa: N818 - named for what is the case
    """What was written needs a session, and none stands."""

    code = "simulator.no_session"

    def __init__(self) -> None:
        super().__init__("There is no session.", "Shake hands first.")


class Outgoing(NamedTuple):
    """A value to be notified. `stream` None: on Handshake, in clear; otherwise to be sealed when it is sent."""

    stream: FromHub | None
    value: bytes


class HubLink:
    """One client, from its connection to its end.

    Attributes:
        mtu: ATT MTU of the link as the hub sees it.
        drop: the hub has to end the link, once what is on its way has left.
    """

    def __init__(self, brain: Brain, clock: Clock) -> None:
        self._brain = brain
        self._clock = clock
        self._until = clock.monotonic() + HANDSHAKE_SECONDS
        self._handshake: HubHandshake | None = None
        self._control = Joiner(MAX_CONTROL)
        self._refused_records = 0
        self.mtu = 23
        self.drop = False

    @property
    def overdue(self) -> bool:
        """No session stands, though there was time for one."""
        return self._brain.client is None and self._clock.monotonic() >= self._until

    def shake_hands(self, value: bytes) -> list[Outgoing]:
        """A value of the handshake; what to notify."""
        if self._brain.client is None and self.mtu < MIN_MTU:
            if not value or not value[0] & FIRST:
                return []
            self._brain.logbook.refused(Refusal.MTU)
            return [Outgoing(None, part) for part in refuse_mtu(self.mtu)]
        handshake = self._handshake or self._new_handshake()
        begun = handshake.session is not None
        out = [Outgoing(None, part) for part in handshake.feed(value)]
        self.drop = self.drop or handshake.drop
        if handshake.session is not None and not begun:
            identity = self._brain.begin_session(handshake.session)
            out += [*_segments(FromHub.DOCUMENTS, identity), *self.status()]
        return out

    def write(self, stream: ToHub, value: bytes) -> list[Outgoing]:
        """A record written to the characteristic of this stream; what to notify.

        Raises:
            NoSession: none stands, or it has ended.
            RecordRefused, SegmentRefused: nothing of it is used.
            FrameError: what it carries is too short to be answered.
        """
        client = self._brain.client
        if client is None or self.drop:
            raise NoSession
        try:
            plaintext = client.session.opener.open(stream, value)
            if stream is not ToHub.CONTROL:
                return self._answer(stream, plaintext)
            whole = self._control.add(plaintext, client.session.opener.last(stream))
        except (RecordRefused, SegmentRefused):
            self._refused_records += 1
            self.drop = self.drop or self._refused_records >= MOST_REFUSED
            raise
        return [] if whole is None else self._answer(stream, whole[1])

    def telemetry(self, frames: Iterable[bytes]) -> list[Outgoing]:
        """Live frames, if they are wanted."""
        client = self._brain.client
        wanted = client is not None and client.streaming and not self.drop
        return [Outgoing(FromHub.TELEMETRY, frame) for frame in frames] if wanted else []

    def history(self) -> Outgoing | None:
        """The next of a fetch under way."""
        client = self._brain.client
        if client is None or not client.fetch or self.drop:
            return None
        frame = client.fetch.popleft()
        if not client.fetch:
            client.fetch = None
        return Outgoing(FromHub.HISTORY, frame)

    def status(self) -> list[Outgoing]:
        client = self._brain.client
        return [Outgoing(FromHub.STATUS, self._brain.status())] if client is not None and not self.drop else []

    def seal(self, out: Outgoing) -> bytes | None:
        """The value as it goes on the air, to be sent at once. None: there is no session for it any more."""
        if out.stream is None:
            return out.value
        client = self._brain.client
        if client is None:
            return None
        try:
            return client.session.sealer.seal(out.stream, out.value)
        except SessionSpent:
            self.drop = True
            return None

    def close(self) -> None:
        """The link is gone, and the session with it."""
        self._brain.end_session()

    def _new_handshake(self) -> HubHandshake:
        vault = self._brain.vault
        self._handshake = HubHandshake(
            vault.key, vault.trust, self._clock, room=self.mtu - 3, refused=self._brain.logbook.refused
        )
        return self._handshake

    def _answer(self, stream: ToHub, message: bytes) -> list[Outgoing]:
        brain, client = self._brain, self._brain.client
        assert client is not None
        before = brain.shown()
        match stream:
            case ToHub.CONTROL:
                answer = brain.desk.command(message, client)
            case ToHub.STOP:
                if not message.startswith(STOP_PLAINTEXT):
                    raise MessageMalformed("this is not STOP")
                answer = brain.desk.stop(message, client)
            case ToHub.QUERY:
                answer = brain.desk.query(message, client)
        self.drop = self.drop or answer.end
        return self._outgoing(answer, changed=brain.shown() != before)

    def _outgoing(self, answer: Answer, *, changed: bool) -> list[Outgoing]:
        out = _segments(FromHub.RECEIPT, self._brain.voice(answer.receipt))
        if answer.report or changed:
            out.append(Outgoing(FromHub.STATUS, self._brain.status()))
        if answer.document is not None:
            out += _segments(FromHub.DOCUMENTS, answer.document)
        return out


def _segments(stream: FromHub, message: bytes) -> list[Outgoing]:
    return [Outgoing(stream, part) for part in split(message, MAX_PLAINTEXT)]

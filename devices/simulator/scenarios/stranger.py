"""Another central at the hub: what somebody with stolen keys can say to it. Bytes in, bytes out."""

from collections.abc import Iterable

from core.model.certificate import Certificate, Role, lengthen, read_unverified, shorten
from core.model.clock import Clock
from core.model.hub import Receipt
from devices.hub.commands import Command, encode_command
from devices.hub.session.handshake import SessionKey, decode_refusal
from devices.hub.session.keys import Session, credential, derive, edhoc_kid
from devices.hub.session.segments import Joiner, split
from devices.hub.session.signed import verify_receipt
from devices.hub.session.wire import (
    EAD_CERTIFICATE,
    MAX_DOCUMENT,
    MAX_HANDSHAKE,
    MAX_PLAINTEXT,
    MESSAGE_REFUSAL,
    MIN_MTU,
    FromHub,
    Refusal,
    ToHub,
)
from devices.hub.status import StatusReport, decode_status
from devices.simulator.brain import Brain
from devices.simulator.link import HubLink, Outgoing
from devices.simulator.session.edhoc import Ead, Initiator, KeyPair, Party

_ROOM = MIN_MTU - 3


class Stranger:
    """One link of his own, while the workstation has none. Nothing in here yields, so nobody else gets in between.

    Attributes:
        refusal: why the hub shook no hands; None when it did, or did not answer.
        session: what stands then.
    """

    def __init__(self, brain: Brain, clock: Clock, key: SessionKey) -> None:
        self._link = HubLink(brain, clock)
        self._link.mtu = MIN_MTU
        self._clock = clock
        self._key = key
        mine = key.certificate
        party = Party(KeyPair(key.agreement_private), credential(mine), edhoc_kid(Role.WORKSTATION))
        self._edhoc = Initiator(party)
        self._handshake = Joiner(MAX_HANDSHAKE, (2, 4, MESSAGE_REFUSAL))
        self._receipt = Joiner(MAX_DOCUMENT)
        self._hub: Certificate | None = None
        self._receipts: list[Receipt] = []
        self._status: StatusReport | None = None
        self.refusal: Refusal | None = None
        self.session: Session | None = None

    def shake_hands(self) -> bool:
        """Whether the hub lets him in."""
        outgoing = split(self._edhoc.message_1(), _ROOM, 1)
        while outgoing:
            heard = [out for value in outgoing for out in self._link.shake_hands(value)]
            outgoing = [answer for out in heard for answer in self._take(out)]
        return self.session is not None

    @property
    def status(self) -> StatusReport:
        """What he sees of the hub."""
        assert self._status is not None, "a session begins with one"
        return self._status

    @property
    def next_counter(self) -> int:
        return self.status.status.command_counter + 1 + len(self._receipts)

    def send(self, command: Command) -> Receipt:
        """A command in his session, and what the hub makes of it."""
        assert self.session is not None, "he has to be let in first"
        message = encode_command(self.next_counter, command)
        for part in split(message, MAX_PLAINTEXT):
            self._hear(self._link.write(ToHub.CONTROL, self.session.sealer.seal(ToHub.CONTROL, part)))
        return self._receipts[-1]

    def leave(self) -> None:
        self._link.close()

    def _hear(self, outgoing: Iterable[Outgoing]) -> None:
        for out in outgoing:
            self._take(out)

    def _take(self, out: Outgoing) -> list[bytes]:
        value = self._link.seal(out)
        if value is None:
            return []
        if out.stream is None:
            return self._shake(value)
        assert self.session is not None
        plaintext = self.session.opener.open(out.stream, value)
        if out.stream is FromHub.STATUS:
            self._status = self._status or decode_status(plaintext)
        elif out.stream is FromHub.RECEIPT:
            whole = self._receipt.add(plaintext, self.session.opener.last(out.stream))
            if whole is not None:
                self._receipts.append(verify_receipt(whole[1], self.session.peer).notice.receipt)
        return []

    def _shake(self, value: bytes) -> list[bytes]:
        whole = self._handshake.add(value)
        if whole is None:
            return []
        kind, message = whole
        if kind == MESSAGE_REFUSAL:
            self.refusal, _ = decode_refusal(message)
            return []
        mine = self._key.certificate
        if kind == 2:
            _, items = self._edhoc.open_2(message)
            self._hub = hub = read_unverified(lengthen(items[0].value or b"", Role.HUB, mine.issuer))
            assert hub.agreement_x is not None
            ead = [Ead(EAD_CERTIFICATE, True, shorten(mine))]
            return split(self._edhoc.message_3(credential(hub), hub.agreement_x, ead_3=ead), _ROOM, 3)
        self._edhoc.finish(message)
        assert self._hub is not None
        keys = derive(self._edhoc.export, self._hub.subject, mine.subject)
        self.session = Session.at_workstation(keys, self._hub, self._clock)
        return []

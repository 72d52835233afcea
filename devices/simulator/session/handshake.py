"""The hub's side of the handshake, value by value of the handshake characteristic; one object for each link."""

from collections.abc import Callable
from typing import Final

from core.model.certificate import (
    Certificate,
    CertificateRefused,
    Role,
    Trust,
    lengthen,
    read_unverified,
    shorten,
)
from core.model.clock import Clock
from core.model.cose import KID_BYTES
from devices.errors import FrameError
from devices.hub.session.handshake import SessionKey, encode_refusal
from devices.hub.session.keys import Session, credential, derive, edhoc_kid
from devices.hub.session.segments import Joiner, split
from devices.hub.session.wire import EAD_CERTIFICATE, MAX_ATTEMPTS, MAX_HANDSHAKE, MESSAGE_REFUSAL, Refusal
from devices.simulator.session.edhoc import (
    Ead,
    EdhocMalformed,
    EdhocNotAuthentic,
    KeyPair,
    Party,
    Responder,
)

_TO_HUB: Final = (1, 3)
_NOBODY: Final = bytes(KID_BYTES)
"""Issuer of a certificate whose root is not known."""


class _Spent(Exception):  # noqa: N818 - named for what is the case
    """No attempt is left on this link."""


class HubHandshake:
    """Answers handshakes until one stands, or too many were begun.

    Args:
        me: the hub's certificate and agreement key.
        trust: what a workstation's certificate has to hold against; None while enrolment is open, when the root is not
            known yet and any will do.
        room: largest value that can be notified, bytes: the link's MTU − 3.
        ephemeral: makes the key of an attempt; fixed in test vectors only.
        refused: told of each refusal, for the hub's journal.

    Attributes:
        session: stands once message 3 was right; message 4 is then among the values to notify.
        drop: the hub has to drop the link.
    """

    def __init__(
        self,
        me: SessionKey,
        trust: Trust | None,
        clock: Clock,
        *,
        room: int,
        ephemeral: Callable[[], KeyPair] = KeyPair,
        refused: Callable[[Refusal], None] = lambda _: None,
    ) -> None:
        self._me = me
        self._trust = trust
        self._clock = clock
        self._room = room
        self._ephemeral = ephemeral
        self._refused = refused
        self._joiner = Joiner(MAX_HANDSHAKE, _TO_HUB)
        self._responder: Responder | None = None
        self._attempts = 0
        self.session: Session | None = None
        self.drop = False

    def feed(self, value: bytes) -> list[bytes]:
        """Take a written value; the values to notify, if any. A refusal leaves nothing of the attempt."""
        if self.drop:
            return []
        if self.session is not None:
            return self._refuse(Refusal.BUSY)
        try:
            whole = self._join(value)
            return [] if whole is None else self._message(*whole)
        except _Spent:
            self.drop = True
            return self._refuse(Refusal.TOO_MANY)
        except (FrameError, EdhocMalformed):
            return self._refuse(Refusal.MALFORMED)
        except CertificateRefused:
            return self._refuse(Refusal.CERTIFICATE)
        except EdhocNotAuthentic:
            return self._refuse(Refusal.NOT_AUTHENTIC)

    def _message(self, kind: int, message: bytes) -> list[bytes]:
        responder, self._responder = self._responder, None
        if kind == 1:
            return self._begin(message)
        if responder is None:
            self._spend()
            raise EdhocMalformed("Message 3 came before message 1.")
        return self._finish(responder, message)

    def _join(self, value: bytes) -> tuple[int, bytes] | None:
        try:
            return self._joiner.add(value)
        except FrameError:
            self._spend()
            raise

    def _spend(self) -> None:
        """Each attempt counts, and each value that belongs to none: who sends rubbish is dropped as well."""
        if self._attempts == MAX_ATTEMPTS:
            raise _Spent
        self._attempts += 1

    def _begin(self, message_1: bytes) -> list[bytes]:
        self._spend()
        mine = self._me.certificate
        key = KeyPair(self._me.agreement_private)
        responder = Responder(Party(key, credential(mine), edhoc_kid(mine.role)), ephemeral=self._ephemeral())
        message_2 = responder.message_2(message_1, ead_2=[Ead(EAD_CERTIFICATE, True, shorten(mine))])
        self._responder = responder
        return split(message_2, self._room, 2)

    def _finish(self, responder: Responder, message_3: bytes) -> list[bytes]:
        kid, items = responder.open_3(message_3)
        workstation = self._workstation(items)
        if kid != edhoc_kid(Role.WORKSTATION) or workstation.agreement_x is None:
            raise EdhocMalformed("This is not a workstation's message.")
        message_4 = responder.message_4(credential(workstation), workstation.agreement_x)
        serial = self._me.certificate.subject
        keys = derive(responder.export, serial, workstation.subject)
        self.session = Session.at_hub(keys, serial, workstation, self._clock)
        return split(message_4, self._room, 4)

    def _workstation(self, items: tuple[Ead, ...]) -> Certificate:
        match items:
            case [Ead(label=int(label), critical=True, value=bytes(short))] if label == EAD_CERTIFICATE:
                pass
            case _:
                raise EdhocMalformed("Message 3 carries no certificate.")
        if self._trust is None:
            return read_unverified(lengthen(short, Role.WORKSTATION, _NOBODY))
        raw = lengthen(short, Role.WORKSTATION, self._trust.root.kid)
        return self._trust.verify(raw, Role.WORKSTATION, now_s=None)

    def _refuse(self, refusal: Refusal) -> list[bytes]:
        self._responder = None
        self._refused(refusal)
        return split(encode_refusal(refusal), self._room, MESSAGE_REFUSAL)


def refuse_mtu(mtu: int) -> list[bytes]:
    """What a hub notifies instead of a handshake on a link that is too narrow for records; it counts as no attempt."""
    return split(encode_refusal(Refusal.MTU, mtu), mtu - 3, MESSAGE_REFUSAL)

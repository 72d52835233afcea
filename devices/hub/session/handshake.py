"""The workstation's side of the handshake: EDHOC (RFC 9528), method 3, suite 2, initiator. Bytes in, bytes out.

The hub's certificate is verified before message 3 is made, so that nobody but a genuine hub learns who asks.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Final, Protocol, TypeVar, cast

from core.model import cbor
from core.model.certificate import Certificate, CertificateRefused, Role, Trust, check_point, lengthen, shorten
from core.model.clock import Clock
from core.model.strict_cbor import CborRefused, decode
from devices.errors import FrameError
from devices.hub.session.errors import (
    EdhocMissing,
    HandshakeMalformed,
    HandshakeNotAuthentic,
    RefusedByHub,
    SessionError,
)
from devices.hub.session.keys import Session, credential, derive, edhoc_kid
from devices.hub.session.segments import Joiner, split
from devices.hub.session.wire import EAD_CERTIFICATE, MAX_HANDSHAKE, MESSAGE_REFUSAL, Refusal

_T = TypeVar("_T")
_X_BYTES: Final = 32
_FROM_HUB: Final = (2, 4, MESSAGE_REFUSAL)
_REFUSALS: Final = frozenset(Refusal)
_MTU: Final = struct.Struct("<H")


@dataclass(frozen=True, slots=True)
class SessionKey:
    """Who takes part in a handshake: a certificate with a Diffie-Hellman key, and its private half (32 bytes)."""

    certificate: Certificate
    agreement_private: bytes


class _EadItem(Protocol):
    def label(self) -> int: ...
    def is_critical(self) -> bool: ...
    def value(self) -> bytes | None: ...


class _Edhoc(Protocol):
    """What is used of lakers.EdhocInitiator. One object serves one attempt."""

    def prepare_message_1(self, c_i: bytes | None, ead_1: None) -> bytes: ...
    def parse_message_2(self, message_2: bytes) -> tuple[bytes, bytes, Sequence[_EadItem]]: ...
    def verify_message_2(self, i: bytes, cred_i: object, valid_cred_r: object) -> None: ...
    def prepare_message_3(self, transfer: object, ead_3: Sequence[object]) -> tuple[bytes, bytes]: ...
    def process_message_4(self, message_4: bytes) -> None: ...
    def edhoc_exporter(self, label: int, context: bytes, length: int) -> bytes: ...


class Initiator:
    """One attempt, message by message.

    Args:
        trust: what the hub's certificate has to hold against.
        hub_serial: the hub that is expected; None for any of this practice.
        now_s: UTC, s.
    """

    def __init__(self, me: SessionKey, trust: Trust, *, hub_serial: str | None, now_s: int) -> None:
        self._me = me
        self._trust = trust
        self._hub_serial = hub_serial
        self._now_s = now_s
        self._lakers = _lakers()
        self._edhoc = cast(_Edhoc, _guarded(self._lakers.EdhocInitiator))
        self._hub: Certificate | None = None

    def message_1(self) -> bytes:
        return bytes(_guarded(lambda: self._edhoc.prepare_message_1(None, None)))

    def message_3(self, message_2: bytes) -> bytes:
        """Look at message 2, and answer it.

        Raises:
            CertificateRefused: the hub's certificate does not count.
            HandshakeMalformed, HandshakeNotAuthentic: anything else is wrong.
        """
        body = _byte_string(message_2)
        try:
            check_point(body[:_X_BYTES])
        except CertificateRefused as error:
            raise HandshakeMalformed("its key is not on the curve") from error
        _, id_cred, items = _guarded(lambda: self._edhoc.parse_message_2(message_2))
        if bytes(id_cred) != cbor.encode({4: edhoc_kid(Role.HUB)}):
            raise HandshakeMalformed("it is not a hub's")
        raw = lengthen(_certificate(items), Role.HUB, self._trust.root.kid)
        hub = self._trust.verify(raw, Role.HUB, now_s=self._now_s, subject=self._hub_serial)
        mine, theirs = self._credential(self._me.certificate), self._credential(hub)
        _guarded(lambda: self._edhoc.verify_message_2(self._me.agreement_private, mine, theirs))
        self._hub = hub
        # more than 164 bytes here, and lakers authenticates another message than RFC 9528 says, without a word
        item = self._lakers.EADItem(EAD_CERTIFICATE, True, shorten(self._me.certificate))
        transfer = self._lakers.CredentialTransfer.ByReference
        return bytes(_guarded(lambda: self._edhoc.prepare_message_3(transfer, [item]))[0])

    def finish(self, message_4: bytes, clock: Clock) -> Session:
        """The session. Raises HandshakeMalformed, HandshakeNotAuthentic."""
        if self._hub is None:
            raise HandshakeMalformed("message 4 came before message 2")
        _byte_string(message_4)
        _guarded(lambda: self._edhoc.process_message_4(message_4))
        keys = derive(self._export, self._hub.subject, self._me.certificate.subject)
        return Session.at_workstation(keys, self._hub, clock)

    def _export(self, label: int, context: bytes, size: int) -> bytes:
        # lakers writes labels above 23 and contexts above 255 bytes wrongly, without a word
        if label > 23 or len(context) > 255:
            raise ValueError("beyond what the exporter can do")
        return bytes(_guarded(lambda: self._edhoc.edhoc_exporter(label, context, size)))

    def _credential(self, certificate: Certificate) -> object:
        return _guarded(lambda: self._lakers.Credential(credential(certificate)))


class WorkstationHandshake:
    """One attempt, value by value of the handshake characteristic.

    Args:
        room: largest value that can be written, bytes: the link's MTU − 3.
    """

    def __init__(self, initiator: Initiator, clock: Clock, *, room: int) -> None:
        self._initiator = initiator
        self._clock = clock
        self._room = room
        self._joiner = Joiner(MAX_HANDSHAKE, _FROM_HUB)
        self._awaited = 2
        self.session: Session | None = None

    def begin(self) -> list[bytes]:
        """The first values to write."""
        return split(self._initiator.message_1(), self._room, 1)

    def feed(self, value: bytes) -> list[bytes]:
        """Take a notified value; the values to write next, if any. `session` stands once message 4 was right.

        Raises:
            SessionError, CertificateRefused: the attempt has failed; the link has to be closed.
        """
        try:
            whole = self._joiner.add(value)
        except FrameError as error:
            raise HandshakeMalformed(str(error)) from error
        if whole is None:
            return []
        kind, message = whole
        if kind == MESSAGE_REFUSAL:
            raise RefusedByHub(*decode_refusal(message))
        if kind != self._awaited:
            raise HandshakeMalformed(f"message {kind} came, not {self._awaited}")
        if kind == 2:
            self._awaited = 4
            return split(self._initiator.message_3(message), self._room, 3)
        self._awaited = 0
        self.session = self._initiator.finish(message, self._clock)
        return []


def encode_refusal(refusal: Refusal, mtu: int = 0) -> bytes:
    """What the hub says instead of going on: the content of message 15. `mtu` goes with MTU only."""
    return bytes((refusal,)) + (_MTU.pack(mtu) if refusal is Refusal.MTU else b"")


def decode_refusal(message: bytes) -> tuple[Refusal | None, int]:
    """The reason, None for one that this version does not know; and the MTU that it tells, 0 for none."""
    refusal = Refusal(message[0]) if message and message[0] in _REFUSALS else None
    told = refusal is Refusal.MTU and len(message) > _MTU.size
    return refusal, int(_MTU.unpack_from(message, 1)[0]) if told else 0


def _lakers() -> ModuleType:
    try:
        import lakers
    except ImportError as error:
        raise EdhocMissing from error
    return cast(ModuleType, lakers)


def _guarded(step: Callable[[], _T]) -> _T:
    """A step of the library. It raises ValueError and RuntimeError, and a panic of its Rust is a BaseException."""
    try:
        return step()
    except (KeyboardInterrupt, SystemExit, GeneratorExit, SessionError):
        raise
    except BaseException as error:
        raise HandshakeNotAuthentic from error


def _byte_string(message: bytes) -> bytes:
    """The content of a message that is one CBOR byte string; the library takes other framings too."""
    try:
        value = decode(message, limit=MAX_HANDSHAKE)
    except CborRefused as error:
        raise HandshakeMalformed(str(error)) from error
    if not isinstance(value, bytes):
        raise HandshakeMalformed("it is not a byte string")
    return value


def _certificate(items: Sequence[_EadItem]) -> bytes:
    """The certificate in an EAD: one item, critical, and no other. It is not authenticated yet."""
    if len(items) != 1 or items[0].label() != EAD_CERTIFICATE or not items[0].is_critical():
        raise HandshakeMalformed("it carries no certificate")
    return bytes(items[0].value() or b"")

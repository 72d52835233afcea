"""From an EDHOC exporter to a session that both sides share."""

from collections.abc import Callable
from dataclasses import dataclass

from core.model import cbor
from core.model.certificate import Certificate, Role
from core.model.clock import Clock
from devices.hub.session.records import Opener, Sealer, expand
from devices.hub.session.wire import EXPORTER_LABEL

Exporter = Callable[[int, bytes, int], bytes]
"""EDHOC_Exporter: label, context, length → key material."""


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """What both sides derive. Session id 16 bytes, the directions' secrets 32."""

    id: bytes
    hub_to_workstation: bytes
    workstation_to_hub: bytes


def derive(exporter: Exporter, hub_serial: str, workstation: str) -> SessionKeys:
    """The keys of the session between this hub and this workstation."""
    secret = exporter(EXPORTER_LABEL, cbor.encode(["smilescape/2", hub_serial, workstation]), 32)
    return SessionKeys(
        id=expand(secret, b"smilescape/2 session id", 16),
        hub_to_workstation=expand(secret, b"smilescape/2 hub to workstation", 32),
        workstation_to_hub=expand(secret, b"smilescape/2 workstation to hub", 32),
    )


@dataclass(frozen=True, slots=True)
class Session:
    """A session that stands, seen from one side. It ends with its link.

    Attributes:
        id: 16 bytes; goes into every signed command and receipt.
        peer: the other side's certificate.
    """

    id: bytes
    hub_serial: str
    peer: Certificate
    sealer: Sealer
    opener: Opener

    @classmethod
    def at_workstation(cls, keys: SessionKeys, hub: Certificate, clock: Clock) -> "Session":
        sealer, opener = Sealer(keys.workstation_to_hub, clock), Opener(keys.hub_to_workstation)
        return cls(keys.id, hub.subject, hub, sealer, opener)

    @classmethod
    def at_hub(cls, keys: SessionKeys, hub_serial: str, workstation: Certificate, clock: Clock) -> "Session":
        sealer, opener = Sealer(keys.hub_to_workstation, clock), Opener(keys.workstation_to_hub)
        return cls(keys.id, hub_serial, workstation, sealer, opener)


def credential(certificate: Certificate) -> bytes:
    """CRED_x of EDHOC: the CWT claims set (RFC 8392) of the bearer's Diffie-Hellman key. Never sent.

    Whose it is stands in the certificate, which EAD carries and the same MAC covers.

    Raises:
        ValueError: the certificate carries no such key.
    """
    if certificate.agreement_x is None:
        raise ValueError(f"{certificate.role.name} has no key to agree with")
    key = {1: 2, 2: edhoc_kid(certificate.role), -1: 1, -2: certificate.agreement_x}
    return cbor.encode({8: {1: key}})


def edhoc_kid(role: Role) -> bytes:
    """The kid of ID_CRED_x: one byte, the role."""
    return bytes((role,))

"""Who a workstation is and whom it believes, as a hub's driver asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from core.model.certificate import Certificate, Trust
from core.model.cose import Signer
from devices.hub.session.handshake import SessionKey
from devices.hub.session.journal import JournalHead


@dataclass(frozen=True, slots=True)
class Clinician:
    """Who orders: a certificate of the practice, and what signs with its key."""

    certificate: Certificate
    signer: Signer


@dataclass(frozen=True, slots=True)
class KnownHub:
    """What is remembered of a hub from one visit to the next.

    Attributes:
        serial: of its certificate.
        irk: 16 bytes by which its advertisements are recognised; None before the first session.
        security_version: highest that it ever proved.
        journal: where its journal stood; None before the first reading.
        next_event: number of the first event that is not recorded yet.
        last_day: newest day whose summary is recorded, days since 1970; None for none. That day may have grown since.
    """

    serial: str
    irk: bytes | None = None
    security_version: int = 0
    journal: JournalHead | None = None
    next_event: int = 0
    last_day: int | None = None


class Credentials(Protocol):
    """Asked anew for each connection and each order: keys are rotated, people log in and out."""

    @property
    def workstation(self) -> SessionKey:
        """This workstation's certificate and agreement key."""
        ...

    @property
    def trust(self) -> Trust:
        """The practice's root and its newest revocation list."""
        ...

    @property
    def maker(self) -> Trust:
        """The root that certifies hubs as they leave the factory; asked only to enrol one."""
        ...

    @property
    def firmware_signers(self) -> Mapping[bytes, Certificate]:
        """By kid, those that count now."""
        ...

    def certify_hub(self, serial: str, signing_key: bytes, agreement_x: bytes) -> bytes:
        """A certificate by the practice's root over a hub's keys.

        Raises:
            SmilescapeError: nobody is logged in who may, or the root's key cannot be had.
        """
        ...

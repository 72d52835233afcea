"""Why a hub is not talked to, in words for people."""

from core.model.certificate import (
    CertificateExpired,
    CertificateForeign,
    CertificateNotYetValid,
    CertificateOfOtherSubject,
    CertificateRefused,
    CertificateRevoked,
)
from core.model.errors import SmilescapeError
from core.model.words import Text
from devices.errors import LinkRefused
from devices.hub.session.errors import (
    EdhocMissing,
    HandshakeNotAuthentic,
    IdentityDowngraded,
    RefusedByHub,
    SessionError,
)
from devices.hub.session.wire import MIN_MTU, Refusal

_BY_KIND: dict[type[SmilescapeError], str] = {
    CertificateForeign: "foreign",
    CertificateExpired: "expired",
    CertificateNotYetValid: "early",
    CertificateRevoked: "revoked",
    EdhocMissing: "library",
    HandshakeNotAuthentic: "not_authentic",
    IdentityDowngraded: "downgrade",
}
_BY_HUB: dict[Refusal | None, str] = {
    Refusal.CERTIFICATE: "workstation",
    Refusal.NOT_AUTHENTIC: "workstation",
    Refusal.BUSY: "busy",
}


def refused(error: SessionError | CertificateRefused) -> LinkRefused:
    """The refusal of a link on which no session came about, or one that may not be trusted."""
    return LinkRefused(str(error), reason=_reason(error))


def _reason(error: SmilescapeError) -> Text:
    if isinstance(error, CertificateOfOtherSubject):
        return Text("hub.refused.serial", {"found": error.found, "expected": error.expected})
    if isinstance(error, RefusedByHub):
        if error.refusal is Refusal.MTU:
            return Text("hub.refused.mtu", {"mtu": error.mtu, "least": MIN_MTU})
        return Text(f"hub.refused.{_BY_HUB.get(error.refusal, 'handshake')}")
    other = "certificate" if isinstance(error, CertificateRefused) else "handshake"
    return Text(f"hub.refused.{_BY_KIND.get(type(error), other)}")

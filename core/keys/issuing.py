"""Certificates and lists of a practice: how long they count, when they fall due. Pure: key and time are given."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from core.keys.errors import ListFull
from core.model.certificate import MAX_REVOKED, Certificate, Role, issue, issue_revocations, issue_root, read_unverified
from core.model.cose import Signer
from core.model.keys import KeyState
from core.people.codes import ALPHABET

DAY_S: Final = 86_400
YEAR_S: Final = 365 * DAY_S
LIFETIME_S: Final = {
    Role.ROOT: 25 * YEAR_S,
    Role.HUB: 2 * YEAR_S,
    Role.WORKSTATION: 2 * YEAR_S,
    Role.CLINICIAN: 1 * YEAR_S,
}
EARLY_S: Final = 3600
"""So long before its issue a certificate counts: a clock that is set back a little must not refuse it."""
RENEW_S: Final = 60 * DAY_S
"""So long before its end a certificate is renewed, and said to end soon."""
LIST_S: Final = 30 * DAY_S
"""A revocation list older than this is issued anew, so that hubs, which have no clock, learn how late it is."""

_U32: Final = 0xFFFF_FFFF
_PRIVATE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class AgreementKey:
    """A P-256 key: the private number, and the x coordinate of its point; 32 bytes each."""

    private: bytes
    x: bytes

    @classmethod
    def generate(cls) -> "AgreementKey":
        return cls._of(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def load(cls, private: bytes) -> "AgreementKey":
        """Raises ValueError: not a private key of P-256."""
        return cls._of(ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1()))

    @classmethod
    def _of(cls, key: ec.EllipticCurvePrivateKey) -> "AgreementKey":
        numbers = key.private_numbers()
        x = numbers.public_numbers.x.to_bytes(_PRIVATE_BYTES, "big")
        return cls(numbers.private_value.to_bytes(_PRIVATE_BYTES, "big"), x)


def new_subject(role: Role) -> str:
    """A name that tells nothing of a person, such as `Clinician 7KQ2MX`."""
    what = "Practice" if role is Role.ROOT else role.name.capitalize()
    return f"{what} {''.join(secrets.choice(ALPHABET) for _ in range(6))}"


def found_root(root: Signer, now_s: int) -> Certificate:
    """The certificate of a new root, by itself."""
    end = min(now_s + LIFETIME_S[Role.ROOT], _U32)
    subject = new_subject(Role.ROOT)
    return read_unverified(issue_root(root, subject=subject, not_before_s=_from_s(now_s), not_after_s=end))


def certify(
    root: Signer,
    issuer: Certificate,
    *,
    role: Role,
    subject: str,
    signing_key: bytes,
    agreement_x: bytes | None,
    now_s: int,
) -> Certificate:
    """A certificate from an hour ago on, for the lifetime of its role from now, but not beyond its root's.

    Raises:
        CertificateMalformed: a subject that is empty or too long, a key that is none, or a root that has ended.
    """
    raw = issue(
        root,
        role=role,
        subject=subject,
        not_before_s=_from_s(now_s),
        not_after_s=min(now_s + LIFETIME_S[role], issuer.not_after_s),
        signing_key=signing_key,
        agreement_x=agreement_x,
    )
    return read_unverified(raw)


def clinician(root: Signer, issuer: Certificate, signing_key: bytes, now_s: int) -> Certificate:
    """A certificate for somebody who orders. Raises CertificateMalformed."""
    subject = new_subject(Role.CLINICIAN)
    return certify(
        root,
        issuer,
        role=Role.CLINICIAN,
        subject=subject,
        signing_key=signing_key,
        agreement_x=None,
        now_s=now_s,
    )


def revocations(root: Signer, *, number: int, now_s: int, kids: Iterable[bytes]) -> bytes:
    """A revocation list. Raises ListFull."""
    named = set(kids)
    if len(named) > MAX_REVOKED:
        raise ListFull
    return issue_revocations(root, number=number, issued_s=now_s, kids=named)


def due(certificate: Certificate, now_s: int) -> bool:
    """Whether it is to be renewed."""
    return certificate.not_after_s - now_s <= RENEW_S


def state_of(certificate: Certificate, now_s: int, *, revoked: bool) -> KeyState:
    """Whether it counts."""
    if revoked:
        return KeyState.REVOKED
    if certificate.not_after_s <= now_s:
        return KeyState.EXPIRED
    return KeyState.SOON if due(certificate, now_s) else KeyState.IN_FORCE


def _from_s(now_s: int) -> int:
    return max(0, now_s - EARLY_S)

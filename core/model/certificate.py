"""Who is who in a practice: certificates under its root key, and the list of those that were withdrawn.

Pure: the time is given. A workstation knows the time; a hub knows only the highest that it ever learnt from something
signed, its floor.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from core.model import cbor
from core.model.cose import KEY_BYTES, KID_BYTES, CoseRefused, SignedMessage, Signer, kid_of, parse1, sign1
from core.model.errors import SmilescapeError
from core.model.strict_cbor import CborRefused, Fields

MAX_CERTIFICATE: Final = 197
"""Largest certificate, bytes."""
MAX_SUBJECT: Final = 24
MAX_REVOKED: Final = 400
"""Most entries of a revocation list, so that it fits one control message."""
MAX_REVOCATIONS: Final = 3800

_CERTIFICATE: Final = b"smilescape/certificate/2"
_REVOCATIONS: Final = b"smilescape/revocations/2"
_U32: Final = 0xFFFF_FFFF
_P256: Final = ec.SECP256R1()
_SHORT: Final = struct.Struct("<II32s32s64s")


class Role(IntEnum):
    """What the bearer of a certificate may do."""

    ROOT = 0
    HUB = 1
    WORKSTATION = 2
    CLINICIAN = 3
    FIRMWARE_SIGNER = 4


AGREEING: Final = frozenset({Role.HUB, Role.WORKSTATION})
"""Roles that agree on session keys, so that their certificate carries a Diffie-Hellman key too."""


class CertificateRefused(SmilescapeError):  # noqa: N818 - named for what is the case
    """A certificate that proves nothing to us."""

    code = "certificate.refused"


class CertificateMalformed(CertificateRefused):
    """The bytes are no certificate or revocation list of the one form there is."""

    code = "certificate.malformed"

    def __init__(self, what: str) -> None:
        super().__init__(f"A certificate cannot be read. {what}", "Have it issued again.")


class CertificateForeign(CertificateRefused):
    """It was not issued by the root that we trust."""

    code = "certificate.foreign"

    def __init__(self) -> None:
        super().__init__("A certificate was not issued by this practice.", "Enrol the device in this practice.")


class CertificateOfOtherRole(CertificateRefused):
    """It is valid, but for another role."""

    code = "certificate.role"

    def __init__(self, found: Role, expected: Role) -> None:
        super().__init__(
            f"A certificate is for a {found.name.lower()}, not for a {expected.name.lower()}.",
            "Use the device or login that it was issued for.",
        )


class CertificateOfOtherSubject(CertificateRefused):
    """It is valid, but of somebody else.

    Attributes:
        found, expected: the subjects.
    """

    code = "certificate.subject"

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"This is {found}, not {expected}.", "Bring the right device, or bind this one in Set-up.")
        self.found = found
        self.expected = expected


class CertificateExpired(CertificateRefused):
    """Its time is over."""

    code = "certificate.expired"

    def __init__(self, subject: str) -> None:
        super().__init__(f"The certificate of {subject} has expired.", "Have it renewed in Set-up.")


class CertificateNotYetValid(CertificateRefused):
    """Its time has not come."""

    code = "certificate.early"

    def __init__(self, subject: str) -> None:
        super().__init__(f"The certificate of {subject} is not valid yet.", "Check this computer's date and time.")


class CertificateRevoked(CertificateRefused):
    """The practice withdrew it."""

    code = "certificate.revoked"

    def __init__(self, subject: str) -> None:
        super().__init__(f"The certificate of {subject} was withdrawn.", "Have a new one issued if it may be used.")


class RevocationsOlder(CertificateRefused):
    """A newer list is known."""

    code = "certificate.older_list"

    def __init__(self, found: int, known: int) -> None:
        super().__init__(f"Revocation list {found} came, but {known} is known.", "Send the newest list.")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, read. Only `Trust.verify` and `read_root` say that it is genuine.

    Attributes:
        issuer: kid of the root that signed it.
        not_before_s, not_after_s: UTC, s; valid from the first on, up to but without the second.
        signing_key: Ed25519 public key, 32 bytes.
        agreement_x: x coordinate of the P-256 Diffie-Hellman key, 32 bytes; None for roles that agree on nothing.
        raw: the bytes.
    """

    issuer: bytes
    role: Role
    subject: str
    not_before_s: int
    not_after_s: int
    signing_key: bytes
    agreement_x: bytes | None
    raw: bytes = field(repr=False)

    @property
    def kid(self) -> bytes:
        return kid_of(self.signing_key)


@dataclass(frozen=True, slots=True)
class RevocationList:
    """The kids that no longer count. Of two lists the one with the higher number counts."""

    number: int
    issued_s: int
    kids: frozenset[bytes]
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Trust:
    """What one side believes in: a root, the newest revocation list, and the time below which it cannot be.

    Attributes:
        floor_s: highest UTC learnt from something signed, s; 0 where a clock is at hand.
    """

    root: Certificate
    revoked: RevocationList | None = None
    floor_s: int = 0

    def verify(self, raw: bytes, role: Role, *, now_s: int | None, subject: str | None = None) -> Certificate:
        """The certificate, if it is genuine and counts now.

        Args:
            now_s: UTC, s; None without a clock, when the floor alone decides.
            subject: whose it has to be; None for anybody's.

        Raises:
            CertificateRefused: one of its kinds.
        """
        certificate = read_unverified(raw)
        _verify(raw, self.root.signing_key, _CERTIFICATE, MAX_CERTIFICATE)
        if certificate.role is not role:
            raise CertificateOfOtherRole(certificate.role, role)
        if subject is not None and certificate.subject != subject:
            raise CertificateOfOtherSubject(certificate.subject, subject)
        for one in (certificate, self.root):
            self._check_time(one, now_s)
        self.check_revoked(certificate)
        return certificate

    def check_revoked(self, certificate: Certificate) -> None:
        """Raises CertificateRevoked; to be asked again whenever a list came after the certificate."""
        if self.revoked is not None and certificate.kid in self.revoked.kids:
            raise CertificateRevoked(certificate.subject)

    def _check_time(self, certificate: Certificate, now_s: int | None) -> None:
        if now_s is not None and now_s < certificate.not_before_s:
            raise CertificateNotYetValid(certificate.subject)
        if certificate.not_after_s <= max(now_s or 0, self.floor_s):
            raise CertificateExpired(certificate.subject)

    def learnt(self, utc_s: int) -> "Trust":
        """With the floor at `utc_s` if that is higher. Give it only what was verified."""
        return replace(self, floor_s=max(self.floor_s, utc_s))

    def with_revocations(self, raw: bytes) -> "Trust":
        """With this list, and its time learnt.

        Raises:
            RevocationsOlder: a list with a higher number, or another with the same, is known.
            CertificateRefused: it is not the root's, or cannot be read.
        """
        fresh = read_revocations(raw, self.root)
        if self.revoked is not None and raw != self.revoked.raw and fresh.number <= self.revoked.number:
            raise RevocationsOlder(fresh.number, self.revoked.number)
        return replace(self, revoked=fresh).learnt(fresh.issued_s)


def issue(
    root: Signer,
    *,
    role: Role,
    subject: str,
    not_before_s: int,
    not_after_s: int,
    signing_key: bytes,
    agreement_x: bytes | None = None,
) -> bytes:
    """A certificate by `root`; of the root itself, when `signing_key` is its own.

    Raises:
        CertificateMalformed: what is to be certified breaks a rule of the format.
    """
    payload = _payload(role, subject, not_before_s, not_after_s, signing_key, agreement_x)
    raw = sign1(payload, root, _CERTIFICATE)
    read_unverified(raw)
    return raw


def issue_root(root: Signer, *, subject: str, not_before_s: int, not_after_s: int) -> bytes:
    """The self-signed certificate of a practice or of a manufacturer. Raises CertificateMalformed."""
    return issue(
        root,
        role=Role.ROOT,
        subject=subject,
        not_before_s=not_before_s,
        not_after_s=not_after_s,
        signing_key=root.public,
    )


def issue_revocations(root: Signer, *, number: int, issued_s: int, kids: Iterable[bytes]) -> bytes:
    """A revocation list by `root`. Raises ValueError when more than MAX_REVOKED kids are given."""
    ordered = sorted(set(kids))
    if len(ordered) > MAX_REVOKED:
        raise ValueError(f"{len(ordered)} entries, not {MAX_REVOKED} at most")
    return sign1(cbor.encode({1: number, 2: issued_s, 3: ordered}), root, _REVOCATIONS)


def read_unverified(raw: bytes) -> Certificate:
    """A certificate as it says of itself; the signature is not looked at, save that a root must be signed by itself.

    Raises:
        CertificateMalformed, CertificateForeign (a root that is not signed by itself).
    """
    try:
        message = parse1(raw, limit=MAX_CERTIFICATE)
        certificate = _from_fields(Fields(message.unverified, 6, limit=MAX_CERTIFICATE, optional=1), message.kid, raw)
    except (CoseRefused, CborRefused) as error:
        raise CertificateMalformed(str(error)) from error
    if certificate.role is Role.ROOT:
        _verify(raw, certificate.signing_key, _CERTIFICATE, MAX_CERTIFICATE)
    return certificate


def read_root(raw: bytes) -> Certificate:
    """The certificate of a root. That it is the right one is for whoever took it from a trusted hand to know.

    Raises:
        CertificateRefused: not signed by itself, or not of a root.
    """
    certificate = read_unverified(raw)
    if certificate.role is not Role.ROOT:
        raise CertificateOfOtherRole(certificate.role, Role.ROOT)
    return certificate


def read_revocations(raw: bytes, root: Certificate) -> RevocationList:
    """A verified revocation list. Raises CertificateMalformed, CertificateForeign."""
    payload = _verify(raw, root.signing_key, _REVOCATIONS, MAX_REVOCATIONS)
    try:
        fields = Fields(payload, 3, limit=MAX_REVOCATIONS)
        number, issued, kids = fields.unsigned(1, _U32), fields.unsigned(2, _U32), fields.array(3, MAX_REVOKED)
    except CborRefused as error:
        raise CertificateMalformed(str(error)) from error
    named = [kid for kid in kids if isinstance(kid, bytes) and len(kid) == KID_BYTES]
    if len(named) != len(kids) or named != sorted(set(named)):
        raise CertificateMalformed("Its list is not in order.")
    return RevocationList(number, issued, frozenset(named), raw)


def shorten(certificate: Certificate) -> bytes:
    """What of a certificate the other side of a handshake cannot know: 137 to 160 bytes; `lengthen` takes it back.

    Raises:
        ValueError: of a role that takes part in none.
    """
    if certificate.agreement_x is None:
        raise ValueError(f"{certificate.role.name} takes part in no handshake")
    fixed = _SHORT.pack(
        certificate.not_before_s,
        certificate.not_after_s,
        certificate.signing_key,
        certificate.agreement_x,
        parse1(certificate.raw).signature,
    )
    return fixed + certificate.subject.encode()


def lengthen(short: bytes, role: Role, issuer: bytes) -> bytes:
    """The certificate that was shortened, if it is of this role and by the root whose kid is `issuer`; not verified.

    Raises:
        CertificateMalformed: too short, too long, or a subject that is not UTF-8.
    """
    if not _SHORT.size < len(short) <= _SHORT.size + MAX_SUBJECT:
        raise CertificateMalformed(f"It has {len(short)} bytes.")
    start, end, signing, x, signature = _SHORT.unpack_from(short)
    try:
        subject = short[_SHORT.size :].decode()
    except UnicodeDecodeError as error:
        raise CertificateMalformed("Its subject is not UTF-8.") from error
    payload = _payload(role, subject, start, end, signing, x)
    return SignedMessage(kid=issuer, unverified=payload, signature=signature).encode()


def check_point(x: bytes) -> None:
    """Raises CertificateMalformed unless `x` is the x coordinate of a point of P-256."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_P256, b"\x02" + x)
    except ValueError as error:
        raise CertificateMalformed("Its key is not on the curve.") from error


def _verify(raw: bytes, public: bytes, aad: bytes, limit: int) -> bytes:
    try:
        message = parse1(raw, limit=limit)
    except CoseRefused as error:
        raise CertificateMalformed(str(error)) from error
    try:
        return message.verify(public, aad)
    except CoseRefused as error:
        raise CertificateForeign from error


def _payload(role: Role, subject: str, start: int, end: int, signing_key: bytes, x: bytes | None) -> bytes:
    fields: dict[int, object] = {1: int(role), 2: subject, 3: start, 4: end, 5: signing_key}
    return cbor.encode(fields if x is None else {**fields, 6: x})


def _from_fields(fields: Fields, issuer: bytes, raw: bytes) -> Certificate:
    role = Role(fields.unsigned(1, max(Role)))
    start, end = fields.unsigned(3, _U32), fields.unsigned(4, _U32)
    if start >= end:
        raise CertificateMalformed("Its time is over before it begins.")
    if (role in AGREEING) != (6 in fields):
        raise CertificateMalformed("Its keys are not those of its role.")
    x = fields.octets(6, KEY_BYTES) if 6 in fields else None
    if x is not None:
        check_point(x)
    return Certificate(
        issuer=issuer,
        role=role,
        subject=fields.text(2, MAX_SUBJECT),
        not_before_s=start,
        not_after_s=end,
        signing_key=fields.octets(5, KEY_BYTES),
        agreement_x=x,
        raw=raw,
    )

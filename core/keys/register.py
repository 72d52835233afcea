"""What the practice's root vouches for, read from and written to the practice's file."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from core.keys import issuing
from core.keys.errors import ClockBehind, KeysRevoked, NotFounded, UnknownKey, WrappedDamaged
from core.keys.issuing import AgreementKey
from core.keys.unlocked import HeldKey
from core.keys.wrapping import KEY_BYTES
from core.model.certificate import Certificate, Role, Trust, read_revocations, read_root, read_unverified
from core.model.clock import Clock
from core.model.cose import KeySigner
from core.model.keys import grouped
from core.record.practice_keys import Issued, PracticeKeys

SLACK_S: Final = 600
"""So far a clock may be set back without a word."""


@dataclass(frozen=True, slots=True)
class WorkstationKey:
    """This workstation's certificate, and the private half of its agreement key, 32 bytes."""

    certificate: Certificate
    agreement_private: bytes


def new_key() -> HeldKey:
    return HeldKey(bytearray(secrets.token_bytes(KEY_BYTES)))


class Register:
    """Certificates and revocations under the root in force, which is the newest; those of former roots are void."""

    def __init__(self, keys: PracticeKeys, clock: Clock) -> None:
        self.keys = keys
        self._clock = clock

    # what is in force

    @property
    def founded(self) -> bool:
        return self.keys.root() is not None

    @property
    def root(self) -> Certificate:
        """The practice's root. Raises NotFounded."""
        raw = self.keys.root()
        if raw is None:
            raise NotFounded
        return read_root(raw)

    @property
    def trust(self) -> Trust:
        """The root and its newest revocation list. Raises NotFounded."""
        root = self.root
        raw = self.keys.newest_list(root.kid)
        return Trust(root, read_revocations(raw, root) if raw is not None else None)

    @property
    def workstation(self) -> WorkstationKey:
        """Raises NotFounded; WrappedDamaged when certificate and key are not of each other."""
        root, kept = self.root, self.keys.secret("workstation")
        if kept is None:
            raise NotFounded
        certificate = read_unverified(self._newest(root.kid, kept.kid).raw)
        agreement = AgreementKey.load(kept.data[KEY_BYTES:])
        if agreement.x != certificate.agreement_x:
            raise WrappedDamaged
        return WorkstationKey(certificate, agreement.private)

    @property
    def workstation_signer(self) -> KeySigner:
        """This workstation's Ed25519 key, with which it signs checkpoints of its logs. Raises NotFounded."""
        kept = self.keys.secret("workstation")
        if kept is None:
            raise NotFounded
        return KeySigner(kept.data[:KEY_BYTES])

    def clinician(self, operator_id: str) -> Certificate | None:
        """The newest certificate over the key that this person has now; it may have expired."""
        kept = self.keys.secret("clinician", operator_id)
        if kept is None or not self.founded:
            return None
        return read_unverified(self._newest(self.root.kid, kept.kid).raw)

    def find(self, kid: bytes) -> Issued:
        """The newest certificate of a key, revoked or not, but not the root's. Raises UnknownKey."""
        root = self.root.kid
        if kid == root:
            raise UnknownKey(grouped(kid))
        return self._newest(root, kid)

    def unrevoked(self, role: Role, holder: str) -> list[bytes]:
        """Kids of a holder's keys, in the order in which they were certified last."""
        revoked = self.keys.revoked()
        issued = self.keys.certificates(self.root.kid)
        theirs = [one.kid for one in issued if one.role is role and one.holder == holder and one.kid not in revoked]
        return list(dict.fromkeys(reversed(theirs)))[::-1]

    def now_s(self) -> int:
        """UTC, s."""
        return self._clock.utc_us() // 1_000_000

    def issuing_now_s(self) -> int:
        """UTC, s. Raises ClockBehind: something was signed later than that."""
        now_s, trust = self.now_s(), self.trust
        latest = max(one.at_us for one in self.keys.certificates(trust.root.kid)) // 1_000_000
        if trust.revoked is not None:
            latest = max(latest, trust.revoked.issued_s)
        if now_s < latest - SLACK_S:
            raise ClockBehind(datetime.fromtimestamp(latest, UTC).strftime("%Y-%m-%d %H:%M UTC"))
        return now_s

    # what the root does

    def certify(self, root: HeldKey, role: Role, *, subject: str, key: bytes, x: bytes | None = None) -> Certificate:
        """A certificate of the present root, not written down yet.

        Raises:
            KeysRevoked: over a key that was revoked.
            ClockBehind, CertificateMalformed.
        """
        certificate = issuing.certify(
            root,
            self.root,
            role=role,
            subject=subject,
            signing_key=key,
            agreement_x=x,
            now_s=self.issuing_now_s(),
        )
        if certificate.kid in self.keys.revoked():
            raise KeysRevoked(subject)
        return certificate

    def again(self, root: HeldKey, kid: bytes, *, author: str) -> Certificate:
        """A certificate from now on over the same key. Raises as `certify`."""
        old = self.find(kid)
        one = read_unverified(old.raw)
        fresh = self.certify(root, old.role, subject=old.subject, key=one.signing_key, x=one.agreement_x)
        self.keys.add_certificate(fresh, holder=old.holder, author=author)
        return fresh

    def new_workstation(self, root: HeldKey, subject: str, *, author: str) -> None:
        """New keys for this workstation, in place of those it had."""
        key, agreement = new_key(), AgreementKey.generate()
        one = self.certify(root, Role.WORKSTATION, subject=subject, key=key.public, x=agreement.x)
        with self.keys.transaction():
            self.keys.add_certificate(one, holder=subject, author=author)
            self.keys.keep_secret("workstation", "", one.kid, bytes(key.seed) + agreement.private, author=author)
        key.close()

    def revoke(self, root: HeldKey, kids: Iterable[bytes], reason: str, *, author: str) -> None:
        """These keys, for good, by the next list; nothing when there are none. Raises ListFull, ClockBehind."""
        fresh = dict.fromkeys(kids, reason)
        if fresh:
            self.publish(root, fresh, author=author)

    def take_back(self, root: HeldKey, kid: bytes, reason: str, *, author: str) -> None:
        """Leave a key out of the next list. Raises ClockBehind."""
        self.publish(root, {}, {kid: reason}, author=author)

    def publish(
        self,
        root: HeldKey,
        fresh: Mapping[bytes, str] | None = None,
        taken_back: Mapping[bytes, str] | None = None,
        *,
        author: str,
    ) -> None:
        """The next list: what is on the present one and has not expired since, and `fresh`, kid → reason.

        Its number is above whatever a hub said to have, too: a file from a backup may have forgotten lists.

        Raises:
            ListFull, ClockBehind.
        """
        fresh, taken_back = fresh or {}, taken_back or {}
        now_s, trust = self.issuing_now_s(), self.trust
        present = trust.revoked
        ends = {one.kid: read_unverified(one.raw).not_after_s for one in self.keys.certificates(trust.root.kid)}
        kept = {kid for kid in (present.kids if present is not None else ()) if ends.get(kid, now_s + 1) > now_s}
        number = 1 + max(present.number if present is not None else 0, self.heard)
        kids = (kept - taken_back.keys()) | fresh.keys()
        raw = issuing.revocations(root, number=number, now_s=now_s, kids=kids)
        self.keys.add_list(
            raw, issuer=trust.root.kid, number=number, revoked=fresh, taken_back=taken_back, author=author
        )

    @property
    def heard(self) -> int:
        """The highest number of a revocation list that a hub said to have."""
        return max((hub.revocations for hub in self.keys.hubs()), default=0)

    # inside

    def _newest(self, root: bytes, kid: bytes) -> Issued:
        found = [one for one in self.keys.certificates(root) if one.kid == kid]
        if not found:
            raise UnknownKey(grouped(kid))
        return found[-1]

"""A practice's keys and what signs with them, for tests of the evidence."""

from core.keys.issuing import AgreementKey
from core.model.certificate import Role, issue, issue_root, read_root, read_unverified
from core.model.cose import KeySigner
from core.record.evidence import Signing

FROM_S, TO_S = 1_700_000_000, 2_000_000_000


class Keys:
    """A root, this workstation's key under it, and a hub's."""

    def __init__(self, seed: int = 1) -> None:
        self.root = KeySigner(bytes([seed]) * 32)
        self.hub = KeySigner(bytes([seed + 1]) * 32)
        raw = issue_root(self.root, subject="practice", not_before_s=FROM_S, not_after_s=TO_S)
        self.root_certificate = read_root(raw)
        self.hub_certificate = read_unverified(self.issued(Role.HUB, "SH-1", self.hub.public))
        self.signing = self.workstation(KeySigner(bytes([seed + 2]) * 32))

    def issued(self, role: Role, subject: str, key: bytes) -> bytes:
        return issue(
            self.root,
            role=role,
            subject=subject,
            not_before_s=FROM_S,
            not_after_s=TO_S,
            signing_key=key,
            agreement_x=AgreementKey.generate().x,
        )

    def workstation(self, signer: KeySigner) -> Signing:
        certificate = read_unverified(self.issued(Role.WORKSTATION, "WS-1", signer.public))
        return Signing(signer, certificate, self.root_certificate)

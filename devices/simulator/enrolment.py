"""Commands about keys and people: ENROL, REVOKE, CLINICIAN, REKEY (docs/hub-protocol.md, section 11)."""

from core.model.certificate import CertificateRefused, Role
from core.model.hub import ReceiptCode, TherapyState
from devices.hub.commands import Bare, Enrol, Introduce, Revoke
from devices.hub.session.documents import encode_keys
from devices.simulator.card import identity_document
from devices.simulator.client import Client, Outcome
from devices.simulator.parts import Parts


class Enrolment:
    """Whom the hub belongs to, and who counts."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def obey(self, command: Enrol | Revoke | Introduce | Bare, client: Client) -> Outcome:
        match command:
            case Enrol(root, certificate):
                return self._enrol(root, certificate)
            case Revoke(raw):
                return self._revoke(raw, client)
            case Introduce(certificate):
                return self._introduce(certificate, client)
            case Bare():
                return self._rekey()

    @property
    def _idle(self) -> bool:
        return self._parts.therapy.state is TherapyState.IDLE

    def _enrol(self, root: bytes, certificate: bytes) -> Outcome:
        code = self._parts.vault.enrol(root, certificate, idle=self._idle)
        if code is not ReceiptCode.DONE:
            return Outcome(code)
        return Outcome(code, document=identity_document(self._parts), end=True)

    def _revoke(self, raw: bytes, client: Client) -> Outcome:
        vault = self._parts.vault
        code = vault.revoke(raw)
        revoked = vault.trust.revoked if vault.trust is not None else None
        if code is not ReceiptCode.DONE or revoked is None:
            return Outcome(code)
        self._parts.therapy.withdraw(revoked.kids)
        for kid, certificate in list(client.clinicians.items()):
            try:
                vault.verify(certificate.raw, Role.CLINICIAN)
            except CertificateRefused:
                del client.clinicians[kid]
        return Outcome(code, end=client.kid in revoked.kids)

    def _introduce(self, raw: bytes, client: Client) -> Outcome:
        try:
            certificate = self._parts.vault.verify(raw, Role.CLINICIAN)
        except CertificateRefused:
            return Outcome(ReceiptCode.REFUSED)
        known = client.clinicians.get(certificate.kid)
        self._parts.vault.accepted(certificate)
        client.clinicians[certificate.kid] = certificate
        return Outcome(ReceiptCode.ALREADY if known is not None and known.raw == raw else ReceiptCode.DONE)

    def _rekey(self) -> Outcome:
        if not self._idle:
            return Outcome(ReceiptCode.NOT_NOW)
        return Outcome(ReceiptCode.DONE, document=encode_keys(*self._parts.vault.rekey()))

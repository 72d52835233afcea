"""A practice with a workstation and a clinician, as a hub's driver asks for them."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from core.model.certificate import (
    Certificate,
    Role,
    Trust,
    issue,
    issue_revocations,
    issue_root,
    read_root,
    read_unverified,
)
from core.model.cose import KeySigner
from core.model.errors import SmilescapeError
from core.model.hub import PhaseOrder
from devices.hub.credentials import Clinician
from devices.hub.session.envelope import AllowedPhase, HubEnvelope
from devices.hub.session.handshake import SessionKey
from devices.simulator import maker
from devices.simulator.session.edhoc import KeyPair

NOW_S = 1_800_000_000
YEAR_S = 31_536_000
PROCEDURE = "0190a000-0000-7000-8000-000000000001"
ORDER = PhaseOrder(phase=1, module=1, tooth=0, seconds=60, dose_percent=80, tissue_limit_c=39.0)
ENVELOPE = HubEnvelope(
    procedure=PROCEDURE,
    consent_sha256=hashlib.sha256(b"what the patient read").digest(),
    phases=(
        AllowedPhase(phase=1, module=1, tooth=0, dose_percent=80, seconds=120, ceiling_centi_c=3900),
        AllowedPhase(phase=2, module=2, tooth=36, dose_percent=50, seconds=30, ceiling_centi_c=3850),
    ),
)


class NobodyMay(SmilescapeError):
    """Nobody is logged in who may certify a hub."""

    code = "test.nobody_may"


class Clinic:
    """Credentials, all in memory. What is set here counts from the next connection or order on.

    Attributes:
        trust, maker, workstation, firmware_signers: as Credentials has them.
        workstation_signer: with the key of the last workstation that was made.
        locked: nobody is logged in who may certify.
        certified: certificates given to hubs.
    """

    def __init__(self, name: str = "Practice") -> None:
        self._root = KeySigner()
        root = issue_root(self._root, subject=name, not_before_s=NOW_S - YEAR_S, not_after_s=NOW_S + 9 * YEAR_S)
        self.trust = Trust(read_root(root))
        self.maker = Trust(read_root(maker.root_certificate()))
        signer = read_unverified(maker.firmware_certificate())
        self.firmware_signers: Mapping[bytes, Certificate] = {signer.kid: signer}
        self.workstation = self.new_workstation("ws-1")
        self.clinician = self.new_clinician("dr-kim")
        self.locked = False
        self.certified: list[Certificate] = []

    def certificate(self, role: Role, name: str, signing_key: bytes, x: bytes | None = None) -> Certificate:
        raw = issue(
            self._root,
            role=role,
            subject=name,
            not_before_s=NOW_S - YEAR_S,
            not_after_s=NOW_S + YEAR_S,
            signing_key=signing_key,
            agreement_x=x,
        )
        return read_unverified(raw)

    def new_workstation(self, name: str) -> SessionKey:
        pair, self.workstation_signer = KeyPair(), KeySigner()
        certificate = self.certificate(Role.WORKSTATION, name, self.workstation_signer.public, pair.x)
        return SessionKey(certificate, pair.private)

    def new_clinician(self, name: str) -> Clinician:
        signer = KeySigner()
        return Clinician(self.certificate(Role.CLINICIAN, name, signer.public), signer)

    def certify_hub(self, serial: str, signing_key: bytes, agreement_x: bytes) -> bytes:
        if self.locked:
            raise NobodyMay("Nobody may.", "Log in.")
        self.certified.append(self.certificate(Role.HUB, serial, signing_key, agreement_x))
        return self.certified[-1].raw

    def revoke(self, *kids: bytes) -> None:
        """Withdraw these too, by a new list."""
        old = self.trust.revoked
        known = old.kids if old is not None else frozenset()
        number = old.number + 1 if old is not None else 1
        raw = issue_revocations(self._root, number=number, issued_s=NOW_S, kids=known.union(kids))
        self.trust = self.trust.with_revocations(raw)

    def back_to(self, trust: Trust) -> None:
        """As a workstation that was not told of the newest list."""
        self.trust = replace(trust)

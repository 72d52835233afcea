"""The simulated maker: it certifies simulated hubs and vouches for what they run.

Its private keys stand here for everybody to read, so that nobody can take a simulated hub for more than it is. Its
certificates lie in resources/trust, for workstations that work with simulated hubs.
"""

import hashlib
from typing import Final

from core.model.certificate import Role, issue, issue_root
from core.model.cose import KeySigner

FROM_S: Final = 1_577_836_800
UNTIL_S: Final = 4_102_444_800
"""2020-01-01 and 2100-01-01, UTC."""

ROOT: Final = KeySigner(hashlib.sha256(b"smilescape simulated maker: root, public on purpose").digest())
FIRMWARE_SIGNER: Final = KeySigner(hashlib.sha256(b"smilescape simulated maker: firmware, public on purpose").digest())


def root_certificate() -> bytes:
    """The maker's root; resources/trust/simulated-maker.cert."""
    return issue_root(ROOT, subject="Simulated maker", not_before_s=FROM_S, not_after_s=UNTIL_S)


def firmware_certificate() -> bytes:
    """Of whoever signs firmware; resources/trust/simulated-firmware.cert."""
    return issue(
        ROOT,
        role=Role.FIRMWARE_SIGNER,
        subject="Simulated firmware",
        not_before_s=FROM_S,
        not_after_s=UNTIL_S,
        signing_key=FIRMWARE_SIGNER.public,
    )


def certify_hub(serial: str, signing_key: bytes, agreement_x: bytes) -> bytes:
    """A hub's certificate as it leaves the factory. Raises CertificateMalformed: no serial, or one too long."""
    return issue(
        ROOT,
        role=Role.HUB,
        subject=serial,
        not_before_s=FROM_S,
        not_after_s=UNTIL_S,
        signing_key=signing_key,
        agreement_x=agreement_x,
    )

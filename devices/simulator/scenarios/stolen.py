"""Keys in the wrong hands, as a file or as objects."""

from pathlib import Path

import msgspec

from core.model.certificate import CertificateRefused, read_unverified
from core.model.cose import KeySigner
from core.model.errors import SmilescapeError
from devices.hub.credentials import Clinician
from devices.hub.session.handshake import SessionKey

_SECRET_BYTES = 32


class StolenUnreadable(SmilescapeError):  # noqa: N818 - named for what is the case
    """The file of stolen keys cannot be used."""

    code = "simulator.stolen"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} holds no stolen keys: {why}.", "See docs/security.md for its form.")


class StolenKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a thief has; bytes are base64 in the file.

    Attributes:
        workstation, agreement: its certificate, and the private half of its P-256 key (32 bytes).
        clinician, signing: a clinician's certificate and Ed25519 key (32 bytes); empty: only the machine was stolen.
    """

    workstation: bytes
    agreement: bytes
    clinician: bytes = b""
    signing: bytes = b""

    @property
    def session_key(self) -> SessionKey:
        return SessionKey(read_unverified(self.workstation), self.agreement)

    @property
    def signer(self) -> Clinician | None:
        if not self.clinician:
            return None
        return Clinician(read_unverified(self.clinician), KeySigner(self.signing))


def read_stolen(path: Path) -> StolenKeys:
    """Raises StolenUnreadable."""
    try:
        keys = msgspec.json.decode(path.read_bytes(), type=StolenKeys)
        read_unverified(keys.workstation)
        if keys.clinician:
            read_unverified(keys.clinician)
    except (OSError, msgspec.MsgspecError, CertificateRefused) as error:
        raise StolenUnreadable(path, str(error)) from error
    if len(keys.agreement) != _SECRET_BYTES or (keys.clinician and len(keys.signing) != _SECRET_BYTES):
        raise StolenUnreadable(path, "a secret has 32 bytes")
    return keys

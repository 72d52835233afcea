"""What a simulated hub runs: its own source, measured, with the simulated maker's word for it."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from core.model.cose import Signer
from devices.hub.session.attestation import Attestation, Manifest, sign_attestation, sign_manifest
from devices.simulator.maker import FIRMWARE_SIGNER

MODEL: Final = "Smilescape Hub"
VERSION: Final = "2.0.0"
SECURITY_VERSION: Final = 2
"""Grows when an older firmware has to be given up."""


class Firmware(msgspec.Struct, frozen=True, kw_only=True):
    """A firmware and the manifest that came with it."""

    version: str
    measurement: bytes
    security_version: int
    manifest: bytes

    def attest(self, signer: Signer, session_id: bytes, boot: int) -> bytes:
        """The quote for one session, signed by the hub."""
        quote = Attestation(
            session_id=session_id,
            version=self.version,
            measurement=self.measurement,
            security_version=self.security_version,
            boot=boot,
            manifest=self.manifest,
        )
        return sign_attestation(quote, signer)


def released(
    measurement: bytes | None = None, *, version: str = VERSION, security_version: int = SECURITY_VERSION
) -> Firmware:
    """A firmware that the simulated maker vouches for; what really runs, unless another measurement is given."""
    measurement = measurement or measure()
    manifest = Manifest(model=MODEL, version=version, measurement=measurement, security_version=security_version)
    return Firmware(
        version=version,
        measurement=measurement,
        security_version=security_version,
        manifest=sign_manifest(manifest, FIRMWARE_SIGNER),
    )


@cache
def measure() -> bytes:
    """SHA-256 over the simulator's source: names and contents, by name."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.digest()

"""Proof of what a hub runs: its quote for one session, and the manifest by which a firmware signer vouches for it."""

from collections.abc import Mapping
from typing import Final

import msgspec

from core.model import cbor
from core.model.certificate import Certificate, Role
from core.model.cose import CoseRefused, Signer, parse1, sign1
from core.model.strict_cbor import CborRefused, Fields
from devices.hub.session.errors import FirmwareRefused
from devices.hub.session.signed import SESSION_ID_BYTES

_ATTESTATION: Final = b"smilescape/attestation/2"
_FIRMWARE: Final = b"smilescape/firmware/2"
_MAX_TEXT: Final = 64
_MAX_MANIFEST: Final = 512
_MAX_ATTESTATION: Final = 1024
_U32: Final = 0xFFFF_FFFF


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A firmware that its signer vouches for. `measurement` is its SHA-256."""

    model: str
    version: str
    measurement: bytes
    security_version: int


class Attestation(msgspec.Struct, frozen=True, kw_only=True):
    """What a hub says that it runs, signed by its key for one session, and the manifest that it came with."""

    session_id: bytes
    version: str
    measurement: bytes
    security_version: int
    boot: int
    manifest: bytes


def sign_manifest(manifest: Manifest, signer: Signer) -> bytes:
    """The manifest as a firmware signer hands it out."""
    fields = {1: manifest.model, 2: manifest.version, 3: manifest.measurement, 4: manifest.security_version}
    return sign1(cbor.encode(fields), signer, _FIRMWARE)


def sign_attestation(attestation: Attestation, signer: Signer) -> bytes:
    """The attestation as the hub's key signs it."""
    fields = {
        1: attestation.session_id,
        2: attestation.version,
        3: attestation.measurement,
        4: attestation.security_version,
        5: attestation.boot,
        6: attestation.manifest,
    }
    return sign1(cbor.encode(fields), signer, _ATTESTATION)


def verify_attestation(
    message: bytes,
    hub: Certificate,
    signers: Mapping[bytes, Certificate],
    *,
    session_id: bytes,
    model: str,
    least_version: int,
) -> Attestation:
    """What the hub runs, if a known signer vouches for it.

    Args:
        signers: firmware signers that count now, by kid.
        session_id: of this session: an attestation of another one proves nothing.
        model: of the hub, as its identity says.
        least_version: highest security version ever seen of this hub; older firmware was given up for a reason.

    Raises:
        FirmwareRefused: the hub is to be treated as read-only.
    """
    try:
        quote = _read_attestation(parse1(message, limit=_MAX_ATTESTATION).verify(hub.signing_key, _ATTESTATION))
        if quote.session_id != session_id:
            raise FirmwareRefused("the proof is of another session")
        vouched = parse1(quote.manifest, limit=_MAX_MANIFEST)
        signer = signers.get(vouched.kid)
        if signer is None or signer.role is not Role.FIRMWARE_SIGNER:
            raise FirmwareRefused("nobody known has signed it")
        manifest = _read_manifest(vouched.verify(signer.signing_key, _FIRMWARE))
    except (CoseRefused, CborRefused) as error:
        raise FirmwareRefused(str(error)) from error
    said = (model, quote.version, quote.measurement, quote.security_version)
    if msgspec.structs.astuple(manifest) != said:
        raise FirmwareRefused("it is not the firmware that was signed")
    if quote.security_version < least_version:
        raise FirmwareRefused("it is older than what this hub ran before")
    return quote


def _read_attestation(payload: bytes) -> Attestation:
    fields = Fields(payload, 6, limit=_MAX_ATTESTATION)
    return Attestation(
        session_id=fields.octets(1, SESSION_ID_BYTES),
        version=fields.text(2, _MAX_TEXT),
        measurement=fields.octets(3, 32),
        security_version=fields.unsigned(4, _U32),
        boot=fields.unsigned(5, _U32),
        manifest=fields.octets(6, most=_MAX_MANIFEST),
    )


def _read_manifest(payload: bytes) -> Manifest:
    fields = Fields(payload, 4, limit=_MAX_MANIFEST)
    return Manifest(
        model=fields.text(1, _MAX_TEXT),
        version=fields.text(2, _MAX_TEXT),
        measurement=fields.octets(3, 32),
        security_version=fields.unsigned(4, _U32),
    )

"""What a hub runs: believed only as a known signer vouches for it, in this session."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.certificate import Role
from devices.hub.session.attestation import (
    Attestation,
    Manifest,
    sign_attestation,
    sign_manifest,
    verify_attestation,
)
from devices.hub.session.errors import FirmwareRefused
from tests.devices.session.parties import HUB, ROOT, SERIAL, certificate, secret, signer

SESSION = secret("session")[:16]
MAKER = certificate(ROOT, Role.FIRMWARE_SIGNER, "maker")
MANIFEST = Manifest(model="Smilescape Hub", version="2.0.0", measurement=secret("firmware"), security_version=3)
QUOTE = Attestation(
    session_id=SESSION,
    version="2.0.0",
    measurement=secret("firmware"),
    security_version=3,
    boot=7,
    manifest=sign_manifest(MANIFEST, signer("maker")),
)


def attest(quote: Attestation = QUOTE, *, least: int = 0, model: str = "Smilescape Hub") -> Attestation:
    return verify_attestation(
        sign_attestation(quote, signer(SERIAL)),
        HUB,
        {MAKER.kid: MAKER},
        session_id=SESSION,
        model=model,
        least_version=least,
    )


def test_a_firmware_is_trusted_when_everything_fits() -> None:
    assert attest(least=3) == QUOTE


OTHER = msgspec.structs.replace(MANIFEST, measurement=secret("other firmware"))
BAD_QUOTES = {
    "another session": msgspec.structs.replace(QUOTE, session_id=bytes(16)),
    "another measurement": msgspec.structs.replace(QUOTE, measurement=secret("patched")),
    "another version": msgspec.structs.replace(QUOTE, version="2.0.1"),
    "another security version": msgspec.structs.replace(QUOTE, security_version=4),
    "another manifest": msgspec.structs.replace(QUOTE, manifest=sign_manifest(OTHER, signer("maker"))),
    "unknown signer": msgspec.structs.replace(QUOTE, manifest=sign_manifest(MANIFEST, signer("stranger"))),
    "signed by the hub itself": msgspec.structs.replace(QUOTE, manifest=sign_manifest(MANIFEST, signer(SERIAL))),
    "no manifest": msgspec.structs.replace(QUOTE, manifest=b""),
    "no version": msgspec.structs.replace(QUOTE, version=""),
}


@pytest.mark.parametrize("quote", BAD_QUOTES.values(), ids=BAD_QUOTES.keys())
def test_a_firmware_that_is_not_proven_is_refused(quote: Attestation) -> None:
    with pytest.raises(FirmwareRefused):
        attest(quote)


def test_firmware_of_another_model_or_older_than_before_is_refused() -> None:
    with pytest.raises(FirmwareRefused, match="not the firmware"):
        attest(model="Another")
    with pytest.raises(FirmwareRefused, match="older"):
        attest(least=4)


def test_an_attestation_of_another_hub_or_altered_is_refused() -> None:
    raw = sign_attestation(QUOTE, signer(SERIAL))

    def check(message: bytes, hub: str = SERIAL) -> None:
        cert = HUB if hub == SERIAL else certificate(ROOT, Role.HUB, hub)
        known = {MAKER.kid: MAKER}
        verify_attestation(message, cert, known, session_id=SESSION, model="Smilescape Hub", least_version=0)

    check(raw)
    with pytest.raises(FirmwareRefused):
        check(raw, "SH-0002")
    for at in range(len(raw)):
        with pytest.raises(FirmwareRefused):
            check(raw[:at] + bytes((raw[at] ^ 1 << at % 8,)) + raw[at + 1 :])


def test_a_signer_without_the_role_vouches_for_nothing() -> None:
    clinician = certificate(ROOT, Role.CLINICIAN, "maker")
    with pytest.raises(FirmwareRefused, match="nobody"):
        verify_attestation(
            sign_attestation(QUOTE, signer(SERIAL)),
            HUB,
            {clinician.kid: clinician},
            session_id=SESSION,
            model="Smilescape Hub",
            least_version=0,
        )


@given(st.binary(max_size=200))
def test_garbage_is_refused_in_a_typed_way(garbage: bytes) -> None:
    with pytest.raises(FirmwareRefused):
        verify_attestation(garbage, HUB, {}, session_id=SESSION, model="x", least_version=0)

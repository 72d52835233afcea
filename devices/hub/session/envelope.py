"""What the patient consented to, as far as a hub must know it to refuse everything else (docs/hub-protocol.md, 9)."""

import hashlib
from typing import Final

import msgspec

from core.model import cbor
from core.model.strict_cbor import CborRefused, Fields, Value
from devices.hub.session.documents import whole_numbers
from devices.hub.session.errors import MessageMalformed
from devices.hub.session.wire import MAX_ENVELOPE, MAX_PHASES, MAX_PROCEDURE

_U16: Final = 0xFFFF
_MOST: Final = (_U16, _U16, 0xFF, 100, _U16, 0x7FFF)
"""Highest phase, module, tooth, dose, seconds, ceiling."""


class AllowedPhase(msgspec.Struct, frozen=True, kw_only=True):
    """One phase that may be treated, with the most of everything.

    Attributes:
        tooth: FDI, 0 for the whole mouth.
        dose_percent: 0–100; seconds in all, however often it is begun.
        ceiling_centi_c: tissue temperature at which the hub has to hold, 0.01 °C.
    """

    phase: int
    module: int
    tooth: int
    dose_percent: int
    seconds: int
    ceiling_centi_c: int


class HubEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope as the hub holds it. `consent_sha256` names the document that the patient saw, 32 bytes."""

    procedure: str
    consent_sha256: bytes
    phases: tuple[AllowedPhase, ...]

    def phase(self, number: int) -> AllowedPhase | None:
        """What is allowed of a phase; None when nothing is."""
        return next((one for one in self.phases if one.phase == number), None)


def encode_envelope(envelope: HubEnvelope) -> bytes:
    """The envelope's one form. Raises ValueError when a field breaks the rules of the format."""
    phases = [list(msgspec.structs.astuple(one)) for one in envelope.phases]
    raw = cbor.encode({1: envelope.procedure, 2: envelope.consent_sha256, 3: phases})
    try:
        decode_envelope(raw)
    except MessageMalformed as error:
        raise ValueError(str(error)) from error
    return raw


def envelope_hash(raw: bytes) -> bytes:
    """What commands name it by: SHA-256, 32 bytes."""
    return hashlib.sha256(raw).digest()


def decode_envelope(raw: bytes) -> HubEnvelope:
    """Raises MessageMalformed: not an envelope, too long, no phase or too many, numbers not ascending."""
    try:
        fields = Fields(raw, 3, limit=MAX_ENVELOPE)
        procedure, consent = fields.text(1, MAX_PROCEDURE), fields.octets(2, 32)
        phases = tuple(_phase(item) for item in fields.array(3, MAX_PHASES))
    except CborRefused as error:
        raise MessageMalformed(str(error)) from error
    numbers = [one.phase for one in phases]
    if not numbers or numbers != sorted(set(numbers)):
        raise MessageMalformed("the envelope's phases are not in order")
    return HubEnvelope(procedure=procedure, consent_sha256=consent, phases=phases)


def _phase(item: Value) -> AllowedPhase:
    numbers = whole_numbers(item, len(_MOST))
    if not all(0 <= one <= most for one, most in zip(numbers, _MOST, strict=True)):
        raise MessageMalformed("a phase of the envelope cannot be read")
    phase, module, tooth, dose, seconds, ceiling = numbers
    return AllowedPhase(
        phase=phase, module=module, tooth=tooth, dose_percent=dose, seconds=seconds, ceiling_centi_c=ceiling
    )

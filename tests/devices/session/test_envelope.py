"""The consent envelope as the hub holds it: one form, and nothing that cannot be kept."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model import cbor
from devices.hub.session.envelope import (
    AllowedPhase,
    HubEnvelope,
    decode_envelope,
    encode_envelope,
    envelope_hash,
)
from devices.hub.session.errors import MessageMalformed
from devices.hub.session.wire import MAX_ENVELOPE, MAX_PHASES, MAX_PROCEDURE
from tests.devices.session.parties import secret

PHASE = AllowedPhase(phase=1, module=2, tooth=36, dose_percent=60, seconds=300, ceiling_centi_c=3950)
ENVELOPE = HubEnvelope(
    procedure="V-2027-0001",
    consent_sha256=secret("consent"),
    phases=(PHASE, msgspec.structs.replace(PHASE, phase=2, tooth=0)),
)
PHASES = st.builds(
    AllowedPhase,
    phase=st.integers(0, 65535),
    module=st.integers(0, 65535),
    tooth=st.integers(0, 255),
    dose_percent=st.integers(0, 100),
    seconds=st.integers(0, 65535),
    ceiling_centi_c=st.integers(0, 32767),
)
ENVELOPES = st.builds(
    HubEnvelope,
    procedure=st.text("abcXYZ-09", min_size=1, max_size=MAX_PROCEDURE),
    consent_sha256=st.binary(min_size=32, max_size=32),
    phases=st.lists(PHASES, min_size=1, max_size=8, unique_by=lambda one: one.phase).map(
        lambda found: tuple(sorted(found, key=lambda one: one.phase))
    ),
)
PLAIN = {1: "p", 2: bytes(32), 3: [[1, 2, 36, 60, 300, 3950]]}


@given(ENVELOPES)
def test_an_envelope_survives_and_has_one_form(envelope: HubEnvelope) -> None:
    raw = encode_envelope(envelope)
    assert decode_envelope(raw) == envelope
    assert encode_envelope(decode_envelope(raw)) == raw
    assert len(envelope_hash(raw)) == 32


def test_a_phase_is_found_by_its_number() -> None:
    assert ENVELOPE.phase(1) == PHASE
    assert ENVELOPE.phase(3) is None


def test_the_largest_envelope_fits() -> None:
    most = AllowedPhase(phase=65535, module=65535, tooth=85, dose_percent=100, seconds=65535, ceiling_centi_c=32767)
    phases = tuple(msgspec.structs.replace(most, phase=60000 + n) for n in range(MAX_PHASES))
    raw = encode_envelope(HubEnvelope(procedure="p" * MAX_PROCEDURE, consent_sha256=bytes(32), phases=phases))
    assert len(raw) <= MAX_ENVELOPE


@pytest.mark.parametrize(
    "change",
    [
        {"procedure": ""},
        {"procedure": "p" * (MAX_PROCEDURE + 1)},
        {"consent_sha256": b"short"},
        {"phases": ()},
        {"phases": (PHASE, PHASE)},
        {"phases": (msgspec.structs.replace(PHASE, phase=2), PHASE)},
        {"phases": tuple(msgspec.structs.replace(PHASE, phase=n) for n in range(MAX_PHASES + 1))},
        {"phases": (msgspec.structs.replace(PHASE, dose_percent=101),)},
        {"phases": (msgspec.structs.replace(PHASE, seconds=65536),)},
        {"phases": (msgspec.structs.replace(PHASE, ceiling_centi_c=-1),)},
    ],
)
def test_what_breaks_the_rules_is_never_sent(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="message"):
        encode_envelope(msgspec.structs.replace(ENVELOPE, **change))


@pytest.mark.parametrize(
    "change",
    [
        {1: b"p"},
        {2: "text"},
        {3: []},
        {3: [[1, 2, 3]]},
        {3: [[1, 2, 36, 60, 300, True]]},
        {3: [[1, 2, 36, 60, 300, -1]]},
        {3: "no array"},
        {4: 1},
    ],
)
def test_what_is_no_envelope_is_refused(change: dict[int, object]) -> None:
    decode_envelope(cbor.encode(PLAIN))
    with pytest.raises(MessageMalformed):
        decode_envelope(cbor.encode(PLAIN | change))


@given(st.binary(max_size=300))
def test_garbage_is_refused_in_a_typed_way(garbage: bytes) -> None:
    with pytest.raises(MessageMalformed):
        decode_envelope(garbage)

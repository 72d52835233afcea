"""Who a hub says it is: in clear, in secret, and never one thing here and another there."""

import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.certificate import Role
from core.model.hub import HubIdentity
from devices.errors import FrameError
from devices.hub.session.documents import decode_document, octets
from devices.hub.session.errors import IdentityDowngraded
from devices.hub.session.identity import (
    ENROLLED,
    OPEN,
    SIMULATED,
    BootSpan,
    ClearIdentity,
    HubCard,
    check_identity,
    decode_card,
    decode_clear_identity,
    encode_card,
    encode_clear_identity,
)
from devices.hub.session.wire import DocumentKind
from tests.devices.session.parties import HUB, ROOT, SERIAL, certificate, secret

FLAGS = ENROLLED | SIMULATED
CLEAR = ClearIdentity(major=2, minor=0, flags=FLAGS, model="Smilescape Hub")
IDENTITY = HubIdentity(
    serial=SERIAL,
    model="Smilescape Hub",
    firmware="2.0.0",
    hardware="A",
    profile_major=2,
    profile_minor=0,
    boot=7,
    simulated=True,
)
CARD = HubCard(
    identity=IDENTITY,
    flags=FLAGS,
    irk=secret("irk")[:16],
    revocations=3,
    next_entry=4,
    next_event=2**32 - 1,
    boots=(BootSpan(5, 0, 900), BootSpan(7, 1_800_000_000_000_000, 2**64 - 1)),
)


def body_of(card: HubCard) -> bytes:
    kind, body = decode_document(encode_card(card))
    assert kind == DocumentKind.IDENTITY
    return octets(body)


def test_an_identity_comes_in_clear_and_in_secret() -> None:
    assert decode_clear_identity(encode_clear_identity(CLEAR) + b"later minor") == CLEAR
    assert check_identity(CLEAR, body_of(CARD), HUB) == CARD
    assert decode_card(body_of(CARD) + b"later minor") == CARD


@pytest.mark.parametrize(
    ("altered", "what"),
    [
        (msgspec.structs.replace(CLEAR, major=1), "major"),
        (msgspec.structs.replace(CLEAR, minor=1), "minor"),
        (msgspec.structs.replace(CLEAR, flags=SIMULATED | OPEN), "flags"),
        (msgspec.structs.replace(CLEAR, model="Another"), "model"),
    ],
)
def test_what_was_altered_in_clear_is_a_downgrade(altered: ClearIdentity, what: str) -> None:
    with pytest.raises(IdentityDowngraded, match=what):
        check_identity(altered, body_of(CARD), HUB)


def test_a_hub_is_called_what_its_certificate_says() -> None:
    with pytest.raises(IdentityDowngraded, match="serial"):
        check_identity(CLEAR, body_of(CARD), certificate(ROOT, Role.HUB, "SH-0002"))


@pytest.mark.parametrize("serial", ["", "x" * 25, "a\nb"])
def test_an_identity_without_a_usable_serial_is_refused(serial: str) -> None:
    card = msgspec.structs.replace(CARD, identity=msgspec.structs.replace(IDENTITY, serial=serial))
    with pytest.raises(FrameError):
        decode_card(body_of(card))


@pytest.mark.parametrize("boots", [(), (5,), (7, 5), (7, 7), (7, 8)])
def test_boots_come_in_order_with_the_present_one_last(boots: tuple[int, ...]) -> None:
    card = msgspec.structs.replace(CARD, boots=tuple(BootSpan(boot, 0, 0) for boot in boots))
    with pytest.raises(FrameError):
        decode_card(body_of(card))


def test_an_identity_of_another_major_or_of_bytes_that_are_no_text_is_refused() -> None:
    body = body_of(CARD)
    for altered in (b"\x03" + body[1:], body[:9] + b"\xff" + body[10:]):
        with pytest.raises(FrameError):
            decode_card(altered)
    with pytest.raises(FrameError):
        decode_clear_identity(b"\x02\x00\x00\x00\x01\xff")
    with pytest.raises(FrameError):
        decode_clear_identity(b"\x02\x00\x00\x00\x01\n")


def test_every_truncation_is_refused() -> None:
    body, clear = body_of(CARD), encode_clear_identity(CLEAR)
    for length in range(len(body)):
        with pytest.raises(FrameError):
            decode_card(body[:length])
    for length in range(len(clear)):
        with pytest.raises(FrameError):
            decode_clear_identity(clear[:length])


def test_what_does_not_fit_is_never_sent() -> None:
    with pytest.raises((struct.error, ValueError)):
        encode_card(msgspec.structs.replace(CARD, next_event=2**32))


@given(st.binary(max_size=200))
def test_garbage_is_refused_in_a_typed_way(garbage: bytes) -> None:
    for read in (decode_clear_identity, lambda raw: check_identity(CLEAR, raw, HUB)):
        try:
            read(garbage)
        except (FrameError, IdentityDowngraded):
            continue

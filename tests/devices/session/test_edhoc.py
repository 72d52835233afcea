"""The simulator's EDHOC against the RFC's own trace, and against the workstation's library in both roles."""

import lakers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model import cbor
from devices.simulator.session.edhoc import (
    Ead,
    EdhocMalformed,
    EdhocNotAuthentic,
    Initiator,
    KeyPair,
    Party,
    Responder,
)
from tests.devices.session.parties import pair

# RFC 9529, chapter 3: method 3, suites 6 and 2, credentials by kid
CRED_I = bytes.fromhex(
    "a2027734322d35302d33312d46462d45462d33372d33322d333908a101a5010202412b2001215820"
    "ac75e9ece3e50bfc8ed60399889522405c47bf16df96660a41298cb4307f7eb6225820"
    "6e5de611388a4b8a8211334ac7d37ecb52a387d257e6db3c2a93df21ff3affc8"
)
CRED_R = bytes.fromhex(
    "a2026b6578616d706c652e65647508a101a501020241322001215820"
    "bbc34960526ea4d32e940cad2a234148ddc21791a12afbcbac93622046dd44f0225820"
    "4519e257236b2a0ce2023f0931f1f386ca7afda64fcde0108c224c51eabf6072"
)
I = Party(KeyPair(bytes.fromhex("fb13adeb6518cee5f88417660841142e830a81fe334380a953406a1305e8706b")), CRED_I, b"\x2b")  # noqa: E741
R = Party(KeyPair(bytes.fromhex("72cc4761dbd4c78f758931aa589d348d1ef874a7e303ede2f140dcf3e6aa4aac")), CRED_R, b"\x32")
X = bytes.fromhex("368ec1f69aeb659ba37d5a8d45b21bdc0299dceaa8ef235f3ca42ce3530f9525")
Y = bytes.fromhex("e2f4126777205e853b437d6eaca1e1f753cdcc3e2c69fa884b0a1a640977e418")
MESSAGE_1 = bytes.fromhex("0382060258208af6f430ebe18d34184017a9a11bf511c8dff8f834730b96c1b7c8dbca2fc3b637")
MESSAGE_2 = bytes.fromhex("582b419701d7f00a26c2dc587a36dd752549f33763c893422c8ea0f955a13a4ff5d59862a1eef9e0e7e1886fcd")
MESSAGE_3 = bytes.fromhex("52e562097bc417dd5919485ac7891ffd90a9fc")
MESSAGE_4 = bytes.fromhex("4828c966b7ca304f83")
OSCORE_SECRET = bytes.fromhex("f9868f6a3aca78a05d1485b35030b162")


def responder() -> Responder:
    return Responder(R, ephemeral=KeyPair(Y))


def test_the_responder_follows_the_trace_of_rfc_9529() -> None:
    hub = responder()
    assert hub.message_2(MESSAGE_1, c_r=b"\x27") == MESSAGE_2
    assert hub.open_3(MESSAGE_3) == (b"\x2b", ())
    assert hub.message_4(CRED_I, I.key.x) == MESSAGE_4
    assert hub.export(0, b"", 16) == OSCORE_SECRET


def test_the_initiator_follows_the_trace_of_rfc_9529() -> None:
    station = Initiator(I, ephemeral=KeyPair(X))
    assert station.message_1(c_i=b"\x37", suites=[6, 2]) == MESSAGE_1
    assert station.open_2(MESSAGE_2) == (b"\x32", ())
    assert station.message_3(CRED_R, R.key.x) == MESSAGE_3
    station.finish(MESSAGE_4)
    assert station.export(0, b"", 16) == OSCORE_SECRET


def ours(name: str, kid: bytes) -> Party:
    key = pair(name)
    return Party(key, cbor.encode({8: {1: {1: 2, 2: kid, -1: 1, -2: key.x}}}), kid)


@pytest.mark.parametrize("size", [1, 23, 24, 137, 160, 164])
@pytest.mark.parametrize("kids", [(b"\x02", b"\x01"), (b"\x99", b"abcd")])
def test_our_initiator_meets_the_librarys_responder(size: int, kids: tuple[bytes, bytes]) -> None:
    me, hub = ours("a", kids[0]), ours("b", kids[1])
    size = size if len(kids[1]) == 1 else min(size, 100)
    value = bytes(range(size))
    station = Initiator(me)
    library = lakers.EdhocResponder(hub.key.private, lakers.Credential(hub.credential))
    library.process_message_1(station.message_1())
    by_kid = lakers.CredentialTransfer.ByReference
    message_2 = library.prepare_message_2(by_kid, None, [lakers.EADItem(65001, True, value)])
    assert station.open_2(message_2) == (hub.kid, (Ead(65001, True, value),))
    message_3 = station.message_3(hub.credential, hub.key.x, ead_3=[Ead(65001, True, value)])
    _, items = library.parse_message_3(message_3)
    assert bytes(items[0].value()) == value
    library.verify_message_3(lakers.Credential(me.credential))
    station.finish(library.prepare_message_4(None))
    assert station.export(2, b"context", 32) == library.edhoc_exporter(2, b"context", 32)


def test_the_library_goes_wrong_above_what_the_protocol_uses() -> None:
    """The reason for the short form of a certificate. When this fails, the library has been mended."""
    hub = ours("b", b"\x01")
    station = lakers.EdhocInitiator()
    message_1 = station.prepare_message_1(None, None)
    station.parse_message_2(Responder(hub).message_2(message_1, ead_2=[Ead(65001, True, bytes(165))]))
    with pytest.raises(ValueError, match="MacVerificationFailed"):
        station.verify_message_2(pair("a").private, lakers.Credential(ours("a", b"\x02").credential), hub.credential)


def test_a_responder_takes_no_other_suite_method_or_addition() -> None:
    x = MESSAGE_1[4:38]
    for wrong in (
        b"\x00\x02" + x + b"\x37",
        b"\x03\x03" + x + b"\x37",
        b"\x03\x82\x02\x06" + x + b"\x37",
        b"\x03\x81\x02" + x + b"\x37",
        b"\x03\x02" + x,
        b"\x03\x02" + x + b"\x37\x00",
        b"\x03\x18\x02" + x + b"\x37",
        b"\x03\x02\x58\x1f" + x[2:33] + b"\x37",
        b"",
    ):
        with pytest.raises(EdhocMalformed):
            responder().message_2(wrong)


def test_steps_out_of_order_are_refused() -> None:
    with pytest.raises(EdhocMalformed):
        responder().open_3(MESSAGE_3)
    with pytest.raises(EdhocMalformed):
        responder().message_4(CRED_I, I.key.x)
    with pytest.raises(EdhocMalformed):
        Initiator(I).message_3(CRED_R, R.key.x)
    with pytest.raises(EdhocNotAuthentic):
        responder().export(0, b"", 16)


def test_somebody_else_is_not_authentic() -> None:
    hub = responder()
    hub.message_2(MESSAGE_1, c_r=b"\x27")
    hub.open_3(MESSAGE_3)
    with pytest.raises(EdhocNotAuthentic):
        hub.message_4(CRED_I, R.key.x)
    station = Initiator(I, ephemeral=KeyPair(X))
    station.message_1(c_i=b"\x37", suites=[6, 2])
    station.open_2(MESSAGE_2)
    with pytest.raises(EdhocNotAuthentic):
        station.message_3(CRED_R, I.key.x)


def test_a_kid_has_one_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kid of one byte that is a small number goes as that number, not as a byte string (RFC 9528, 3.5.3.2)."""
    station, hub = Initiator(ours("a", b"\x02")), Responder(ours("b", b"\x01"))
    station.open_2(hub.message_2(station.message_1()))
    with monkeypatch.context() as patched:
        patched.setattr("devices.simulator.session.edhoc._compact", cbor.encode)
        message_3 = station.message_3(ours("b", b"\x01").credential, pair("b").x)
    with pytest.raises(EdhocMalformed, match="kid"):
        hub.open_3(message_3)


@given(st.binary(max_size=420))
def test_garbage_is_refused_in_a_typed_way(garbage: bytes) -> None:
    with pytest.raises(EdhocMalformed):
        responder().message_2(garbage)
    hub = responder()
    hub.message_2(MESSAGE_1)
    with pytest.raises((EdhocMalformed, EdhocNotAuthentic)):
        hub.open_3(cbor.encode(garbage))
    station = Initiator(I)
    station.message_1()
    with pytest.raises(EdhocMalformed):
        station.open_2(garbage)

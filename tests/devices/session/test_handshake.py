"""Two sides that share no EDHOC code meet; and everybody who should not be let in is refused."""

import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.model.certificate import (
    Certificate,
    CertificateExpired,
    CertificateForeign,
    CertificateMalformed,
    CertificateNotYetValid,
    CertificateOfOtherSubject,
    CertificateRefused,
    CertificateRevoked,
    Role,
    issue_revocations,
)
from core.model.errors import SmilescapeError
from devices.hub.session.errors import (
    HandshakeMalformed,
    HandshakeNotAuthentic,
    RefusedByHub,
    SessionError,
)
from devices.hub.session.handshake import Initiator, SessionKey, decode_refusal, encode_refusal
from devices.hub.session.segments import Joiner, split
from devices.hub.session.wire import FromHub, Refusal, ToHub
from tests.devices.session.parties import (
    DAY_S,
    HUB,
    HUB_KEY,
    NOW_S,
    ROOT,
    SERIAL,
    STATION,
    TRUST,
    WORKSTATION,
    WORKSTATION_KEY,
    Meeting,
    certificate,
    meet,
    pair,
    root_certificate,
    signer,
)

ROGUE = signer("rogue")


def key(of: Certificate, name: str) -> SessionKey:
    return SessionKey(of, pair(name).private)


def refusal(meeting: Meeting) -> Refusal | None:
    with pytest.raises(RefusedByHub) as caught:
        meeting.run()
    assert meeting.hub.session is None
    assert meeting.workstation.session is None
    return caught.value.refusal


@pytest.mark.parametrize("room", [20, 21, 100, 182, 244])
def test_both_sides_share_one_session_at_any_mtu(room: int) -> None:
    mine, theirs = meet(room=room).run()
    assert mine.id == theirs.id
    assert len(mine.id) == 16
    assert (mine.peer, theirs.peer) == (HUB, WORKSTATION)
    assert mine.hub_serial == theirs.hub_serial == SERIAL
    assert mine.opener.open(FromHub.STATUS, theirs.sealer.seal(FromHub.STATUS, b"up")) == b"up"
    assert theirs.opener.open(ToHub.CONTROL, mine.sealer.seal(ToHub.CONTROL, b"down")) == b"down"


def test_every_session_is_another() -> None:
    assert len({meet().run()[0].id for _ in range(5)}) == 5


def test_the_longest_names_still_fit() -> None:
    long_hub = certificate(ROOT, Role.HUB, SERIAL, subject="H" * 24)
    long_station = certificate(ROOT, Role.WORKSTATION, STATION, subject="W" * 24)
    mine, theirs = meet(
        hub=key(long_hub, SERIAL), workstation=key(long_station, STATION), hub_serial="H" * 24, room=20
    ).run()
    assert mine.id == theirs.id
    assert len(long_hub.raw) == 197


def test_any_hub_of_the_practice_is_taken_when_none_is_bound() -> None:
    assert meet(hub_serial=None).run()[0].hub_serial == SERIAL


def test_a_hub_whose_enrolment_is_open_takes_a_workstation_of_any_root() -> None:
    foreign = certificate(ROGUE, Role.WORKSTATION, STATION)
    mine, theirs = meet(hub_trust=None, workstation=key(foreign, STATION)).run()
    assert mine.id == theirs.id


BAD_HUBS: list[tuple[str, SessionKey, type[SmilescapeError]]] = [
    ("another root", key(certificate(ROGUE, Role.HUB, SERIAL), SERIAL), CertificateForeign),
    ("wrong role", key(certificate(ROOT, Role.WORKSTATION, SERIAL), SERIAL), HandshakeMalformed),
    (
        "wrong role as a hub",
        key(replace(certificate(ROOT, Role.WORKSTATION, SERIAL), role=Role.HUB), SERIAL),
        CertificateForeign,
    ),
    ("another hub", key(certificate(ROOT, Role.HUB, "SH-0002"), "SH-0002"), CertificateOfOtherSubject),
    ("expired", key(certificate(ROOT, Role.HUB, SERIAL, not_after_s=NOW_S), SERIAL), CertificateExpired),
    ("too early", key(certificate(ROOT, Role.HUB, SERIAL, not_before_s=NOW_S + 1), SERIAL), CertificateNotYetValid),
    ("cloned", key(HUB, "a clone's own key"), HandshakeNotAuthentic),
]


@pytest.mark.parametrize(("hub", "error"), [case[1:] for case in BAD_HUBS], ids=[case[0] for case in BAD_HUBS])
def test_the_workstation_refuses_a_hub_before_it_says_who_it_is(hub: SessionKey, error: type[SmilescapeError]) -> None:
    meeting = meet(hub=hub)
    sent: set[int] = set()

    def watch(value: bytes) -> bytes:
        sent.add(value[0] & 0x0F)
        return value

    with pytest.raises(error):
        meeting.run(to_hub=watch)
    assert sent == {1}


def test_a_self_signed_hub_is_no_root() -> None:
    self_signed = certificate(signer(SERIAL), Role.HUB, SERIAL)
    with pytest.raises(CertificateForeign):
        meet(hub=key(self_signed, SERIAL)).run()


def test_a_certificate_of_a_key_with_another_name_is_refused() -> None:
    """The hub proves its own key, but shows the certificate of another one."""
    other = certificate(ROOT, Role.HUB, "SH-0002", subject=SERIAL)
    for shown in (other, replace(other, agreement_x=HUB.agreement_x), replace(HUB, raw=other.raw)):
        with pytest.raises((HandshakeNotAuthentic, CertificateForeign)):
            meet(hub=key(shown, SERIAL)).run()


def test_a_revoked_hub_is_refused() -> None:
    trust = TRUST.with_revocations(issue_revocations(ROOT, number=1, issued_s=NOW_S, kids=[HUB.kid]))
    with pytest.raises(CertificateRevoked):
        meet(workstation_trust=trust).run()


BAD_STATIONS: list[tuple[str, SessionKey, Refusal]] = [
    ("another root", key(certificate(ROGUE, Role.WORKSTATION, STATION), STATION), Refusal.CERTIFICATE),
    ("self-signed", key(certificate(signer(STATION), Role.WORKSTATION, STATION), STATION), Refusal.CERTIFICATE),
    ("wrong role", key(certificate(ROOT, Role.HUB, STATION), STATION), Refusal.CERTIFICATE),
    ("stolen certificate", key(WORKSTATION, "thief"), Refusal.NOT_AUTHENTIC),
]


@pytest.mark.parametrize(
    ("station", "reason"), [case[1:] for case in BAD_STATIONS], ids=[case[0] for case in BAD_STATIONS]
)
def test_the_hub_refuses_a_workstation(station: SessionKey, reason: Refusal) -> None:
    assert refusal(meet(workstation=station)) is reason


def test_the_hub_refuses_a_revoked_workstation() -> None:
    trust = TRUST.with_revocations(issue_revocations(ROOT, number=1, issued_s=NOW_S, kids=[WORKSTATION.kid]))
    assert refusal(meet(hub_trust=trust)) is Refusal.CERTIFICATE


def test_the_hub_refuses_what_expired_before_the_time_that_it_learnt() -> None:
    assert refusal(meet(hub_trust=TRUST.learnt(NOW_S + DAY_S))) is Refusal.CERTIFICATE
    meet(hub_trust=TRUST.learnt(NOW_S + DAY_S - 1)).run()


def recorded() -> dict[int, bytes]:
    """The messages of a handshake that succeeded."""
    joiner = Joiner(400, range(16))
    messages: dict[int, bytes] = {}

    def keep(value: bytes) -> bytes:
        whole = joiner.add(value)
        if whole is not None:
            messages[whole[0]] = whole[1]
        return value

    meet().run(keep, keep)
    return messages


def test_a_handshake_that_was_recorded_opens_nothing() -> None:
    old = recorded()
    hub = meet().hub
    for number, answer in ((1, 2), (3, 15)):
        answers = [one for value in split(old[number], 182, number) for one in hub.feed(value)]
        assert answers[0][0] & 0x0F == answer
    assert answers[-1][1] == Refusal.NOT_AUTHENTIC
    assert hub.session is None


@pytest.mark.parametrize("number", [2, 4])
def test_a_message_of_an_old_handshake_is_refused_by_the_workstation(number: int) -> None:
    old = iter(split(recorded()[number], 182, number))

    def replay(value: bytes) -> bytes:
        return next(old) if value[0] & 0x0F == number else value

    with pytest.raises((HandshakeNotAuthentic, CertificateRefused)):
        meet().run(to_workstation=replay)


def flipped(number: int, bit: int) -> type[SmilescapeError] | None:
    """What becomes of a handshake of which one bit of one message is flipped; None when a session stands."""
    size = 0

    def flip(value: bytes) -> bytes:
        nonlocal size
        if value[0] & 0x0F != number:
            return value
        start, size = size, size + len(value) - 1
        at = bit // 8 - start
        if 0 <= at < len(value) - 1:
            return value[: at + 1] + bytes((value[at + 1] ^ 1 << bit % 8,)) + value[at + 2 :]
        return value

    meeting = meet()
    try:
        meeting.run(flip, flip)
    except (SessionError, CertificateRefused) as error:
        return type(error)
    except AssertionError:
        return AssertionError  # type: ignore[return-value]
    return None


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_no_byte_of_a_handshake_can_be_altered(number: int) -> None:
    size = len(recorded()[number])
    outcomes = {(at, flipped(number, at * 8 + at % 8)) for at in range(size)}
    assert [at for at, outcome in outcomes if outcome is None] == []


def test_message_4_that_never_comes_leaves_the_workstation_without_a_session() -> None:
    meeting = meet()
    values = meeting.workstation.begin()
    values = [one for value in values for one in meeting.hub.feed(value)]
    values = [one for value in values for one in meeting.workstation.feed(value)]
    assert [one for value in values for one in meeting.hub.feed(value)]
    assert meeting.workstation.session is None
    assert meeting.hub.session is not None


def test_messages_out_of_order_are_refused() -> None:
    with pytest.raises(HandshakeMalformed):
        meet().workstation.feed(split(b"x", 20, 4)[0])
    assert meet().hub.feed(split(b"x", 20, 3)[0])[0][1] == Refusal.MALFORMED


def test_a_hub_in_a_session_is_busy() -> None:
    meeting = meet()
    meeting.run()
    before = meeting.hub.session
    assert meeting.hub.feed(meet().workstation.begin()[0])[0][1] == Refusal.BUSY
    assert meeting.hub.session is before
    assert not meeting.hub.drop


def test_three_attempts_are_all_that_a_link_has() -> None:
    hub = meet().hub
    for _ in range(3):
        assert hub.feed(meet().workstation.begin()[0])[0][0] & 0x0F == 2
        assert not hub.drop
    assert hub.feed(meet().workstation.begin()[0])[0][1] == Refusal.TOO_MANY
    assert hub.drop
    assert hub.feed(meet().workstation.begin()[0]) == []


def test_a_second_attempt_may_succeed() -> None:
    meeting = meet(workstation=SessionKey(WORKSTATION, pair("thief").private))
    assert refusal(meeting) is Refusal.NOT_AUTHENTIC
    assert Meeting(meet().workstation, meeting.hub).run()[0].id


def test_rubbish_is_dropped_as_well() -> None:
    hub = meet().hub
    answers = [hub.feed(b"\x30rubbish")[0][1] for _ in range(4)]
    assert answers == [Refusal.MALFORMED] * 3 + [Refusal.TOO_MANY]
    assert hub.drop


def test_a_refusal_that_this_version_does_not_know_is_told_as_such() -> None:
    meeting = meet()
    meeting.workstation.begin()
    with pytest.raises(RefusedByHub) as caught:
        meeting.workstation.feed(split(b"\x63", 20, 15)[0])
    assert caught.value.refusal is None


def test_a_link_that_is_too_narrow_is_told_with_what_the_hub_sees() -> None:
    meeting = meet()
    meeting.workstation.begin()
    with pytest.raises(RefusedByHub) as caught:
        meeting.workstation.feed(split(encode_refusal(Refusal.MTU, 185), 20, 15)[0])
    assert (caught.value.refusal, caught.value.mtu) == (Refusal.MTU, 185)


def test_a_refusal_is_a_byte_and_of_mtu_two_more() -> None:
    for refusal in Refusal:
        assert decode_refusal(encode_refusal(refusal, 100)) == (refusal, 100 if refusal is Refusal.MTU else 0)
    assert decode_refusal(bytes((Refusal.MTU,))) == (Refusal.MTU, 0)
    assert decode_refusal(b"") == (None, 0)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300), st.sampled_from([2, 4, 15]), st.booleans())
def test_whatever_a_peer_sends_the_workstation_fails_in_a_typed_way(garbage: bytes, number: int, framed: bool) -> None:
    meeting = meet()
    meeting.workstation.begin()
    point = pair("garbage").x
    message = b"\x58" + bytes((len(point + garbage[:200]),)) + point + garbage[:200] if framed else garbage or b"x"
    try:
        for value in split(message, 182, number):
            meeting.workstation.feed(value)
    except (SessionError, CertificateRefused):
        return
    raise AssertionError("garbage was taken")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=6), st.sampled_from([1, 3]))
def test_whatever_is_written_the_hub_answers_or_waits(values: list[bytes], number: int) -> None:
    hub = meet().hub
    for value in values:
        for answer in hub.feed(bytes((0x40 | number,)) + value):
            assert answer[0] & 0x0F in (2, 15)
    assert hub.session is None


@pytest.mark.parametrize("point", [b"\xff" * 32, bytes(31) + b"\x02"])
def test_a_point_off_the_curve_never_reaches_the_library(point: bytes) -> None:
    initiator = Initiator(WORKSTATION_KEY, TRUST, hub_serial=SERIAL, now_s=NOW_S)
    initiator.message_1()
    with pytest.raises(HandshakeMalformed):
        initiator.message_3(b"\x58\x60" + point + bytes(64))


def test_a_message_in_another_framing_is_refused() -> None:
    """The library would take a message 4 that is not deterministic CBOR."""
    long_form = b"\x58\x08" + recorded()[4][1:]
    value = split(long_form, 182, 4)[0]
    with pytest.raises(HandshakeMalformed, match="longer than it need be"):
        meet().run(to_workstation=lambda one: value if one[0] & 0x0F == 4 else one)


def test_a_panic_of_the_library_is_an_error_like_others() -> None:
    """It is no Exception in Python, and a key of the wrong length is enough for one."""
    with pytest.raises(HandshakeNotAuthentic):
        meet(workstation=SessionKey(WORKSTATION, b"short")).run()


def test_a_computer_without_the_library_says_so() -> None:
    script = (
        "import sys; sys.modules['lakers'] = None\n"
        "from tests.devices.session.parties import meet\n"
        "from devices.hub.session.errors import EdhocMissing\n"
        "try:\n    meet()\nexcept EdhocMissing as error:\n    assert error.remedy; sys.exit(7)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 7


def test_the_practice_of_another_root_has_another_trust() -> None:
    with pytest.raises(CertificateForeign):
        meet(workstation_trust=replace(TRUST, root=root_certificate("rogue"))).run()


def test_a_message_longer_than_400_bytes_is_never_gathered() -> None:
    hub = meet().hub
    answers = [one for value in split(b"\x03" * 401, 182, 1) for one in hub.feed(value)]
    assert [one[1] for one in answers] == [Refusal.MALFORMED]


def test_a_certificate_over_no_point_cannot_even_be_issued() -> None:
    with pytest.raises(CertificateMalformed, match="curve"):
        replace_x(b"\xff" * 32)


def replace_x(x: bytes) -> bytes:
    from core.model.certificate import issue

    return issue(
        ROOT,
        role=Role.HUB,
        subject=SERIAL,
        not_before_s=1,
        not_after_s=2,
        signing_key=signer(SERIAL).public,
        agreement_x=x,
    )


def test_both_keys_of_a_party_are_of_its_certificate() -> None:
    assert HUB_KEY.certificate.agreement_x == pair(SERIAL).x

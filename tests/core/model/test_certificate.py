"""Certificates and revocation lists: what counts, and everything that does not."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model import cbor
from core.model.certificate import (
    MAX_REVOCATIONS,
    MAX_REVOKED,
    CertificateExpired,
    CertificateForeign,
    CertificateMalformed,
    CertificateNotYetValid,
    CertificateOfOtherRole,
    CertificateOfOtherSubject,
    CertificateRefused,
    CertificateRevoked,
    RevocationsOlder,
    Role,
    Trust,
    issue,
    issue_revocations,
    issue_root,
    lengthen,
    read_revocations,
    read_root,
    read_unverified,
    shorten,
)
from core.model.cose import KeySigner, parse1, sign1

ROOT, ROGUE, HUB = (KeySigner(bytes((n,)) * 32) for n in (1, 2, 3))
X = bytes.fromhex("bbc34960526ea4d32e940cad2a234148ddc21791a12afbcbac93622046dd44f0")
AAD = b"smilescape/certificate/2"


def root_of(signer: KeySigner, start: int = 0, end: int = 1000) -> Trust:
    return Trust(read_root(issue_root(signer, subject="practice", not_before_s=start, not_after_s=end)))


TRUST = root_of(ROOT)


def hub(
    root: KeySigner = ROOT, role: Role = Role.HUB, *, start: int = 100, end: int = 200, subject: str = "SH-1"
) -> bytes:
    x = X if role in (Role.HUB, Role.WORKSTATION) else None
    return issue(
        root,
        role=role,
        subject=subject,
        not_before_s=start,
        not_after_s=end,
        signing_key=HUB.public,
        agreement_x=x,
    )


def test_a_certificate_says_what_was_certified() -> None:
    found = TRUST.verify(hub(), Role.HUB, now_s=150, subject="SH-1")
    assert (found.role, found.subject, found.not_before_s, found.not_after_s) == (Role.HUB, "SH-1", 100, 200)
    assert (found.signing_key, found.agreement_x, found.issuer) == (HUB.public, X, TRUST.root.kid)
    assert found.raw == hub()


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.FIRMWARE_SIGNER])
def test_who_agrees_on_nothing_has_one_key(role: Role) -> None:
    assert TRUST.verify(hub(role=role), role, now_s=150).agreement_x is None


def test_another_role_subject_or_root_does_not_count() -> None:
    with pytest.raises(CertificateOfOtherRole):
        TRUST.verify(hub(), Role.WORKSTATION, now_s=150)
    with pytest.raises(CertificateOfOtherSubject):
        TRUST.verify(hub(), Role.HUB, now_s=150, subject="SH-2")
    with pytest.raises(CertificateForeign):
        TRUST.verify(hub(ROGUE), Role.HUB, now_s=150)
    with pytest.raises(CertificateForeign):
        TRUST.verify(hub(HUB), Role.HUB, now_s=150)


def test_the_roots_name_alone_is_no_signature() -> None:
    message = parse1(hub(ROGUE))
    renamed = hub(ROGUE).replace(message.kid, TRUST.root.kid)
    with pytest.raises(CertificateForeign):
        TRUST.verify(renamed, Role.HUB, now_s=150)


@pytest.mark.parametrize(
    ("now", "error"), [(99, CertificateNotYetValid), (100, None), (199, None), (200, CertificateExpired)]
)
def test_a_certificate_counts_in_its_time(now: int, error: type[CertificateRefused] | None) -> None:
    if error is None:
        TRUST.verify(hub(), Role.HUB, now_s=now)
        return
    with pytest.raises(error):
        TRUST.verify(hub(), Role.HUB, now_s=now)


def test_a_certificate_counts_no_longer_than_its_root() -> None:
    with pytest.raises(CertificateExpired):
        root_of(ROOT, end=150).verify(hub(), Role.HUB, now_s=150)
    with pytest.raises(CertificateNotYetValid):
        root_of(ROOT, start=151).verify(hub(), Role.HUB, now_s=150)


def test_without_a_clock_the_floor_decides_and_only_rises() -> None:
    trust = TRUST.learnt(199)
    trust.verify(hub(), Role.HUB, now_s=None)
    assert trust.learnt(5).floor_s == 199
    with pytest.raises(CertificateExpired):
        trust.learnt(200).verify(hub(), Role.HUB, now_s=None)
    TRUST.verify(hub(start=150), Role.HUB, now_s=None)


def test_a_clock_that_was_set_back_does_not_revive_what_the_floor_ended() -> None:
    with pytest.raises(CertificateExpired):
        TRUST.learnt(200).verify(hub(), Role.HUB, now_s=150)


def test_the_revoked_do_not_count() -> None:
    found = read_unverified(hub())
    trust = TRUST.with_revocations(issue_revocations(ROOT, number=1, issued_s=120, kids=[found.kid]))
    assert trust.floor_s == 120
    with pytest.raises(CertificateRevoked):
        trust.verify(hub(), Role.HUB, now_s=150)
    with pytest.raises(CertificateRevoked):
        trust.check_revoked(found)
    trust.with_revocations(issue_revocations(ROOT, number=2, issued_s=121, kids=[])).check_revoked(found)


def test_the_list_with_the_highest_number_counts() -> None:
    newest = issue_revocations(ROOT, number=5, issued_s=120, kids=[b"\1" * 8])
    trust = TRUST.with_revocations(newest)
    assert trust.with_revocations(newest) == trust
    for number in (4, 5):
        with pytest.raises(RevocationsOlder):
            trust.with_revocations(issue_revocations(ROOT, number=number, issued_s=999, kids=[]))


def test_a_list_of_another_root_or_a_certificate_is_no_list() -> None:
    with pytest.raises(CertificateForeign):
        TRUST.with_revocations(issue_revocations(ROGUE, number=1, issued_s=1, kids=[]))
    with pytest.raises(CertificateForeign):
        TRUST.with_revocations(hub())
    with pytest.raises(CertificateForeign):
        TRUST.verify(sign1(parse1(hub()).unverified, ROOT, b"smilescape/revocations/2"), Role.HUB, now_s=150)


def test_the_longest_list_fits_and_a_longer_one_is_not_made() -> None:
    kids = [n.to_bytes(8, "big") for n in range(MAX_REVOKED + 1)]
    raw = issue_revocations(ROOT, number=1, issued_s=1, kids=kids[1:])
    assert len(raw) <= MAX_REVOCATIONS
    assert len(read_revocations(raw, TRUST.root).kids) == MAX_REVOKED
    with pytest.raises(ValueError, match="401"):
        issue_revocations(ROOT, number=1, issued_s=1, kids=kids)


@pytest.mark.parametrize(
    "body",
    [
        {1: 1, 2: 1},
        {1: 1, 2: 1, 3: [], 4: 0},
        {1: -1, 2: 1, 3: []},
        {1: 1, 2: 2**32, 3: []},
        {1: 1, 2: 1, 3: [b"short"]},
        {1: 1, 2: 1, 3: [1]},
        {1: 1, 2: 1, 3: [b"\2" * 8, b"\1" * 8]},
        {1: 1, 2: 1, 3: [b"\1" * 8, b"\1" * 8]},
        [],
    ],
)
def test_what_is_no_list_is_refused_even_when_the_root_signed_it(body: object) -> None:
    with pytest.raises(CertificateMalformed):
        read_revocations(sign1(cbor.encode(body), ROOT, b"smilescape/revocations/2"), TRUST.root)


GOOD = {1: 1, 2: "SH-1", 3: 100, 4: 200, 5: HUB.public, 6: X}
BAD_BODIES: dict[str, object] = {
    "another role": GOOD | {1: 5},
    "a role that is true": GOOD | {1: True},
    "no subject": GOOD | {2: ""},
    "a long subject": GOOD | {2: "é" * 13},
    "a subject that cannot be shown": GOOD | {2: "a\nb"},
    "a time below zero": GOOD | {3: -1},
    "a time beyond 32 bits": GOOD | {4: 2**32},
    "no time at all": GOOD | {4: 100},
    "a short key": GOOD | {5: bytes(31)},
    "a point off the curve": GOOD | {6: b"\xff" * 32},
    "a short point": GOOD | {6: bytes(31)},
    "no point": {key: value for key, value in GOOD.items() if key != 6},
    "a point where none belongs": GOOD | {1: 3},
    "a field more": GOOD | {7: 0},
    "a field less": {key: value for key, value in GOOD.items() if key not in (5, 6)},
    "a text as a key": {str(key): value for key, value in GOOD.items()},
    "no map": [1, 2],
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_what_is_no_certificate_is_refused_even_when_the_root_signed_it(body: object) -> None:
    TRUST.verify(sign1(cbor.encode(GOOD), ROOT, AAD), Role.HUB, now_s=150)
    with pytest.raises(CertificateMalformed):
        TRUST.verify(sign1(cbor.encode(body), ROOT, AAD), Role.HUB, now_s=150)


def test_fields_out_of_order_are_refused() -> None:
    payload = cbor.encode(GOOD)
    swapped = payload[:1] + payload[3:8] + payload[1:3] + payload[8:]
    assert sorted(swapped) == sorted(payload)
    with pytest.raises(CertificateMalformed, match="order"):
        TRUST.verify(sign1(swapped, ROOT, AAD), Role.HUB, now_s=150)


def test_a_root_is_signed_by_itself() -> None:
    forged = issue_as_root(ROGUE, ROOT.public)
    with pytest.raises(CertificateForeign):
        read_root(forged)
    with pytest.raises(CertificateOfOtherRole):
        read_root(hub())


def issue_as_root(signer: KeySigner, public: bytes) -> bytes:
    return sign1(cbor.encode({1: 0, 2: "practice", 3: 0, 4: 9, 5: public}), signer, AAD)


@pytest.mark.parametrize("make", [lambda: hub(start=200), lambda: hub(subject=""), lambda: hub(subject="x" * 25)])
def test_what_nobody_would_read_is_not_issued(make: Callable[[], bytes]) -> None:
    with pytest.raises(CertificateMalformed):
        make()


def test_no_bit_of_a_certificate_can_be_flipped() -> None:
    raw = hub()
    for bit in range(len(raw) * 8):
        forged = bytearray(raw)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CertificateRefused):
            TRUST.verify(bytes(forged), Role.HUB, now_s=150)


@pytest.mark.parametrize("subject", ["x", "é" * 12])
def test_the_short_form_gives_the_certificate_back(subject: str) -> None:
    certificate = read_unverified(hub(subject=subject))
    short = shorten(certificate)
    assert len(short) == 136 + len(subject.encode())
    assert lengthen(short, Role.HUB, TRUST.root.kid) == certificate.raw
    for wrong in (lengthen(short, Role.WORKSTATION, TRUST.root.kid), lengthen(short, Role.HUB, b"\1" * 8)):
        with pytest.raises(CertificateRefused):
            TRUST.verify(wrong, Role.HUB, now_s=150)


def test_who_shakes_no_hands_has_no_short_form() -> None:
    with pytest.raises(ValueError, match="handshake"):
        shorten(TRUST.root)


@given(st.binary(max_size=220))
def test_garbage_is_refused_in_a_typed_way(garbage: bytes) -> None:
    with pytest.raises(CertificateMalformed):
        read_unverified(garbage)
    with pytest.raises(CertificateMalformed):
        read_revocations(garbage, TRUST.root)
    try:
        read_unverified(lengthen(garbage, Role.HUB, bytes(8)))
    except CertificateMalformed:
        return

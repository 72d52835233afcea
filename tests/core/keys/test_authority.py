"""A practice's life with keys: founded, opened, handed on, lost, replaced; and what each step leaves behind."""

import base64
from collections.abc import Callable

import pytest

from core.keys import issuing
from core.keys.authority import LEFT, RECOVERED, REPLACED, Authority
from core.keys.errors import (
    AlreadyRevoked,
    ClockBehind,
    EmptySecret,
    KeyInUse,
    KeysRevoked,
    LastKey,
    ListFull,
    NoKey,
    NotFounded,
    NotTakenBack,
    ReasonMissing,
    SheetWrong,
    SigningEnded,
    UnknownKey,
    WrappedDamaged,
    WrongSecret,
)
from core.keys.issuing import DAY_S, EARLY_S, LIST_S, RENEW_S, YEAR_S, AgreementKey
from core.keys.listing import key_rows
from core.keys.unlocked import Unlocked
from core.model.certificate import (
    CertificateExpired,
    CertificateNotYetValid,
    CertificateRevoked,
    Role,
    read_revocations,
    read_unverified,
)
from core.model.clock import ManualClock
from core.model.cose import KeySigner, kid_of, sign1, verify1
from core.model.keys import KeyKind, KeyState, grouped, read_kid
from core.model.people import Operator
from core.record.practice import PracticeFile
from core.record.practice_keys import HubRow
from tests.core.keys.conftest import ADA, LEE, OTHER_PIN, PIN

SERIAL = "SH-0001"


@pytest.fixture
def ada(authority: Authority) -> Unlocked:
    """The first dentist, logged in."""
    return authority.found(ADA, PIN)


def admit(authority: Authority, by: Unlocked, who: Operator = LEE, pin: str = OTHER_PIN) -> bytes:
    """Give somebody a key; its kid."""
    grant = authority.grant(by, who, pin)
    authority.enter(grant, author=by.operator_id)
    grant.key.close()
    return grant.certificate.kid


def hub_keys(name: str = "one") -> tuple[bytes, bytes]:
    return KeySigner(name.encode().ljust(32)).public, AgreementKey.load(name.encode().ljust(32)).x


def counts(authority: Authority, raw: bytes, role: Role) -> None:
    """Whether a certificate holds against all that a hub or a workstation would ask."""
    authority.register.trust.verify(raw, role, now_s=authority.register.now_s())


# founding and opening


def test_a_practice_begins_with_its_first_dentist(authority: Authority) -> None:
    register = authority.register
    assert not register.founded
    for ask in (lambda: register.root, lambda: register.trust, lambda: register.workstation):
        with pytest.raises(NotFounded):
            ask()
    assert register.clinician(ADA.id) is None
    with pytest.raises(EmptySecret):
        authority.found(ADA, "")
    ada = authority.found(ADA, PIN)
    now_s = register.now_s()
    mine, station = register.clinician(ADA.id), register.workstation
    assert mine is not None
    counts(authority, mine.raw, Role.CLINICIAN)
    counts(authority, station.certificate.raw, Role.WORKSTATION)
    assert (mine.signing_key, register.root.signing_key) == (ada.clinician.public, ada.root.public)
    lives = [one.not_after_s - now_s for one in (mine, station.certificate, register.root)]
    assert lives == [YEAR_S, 2 * YEAR_S, 25 * YEAR_S]
    assert AgreementKey.load(station.agreement_private).x == station.certificate.agreement_x
    listed = register.trust.revoked
    assert listed is not None
    assert (listed.number, listed.issued_s, listed.kids) == (1, now_s, frozenset()), "hubs learn the time from it"
    said = " ".join((register.root.subject, mine.subject, station.certificate.subject))
    assert not {"ada", "moor", ADA.id[:8]} & set(said.lower().replace("-", " ").split()), "no name travels on the air"


def test_the_pin_opens_key_and_root_and_no_other_pin_does(authority: Authority, ada: Unlocked) -> None:
    both = bytes(ada.clinician.seed), bytes(ada.root.seed)
    ada.close()
    with authority.unlock(ADA, PIN) as opened:
        assert (bytes(opened.clinician.seed), bytes(opened.root.seed)) == both
    for wrong in (OTHER_PIN, "", PIN + "0"):
        with pytest.raises(WrongSecret):
            authority.unlock(ADA, wrong)
    with pytest.raises(NoKey, match="Lee"):
        authority.unlock(LEE, OTHER_PIN)


def test_no_secret_lies_in_the_file_in_the_clear(
    authority: Authority, ada: Unlocked, everything: Callable[[], bytes]
) -> None:
    admit(authority, ada)
    authority.rewrapped(ADA.id, PIN, "555123")
    secret = [bytes(ada.clinician.seed), bytes(ada.root.seed), bytes(ada.root_key)]
    with authority.unlock(LEE, OTHER_PIN) as lee:
        secret.append(bytes(lee.clinician.seed))
        assert bytes(lee.root.seed) == secret[1]
    rows = everything()
    assert len(rows) > 1000
    for one in secret:
        forms = (one, one[:16], one.hex().encode(), one.hex().upper().encode(), base64.b64encode(one)[:40])
        assert [form for form in (*forms, base64.b32encode(one)[:48]) if form in rows] == []


def test_one_dentists_wrapped_key_in_anothers_row_opens_nothing(
    authority: Authority, ada: Unlocked, practice: PracticeFile
) -> None:
    kid = admit(authority, ada)
    stolen = practice.keys.secret("clinician", ADA.id)
    assert stolen is not None
    practice.keys.keep_secret("clinician", LEE.id, kid, stolen.data, author="thief")
    with pytest.raises(WrappedDamaged):
        authority.unlock(LEE, PIN)


def test_a_root_that_is_not_the_certificates_is_damage(
    authority: Authority, ada: Unlocked, practice: PracticeFile
) -> None:
    from core.keys.authority import _root_context
    from core.keys.wrapping import wrap_by_key

    kid = authority.register.root.kid
    for key in (ada.root_key, bytes(32)):
        forged = wrap_by_key(bytes(32), key, _root_context(kid))
        practice.keys.keep_secret("root", "", kid, forged, author="thief")
        with pytest.raises(WrappedDamaged):
            authority.unlock(ADA, PIN)


def test_the_demo_needs_no_pin_and_a_real_practice_does(practice: PracticeFile, clock: ManualClock) -> None:
    demo = Authority(practice.keys, clock, simulated=True)
    demo.found(ADA, "").close()
    with demo.unlock(ADA, "") as opened:
        assert opened.root.public == demo.register.root.signing_key
    real = Authority(practice.keys, clock, simulated=False)
    with demo.unlock(ADA, "") as opened, pytest.raises(EmptySecret):
        real.grant(opened, LEE, "")
    with pytest.raises(EmptySecret):
        real.rewrapped(ADA.id, "", "")


# people


def test_a_second_dentist_opens_the_same_root_with_a_pin_of_their_own(authority: Authority, ada: Unlocked) -> None:
    admit(authority, ada)
    theirs = authority.register.clinician(LEE.id)
    assert theirs is not None
    counts(authority, theirs.raw, Role.CLINICIAN)
    assert theirs.signing_key != ada.clinician.public
    with authority.unlock(LEE, OTHER_PIN) as lee:
        assert lee.root.public == ada.root.public
        verify1(sign1(b"order", lee.clinician, b""), theirs.signing_key, b"")
    with pytest.raises(WrongSecret):
        authority.unlock(LEE, PIN)


def test_a_new_pin_opens_the_same_key_and_the_old_one_nothing(
    authority: Authority, ada: Unlocked, practice: PracticeFile
) -> None:
    before = practice.keys.secret("clinician", ADA.id)
    with pytest.raises(WrongSecret):
        authority.rewrapped(ADA.id, OTHER_PIN, "555123")
    with pytest.raises(EmptySecret):
        authority.rewrapped(ADA.id, PIN, "")
    wrapped = authority.rewrapped(ADA.id, PIN, "555123")
    assert wrapped is not None
    authority.keep_rewrapped(ADA.id, wrapped)
    with authority.unlock(ADA, "555123") as opened:
        assert opened.clinician.public == ada.clinician.public
    with pytest.raises(WrongSecret):
        authority.unlock(ADA, PIN)
    assert before is not None
    rows = practice._file.rows("SELECT data FROM secret WHERE kind = 'clinician' ORDER BY id")
    assert [bool(row[0]) for row in rows] == [False, True], "what the old PIN opened is erased"
    assert authority.rewrapped(LEE.id, PIN, OTHER_PIN) is None, "who has no key has nothing to wrap"


def test_a_forgotten_pin_makes_a_new_key_and_revokes_the_old(authority: Authority, ada: Unlocked) -> None:
    old = admit(authority, ada)
    raw = authority.register.find(old).raw
    grant = authority.grant(ada, LEE, "918273")
    authority.replace(ada, grant, "PIN forgotten")
    with pytest.raises(CertificateRevoked):
        counts(authority, raw, Role.CLINICIAN)
    with authority.unlock(LEE, "918273") as lee:
        assert lee.clinician.public != read_unverified(raw).signing_key
    with pytest.raises(WrongSecret):
        authority.unlock(LEE, OTHER_PIN)


def test_replacing_a_key_that_was_in_use_ends_its_signatures(authority: Authority, ada: Unlocked) -> None:
    old = ada.clinician
    grant = authority.grant(ada, ADA, PIN)
    authority.replace(ada, grant, REPLACED)
    old.close()
    with pytest.raises(SigningEnded):
        old.sign(b"order")
    with authority.unlock(ADA, PIN) as again:
        assert again.clinician.public == grant.key.public


def test_a_revoked_clinician_opens_nothing_any_more(authority: Authority, ada: Unlocked) -> None:
    kid = admit(authority, ada)
    authority.revoke(ada, kid, "  laptop\n stolen ")
    with pytest.raises(NoKey):
        authority.unlock(LEE, OTHER_PIN)
    revoked = authority.register.keys.revoked()[kid]
    assert (revoked.reason, revoked.author, revoked.number) == ("laptop stolen", ADA.id, 2)
    with pytest.raises(AlreadyRevoked):
        authority.revoke(ada, kid, "again")


def test_who_leaves_takes_no_key_along(authority: Authority, ada: Unlocked) -> None:
    first = admit(authority, ada)
    authority.replace(ada, authority.grant(ada, LEE, OTHER_PIN), "renewed")
    authority.revoke_person(ada, LEE.id, LEFT)
    listed = authority.register.trust.revoked
    assert listed is not None
    assert len(listed.kids) == 2
    assert first in listed.kids
    with pytest.raises(NoKey):
        authority.unlock(LEE, OTHER_PIN)
    authority.revoke_person(ada, LEE.id, LEFT)
    assert authority.register.trust.revoked == listed, "nothing to revoke, no new list"


def test_the_last_key_to_the_root_cannot_be_revoked(authority: Authority, ada: Unlocked) -> None:
    mine = authority.register.clinician(ADA.id)
    assert mine is not None
    for revoke in (
        lambda: authority.revoke(ada, mine.kid, "lost"),
        lambda: authority.revoke_person(ada, ADA.id, "left"),
    ):
        with pytest.raises(LastKey):
            revoke()
    authority.unlock(ADA, PIN).close()
    admit(authority, ada)
    authority.revoke(ada, mine.kid, "lost")
    with authority.unlock(LEE, OTHER_PIN) as lee, pytest.raises(LastKey):
        authority.revoke_person(lee, LEE.id, "left")


def test_nothing_is_done_with_a_login_that_has_ended(authority: Authority, ada: Unlocked) -> None:
    kid = admit(authority, ada)
    ada.close()
    for act in (
        lambda: authority.grant(ada, LEE, OTHER_PIN),
        lambda: authority.revoke(ada, kid, "lost"),
        lambda: authority.certify_hub(ada, SERIAL, *hub_keys()),
        lambda: authority.replace_workstation(ada, "stolen"),
        lambda: authority.renew(ada, everything=True),
    ):
        with pytest.raises(SigningEnded):
            act()
    assert authority.register.workstation.certificate.kid not in authority.register.keys.revoked()
    authority.unlock(LEE, OTHER_PIN).close()


# devices


def test_a_hub_is_certified_for_two_years_and_a_revoked_one_is_not(authority: Authority, ada: Unlocked) -> None:
    raw = authority.certify_hub(ada, SERIAL, *hub_keys())
    hub = read_unverified(raw)
    counts(authority, raw, Role.HUB)
    assert (hub.subject, hub.not_after_s - authority.register.now_s()) == (SERIAL, 2 * YEAR_S)
    authority.revoke(ada, hub.kid, "lost on the train")
    with pytest.raises(CertificateRevoked):
        counts(authority, raw, Role.HUB)
    with pytest.raises(KeysRevoked):
        authority.certify_hub(ada, SERIAL, *hub_keys())
    counts(authority, authority.certify_hub(ada, SERIAL, *hub_keys("fresh")), Role.HUB)


def test_a_hub_with_new_keys_loses_the_old_ones_once_it_is_known_to_hold_the_new(
    authority: Authority, ada: Unlocked
) -> None:
    first = authority.certify_hub(ada, SERIAL, *hub_keys("one"))
    assert not authority.hub_holds(ada, SERIAL, first)
    second = authority.certify_hub(ada, SERIAL, *hub_keys("two"))
    counts(authority, first, Role.HUB)
    assert not authority.hub_holds(ada, SERIAL, first), "whether the new keys arrived is not known: nothing is revoked"
    counts(authority, first, Role.HUB)
    counts(authority, second, Role.HUB)
    assert authority.hub_holds(ada, SERIAL, second)
    with pytest.raises(CertificateRevoked):
        counts(authority, first, Role.HUB)
    counts(authority, second, Role.HUB)
    assert authority.register.keys.revoked()[read_unverified(first).kid].reason == REPLACED


def test_a_hub_that_is_found_counts_again_and_can_be_lost_again(authority: Authority, ada: Unlocked) -> None:
    raw = authority.certify_hub(ada, SERIAL, *hub_keys())
    kid = read_unverified(raw).kid
    with pytest.raises(NotTakenBack):
        authority.take_back(ada, kid, "never lost")
    authority.revoke(ada, kid, "lost")
    with pytest.raises(ReasonMissing):
        authority.take_back(ada, kid, " ")
    authority.take_back(ada, kid, "found in the lab")
    counts(authority, raw, Role.HUB)
    counts(authority, authority.certify_hub(ada, SERIAL, *hub_keys()), Role.HUB)
    authority.revoke(ada, kid, "lost again")
    with pytest.raises(CertificateRevoked):
        counts(authority, raw, Role.HUB)
    rows = authority.register.keys._file.rows("SELECT number, counts, reason, author FROM revoked ORDER BY id")
    assert rows == [(2, 1, "lost", ADA.id), (3, 0, "found in the lab", ADA.id), (4, 1, "lost again", ADA.id)]


def test_nobody_but_a_hub_is_taken_back(authority: Authority, ada: Unlocked) -> None:
    lee = admit(authority, ada)
    authority.revoke(ada, lee, "PIN seen")
    station = authority.register.workstation.certificate.kid
    authority.replace_workstation(ada, "stolen")
    for kid in (lee, station):
        with pytest.raises(NotTakenBack):
            authority.take_back(ada, kid, "it was nothing")
        assert kid in authority.register.keys.revoked()


def test_a_hub_back_at_its_factorys_keys_loses_those_it_had_since(authority: Authority, ada: Unlocked) -> None:
    """Enrolled, given new keys, opened by hand: whatever it held in between is worth nothing any more."""
    first = authority.certify_hub(ada, SERIAL, *hub_keys("factory"))
    authority.hub_holds(ada, SERIAL, first)
    second = authority.certify_hub(ada, SERIAL, *hub_keys("new"))
    authority.hub_holds(ada, SERIAL, second)
    with pytest.raises(KeysRevoked):
        authority.certify_hub(ada, SERIAL, *hub_keys("factory"))
    authority.take_back(ada, read_unverified(first).kid, "opened by hand")
    third = authority.certify_hub(ada, SERIAL, *hub_keys("factory"))
    authority.hub_holds(ada, SERIAL, third)
    counts(authority, third, Role.HUB)
    with pytest.raises(CertificateRevoked):
        counts(authority, second, Role.HUB)


def test_keys_that_a_hub_gave_up_while_the_root_was_locked_are_revoked_at_the_next_login(
    authority: Authority, ada: Unlocked
) -> None:
    first = authority.certify_hub(ada, SERIAL, *hub_keys("one"))
    second = authority.certify_hub(ada, SERIAL, *hub_keys("two"))
    assert not authority.hub_holds(None, SERIAL, second)
    counts(authority, first, Role.HUB)
    authority.renew(ada)
    with pytest.raises(CertificateRevoked):
        counts(authority, first, Role.HUB)


def test_a_stolen_workstation_is_replaced_and_revoked_in_one_step(
    authority: Authority, ada: Unlocked, everything: Callable[[], bytes]
) -> None:
    before = authority.register.workstation
    with pytest.raises(KeyInUse):
        authority.revoke(ada, before.certificate.kid, "stolen")
    with pytest.raises(ReasonMissing):
        authority.replace_workstation(ada, "  ")
    assert authority.register.workstation == before, "a step that fails leaves nothing half done"
    after = authority.replace_workstation(ada, "stolen")
    assert after.certificate.subject == before.certificate.subject
    assert after.certificate.kid != before.certificate.kid
    counts(authority, after.certificate.raw, Role.WORKSTATION)
    with pytest.raises(CertificateRevoked):
        counts(authority, before.certificate.raw, Role.WORKSTATION)
    assert before.agreement_private not in everything(), "the old private key is gone"
    assert after.agreement_private in everything()


# lists


def test_lists_grow_their_numbers_rise_and_expired_keys_leave_them(
    authority: Authority, ada: Unlocked, clock: ManualClock
) -> None:
    register = authority.register
    sizes = []
    for number in range(4):
        raw = authority.certify_hub(ada, SERIAL, *hub_keys(f"hub {number}"))
        authority.revoke(ada, read_unverified(raw).kid, f"lost {number}")
        listed = register.trust.revoked
        assert listed is not None
        sizes.append((listed.number, len(listed.kids)))
        clock.advance(10)
    assert sizes == [(2, 1), (3, 2), (4, 3), (5, 4)]
    clock.advance(2 * YEAR_S)
    authority.renew(ada)
    listed = register.trust.revoked
    assert listed is not None
    assert (listed.number, listed.kids) == (6, frozenset()), "what has expired needs no place any more"
    assert len(register.keys.revoked()) == 4, "but it is remembered"


def test_a_key_renewed_since_stays_on_the_list_until_its_newest_certificate_has_ended(
    authority: Authority, ada: Unlocked, clock: ManualClock
) -> None:
    authority.certify_hub(ada, SERIAL, *hub_keys())
    clock.advance(YEAR_S)
    kid = read_unverified(authority.certify_hub(ada, SERIAL, *hub_keys())).kid
    authority.revoke(ada, kid, "lost")
    clock.advance(1.5 * YEAR_S)
    authority.renew(ada)
    listed = authority.register.trust.revoked
    assert listed is not None
    assert kid in listed.kids


def test_a_full_list_is_said_and_nothing_is_changed(
    authority: Authority, ada: Unlocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuing, "MAX_REVOKED", 2)
    kids = [
        read_unverified(authority.certify_hub(ada, f"SH-{number}", *hub_keys(f"hub {number}"))).kid
        for number in range(3)
    ]
    for kid in kids[:2]:
        authority.revoke(ada, kid, "lost")
    with pytest.raises(ListFull):
        authority.revoke(ada, kids[2], "lost")
    with pytest.raises(ListFull):
        authority.replace_workstation(ada, "stolen")
    assert kids[2] not in authority.register.keys.revoked()
    counts(authority, authority.register.workstation.certificate.raw, Role.WORKSTATION)


def test_a_hub_that_knows_a_newer_list_is_outnumbered(authority: Authority, ada: Unlocked) -> None:
    """A practice's file from a backup has forgotten lists; a hub refuses a number that it has seen."""
    authority.register.keys.save_hub(HubRow(SERIAL, revocations=7))
    raw = authority.certify_hub(ada, SERIAL, *hub_keys())
    authority.revoke(ada, read_unverified(raw).kid, "lost")
    listed = authority.register.trust.revoked
    assert listed is not None
    assert listed.number == 8


def test_every_list_that_was_ever_issued_is_kept_and_genuine(authority: Authority, ada: Unlocked) -> None:
    kid = admit(authority, ada)
    authority.revoke(ada, kid, "lost")
    rows = authority.register.keys._file.rows("SELECT number, raw FROM revocation_list ORDER BY number")
    lists = [read_revocations(raw, authority.register.root) for _, raw in rows]
    assert [(one.number, kid in one.kids) for one in lists] == [(1, False), (2, True)]


# time


def test_what_ends_soon_is_renewed_over_the_same_keys(authority: Authority, ada: Unlocked, clock: ManualClock) -> None:
    register = authority.register
    admit(authority, ada)
    assert authority.renew(ada) == []
    clock.advance(YEAR_S - RENEW_S - DAY_S)
    assert authority.renew(ada) == []
    clock.advance(DAY_S)
    renewed = authority.renew(ada)
    assert [(one.role, one.kid) for one in renewed] == [(Role.CLINICIAN, kid_of(ada.clinician.public))]
    clock.advance(2 * RENEW_S)
    mine, theirs = register.clinician(ADA.id), register.clinician(LEE.id)
    assert mine is not None
    assert theirs is not None
    counts(authority, mine.raw, Role.CLINICIAN)
    with pytest.raises(CertificateExpired):
        counts(authority, theirs.raw, Role.CLINICIAN)
    with authority.unlock(LEE, OTHER_PIN) as lee:
        assert [one.kid for one in authority.renew(lee)] == [theirs.kid], "each login renews its own"
    assert {one.role for one in authority.renew(ada, everything=True)} == {Role.CLINICIAN, Role.WORKSTATION}


def test_an_old_list_is_issued_anew_so_that_hubs_learn_the_time(
    authority: Authority, ada: Unlocked, clock: ManualClock
) -> None:
    clock.advance(LIST_S - DAY_S)
    authority.renew(ada)
    first = authority.register.trust.revoked
    clock.advance(DAY_S)
    authority.renew(ada)
    second = authority.register.trust.revoked
    assert first is not None
    assert second is not None
    assert (first.number, second.number) == (1, 2)
    assert second.issued_s == authority.register.now_s()


def test_a_clock_that_was_set_back_signs_nothing(authority: Authority, ada: Unlocked, clock: ManualClock) -> None:
    clock.jump_wall(-500)
    authority.certify_hub(ada, SERIAL, *hub_keys())
    clock.jump_wall(-DAY_S)
    for act in (
        lambda: authority.certify_hub(ada, SERIAL, *hub_keys()),
        lambda: authority.grant(ada, LEE, OTHER_PIN),
        lambda: authority.replace_workstation(ada, "stolen"),
    ):
        with pytest.raises(ClockBehind, match="Set date and time right"):
            act()
    authority.unlock(ADA, PIN).close()


def test_a_clock_set_back_by_less_than_an_hour_refuses_nothing_that_was_just_issued(
    authority: Authority, ada: Unlocked, clock: ManualClock
) -> None:
    hub = authority.certify_hub(ada, SERIAL, *hub_keys())
    everything = [(one.raw, one.role) for one in authority.register.keys.certificates() if one.role is not Role.ROOT]
    assert {role for _, role in everything} == {Role.HUB, Role.CLINICIAN, Role.WORKSTATION}
    clock.jump_wall(-EARLY_S)
    for raw, role in everything:
        counts(authority, raw, role)
    clock.jump_wall(-1)
    with pytest.raises(CertificateNotYetValid, match="not valid yet"):
        counts(authority, hub, Role.HUB)


def test_the_list_says_when_a_key_was_issued_and_not_from_when_it_counts(
    authority: Authority, ada: Unlocked, clock: ManualClock
) -> None:
    (row, *_) = key_rows(authority.register, [ADA])
    assert row.issued_us == clock.utc_us()


def test_no_certificate_outlives_its_root(authority: Authority, ada: Unlocked, clock: ManualClock) -> None:
    clock.advance(24.5 * YEAR_S)
    hub = read_unverified(authority.certify_hub(ada, SERIAL, *hub_keys()))
    assert hub.not_after_s == authority.register.root.not_after_s


# the worst days


def test_a_new_root_makes_everything_before_it_void(
    authority: Authority, ada: Unlocked, practice: PracticeFile, clock: ManualClock
) -> None:
    register = authority.register
    admit(authority, ada)
    hub = authority.certify_hub(ada, SERIAL, *hub_keys())
    practice.keys.save_hub(HubRow(SERIAL, irk=bytes(16), certificate=hub, security_version=3, revocations=9))
    old_root, old_station = register.root, register.workstation
    clock.jump_wall(-DAY_S)  # the one thing that a clock gone wrong does not hinder
    with authority.found(LEE, "555123") as lee:
        assert lee.root.public != ada.root.public
        assert register.root.kid != old_root.kid
        for raw, role in ((hub, Role.HUB), (old_station.certificate.raw, Role.WORKSTATION)):
            with pytest.raises(Exception, match="not issued by this practice"):
                counts(authority, raw, role)
        counts(authority, register.workstation.certificate.raw, Role.WORKSTATION)
        known = practice.keys.hub(SERIAL)
        assert known == HubRow(SERIAL, irk=bytes(16), security_version=3), "enrolled nowhere, but not forgotten"
    with pytest.raises(NoKey):
        authority.unlock(ADA, PIN)
    assert [(row.kind, row.name, row.state) for row in key_rows(register, practice.operators())] == [
        (KeyKind.CLINICIAN, ADA.name, KeyState.NONE),
        (KeyKind.CLINICIAN, LEE.name, KeyState.IN_FORCE),
        (KeyKind.WORKSTATION, register.workstation.certificate.subject, KeyState.IN_FORCE),
    ]


def test_the_sheet_brings_the_root_back_and_nobodys_old_key(authority: Authority, ada: Unlocked) -> None:
    admit(authority, ada)
    hub = authority.certify_hub(ada, SERIAL, *hub_keys())
    seed = bytearray(ada.root.seed)
    with pytest.raises(SheetWrong, match="another root"):
        authority.recover(bytearray(32), LEE, "555123")
    authority.unlock(LEE, OTHER_PIN).close()
    authority.recover(seed, LEE, "555123")
    assert seed == bytes(32), "the seed was wiped"
    with authority.unlock(LEE, "555123") as lee:
        assert lee.root.public == ada.root.public
    for operator, pin, error in ((ADA, PIN, NoKey), (LEE, OTHER_PIN, WrongSecret)):
        with pytest.raises(error):
            authority.unlock(operator, pin)
    counts(authority, hub, Role.HUB)
    assert {one.reason for one in authority.register.keys.revoked().values()} == {RECOVERED}
    assert len(authority.register.keys.revoked()) == 2


# the list that people read


def test_rows_say_whose_key_it_is_how_long_it_counts_and_why_not(
    authority: Authority, ada: Unlocked, practice: PracticeFile, clock: ManualClock
) -> None:
    register = authority.register
    hub = read_unverified(authority.certify_hub(ada, SERIAL, *hub_keys()))
    authority.revoke(ada, hub.kid, "lost on the train")
    authority.certify_hub(ada, "SH-0002", *hub_keys("two"))

    def rows() -> list[tuple[str, str, KeyState, int, bool]]:
        found = key_rows(register, practice.operators(), operator_id=ADA.id, chairs={"SH-0002": 3})
        return [(row.kind.value, row.name, row.state, row.chair, row.mine) for row in found]

    station = register.workstation.certificate.subject
    assert rows() == [
        ("clinician", ADA.name, KeyState.IN_FORCE, 0, True),
        ("clinician", LEE.name, KeyState.NONE, 0, False),
        ("workstation", station, KeyState.IN_FORCE, 0, True),
        ("hub", "SH-0002", KeyState.IN_FORCE, 3, False),
        ("hub", SERIAL, KeyState.REVOKED, 0, False),
    ]
    clock.advance(YEAR_S - RENEW_S)
    assert rows()[0][2] is KeyState.SOON
    clock.advance(RENEW_S)
    assert rows()[0][2] is KeyState.EXPIRED
    revoked = next(row for row in key_rows(register, practice.operators()) if row.state is KeyState.REVOKED)
    assert (revoked.reason, revoked.revoked_by, read_kid(revoked.kid)) == ("lost on the train", ADA.id, hub.kid)


def test_a_kid_is_read_however_it_is_typed() -> None:
    kid = bytes.fromhex("1a2b3c4d5e6f7081")
    assert grouped(kid) == "1A2B 3C4D 5E6F 7081"
    for typed in ("1A2B 3C4D 5E6F 7081", "1a2b3c4d5e6f7081", " 1A2B3C4D 5e6f7081 "):
        assert read_kid(typed) == kid
    for typed in ("", "1A2B", "1A2B 3C4D 5E6F 708G", "1A2B 3C4D 5E6F 7081 9"):
        with pytest.raises(Exception, match="is not the number of a key"):
            read_kid(typed)


def test_a_reason_is_a_sentence_and_no_key_of_ours(authority: Authority, ada: Unlocked) -> None:
    kid = admit(authority, ada)
    authority.revoke(ada, kid, "@keys.reason.left and more " + "x" * 300)
    reason = authority.register.keys.revoked()[kid].reason
    assert reason.startswith("keys.reason.left and")
    assert len(reason) <= 200
    with pytest.raises(UnknownKey):
        authority.revoke(ada, authority.register.root.kid, "the root itself")

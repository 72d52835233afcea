"""Keys, practices and who counts: section 11, between open hub and lost key."""

from pathlib import Path

import pytest

from core.model.certificate import (
    CertificateForeign,
    Role,
    Trust,
    read_root,
    read_unverified,
)
from core.model.hub import HoldCause, Opcode, ReceiptCode, TherapyState
from devices.hub.advertising import private_address, resolves
from devices.hub.commands import Ask, Bare, Enrol, Revoke, Tell
from devices.hub.session.attestation import verify_attestation
from devices.hub.session.documents import decode_keys, octets
from devices.hub.session.errors import FirmwareRefused
from devices.hub.session.signed import verify_receipt
from devices.hub.session.wire import DocumentKind, Refusal
from devices.simulator import maker
from devices.simulator.brain import Brain
from devices.simulator.firmware import MODEL, measure
from devices.simulator.link import NoSession
from tests.devices.simulator.visit import MAKER, NOW_S, SERIAL, YEAR_S, Person, Practice, Visit, enrol_over, new_hub

R = ReceiptCode
TRUST = Path(__file__).parents[3] / "resources" / "trust"


@pytest.fixture
def practice() -> Practice:
    return Practice()


@pytest.fixture
def brain(practice: Practice) -> Brain:
    hub = new_hub()
    practice.enrol(hub)
    return hub


def rekeyed(visit: Visit) -> tuple[bytes, bytes]:
    """Keys of a REKEY."""
    assert visit.send(Bare(Opcode.REKEY)).code is R.DONE
    kind, body = visit.side.documents[-1]
    assert kind == DocumentKind.KEYS
    return decode_keys(body)


def enrol(visit: Visit, keys: tuple[bytes, bytes] | None = None, **how: int) -> ReceiptCode:
    practice, hub = visit.side.practice, visit.side.hub
    signing, x = keys or (hub.signing_key, hub.agreement_x or b"")
    return visit.send(Enrol(practice.root_raw, practice.certify(hub.subject, signing, x, **how))).code


def test_the_makers_certificates_lie_where_workstations_look() -> None:
    """After a change that is meant, write what maker.root_certificate() and maker.firmware_certificate() give."""
    assert (TRUST / "simulated-maker.cert").read_bytes() == maker.root_certificate()
    assert (TRUST / "simulated-firmware.cert").read_bytes() == maker.firmware_certificate()
    root = read_root(maker.root_certificate())
    Trust(root).verify(maker.firmware_certificate(), Role.FIRMWARE_SIGNER, now_s=NOW_S)


def test_a_hub_comes_with_the_makers_certificate_and_the_same_keys_each_time() -> None:
    first, second, other = new_hub(), new_hub(), Brain(serial="SH-2", seed=1)
    assert first.vault.key == second.vault.key
    assert first.vault.key.agreement_private != other.vault.key.agreement_private
    MAKER.verify(first.vault.key.certificate.raw, Role.HUB, now_s=NOW_S, subject=SERIAL)


def test_from_the_factory_to_the_practice(practice: Practice) -> None:
    brain = new_hub()
    visit = Visit(brain, practice, trust=MAKER).shake_hands()
    assert visit.side.card().flags == 2 | 4
    receipt = enrol_over(visit)
    assert receipt.code is R.DONE
    card = visit.side.card()
    assert card.flags == 2 | 1, "told after the receipt"
    assert resolves(card.irk, private_address(brain.vault.irk, b"abc"))
    assert visit.link.drop
    with pytest.raises(NoSession):
        visit.stop()
    visit.leave()
    with pytest.raises(CertificateForeign):
        Visit(brain, practice, trust=MAKER).shake_hands()
    again = Visit(brain, practice).shake_hands()
    assert again.side.card().irk == card.irk
    assert brain.desk.counter == 1, "the keys are the same, so counters go on"


def test_an_open_hub_takes_any_workstation_an_enrolled_one_its_practices(brain: Brain, practice: Practice) -> None:
    stranger = Visit(brain, Practice("Other"), trust=practice.trust).shake_hands()
    assert stranger.side.refusal == (Refusal.CERTIFICATE, 0)
    assert Visit(new_hub(), Practice("Other"), trust=MAKER).shake_hands().side.session


def test_what_does_not_fit_enrols_nothing(practice: Practice) -> None:
    brain = new_hub()
    visit = Visit(brain, practice, trust=MAKER).shake_hands()
    mine, other = visit.side.hub, Practice("Other")
    x = mine.agreement_x or b""
    stranger = Person(practice, Role.HUB, SERIAL)
    for root, certificate in (
        (practice.root_raw, practice.certify("SH-2", mine.signing_key, x)),
        (practice.root_raw, stranger.certificate.raw),
        (practice.root_raw, practice.workstation.certificate.raw),
        (other.root_raw, practice.certify_hub(brain)),
        (practice.workstation.certificate.raw, practice.certify_hub(brain)),
        (b"\x01", b"\x01"),
    ):
        assert visit.send(Enrol(root, certificate)).code is R.REFUSED
    assert not brain.vault.enrolled
    assert enrol(visit) is R.DONE


def test_another_practice_cannot_take_an_enrolled_hub(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).shake_hands()
    thief = Practice("Thief")
    assert visit.send(Enrol(thief.root_raw, thief.certify_hub(brain))).code is R.REFUSED
    assert brain.vault.trust is not None
    assert brain.vault.trust.root.raw == practice.root_raw


def test_a_certificate_is_renewed_over_the_same_keys(brain: Brain, practice: Practice) -> None:
    irk = brain.vault.irk
    visit = Visit(brain, practice).shake_hands()
    for _ in range(5):
        brain.tick()
    made = brain.memory.next_sequence
    assert enrol(visit, from_s=NOW_S + 5) is R.DONE
    assert brain.vault.key.certificate.not_before_s == NOW_S + 5
    assert brain.vault.irk != irk
    assert (brain.memory.next_sequence, brain.desk.counter) == (made, 1)


def test_new_keys_count_from_the_enrolment_over_them(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).begin()
    visit.order(Opcode.END_PHASE)
    old = visit.side.hub
    for _ in range(5):
        brain.tick()
    keys = rekeyed(visit)
    assert visit.send(Bare(Opcode.REPORT)).code is R.DONE
    visit.leave()
    visit = Visit(brain, practice).shake_hands()
    assert visit.side.hub.kid == old.kid, "until then the old ones count"
    assert enrol(visit, keys) is R.DONE
    verify_receipt(visit.side.receipts[-1], old)
    assert (brain.memory.next_sequence, brain.desk.counter) == (0, 0)
    visit.leave()
    visit = Visit(brain, practice).shake_hands()
    assert visit.side.hub.signing_key == keys[0]
    assert visit.status.envelope == bytes(16)
    assert visit.send(Bare(Opcode.REPORT), 1).code is R.DONE
    for counter in range(2, 8):
        assert verify_receipt(visit.query(counter), visit.side.hub).notice.receipt.code is R.NOT_STORED


def test_each_rekey_makes_others_and_only_the_last_count(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).shake_hands()
    first, second = rekeyed(visit), rekeyed(visit)
    assert first != second
    assert enrol(visit, first) is R.REFUSED
    assert enrol(visit, second) is R.DONE


def test_new_keys_wait_for_idle(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).ready()
    keys = rekeyed(visit)
    assert visit.order(Opcode.START_PHASE) is R.DONE
    assert enrol(visit, keys) is R.NOT_NOW
    assert brain.therapy.state is TherapyState.RUNNING
    assert not visit.link.drop


def test_opened_by_hand_it_forgets_its_practice_and_goes_back_to_the_makers_keys(
    brain: Brain, practice: Practice
) -> None:
    factory, irk = brain.vault.key.certificate.kid, brain.vault.irk
    visit = Visit(brain, practice).shake_hands()
    keys = rekeyed(visit)
    used = brain.desk.counter
    assert enrol(visit, keys) is R.DONE
    visit.leave()
    visit = Visit(brain, practice).begin()
    assert not brain.open_by_hand(), "not while anything is under way"
    visit.order(Opcode.END_PHASE)
    entries = brain.logbook.next
    assert brain.open_by_hand()
    assert not brain.open_by_hand(), "it is open"
    with pytest.raises(NoSession):
        visit.stop()
    visit.leave()
    assert brain.logbook.next >= entries
    assert brain.logbook.oldest == 0, "the journal is kept"
    assert brain.vault.irk != irk
    assert brain.vault.key.certificate.kid == factory
    assert brain.desk.counter >= used, "no counter twice under the same keys"
    other = Practice("Other")
    visit = Visit(brain, other, trust=MAKER).shake_hands()
    assert visit.side.card().flags == 2 | 4
    assert enrol(visit) is R.DONE


def test_whoever_opens_a_hub_by_hand_reads_nothing_of_its_patient(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).shake_hands()
    visit.send(Tell(NOW_S * 1_000_000))
    for _ in range(100):
        brain.tick()
    brain.wear.save()
    made, events = brain.memory.next_sequence, brain.wear.next_event
    assert events
    assert brain.open_by_hand()
    visit.leave()
    thief = Visit(brain, Practice("Thief"), trust=MAKER).shake_hands()
    assert thief.send(Ask(Opcode.FETCH, 0, 256)).code is R.NOT_STORED
    assert thief.send(Ask(Opcode.EVENTS, 0, 64)).code is R.NOT_STORED
    assert thief.send(Ask(Opcode.SUMMARIES, NOW_S // 86_400 - 1, 4)).code is R.DONE
    assert thief.side.documents[-1][1] == []
    assert (brain.memory.next_sequence, brain.wear.next_event) == (made, events), "numbers go on"


def test_a_list_counts_at_once_and_only_upwards(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).shake_hands()
    second = practice.revoke(b"8 bytes.", number=2)
    assert visit.send(Revoke(second)).code is R.DONE
    assert visit.send(Revoke(second)).code is R.ALREADY
    for raw in (
        practice.revoke(number=1),
        practice.revoke(b"another.", number=2),
        Practice("Other").revoke(number=3),
        practice.root_raw,
        b"\x01",
    ):
        assert visit.send(Revoke(raw)).code is R.REFUSED
    visit.leave()
    assert Visit(brain, practice).shake_hands().side.card().revocations == 2


def test_a_revoked_workstation_loses_its_session_and_comes_no_more(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).begin()
    assert visit.send(Revoke(practice.revoke(practice.workstation.certificate.kid))).code is R.DONE
    assert visit.link.drop
    visit.leave()
    for _ in range(70):
        brain.tick()
    assert brain.therapy.cause is HoldCause.LEASE
    assert Visit(brain, practice).shake_hands().side.refusal == (Refusal.CERTIFICATE, 0)
    assert Visit(brain, practice, person=Person(practice, Role.WORKSTATION, "ws-2")).shake_hands().side.session


def test_what_expired_before_the_hubs_floor_counts_no_more(brain: Brain, practice: Practice) -> None:
    old = Person(practice, Role.WORKSTATION, "old", from_s=NOW_S - 10)
    assert Visit(brain, practice, person=old).shake_hands().side.session
    brain.end_session()
    late = Person(practice, Role.WORKSTATION, "late", from_s=NOW_S + YEAR_S - 1)
    assert Visit(brain, practice, person=late).shake_hands().side.session
    brain.end_session()
    assert Visit(brain, practice, person=old).shake_hands().side.session, "not yet"
    brain.end_session()
    visit = Visit(brain, practice).shake_hands()
    visit.send(Revoke(practice.revoke(issued_s=NOW_S + YEAR_S)))
    visit.leave()
    assert Visit(brain, practice, person=old).shake_hands().side.refusal == (Refusal.CERTIFICATE, 0)


def test_a_firmware_is_proven_for_this_session_and_boot(brain: Brain, practice: Practice) -> None:
    signer = read_unverified(maker.firmware_certificate())
    visit = Visit(brain, practice).shake_hands()
    assert visit.send(Bare(Opcode.ATTEST)).code is R.DONE
    kind, body = visit.side.documents[-1]
    assert kind == DocumentKind.ATTESTATION
    how = {"session_id": visit.side.up.id, "model": MODEL, "least_version": 2}
    quote = verify_attestation(octets(body), visit.side.hub, {signer.kid: signer}, **how)  # type: ignore[arg-type]
    assert (quote.measurement, quote.boot) == (measure(), 1)
    with pytest.raises(FirmwareRefused):
        verify_attestation(
            octets(body), visit.side.hub, {signer.kid: signer}, session_id=bytes(16), model=MODEL, least_version=2
        )


def test_a_measurement_can_be_given() -> None:
    assert new_hub(measurement=bytes(32)).parts.firmware.measurement == bytes(32)

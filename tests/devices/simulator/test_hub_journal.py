"""What the hub's journal tells: every command, whoever sent it, over reboots; and where it does not add up."""

import hashlib

import pytest

from core.model.hub import HoldCause, Opcode, ReceiptCode
from devices.hub.commands import STOP_PLAINTEXT, Acknowledge, Bare, Revoke, encode_command
from devices.hub.session.journal import JournalEntry, JournalHead, verify_chain
from devices.hub.session.wire import JOURNAL_KEPT, JournalEvent
from devices.simulator.brain import Brain
from devices.simulator.control import Fail, PatientStop, Warm
from tests.devices.simulator.visit import MAKER, Practice, Visit, enrol_over, new_hub

R = ReceiptCode


@pytest.fixture
def practice() -> Practice:
    return Practice()


@pytest.fixture
def brain(practice: Practice) -> Brain:
    hub = new_hub()
    practice.enrol(hub)
    return hub


def told(brain: Brain) -> list[JournalEntry]:
    """The whole journal, its chain verified."""
    return verify_chain(brain.logbook.read(0, 10_000), JournalHead())[0]


def short(entries: list[JournalEntry]) -> list[tuple[int, int, int]]:
    return [(entry.opcode, entry.counter, entry.code) for entry in entries]


def test_a_visit_as_the_journal_tells_it(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).begin()
    visit.passes(3)
    visit.stop()
    visit.send(Revoke(b"\x01"))
    visit.send(Bare(Opcode.REPORT))
    visit.leave()
    entries = told(brain)
    assert short(entries) == [
        (JournalEvent.BOOT, 0, 0),
        (JournalEvent.SESSION_BEGUN, 0, 0),
        (Opcode.CLINICIAN, 1, R.DONE),
        (Opcode.SET_ENVELOPE, 2, R.DONE),
        (Opcode.START_PHASE, 3, R.DONE),
        (JournalEvent.BOOKKEEPING, 6, 0),
        (JournalEvent.STOP, 0, R.DONE),
        (Opcode.REVOKE, 7, R.REFUSED),
        (JournalEvent.BOOKKEEPING, 8, 0),
    ]
    station, doctor = practice.workstation.certificate.kid, practice.clinician.certificate.kid
    assert [entry.signer for entry in entries] == [b"", *[station] * 2, *[doctor] * 2, *[station] * 4]
    assert entries[6].message == hashlib.sha256(STOP_PLAINTEXT).digest()
    assert [entry.hub_time_us for entry in entries[-4:]] == [3_000_000] * 4


def test_what_is_refused_is_told_with_its_message(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).shake_hands()
    visit.send(Bare(Opcode.REPORT), 5)
    messages = (
        (b"\x77\6\0\0\0", R.UNKNOWN_OPCODE),
        (encode_command(0, Bare(Opcode.HOLD)), R.MALFORMED),
        (encode_command(5, Bare(Opcode.HOLD)), R.STALE_COUNTER),
        (encode_command(9999, Bare(Opcode.REPORT)), R.OUTSIDE_LIMITS),
        (encode_command(6, Acknowledge(5)), R.OUTSIDE_LIMITS),
        (encode_command(7, Bare(Opcode.RENEW_LEASE)), R.NO_LEASE),
    )
    for message, _ in messages:
        visit.raw(message)
    entries = told(brain)[-len(messages) :]
    assert [(entry.message, entry.code) for entry in entries] == [
        (hashlib.sha256(message).digest(), code) for message, code in messages
    ]
    assert short(told(brain))[2] == (JournalEvent.BOOKKEEPING, 5, 0), "before the next other one"


def test_it_goes_on_over_reboots_and_accounts_for_every_counter(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).ready()
    for _ in range(3):
        visit.send(Bare(Opcode.REPORT))
    used = brain.desk.counter
    brain.reboot()
    entries = told(brain)
    assert [entry.opcode for entry in entries[-2:]] == [JournalEvent.BOOKKEEPING, JournalEvent.BOOT]
    assert entries[-2].counter == brain.desk.counter >= used
    assert [entry.boot for entry in entries[-3:]] == [1, 2, 2]
    brain.reboot()
    assert [entry.opcode for entry in told(brain)[-2:]] == [JournalEvent.BOOT] * 2, "nothing was done in between"


def test_it_is_kept_from_one_practice_to_the_next(practice: Practice) -> None:
    brain = new_hub()
    visit = Visit(brain, practice, trust=MAKER).shake_hands()
    enrol_over(visit)
    visit.leave()
    brain.open_by_hand()
    visit = Visit(brain, Practice("Other"), trust=MAKER).shake_hands()
    enrol_over(visit)
    visit.leave()
    assert [entry.opcode for entry in told(brain)] == [
        JournalEvent.BOOT,
        JournalEvent.SESSION_BEGUN,
        Opcode.ENROL,
        JournalEvent.OPENED,
        JournalEvent.SESSION_BEGUN,
        Opcode.ENROL,
    ]


def held(brain: Brain) -> list[int]:
    """Causes of holds that no command made."""
    return [entry.code for entry in told(brain) if entry.opcode == JournalEvent.HELD]


def test_a_hold_that_nobody_ordered_is_told_with_its_cause(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).begin()
    visit.leave()
    for _ in range(62):
        brain.tick()
    assert held(brain) == [HoldCause.LEASE]
    for _ in range(62):
        brain.tick()
    assert held(brain) == [HoldCause.LEASE], "once"
    entry = next(entry for entry in told(brain) if entry.opcode == JournalEvent.HELD)
    assert (entry.signer, entry.message, entry.counter) == (b"", b"", 0)
    assert 2_950_000 <= entry.hub_time_us <= 3_050_000


@pytest.mark.parametrize(
    ("message", "seconds", "cause"),
    [(PatientStop(), 0, HoldCause.PATIENT), (Fail(), 0, HoldCause.FAULT), (Warm(kelvin=12), 60, HoldCause.LIMIT)],
)
def test_so_are_limit_button_and_fault(
    brain: Brain, practice: Practice, message: PatientStop | Fail | Warm, seconds: float, cause: HoldCause
) -> None:
    brain.apply(message)
    assert held(brain) == [], "nothing ran"
    brain.reboot()
    brain.apply(PatientStop(pressed=False))
    visit = Visit(brain, practice).begin()
    brain.apply(message)
    for _ in range(round(seconds)):
        visit.passes(1)
        if brain.therapy.running:
            visit.send(Bare(Opcode.RENEW_LEASE))
    assert held(brain) == [cause]


def test_what_a_command_held_is_told_by_the_command_alone(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).begin()
    visit.send(Bare(Opcode.HOLD))
    visit.stop()
    assert held(brain) == []


def test_the_last_4096_entries_are_kept(brain: Brain) -> None:
    head = brain.logbook.next
    for _ in range(JOURNAL_KEPT + 10):
        brain.logbook.write(JournalEvent.STOP)
    assert brain.logbook.next == head + JOURNAL_KEPT + 10
    assert brain.logbook.oldest == brain.logbook.next - JOURNAL_KEPT
    entries, _ = verify_chain(brain.logbook.read(brain.logbook.oldest, JOURNAL_KEPT), None)
    assert len(entries) == JOURNAL_KEPT

"""Nothing treats without three yeses: the order of section 8's later checks, envelope, lease, ceilings."""

from dataclasses import replace

import msgspec
import pytest

from core.model.certificate import Role
from core.model.cose import KeySigner
from core.model.hub import HoldCause, Opcode, PhaseOrder, ReceiptCode, TherapyState
from devices.hub.commands import Bare, Introduce, Revoke, Signed, encode_command, encode_phase
from devices.hub.session.envelope import HubEnvelope, encode_envelope, envelope_hash
from devices.hub.session.signed import SignedCommand, sign_command
from devices.simulator.brain import Brain
from devices.simulator.control import Fail, PatientStop, Warm
from tests.devices.simulator.visit import ENVELOPE, NOW_S, ORDER, PROCEDURE, YEAR_S, Person, Practice, Visit, new_hub

R = ReceiptCode
HASH = envelope_hash(encode_envelope(ENVELOPE))
LONG = 12 * 3600


@pytest.fixture
def practice() -> Practice:
    return Practice()


@pytest.fixture
def brain(practice: Practice) -> Brain:
    hub = new_hub()
    practice.enrol(hub)
    return hub


@pytest.fixture
def visit(brain: Brain, practice: Practice) -> Visit:
    return Visit(brain, practice).ready()


def start(visit: Visit, order: PhaseOrder = ORDER, **changes: object) -> ReceiptCode:
    return visit.order(Opcode.START_PHASE, body=encode_phase(order), **changes)


def changed(**fields: object) -> PhaseOrder:
    return msgspec.structs.replace(ORDER, **fields)


def put(visit: Visit, envelope: HubEnvelope, **changes: object) -> ReceiptCode:
    raw = encode_envelope(envelope)
    counter = visit.next_counter
    fields = {"procedure": envelope.procedure, "envelope_sha256": envelope_hash(raw), **changes}
    signed = visit.side.signed(Opcode.SET_ENVELOPE, counter, visit.brain.body.now_us, **fields)
    return visit.send(Signed(Opcode.SET_ENVELOPE, signed.message, raw), counter).code


def assert_quiet(visit: Visit) -> None:
    visit.brain.tick()
    assert visit.brain.therapy.state is TherapyState.IDLE
    assert visit.brain.body.swarm.dose == 0


class TestSignature:
    """Step 5: NOT_SIGNED, whatever is wrong with it."""

    def command(self, visit: Visit, **fields: object) -> SignedCommand:
        right = SignedCommand(
            opcode=Opcode.START_PHASE,
            counter=visit.next_counter,
            not_after_us=visit.brain.body.now_us + 5_000_000,
            procedure=PROCEDURE,
            envelope_sha256=HASH,
            body=encode_phase(ORDER),
        )
        return msgspec.structs.replace(right, **fields)

    def sent(self, visit: Visit, message: bytes, counter: int | None = None) -> ReceiptCode:
        return visit.send(Signed(Opcode.START_PHASE, message), counter).code

    def test_without_an_introduction_nobody_signs(self, brain: Brain, practice: Practice) -> None:
        visit = Visit(brain, practice).shake_hands()
        assert visit.order(Opcode.SET_ENVELOPE) is R.NOT_SIGNED
        assert start(visit) is R.NOT_SIGNED
        assert_quiet(visit)

    def test_an_introduction_counts_for_its_session_only(self, visit: Visit) -> None:
        visit.leave()
        again = Visit(visit.brain, visit.side.practice).shake_hands()
        assert start(again) is R.NOT_SIGNED

    def test_another_session_or_hub_or_key(self, visit: Visit) -> None:
        command = self.command(visit)
        doctor = visit.side.practice.clinician.signer
        hub, session = visit.side.hub.subject, visit.side.up.id
        for signer, serial, where in (
            (doctor, hub, bytes(16)),
            (doctor, "SH-2", session),
            (KeySigner(), hub, session),
            (visit.side.person.signer, hub, session),
        ):
            assert self.sent(visit, sign_command(command, signer, hub_serial=serial, session_id=where)) is R.NOT_SIGNED
            command = self.command(visit)
        assert_quiet(visit)

    def test_another_opcode_or_counter_inside(self, visit: Visit) -> None:
        for fields in ({"opcode": Opcode.RESUME}, {"counter": 1000}):
            signed = visit.side.sign(self.command(visit, **fields), Opcode.START_PHASE)
            assert self.sent(visit, signed.message) is R.NOT_SIGNED
        assert_quiet(visit)

    @pytest.mark.parametrize("at", [0, 1, 20, -1])
    def test_a_bit_turned_over(self, visit: Visit, at: int) -> None:
        message = bytearray(visit.side.sign(self.command(visit), Opcode.START_PHASE).message)
        message[at] ^= 1
        assert self.sent(visit, bytes(message)) is R.NOT_SIGNED
        assert_quiet(visit)

    def test_garbage_is_no_signature(self, visit: Visit) -> None:
        for garbage in (b"x", bytes(500), b"\xd2\x84", b"\xa0" * 3000):
            assert self.sent(visit, garbage) is R.NOT_SIGNED

    def test_a_body_that_is_too_short(self, visit: Visit) -> None:
        assert visit.order(Opcode.START_PHASE, body=b"\1\0\3\0") is R.MALFORMED
        assert visit.order(Opcode.START_PHASE, body=b"\1\0\3\0", not_after_us=0) is R.MALFORMED, "before its time"
        counter = visit.next_counter
        other = visit.side.signed(Opcode.START_PHASE, counter + 1, visit.brain.body.now_us, body=b"\1\0\3\0")
        assert visit.send(other, counter).code is R.NOT_SIGNED, "but after its counter"

    def test_a_later_minors_longer_body_is_taken(self, visit: Visit) -> None:
        assert visit.order(Opcode.START_PHASE, body=encode_phase(ORDER) + b"more") is R.DONE

    def test_whom_the_practice_does_not_know(self, visit: Visit, practice: Practice) -> None:
        other = Practice("Other")
        for one in (
            other.clinician.certificate,
            practice.workstation.certificate,
            replace(practice.clinician.certificate, raw=practice.clinician.certificate.raw[:-1] + b"x"),
        ):
            assert visit.send(Introduce(one.raw)).code is R.REFUSED
        assert visit.send(Introduce(practice.clinician.certificate.raw)).code is R.ALREADY

    def test_who_was_revoked_meanwhile_orders_no_more(self, visit: Visit, practice: Practice) -> None:
        assert visit.send(Revoke(practice.revoke(practice.clinician.certificate.kid))).code is R.DONE
        assert start(visit) is R.NOT_SIGNED
        assert visit.introduce() is R.REFUSED

    def test_who_expired_by_what_the_root_said_orders_no_more(self, visit: Visit, practice: Practice) -> None:
        later = practice.revoke(issued_s=NOW_S + 2 * YEAR_S)
        assert visit.send(Revoke(later)).code is R.DONE
        assert start(visit) is R.NOT_SIGNED
        assert visit.introduce() is R.REFUSED


def test_5_time_comes_after_the_signature_and_before_the_envelope(visit: Visit) -> None:
    visit.passes(1, renewing=False)
    now = visit.brain.body.now_us
    for not_after, code in ((now - 1, R.EXPIRED), (now + 10_000_001, R.EXPIRED), (now, R.NO_ENVELOPE)):
        assert start(visit, not_after_us=not_after, envelope_sha256=bytes(32)) is code
    assert start(visit, not_after_us=now + 10_000_000) is R.DONE


def test_5_another_envelope_is_not_the_one_in_force(visit: Visit) -> None:
    assert start(visit, changed(dose_percent=81), envelope_sha256=bytes(32)) is R.NO_ENVELOPE
    assert visit.order(Opcode.SET_ENVELOPE, envelope_sha256=bytes(32)) is R.NO_ENVELOPE
    assert start(visit) is R.DONE
    visit.send(Bare(Opcode.HOLD))
    assert visit.order(Opcode.RESUME, envelope_sha256=bytes(32)) is R.NO_ENVELOPE
    assert visit.order(Opcode.END_PHASE, envelope_sha256=bytes(32)) is R.DONE, "what ends needs none"


def test_5_an_envelope_is_in_force_for_twelve_hours_and_not_after_a_boot(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).ready()
    assert visit.status.envelope == HASH[:16]
    brain.body.now_us += LONG * 1_000_000 - 1
    assert start(visit) is R.DONE
    assert visit.order(Opcode.END_PHASE) is R.DONE
    visit.side.statuses.clear()
    brain.body.now_us += 1
    assert visit.status.envelope == bytes(16)
    assert start(visit) is R.NO_ENVELOPE
    assert visit.order(Opcode.SET_ENVELOPE) is R.DONE
    brain.reboot()
    assert visit.status.envelope == bytes(16)
    assert start(Visit(brain, practice).shake_hands()) is R.NOT_SIGNED


@pytest.mark.parametrize(
    "change",
    [
        {"phase": 3},
        {"module": 4},
        {"tooth": 17},
        {"dose_percent": 81},
        {"seconds": 61},
        {"tissue_limit_c": 39.01},
        {"phase": 2},
    ],
)
def test_5_beyond_the_envelope_nothing_is_done(visit: Visit, change: dict[str, float]) -> None:
    assert start(visit, changed(**change)) is R.OUTSIDE_ENVELOPE
    assert_quiet(visit)


def test_5_another_procedure_is_outside(visit: Visit) -> None:
    assert start(visit, procedure="another") is R.OUTSIDE_ENVELOPE
    assert put(visit, ENVELOPE, procedure="another") is R.OUTSIDE_ENVELOPE
    assert_quiet(visit)


def test_less_than_was_consented_to_is_inside(visit: Visit) -> None:
    assert start(visit, changed(dose_percent=10, seconds=5, tissue_limit_c=38.0)) is R.DONE
    visit.passes(4)
    assert visit.status.status.swarm_dose_percent == 10


def test_6_state_comes_last(visit: Visit) -> None:
    assert start(visit) is R.DONE
    assert start(visit) is R.NOT_NOW
    assert start(visit, changed(dose_percent=81)) is R.OUTSIDE_ENVELOPE
    assert visit.order(Opcode.SET_ENVELOPE) is R.NOT_NOW
    assert visit.order(Opcode.CLEAR) is R.NOT_NOW
    assert visit.send(Bare(Opcode.REKEY)).code is R.NOT_NOW
    assert visit.send(Bare(Opcode.HOLD)).code is R.DONE
    assert visit.send(Bare(Opcode.HOLD)).code is R.ALREADY
    assert visit.order(Opcode.SET_ENVELOPE) is R.DONE
    assert visit.order(Opcode.CLEAR) is R.DONE
    assert visit.order(Opcode.CLEAR) is R.ALREADY
    assert visit.order(Opcode.END_PHASE) is R.ALREADY
    assert visit.order(Opcode.RESUME) is R.NOT_NOW
    assert visit.send(Bare(Opcode.HOLD)).code is R.NOT_NOW
    assert visit.send(Bare(Opcode.RENEW_LEASE)).code is R.NO_LEASE


@pytest.mark.parametrize("change", [{"dose_percent": 0}, {"seconds": 0}, {"tissue_limit_c": 20.0}])
def test_6_the_devices_own_limits_hold_inside_any_envelope(visit: Visit, change: dict[str, float]) -> None:
    assert start(visit, changed(**change)) is R.OUTSIDE_LIMITS
    assert_quiet(visit)


def test_seconds_add_up_however_often_a_phase_is_begun(visit: Visit) -> None:
    assert start(visit) is R.DONE
    visit.passes(20)
    assert visit.order(Opcode.END_PHASE) is R.DONE
    assert start(visit, changed(seconds=41)) is R.OUTSIDE_ENVELOPE
    assert visit.order(Opcode.SET_ENVELOPE) is R.DONE, "a new envelope of the same procedure"
    assert start(visit, changed(seconds=41)) is R.OUTSIDE_ENVELOPE
    assert start(visit, changed(seconds=40)) is R.DONE
    visit.passes(50, renewing=False)
    assert visit.status.status.cause is HoldCause.LEASE
    assert visit.order(Opcode.RESUME) is R.DONE, "what is held was inside, and still is"
    visit.passes(60)
    assert visit.brain.therapy.state is TherapyState.IDLE
    assert start(visit, changed(seconds=1)) is R.OUTSIDE_ENVELOPE


def test_a_narrower_envelope_binds_what_is_held(visit: Visit) -> None:
    assert start(visit) is R.DONE
    visit.passes(5)
    visit.stop()
    for fields in ({"dose_percent": 79}, {"seconds": 59}, {"ceiling_centi_c": 3899}, {"phase": 7}):
        narrow = msgspec.structs.replace(ENVELOPE, phases=(msgspec.structs.replace(ENVELOPE.phases[0], **fields),))
        assert put(visit, narrow) is R.DONE
        assert visit.order(Opcode.RESUME, envelope_sha256=envelope_hash(encode_envelope(narrow))) is R.OUTSIDE_ENVELOPE
    other = msgspec.structs.replace(ENVELOPE, procedure="another")
    assert put(visit, other) is R.DONE
    sha = envelope_hash(encode_envelope(other))
    for procedure in ("another", PROCEDURE):
        assert visit.order(Opcode.RESUME, envelope_sha256=sha, procedure=procedure) is R.OUTSIDE_ENVELOPE
    assert put(visit, ENVELOPE) is R.DONE
    assert visit.order(Opcode.RESUME) is R.DONE


def test_the_lease_is_renewed_by_whoever_began_and_by_no_other(brain: Brain, practice: Practice) -> None:
    first = Visit(brain, practice).begin()
    first.leave()
    second = Visit(brain, practice, person=Person(practice, Role.WORKSTATION, "ws-2")).shake_hands()
    assert second.send(Bare(Opcode.RENEW_LEASE)).code is R.NO_LEASE
    second.leave()
    first = Visit(brain, practice).shake_hands()
    assert first.send(Bare(Opcode.RENEW_LEASE)).code is R.DONE, "the same workstation in a new session"
    first.passes(3.1, renewing=False)
    assert first.status.status.cause is HoldCause.LEASE
    first.leave()
    second = Visit(brain, practice, person=Person(practice, Role.WORKSTATION, "ws-2")).ready()
    assert second.order(Opcode.RESUME) is R.DONE
    assert second.send(Bare(Opcode.RENEW_LEASE)).code is R.DONE


def test_a_revoked_clinicians_phase_is_held(visit: Visit, practice: Practice) -> None:
    assert start(visit) is R.DONE
    receipt = visit.send(Revoke(practice.revoke(practice.clinician.certificate.kid)))
    assert (receipt.code, receipt.therapy, receipt.cause) == (R.DONE, TherapyState.HELD, HoldCause.COMMAND)
    assert not visit.link.drop


def test_a_runaway_is_held_by_the_hub_itself(visit: Visit) -> None:
    assert start(visit) is R.DONE
    visit.brain.apply(Warm(kelvin=20.0))
    while visit.brain.therapy.state is TherapyState.RUNNING:
        visit.passes(0.05)
    status = visit.status.status
    assert (status.therapy, status.cause, status.swarm_dose_percent) == (TherapyState.HELD, HoldCause.LIMIT, 0)
    assert status.phase_elapsed_ms < 60_000
    assert visit.order(Opcode.RESUME) is R.OUTSIDE_LIMITS
    visit.passes(30, renewing=False)
    assert visit.order(Opcode.RESUME) is R.DONE, "withdrawn, it cooled"


def test_the_patients_button_holds_and_stays_flagged(visit: Visit) -> None:
    assert start(visit) is R.DONE
    visit.brain.apply(PatientStop())
    assert (visit.status.status.cause, visit.status.status.patient_stop) == (HoldCause.PATIENT, True)
    assert visit.order(Opcode.RESUME) is R.NOT_NOW
    visit.brain.apply(PatientStop(pressed=False))
    assert not visit.status.status.patient_stop
    assert visit.order(Opcode.RESUME) is R.DONE


def test_a_fault_is_left_by_a_reboot_alone(visit: Visit) -> None:
    assert start(visit) is R.DONE
    visit.brain.apply(Fail())
    for opcode in (Opcode.RESUME, Opcode.END_PHASE, Opcode.CLEAR, Opcode.SET_ENVELOPE, Opcode.START_PHASE):
        assert visit.order(opcode) is R.NOT_NOW
    assert visit.stop().cause is HoldCause.FAULT
    visit.passes(0.1, renewing=False)
    visit.brain.reboot()
    assert visit.brain.therapy.cause is HoldCause.BOOT, "the phase never ended"
    visit.brain.therapy.clear()
    visit.brain.apply(Fail())
    visit.brain.tick()
    visit.brain.reboot()
    assert visit.brain.therapy.state is TherapyState.IDLE


def test_after_a_power_loss_in_a_phase_only_its_end_is_accepted(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).begin()
    visit.passes(5)
    brain.reboot()
    visit = Visit(brain, practice).shake_hands()
    status = visit.side.statuses[-1].status
    assert (status.therapy, status.cause, status.phase) == (TherapyState.HELD, HoldCause.BOOT, 1)
    assert 5_000 <= status.phase_elapsed_ms <= 6_000, "never less than was delivered"
    visit.introduce()
    visit.stop()
    assert visit.order(Opcode.SET_ENVELOPE) is R.NOT_NOW
    assert visit.order(Opcode.RESUME, envelope_sha256=bytes(32)) is R.NO_ENVELOPE
    assert visit.order(Opcode.CLEAR) is R.DONE
    assert visit.order(Opcode.SET_ENVELOPE) is R.DONE
    left = 60 - -(-status.phase_elapsed_ms // 1000)
    assert start(visit, changed(seconds=left + 2)) is R.OUTSIDE_ENVELOPE
    assert start(visit, changed(seconds=left)) is R.DONE


def test_a_stale_command_of_before_is_not_done_again_after_a_boot(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).ready()
    counter = visit.next_counter
    message = encode_command(counter, visit.side.signed(Opcode.START_PHASE, counter, brain.body.now_us))
    visit.raw(message)
    visit.order(Opcode.END_PHASE)
    brain.reboot()
    again = Visit(brain, practice).shake_hands()
    assert again.raw(message), "its receipt of then"
    assert_quiet(again)
    for _ in range(40):
        again.send(Bare(Opcode.HOLD))
    assert again.ask(message).notice.receipt.code is R.STALE_COUNTER
    assert_quiet(again)

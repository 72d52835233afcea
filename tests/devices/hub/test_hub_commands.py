"""Orders and their receipts over real BLE frames: signed, answered, unknown, asked about; and STOP before them all."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from core.model.certificate import Role
from core.model.cose import KeySigner
from core.model.errors import SmilescapeError
from core.model.hub import HoldCause, Opcode, Receipt, ReceiptCode, TherapyState
from devices.hub import uuids
from devices.hub.commands import STOP_PLAINTEXT
from devices.hub.credentials import Clinician
from devices.hub.errors import CommandUnknown, CountersSpent, HubReadOnly, HubUnreachable, Overtaken
from devices.hub.listener import SentCommand
from devices.hub.session.envelope import HubEnvelope
from devices.hub.session.errors import SignedRefused
from devices.hub.session.signed import request_hash, verify_receipt
from devices.hub.session.wire import LAST_EPOCH, MAX_RECORD
from devices.simulator.control import Control, DropLink, Reboot, TamperFirmware
from tests.devices.hub.clinic import ENVELOPE, ORDER, PROCEDURE
from tests.devices.hub.rig import Rig, until

OTHER = msgspec.structs.replace(ENVELOPE, procedure="another procedure")


async def test_every_order_has_a_receipt_signed_by_the_hub(rig: Rig) -> None:
    await rig.connect()
    driver, doctor = rig.driver, rig.clinic.clinician
    steps: list[tuple[Callable[[], Awaitable[Receipt]], ReceiptCode, TherapyState]] = [
        (driver.renew_lease, ReceiptCode.NO_LEASE, TherapyState.IDLE),
        (lambda: driver.resume(ENVELOPE, doctor), ReceiptCode.NOT_NOW, TherapyState.IDLE),
        (lambda: driver.start_phase(ORDER, ENVELOPE, doctor), ReceiptCode.DONE, TherapyState.RUNNING),
        (driver.renew_lease, ReceiptCode.DONE, TherapyState.RUNNING),
        (driver.hold, ReceiptCode.DONE, TherapyState.HELD),
        (driver.hold, ReceiptCode.ALREADY, TherapyState.HELD),
        (lambda: driver.resume(ENVELOPE, doctor), ReceiptCode.DONE, TherapyState.RUNNING),
        (lambda: driver.end_phase(PROCEDURE, doctor), ReceiptCode.DONE, TherapyState.IDLE),
        (lambda: driver.clear(PROCEDURE, doctor), ReceiptCode.ALREADY, TherapyState.IDLE),
    ]
    counters = []
    for act, code, state in steps:
        receipt = await act()
        assert (receipt.code, receipt.therapy) == (code, state)
        signed = verify_receipt(receipt.raw, rig.brain.vault.key.certificate)
        assert signed.notice.receipt == receipt
        assert signed.session_id == driver.session_id
        counters.append(receipt.counter)
    assert counters == sorted(set(counters))


async def test_certificate_and_envelope_go_before_the_first_order_and_no_more(rig: Rig) -> None:
    await rig.connect()
    before = len(rig.store.sent)
    await rig.begun_phase()
    await rig.driver.hold()
    await rig.driver.resume(ENVELOPE, rig.clinic.clinician)
    kid = rig.clinic.clinician.certificate.kid
    therapy = {Opcode.CLINICIAN, Opcode.SET_ENVELOPE, Opcode.START_PHASE, Opcode.HOLD, Opcode.RESUME}
    assert [(one.opcode, one.signer) for one in rig.store.sent[before:] if one.opcode in therapy] == [
        (Opcode.CLINICIAN, b""),
        (Opcode.SET_ENVELOPE, kid),
        (Opcode.START_PHASE, kid),
        (Opcode.HOLD, b""),
        (Opcode.RESUME, kid),
    ]


class Desk:
    """Writes orders down when it is told to; until then what has to be written first does not go."""

    def __init__(self, rig: Rig) -> None:
        self.waits = asyncio.Event()
        self.goes_on = asyncio.Event()
        self.fails: Exception | None = None
        rig.store.write = self.write

    async def write(self, command: SentCommand) -> None:
        if command.opcode != Opcode.START_PHASE:
            return
        self.waits.set()
        await self.goes_on.wait()
        if self.fails is not None:
            raise self.fails


def starts(rig: Rig) -> list[SentCommand]:
    return [one for one in rig.store.sent if one.opcode == Opcode.START_PHASE]


async def test_an_order_is_written_down_before_it_is_sent(rig: Rig) -> None:
    await rig.connect()
    desk = Desk(rig)
    order = asyncio.create_task(rig.driver.start_phase(ORDER, ENVELOPE, rig.clinic.clinician))
    await desk.waits.wait()
    assert (await rig.driver.read_status()).therapy is TherapyState.IDLE, "the air is free meanwhile"
    assert not starts(rig)
    desk.goes_on.set()
    assert (await order).code is ReceiptCode.DONE
    (sent,) = starts(rig)
    assert sent == rig.store.due[-1], "what went is what was written down last"
    assert {one.opcode for one in rig.store.due} == {Opcode.SET_ENVELOPE, Opcode.START_PHASE}
    await rig.driver.hold()
    assert Opcode.HOLD not in {one.opcode for one in rig.store.due}, "a hold waits for no disk"


@pytest.mark.parametrize("halt", ["hold", "stop"])
async def test_a_start_that_a_halt_overtakes_is_never_sent(rig: Rig, halt: str) -> None:
    await rig.connect()
    desk = Desk(rig)
    order = asyncio.create_task(rig.driver.start_phase(ORDER, ENVELOPE, rig.clinic.clinician))
    await desk.waits.wait()
    await (rig.driver.hold() if halt == "hold" else rig.driver.stop())
    desk.goes_on.set()
    with pytest.raises(Overtaken, match="overtaken"):
        await order
    assert not starts(rig)
    assert rig.brain.therapy.state is TherapyState.IDLE
    assert (await rig.driver.start_phase(ORDER, ENVELOPE, rig.clinic.clinician)).code is ReceiptCode.DONE


async def test_what_cannot_be_written_down_is_not_sent(rig: Rig) -> None:
    await rig.connect()
    desk = Desk(rig)
    desk.fails = SmilescapeError("The disk is full.", "Make room.")
    desk.goes_on.set()
    with pytest.raises(SmilescapeError, match="disk is full"):
        await rig.driver.start_phase(ORDER, ENVELOPE, rig.clinic.clinician)
    assert not starts(rig)
    assert (await rig.driver.stop()).opcode == 0


async def test_a_disk_that_hangs_costs_the_order_and_nothing_else(rig: Rig) -> None:
    await rig.connect()
    desk = Desk(rig)
    with pytest.raises(HubUnreachable):
        await rig.driver.start_phase(ORDER, ENVELOPE, rig.clinic.clinician)
    assert not starts(rig)
    assert (await rig.driver.hold()).code is ReceiptCode.NOT_NOW
    desk.goes_on.set()
    assert (await rig.driver.start_phase(ORDER, ENVELOPE, rig.clinic.clinician)).code is ReceiptCode.DONE


async def test_another_envelope_replaces_the_one_in_force(rig: Rig) -> None:
    await rig.connect()
    await rig.begun_phase()
    await rig.driver.end_phase(PROCEDURE, rig.clinic.clinician)
    receipt = await rig.driver.start_phase(ORDER, OTHER, rig.clinic.clinician)
    assert receipt.code is ReceiptCode.DONE
    assert [one.opcode for one in rig.store.sent].count(Opcode.SET_ENVELOPE) == 2


@pytest.mark.parametrize(
    "change", [{"dose_percent": 81}, {"seconds": 121}, {"tissue_limit_c": 39.5}, {"tooth": 11}, {"phase": 3}]
)
async def test_the_hub_refuses_what_the_patient_did_not_consent_to(rig: Rig, change: dict[str, float]) -> None:
    await rig.connect()
    order = msgspec.structs.replace(ORDER, **change)
    receipt = await rig.driver.start_phase(order, ENVELOPE, rig.clinic.clinician)
    assert (receipt.code, receipt.therapy) == (ReceiptCode.OUTSIDE_ENVELOPE, TherapyState.IDLE)


async def test_an_envelope_that_is_none_is_never_sent(rig: Rig) -> None:
    await rig.connect()
    empty = HubEnvelope(procedure=PROCEDURE, consent_sha256=bytes(32), phases=())
    with pytest.raises(ValueError, match="phases"):
        await rig.driver.start_phase(ORDER, empty, rig.clinic.clinician)


async def test_a_clinician_who_was_revoked_orders_nothing(rig: Rig) -> None:
    rig.clinic.revoke(rig.clinic.clinician.certificate.kid)
    await rig.connect()
    receipt = await rig.driver.start_phase(ORDER, ENVELOPE, rig.clinic.clinician)
    assert (receipt.opcode, receipt.code) == (Opcode.CLINICIAN, ReceiptCode.REFUSED)
    another = await rig.driver.start_phase(ORDER, ENVELOPE, rig.clinic.new_clinician("dr-lee"))
    assert another.code is ReceiptCode.DONE


async def test_who_is_no_clinician_orders_nothing(rig: Rig) -> None:
    await rig.connect()
    signer = KeySigner()
    assistant = Clinician(rig.clinic.certificate(Role.FIRMWARE_SIGNER, "dr-kim", signer.public), signer)
    receipt = await rig.driver.start_phase(ORDER, ENVELOPE, assistant)
    assert (receipt.opcode, receipt.code) == (Opcode.CLINICIAN, ReceiptCode.REFUSED)


async def test_a_signature_with_another_key_is_none(rig: Rig) -> None:
    await rig.connect()
    doctor = rig.clinic.clinician
    thief = Clinician(doctor.certificate, KeySigner())
    receipt = await rig.driver.start_phase(ORDER, ENVELOPE, thief)
    assert (receipt.opcode, receipt.code) == (Opcode.SET_ENVELOPE, ReceiptCode.NOT_SIGNED)
    assert rig.brain.therapy.state is TherapyState.IDLE


async def test_revoking_the_clinician_holds_what_runs(rig: Rig) -> None:
    await rig.connect()
    await rig.begun_phase()
    rig.clinic.revoke(rig.clinic.clinician.certificate.kid)
    await rig.driver.trust_changed()
    await until(lambda: rig.store.statuses[-1].therapy is TherapyState.HELD)
    assert rig.store.statuses[-1].cause is HoldCause.COMMAND


async def test_a_hub_that_proves_nothing_is_read_only(rig: Rig) -> None:
    await rig.hub.tell(TamperFirmware())
    await rig.connect()
    assert not rig.driver.proven
    with pytest.raises(HubReadOnly):
        await rig.driver.start_phase(ORDER, ENVELOPE, rig.clinic.clinician)
    with pytest.raises(HubReadOnly):
        await rig.driver.resume(ENVELOPE, rig.clinic.clinician)
    assert (await rig.driver.end_phase(PROCEDURE, rig.clinic.clinician)).code is ReceiptCode.ALREADY
    assert (await rig.driver.stop()).code is ReceiptCode.ALREADY
    await rig.passes(1)
    await rig.complete()
    rig.assert_equals_journal()


async def test_many_commands_at_once_each_get_their_own_receipt(rig: Rig) -> None:
    await rig.connect()
    receipts = await asyncio.gather(*(rig.driver.renew_lease() for _ in range(20)))
    assert len({receipt.counter for receipt in receipts}) == 20


async def test_a_lost_receipt_is_unknown_until_the_hub_is_asked(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.connect()
    await rig.begun_phase()
    monkeypatch.setattr("devices.hub.commander.RECEIPT_S", 0.3)
    rig.between.deafen(uuids.RECEIPT)
    with pytest.raises(CommandUnknown) as caught:
        await rig.driver.hold()
    monkeypatch.undo()
    rig.between.let_pass()
    unknown = caught.value
    assert unknown.opcode == Opcode.HOLD
    receipt = await rig.driver.ask_receipt(unknown.counter)
    assert receipt is not None
    assert (receipt.opcode, receipt.code) == (Opcode.HOLD, ReceiptCode.DONE)


async def lost_with_its_link(rig: Rig, end: Control) -> CommandUnknown:
    """Order a phase whose receipt is lost, and the link with it; the next session stands then."""
    await rig.driver.start_phase(msgspec.structs.replace(ORDER, phase=9), ENVELOPE, rig.clinic.clinician)
    rig.between.deafen(uuids.RECEIPT)
    sending = asyncio.create_task(rig.driver.start_phase(ORDER, ENVELOPE, rig.clinic.clinician))
    await until(lambda: rig.brain.therapy.state is TherapyState.RUNNING)
    await rig.answered()
    rig.between.let_pass()
    await asyncio.gather(rig.reconnected(), rig.hub.tell(end))
    with pytest.raises(CommandUnknown) as caught:
        await sending
    return caught.value


@pytest.mark.parametrize("end", [DropLink(), Reboot()])
async def test_an_unknown_outcome_is_resolved_in_the_next_session(rig: Rig, end: Control) -> None:
    await rig.connect()
    former = rig.driver.session_id
    unknown = await lost_with_its_link(rig, end)
    receipt = await rig.driver.ask_receipt(unknown.counter)
    assert receipt is not None
    assert receipt.accepted
    signed = verify_receipt(receipt.raw, rig.brain.vault.key.certificate)
    assert signed.session_id == former != rig.driver.session_id
    message = next(one for one in rig.store.sent if one.counter == unknown.counter)
    assert signed.request == message.sha256[:16]
    assert not rig.store.alarms


async def test_an_outcome_that_is_told_untruly_stays_unknown_and_the_session_stands(rig: Rig) -> None:
    await rig.connect()
    said: set[bytes] = set()

    def spoilt_when_repeated(receipt: bytes) -> bytes:
        if receipt in said:
            return receipt[:-64] + bytes(64)
        said.add(receipt)
        return receipt

    rig.brain.voice = spoilt_when_repeated
    unknown = await lost_with_its_link(rig, DropLink())
    assert (await rig.driver.hold()).code is ReceiptCode.DONE, "what is ordered now is answered truly"
    with pytest.raises(HubUnreachable):
        await rig.driver.ask_receipt(unknown.counter)
    assert {type(error) for error in rig.store.alarms} == {SignedRefused}


async def test_what_never_reached_the_hub_is_known_in_the_next_session(rig: Rig) -> None:
    await rig.connect()
    await rig.driver.start_phase(msgspec.structs.replace(ORDER, phase=9), ENVELOPE, rig.clinic.clinician)
    rig.between.silence(uuids.CONTROL)
    sending = asyncio.create_task(rig.driver.start_phase(ORDER, ENVELOPE, rig.clinic.clinician))
    await until(lambda: [one.opcode for one in rig.store.sent].count(Opcode.START_PHASE) == 2)
    rig.between.let_pass()
    await asyncio.gather(rig.reconnected(), rig.hub.tell(DropLink()))
    with pytest.raises(CommandUnknown) as caught:
        await sending
    assert await rig.driver.ask_receipt(caught.value.counter) is None
    assert rig.brain.therapy.state is TherapyState.IDLE


async def test_a_restarted_workstation_asks_with_what_its_log_says_was_sent(rig: Rig) -> None:
    await rig.connect()
    receipt = await rig.begun_phase()
    sha256 = next(one.sha256 for one in rig.store.sent if one.counter == receipt.counter)
    await rig.driver.close()
    another = rig.new_driver(rig.store)
    rig.run(another)
    await rig.reconnected()
    with pytest.raises(CommandUnknown):
        await another.ask_receipt(receipt.counter)
    assert await another.ask_receipt(receipt.counter, sha256) == receipt


async def test_a_receipt_of_another_message_is_no_answer(rig: Rig) -> None:
    """Who asks with the hash of what was never sent does not get the receipt of what was."""
    await rig.connect()
    receipt = await rig.begun_phase()
    await rig.driver.close()
    another = rig.new_driver(rig.store)
    rig.run(another)
    await rig.reconnected()
    with pytest.raises(HubUnreachable):
        await another.ask_receipt(receipt.counter, bytes(32))
    assert [type(error).__name__ for error in rig.store.alarms] == ["ReceiptMisplaced"]


async def test_without_a_link_nothing_is_sent(rig: Rig) -> None:
    acts: list[Callable[[], Awaitable[object]]] = [
        rig.driver.hold,
        rig.driver.stop,
        rig.driver.read_status,
        lambda: rig.driver.start_phase(ORDER, ENVELOPE, rig.clinic.clinician),
        lambda: rig.driver.end_phase(PROCEDURE, rig.clinic.clinician),
        lambda: rig.driver.ask_receipt(1, bytes(32)),
        rig.driver.rekey,
    ]
    for act in acts:
        with pytest.raises(HubUnreachable):
            await act()
    await rig.driver.trust_changed()
    assert not rig.store.sent


async def test_the_hub_holds_when_nobody_renews(rig: Rig) -> None:
    await rig.connect()
    await rig.begun_phase()
    await rig.passes(2.75)
    await rig.driver.renew_lease()
    await rig.passes(2.75)
    assert (await rig.driver.read_status()).therapy is TherapyState.RUNNING
    await rig.passes(0.25)
    await until(lambda: rig.store.statuses[-1].therapy is TherapyState.HELD)
    status = rig.store.statuses[-1]
    assert (status.cause, status.lease_ms, status.phase_elapsed_ms) == (HoldCause.LEASE, 0, 5750)
    assert (await rig.driver.renew_lease()).code is ReceiptCode.NO_LEASE


async def test_the_hub_holds_alone_when_the_link_stays_away(rig: Rig) -> None:
    await rig.connect()
    await rig.begun_phase()
    rig.air.set_in_range(0, False)
    await rig.passes(3)
    assert (rig.brain.therapy.state, rig.brain.therapy.cause) == (TherapyState.HELD, HoldCause.LEASE)


async def test_a_workstation_that_is_back_in_time_goes_on_renewing(rig: Rig) -> None:
    await rig.connect()
    await rig.begun_phase()
    await rig.passes(1)
    await asyncio.gather(rig.reconnected(), rig.hub.tell(DropLink()))
    assert (await rig.driver.renew_lease()).code is ReceiptCode.DONE
    await rig.passes(2.75)
    assert rig.brain.therapy.state is TherapyState.RUNNING


async def test_stop_holds_and_may_be_repeated(rig: Rig) -> None:
    await rig.connect()
    await rig.begun_phase()
    first, second = await asyncio.gather(rig.driver.stop(), rig.driver.stop())
    assert {first.code, second.code} <= {ReceiptCode.DONE, ReceiptCode.ALREADY}
    assert (first.opcode, first.counter, first.therapy, first.cause) == (0, 0, TherapyState.HELD, HoldCause.STOP)
    assert (await rig.driver.stop()).code is ReceiptCode.ALREADY
    await until(lambda: rig.store.statuses[-1].cause is HoldCause.STOP)
    stops = [one for one in rig.store.sent if one.opcode == 0]
    assert [one.sha256[:16] for one in stops] == [request_hash(STOP_PLAINTEXT)] * 3


async def test_stop_is_repeated_as_a_new_record_until_it_is_answered(rig: Rig) -> None:
    await rig.connect()
    await rig.begun_phase()
    rig.between.deafen(uuids.RECEIPT)
    stopping = asyncio.create_task(rig.driver.stop())
    await until(lambda: len(rig.between.sent(uuids.STOP)) == 3)
    await rig.answered()
    rig.between.let_pass()
    receipt = await stopping
    assert (receipt.code, receipt.cause) == (ReceiptCode.ALREADY, HoldCause.STOP)
    written = rig.between.sent(uuids.STOP)
    assert len(set(written)) == len(written) >= 4
    assert [int.from_bytes(record[2:6], "little") for record in written] == list(range(len(written)))


async def test_stop_passes_a_hub_that_is_busy_and_takes_no_more_commands(rig: Rig) -> None:
    await rig.passes(20)
    await rig.connect()
    await rig.begun_phase()
    rig.brain.desk.counter = 2**32 - 1
    stale = await asyncio.gather(*(rig.driver.hold() for _ in range(2)), return_exceptions=True)
    with pytest.raises(CountersSpent):
        await rig.driver.hold()
    assert all(isinstance(one, CountersSpent) or one.code is ReceiptCode.STALE_COUNTER for one in stale)  # type: ignore[union-attr]
    assert rig.brain.therapy.state is TherapyState.RUNNING
    assert (await rig.driver.stop()).cause is HoldCause.STOP


async def test_stop_passes_a_long_message_that_is_half_written(rig: Rig) -> None:
    """The second segment of SET_ENVELOPE hangs in the air, and a hold waits behind it: STOP waits for neither."""
    await rig.connect()
    await rig.begun_phase()
    hung, free = asyncio.Event(), asyncio.Event()

    async def hang(uuid: str, _: bytes) -> None:
        if uuid == uuids.CONTROL and len(rig.between.sent(uuid)[-2]) == MAX_RECORD:
            hung.set()
            await free.wait()

    rig.between.before_write = hang
    ordering = asyncio.create_task(rig.driver.start_phase(ORDER, OTHER, rig.clinic.clinician))
    await until(hung.is_set)
    holding = asyncio.create_task(rig.driver.hold())
    receipt = await rig.driver.stop()
    assert (receipt.code, receipt.cause) == (ReceiptCode.DONE, HoldCause.STOP)
    assert not holding.done()
    assert not ordering.done()
    free.set()
    with pytest.raises(Overtaken):
        await ordering
    assert (await holding).code is ReceiptCode.ALREADY


async def test_stop_passes_a_fetch_under_way(rig: Rig) -> None:
    rig.store.committing = False
    await rig.passes(60)
    await rig.connect()
    await until(lambda: len(rig.between.heard(uuids.HISTORY)) > 0)
    assert (await rig.driver.stop()).code is ReceiptCode.ALREADY
    assert rig.store.missing, "there was more to fetch"
    await rig.complete()


async def test_keys_that_are_used_up_end_the_session_and_another_begins(rig: Rig) -> None:
    await rig.connect()
    session = rig.driver._profile.session
    assert session is not None
    session.sealer._number, session.sealer._left = LAST_EPOCH, 0
    with pytest.raises(CommandUnknown) as caught:
        await rig.driver.hold()
    await until(lambda: rig.store.up and rig.driver.session_id not in (None, session.id))
    assert await rig.driver.ask_receipt(caught.value.counter) is None
    assert (await rig.driver.stop()).opcode == 0


async def test_a_counter_that_somebody_else_used_costs_one_refusal(rig: Rig) -> None:
    await rig.connect()
    await rig.begun_phase()
    rig.brain.desk.counter = 50_000
    codes = [(await rig.driver.hold()).code for _ in range(2)]
    assert codes[-1].name in ("DONE", "ALREADY")
    assert rig.brain.therapy.state is TherapyState.HELD

"""A simulated hub without radio: memory, journal, counters and kept receipts."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from core.model.block import Provenance, SampleBlock
from core.model.hub import HoldCause, Opcode, PhaseOrder, ReceiptCode, TherapyState
from devices.errors import FrameError
from devices.hub.commands import Acknowledge, Bare, Fetch, Order, encode_command
from devices.hub.frames import FetchEnd, SampleFrame, decode_record
from devices.hub.receipts import OPCODE_NO_RECEIPT, ReceiptNotice, decode_receipt
from devices.hub.status import decode_status
from devices.simulator.boots import BootError, Boots
from devices.simulator.brain import Brain
from devices.simulator.control import PatientStop, Runaway, Warm
from devices.simulator.desk import Session
from devices.simulator.journal import JournalError, JournalWriter, read_journal
from devices.simulator.memory import CAPACITY_FRAMES, Memory

ORDER = PhaseOrder(
    phase=1, module=1, tooth=0, seconds=60, dose_percent=80, tissue_limit_c=39.0, envelope_sha256=bytes(32)
)


@pytest.fixture
def brain() -> Brain:
    return Brain(serial="SH-1", seed=1)


@pytest.fixture
def session() -> Session:
    return Session(mtu=247)


def send(brain: Brain, session: Session, counter: int, order: Order) -> ReceiptNotice:
    return decode_receipt(brain.desk.command(encode_command(counter, order), session))


def decoded(frames: Iterable[bytes]) -> list[SampleBlock]:
    blocks: list[SampleBlock] = []
    for frame in frames:
        record = decode_record(frame, Provenance.LIVE)
        assert isinstance(record, SampleFrame)
        blocks += record.blocks
    return blocks


def test_frames_carry_exactly_what_the_journal_says(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with JournalWriter(path) as journalist:
        brain = Brain(serial="SH-1", seed=1, journal=journalist)
        blocks = decoded(frame for _ in range(100) for frame in brain.tick())
    journal = list(read_journal(path))
    assert len(journal) == len(blocks)
    for ours, theirs in zip(blocks, journal, strict=True):
        assert (ours.channel, ours.first_index, ours.start_us) == (theirs.channel, theirs.first_index, theirs.start_us)
        assert np.array_equal(ours.samples, theirs.samples)


def test_a_torn_journal_reads_up_to_the_tear(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with JournalWriter(path) as journalist:
        brain = Brain(serial="SH-1", seed=1, journal=journalist)
        for _ in range(20):
            brain.tick()
    whole = list(read_journal(path))
    for cut in (1, 9, 30):
        path.write_bytes(path.read_bytes()[:-cut])
        assert 0 < len(list(read_journal(path))) < len(whole)


def test_any_other_file_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(b"something else")
    with pytest.raises(JournalError):
        list(read_journal(path))


def test_memory_holds_ten_minutes_at_full_rate(brain: Brain) -> None:
    ten_seconds = sum(len(brain.tick()) for _ in range(10 * 20))
    assert 60 * ten_seconds < CAPACITY_FRAMES


def test_memory_forgets_what_is_acknowledged_and_nothing_above() -> None:
    memory = Memory(capacity=5)
    for n in range(4):
        memory.store(bytes((n,)))
    assert memory.acknowledge(1)
    assert (memory.oldest, memory.next_sequence, memory.used_percent) == (2, 4, 40)
    assert memory.fetch(0, 10) == [b"\2", b"\3"]
    assert memory.acknowledge(0), "an old acknowledgement is no harm"
    assert memory.oldest == 2
    assert not memory.acknowledge(4)
    assert memory.oldest == 2
    assert memory.dropped == 0


def test_a_full_memory_drops_the_oldest_and_says_so() -> None:
    brain = Brain(serial="SH-1", seed=1, capacity=50)
    for _ in range(60):
        brain.tick()
    report = decode_status(brain.status())
    assert report.dropped == report.status.oldest_sequence == report.next_sequence - 50
    assert report.status.memory_percent == 100


def test_a_fetch_gives_the_stored_bytes_and_an_end(brain: Brain, session: Session) -> None:
    frames = [frame for _ in range(20) for frame in brain.tick()]
    notice = send(brain, session, 1, Fetch(3, 10))
    assert (notice.receipt.code, notice.detail) == (ReceiptCode.DONE, 10)
    assert session.fetch is not None
    assert session.fetch[:-1] == frames[3:13]
    end = decode_record(session.fetch[-1], Provenance.BACKFILLED)
    assert end == FetchEnd(boot=1, counter=1, sent=10, oldest=0, next_sequence=len(frames))
    assert send(brain, session, 2, Fetch(0, 1)).receipt.code is ReceiptCode.BUSY


def test_what_is_forgotten_is_not_stored(brain: Brain, session: Session) -> None:
    for _ in range(20):
        brain.tick()
    assert send(brain, session, 1, Acknowledge(19)).receipt.code is ReceiptCode.DONE
    gone = send(brain, session, 2, Fetch(3, 10))
    assert (gone.receipt.code, gone.detail) == (ReceiptCode.NOT_STORED, 20)
    assert send(brain, session, 3, Fetch(15, 10)).detail == 5
    assert send(brain, session, 4, Acknowledge(10_000)).receipt.code is ReceiptCode.OUTSIDE_LIMITS


@pytest.mark.parametrize("count", [0, 257])
def test_a_fetch_is_bounded(brain: Brain, session: Session, count: int) -> None:
    brain.tick()
    assert send(brain, session, 1, Fetch(0, count)).receipt.code is ReceiptCode.OUTSIDE_LIMITS


def test_a_repeated_counter_gets_the_first_receipt_and_does_nothing(brain: Brain, session: Session) -> None:
    value = encode_command(1, ORDER)
    first = brain.desk.command(value, session)
    send(brain, session, 2, Bare(Opcode.END_PHASE))
    brain.tick()
    assert brain.desk.command(value, session) == first
    assert brain.desk.command(encode_command(1, Bare(Opcode.CLEAR)), session) == first
    assert brain.therapy.state is TherapyState.IDLE


def test_a_counter_long_past_is_stale(brain: Brain, session: Session) -> None:
    for counter in range(1, 41):
        send(brain, session, counter, Bare(Opcode.RENEW_LEASE))
    stale = send(brain, session, 1, ORDER)
    assert (stale.receipt.code, stale.detail) == (ReceiptCode.STALE_COUNTER, 40)
    assert brain.therapy.state is TherapyState.IDLE


def test_one_command_cannot_use_up_the_counters(brain: Brain, session: Session) -> None:
    far = send(brain, session, 2**32 - 1, ORDER)
    assert (far.receipt.code, far.detail) == (ReceiptCode.OUTSIDE_LIMITS, 0)
    assert brain.therapy.state is TherapyState.IDLE
    assert send(brain, session, 1, ORDER).receipt.code is ReceiptCode.DONE


def test_therapy_receipts_outlive_the_chatter(brain: Brain, session: Session) -> None:
    first = brain.desk.command(encode_command(1, ORDER), session)
    for counter in range(2, 200):
        send(brain, session, counter, Bare(Opcode.RENEW_LEASE))
    assert brain.desk.query(1) == first


def test_a_query_tells_never_arrived_from_forgotten(brain: Brain, session: Session) -> None:
    for counter in range(1, 41):
        send(brain, session, counter, Bare(Opcode.RENEW_LEASE))
    for counter in (2, 41):
        notice = decode_receipt(brain.desk.query(counter))
        assert notice.receipt.opcode == OPCODE_NO_RECEIPT
        assert (notice.receipt.counter, notice.detail) == (counter, 40)


def test_malformed_commands_leave_the_counter_alone(brain: Brain, session: Session) -> None:
    desk = brain.desk
    for value in (b"", b"\x10", b"\x10\x01\x00\x00"):
        with pytest.raises(FrameError):
            desk.command(value, session)
    short = encode_command(7, ORDER)[:20]
    assert decode_receipt(desk.command(short, session)).receipt.code is ReceiptCode.MALFORMED
    unknown = b"\x80\x07\x00\x00\x00"
    assert decode_receipt(desk.command(unknown, session)).receipt.code is ReceiptCode.UNKNOWN_OPCODE
    zero = encode_command(0, Bare(Opcode.HOLD))
    assert decode_receipt(desk.command(zero, session)).receipt.code is ReceiptCode.MALFORMED
    assert desk.counter == 0
    assert send(brain, session, 7, ORDER).receipt.code is ReceiptCode.DONE


def test_a_narrow_link_neither_streams_nor_treats_but_stops(brain: Brain, session: Session) -> None:
    narrow = Session(mtu=184)
    send(brain, session, 1, ORDER)
    assert send(brain, narrow, 2, Bare(Opcode.START_STREAM)).receipt.code is ReceiptCode.OUTSIDE_LIMITS
    send(brain, narrow, 3, Bare(Opcode.END_PHASE))
    assert send(brain, narrow, 4, ORDER).detail == 184
    send(brain, session, 5, ORDER)
    stop = decode_receipt(brain.desk.stop()).receipt
    assert (stop.opcode, stop.counter, stop.code, stop.cause) == (0, 0, ReceiptCode.DONE, HoldCause.STOP)


def test_a_runaway_is_held_by_the_hub_itself(brain: Brain, session: Session) -> None:
    send(brain, session, 1, ORDER)
    brain.apply(Warm(kelvin=20.0))
    for counter in range(2, 12):
        send(brain, session, counter, Bare(Opcode.RENEW_LEASE))
        for _ in range(20):
            brain.tick()
    status = decode_status(brain.status()).status
    assert (status.therapy, status.cause, status.swarm_dose_percent) == (TherapyState.HELD, HoldCause.LIMIT, 0)
    assert status.phase_elapsed_ms < 60_000
    held_at = brain.body.warmth.tissue
    for _ in range(20 * 5):
        brain.tick()
    assert brain.body.warmth.tissue < held_at, "withdrawn, it cools"


def test_a_hub_that_lies_about_a_runaway_says_what_was_ordered(brain: Brain, session: Session) -> None:
    send(brain, session, 1, ORDER)
    brain.apply(Runaway(percent=20.0, faked=True))
    for _ in range(40):
        brain.tick()
    assert decode_status(brain.status()).status.swarm_dose_percent == 80
    assert brain.body.swarm.dose == 100


@pytest.mark.parametrize("deaf", [False, True])
def test_stop_ends_a_runaway_unless_the_swarm_is_deaf(brain: Brain, session: Session, deaf: bool) -> None:
    send(brain, session, 1, ORDER)
    brain.apply(Runaway(percent=20.0, deaf=deaf))
    for _ in range(40):
        brain.tick()
    assert decode_status(brain.status()).status.swarm_dose_percent == 100
    brain.desk.stop()
    status = decode_status(brain.status()).status
    assert (status.therapy, status.swarm_dose_percent) == (TherapyState.HELD, 20 if deaf else 0), "at once"
    brain.tick()
    assert brain.body.swarm.dose == (20 if deaf else 0)
    brain.reboot()
    brain.tick()
    assert brain.body.swarm.dose == 0, "a boot ends it"


def test_the_order_reaches_the_tooth_that_it_names(brain: Brain, session: Session) -> None:
    mineral, teeth = brain.body.mouth.mineral, brain.body.mouth.teeth
    mineral.lost[:] = 100.0
    send(brain, session, 1, msgspec.structs.replace(ORDER, tooth=26))
    for counter in range(2, 32):
        send(brain, session, counter, Bare(Opcode.RENEW_LEASE))
        for _ in range(20):
            brain.tick()
    mended = 100.0 - mineral.lost
    assert mended[teeth.fdi.index(26)] > 5 * np.delete(mended, teeth.fdi.index(26)).max()


def test_the_patients_button_stays_flagged_until_released(brain: Brain) -> None:
    brain.apply(PatientStop())
    assert decode_status(brain.status()).status.patient_stop
    brain.apply(PatientStop(pressed=False))
    assert not decode_status(brain.status()).status.patient_stop


def test_a_boot_counts_up_and_forgets_everything_but_an_open_phase(tmp_path: Path) -> None:
    path = tmp_path / "boots"
    first = Brain(serial="SH-1", seed=1, boots=Boots(path))
    send(first, Session(mtu=247), 1, ORDER)
    first.tick()
    second = Brain(serial="SH-1", seed=1, boots=Boots(path))
    report = decode_status(second.status())
    assert (report.boot, report.next_sequence, report.status.command_counter) == (2, 0, 0)
    assert (report.status.therapy, report.status.cause) == (TherapyState.HELD, HoldCause.BOOT)
    send(second, Session(mtu=247), 1, Bare(Opcode.CLEAR))
    second.tick()
    second.reboot()
    assert decode_status(second.status()).boot == 3
    assert second.therapy.state is TherapyState.IDLE


def test_a_damaged_boot_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "boots"
    path.write_bytes(b"{")
    with pytest.raises(BootError):
        Boots(path)

"""The hub's desk: each check of section 8, in its order, in real sessions without a radio."""

import struct

import pytest

from core.model.block import Provenance
from core.model.hub import Opcode, Receipt, ReceiptCode, TherapyState
from core.model.wear import EventKind
from devices.errors import FrameError
from devices.hub.commands import Acknowledge, Ask, Bare, Introduce, Revoke, Signed, Tell, encode_command
from devices.hub.frames import FetchEnd, decode_frame
from devices.hub.receipts import OPCODE_NO_RECEIPT
from devices.hub.session.documents import decode_journal
from devices.hub.session.envelope import encode_envelope
from devices.hub.session.signed import verify_receipt
from devices.hub.session.wear import decode_events, decode_summaries
from devices.hub.session.wire import DocumentKind, FromHub, ToHub
from devices.simulator.brain import Brain
from tests.devices.simulator.visit import ENVELOPE, MAKER, NOW_S, Practice, Visit, new_hub

R = ReceiptCode


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
    return Visit(brain, practice).shake_hands()


def plain(opcode: int, counter: int, payload: bytes = b"") -> bytes:
    return struct.pack("<BI", opcode, counter) + payload


def notice(visit: Visit, message: bytes) -> tuple[Receipt, int]:
    found = visit.ask(message).notice
    return found.receipt, found.detail


def test_a_session_begins_with_identity_and_status(visit: Visit) -> None:
    card = visit.side.card()
    assert (card.identity.serial, card.identity.boot, card.flags) == ("SH-1", 1, 3)
    assert (card.irk, card.revocations) == (visit.brain.vault.irk, 0)
    assert [span.boot for span in card.boots] == [1]
    assert len(visit.side.statuses) == 1


@pytest.mark.parametrize("message", [b"\x10", b"\x10\1\0\0"])
def test_without_opcode_and_counter_there_is_no_receipt(visit: Visit, message: bytes) -> None:
    with pytest.raises(FrameError):
        visit.raw(message)
    assert not visit.side.receipts


def test_1_the_same_message_again_gets_the_same_receipt_and_does_nothing(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).ready()
    counter = visit.next_counter
    message = encode_command(counter, visit.side.signed(Opcode.START_PHASE, counter, brain.body.now_us))
    first = visit.raw(message)
    assert visit.order(Opcode.END_PHASE) is R.DONE
    entries = brain.logbook.next
    assert visit.raw(message) == first
    assert visit.query(counter) == first
    assert brain.therapy.state is TherapyState.IDLE
    assert brain.logbook.next == entries, "nothing was done, so nothing is told"


def test_1_another_message_under_a_kept_counter_is_stale(visit: Visit) -> None:
    first = visit.send(Bare(Opcode.REPORT), 5)
    assert first.code is R.DONE
    receipt, detail = notice(visit, encode_command(5, Bare(Opcode.HOLD)))
    assert (receipt.code, receipt.opcode, detail) == (R.STALE_COUNTER, Opcode.HOLD, 5)


def test_2_counters_come_before_everything(visit: Visit) -> None:
    visit.send(Bare(Opcode.REPORT), 9)
    for opcode, payload in ((0x77, b""), (Opcode.ACKNOWLEDGE, b""), (Opcode.START_PHASE, b"\1"), (Opcode.REKEY, b"")):
        assert notice(visit, plain(opcode, 0, payload))[0].code is R.MALFORMED
        receipt, detail = notice(visit, plain(opcode, 8, payload))
        assert (receipt.code, receipt.opcode, receipt.counter, detail) == (R.STALE_COUNTER, opcode, 8, 9)
        receipt, detail = notice(visit, plain(opcode, 9 + 257, payload))
        assert (receipt.code, detail) == (R.OUTSIDE_LIMITS, 9)
    assert visit.brain.desk.counter == 9
    assert visit.send(Bare(Opcode.REPORT), 9 + 256).code is R.DONE


@pytest.mark.parametrize(
    ("opcode", "payload", "code"),
    [
        (0x00, b"", R.UNKNOWN_OPCODE),
        (0x30, b"", R.UNKNOWN_OPCODE),
        (0xF0, b"whatever", R.UNKNOWN_OPCODE),
        (0xFF, b"", R.UNKNOWN_OPCODE),
        (Opcode.ACKNOWLEDGE, b"\0\0\0", R.MALFORMED),
        (Opcode.FETCH, b"\0\0\0\0\1", R.MALFORMED),
        (Opcode.TIME, bytes(7), R.MALFORMED),
        (Opcode.JOURNAL, bytes(5), R.MALFORMED),
        (Opcode.START_PHASE, b"", R.MALFORMED),
        (Opcode.START_PHASE, b"\5\0four", R.MALFORMED),
        (Opcode.SET_ENVELOPE, b"\1\0x", R.MALFORMED),
        (Opcode.SET_ENVELOPE, b"\1\0x\xa0", R.MALFORMED),
        (Opcode.SET_ENVELOPE, b"\1\0x" + encode_envelope(ENVELOPE) + b"\0", R.MALFORMED),
        (Opcode.ENROL, b"\1\0x", R.MALFORMED),
        (Opcode.CLINICIAN, b"\0\0", R.MALFORMED),
    ],
)
def test_3_what_cannot_be_read_leaves_the_counter_alone(
    visit: Visit, opcode: int, payload: bytes, code: ReceiptCode
) -> None:
    assert notice(visit, plain(opcode, 1, payload))[0].code is code
    assert visit.brain.desk.counter == 0
    assert visit.send(Bare(Opcode.REPORT), 1).code is R.DONE


def test_4_a_hub_that_belongs_to_nobody_does_only_what_harms_nobody(practice: Practice) -> None:
    visit = Visit(new_hub(), practice, trust=MAKER).shake_hands()
    allowed = (
        Bare(Opcode.START_STREAM),
        Bare(Opcode.STOP_STREAM),
        Bare(Opcode.REPORT),
        Bare(Opcode.ATTEST),
        Tell(NOW_S * 1_000_000),
        Ask(Opcode.JOURNAL, 0, 64),
        Ask(Opcode.SUMMARIES, 0, 16),
        Ask(Opcode.EVENTS, 0, 64),
    )
    assert [visit.send(command).code for command in allowed] == [R.DONE] * len(allowed)
    assert visit.send(Acknowledge(0)).code is R.OUTSIDE_LIMITS
    assert visit.send(Ask(Opcode.FETCH, 0, 1)).code is R.NOT_STORED
    refused = (
        Bare(Opcode.HOLD),
        Bare(Opcode.RENEW_LEASE),
        Bare(Opcode.REKEY),
        Revoke(practice.revoke(b"somebody")),
        Introduce(practice.clinician.certificate.raw),
        Signed(Opcode.START_PHASE, b"x"),
        Signed(Opcode.RESUME, b"x"),
        Signed(Opcode.END_PHASE, b"x"),
        Signed(Opcode.CLEAR, b"x"),
        Signed(Opcode.SET_ENVELOPE, b"x", encode_envelope(ENVELOPE)),
    )
    for command in refused:
        counter = visit.next_counter
        assert visit.send(command).code is R.REFUSED
        assert visit.brain.desk.counter == counter, "accepted, whatever became of it"
    assert visit.stop().code is R.ALREADY


def test_stop_is_answered_in_every_state(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).begin()
    receipt = visit.stop()
    assert (receipt.opcode, receipt.counter, receipt.code, receipt.therapy) == (0, 0, R.DONE, TherapyState.HELD)
    assert visit.stop().code is R.ALREADY
    assert visit.side.statuses[-1].status.therapy is TherapyState.HELD


def test_what_is_not_stop_is_not_taken_for_it(visit: Visit) -> None:
    for plaintext in (b"", b"STO", b"stop"):
        with pytest.raises(FrameError):
            visit.write(ToHub.STOP, plaintext)
    visit.write(ToHub.STOP, b"STOP and what a later version says")
    assert len(visit.side.receipts) == 1


def test_a_query_tells_never_arrived_from_forgotten(visit: Visit) -> None:
    for counter in range(1, 41):
        visit.send(Bare(Opcode.REPORT), counter)
    for counter in (2, 41):
        found = verify_receipt(visit.query(counter), visit.side.hub).notice
        assert (found.receipt.opcode, found.receipt.code) == (OPCODE_NO_RECEIPT, R.NOT_STORED)
        assert (found.receipt.counter, found.detail) == (counter, 40)
    with pytest.raises(FrameError):
        visit.write(ToHub.QUERY, b"\1\0\0")


def test_receipts_of_what_matters_outlive_the_chatter(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).begin()
    started = brain.desk.counter
    visit.send(Bare(Opcode.HOLD))
    held = brain.desk.counter
    for _ in range(60):
        visit.send(Bare(Opcode.REPORT))
    for counter, opcode in ((started, Opcode.START_PHASE), (held, Opcode.HOLD)):
        assert verify_receipt(visit.query(counter), visit.side.hub).notice.receipt.opcode == opcode


def test_a_report_brings_a_status_and_a_change_does_too(visit: Visit) -> None:
    visit.side.statuses.clear()
    visit.send(Acknowledge(0))
    assert not visit.side.statuses
    visit.send(Bare(Opcode.REPORT))
    assert len(visit.side.statuses) == 1


def test_a_fetch_gives_the_stored_bytes_and_an_end(visit: Visit) -> None:
    made = [frame for _ in range(20) for frame in visit.brain.tick()]
    found = visit.notice(Ask(Opcode.FETCH, 3, 10))
    assert (found.notice.receipt.code, found.notice.detail) == (R.DONE, 10)
    assert visit.send(Ask(Opcode.FETCH, 0, 1)).code is R.BUSY
    while (out := visit.link.history()) is not None:
        visit.carry([out])
    sent = visit.side.frames[FromHub.HISTORY]
    assert sent[:-1] == made[3:13]
    counter = found.notice.receipt.counter
    assert decode_frame(sent[-1], Provenance.BACKFILLED) == FetchEnd(counter, 10, 0, len(made))
    assert visit.send(Ask(Opcode.FETCH, 0, 1)).code is R.DONE


def test_what_is_acknowledged_is_forgotten_and_nothing_above(visit: Visit) -> None:
    for _ in range(20):
        visit.brain.tick()
    assert visit.send(Acknowledge(19)).code is R.DONE
    gone = visit.notice(Ask(Opcode.FETCH, 3, 10)).notice
    assert (gone.receipt.code, gone.detail) == (R.NOT_STORED, 20)
    assert visit.notice(Ask(Opcode.FETCH, 15, 10)).notice.detail == 5
    assert visit.send(Acknowledge(10_000)).code is R.OUTSIDE_LIMITS
    assert visit.brain.memory.oldest == 20


@pytest.mark.parametrize(
    ("opcode", "most"), [(Opcode.FETCH, 256), (Opcode.JOURNAL, 64), (Opcode.EVENTS, 64), (Opcode.SUMMARIES, 16)]
)
def test_nobody_asks_for_too_much(visit: Visit, opcode: Opcode, most: int) -> None:
    visit.brain.tick()
    for count in (0, most + 1):
        assert visit.send(Ask(opcode, 0, count)).code is R.OUTSIDE_LIMITS
    assert visit.send(Ask(opcode, 0, most)).code is R.DONE


def test_a_stream_begins_at_the_next_frame(visit: Visit) -> None:
    made = visit.brain.tick()
    found = visit.notice(Bare(Opcode.START_STREAM)).notice
    assert (found.receipt.code, found.detail) == (R.DONE, len(made))
    visit.passes(0.5, renewing=False)
    assert visit.side.frames[FromHub.TELEMETRY] == visit.brain.memory.fetch(len(made), 1000)
    assert visit.send(Bare(Opcode.START_STREAM)).code is R.ALREADY
    assert visit.send(Bare(Opcode.STOP_STREAM)).code is R.DONE
    before = len(visit.side.frames[FromHub.TELEMETRY])
    visit.passes(0.5, renewing=False)
    assert len(visit.side.frames[FromHub.TELEMETRY]) == before


def test_time_labels_the_boot_and_days_to_come(visit: Visit) -> None:
    for _ in range(40):
        visit.brain.tick()
    assert visit.send(Ask(Opcode.SUMMARIES, NOW_S // 86_400, 1)).code is R.DONE
    assert decode_summaries(visit.side.documents[-1][1]) == []
    assert visit.send(Tell(NOW_S * 1_000_000)).code is R.DONE
    assert visit.send(Ask(Opcode.SUMMARIES, NOW_S // 86_400, 1)).code is R.DONE
    (day,) = decode_summaries(visit.side.documents[-1][1])
    assert (day.day, day.worn_s) == (NOW_S // 86_400, 2)
    visit.leave()
    again = Visit(visit.brain, visit.side.practice).shake_hands()
    assert again.side.card().boots[-1].began_us == NOW_S * 1_000_000 - 2_000_000


@pytest.mark.parametrize("utc_us", [0, 1_000_000, 2**64 - 1, (2**32 + 1) * 1_000_000])
def test_a_time_that_cannot_be_is_refused(visit: Visit, utc_us: int) -> None:
    for _ in range(40):
        visit.brain.tick()
    assert visit.send(Tell(utc_us)).code is R.OUTSIDE_LIMITS


def test_documents_follow_their_receipts_and_may_be_empty(visit: Visit) -> None:
    visit.brain.wear.note(EventKind.CLENCH, 300)
    for first, count, length in ((0, 64, visit.brain.logbook.next), (1, 1, 1), (10_000, 5, 0)):
        assert visit.send(Ask(Opcode.JOURNAL, first, count)).code is R.DONE
        kind, body = visit.side.documents[-1]
        assert kind == DocumentKind.JOURNAL
        assert decode_journal(body)[0] == first
        assert len(decode_journal(body)[1]) == length
    for first, kinds in ((0, [EventKind.CLENCH]), (7, [])):
        assert visit.send(Ask(Opcode.EVENTS, first, 5)).code is R.DONE
        assert [event.kind for event in decode_events(visit.side.documents[-1][1])] == kinds

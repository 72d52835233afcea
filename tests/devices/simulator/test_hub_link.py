"""One link to a hub, value by value: who gets a session, what a record must be, when the hub hangs up."""

import pytest

from core.model.hub import Opcode, ReceiptCode
from devices.hub.commands import Bare, encode_command
from devices.hub.session.errors import RecordRefused, SegmentRefused
from devices.hub.session.journal import decode_entry
from devices.hub.session.segments import split
from devices.hub.session.wire import JOURNAL_KEPT, JournalEvent, Refusal, ToHub
from devices.simulator.brain import Brain
from devices.simulator.link import HubLink, NoSession
from tests.devices.simulator.visit import Practice, Visit, new_hub


@pytest.fixture
def practice() -> Practice:
    return Practice()


@pytest.fixture
def brain(practice: Practice) -> Brain:
    hub = new_hub()
    practice.enrol(hub)
    return hub


def refusals(brain: Brain) -> list[tuple[int, int]]:
    """Reasons that the journal tells, and how many they were by then."""
    entries = [decode_entry(raw) for raw in brain.logbook.read(0, 100)]
    return [(entry.code, entry.counter) for entry in entries if entry.opcode == JournalEvent.SESSION_REFUSED]


@pytest.mark.parametrize("mtu", [23, 185, 246])
def test_a_narrow_link_gets_no_session_and_hears_why(brain: Brain, practice: Practice, mtu: int) -> None:
    visit = Visit(brain, practice, mtu=mtu).shake_hands()
    assert visit.side.refusal == (Refusal.MTU, mtu)
    assert visit.side.session is None
    assert refusals(brain) == [(Refusal.MTU, 1)]


def test_a_link_that_widens_may_try_again(brain: Brain, practice: Practice) -> None:
    narrow = Visit(brain, practice, mtu=100)
    for _ in range(5):
        narrow.shake_hands()
    assert not narrow.link.drop, "no attempt was made"
    assert refusals(brain) == [(Refusal.MTU, 1), (Refusal.MTU, 2), (Refusal.MTU, 4)], "the others are told later"
    wide = Visit(brain, practice)
    wide.link = narrow.link
    wide.link.mtu = 247
    assert wide.shake_hands().side.session
    assert refusals(brain)[3:] == [(Refusal.MTU, 5)], "how many they were, before what comes next"


def test_without_a_session_nothing_is_taken(brain: Brain, practice: Practice) -> None:
    other = Visit(brain, practice).shake_hands()
    records = [other.side.up.sealer.seal(stream, b"STOP") for stream in ToHub]
    other.leave()
    link = HubLink(brain, other.clock)
    link.mtu = 247
    for stream, record in zip(ToHub, records, strict=True):
        with pytest.raises(NoSession):
            link.write(stream, record)
        with pytest.raises(NoSession):
            link.write(stream, b"STOP")


def test_records_of_another_session_stream_or_time_are_refused(brain: Brain, practice: Practice) -> None:
    former = Visit(brain, practice).shake_hands()
    old = former.side.control(encode_command(1, Bare(Opcode.REPORT)))[0]
    former.leave()
    visit = Visit(brain, practice).shake_hands()
    good = visit.side.control(encode_command(1, Bare(Opcode.REPORT)))[0]
    flipped = bytes((*good[:-1], good[-1] ^ 1))
    for record in (b"", old, good[:-1], good + b"\0", flipped):
        with pytest.raises(RecordRefused):
            visit.link.write(ToHub.CONTROL, record)
    for stream in (ToHub.STOP, ToHub.QUERY):
        with pytest.raises(RecordRefused):
            visit.link.write(stream, good)
    assert brain.desk.counter == 0
    visit.carry(visit.link.write(ToHub.CONTROL, good))
    assert brain.desk.counter == 1
    with pytest.raises(RecordRefused):
        visit.link.write(ToHub.CONTROL, good)


def test_after_32_refused_records_the_hub_hangs_up(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).begin()
    for n in range(32):
        assert not visit.link.drop, n
        with pytest.raises(RecordRefused):
            visit.link.write(ToHub.STOP, b"\x81 rubbish" + bytes(30))
    assert visit.link.drop
    with pytest.raises(NoSession):
        visit.stop()
    assert visit.link.telemetry([b"frame"]) == visit.link.status() == []
    assert visit.link.history() is None


def test_segments_out_of_place_are_refused_and_gathered_ones_dropped(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).shake_hands()
    message = encode_command(1, Bare(Opcode.REPORT)) + bytes(500)
    first, second, third = (visit.side.up.sealer.seal(ToHub.CONTROL, part) for part in split(message, 222))
    assert visit.link.write(ToHub.CONTROL, first) == []
    with pytest.raises(SegmentRefused):
        visit.link.write(ToHub.CONTROL, third)
    with pytest.raises(RecordRefused):
        visit.link.write(ToHub.CONTROL, second)
    assert visit.send(Bare(Opcode.REPORT), 1).code is ReceiptCode.DONE


def test_too_many_attempts_end_the_link(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice)
    for _ in range(4):
        assert not visit.link.drop
        visit.carry(visit.link.shake_hands(b"\x41rubbish"))
    assert visit.link.drop
    assert visit.side.refusal == (Refusal.TOO_MANY, 0)
    assert refusals(brain) == [(Refusal.MALFORMED, 1), (Refusal.MALFORMED, 2), (Refusal.TOO_MANY, 4)]


def test_a_stranger_fills_no_journal(brain: Brain, practice: Practice) -> None:
    """However often he comes; what the hub did before is still there, and how often is told."""
    Visit(brain, practice).begin().leave()
    before, kept = brain.logbook.next, brain.logbook.read(0, 100)
    for _ in range(JOURNAL_KEPT):
        stranger = Visit(brain, practice)
        for _ in range(3):
            stranger.carry(stranger.link.shake_hands(b"\x41rubbish"))
        stranger.leave()
    assert brain.logbook.next - before < 20
    assert brain.logbook.read(0, 100)[: len(kept)] == kept
    brain.reboot()
    last = [decode_entry(raw).opcode for raw in brain.logbook.read(brain.logbook.next - 2, 2)]
    assert last == [JournalEvent.BOOKKEEPING, JournalEvent.BOOT], "no counter of a command was taken for told by it"
    visit = Visit(brain, practice).shake_hands()
    assert visit.side.session, "who has a key is let in all the same"
    assert max(count for _, count in refusals(brain)) >= 3 * JOURNAL_KEPT // 2


def test_how_many_were_refused_is_told_before_the_next_entry(brain: Brain, practice: Practice) -> None:
    link = Visit(brain, practice, mtu=100)
    for _ in range(7):
        link.shake_hands()
    Visit(brain, practice).shake_hands().leave()
    for _ in range(3):
        link.shake_hands()
    Visit(brain, practice).shake_hands()
    assert [count for _, count in refusals(brain)] == [1, 2, 4, 7, 1, 2, 3]


def test_a_second_handshake_in_a_session_is_busy(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).shake_hands()
    visit.carry(visit.link.shake_hands(visit.side.begin()[0]))
    assert visit.side.refusal == (Refusal.BUSY, 0)
    assert visit.send(Bare(Opcode.REPORT)).code is ReceiptCode.DONE


def test_who_does_not_shake_hands_in_time_is_overdue(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice)
    seen = []
    for seconds in (29.9, 0.2):
        visit.clock.advance(seconds)
        seen.append(visit.link.overdue)
    visit.shake_hands()
    seen.append(visit.link.overdue)
    visit.leave()
    assert [*seen, visit.link.overdue] == [False, True, False, True]


def test_a_session_whose_keys_are_used_up_ends(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).shake_hands()
    for _ in range(255):
        visit.clock.advance(3600)
        visit.carry(visit.link.status())
    assert len(visit.side.statuses) == 256
    visit.clock.advance(3600)
    visit.carry(visit.link.status())
    assert len(visit.side.statuses) == 256
    assert visit.link.drop

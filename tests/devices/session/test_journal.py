"""The hub's journal: every tampering shows."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.hub.session.errors import JournalBroken
from devices.hub.session.journal import (
    NOTHING,
    JournalHead,
    Sent,
    append,
    compare,
    decode_entry,
    encode_entry,
    verify_chain,
)
from devices.hub.session.wire import JournalEvent
from tests.devices.session.parties import CLINICIAN, WORKSTATION

START = JournalHead()
MESSAGES = [b"start", b"hold", b"resume", b"end"]


def journal(
    messages: list[bytes] = MESSAGES, head: JournalHead = START, *, session: bytes = b"", boot: int = 1
) -> list[bytes]:
    """A session begun, then a command for each message."""
    raw, head = append(
        head, boot=boot, hub_time_us=0, opcode=JournalEvent.SESSION_BEGUN, signer=session or WORKSTATION.kid
    )
    raws = [raw]
    for number, message in enumerate(messages, 1):
        raw, head = append(
            head,
            boot=boot,
            hub_time_us=number,
            opcode=0x10,
            counter=number,
            signer=CLINICIAN.kid,
            code=0,
            message=message,
        )
        raws.append(raw)
    return raws


def sent(messages: list[bytes], code: int | None = 0) -> list[Sent]:
    return [Sent(hashlib.sha256(message).digest(), code) for message in messages]


def test_a_journal_is_followed_from_its_first_entry() -> None:
    entries, head = verify_chain(journal(), START)
    assert [entry.number for entry in entries] == [0, 1, 2, 3, 4]
    assert entries[0].previous == NOTHING
    assert head.number == 5
    assert entries[1].message == hashlib.sha256(b"start").digest()


def test_a_later_part_is_followed_from_what_is_known() -> None:
    raws = journal()
    _, known = verify_chain(raws[:2], START)
    entries, head = verify_chain(raws[2:], known)
    assert (len(entries), head.number) == (3, 5)
    assert verify_chain(raws[2:], None)[1] == head


def test_a_journal_that_was_rewritten_does_not_follow_what_is_known() -> None:
    _, known = verify_chain(journal()[:3], START)
    rewritten = journal([b"start", b"another", b"resume", b"end"])
    with pytest.raises(JournalBroken, match="does not follow"):
        verify_chain(rewritten[3:], known)


@given(st.data())
def test_no_byte_can_be_altered(data: st.DataObject) -> None:
    raws = journal()
    at = data.draw(st.integers(0, len(raws) - 2))
    byte = data.draw(st.integers(0, len(raws[at]) - 1))
    bit = data.draw(st.integers(0, 7))
    raws[at] = raws[at][:byte] + bytes((raws[at][byte] ^ 1 << bit,)) + raws[at][byte + 1 :]
    with pytest.raises(JournalBroken):
        verify_chain(raws, START)


@pytest.mark.parametrize("at", range(4))
def test_no_entry_can_be_left_out_doubled_or_moved(at: int) -> None:
    raws = journal()
    for changed in (
        raws[:at] + raws[at + 1 :],
        raws[: at + 1] + raws[at:],
        [*raws[:at], raws[at + 1], raws[at], *raws[at + 2 :]],
    ):
        with pytest.raises(JournalBroken):
            verify_chain(changed, START)


def test_a_hub_that_leaves_out_a_number_is_found() -> None:
    raws = journal(MESSAGES[:2])
    _, head = verify_chain(raws, START)
    skipped, _ = append(JournalHead(head.number + 1, head.hash), boot=1, hub_time_us=9, opcode=JournalEvent.BOOT)
    with pytest.raises(JournalBroken, match="entry 4 stands where 3 should"):
        verify_chain([*raws, skipped], START)


def test_time_never_runs_back_but_a_boot_begins_it_anew() -> None:
    first, head = append(JournalHead(), boot=1, hub_time_us=10, opcode=JournalEvent.BOOT)
    booted, _ = append(head, boot=2, hub_time_us=0, opcode=JournalEvent.BOOT)
    verify_chain([first, booted], START)
    back, _ = append(head, boot=1, hub_time_us=9, opcode=JournalEvent.BOOT)
    with pytest.raises(JournalBroken, match="older"):
        verify_chain([first, back], START)


def test_the_first_entry_follows_nothing() -> None:
    raw, _ = append(JournalHead(0, b"\1" * 32), boot=1, hub_time_us=0, opcode=JournalEvent.BOOT)
    with pytest.raises(JournalBroken):
        verify_chain([raw], None)


def test_hub_and_workstation_agree() -> None:
    entries, _ = verify_chain(journal(), START)
    assert compare(sent(MESSAGES), entries).agrees
    assert compare(sent(MESSAGES, None), entries).agrees


def test_a_command_that_this_workstation_never_sent_is_found() -> None:
    entries, _ = verify_chain(journal(), START)
    comparison = compare(sent(MESSAGES[:3]), entries)
    assert [entry.counter for entry in comparison.unknown] == [4]
    assert not comparison.agrees


def test_a_command_that_the_hub_says_nothing_of_is_found() -> None:
    entries, _ = verify_chain(journal(MESSAGES[:3]), START)
    assert compare(sent(MESSAGES), entries).missing == tuple(sent(MESSAGES[3:]))
    assert compare(sent(MESSAGES, None), entries).agrees


def test_another_answer_than_the_one_that_came_is_found() -> None:
    entries, _ = verify_chain(journal(), START)
    assert len(compare(sent(MESSAGES, 0x12), entries).different) == 4


def test_a_stop_is_the_same_message_each_time() -> None:
    first, head = append(JournalHead(), boot=1, hub_time_us=1, opcode=JournalEvent.STOP, message=b"STOP")
    second, _ = append(head, boot=1, hub_time_us=2, opcode=JournalEvent.STOP, code=1, message=b"STOP")
    entries, _ = verify_chain([first, second], START)
    assert compare(sent([b"STOP"]) + sent([b"STOP"], 1), entries).agrees
    assert compare(sent([b"STOP"]), entries).different


def test_sessions_of_other_workstations_are_left_out() -> None:
    raws = journal(MESSAGES[:2])
    _, head = verify_chain(raws, START)
    entries, _ = verify_chain(raws + journal(MESSAGES[2:], head, session=b"\7" * 8, boot=2), START)
    found = compare(sent(MESSAGES[:2]), entries, workstation=WORKSTATION.kid)
    assert found.agrees
    assert found.others == ((b"\7" * 8, 2),), "but counted"
    assert len(compare(sent(MESSAGES[:2]), entries).unknown) == 2


@given(st.binary(max_size=200))
def test_garbage_is_refused_in_a_typed_way(garbage: bytes) -> None:
    with pytest.raises(JournalBroken):
        verify_chain([garbage], None)


def test_an_entry_out_of_range_is_not_written() -> None:
    entry = decode_entry(journal()[0])
    assert decode_entry(encode_entry(entry)) == entry
    with pytest.raises(JournalBroken):
        append(JournalHead(), boot=2**32, hub_time_us=0, opcode=0)

"""What a hub's journal tells beside commands is told in the audit log, and to people where they have to know."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.engine.hub_journal import Told, told
from core.model.hub import HoldCause
from core.model.words import Text, load_words
from core.record import RecordReader
from devices.hub.session.identity import HubCard
from devices.hub.session.journal import JournalEntry, JournalHead, append, decode_entry
from devices.hub.session.wire import JournalEvent, Refusal
from tests.app.engine.hub_link_rig import KEY, Rig

WHEN = {"boot": 3, "hub_time_us": 9_000_000}


def chain(*events: tuple[int, int, int]) -> list[JournalEntry]:
    head, entries = JournalHead(), []
    for opcode, counter, code in events:
        raw, head = append(head, boot=3, hub_time_us=9_000_000, opcode=opcode, counter=counter, code=code)
        entries.append(decode_entry(raw))
    return entries


EVENTS = chain(
    (JournalEvent.BOOT, 0, 0),
    (JournalEvent.SESSION_REFUSED, 4, Refusal.CERTIFICATE),
    (JournalEvent.SESSION_REFUSED, 0, 77),
    (JournalEvent.HELD, 0, HoldCause.LEASE),
    (JournalEvent.HELD, 0, 99),
    (JournalEvent.OPENED, 0, 0),
    (0xF9, 0, 0),
    (JournalEvent.BOOKKEEPING, 7, 0),
)


def test_each_event_has_its_own_word_and_one_to_come_is_passed_over() -> None:
    assert told(EVENTS) == [
        Told("hub.refused_sessions", {"entry": 1, **WHEN, "reason": "CERTIFICATE", "so_far": 4}),
        Told("hub.refused_sessions", {"entry": 2, **WHEN, "reason": "77", "so_far": 1}),
        Told("hub.held_by_itself", {"entry": 3, **WHEN, "cause": "LEASE"}),
        Told("hub.held_by_itself", {"entry": 4, **WHEN, "cause": "99"}),
        Told("hub.opened_by_hand", {"entry": 5, **WHEN}),
    ]


class Hearing:
    """An owner that hears what is said."""

    def __init__(self) -> None:
        self.said: list[Text] = []

    def hub_said(self, text: Text) -> None:
        self.said.append(text)

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


@pytest.mark.parametrize("known", [True, False])
async def test_what_happened_since_the_last_visit_is_audited_and_a_hub_seen_first_has_no_past(
    tmp_path: Path, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, owner = Rig(tmp_path / "chair.smile"), Hearing()
    rig.link._owner = owner
    monkeypatch.setattr(rig.memory, "workstation", _Station(), raising=False)
    if known:
        rig.link._remember(journal=JournalHead())
    assert rig.link.identity is not None
    rig.link._card = HubCard(
        identity=rig.link.identity,
        flags=0,
        irk=bytes(16),
        revocations=0,
        next_entry=len(EVENTS),
        next_event=0,
        boots=(),
    )
    rig.recorder.start()
    rig.link.journal_arrived(EVENTS, JournalHead(len(EVENTS), bytes(32)))
    await rig.written()
    await asyncio.to_thread(rig.recorder.close)
    with RecordReader.open(rig.path, KEY) as reader:
        audit = b"".join(found.entry for found in reader.audit_entries())
    counts = [audit.count(kind) for kind in (b"hub.held_by_itself", b"hub.refused_sessions", b"hub.opened_by_hand")]
    assert counts == ([2, 2, 1] if known else [0, 0, 0])
    assert owner.said == ([Text("log.hub.opened_by_hand", {"serial": "SH-1"})] if known else [])
    assert all(load_words().tell(text) for text in owner.said)


class _Station:
    class certificate:
        kid = b"12345678"

"""What the record knows of orders: those sent are there before they go, those of other workstations are told."""

import asyncio
import hashlib
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.model import cbor
from core.model.hub import Opcode
from core.model.words import Text, load_words
from core.record import DiskFull, Record, RecordReader
from core.record.orders import OrderBook
from devices.hub.commands import SIGNED, WRITTEN_FIRST
from devices.hub.credentials import KnownHub
from devices.hub.listener import SentCommand
from devices.hub.session.journal import JournalHead, append, verify_chain
from devices.hub.session.wire import JournalEvent
from tests.app.engine.hub_link_rig import KEY, Rig

MINE, THEIRS = b"station1", b"station2"


def command(opcode: Opcode) -> SentCommand:
    digest = hashlib.sha256(opcode.name.encode()).digest()
    return SentCommand(opcode=opcode, counter=7, sha256=digest, signer=b"dr-kim..", session_id=bytes(16))


@pytest.fixture
async def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path / "r.sqlite")


def after_a_kill(rig: Rig, folder: Path) -> list[int]:
    """Opcodes of the orders that the next engine finds, if this one is killed now."""
    for part in ("", "-wal"):
        shutil.copy(f"{rig.path}{part}", folder / f"killed.sqlite{part}")
    record = Record.open(folder / "killed.sqlite", KEY, clock=rig.clock)
    try:
        return [one.opcode for one in record.orders.untold("SH-1", rig.clock.utc_us() + 1)]
    finally:
        record.close()


async def test_an_engine_killed_as_it_sends_remembers_the_order(rig: Rig, tmp_path: Path) -> None:
    rig.recorder.start()
    for opcode in sorted(WRITTEN_FIRST):
        await rig.link.command_due(command(opcode))
    assert after_a_kill(rig, tmp_path) == sorted(WRITTEN_FIRST)
    for opcode in sorted(WRITTEN_FIRST):
        rig.link.command_sent(command(opcode))
    rig.link.command_sent(command(Opcode.HOLD))
    rig.link.command_sent(command(Opcode.RENEW_LEASE))
    await rig.written()
    assert after_a_kill(rig, tmp_path) == [*sorted(WRITTEN_FIRST), Opcode.HOLD], "each once, and a hold afterwards"
    assert SIGNED < WRITTEN_FIRST
    await asyncio.to_thread(rig.recorder.close)


async def test_an_order_that_cannot_be_kept_is_told_and_not_tried_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.recorder.start()

    def full(*_: object) -> None:
        raise DiskFull("The disk is full.", "Make room.")

    with monkeypatch.context() as patch:
        patch.setattr(OrderBook, "sent", full)
        with pytest.raises(DiskFull):
            await rig.link.command_due(command(Opcode.START_PHASE))
    await asyncio.to_thread(rig.recorder.close)


async def test_the_log_says_how_many_orders_came_through_which_other_workstation(rig: Rig) -> None:
    said: list[Text] = []
    rig.link._owner = SimpleNamespace(hub_said=said.append, touched=lambda: None)
    names = {THEIRS: "Workstation 7KQ2MX"}
    rig.link._keys = SimpleNamespace(
        known=rig.memory.known,
        remember=rig.memory.remember,
        workstation=SimpleNamespace(certificate=SimpleNamespace(kid=MINE)),
        workstation_name=names.__getitem__,
    )
    rig.recorder.start()
    raws, head = [], JournalHead()
    for opcode, signer, word in (
        (JournalEvent.SESSION_BEGUN, THEIRS, b""),
        (Opcode.START_PHASE, b"dr-lee..", b"start"),
        (Opcode.HOLD, THEIRS, b"hold"),
        (JournalEvent.SESSION_BEGUN, MINE, b""),
    ):
        raw, head = append(head, boot=1, hub_time_us=head.number, opcode=opcode, signer=signer, message=word)
        raws.append(raw)
    entries, _ = verify_chain(raws, None)
    await rig.link._compare(entries, KnownHub("SH-1", journal=JournalHead()))
    assert rig.link.trust.journal is True, "it is no disagreement"
    (line,) = said
    assert load_words().tell(line) == (
        "The hub did 2 orders through Workstation 7KQ2MX: known there, not compared here"
    )
    await rig.written()
    await asyncio.to_thread(rig.recorder.close)
    with RecordReader.open(rig.path, KEY) as reader:
        bodies = [cbor.decode(one.entry) for one in reader.audit_entries()]
    found = [one["body"] for one in bodies if isinstance(one, dict) and one["kind"] == "hub.journal_others"]
    assert found == [{"hub": "SH-1", "workstation": THEIRS, "commands": 2}]

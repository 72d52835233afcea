"""What is held against a hub, and when it is proven."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.engine.clock import ManualAsyncClock
from app.engine.hub_trust import FORGET_SESSION_S, HubTrust
from app.engine.recorder import Recorder
from core.model.hub import Opcode
from core.model.hub_doubt import LASTING, HubDoubt
from core.model.procedure import Doubt
from core.model.words import load_words
from core.record import Record
from core.record.orders import SentOrder
from core.signals.catalogue import load_catalogue
from devices.hub.session.journal import Comparison, JournalEntry, JournalHead, append, verify_chain
from devices.hub.session.wire import JournalEvent

KEY = bytes(range(32))
STATION = b"station1"


class Bench:
    def __init__(self, path: Path) -> None:
        self.clock = ManualAsyncClock()
        record = Record.create(path, KEY, chair=1, simulated=True, clock=self.clock)
        self.recorder = Recorder(record, committed=lambda _: None, failed=lambda _: None)
        self.recorder.start()
        self.told: list[tuple[Doubt, str]] = []
        self.still: list[tuple[Doubt, str]] = []
        self.standing: list[HubDoubt] = []
        self.gone: list[Doubt] = []
        self.trust = HubTrust(
            load_catalogue(),
            recorder=self.recorder,
            clock=self.clock,
            doubted=lambda doubt, where, before: (self.still if before else self.told).append((doubt, where)),
            settled=self.gone.append,
            standing=lambda serial: [one for one in self.standing if one.serial == serial],
        )
        self.head = JournalHead()

    def proven(self) -> bool | None:
        return self.trust.proven

    async def sent(self, word: bytes, opcode: int, *, code: int | None = 0) -> bytes:
        message = hashlib.sha256(word).digest()

        def write(record: Record) -> None:
            record.orders.sent("hub", SentOrder(message, opcode, 1, b"", self.clock.utc_us()))
            if code is not None:
                record.orders.answered("hub", message[:16], code, b"receipt", self.clock.utc_us())

        await self.recorder.run(write)
        return word

    def entries(self, *told: tuple[int, bytes, int], signer: bytes = STATION) -> list[tuple[JournalEntry, bytes]]:
        """Journal entries of one session: opcode, message, code."""
        raws = []
        for opcode, word, code in ((int(JournalEvent.SESSION_BEGUN), b"", 0), *told):
            raw, self.head = append(
                self.head, boot=1, hub_time_us=self.head.number, opcode=opcode, signer=signer, code=code, message=word
            )
            raws.append(raw)
        found, _ = verify_chain(raws, None)
        return list(zip(found, raws, strict=True))

    async def read(self, entries: list[tuple[JournalEntry, bytes]], *, first: bool = False) -> bool:
        return (await self.compare(entries, first=first)).agrees

    async def compare(self, entries: list[tuple[JournalEntry, bytes]], *, first: bool = False) -> Comparison:
        began_us = self.clock.utc_us() + 1
        workstation = None if first else STATION
        return await self.trust.read_journal("hub", entries, began_us=began_us, workstation=workstation)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    one = Bench(tmp_path / "r.sqlite")
    yield one
    await asyncio.to_thread(one.recorder.close)


START = int(Opcode.START_PHASE)


async def test_a_hub_is_proven_when_firmware_and_journal_are_and_not_before(bench: Bench) -> None:
    trust = bench.trust
    assert trust.proven is None
    trust.firmware_found(True)
    assert trust.proven is None, "unknown is not proven"
    await bench.read(bench.entries(), first=True)
    assert bench.trust.proven is True
    trust.link_began("SH-1")
    assert bench.trust.proven is None


async def test_firmware_that_is_not_proven_makes_a_doubt_until_the_next_session(bench: Bench) -> None:
    bench.trust.firmware_found(False)
    assert bench.trust.proven is False
    assert bench.told == [(Doubt.FIRMWARE, "")]
    bench.trust.link_began("SH-1")
    assert bench.gone == [Doubt.FIRMWARE]


async def test_what_cannot_be_true_is_held_against_a_hub_until_it_is_lifted(bench: Bench) -> None:
    trust = bench.trust
    trust.link_began("SH-1")
    for doubt in sorted(LASTING):
        trust.doubt(doubt, "jaw_emg")
        bench.standing.append(HubDoubt(serial="SH-1", doubt=doubt, where="jaw_emg", chair=1, found_us=1))
    trust.link_began("SH-1")
    trust.firmware_found(True)
    await bench.read(bench.entries(), first=True)
    assert bench.proven() is False, "another session proves nothing"
    assert (bench.gone, bench.still) == ([], []), "and is no news"
    bench.standing.clear()
    for doubt in LASTING:
        trust.settle(doubt)
    assert bench.proven() is True
    assert set(bench.gone) == LASTING


async def test_another_hub_is_not_blamed_and_the_first_is_known_again(bench: Bench) -> None:
    trust = bench.trust
    trust.link_began("SH-1")
    trust.doubt(Doubt.DOSE, "swarm_energy")
    bench.standing.append(HubDoubt(serial="SH-1", doubt=Doubt.DOSE, where="swarm_energy", chair=1, found_us=1))
    trust.link_began("SH-2")
    trust.firmware_found(True)
    await bench.read(bench.entries(), first=True)
    assert bench.gone == [Doubt.DOSE]
    assert bench.proven() is True
    trust.link_began("SH-1")
    assert bench.proven() is False
    assert bench.still == [(Doubt.DOSE, "swarm_energy")]
    assert bench.told == [(Doubt.DOSE, "swarm_energy")], "it was found once"


async def test_a_journal_that_tells_what_was_sent_fits(bench: Bench) -> None:
    start = await bench.sent(b"start", START)
    stop = await bench.sent(b"hold", int(Opcode.HOLD), code=None)
    told = bench.entries((START, start, 0), (0, b"STOP", 0), (int(Opcode.HOLD), stop, 0), (0, b"STOP", 1))
    assert await bench.read(told)
    assert bench.trust.journal is True
    assert await bench.read([]), "nothing is left to be told of"


@pytest.mark.parametrize("kind", ["unknown", "missing", "different"])
async def test_a_journal_that_tells_otherwise_is_a_doubt_that_says_what(bench: Bench, kind: str) -> None:
    start = await bench.sent(b"start", START)
    told = {
        "unknown": ((START, start, 0), (START, b"not ours", 0)),
        "missing": (),
        "different": ((START, start, 0x23),),
    }[kind]
    assert not await bench.read(bench.entries(*told))
    assert bench.told == [(Doubt.JOURNAL, f"trust.journal.{kind}")]
    assert bench.told[0][1] in load_words()
    assert bench.trust.proven is not True


async def test_what_changes_nothing_for_the_patient_is_no_doubt_when_nobody_remembers_it(bench: Bench) -> None:
    assert await bench.read(bench.entries((int(Opcode.RENEW_LEASE), b"late", 0x15), (int(Opcode.HOLD), b"last", 0)))


async def test_what_another_workstation_sent_is_not_held_against_the_hub(bench: Bench) -> None:
    told = bench.entries((START, b"theirs", 0), (int(Opcode.HOLD), b"held", 0), signer=b"station2")
    mine = await bench.sent(b"start", START)
    told += bench.entries((START, mine, 0)) + bench.entries((START, b"more", 0), signer=b"station3")
    found = await bench.compare(told)
    assert found.agrees
    assert found.others == ((b"station2", 2), (b"station3", 1)), "but it is counted, by workstation"
    assert bench.told == []


async def test_a_broken_journal_is_a_doubt(bench: Bench) -> None:
    bench.trust.firmware_found(True)
    bench.trust.journal_broken()
    assert bench.trust.proven is False
    assert bench.told == [(Doubt.JOURNAL, "trust.journal.broken")]


async def test_a_disturbed_session_is_told_once_and_passes(bench: Bench) -> None:
    bench.trust.doubt(Doubt.SESSION)
    bench.trust.doubt(Doubt.SESSION)
    assert bench.told == [(Doubt.SESSION, "")]
    bench.clock.advance(FORGET_SESSION_S + 1)
    bench.trust.tick()
    assert bench.gone == [Doubt.SESSION]
    await bench.read(bench.entries(), first=True)
    bench.trust.firmware_found(True)
    bench.trust.doubt(Doubt.SESSION)
    assert bench.trust.proven is True, "what was refused did no harm"

"""Hubs that lie, were opened or are others: each does what it says, and can be found out by who looks."""

from typing import Literal

import numpy as np
import pytest

from core.model.block import Provenance
from core.model.certificate import read_unverified
from core.model.hub import Opcode, TherapyState
from devices.hub.commands import Ask, Bare
from devices.hub.frames import SampleFrame, decode_frame
from devices.hub.session.attestation import verify_attestation
from devices.hub.session.documents import decode_journal, octets
from devices.hub.session.errors import FirmwareRefused, JournalBroken, SignedRefused
from devices.hub.session.journal import JournalEntry, JournalHead, verify_chain
from devices.simulator import maker
from devices.simulator.brain import Brain
from devices.simulator.control import (
    CloneHub,
    Control,
    ForgeReceipts,
    RollBackFirmware,
    SpoofCalm,
    TamperFirmware,
    TamperJournal,
    Warm,
)
from devices.simulator.firmware import MODEL
from devices.simulator.mischief import mischief
from devices.simulator.session.edhoc import EdhocNotAuthentic
from tests.devices.simulator.visit import Practice, Visit, new_hub

TISSUE = 12


@pytest.fixture
def practice() -> Practice:
    return Practice()


@pytest.fixture
def brain(practice: Practice) -> Brain:
    hub = new_hub()
    practice.enrol(hub)
    return hub


def corrupt(brain: Brain, message: Control) -> None:
    wrong = mischief(message)
    assert wrong is not None
    brain.corrupt(wrong)


def attested(visit: Visit, least_version: int = 1) -> int:
    """Security version that the hub proves."""
    signer = read_unverified(maker.firmware_certificate())
    visit.send(Bare(Opcode.ATTEST))
    return verify_attestation(
        octets(visit.side.documents[-1][1]),
        visit.side.hub,
        {signer.kid: signer},
        session_id=visit.side.up.id,
        model=MODEL,
        least_version=least_version,
    ).security_version


def read(visit: Visit, after: JournalHead) -> tuple[list[JournalEntry], JournalHead]:
    visit.send(Ask(Opcode.JOURNAL, after.number, 64))
    return verify_chain(decode_journal(visit.side.documents[-1][1])[1], after)


@pytest.mark.parametrize("reboots", [False, True])
def test_a_tampered_firmware_is_not_what_was_signed(brain: Brain, practice: Practice, reboots: bool) -> None:
    visit = Visit(brain, practice).shake_hands()
    assert attested(visit) == 2
    corrupt(brain, TamperFirmware())
    if reboots:
        brain.reboot()
        visit = Visit(brain, practice).shake_hands()
    with pytest.raises(FirmwareRefused, match="not the firmware"):
        attested(visit)


def test_an_older_firmware_has_a_good_manifest_and_is_too_old(brain: Brain, practice: Practice) -> None:
    corrupt(brain, RollBackFirmware())
    visit = Visit(brain, practice).shake_hands()
    assert attested(visit) == 1
    with pytest.raises(FirmwareRefused, match="older"):
        attested(visit, least_version=2)


def test_a_clone_shows_the_certificate_and_cannot_prove_it(brain: Brain, practice: Practice) -> None:
    corrupt(brain, CloneHub())
    with pytest.raises(EdhocNotAuthentic):
        Visit(brain, practice).shake_hands()
    brain.behave()
    assert Visit(brain, practice).shake_hands().side.session


def test_calm_is_shown_again_while_therapy_runs_wild(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).begin()
    visit.send(Bare(Opcode.START_STREAM))
    corrupt(brain, SpoofCalm(seconds=2.0))
    visit.passes(2)
    brain.apply(Warm(kelvin=2.0))
    before = brain.memory.next_sequence
    visit.passes(15)
    shown: list[int] = []
    indexes: list[int] = []
    for raw in brain.memory.fetch(before, 9999):
        frame = decode_frame(raw, Provenance.LIVE)
        assert isinstance(frame, SampleFrame)
        for block in frame.blocks:
            if block.channel == TISSUE:
                shown += block.samples.tolist()
                indexes += range(block.first_index, block.end_index)
    assert indexes == list(range(20, 170)), "nothing is missing"
    assert shown == (shown[:20] * 8)[:150], "the same two seconds"
    assert np.ptp(shown) < 100
    assert brain.body.warmth.tissue * 100 > max(shown) + 50


@pytest.mark.parametrize("how", ["alter", "remove"])
def test_an_entry_altered_or_left_out_breaks_the_chain(
    brain: Brain, practice: Practice, how: Literal["alter", "remove"]
) -> None:
    visit = Visit(brain, practice).begin()
    _, known = read(visit, JournalHead())
    visit.send(Bare(Opcode.HOLD))
    visit.order(Opcode.CLEAR)
    corrupt(brain, TamperJournal(how=how))
    for _ in range(2):
        with pytest.raises(JournalBroken):
            read(visit, known)
        visit.leave()
        brain.reboot()
        visit = Visit(brain, practice).shake_hands()
    brain.behave()
    read(Visit(brain, practice).shake_hands(), known)


def test_a_journal_cut_short_is_whole_in_itself_and_does_not_follow_what_is_known(
    brain: Brain, practice: Practice
) -> None:
    visit = Visit(brain, practice).begin()
    visit.send(Bare(Opcode.HOLD))
    _, known = read(visit, JournalHead())
    corrupt(brain, TamperJournal(how="truncate"))
    visit.leave()
    visit = Visit(brain, practice).shake_hands()
    assert visit.side.card().next_entry < brain.parts.store.journal.next
    visit.introduce()
    visit.order(Opcode.CLEAR)
    read(visit, JournalHead())
    with pytest.raises(JournalBroken):
        read(visit, known)


def test_forged_receipts_are_not_the_hubs(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).begin()
    corrupt(brain, ForgeReceipts())
    with pytest.raises(SignedRefused):
        visit.stop()
    assert brain.therapy.state is TherapyState.HELD
    brain.behave()
    assert Visit(brain, practice).shake_hands().stop().opcode == 0

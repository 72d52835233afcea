"""What a hub does that lies, was opened or is another: one small class each, so that the honest hub stays readable.

Each acts on a running brain, and again after each boot.
"""

import hashlib
from collections import defaultdict
from dataclasses import replace
from typing import Final, Literal

import msgspec
import numpy as np

from core.model.block import SampleBlock, Samples
from core.model.certificate import Role, issue, read_unverified
from core.model.cose import KeySigner
from devices.hub.session.handshake import SessionKey
from devices.hub.session.journal import JournalEntry, decode_entry, encode_entry
from devices.hub.session.wire import JOURNAL_KEPT
from devices.simulator.brain import Brain, Mischief
from devices.simulator.control import (
    CloneHub,
    Control,
    ForgeReceipts,
    RollBackFirmware,
    SpoofCalm,
    TamperFirmware,
    TamperJournal,
)
from devices.simulator.firmware import released
from devices.simulator.logbook import Logbook
from devices.simulator.session.edhoc import KeyPair

OLD_VERSION: Final = "1.9.0"


class TamperedFirmware:
    """Something else runs than what the manifest vouches for, and the hub measures it honestly."""

    def corrupt(self, brain: Brain) -> None:
        firmware = brain.parts.firmware
        altered = bytes((firmware.measurement[0] ^ 1,)) + firmware.measurement[1:]
        brain.parts.firmware = msgspec.structs.replace(firmware, measurement=altered)


class RolledBackFirmware:
    """An older firmware with a manifest that was good in its day."""

    def corrupt(self, brain: Brain) -> None:
        brain.parts.firmware = released(brain.parts.firmware.measurement, version=OLD_VERSION, security_version=1)


class Clone:
    """Serial and certificate are the hub's, the keys are not: those cannot be read out."""

    def __init__(self) -> None:
        self._signer = KeySigner()
        self._agreement = KeyPair().private

    def corrupt(self, brain: Brain) -> None:
        brain.vault.signer = self._signer
        brain.vault.key = SessionKey(brain.vault.key.certificate, self._agreement)


class Impostor:
    """Another hub in its place: the serial is the hub's; certificate and keys are of its own making."""

    def __init__(self) -> None:
        self._signer = KeySigner()
        self._agreement = KeyPair()
        self._root = KeySigner()

    def corrupt(self, brain: Brain) -> None:
        true = brain.vault.key.certificate
        raw = issue(
            self._root,
            role=Role.HUB,
            subject=true.subject,
            not_before_s=true.not_before_s,
            not_after_s=true.not_after_s,
            signing_key=self._signer.public,
            agreement_x=self._agreement.x,
        )
        brain.vault.signer = self._signer
        brain.vault.key = SessionKey(read_unverified(raw), self._agreement.private)


class SpoofedCalm:
    """Samples recorded once are shown over and over, at the right times and under the right numbers."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._recorded: dict[int, list[Samples]] = defaultdict(list)
        self._at: dict[int, int] = defaultdict(int)

    def corrupt(self, brain: Brain) -> None:
        brain.tongues.append(self._lie)

    def _lie(self, blocks: list[SampleBlock]) -> list[SampleBlock]:
        return [self._replay(block) for block in blocks]

    def _replay(self, block: SampleBlock) -> SampleBlock:
        recorded = self._recorded[block.channel]
        if sum(map(len, recorded)) * block.period_us < self._seconds * 1e6:
            recorded.append(block.samples)
            return block
        stretch = np.concatenate(recorded)
        at = self._at[block.channel]
        self._at[block.channel] = at + len(block.samples)
        places = np.arange(at, at + len(block.samples)) % len(stretch)
        return replace(block, samples=stretch[places])


class TamperedJournal:
    """What is told of the journal is not what was written.

    Args:
        how: `alter` turns the code of an entry round; `remove` leaves it out; `truncate` cuts off all
            from it on, and chains what comes later to what is left, so that the journal is whole in itself.
        last: so many entries from the end is the one concerned.
    """

    def __init__(self, how: Literal["alter", "remove", "truncate"], last: int = 2) -> None:
        self._how = how
        self._last = last
        self._victim: int | None = None

    def corrupt(self, brain: Brain) -> None:
        parts = brain.parts
        parts.logbook.settle()
        cut_to = parts.logbook.next
        if self._victim is None:
            self._victim = max(0, cut_to - self._last)
        parts.logbook = _Doctored(brain, self._how, range(self._victim, cut_to))


class _Doctored(Logbook):
    """Writes the truth and tells something else. `victims`: numbers of the entries concerned."""

    def __init__(self, brain: Brain, how: str, victims: range) -> None:
        super().__init__(brain.parts.store, brain.parts.boot, lambda: brain.body.now_us)
        self._how = how
        self._victims = victims

    @property
    def next(self) -> int:
        return self.oldest + len(self._told())

    def read(self, first: int, count: int) -> list[bytes]:
        return self._told()[first - self.oldest :][:count]

    def _told(self) -> list[bytes]:
        entries = [decode_entry(raw) for raw in super().read(self.oldest, JOURNAL_KEPT)]
        first = self._victims.start
        if self._how == "alter":
            told = [msgspec.structs.replace(one, code=one.code ^ 1) if one.number == first else one for one in entries]
        elif self._how == "remove":
            told = [one for one in entries if one.number != first]
        else:
            told = _chained([one for one in entries if one.number not in self._victims])
        return [encode_entry(one) for one in told]


def _chained(entries: list[JournalEntry]) -> list[JournalEntry]:
    """As if they had been written one after another."""
    told = entries[:1]
    for entry in entries[1:]:
        before = told[-1]
        previous = hashlib.sha256(encode_entry(before)).digest()
        told.append(msgspec.structs.replace(entry, number=before.number + 1, previous=previous))
    return told


class ForgedReceipts:
    """Receipts name the hub's key and are signed with another; those that are kept are the hub's."""

    def __init__(self) -> None:
        self._forger = KeySigner()

    def corrupt(self, brain: Brain) -> None:
        brain.voice = self._forge

    def _forge(self, receipt: bytes) -> bytes:
        signature = self._forger.sign(receipt)
        return receipt[: -len(signature)] + signature


def mischief(message: Control) -> Mischief | None:
    """What a control message asks for, None when it asks for none."""
    match message:
        case TamperFirmware():
            return TamperedFirmware()
        case RollBackFirmware():
            return RolledBackFirmware()
        case CloneHub():
            return Clone()
        case SpoofCalm(seconds=seconds):
            return SpoofedCalm(seconds)
        case TamperJournal(how=how):
            return TamperedJournal(how)
        case ForgeReceipts():
            return ForgedReceipts()
        case _:
            return None

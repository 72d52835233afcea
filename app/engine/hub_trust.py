"""Whether one hub is as it should be: its firmware, its journal, and whether what it says can be true."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from app.engine.clock import AsyncClock
from app.engine.recorder import Recorder
from core.model.block import SampleBlock
from core.model.hub import Opcode
from core.model.hub_doubt import LASTING, HubDoubt
from core.model.procedure import Doubt
from core.record import Record
from core.record.orders import JournalRow, SentOrder
from core.safety.detectors import Detectors
from core.signals.catalogue import Catalogue
from devices.hub.commands import STOP_PLAINTEXT, WRITTEN_FIRST
from devices.hub.session.journal import Comparison, JournalEntry, Sent, compare

log = logging.getLogger(__name__)

FORGET_FROZEN_S: Final = 2.0
FORGET_SESSION_S: Final = 30.0
TREATS: Final = WRITTEN_FIRST
"""Opcodes that change what is done to a patient, or whom the hub believes: one that we never sent is an alarm.

What was sent stands in the record before it goes to the air, so a killed engine forgets none of these.
"""
TOLD: Final = TREATS | {Opcode.HOLD, Opcode.REVOKE, Opcode.CLINICIAN}
"""Opcodes of which a hub's journal has an entry each."""
_STOP: Final = Sent(hashlib.sha256(STOP_PLAINTEXT).digest(), None)
"""STOP has no counter and is sent again and again: however often the journal tells of it, that is no other order."""

Doubted = Callable[[Doubt, str, bool], None]


class HubTrust:
    """What is held against one hub.

    Args:
        doubted: told of each doubt when it begins, with a key or name that says where it showed, and whether it stood
            before this link.
        settled: told of each that has gone.
        standing: the lasting doubts about the hub with this serial number; nobody here lifts them.

    Attributes:
        firmware: whether what it runs is proven; None before it was asked.
        journal: whether its journal fits; None before it was read.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        recorder: Recorder,
        clock: AsyncClock,
        doubted: Doubted,
        settled: Callable[[Doubt], None],
        standing: Callable[[str], Iterable[HubDoubt]],
    ) -> None:
        self._recorder = recorder
        self._clock = clock
        self._doubted = doubted
        self._settled = settled
        self._standing = standing
        self._detectors = Detectors(catalogue)
        self._doubts: dict[Doubt, float] = {}
        self.firmware: bool | None = None
        self.journal: bool | None = None

    @property
    def proven(self) -> bool | None:
        """Whether therapy may be begun as far as the hub goes; None while that is not known."""
        if self._doubts.keys() - {Doubt.FROZEN, Doubt.SESSION}:
            return False
        if self.firmware is None or self.journal is None:
            return None
        return self.firmware and self.journal

    def link_began(self, serial: str) -> None:
        """A new session: what was proven has to be proven again, and what was seen of the last one is past.

        Lasting doubts stand, if this is the hub that they are about; another one is not blamed.
        """
        self.firmware = self.journal = None
        standing = {one.doubt: one.where for one in self._standing(serial)}
        for doubt in {*LASTING, Doubt.FROZEN, Doubt.FIRMWARE} - standing.keys():
            self.settle(doubt)
        for doubt, where in standing.items():
            if doubt not in self._doubts:
                self._begin(doubt, where, before=True)

    def firmware_found(self, proven: bool) -> None:
        self.firmware = proven
        if not proven:
            self.doubt(Doubt.FIRMWARE)

    def expect_dose(self, percent: float) -> None:
        """So much dose may flow now."""
        self._detectors.order(percent)

    def judge(self, blocks: Iterable[SampleBlock]) -> None:
        """Look at live samples."""
        for finding in self._detectors.feed(blocks):
            self.doubt(Doubt(finding.kind), finding.channel)

    def doubt(self, doubt: Doubt, where: str = "") -> None:
        """Something does not fit; told when it is new."""
        if doubt in self._doubts:
            self._doubts[doubt] = self._clock.monotonic()
        else:
            self._begin(doubt, where, before=False)

    def _begin(self, doubt: Doubt, where: str, *, before: bool) -> None:
        self._doubts[doubt] = self._clock.monotonic()
        log.warning("the hub is doubted%s: %s %s", " still" if before else "", doubt, where)
        self._doubted(doubt, where, before)

    def settle(self, doubt: Doubt) -> None:
        """It has gone, or was lifted."""
        if self._doubts.pop(doubt, None) is not None:
            self._settled(doubt)

    def tick(self) -> None:
        """Once a second: what is no longer seen has gone."""
        now = self._clock.monotonic()
        for doubt, patience in ((Doubt.FROZEN, FORGET_FROZEN_S), (Doubt.SESSION, FORGET_SESSION_S)):
            if doubt in self._doubts and now - self._doubts[doubt] > patience:
                self.settle(doubt)

    async def read_journal(
        self, source: str, entries: Sequence[tuple[JournalEntry, bytes]], *, began_us: int, workstation: bytes | None
    ) -> Comparison:
        """Hold new entries of the hub's journal against what was sent to it, and keep them.

        Args:
            entries: verified to follow what is known, each with its bytes.
            began_us: UTC µs at which this session began: what was sent since is told of the next time.
            workstation: our kid, so that what came from others is left out; None to compare nothing, the first time.

        Raises:
            RecordError
        """
        rows = [JournalRow(entry.number, entry.message, raw) for entry, raw in entries]

        def work(record: Record) -> list[SentOrder]:
            untold = record.orders.untold(source, began_us)
            record.orders.add_journal(source, rows)
            return untold

        untold = await self._recorder.run(work)
        if workstation is None:
            self._journal_fits(True)
            return Comparison()
        sent = [Sent(order.message, order.code) for order in untold]
        found = compare([*sent, _STOP], [entry for entry, _ in entries], workstation=workstation)
        # A hold that the engine sent as it was killed may stand nowhere here, and did no harm.
        found = msgspec.structs.replace(found, unknown=tuple(one for one in found.unknown if one.opcode in TREATS))
        self._journal_fits(found.agrees, _what(found))
        return found

    def journal_broken(self) -> None:
        """It does not follow what was known of it, or is not whole."""
        self._journal_fits(False, "trust.journal.broken")

    def _journal_fits(self, fits: bool, what: str = "") -> None:
        self.journal = fits
        if fits:
            self.settle(Doubt.JOURNAL)
        else:
            self.doubt(Doubt.JOURNAL, what)


def _what(found: Comparison) -> str:
    """Words key of what is wrong first."""
    if found.unknown:
        return "trust.journal.unknown"
    return "trust.journal.missing" if found.missing else "trust.journal.different"


def comparison_body(found: Comparison) -> dict[str, object]:
    """For the audit log."""
    return {
        "unknown": [msgspec.to_builtins(entry, builtin_types=(bytes,)) for entry in found.unknown],
        "missing": [order.message for order in found.missing],
        "different": [msgspec.to_builtins(entry, builtin_types=(bytes,)) for entry in found.different],
    }

"""Each frame once: what is wanted, what came, what is fetched, what may be forgotten. Outlives the link."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Final

import numpy as np

from core.model.block import SampleBlock
from core.model.errors import SmilescapeError
from core.model.words import Text
from core.signals.catalogue import load_catalogue
from devices.errors import LinkRefused
from devices.hub.acknowledger import Acknowledger
from devices.hub.backfill import Backfill
from devices.hub.commander import Commander
from devices.hub.errors import NotDurable
from devices.hub.frames import FetchEnd
from devices.hub.intake import Intake
from devices.hub.ledger import Ledger
from devices.hub.listener import HubListener
from devices.hub.session.keys import Session
from devices.hub.status import StatusReport

SETTLE_S: Final = 30.0


class Delivery:
    """The ledger of one hub, and while a session stands what works on it."""

    def __init__(self, commander: Commander, listener: HubListener) -> None:
        self._commander = commander
        self._listener = listener
        self._channels: Final = np.zeros(256, np.bool_)
        self._channels[[spec.number for spec in load_catalogue().from_source("hub")]] = True
        self._ledger: Ledger | None = None
        self._keys = b""
        self._missing = 0
        self._durable = asyncio.Event()
        self._made = 0
        """Frames that the hub says it has made; some of them may wait to be taken in."""
        self._intake: Intake | None = None
        self._backfill: Backfill | None = None
        self._acknowledger: Acknowledger | None = None
        self._refuse: Callable[[SmilescapeError, bytes], None] = listener.frame_refused

    async def begin(
        self, session: Session, boot: int, report: StatusReport, refuse: Callable[[SmilescapeError, bytes], None]
    ) -> Intake:
        """A session stands: where its frames go.

        Args:
            report: a status of this session.
            refuse: told of each record that is not used.

        Raises:
            LinkRefused: the hub counts its frames anew.
        """
        ledger = await self._open(session, report)
        self._refuse = refuse
        self._backfill = Backfill(ledger, self._commander, lost=self._lost, changed=self.count)
        self._acknowledger = Acknowledger(ledger, self._commander)
        self._made = ledger.next_sequence
        self._intake = Intake(session.opener, ledger, boot, self._channels, self, self._taken_in)
        return self._intake

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """What runs beside the stream until the link is lost; call it after `begin`."""
        assert self._backfill is not None
        assert self._acknowledger is not None
        self.count()
        self._acknowledger.look()
        return [self._backfill.run(), self._acknowledger.run()]

    def end(self) -> None:
        """The link is gone; the ledger stays."""
        self._intake = None
        self._backfill = None
        self._acknowledger = None

    def heard(self, report: StatusReport) -> None:
        """A status of this session."""
        if self._ledger is not None and self._backfill is not None:
            self._made = max(self._made, report.next_sequence)
            if self._intake is not None and self._intake.idle:
                self._taken_in()

    def _taken_in(self) -> None:
        """Nothing waits: what the hub made and we do not have is missing."""
        if self._ledger is not None:
            self._ledger.made(self._made)
            self.count()

    def committed(self, sequences: Iterable[int]) -> None:
        """These are durable."""
        if self._ledger is None:
            return
        if isinstance(sequences, range) and sequences.step == 1:
            self._ledger.commit(sequences.start, sequences.stop)
        else:
            for sequence in sequences:
                self._ledger.commit(sequence, sequence + 1)
        self._durable.set()
        if self._acknowledger is not None:
            self._acknowledger.look()

    async def settled(self) -> None:
        """Until everything that the hub has made up to now is durable, or lost.

        Raises:
            NotDurable: it is not so within SETTLE_S.
        """
        if self._ledger is None:
            return
        last = self._ledger.next_sequence - 1
        try:
            async with asyncio.timeout(SETTLE_S):
                while self._ledger.acknowledgeable < last:
                    self._durable.clear()
                    await self._durable.wait()
        except TimeoutError as error:
            raise NotDurable(last - self._ledger.acknowledgeable) from error

    def count(self) -> None:
        """What is missing may be another number."""
        if self._ledger is None:
            return
        missing = self._ledger.missing
        if missing and self._backfill is not None:
            self._backfill.look()
        if missing != self._missing:
            self._missing = missing
            self._listener.backfill_changed(missing)

    def blocks_arrived(self, blocks: Sequence[SampleBlock], sequences: Sequence[range]) -> None:
        if blocks:
            self._listener.blocks_arrived(blocks, sequences)
            return
        for numbers in sequences:
            # Nothing in it for anybody, so nobody will commit it.
            self.committed(numbers)

    def history_arrived(self, ends: Sequence[FetchEnd]) -> None:
        if self._backfill is not None:
            self._backfill.arrived(ends)

    def frame_refused(self, error: SmilescapeError, raw: bytes) -> None:
        self._refuse(error, raw)

    async def _open(self, session: Session, report: StatusReport) -> Ledger:
        """The ledger of the hub's keys; that of former keys is closed, since its memory went with them."""
        old, keys = self._ledger, session.peer.kid
        if old is not None and keys == self._keys:
            if report.next_sequence < old.next_sequence:
                raise _turned_back()
            old.made(report.next_sequence)
            return old
        if old is not None:
            for start, stop in old.lose(0, old.next_sequence):
                self._listener.frames_lost(start, stop - 1)
        resume = await self._listener.resume_point(session.hub_serial, keys)
        if resume is not None and resume >= report.next_sequence:
            raise _turned_back()
        self._keys = keys
        first = report.status.oldest_sequence if resume is None else resume + 1
        self._ledger = Ledger(first, report.next_sequence)
        return self._ledger

    def _lost(self, first: int, last: int) -> None:
        self._listener.frames_lost(first, last)
        self._durable.set()
        if self._acknowledger is not None:
            self._acknowledger.look()


def _turned_back() -> LinkRefused:
    return LinkRefused("The sequence went back.", reason=Text("hub.refused.turned_back"))

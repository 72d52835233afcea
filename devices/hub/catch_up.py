"""What a hub did and saw since the last visit: its journal, its events, its days. Read while signals come already."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from core.model.clock import Clock
from core.model.hub import Opcode, ReceiptCode
from core.model.strict_cbor import Value
from devices.hub.commander import Commander
from devices.hub.commands import Ask
from devices.hub.credentials import KnownHub
from devices.hub.documents import Documents
from devices.hub.errors import EventsTurnedBack
from devices.hub.listener import HubListener
from devices.hub.session.documents import decode_journal
from devices.hub.session.errors import JournalBroken
from devices.hub.session.identity import HubCard
from devices.hub.session.journal import JournalHead, verify_chain
from devices.hub.session.wear import decode_events, decode_summaries
from devices.hub.session.wire import DAYS_KEPT, EVENTS_KEPT, JOURNAL_KEPT, MAX_EVENTS, DocumentKind

ENTRIES_AT_ONCE: Final = 16
DAYS_AT_ONCE: Final = 8
"""A few records each, so that live frames hardly wait."""
_DAY_US: Final = 86_400_000_000


class CatchUp:
    """Runs once in a session.

    Args:
        card: how far the hub's journal and events go.
        known: what is remembered of the hub.
        learnt: told of it anew whenever there is more to remember.
    """

    def __init__(
        self,
        commander: Commander,
        documents: Documents,
        listener: HubListener,
        clock: Clock,
        *,
        card: HubCard,
        known: KnownHub,
        learnt: Callable[[KnownHub], None],
    ) -> None:
        self._commander = commander
        self._documents = documents
        self._listener = listener
        self._clock = clock
        self._card = card
        self._known = known
        self._learnt = learnt

    async def run(self) -> None:
        """Read what is new.

        Raises:
            HubUnreachable, CommandUnknown, FrameError: the rest is read in the next session.
        """
        try:
            await self._journal()
        except JournalBroken as error:
            self._listener.journal_broken(error)
        await self._events()
        await self._days()

    async def _journal(self) -> None:
        head = self._known.journal
        if head is not None and head.number > self._card.next_entry:
            raise JournalBroken(f"it has {self._card.next_entry} entries, and had {head.number}")
        if head is not None and head.number:
            await self._still_there(head)
        first = max(0, self._card.next_entry - JOURNAL_KEPT) if head is None else head.number
        while first < self._card.next_entry:
            code, detail, body = await self._ask(Opcode.JOURNAL, first, ENTRIES_AT_ONCE, DocumentKind.JOURNAL)
            if code is ReceiptCode.NOT_STORED and head is None and detail > first:
                first = detail
                continue
            if code is ReceiptCode.NOT_STORED:
                raise JournalBroken(f"entries {first} to {detail - 1} are gone")
            told, raws = decode_journal(body)
            if told != first or not raws:
                raise JournalBroken(f"entry {first} does not come")
            entries, head = verify_chain(raws, JournalHead() if first == 0 else head)
            if entries[0].number != first:
                raise JournalBroken(f"entry {entries[0].number} came for {first}")
            self._listener.journal_arrived(entries, head)
            self._remember(replace(self._known, journal=head))
            first = head.number

    async def _still_there(self, head: JournalHead) -> None:
        """The last entry that is known: a journal may have been cut back and have grown again to the same length."""
        _, _, body = await self._ask(Opcode.JOURNAL, head.number - 1, 1, DocumentKind.JOURNAL)
        raws = [] if body is None else decode_journal(body)[1]
        if [hashlib.sha256(raw).digest() for raw in raws] != [head.hash]:
            raise JournalBroken(f"entry {head.number - 1} is not the one that was known")

    async def _events(self) -> None:
        first = self._known.next_event
        if first > self._card.next_event:
            self._listener.security_event(EventsTurnedBack(first, self._card.next_event))
            return
        first = max(first, self._card.next_event - EVENTS_KEPT)
        while first < self._card.next_event:
            code, detail, body = await self._ask(Opcode.EVENTS, first, MAX_EVENTS, DocumentKind.EVENTS)
            if code is ReceiptCode.NOT_STORED and detail > first:
                first = detail
                continue
            events = decode_events(body)
            if not events or events[0].number != first:
                return
            first = events[-1].number + 1
            self._listener.wear_arrived((), events)
            self._remember(replace(self._known, next_event=first))

    async def _days(self) -> None:
        today = self._clock.utc_us() // _DAY_US
        known = self._known.last_day
        oldest = max(0, today - DAYS_KEPT + 1)
        # A day to come is that of a clock that went wrong: what was read by it proves nothing about the days between.
        first = oldest if known is None or known > today else max(known, oldest)
        while first <= today:
            _, _, body = await self._ask(Opcode.SUMMARIES, first, DAYS_AT_ONCE, DocumentKind.SUMMARIES)
            days = decode_summaries(body)
            if any(not first <= one.day < first + DAYS_AT_ONCE for one in days):
                return
            if days:
                self._listener.wear_arrived(days, ())
                self._remember(replace(self._known, last_day=days[-1].day))
            first += DAYS_AT_ONCE

    async def _ask(self, opcode: Opcode, first: int, count: int, kind: DocumentKind) -> tuple[ReceiptCode, int, Value]:
        notice, body = await self._documents.ask(self._commander, Ask(opcode, first, count), kind)
        return notice.receipt.code, notice.detail, body

    def _remember(self, known: KnownHub) -> None:
        self._known = known
        self._learnt(self._known)

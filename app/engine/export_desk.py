"""The long jobs that the reader process does: who asked, how far each is, and what is left of one that failed."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.engine.reader_host import Ticket
from app.engine.reader_wire import JobRequest, ReadRequest
from app.ipc.messages import Job, Refused, Reply
from core.model.words import Text
from core.record.drafts import sweep

Then = Callable[[Reply, Ticket], Awaitable[Reply]]
"""Goes on with the reader's answer; tells the ticket how far it is, 0 to 1 of the whole, and looks at `cancelled`."""
READING = 0.7
"""Of the whole, where the engine goes on with what was read."""


class JobReader(Protocol):
    """What is needed of the reader process."""

    async def request(
        self, body: ReadRequest | JobRequest, seconds: float | None = None, ticket: Ticket | None = None
    ) -> Reply: ...


@dataclass(eq=False)
class _Running:
    text: Text
    ticket: Ticket
    percent: int = 0


class ExportDesk:
    """`changed` is called whenever `jobs` says something new."""

    def __init__(self, reader: JobReader, changed: Callable[[], None]) -> None:
        self._reader = reader
        self._changed = changed
        self._numbers = itertools.count(1)
        self._running: dict[str, _Running] = {}

    def jobs(self) -> tuple[Job, ...]:
        """In the order in which they were asked for."""
        return tuple(
            Job(id=key, text=one.text, percent=one.percent, may_cancel=True) for key, one in self._running.items()
        )

    async def run(self, request: JobRequest, text: Text, *made: Path, then: Then | None = None) -> Reply:
        """Have it done.

        Args:
            made: what is being made, whose drafts are swept when the reader did not end it itself.
            then: what the engine itself goes on with, once the reader has done its part.
        """
        share = READING if then is not None else 1.0
        key = f"export-{next(self._numbers)}"

        def told(done: float) -> None:
            if (percent := int(done * share * 100)) != one.percent:
                one.percent = percent
                self._changed()

        one = self._running[key] = _Running(text, Ticket(told))
        self._changed()
        try:
            reply = await self._reader.request(request, ticket=one.ticket)
            if isinstance(reply, Refused):
                for path in made:
                    await asyncio.to_thread(sweep, path)
            elif then is not None:
                share = 1.0
                reply = await then(reply, one.ticket)
            return reply
        finally:
            del self._running[key]
            self._changed()

    def cancel(self, key: str) -> bool:
        """End a job; False when it has ended already."""
        one = self._running.get(key)
        if one is not None:
            one.ticket.cancel()
        return one is not None

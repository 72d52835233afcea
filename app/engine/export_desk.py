"""The long jobs that the reader process does: who asked, how far each is, and what is left of one that failed."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.engine.reader_host import Ticket
from app.engine.reader_wire import JobRequest, ReadRequest
from app.ipc.messages import Job, Refused, Reply
from core.model.words import Text
from core.record.drafts import sweep


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

    async def run(self, request: JobRequest, text: Text, *made: Path) -> Reply:
        """Have it done. `made`: what is being made, whose drafts are swept when the reader did not end it itself."""
        key = f"export-{next(self._numbers)}"

        def told(done: float) -> None:
            if (percent := int(done * 100)) != one.percent:
                one.percent = percent
                self._changed()

        one = self._running[key] = _Running(text, Ticket(told))
        self._changed()
        try:
            reply = await self._reader.request(request, ticket=one.ticket)
            if isinstance(reply, Refused):
                for path in made:
                    await asyncio.to_thread(sweep, path)
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

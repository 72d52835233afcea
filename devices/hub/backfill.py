"""Fetches what is missing out of the hub's memory, a bounded window at a time (docs/hub-protocol.md, section 10)."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from core.model.hub import Opcode, ReceiptCode
from devices.hub.commander import Commander
from devices.hub.commands import Ask
from devices.hub.errors import CommandUnknown
from devices.hub.frames import FetchEnd
from devices.hub.ledger import Ledger

_log = logging.getLogger(__name__)

WINDOW: Final = 64
STALLED_S: Final = 3.0
"""With no frame for so long a fetch is taken for dead, and asked for anew."""
_PAUSE_S: Final = 0.3
_ATTEMPTS: Final = 3
"""So often the same window may bring nothing before the hub is taken not to have it."""


class Backfill:
    """Runs while a link is up. Live frames need no part of this: they go on between its frames.

    Args:
        lost: told first and last sequence that the hub no longer holds and we never had.
        changed: the number of missing frames may have changed.
    """

    def __init__(
        self,
        ledger: Ledger,
        commander: Commander,
        *,
        lost: Callable[[int, int], None],
        changed: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._commander = commander
        self._lost = lost
        self._changed = changed
        self._wanted = asyncio.Event()
        self._arrived = asyncio.Event()
        self._end: FetchEnd | None = None

    def look(self) -> None:
        """Something may be missing."""
        if self._ledger.window(1) is not None:
            self._wanted.set()

    def arrived(self, ends: Sequence[FetchEnd]) -> None:
        """Something came on History, these ends among it."""
        if ends:
            self._end = ends[-1]
        self._arrived.set()

    async def run(self) -> None:
        """Fetch until cancelled.

        Raises:
            HubUnreachable: the link is gone.
        """
        idle = 0
        while True:
            self._wanted.clear()
            window = self._ledger.window(WINDOW)
            if window is None:
                await self._wanted.wait()
                continue
            before = self._ledger.missing_in(*window)
            await self._fetch(*window)
            idle = idle + 1 if self._ledger.missing_in(*window) == before else 0
            if idle == _ATTEMPTS:
                _log.warning("The hub does not send frames %d to %d, which it should hold", *window)
                self._lose(*window)
                idle = 0
            self._changed()

    async def _fetch(self, first: int, stop: int) -> None:
        self._end = None
        try:
            notice = await self._commander.send(Ask(Opcode.FETCH, first, stop - first))
        except CommandUnknown:
            await asyncio.sleep(_PAUSE_S)
            return
        match notice.receipt.code:
            case ReceiptCode.DONE:
                # What of the window was not held is asked for once more, and is NOT_STORED then.
                await self._await_end(notice.receipt.counter)
            case ReceiptCode.NOT_STORED:
                # All that is older is gone as well.
                self._lose(0, notice.detail)
            case _:
                await asyncio.sleep(_PAUSE_S)

    async def _await_end(self, counter: int) -> None:
        while self._end is None or self._end.counter != counter:
            self._arrived.clear()
            try:
                async with asyncio.timeout(STALLED_S):
                    await self._arrived.wait()
            except TimeoutError:
                return

    def _lose(self, first: int, stop: int) -> None:
        for start, end in self._ledger.lose(first, stop):
            self._lost(start, end - 1)

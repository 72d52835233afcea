"""Tells the hub what is durable, many commits in one ACKNOWLEDGE."""

import asyncio
from typing import Final

from devices.hub.commander import Commander
from devices.hub.commands import Acknowledge
from devices.hub.errors import CommandUnknown
from devices.hub.ledger import Ledger

COALESCE_S: Final = 0.5


class Acknowledger:
    """Runs while a link is up. An acknowledgement is cumulative, so one that is lost needs no asking."""

    def __init__(self, ledger: Ledger, commander: Commander) -> None:
        self._ledger = ledger
        self._commander = commander
        self._told = -1
        self._wanted = asyncio.Event()

    def look(self) -> None:
        """Something may be durable that the hub does not know of."""
        if self._ledger.acknowledgeable > self._told:
            self._wanted.set()

    async def run(self) -> None:
        """Acknowledge until cancelled.

        Raises:
            HubUnreachable: the link is gone.
        """
        while True:
            await self._wanted.wait()
            await asyncio.sleep(COALESCE_S)
            self._wanted.clear()
            sequence = self._ledger.acknowledgeable
            try:
                notice = await self._commander.send(Acknowledge(sequence))
            except CommandUnknown:
                self._wanted.set()
                continue
            if notice.receipt.accepted:
                self._told = sequence

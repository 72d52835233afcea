"""Documents as they come: those that were asked for reach who asked, the others are passed over."""

import asyncio
from typing import Final

from core.model.strict_cbor import Value
from devices.errors import FrameError
from devices.hub.commander import Commander
from devices.hub.commands import Command
from devices.hub.errors import HubUnreachable
from devices.hub.receipts import ReceiptNotice
from devices.hub.session.wire import DocumentKind

DOCUMENT_S: Final = 10.0
"""How long the longest may take on the slowest link."""


class DocumentMissing(FrameError):  # noqa: N818 - named for what is the case
    """A document that the hub owed did not come."""

    code = "hub.document"

    def __init__(self, kind: DocumentKind) -> None:
        super().__init__(f"The hub did not send its {kind.name.lower()}.", "Connect again; nothing is lost.")


class Documents:
    """Whoever waits for a document of a kind, one at a time for each."""

    def __init__(self) -> None:
        self._awaited: dict[int, asyncio.Future[Value]] = {}

    def arrived(self, kind: int, body: Value) -> None:
        """A document came."""
        waiter = self._awaited.pop(kind, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(body)

    def forget(self) -> None:
        """The session is over."""
        awaited, self._awaited = self._awaited, {}
        for waiter in awaited.values():
            _give_up(waiter)

    def expect(self, kind: DocumentKind) -> asyncio.Future[Value]:
        """The next document of this kind; call it before what brings it."""
        if (before := self._awaited.get(kind)) is not None:
            _give_up(before)
        waiter: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        self._awaited[kind] = waiter
        return waiter

    async def body(self, kind: DocumentKind, waiter: asyncio.Future[Value]) -> Value:
        """Its body.

        Raises:
            DocumentMissing: it did not come in time.
            HubUnreachable: the session is over.
        """
        try:
            async with asyncio.timeout(DOCUMENT_S):
                return await waiter
        except TimeoutError as error:
            raise DocumentMissing(kind) from error

    async def ask(self, commander: Commander, command: Command, kind: DocumentKind) -> tuple[ReceiptNotice, Value]:
        """Send a command and wait for the document that follows its receipt; None when the receipt refuses.

        Raises:
            HubUnreachable, CommandUnknown: as Commander.send.
            DocumentMissing: a receipt came, but no document.
        """
        waiter = self.expect(kind)
        try:
            notice = await commander.send(command)
            return notice, await self.body(kind, waiter) if notice.receipt.accepted else None
        finally:
            waiter.cancel()


def _give_up(waiter: asyncio.Future[Value]) -> None:
    """Nothing comes any more: whoever waits learns that, and it is no news when nobody does."""
    if not waiter.done():
        waiter.set_exception(HubUnreachable())
        waiter.exception()

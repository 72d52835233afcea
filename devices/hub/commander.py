"""Commands and their receipts over one link after another (docs/hub-protocol.md, section 6)."""

import asyncio
from typing import Final

from bleak import BleakClient
from bleak.exc import BleakError

from core.model.hub import Receipt, ReceiptCode
from devices.errors import FrameError
from devices.hub import uuids
from devices.hub.commands import STOP_VALUE, Order, encode_command, opcode_of
from devices.hub.errors import CommandUnknown, CountersSpent, HubUnreachable
from devices.hub.receipts import OPCODE_NO_RECEIPT, OPCODE_STOP, QUERY, ReceiptNotice, decode_receipt

RECEIPT_S: Final = 2.0
"""How long a receipt may take; then the outcome is unknown."""
STOP_AGAIN_S: Final = 0.2
LAST_COUNTER: Final = 0xFFFF_FFFF

_LINK_ERRORS: Final = (BleakError, OSError, EOFError)

Waiter = asyncio.Future[ReceiptNotice]


class Commander:
    """Numbers commands, waits for receipts, repeats STOP.

    Attributes:
        boot: boot of the hub at the other end; counters belong to it.
    """

    def __init__(self) -> None:
        self.boot = -1
        self._client: BleakClient | None = None
        self._counter = 0
        self._writing = asyncio.Lock()
        self._waiting: dict[int, tuple[int, Waiter]] = {}
        self._asking: dict[int, Waiter] = {}
        self._stopping: set[Waiter] = set()

    def attach(self, client: BleakClient, boot: int, counter: int) -> None:
        """A link is there; the hub has accepted commands up to `counter`."""
        self._counter = max(self._counter, counter) if boot == self.boot else counter
        self.boot = boot
        self._client = client

    def detach(self) -> None:
        """The link is gone: whoever waits learns that now."""
        self._client = None
        for counter, (opcode, waiter) in self._waiting.items():
            _fail(waiter, CommandUnknown(opcode, counter, self.boot))
        for waiter in (*self._asking.values(), *self._stopping):
            _fail(waiter, HubUnreachable())

    async def send(self, order: Order) -> ReceiptNotice:
        """Send one command; its receipt, whatever it says.

        Raises:
            HubUnreachable: nothing was sent (CountersSpent: nor can it be before the hub restarts).
            CommandUnknown: sent, and no receipt within RECEIPT_S or before the link went.
            ValueError: the order does not fit the wire.
        """
        opcode = opcode_of(order)
        counter: int | None = None
        try:
            async with asyncio.timeout(RECEIPT_S):
                async with self._writing:
                    client = self._connected()
                    if self._counter == LAST_COUNTER:
                        raise CountersSpent
                    value = encode_command(self._counter + 1, order)
                    counter = self._counter = self._counter + 1
                    boot = self.boot
                    waiter: Waiter = asyncio.get_running_loop().create_future()
                    self._waiting[counter] = (opcode, waiter)
                    await client.write_gatt_char(uuids.CONTROL, value, response=True)
                return await waiter
        except TimeoutError as error:
            if counter is None:
                raise HubUnreachable from error
            raise CommandUnknown(opcode, counter, boot) from error
        except _LINK_ERRORS as error:
            if counter is None:
                raise HubUnreachable from error
            raise CommandUnknown(opcode, counter, boot) from error
        finally:
            if counter is not None:
                _, waiter = self._waiting.pop(counter)
                _forget(waiter)

    async def stop(self) -> Receipt:
        """STOP, again and again until the hub answers.

        Raises:
            HubUnreachable: the link is gone; the hub's lease does the rest.
        """
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self._stopping.add(waiter)
        try:
            while True:
                client = self._connected()
                try:
                    async with asyncio.timeout(STOP_AGAIN_S):
                        await client.write_gatt_char(uuids.STOP, STOP_VALUE, response=False)
                        return (await asyncio.shield(waiter)).receipt
                except TimeoutError:
                    continue
                except _LINK_ERRORS as error:
                    if self._client is not client:
                        raise HubUnreachable from error
                    await asyncio.sleep(STOP_AGAIN_S)
        finally:
            self._stopping.discard(waiter)
            _forget(waiter)

    async def ask(self, counter: int) -> Receipt | None:
        """What became of a command of this boot; None when it never reached the hub.

        Raises:
            HubUnreachable: nobody to ask, or no answer.
            CommandUnknown: the hub accepted it, but has forgotten the receipt.
        """
        client = self._connected()
        waiter = self._asking.get(counter)
        if waiter is None:
            waiter = self._asking[counter] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(RECEIPT_S):
                await client.write_gatt_char(uuids.RECEIPT_QUERY, QUERY.pack(counter), response=True)
                notice = await asyncio.shield(waiter)
        except (TimeoutError, *_LINK_ERRORS) as error:
            raise HubUnreachable from error
        finally:
            self._asking.pop(counter, None)
            _forget(waiter)
        if notice.receipt.opcode != OPCODE_NO_RECEIPT:
            return notice.receipt
        if notice.detail >= counter:
            raise CommandUnknown(OPCODE_NO_RECEIPT, counter, self.boot)
        return None

    def receipt_arrived(self, data: bytes) -> None:
        """A notification of Receipt.

        Raises:
            FrameError: it cannot be read, or answers another opcode than was sent.
        """
        notice = decode_receipt(data)
        receipt = notice.receipt
        if receipt.opcode == OPCODE_STOP:
            for stopping in self._stopping:
                _answer(stopping, notice)
            return
        if (asking := self._asking.get(receipt.counter)) is not None:
            _answer(asking, notice)
        if receipt.code is ReceiptCode.STALE_COUNTER:
            self._counter = max(self._counter, notice.detail)
        if (pending := self._waiting.get(receipt.counter)) is not None and receipt.opcode != OPCODE_NO_RECEIPT:
            opcode, waiter = pending
            if receipt.opcode != opcode:
                raise FrameError(f"A receipt for {receipt.opcode:#04x} answers command {opcode:#04x}.")
            _answer(waiter, notice)

    def _connected(self) -> BleakClient:
        if self._client is None:
            raise HubUnreachable
        return self._client


def _answer(waiter: Waiter, notice: ReceiptNotice) -> None:
    if not waiter.done():
        waiter.set_result(notice)


def _fail(waiter: Waiter, error: Exception) -> None:
    if not waiter.done():
        waiter.set_exception(error)


def _forget(waiter: Waiter) -> None:
    """Nobody waits any more: an error that nobody fetched is no news."""
    if waiter.done() and not waiter.cancelled():
        waiter.exception()
    else:
        waiter.cancel()

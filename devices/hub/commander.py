"""Commands and their receipts over one session after another (docs/hub-protocol.md, section 8)."""

import asyncio
import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from bleak.exc import BleakError

from core.model.hub import Opcode, Receipt, ReceiptCode
from devices.hub.commands import (
    SIGNED,
    STOP_PLAINTEXT,
    WRITTEN_FIRST,
    Command,
    encode_command,
    opcode_of,
)
from devices.hub.errors import CommandUnknown, CountersSpent, HubUnreachable, ReceiptMisplaced
from devices.hub.line import Line
from devices.hub.listener import SentCommand
from devices.hub.receipts import OPCODE_NO_RECEIPT, OPCODE_STOP, ReceiptNotice, encode_query
from devices.hub.session.errors import SessionSpent
from devices.hub.session.keys import Session
from devices.hub.session.signed import REQUEST_BYTES, SignedReceipt, request_hash
from devices.hub.session.wire import FURTHEST_COUNTER

RECEIPT_S: Final = 2.0
"""How long a receipt may take; then the outcome is unknown."""
STOP_AGAIN_S: Final = 0.2
SEGMENT_S: Final = 0.25
"""What each segment of a long message may take more."""
LAST_COUNTER: Final = 0xFFFF_FFFF
_REMEMBERED: Final = 512
_LINK_ERRORS: Final = (BleakError, OSError, EOFError, SessionSpent)
_RESOLVED_LATER: Final = SIGNED | {Opcode.HOLD}
"""What a person waits for: asked about in the next session when its outcome is unknown."""
_STOP_REQUEST: Final = request_hash(STOP_PLAINTEXT)

Waiter = asyncio.Future[ReceiptNotice]


@dataclass(slots=True)
class _Sent:
    """A command that went out. `answer`: what the hub says of it, when that is no longer open; None: nothing came."""

    opcode: Opcode
    request: bytes
    session_id: bytes
    waiter: Waiter | None
    answer: ReceiptNotice | None = None
    open: bool = True


@dataclass(frozen=True, slots=True)
class _Made:
    """A command that is ready to go: for this session, as the next one."""

    line: Line
    message: bytes
    told: SentCommand
    halts: int


@dataclass(frozen=True, slots=True)
class _Question:
    """A receipt query under way. `request`: hash of the command that was sent, as its receipt names it."""

    counter: int
    request: bytes
    waiter: Waiter


class Commander:
    """Numbers commands, waits for receipts, repeats STOP. Counters go on over sessions and reboots, under one key.

    Args:
        due: told of each command of `WRITTEN_FIRST` before that; it goes when this returns.
        sent: told of each command just before it is written.
        heard: told of each genuine receipt.

    Attributes:
        halts: how often HOLD or STOP was asked for.
    """

    def __init__(
        self,
        due: Callable[[SentCommand], Awaitable[None]],
        sent: Callable[[SentCommand], None],
        heard: Callable[[SignedReceipt], None],
    ) -> None:
        self._due = due
        self._told = sent
        self._heard = heard
        self.halts = 0
        self._line: Line | None = None
        self._keys = b""
        self._counter = 0
        self._writing = asyncio.Lock()
        self._querying = asyncio.Lock()
        self._sent: OrderedDict[int, _Sent] = OrderedDict()
        self._question: _Question | None = None
        self._stopping: set[Waiter] = set()

    def attach(self, line: Line) -> None:
        """A session stands. STOP works from now on, commands once the hub's counter is known."""
        if line.session.peer.kid != self._keys:
            self._keys = line.session.peer.kid
            self._counter = 0
            self._sent.clear()
        self._line = line

    def count_from(self, counter: int) -> None:
        """The hub has accepted commands up to `counter`."""
        # Beyond its reach it takes nothing. What was numbered there never arrived, and was for another session.
        reached = self._counter < counter + FURTHEST_COUNTER
        self._counter = max(self._counter, counter) if reached else counter

    def detach(self) -> None:
        """The session is over: whoever waits learns that now."""
        self._line = None
        for counter, sent in self._sent.items():
            if sent.waiter is not None:
                _fail(sent.waiter, CommandUnknown(sent.opcode, counter))
        for waiter in self._stopping:
            _fail(waiter, HubUnreachable())
        if self._question is not None:
            _fail(self._question.waiter, HubUnreachable())

    @property
    def session(self) -> Session:
        """The session that stands. Raises HubUnreachable."""
        return self._connected().session

    async def send(self, command: Command) -> ReceiptNotice:
        """Send one command; its receipt, whatever it says.

        Raises:
            HubUnreachable: nothing was sent (CountersSpent: nor can it be under the hub's present keys).
            CommandUnknown: sent, and no receipt within RECEIPT_S or before the link went.
            ValueError: the command does not fit the wire.
        """
        return await self.send_made(opcode_of(command), lambda _: command)

    async def send_made(self, opcode: Opcode, make: Callable[[int], Command], *, signer: bytes = b"") -> ReceiptNotice:
        """Send a command that is made for its counter when its turn comes.

        Args:
            make: may be asked again, for another counter.
            signer: kid of who signs it.

        Raises:
            SmilescapeError: as `send`, what `make` raises, or why it could not be written down first.
        """
        sent: _Sent | None = None
        counter = 0
        self.halts += opcode is Opcode.HOLD
        try:
            async with asyncio.timeout(RECEIPT_S) as deadline:
                waiter: Waiter = asyncio.get_running_loop().create_future()
                async with self._turn(opcode, make, signer) as made:
                    counter = self._counter = made.told.counter
                    told = _Sent(opcode, request_hash(made.message), made.line.session.id, waiter)
                    sent = self._remember(counter, told)
                    self._told(made.told)
                    deadline.reschedule(_from_now(RECEIPT_S + SEGMENT_S * (len(made.message) // 200)))
                    await made.line.control(made.message)
                    deadline.reschedule(_from_now(RECEIPT_S))
                return await waiter
        except (TimeoutError, *_LINK_ERRORS) as error:
            if sent is None:
                raise HubUnreachable from error
            if sent.answer is not None:
                # What the link says of a write is not authentic; the hub's signature is.
                return sent.answer
            raise CommandUnknown(opcode, counter) from error
        finally:
            if sent is not None and sent.waiter is not None:
                _forget(sent.waiter)
                sent.waiter = None

    @contextlib.asynccontextmanager
    async def _turn(self, opcode: Opcode, make: Callable[[int], Command], signer: bytes) -> AsyncGenerator[_Made]:
        """The command, once it is its turn to be written to the air.

        While one is written down, the air is free for HOLD, STOP and the lease; when one of them went meanwhile, it is
        made anew, if whoever makes it still wants it.
        """
        while True:
            made = None
            if opcode in WRITTEN_FIRST:
                made = self._make(opcode, make, signer)
                await self._due(made.told)
            async with self._writing:
                if made is None:
                    made = self._make(opcode, make, signer)
                now = (self._line, self._counter + 1, self.halts)
                if (made.line, made.told.counter, made.halts) == now:
                    yield made
                    return

    def _make(self, opcode: Opcode, make: Callable[[int], Command], signer: bytes) -> _Made:
        """The next command of the session that stands."""
        line = self._connected()
        if self._counter == LAST_COUNTER:
            raise CountersSpent
        counter = self._counter + 1
        message = encode_command(counter, make(counter))
        return _Made(line, message, _told(line, opcode, counter, message, signer), self.halts)

    async def stop(self) -> Receipt:
        """STOP, again and again until the hub answers. It waits for no command, however long.

        Raises:
            HubUnreachable: the link is gone; the hub's lease does the rest.
        """
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self.halts += 1
        self._stopping.add(waiter)
        try:
            self._told(_told(self._connected(), OPCODE_STOP, 0, STOP_PLAINTEXT, b""))
            while True:
                line = self._connected()
                try:
                    async with asyncio.timeout(STOP_AGAIN_S):
                        await line.stop()
                        return (await asyncio.shield(waiter)).receipt
                except TimeoutError:
                    continue
                except _LINK_ERRORS as error:
                    if self._line is not line:
                        raise HubUnreachable from error
                    await asyncio.sleep(STOP_AGAIN_S)
        finally:
            self._stopping.discard(waiter)
            _forget(waiter)

    async def ask(self, counter: int, sha256: bytes | None = None) -> Receipt | None:
        """What became of a command; None when it never reached the hub.

        Args:
            sha256: of its control message, as told by `sent`; needed for one that this commander did not send.

        Raises:
            HubUnreachable: nobody to ask, or no answer.
            CommandUnknown: the hub accepted a later one and has no receipt of this, or nobody knows what was sent.
        """
        sent = self._sent.get(counter)
        if sent is not None and not sent.open:
            return sent.answer.receipt if sent.answer is not None else None
        if sent is None and sha256 is None:
            raise CommandUnknown(OPCODE_NO_RECEIPT, counter)
        notice = await self._query(counter, sent.request if sent is not None else (sha256 or b"")[:REQUEST_BYTES])
        if notice.receipt.opcode != OPCODE_NO_RECEIPT:
            return notice.receipt
        if notice.detail >= counter:
            raise CommandUnknown(sent.opcode if sent is not None else OPCODE_NO_RECEIPT, counter)
        if sent is not None:
            sent.open = False
        return None

    async def resolve(self) -> None:
        """Ask about whatever a person waited for and is unknown, before a later command makes the hub's word useless.

        What the hub does not answer, or not truly, stays unknown: signals and STOP shall not wait for that.

        Raises:
            HubUnreachable: the link went meanwhile.
        """
        line = self._connected()
        for counter, sent in list(self._sent.items()):
            if sent.open and sent.opcode in _RESOLVED_LATER and sent.session_id != line.session.id:
                try:
                    await self.ask(counter)
                except CommandUnknown:
                    continue
                except HubUnreachable:
                    if self._line is not line:
                        raise

    def receipt_arrived(self, receipt: SignedReceipt) -> None:
        """A receipt that the hub of this session has signed.

        Raises:
            ReceiptMisplaced: it answers nothing that we sent.
        """
        notice = receipt.notice
        opcode, counter = notice.receipt.opcode, notice.receipt.counter
        fresh = receipt.session_id == self.session.id
        question = self._question if self._question is not None and self._question.counter == counter else None
        asked = [question.waiter] if question is not None else []
        if opcode == OPCODE_STOP:
            right, waiting = fresh and (counter, receipt.request) == (0, _STOP_REQUEST), list(self._stopping)
        elif opcode == OPCODE_NO_RECEIPT:
            right, waiting = fresh and receipt.request == request_hash(encode_query(counter)), asked
        elif (sent := self._sent.get(counter)) is not None:
            right = (fresh or question is not None) and self._answers(receipt, sent)
            waiting = [*([sent.waiter] if sent.waiter is not None else []), *asked]
        else:
            right, waiting = question is not None and receipt.request == question.request, asked
        if not right:
            raise ReceiptMisplaced(opcode, counter)
        for waiter in waiting:
            _answer(waiter, notice)
        self._heard(receipt)

    def _answers(self, receipt: SignedReceipt, sent: _Sent) -> bool:
        """Whether a receipt is of this command; what it says is learnt then."""
        notice = receipt.notice
        said = (notice.receipt.opcode, receipt.request, receipt.session_id)
        if said != (sent.opcode, sent.request, sent.session_id):
            return False
        sent.answer, sent.open = notice, False
        if notice.receipt.code is ReceiptCode.STALE_COUNTER:
            self._counter = max(self._counter, notice.detail)
        return True

    async def _query(self, counter: int, request: bytes) -> ReceiptNotice:
        """What the hub says of a counter; one question at a time."""
        async with self._querying:
            line = self._connected()
            waiter: Waiter = asyncio.get_running_loop().create_future()
            self._question = _Question(counter, request, waiter)
            try:
                async with asyncio.timeout(RECEIPT_S):
                    await line.query(counter)
                    return await waiter
            except (TimeoutError, *_LINK_ERRORS) as error:
                raise HubUnreachable from error
            finally:
                self._question = None
                _forget(waiter)

    def _remember(self, counter: int, sent: _Sent) -> _Sent:
        self._sent[counter] = sent
        while len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)
        return sent

    def _connected(self) -> Line:
        if self._line is None:
            raise HubUnreachable
        return self._line


def _told(line: Line, opcode: int, counter: int, message: bytes, signer: bytes) -> SentCommand:
    digest = hashlib.sha256(message).digest()
    return SentCommand(opcode=opcode, counter=counter, sha256=digest, signer=signer, session_id=line.session.id)


def _from_now(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


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

"""The engine's side of the reader: a process for one authorised operator, ended at logout."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from app.engine.clock import AsyncClock, within
from app.engine.helper import Helper
from app.engine.reader_wire import JobRequest, ReaderSetup, ReadRequest, encode_setup
from app.ipc.access_messages import ListViews, PrintViews
from app.ipc.backup_messages import ListOverdue
from app.ipc.clinical_messages import ReadAttachment, SaveAttachment, SearchRecords
from app.ipc.export_messages import CancelJob, ExportDay, ExportFhir, ExportSamples, MakePack, Progressed
from app.ipc.frames import FrameTooLong
from app.ipc.import_messages import ImportSignals, LookAtSignals, SignalsPiece
from app.ipc.messages import (
    MAX_MESSAGE,
    Ask,
    Chair,
    GetTimeline,
    GetVisit,
    ListLog,
    ListPatients,
    MakeReport,
    ReadRange,
    Refused,
    Reply,
    Workstation,
    decode_answer,
    encode,
)
from app.ipc.refusals import refused

MAX_PENDING = 32
MOST_READ = 600 << 20
"""Bytes of pieces of one file: its samples in 16 bits, and their times where those are not even."""
SECONDS: dict[type[ReadRequest | JobRequest], float] = {
    GetTimeline: 10.0,
    GetVisit: 10.0,
    ReadRange: 10.0,
    ListLog: 10.0,
    MakeReport: 120.0,
    ExportSamples: 300.0,
    ExportFhir: 300.0,
    ExportDay: 300.0,
    MakePack: 300.0,
    LookAtSignals: 300.0,
    ImportSignals: 300.0,
    SearchRecords: 10.0,
    ListPatients: 10.0,
    ReadAttachment: 30.0,
    SaveAttachment: 30.0,
    ListViews: 30.0,
    ListOverdue: 60.0,
    PrintViews: 120.0,
}
"""How long each may take, a job from one step to the next, before the process is taken for stuck. A slow stick may
need minutes to take in what was written."""

_MODULE = "app.engine.reader_process"
_log = logging.getLogger(__name__)


class Ticket:
    """For who asked for something long: hears how far it is, and may end it."""

    def __init__(self, told: Callable[[float], None]) -> None:
        """`told` is called with the part that is done, 0 to 1."""
        self.told = told
        self.steps = 0
        self.pieces: list[SignalsPiece] = []
        self._bytes = 0
        self._withdraw: Callable[[], None] | None = None
        self._cancelled = False

    def cancel(self) -> None:
        """The reader ends it at its next step and answers `cancelled`."""
        self._cancelled = True
        if self._withdraw is not None:
            self._withdraw()

    @property
    def cancelled(self) -> bool:
        """Whether whoever goes on with it is to stop."""
        return self._cancelled

    def answered(self) -> None:
        """The reader has done its part."""
        self._withdraw = None

    def piece(self, piece: SignalsPiece) -> None:
        """Keep what was read, up to what any file may hold; what is left out is missed when it is counted."""
        self.steps += 1
        self._bytes += len(piece.raw) + len(piece.steps)
        if self._bytes <= MOST_READ:
            self.pieces.append(piece)

    def taken(self, withdraw: Callable[[], None]) -> None:
        self._withdraw = withdraw
        if self._cancelled:
            withdraw()

    def step(self, done: float) -> None:
        self.steps += 1
        self.told(done)


@dataclass(eq=False)
class _Life:
    """One process and what it still has to answer."""

    helper: Helper
    pending: dict[int, asyncio.Future[Reply]] = field(default_factory=dict)
    tickets: dict[int, Ticket] = field(default_factory=dict)
    listener: asyncio.Task[None] | None = None
    verdict: Refused = field(default_factory=lambda: _refused("crashed"))
    """What those are told who still wait when it ends."""


class ReaderHost:
    """Forwards reads to a process that holds the keys, so that neither the console nor the engine's loop does the work.

    The service logs who reads what before it calls `request`.
    """

    def __init__(self, clock: AsyncClock) -> None:
        self._clock = clock
        self._setup: ReaderSetup | None = None
        self._life: _Life | None = None
        self._starting = asyncio.Lock()
        self._number = 0

    @property
    def pid(self) -> int | None:
        """The living reader's process."""
        return self._life.helper.pid if self._life is not None else None

    @property
    def pending(self) -> int:
        """Requests that wait for an answer."""
        return len(self._life.pending) if self._life is not None else 0

    async def open(self, setup: ReaderSetup) -> None:
        """Let an operator read these records; replaces whoever could read before."""
        if setup == self._setup:
            return
        await self.close()
        self._setup = setup
        await self._living()

    async def close(self) -> None:
        """Nobody reads any more: at logout, at a user switch, at the end."""
        self._setup = None
        async with self._starting:
            life = self._life
            if life is not None:
                await self._end(life, _refused("closed"))

    async def request(
        self, body: ReadRequest | JobRequest, seconds: float | None = None, ticket: Ticket | None = None
    ) -> Reply:
        """The answer; `Refused` when the reader died, is stuck or has too much to do. It starts again by itself."""
        life = await self._living()
        if life is None:
            return _refused("closed")
        if len(life.pending) >= MAX_PENDING:
            return _refused("busy")
        limit = seconds if seconds is not None else SECONDS[type(body)]
        self._number += 1
        number = self._number
        future = life.pending[number] = asyncio.get_running_loop().create_future()
        life.helper.send(encode(Ask(number, body)))
        if ticket is not None:
            life.tickets[number] = ticket
            ticket.taken(lambda: life.helper.send(encode(Ask(number, CancelJob(id="")))))
        try:
            return await self._answered(future, limit, ticket)
        except TimeoutError:
            life.pending.pop(number, None)
            _log.warning("the reader did not answer %s in %g s", type(body).__name__, limit)
            await self._end(life, _refused("crashed"))
            return _refused("timeout", seconds=limit)
        finally:
            life.pending.pop(number, None)
            life.tickets.pop(number, None)
            if ticket is not None:
                ticket.answered()

    async def _answered(self, future: "asyncio.Future[Reply]", limit: float, ticket: Ticket | None) -> Reply:
        """Raises TimeoutError: neither an answer nor a step for so long."""
        while True:
            steps = ticket.steps if ticket is not None else 0
            try:
                return await within(self._clock, limit, asyncio.shield(future))
            except TimeoutError:
                if ticket is None or ticket.steps == steps:
                    raise

    async def _living(self) -> _Life | None:
        """The process, started when there is none; None while nobody may read."""
        async with self._starting:
            if self._life is None and self._setup is not None:
                helper = await Helper.start(_MODULE)
                helper.send(encode_setup(self._setup))
                self._life = _Life(helper)
                self._life.listener = asyncio.create_task(self._listen(self._life))
            return self._life

    async def _listen(self, life: _Life) -> None:
        """Hand out answers until the process ends."""
        try:
            while (data := await life.helper.receive(MAX_MESSAGE)) is not None:
                answer = decode_answer(data)
                if isinstance(answer.body, SignalsPiece):
                    if (ticket := life.tickets.get(answer.number)) is not None:
                        ticket.piece(answer.body)
                    continue
                if isinstance(answer.body, Progressed):
                    if (ticket := life.tickets.get(answer.number)) is not None:
                        ticket.step(answer.body.done)
                    continue
                future = life.pending.get(answer.number)
                if future is not None and not future.done() and not isinstance(answer.body, Chair | Workstation):
                    future.set_result(answer.body)
        except (FrameTooLong, msgspec.MsgspecError) as error:
            _log.error("the reader said something that makes no sense: %s", error)
        finally:
            if self._life is life:
                self._life = None
            for future in life.pending.values():
                if not future.done():
                    future.set_result(life.verdict)
            await life.helper.end()

    async def _end(self, life: _Life, verdict: Refused) -> None:
        life.verdict = verdict
        if self._life is life:
            self._life = None
        await life.helper.end()
        if life.listener is not None:
            await life.listener


def _refused(why: str, **values: str | int | float) -> Refused:
    return refused(why, "reader", **values)

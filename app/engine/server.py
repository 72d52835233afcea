"""Serves the consoles on the engine's loop. The threads at the wire are in `app.ipc.transport`.

Requests of one connection start in their order and run side by side; no peer can make the loop wait.

STOP goes ahead of every queue: it comes over a connection of its own (`Hello.role == "stop"`), whose threads do
nothing else, and is handed to `Handler.stop` by `call_soon_threadsafe` without becoming a task. It is answered once
`Handler.stop` has returned; the sender repeats it until then.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.ipc.address import EngineAddress, choose_address, withdraw_address, write_address
from app.ipc.messages import Alive, Ask, Done, Hello, Push, Reply, Request, Stop, Subscribe
from app.ipc.outbox import PushKey, push_key
from app.ipc.refusals import as_refused, refused
from app.ipc.transport import Acceptor, Peer
from core.model.clock import Clock, SystemClock
from core.model.people import Operator

STOP_ROLE = "stop"


@dataclass(eq=False)
class Session:
    """One connected peer.

    Attributes:
        role: `console`, `stop` or `tool`, as the peer said.
        pid: its process, 0 when it did not say.
        heard_monotonic: when its newest message came; a console that is not frozen sends `Alive`.
        operator: who is logged in there; set by the handler.
    """

    id: int
    role: str
    pid: int
    heard_monotonic: float
    operator: Operator | None = None


class Handler(Protocol):
    """What serves the requests. All methods are called on the engine's loop."""

    async def handle(self, request: Request, session: Session) -> Reply:
        """Serve one request, `Hello` included (answer `Welcome`). A SmilescapeError becomes `Refused`."""
        ...

    def stop(self, chair: int) -> None:
        """Begin to stop one chair (0: all) at once, and return; must not wait for anything."""
        ...

    def attached(self, session: Session) -> None: ...

    def detached(self, session: Session) -> None:
        """The peer has gone, for whatever reason. Therapy that a console watched must be held now."""
        ...


class Server:
    """Serves everybody who connects, until closed.

    `Subscribe` and `Alive` are answered here: a subscriber gets the newest of each push at once, then every change.
    """

    def __init__(self, runtime: Path, handler: Handler, clock: Clock | None = None) -> None:
        self._runtime = runtime
        self._handler = handler
        self._clock = clock or SystemClock()
        self._newest: dict[PushKey, Push] = {}
        self._sessions: dict[Peer, Session] = {}
        self._subscribers: set[Peer] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(1)

    async def start(self) -> EngineAddress:
        """Listen, and publish the address in the runtime folder."""
        self._loop = asyncio.get_running_loop()
        self._address = choose_address(self._clock.utc_us())
        self._acceptor = Acceptor(self._address, self)
        write_address(self._runtime, self._address)
        return self._address

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Who is connected and has said hello."""
        return tuple(self._sessions.values())

    def publish(self, push: Push) -> None:
        """Send a new state to every subscriber. Never blocks; call it on the loop."""
        self._newest[push_key(push)] = push
        for peer in self._subscribers:
            peer.outbox.push(push)

    async def close(self) -> None:
        """Answer the requests that run, then hang up on everybody. Not to be called from inside a request."""
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._acceptor.end)
        withdraw_address(self._runtime, self._address)

    # Inbox: called in reader threads

    def attached(self, peer: Peer, number: int, hello: Hello) -> None:
        self._soon(self._attach, peer, number, hello)

    def asked(self, peer: Peer, ask: Ask) -> None:
        self._soon(self._take, peer, ask)

    def detached(self, peer: Peer) -> None:
        self._soon(self._detach, peer)

    def _soon(self, work: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and the engine with it
            self._loop.call_soon_threadsafe(work, *args)

    # on the loop

    def _attach(self, peer: Peer, number: int, hello: Hello) -> None:
        session = Session(next(self._numbers), hello.role, hello.pid, self._clock.monotonic())
        self._sessions[peer] = session
        self._handler.attached(session)
        self._begin(peer, session, number, hello)

    def _take(self, peer: Peer, ask: Ask) -> None:
        session = self._sessions[peer]
        session.heard_monotonic = self._clock.monotonic()
        match ask.body:
            case Stop(chair=chair):
                peer.outbox.answer(ask.number, self._stop(chair))
            case Alive():
                peer.outbox.answer(ask.number, Done())
            case _ if session.role == STOP_ROLE:
                peer.outbox.answer(ask.number, refused("stop_only"))
            case Subscribe():
                peer.outbox.answer(ask.number, Done())
                self._subscribers.add(peer)
                for push in self._newest.values():
                    peer.outbox.push(push)
            case request:
                self._begin(peer, session, ask.number, request)

    def _detach(self, peer: Peer) -> None:
        self._subscribers.discard(peer)
        self._handler.detached(self._sessions.pop(peer))

    def _stop(self, chair: int) -> Reply:
        try:
            self._handler.stop(chair)
        except Exception as error:
            return as_refused(error)
        return Done()

    def _begin(self, peer: Peer, session: Session, number: int, request: Request) -> None:
        task = self._loop.create_task(self._serve(peer, session, number, request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, peer: Peer, session: Session, number: int, request: Request) -> None:
        reply: Reply = refused("closing")
        try:
            reply = await self._handler.handle(request, session)
        except Exception as error:
            reply = as_refused(error)
        finally:
            peer.outbox.answer(number, reply)

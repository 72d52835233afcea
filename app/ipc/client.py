"""The console's side of the wire. No Qt: callbacks come in the client's own threads."""

import contextlib
import itertools
import logging
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client
from pathlib import Path

import msgspec

from app.ipc.address import EngineNotRunning, read_address
from app.ipc.export_messages import Progressed
from app.ipc.messages import (
    MAX_MESSAGE,
    Ask,
    Chair,
    Done,
    Hello,
    Push,
    Refused,
    Reply,
    Request,
    Stop,
    Subscribe,
    Welcome,
    Workstation,
    decode_answer,
    encode,
)
from app.ipc.wire import HANDSHAKE_SECONDS, Wire, hang_up, prove_as_client
from core.model.errors import SmilescapeError
from core.model.words import Text

MAX_WAITING = 256
REQUEST_SECONDS = 30.0
_log = logging.getLogger(__name__)


class EngineLost(SmilescapeError):  # noqa: N818
    """The connection to the engine has ended; what was asked and not answered may have happened or not."""

    code = "ipc.engine_lost"


class EngineRefused(SmilescapeError):  # noqa: N818
    """The engine does not talk to this program. `text` and `remedy_text` say why and what to do."""

    code = "ipc.engine_refused"

    def __init__(self, refused: Refused) -> None:
        super().__init__(f"The engine refused the connection: {refused.code}.")
        self.text: Text = refused.text
        self.remedy_text: Text | None = refused.remedy


class EngineBusy(SmilescapeError):  # noqa: N818
    """The engine does not take requests as fast as they are made, or did not answer in time."""

    code = "ipc.engine_busy"


class EngineClient:
    """One connection to the engine; thread-safe.

    Attributes:
        welcome: what the engine said about itself.
    """

    welcome: Welcome

    def __init__(self, wire: Wire, lost: Callable[[EngineLost], None] | None = None) -> None:
        """Use `connect`."""
        self._wire = wire
        self._lost = lost
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Future[Reply]] = {}
        self._outgoing: queue.Queue[bytes | None] = queue.Queue(MAX_WAITING)
        self._lock = threading.Lock()
        self._over: EngineLost | None = None
        self._closing = False
        self._pushed: Callable[[Push], None] | None = None
        self._reader = threading.Thread(target=self._read, name="engine-read", daemon=True)
        self._writer = threading.Thread(target=self._write, name="engine-write", daemon=True)

    @classmethod
    def connect(
        cls,
        runtime: Path,
        role: str,
        *,
        lost: Callable[[EngineLost], None] | None = None,
        seconds: float = HANDSHAKE_SECONDS,
    ) -> "EngineClient":
        """Connect to the engine that serves this runtime folder, and say hello.

        `lost` is called once, in the reader's thread, when the connection ends without `close`.

        Raises:
            EngineNotRunning: there is none, or it did not answer within `seconds`.
            EngineRefused: it is another version.
        """
        address = read_address(runtime)
        try:
            wire: Wire = Client(address.address)
            prove_as_client(wire, address.authkey, seconds)
        except (OSError, EOFError, AuthenticationError, AssertionError) as error:
            raise EngineNotRunning(f"The engine (process {address.pid}) does not answer.", "Start it again.") from error
        client = cls(wire, lost)
        client._reader.start()
        client._writer.start()
        try:
            reply = client.request(Hello(role=role, pid=os.getpid()), seconds)
        except SmilescapeError as error:
            client.close()
            raise EngineNotRunning("The engine does not answer.", "Start it again.") from error
        if isinstance(reply, Welcome):
            client.welcome = reply
            return client
        client.close()
        assert isinstance(reply, Refused)
        raise EngineRefused(reply)

    def submit(self, body: Request) -> "Future[Reply]":
        """Ask without waiting. The future ends with the reply (`Refused` is one), or with EngineLost.

        Raises:
            EngineBusy: the engine has not taken the last 256 requests from the wire.
        """
        number = next(self._numbers)
        future: Future[Reply] = Future()
        with self._lock:
            if self._over is not None:
                future.set_exception(self._over)
                return future
            try:
                self._outgoing.put_nowait(encode(Ask(number, body)))
            except queue.Full:
                raise EngineBusy("The engine takes no requests.", "Wait, or start it again.") from None
            self._waiting[number] = future
        future.add_done_callback(lambda _: self._waiting.pop(number, None))
        return future

    def request(self, body: Request, timeout: float = REQUEST_SECONDS) -> Reply:
        """Ask and wait. Not for a window's thread: there use `submit`.

        Raises:
            EngineLost: the connection ended first.
            EngineBusy: no answer within `timeout` seconds; what was asked may still happen.
        """
        future = self.submit(body)
        try:
            return future.result(timeout)
        except TimeoutError:
            if not future.cancel():  # it came this very moment
                return future.result()
            raise EngineBusy(f"No answer to {type(body).__name__} in {timeout:g} s.", "Look at the state.") from None

    def subscribe(self, pushed: Callable[[Push], None]) -> None:
        """Have every push given to `pushed`, in the reader's thread: the present states first."""
        self._pushed = pushed
        self.submit(Subscribe())

    def close(self) -> None:
        """Hang up, without calling `lost`."""
        self._closing = True
        self._end()
        for thread in (self._reader, self._writer):
            if thread.ident is not None and thread is not threading.current_thread():
                thread.join()
        self._wire.close()

    @property
    def alive(self) -> bool:
        return self._over is None

    # in threads

    def _read(self) -> None:
        refusal = ""
        try:
            while True:
                answer = decode_answer(self._wire.recv_bytes(MAX_MESSAGE))
                if isinstance(answer.body, Chair | Workstation):
                    self._give(answer.body)
                elif isinstance(answer.body, Progressed):
                    continue  # the reader's word to the engine; never sent here
                elif answer.number == 0:
                    refusal = answer.body.code if isinstance(answer.body, Refused) else ""
                else:
                    self._settle(answer.number, answer.body)
        except (OSError, EOFError):
            pass
        except msgspec.MsgspecError as error:
            _log.error("the engine sent a message that makes no sense: %s", error)
        over = EngineLost(f"The connection to the engine has ended. {refusal}".rstrip(), "Wait for it to come back.")
        self._end(over)
        if self._lost is not None and not self._closing:
            self._lost(over)

    def _give(self, push: Push) -> None:
        if self._pushed is None:
            return
        try:
            self._pushed(push)
        except Exception:
            _log.exception("a subscriber failed")

    def _settle(self, number: int, reply: Reply) -> None:
        future = self._waiting.get(number)
        if future is not None and future.set_running_or_notify_cancel():
            future.set_result(reply)

    def _write(self) -> None:
        try:
            while (data := self._outgoing.get()) is not None:
                self._wire.send_bytes(data)
        except OSError:
            hang_up(self._wire)  # the reader tells everybody

    def _end(self, over: EngineLost | None = None) -> None:
        """Let both threads end, and nobody wait in vain."""
        with self._lock:
            if self._over is None:
                self._over = over or EngineLost("The connection was closed.", "Connect again.")
            waiting, self._waiting = self._waiting, {}
        hang_up(self._wire)
        while True:
            try:
                self._outgoing.put_nowait(None)
                break
            except queue.Full:
                with contextlib.suppress(queue.Empty):
                    self._outgoing.get_nowait()
        for future in waiting.values():
            if future.set_running_or_notify_cancel():
                future.set_exception(self._over)


class StopLine:
    """STOP's own connection, kept open and opened again by itself, so that STOP never waits behind anything.

    `connected_changed` is told, in the line's thread, whether STOP can reach the engine now. When it cannot, the
    hub's lease ends therapy by itself.
    """

    def __init__(
        self,
        runtime: Path,
        *,
        connected_changed: Callable[[bool], None] | None = None,
        repeat_seconds: float = 0.25,
    ) -> None:
        self._runtime = runtime
        self._connected_changed = connected_changed
        self._repeat = repeat_seconds
        self._pending: dict[int, Future[None]] = {}
        self._changed = threading.Condition()
        self._client: EngineClient | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="stop-line", daemon=True)
        self._thread.start()

    @property
    def connected(self) -> bool:
        return self._client is not None

    def stop(self, chair: int) -> "Future[None]":
        """Stop a chair (0: all). Returns at once; the future ends when the engine has acknowledged."""
        with self._changed:
            future = self._pending.get(chair)
            if future is None:
                future = self._pending[chair] = Future()
            self._changed.notify_all()
            return future

    def close(self) -> None:
        """Hang up. STOPs that were not acknowledged are cancelled."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        for future in self._pending.values():
            future.cancel()
        self._drop()

    def _run(self) -> None:
        while not self._closing:
            client = self._client or self._dial()
            if client is None:
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, self._repeat)
                continue
            with self._changed:
                self._changed.wait_for(lambda: self._closing or bool(self._pending) or self._client is None)
                chairs = tuple(self._pending)
            for chair in chairs:
                self._send(client, chair)

    def _dial(self) -> EngineClient | None:
        try:
            client = EngineClient.connect(
                self._runtime, "stop", lost=lambda _: self._use(None), seconds=4 * self._repeat
            )
        except SmilescapeError as error:
            _log.debug("STOP does not reach the engine: %s", error)
            return None
        self._use(client)
        if not client.alive:  # lost before it was in use
            self._use(None)
        return client

    def _send(self, client: EngineClient, chair: int) -> None:
        """Once; whoever calls repeats what was not acknowledged."""
        try:
            reply = client.request(Stop(chair=chair), self._repeat)
        except EngineLost:
            self._drop()
        except EngineBusy:
            _log.warning("STOP of chair %d is not acknowledged yet", chair)
        else:
            if isinstance(reply, Done):
                with self._changed:
                    future = self._pending.pop(chair)
                future.set_result(None)
            else:
                _log.warning("STOP of chair %d was refused: %s", chair, reply)
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, self._repeat)

    def _drop(self) -> None:
        client = self._client
        if client is not None:
            client.close()
        self._use(None)

    def _use(self, client: EngineClient | None) -> None:
        with self._changed:
            changed = (self._client is None) != (client is None)
            self._client = client
            self._changed.notify_all()
        if changed and self._connected_changed is not None:
            self._connected_changed(client is not None)

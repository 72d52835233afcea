"""The engine as the screens reach it: one connection that comes back by itself, STOP's own line, the rings.

Threads: the client calls back in threads of its own; everything is handed to the screens' thread through queued
signals. Attaching (and starting a dead engine again) waits, so it has a thread too.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from app.console.store import Store
from app.ipc.client import EngineBusy, EngineClient, EngineRefused, StopLine
from app.ipc.messages import Alive, Push, Refused, Reply, Request, Shutdown
from app.ipc.ring import RingPoll, RingReader
from core.model.errors import SmilescapeError
from core.model.words import Text

PUMP_MS = 16
ALIVE_MS = 500
RETRY_S = 0.25
PATIENCE_S = 2.0
"""How long an engine may be gone before it is started again."""
RESTART_S = 10.0
"""How long a started engine may take before it is started once more."""
SHUTDOWN_S = 15.0

_log = logging.getLogger(__name__)

Answered = Callable[[Reply], None]


class EngineBridge(QObject):
    """A `Backend` over app.ipc. `start` begins to attach; `close` ends everything.

    `restart_engine` starts a dead engine; it may wait. None: somebody else does.
    """

    _attached = Signal(object)
    _lost = Signal()
    _pushed = Signal(object)
    _replied = Signal(object, object)
    _refused = Signal(object)

    def __init__(self, runtime: Path, restart_engine: Callable[[], None] | None) -> None:
        super().__init__()
        self._runtime = runtime
        self._restart = restart_engine
        self._store: Store | None = None
        self._client: EngineClient | None = None
        self._rings: dict[int, RingReader] = {}
        self._paths: dict[int, Path] = {}
        self._gone = threading.Event()
        self._closing = threading.Event()
        self._stop_line: StopLine | None = None
        self._thread = threading.Thread(target=self._attach, name="engine-attach", daemon=True)
        for signal, slot in (
            (self._attached, self._on_attached),
            (self._lost, self._on_lost),
            (self._pushed, self._on_pushed),
            (self._replied, self._on_replied),
            (self._refused, self._on_refused),
        ):
            signal.connect(slot, Qt.ConnectionType.QueuedConnection)
        self._pump = QTimer(self)
        self._pump.setTimerType(Qt.TimerType.PreciseTimer)
        self._pump.setInterval(PUMP_MS)
        self._pump.timeout.connect(self._pump_rings)
        self._alive = QTimer(self)
        self._alive.setInterval(ALIVE_MS)
        self._alive.timeout.connect(self._say_alive)

    def start(self, store: Store) -> None:
        """Feed `store` from now on."""
        self._store = store
        self._stop_line = StopLine(self._runtime)
        self._thread.start()
        self._pump.start()
        self._alive.start()

    def close(self) -> None:
        """Let go of the engine without ending it."""
        self._closing.set()
        self._gone.set()
        self._pump.stop()
        self._alive.stop()
        if self._thread.ident is not None:
            self._thread.join()
        if self._stop_line is not None:
            self._stop_line.close()
        client, self._client = self._client, None
        if client is not None:
            client.close()
        for ring in self._rings.values():
            ring.close()
        self._rings = {}

    def shut_down_engine(self, *, hold_confirmed: bool) -> None:
        """Ask the engine to end in good order, and wait for its answer. An engine that is gone needs none."""
        if self._client is None:
            return
        try:
            reply = self._client.request(Shutdown(hold_confirmed=hold_confirmed), SHUTDOWN_S)
        except SmilescapeError as error:
            _log.warning("the engine was asked to end: %s", error)
            return
        if isinstance(reply, Refused):
            _log.warning("the engine does not end: %s", reply.code)

    # Backend

    def request(self, body: Request, done: Answered) -> None:
        if self._client is None:
            self._replied.emit(done, _AWAY)
            return
        try:
            future = self._client.submit(body)
        except EngineBusy:
            self._replied.emit(done, _BUSY)
            return
        future.add_done_callback(lambda ended: self._hand_over(done, ended))

    def stop(self, chair: int) -> None:
        if self._stop_line is not None:
            self._stop_line.stop(chair)

    def history(self, chair: int) -> RingPoll | None:
        path = self._paths.get(chair)
        if path is None:
            return None
        reader = RingReader(path, from_start=True)
        try:
            return reader.poll()
        finally:
            reader.close()

    # in other threads

    def _hand_over(self, done: Answered, ended: "Future[Reply]") -> None:
        if ended.cancelled() or ended.exception() is not None:
            self._replied.emit(done, _AWAY)
        else:
            self._replied.emit(done, ended.result())

    def _attach(self) -> None:
        """Connect, wait until the connection ends, begin again; start the engine when it stays away."""
        away = 0.0
        patience = RESTART_S
        while not self._closing.is_set():
            self._gone.clear()
            try:
                client = EngineClient.connect(self._runtime, "console", lost=lambda _: self._gone.set())
            except EngineRefused as refused:
                self._refused.emit(refused)
                return
            except SmilescapeError as error:
                _log.debug("no engine: %s", error)
                away += RETRY_S
                if self._restart is not None and away > patience:
                    away, patience = 0.0, RESTART_S
                    self._restart()
                self._closing.wait(RETRY_S)
                continue
            if self._closing.is_set():
                client.close()
                return
            self._attached.emit(client)
            self._gone.wait()
            away, patience = 0.0, PATIENCE_S
            if not self._closing.is_set():
                self._lost.emit()

    # in the screens' thread

    @Slot(object)
    def _on_attached(self, client: EngineClient) -> None:
        if self._closing.is_set() or self._store is None:
            client.close()
            return
        self._client = client
        hello = client.welcome
        self._paths = {number: Path(path) for number, path in hello.rings.items()}
        for number, path in self._paths.items():
            if number not in self._rings:
                self._rings[number] = RingReader(path)
        self._store.set_link(True)
        self._store.welcome(practice=hello.practice, data_folder=hello.data_folder, simulated=hello.simulated)
        client.subscribe(self._pushed.emit)

    @Slot()
    def _on_lost(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()
        if self._store is not None:
            self._store.set_link(False, restarting=self._restart is not None)

    @Slot(object)
    def _on_pushed(self, push: Push) -> None:
        if self._store is not None and self._client is not None:
            self._store.apply(push)

    @Slot(object, object)
    def _on_replied(self, done: Answered, reply: Reply) -> None:
        if not self._closing.is_set():
            done(reply)

    @Slot(object)
    def _on_refused(self, refused: EngineRefused) -> None:
        if self._store is not None:
            self._store.notice(refused.text, refused.remedy_text)

    def _pump_rings(self) -> None:
        assert self._store is not None
        for number, ring in self._rings.items():
            poll = ring.poll()
            if poll.blocks or poll.skipped or poll.restarted:
                self._store.samples(number, poll)

    def _say_alive(self) -> None:
        """The engine holds therapy when the screens freeze; its answer shows that it does not freeze itself."""
        if self._client is not None and self._store is not None:
            store = self._store
            self.request(Alive(), lambda reply: None if isinstance(reply, Refused) else store.heard())


_AWAY = Refused(code="console.engine_away", text=Text("shell.engine.away"), remedy=Text("shell.engine.away_remedy"))
_BUSY = Refused(code="console.engine_busy", text=Text("shell.engine.busy"), remedy=Text("shell.engine.busy_remedy"))

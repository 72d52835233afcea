"""Engine and consoles over real sockets."""

# ruff: noqa: ASYNC240 - a test may look at a file

import asyncio
import json
import os
import queue
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from multiprocessing.connection import Client
from pathlib import Path

import pytest

from app.engine.server import Server, Session
from app.ipc.address import EngineNotRunning, read_address
from app.ipc.client import EngineBusy, EngineClient, EngineLost, EngineRefused, StopLine
from app.ipc.messages import (
    MAX_MESSAGE,
    PROTOCOL,
    Alive,
    Answer,
    Ask,
    Chair,
    Done,
    Hello,
    ListPatients,
    Logout,
    Push,
    Refused,
    Reply,
    Request,
    Scan,
    Shutdown,
    Subscribe,
    Welcome,
    Workstation,
    decode_answer,
    encode,
)
from app.ipc.outbox import MAX_IN_FLIGHT
from app.ipc.wire import Wire, prove_as_client
from core.model.alarm import AudioState
from core.model.errors import SmilescapeError
from core.model.hub import LinkState
from core.model.words import Text, load_words

WAIT = 20.0


class Handler:
    """Answers like an engine; `gate` holds scans back until it is set."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.waiting = 0
        self.stops: list[int] = []
        self.stops_to_fail = 0
        self.log: asyncio.Queue[tuple[str, Session]] = asyncio.Queue()

    async def handle(self, request: Request, session: Session) -> Reply:
        match request:
            case Hello():
                return Welcome(
                    protocol=PROTOCOL, engine_pid=os.getpid(), data_folder="", rings={}, practice="", simulated=True
                )
            case ListPatients(query=query):
                return Done(detail=query)
            case Scan():
                self.waiting += 1
                await self.gate.wait()
                return Done(detail="scanned")
            case Logout():
                raise _Unhappy("The door is shut.", "Knock.")
            case _:
                raise KeyError(request)

    def stop(self, chair: int) -> None:
        if self.stops_to_fail:
            self.stops_to_fail -= 1
            raise _Unhappy("Not yet.")
        self.stops.append(chair)

    def attached(self, session: Session) -> None:
        self.log.put_nowait(("attached", session))

    def detached(self, session: Session) -> None:
        self.log.put_nowait(("detached", session))


class _Unhappy(SmilescapeError):
    code = "test.unhappy"


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    return tmp_path / "runtime"


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
async def server(runtime: Path, handler: Handler) -> AsyncIterator[Server]:
    server = Server(runtime, handler)
    await server.start()
    yield server
    handler.gate.set()
    await server.close()


@pytest.fixture
async def console(runtime: Path, server: Server) -> AsyncIterator[EngineClient]:
    client = await asyncio.to_thread(EngineClient.connect, runtime, "console")
    yield client
    await asyncio.to_thread(client.close)


async def ask(client: EngineClient, body: Request) -> Reply:
    return await asyncio.wait_for(asyncio.wrap_future(client.submit(body)), WAIT)


def dial(runtime: Path) -> Wire:
    """A connection that proved the key, for peers that then misbehave."""
    address = read_address(runtime)
    wire: Wire = Client(address.address)
    prove_as_client(wire, address.authkey, WAIT)
    return wire


def said(wire: Wire) -> Answer:
    assert wire.poll(WAIT)
    return decode_answer(wire.recv_bytes())


def hung_up(wire: Wire) -> None:
    """The engine has closed this connection."""
    assert wire.poll(WAIT)
    with pytest.raises(EOFError):
        wire.recv_bytes()


def chair(number: int, count: int, padding: int = 0) -> Chair:
    nothing = Text("x" * padding)
    return Chair(
        number=number,
        state=str(count),
        headline=nothing,
        reason=nothing,
        next_step=nothing,
        link=LinkState.UP,
    )


async def test_answers_come_to_the_request_they_belong_to(console: EngineClient) -> None:
    replies = await asyncio.gather(*(ask(console, ListPatients(query=str(n))) for n in range(50)))
    assert [reply.detail for reply in replies if isinstance(reply, Done)] == [str(n) for n in range(50)]


async def test_a_slow_request_keeps_no_other_waiting(console: EngineClient, handler: Handler) -> None:
    scan = console.submit(Scan())
    assert await ask(console, ListPatients(query="meanwhile")) == Done(detail="meanwhile")
    assert not scan.done()
    handler.gate.set()
    assert await asyncio.wait_for(asyncio.wrap_future(scan), WAIT) == Done(detail="scanned")


async def test_typed_errors_are_answers_and_others_are_faults_with_a_remedy(
    console: EngineClient, caplog: pytest.LogCaptureFixture
) -> None:
    reply = await ask(console, Logout())
    assert isinstance(reply, Refused)
    assert reply.code == "test.unhappy"
    assert load_words().tell(reply.text) == "The door is shut."
    assert reply.remedy is not None
    assert load_words().tell(reply.remedy) == "Knock."
    fault = await ask(console, Shutdown())
    assert isinstance(fault, Refused)
    assert fault.code == "ipc.failed"
    assert "KeyError" in caplog.text


async def test_the_handler_learns_who_comes_and_goes(runtime: Path, server: Server, handler: Handler) -> None:
    client = await asyncio.to_thread(EngineClient.connect, runtime, "tool")
    event, session = await asyncio.wait_for(handler.log.get(), WAIT)
    assert (event, session.role, session.pid) == ("attached", "tool", os.getpid())
    assert server.sessions == (session,)
    await asyncio.to_thread(client.close)
    assert await asyncio.wait_for(handler.log.get(), WAIT) == ("detached", session)
    assert not server.sessions


async def test_a_sign_of_life_is_noted(console: EngineClient, server: Server) -> None:
    (session,) = server.sessions
    session.heard_monotonic = 0.0
    assert await ask(console, Alive()) == Done()
    assert session.heard_monotonic > 0.0


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
async def test_only_this_user_can_find_and_reach_the_engine(runtime: Path, server: Server) -> None:
    file = runtime / "engine.json"
    assert runtime.stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o777 == 0o600
    socket_folder = Path(read_address(runtime).address).parent
    assert socket_folder.stat().st_mode & 0o777 == 0o700
    await server.close()
    assert not file.exists()
    assert not socket_folder.exists()


async def test_a_deep_data_folder_is_no_obstacle(tmp_path: Path, handler: Handler) -> None:
    runtime = tmp_path / ("d" * 120) / ("e" * 120) / "runtime"
    runtime.parent.mkdir(parents=True)
    server = Server(runtime, handler)
    await server.start()
    client = await asyncio.to_thread(EngineClient.connect, runtime, "console")
    assert client.welcome.engine_pid == os.getpid()
    await asyncio.to_thread(client.close)
    await server.close()


async def test_who_does_not_hold_the_key_is_refused_and_the_engine_serves_on(
    runtime: Path, server: Server, console: EngineClient
) -> None:
    file = runtime / "engine.json"
    honest = file.read_text(encoding="utf-8")
    file.write_text(json.dumps(json.loads(honest) | {"key": "00" * 32}), encoding="utf-8")
    with pytest.raises(EngineNotRunning):
        await asyncio.to_thread(EngineClient.connect, runtime, "console")
    file.write_text(honest, encoding="utf-8")
    assert len(server.sessions) == 1
    assert await ask(console, ListPatients(query="still here")) == Done(detail="still here")


async def test_another_version_is_refused_with_a_remedy(runtime: Path, server: Server) -> None:
    wire = await asyncio.to_thread(dial, runtime)
    wire.send_bytes(encode(Ask(7, Hello(role="console", protocol=PROTOCOL + 1))))
    answer = await asyncio.to_thread(said, wire)
    assert answer.number == 7
    assert isinstance(answer.body, Refused)
    assert answer.body.code == "ipc.version"
    assert answer.body.remedy is not None
    assert "then start it again" in load_words().tell(answer.body.remedy)
    await asyncio.to_thread(hung_up, wire)
    wire.close()
    assert EngineRefused(answer.body).text == answer.body.text
    assert server.sessions == ()


@pytest.mark.parametrize("data", [b"", b"\xff" * 100, encode(Answer(1, Done())), b"\x92\x01\x81\xa4type\xa7Nothing"])
async def test_what_makes_no_sense_closes_the_connection(
    runtime: Path, server: Server, console: EngineClient, data: bytes
) -> None:
    wire = await asyncio.to_thread(dial, runtime)
    wire.send_bytes(encode(Ask(1, Hello(role="console"))))
    assert isinstance((await asyncio.to_thread(said, wire)).body, Welcome)
    wire.send_bytes(data)
    answer = await asyncio.to_thread(said, wire)
    assert isinstance(answer.body, Refused)
    assert answer.body.code == "ipc.malformed"
    await asyncio.to_thread(hung_up, wire)
    wire.close()
    assert await ask(console, ListPatients(query="on")) == Done(detail="on")


async def test_a_message_beyond_the_limit_closes_the_connection(
    runtime: Path, server: Server, console: EngineClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    wire = await asyncio.to_thread(dial, runtime)
    wire.send_bytes(encode(Ask(1, Hello(role="console"))))
    await asyncio.to_thread(said, wire)
    os.write(wire.fileno(), struct.pack("!i", MAX_MESSAGE + 1))
    await asyncio.to_thread(hung_up, wire)
    wire.close()
    assert "bad message length" in caplog.text
    assert await ask(console, ListPatients(query="on")) == Done(detail="on")


async def test_a_subscriber_gets_the_present_state_then_changes(console: EngineClient, server: Server) -> None:
    server.publish(chair(1, 1))
    server.publish(chair(1, 2))
    server.publish(chair(2, 1))
    pushes: queue.Queue[Push] = queue.Queue()
    console.subscribe(pushes.put)
    first = [await asyncio.to_thread(pushes.get, True, WAIT) for _ in range(2)]
    assert [(push.number, push.state) for push in first if isinstance(push, Chair)] == [(1, "2"), (2, "1")]
    workstation = Workstation(operator=None, operators=(), alarms=(), audio=AudioState.ON)
    server.publish(workstation)
    assert await asyncio.to_thread(pushes.get, True, WAIT) == workstation


async def test_a_console_that_does_not_read_holds_up_nobody_and_finds_the_newest_state(
    runtime: Path, server: Server, console: EngineClient
) -> None:
    slow = await asyncio.to_thread(dial, runtime)
    for first in (Ask(1, Hello(role="console")), Ask(2, Subscribe())):
        slow.send_bytes(encode(first))
        assert (await asyncio.to_thread(said, slow)).number == first.number
    count = 2_000
    for n in range(count):
        server.publish(chair(1, n, padding=20_000))  # far more than a socket buffers
        if n % 100 == 0:
            assert await ask(console, ListPatients(query=str(n))) == Done(detail=str(n))
    states: list[int] = []
    while not states or states[-1] != count - 1:
        push = (await asyncio.to_thread(said, slow)).body
        assert isinstance(push, Chair)
        states.append(int(push.state))
    assert states == sorted(states)
    assert len(states) < count // 2
    slow.close()


async def test_a_peer_may_leave_64_requests_unanswered_and_no_more(
    runtime: Path, server: Server, console: EngineClient, handler: Handler
) -> None:
    futures: list[Future[Reply]] = [console.submit(Scan()) for _ in range(MAX_IN_FLIGHT + 20)]
    other = await asyncio.to_thread(EngineClient.connect, runtime, "tool")
    while handler.waiting < MAX_IN_FLIGHT:
        await ask(other, Alive())
    for _ in range(20):
        await ask(other, Alive())
    assert handler.waiting == MAX_IN_FLIGHT
    handler.gate.set()
    await asyncio.wait_for(asyncio.gather(*map(asyncio.wrap_future, futures)), WAIT)
    await asyncio.to_thread(other.close)


async def test_stop_passes_a_console_whose_requests_all_wait(
    runtime: Path, server: Server, console: EngineClient, handler: Handler
) -> None:
    for _ in range(MAX_IN_FLIGHT + 20):
        console.submit(Scan())
    line = StopLine(runtime)
    await asyncio.wait_for(asyncio.wrap_future(line.stop(2)), WAIT)
    assert handler.stops == [2]
    await asyncio.to_thread(line.close)


async def test_stop_is_repeated_until_the_engine_acknowledges(runtime: Path, server: Server, handler: Handler) -> None:
    handler.stops_to_fail = 3
    line = StopLine(runtime, repeat_seconds=0.01)
    await asyncio.wait_for(asyncio.wrap_future(line.stop(0)), WAIT)
    assert handler.stops_to_fail == 0
    assert handler.stops == [0]
    await asyncio.to_thread(line.close)


async def test_the_stop_line_carries_nothing_else(runtime: Path, server: Server) -> None:
    client = await asyncio.to_thread(EngineClient.connect, runtime, "stop")
    reply = await ask(client, ListPatients())
    assert isinstance(reply, Refused)
    assert reply.code == "ipc.stop_only"
    await asyncio.to_thread(client.close)


async def test_a_stop_pressed_without_an_engine_reaches_the_next_one(runtime: Path, handler: Handler) -> None:
    states: queue.Queue[bool] = queue.Queue()
    line = StopLine(runtime, connected_changed=states.put, repeat_seconds=0.02)
    stopped = line.stop(1)
    for _ in range(2):  # the second engine is found as well
        server = Server(runtime, handler)
        await server.start()
        assert await asyncio.to_thread(states.get, True, WAIT) is True
        await asyncio.wait_for(asyncio.wrap_future(stopped), WAIT)
        await server.close()
        assert await asyncio.to_thread(states.get, True, WAIT) is False
        stopped = line.stop(2)
    assert handler.stops == [1, 2]
    await asyncio.to_thread(line.close)
    assert stopped.cancelled()


async def test_closing_answers_what_runs_and_tells_the_consoles(
    runtime: Path, server: Server, handler: Handler
) -> None:
    lost: Future[EngineLost] = Future()
    client = await asyncio.to_thread(lambda: EngineClient.connect(runtime, "console", lost=lost.set_result))
    scan = client.submit(Scan())
    while not handler.waiting:
        await ask(client, Alive())
    closing = asyncio.create_task(server.close())
    handler.gate.set()
    assert await asyncio.wait_for(asyncio.wrap_future(scan), WAIT) == Done(detail="scanned")
    await closing
    assert (await asyncio.wait_for(asyncio.wrap_future(lost), WAIT)).code == "ipc.engine_lost"
    with pytest.raises(EngineLost):
        await ask(client, Alive())
    await asyncio.to_thread(client.close)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(("ipc-", "engine-"))]


async def test_a_request_that_takes_too_long_ends_for_the_caller_alone(console: EngineClient, handler: Handler) -> None:
    with pytest.raises(EngineBusy):
        await asyncio.to_thread(console.request, Scan(), 0.05)
    handler.gate.set()
    assert await ask(console, ListPatients(query="on")) == Done(detail="on")


# with processes


class Spawned:
    """A process and the lines it prints."""

    def __init__(self, *command: str) -> None:
        pipe = subprocess.PIPE
        env = os.environ | {"PYTHONPATH": str(Path.cwd())}
        self.process = subprocess.Popen([sys.executable, *command], stdin=pipe, stdout=pipe, text=True, env=env)
        self.pid = self.process.pid
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def line(self) -> str:
        return self._lines.get(timeout=WAIT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        self.kill()
        self._reader.join()
        assert self.process.stdin is not None
        self.process.stdin.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(line.strip())


@pytest.fixture
def spawn() -> Iterator[Callable[..., Spawned]]:
    spawned: list[Spawned] = []

    def start(*command: str) -> Spawned:
        spawned.append(Spawned(*command))
        return spawned[-1]

    yield start
    for each in spawned:
        each.end()


@pytest.fixture
def engine(runtime: Path, spawn: Callable[..., Spawned]) -> Callable[[], Spawned]:
    def start() -> Spawned:
        process = spawn(str(Path(__file__).with_name("engine_process.py")), str(runtime))
        assert process.line() == "ready"
        return process

    return start


def test_an_engine_that_was_killed_is_told_lost_and_its_address_is_stale(
    runtime: Path, engine: Callable[[], Spawned]
) -> None:
    first = engine()
    lost: Future[EngineLost] = Future()
    client = EngineClient.connect(runtime, "console", lost=lost.set_result)
    assert client.welcome.engine_pid == first.pid
    left = Path(read_address(runtime).address)
    first.kill()
    assert lost.result(WAIT).code == "ipc.engine_lost"
    client.close()
    assert (runtime / "engine.json").exists()
    with pytest.raises(EngineNotRunning) as gone:
        EngineClient.connect(runtime, "console")
    assert gone.value.remedy
    second = engine()
    again = EngineClient.connect(runtime, "console")
    assert again.welcome.engine_pid == second.pid
    again.close()
    assert not left.exists()


CONSOLE = """
import sys, time
from pathlib import Path
from app.ipc.client import EngineClient
client = EngineClient.connect(Path(sys.argv[1]), "console")
print("connected", flush=True)
sys.stdin.read()
"""


def test_the_engine_notices_at_once_that_a_console_was_killed(
    runtime: Path, engine: Callable[[], Spawned], spawn: Callable[..., Spawned]
) -> None:
    running = engine()
    console = spawn("-c", CONSOLE, str(runtime))
    assert console.line() == "connected"
    assert running.line() == f"attached console {console.pid}"
    console.kill()
    assert running.line() == f"detached console {console.pid}"


@pytest.mark.skipif(sys.platform == "win32", reason="SIGSTOP")
def test_a_frozen_engine_freezes_no_console_and_stop_reaches_it_when_it_thaws(
    runtime: Path, engine: Callable[[], Spawned]
) -> None:
    running = engine()
    line = StopLine(runtime, repeat_seconds=0.05)
    line.stop(9).result(WAIT)
    assert running.line().startswith("attached stop")
    assert running.line() == "stop 9"
    os.kill(running.pid, signal.SIGSTOP)
    stopped = line.stop(1)
    with pytest.raises(EngineNotRunning):
        EngineClient.connect(runtime, "console", seconds=0.2)
    assert not stopped.done()
    os.kill(running.pid, signal.SIGCONT)
    stopped.result(WAIT)
    assert running.line() == "stop 1"
    line.close()

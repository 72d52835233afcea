"""The bridge against an engine that is a process of its own, killed and started again."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.console.bridge import EngineBridge
from app.console.store import Store
from app.ipc.messages import ListPatients, Refused, Reply, Welcome

ENGINE = Path(__file__).parents[1] / "ipc" / "engine_process.py"
WAIT_MS = 20_000


class Engines:
    """Starts engines on one runtime folder; `told` is what the newest printed."""

    def __init__(self, runtime: Path) -> None:
        self._runtime = runtime
        self._log = runtime.parent / "engine.log"
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        with self._log.open("ab") as log:
            root = Path(__file__).parents[3]
            command = [sys.executable, os.fspath(ENGINE), os.fspath(self._runtime)]
            env = {**os.environ, "PYTHONPATH": os.fspath(root)}
            self.started.append(subprocess.Popen(command, stdout=log, stderr=log, env=env))

    def told(self) -> list[str]:
        return self._log.read_text().splitlines() if self._log.exists() else []

    def kill(self) -> None:
        self.started[-1].kill()
        self.started[-1].wait()


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Engines]:
    made = Engines(tmp_path / "run")
    yield made
    for process in made.started:
        process.send_signal(signal.SIGTERM)
        process.wait()


@pytest.fixture
def bridge(engines: Engines, tmp_path: Path, qapp: QApplication) -> Iterator[EngineBridge]:
    made = EngineBridge(tmp_path / "run", engines.start)
    yield made
    made.close()


def test_a_killed_engine_is_noticed_started_again_and_stop_reaches_the_new_one(
    qtbot: QtBot, bridge: EngineBridge, engines: Engines
) -> None:
    store = Store(bridge)
    engines.start()
    bridge.start(store)
    qtbot.waitUntil(lambda: store.connected, timeout=WAIT_MS)
    replies: list[Reply] = []
    store.ask(ListPatients(), replies.append)
    qtbot.waitUntil(lambda: bool(replies), timeout=WAIT_MS)
    assert isinstance(replies[0], Welcome)
    store.stop(2)
    qtbot.waitUntil(lambda: "stop 2" in engines.told(), timeout=WAIT_MS)

    engines.kill()
    qtbot.waitUntil(lambda: not store.connected, timeout=WAIT_MS)
    assert store.restarting
    store.ask(ListPatients(), replies.append)
    qtbot.waitUntil(lambda: len(replies) == 2, timeout=WAIT_MS)
    assert isinstance(replies[1], Refused)
    store.stop(0)

    qtbot.waitUntil(lambda: store.connected, timeout=WAIT_MS)
    assert len(engines.started) == 2
    qtbot.waitUntil(lambda: "stop 0" in engines.told(), timeout=WAIT_MS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_the_console_in_good_order(
    engines: Engines, tmp_path: Path, qtbot: QtBot, number: signal.Signals
) -> None:
    script = (
        "import sys; from pathlib import Path; from app.console.run import run_console; "
        "sys.exit(run_console(Path(sys.argv[1]), restart_engine=None, on_quit=lambda held: print('quit', held)))"
    )
    engines.start()
    env = {**os.environ, "PYTHONPATH": os.fspath(Path(__file__).parents[3])}
    command = [sys.executable, "-X", "dev", "-c", script, os.fspath(tmp_path / "run")]
    console = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    attached = f"attached console {console.pid}"
    qtbot.waitUntil(lambda: attached in engines.told() or console.poll() is not None, timeout=WAIT_MS)
    console.send_signal(number)
    out, errors = console.communicate(timeout=WAIT_MS / 1000)
    assert console.returncode == 0, errors.decode()
    assert out.decode().split() == ["quit", "False"]
    assert "Traceback" not in errors.decode()

"""The real window, killed in the middle of a treatment: recording goes on, therapy holds, nothing resumes by itself."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.clinic.config import read_clinic
from app.ipc.address import EngineNotRunning, read_address
from app.ipc.client import EngineClient
from app.workplace import END_SECONDS
from core.model.alarm import AlarmState
from core.model.hub import TherapyState
from core.model.procedure import HoldOrigin, PhaseState, Step
from tests.integration.practice import PATIENCE_S, Practice

ROOT = Path(__file__).resolve().parent.parent.parent


class Workstation(Practice):
    """`main.py demo` as a person starts it; the test looks on as a tool, which nobody takes for a console."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.console = self.open_window()
        super().__init__(root, chairs=2)
        self.attach()

    def open_window(self) -> "subprocess.Popen[bytes]":
        """Returns once an engine answers."""
        self.console = subprocess.Popen(
            [sys.executable, "main.py", "demo", "--data", str(self.root)],
            cwd=ROOT,
            env=dict(os.environ, QT_QPA_PLATFORM="offscreen"),
            stdout=subprocess.DEVNULL,
        )
        return self.console

    def attach(self) -> None:
        give_up = threading.Event()
        timer = threading.Timer(PATIENCE_S, give_up.set)
        timer.start()
        while True:
            try:
                self._client = EngineClient.connect(self.root / "runtime", "tool")
                break
            except EngineNotRunning:
                assert not give_up.wait(0.1), "no engine came up"
        timer.cancel()
        self._client.subscribe(self._pushed)


@pytest.fixture
def workstation(tmp_path: Path) -> Iterator[Workstation]:
    one = Workstation(tmp_path / "data")
    try:
        yield one
    finally:
        one.console.kill()
        one.console.wait()
        one.close()


def test_a_killed_window_loses_nothing_and_resumes_nothing(workstation: Workstation) -> None:
    visit = workstation.seat()
    workstation.walk_to_treatment()
    engine = read_address(workstation.engine.runtime).pid

    workstation.console.send_signal(signal.SIGKILL)
    workstation.console.wait()

    workstation.until(lambda: workstation.view().hold)
    hold = workstation.view().hold
    assert hold is not None
    assert hold.origin is HoldOrigin.CONSOLE
    workstation.until(lambda: workstation.chairs[1].hub.therapy is TherapyState.HELD)  # type: ignore[union-attr]
    before = _samples(workstation)
    newest = workstation.chairs[1].hub
    assert newest is not None
    workstation.until(lambda: workstation.chairs[1].hub.newest_sequence > newest.newest_sequence + 100)  # type: ignore[union-attr]
    assert _samples(workstation) > before, "recording stopped with the window"

    workstation.open_window()
    workstation.states.clear()
    workstation.until(lambda: "console.lost" in _latched(workstation))
    stood = workstation.chairs[1].hub
    assert stood is not None
    workstation.until(lambda: workstation.chairs[1].hub.newest_sequence > stood.newest_sequence + 150)  # type: ignore[union-attr]
    assert read_address(workstation.engine.runtime).pid == engine
    assert workstation.view().visit_id == visit
    assert workstation.view().step is Step.TREAT
    assert workstation.view().hold is not None
    assert not any(phase.state is PhaseState.RUNNING for phase in workstation.view().phases)
    assert "treating" not in workstation.states

    _close(workstation, engine)


def _close(workstation: Workstation, engine: int) -> None:
    """A window that is closed ends every process that was started."""
    clinic = read_clinic(workstation.engine.runtime)
    assert clinic is not None
    started = [psutil.Process(engine), psutil.Process(clinic.pid), *psutil.Process(clinic.pid).children(recursive=True)]
    assert len(started) >= 4
    workstation.detach()
    workstation.console.send_signal(signal.SIGINT)
    assert workstation.console.wait(END_SECONDS + PATIENCE_S) == 0
    _, alive = psutil.wait_procs(started, timeout=PATIENCE_S)
    assert alive == []


def _samples(workstation: Workstation) -> int:
    with workstation.reader() as reader:
        return reader.info().samples


def _latched(workstation: Workstation) -> list[str]:
    assert workstation.workstation is not None
    latched = (alarm for alarm in workstation.workstation.alarms if alarm.state is AlarmState.LATCHED)
    return [alarm.kind for alarm in latched]

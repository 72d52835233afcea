"""Starts and restarts the processes: the engine, and for a demo the simulated clinic. Knows no Qt and no asyncio."""

import contextlib
import logging
import subprocess
import sys
import time
from pathlib import Path
from typing import BinaryIO

import msgspec
import psutil

from app.clinic.config import ClinicAddress, ClinicConfig, read_clinic
from app.engine_config import EngineConfig
from app.ipc.address import EngineNotRunning, read_address
from core.model.errors import SmilescapeError

log = logging.getLogger(__name__)

START_SECONDS = 30.0
POLL_SECONDS = 0.05
ROOT = Path(__file__).resolve().parent.parent


class StartFailed(SmilescapeError):  # noqa: N818
    """A process that we need did not start; the message is what it said itself."""

    code = "launch.failed"


class EngineProcess:
    """The engine of one data folder, started here or found running.

    It outlives this process: a console that is killed must not take the recording with it.

    Args:
        module: what Python runs as the engine.
    """

    def __init__(self, config: EngineConfig, folder: Path, *, module: str = "app.engine") -> None:
        self._config = config
        self._folder = folder
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = folder / "log" / "engine.err"

    @property
    def runtime(self) -> Path:
        return self._folder / "runtime"

    def ensure(self) -> int:
        """Start the engine unless one runs; returns its process id.

        Raises:
            StartFailed: it ended at once, with its own words.
        """
        _reap(self._process)
        with contextlib.suppress(EngineNotRunning):
            return read_address(self.runtime).pid
        with _errors_to(self._errors) as errors:
            self._process = spawn(["-m", self._module], msgspec.json.encode(self._config), errors)
        return self._await_address(self._process)

    def revive(self) -> None:
        """Start it again when it died. Raises StartFailed."""
        self.ensure()

    def terminate(self) -> None:
        """Ask the engine to end in good order, if there is one."""
        with contextlib.suppress(EngineNotRunning, psutil.NoSuchProcess):
            psutil.Process(read_address(self.runtime).pid).terminate()

    def wait(self, seconds: float) -> bool:
        """Wait for the engine to end; True when it has."""
        try:
            pid = read_address(self.runtime).pid
        except EngineNotRunning:
            pid = self._process.pid if self._process is not None else 0
        return ended(pid, seconds, self._process)

    def _await_address(self, process: "subprocess.Popen[bytes]") -> int:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                said = self._errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise StartFailed(said[-1] if said else f"The engine ended with code {process.returncode}.")
            with contextlib.suppress(EngineNotRunning):
                if read_address(self.runtime).pid == process.pid:
                    return process.pid
            time.sleep(POLL_SECONDS)
        process.kill()
        raise StartFailed(
            f"The engine did not answer within {START_SECONDS:.0f} s.", f"Look into {self._folder / 'log'}."
        )


class ClinicProcess:
    """The simulated clinic: air, hubs and sensors, for one demo data folder."""

    def __init__(self, config: ClinicConfig, folder: Path) -> None:
        self._config = config
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def ensure(self) -> ClinicAddress:
        """Start the clinic unless one runs. Raises StartFailed."""
        _reap(self._process)
        runtime = self._folder / "runtime"
        found = read_clinic(runtime)
        if found is not None:
            return found
        log_dir = self._folder / "log"
        with _errors_to(log_dir / "clinic.err") as errors:
            self._process = spawn(["-m", "app.clinic"], msgspec.json.encode(self._config), errors)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            found = read_clinic(runtime)
            if found is not None:
                return found
            if self._process.poll() is not None:
                said = (log_dir / "clinic.err").read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise StartFailed(said[-1] if said else "The simulated clinic ended.", f"Look into {log_dir}.")
            time.sleep(POLL_SECONDS)
        self._process.kill()
        raise StartFailed("The simulated clinic did not start.", f"Look into {log_dir}.")

    def revive(self) -> None:
        """Start it again when it died. Raises StartFailed."""
        self.ensure()

    def end(self) -> None:
        """End it and everything it started."""
        found = read_clinic(self._folder / "runtime")
        pid = found.pid if found is not None else (self._process.pid if self._process is not None else 0)
        if not pid:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(pid).terminate()
        if not ended(pid, 5.0, self._process):
            with contextlib.suppress(psutil.NoSuchProcess):
                for child in psutil.Process(pid).children(recursive=True):
                    child.kill()
                psutil.Process(pid).kill()


def _errors_to(path: Path) -> BinaryIO:
    """Where a process says why it could not start. Raises StartFailed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb")
    except OSError as error:
        raise StartFailed(f"{path} cannot be written: {error.strerror}.", "Choose another data folder.") from error


def _reap(process: "subprocess.Popen[bytes] | None") -> None:
    """Let a child that has died be gone, so that nobody takes it for living."""
    if process is not None:
        process.poll()


def spawn(arguments: list[str], stdin: bytes, errors: "subprocess._FILE") -> "subprocess.Popen[bytes]":
    """A process of ours that does not die with this one, nor hears its Ctrl-C; secrets go in through `stdin`."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        start_new_session=sys.platform != "win32",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(stdin)
        process.stdin.close()
    return process


def ended(pid: int, seconds: float, process: "subprocess.Popen[bytes] | None") -> bool:
    """Wait for a process to end; reaps it when it is our own child."""
    if process is not None and process.pid == pid:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True
    try:
        psutil.Process(pid).wait(seconds)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True

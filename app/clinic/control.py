"""Faults for the simulated hubs, from a console or a test to the clinic, over a local socket with a key."""

import contextlib
import logging
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener
from pathlib import Path

import msgspec

from app.clinic.config import Trigger, read_clinic
from core.model.errors import SmilescapeError

log = logging.getLogger(__name__)

MAX_BYTES = 4096


class ClinicNotRunning(SmilescapeError):  # noqa: N818
    """There is no simulated clinic to break."""

    code = "clinic.absent"


def trigger(runtime: Path, what: Trigger) -> None:
    """Ask the running clinic for a fault. Raises ClinicNotRunning."""
    found = read_clinic(runtime)
    if found is None:
        raise ClinicNotRunning("The simulated clinic does not run.", "Start the demo again.")
    try:
        with Client(found.control, authkey=bytes.fromhex(found.key)) as connection:
            connection.send_bytes(msgspec.json.encode(what))
            connection.recv_bytes(MAX_BYTES)
    except (OSError, EOFError, AuthenticationError) as error:
        raise ClinicNotRunning(f"The simulated clinic does not answer: {error}.", "Start the demo again.") from error


class ControlListener:
    """Takes triggers in a thread of its own; `heard` is called there, and the sender is answered after it returned."""

    def __init__(self, key: bytes, heard: Callable[[Trigger], None]) -> None:
        self._folder = "" if sys.platform == "win32" else tempfile.mkdtemp(prefix="smilescape-clinic-")
        name = rf"\\.\pipe\smilescape-clinic-{os.getpid()}" if sys.platform == "win32" else f"{self._folder}/control"
        self._listener = Listener(name, "AF_PIPE" if sys.platform == "win32" else "AF_UNIX", authkey=key)
        self._heard = heard
        self.address = name
        threading.Thread(target=self._serve, name="clinic-control", daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _serve(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except AuthenticationError:
                log.warning("refused a control connection that does not hold the key")
                continue
            except (OSError, EOFError):
                return
            with contextlib.suppress(OSError, EOFError), connection:
                try:
                    self._heard(msgspec.json.decode(connection.recv_bytes(MAX_BYTES), type=Trigger))
                except msgspec.MsgspecError as error:
                    log.warning("not a trigger: %s", error)
                connection.send_bytes(b"ok")

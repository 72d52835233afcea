"""Where the engine listens: `engine.json` in the runtime folder, for a console that was started later or again.

A Unix socket's path may have 108 bytes at most, so the socket lies in a short private folder of its own and
`engine.json` says where.
"""

import contextlib
import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import msgspec
import psutil

from core.model.errors import SmilescapeError

KEY_BYTES = 32
FILE_NAME = "engine.json"
_PREFIX = "smilescape-"
_LONGEST_BASE = 70


class EngineNotRunning(SmilescapeError):  # noqa: N818
    """No engine serves this data folder."""

    code = "ipc.engine_not_running"


class EngineAddress(msgspec.Struct, frozen=True):
    """How to reach an engine.

    Attributes:
        address: path of the Unix socket, or name of the Windows pipe.
        key: shared secret as hex; whoever can read this file may talk to the engine.
        pid: the engine's process.
        started_us: UTC µs of its start.
    """

    address: str
    key: str
    pid: int
    started_us: int

    @property
    def authkey(self) -> bytes:
        return bytes.fromhex(self.key)


def choose_address(started_us: int) -> EngineAddress:
    """A fresh address and key for this process."""
    if sys.platform == "win32":
        address = rf"\\.\pipe\{_PREFIX}{secrets.token_hex(16)}"
    else:
        base = tempfile.gettempdir()
        short = len(os.fsencode(base)) <= _LONGEST_BASE
        folder = tempfile.mkdtemp(prefix=_PREFIX, dir=base if short else "/tmp")
        address = str(Path(folder) / "engine")
    return EngineAddress(address, secrets.token_hex(KEY_BYTES), os.getpid(), started_us)


def write_address(runtime: Path, address: EngineAddress) -> None:
    """Publish atomically; only this user can read it. Removes what a killed predecessor left behind."""
    _sweep(runtime)
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    runtime.chmod(0o700)
    file = runtime / FILE_NAME
    draft = runtime / f".{FILE_NAME}.{os.getpid()}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(msgspec.json.encode(address))
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)


def read_address(runtime: Path) -> EngineAddress:
    """The living engine's address.

    Raises:
        EngineNotRunning: there is none, or the file was left by an engine that is gone.
    """
    address = _read(runtime)
    if address is None:
        raise EngineNotRunning(f"No engine serves {runtime.parent}.", "Start the workstation.")
    if not psutil.pid_exists(address.pid):
        raise EngineNotRunning(f"The engine (process {address.pid}) has ended.", "Start it again.")
    return address


def withdraw_address(runtime: Path, address: EngineAddress) -> None:
    """Remove what `write_address` wrote, unless another engine has replaced it since."""
    if _read(runtime) == address:
        (runtime / FILE_NAME).unlink(missing_ok=True)
    _remove_socket(address)


def _read(runtime: Path) -> EngineAddress | None:
    try:
        return msgspec.json.decode((runtime / FILE_NAME).read_bytes(), type=EngineAddress)
    except (OSError, msgspec.MsgspecError):
        return None


def _sweep(runtime: Path) -> None:
    """Remove the socket folder of a dead engine. The engine lock says that no other engine lives here."""
    left = _read(runtime)
    if left is not None and left.pid != os.getpid() and not psutil.pid_exists(left.pid):
        _remove_socket(left)


def _remove_socket(address: EngineAddress) -> None:
    if sys.platform == "win32":
        return
    folder = Path(address.address).parent
    with contextlib.suppress(OSError):
        if folder.name.startswith(_PREFIX) and folder.stat().st_uid == os.getuid():
            shutil.rmtree(folder)

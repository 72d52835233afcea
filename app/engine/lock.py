"""One engine per data folder."""

import contextlib
import os
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from core.model.errors import SmilescapeError


class EngineRunning(SmilescapeError):  # noqa: N818
    """Another engine serves this data folder. `pid` is its process, None when it cannot be told."""

    code = "engine.running"

    def __init__(self, root: Path, pid: int | None) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            f"{root} is already served by {who}.", "Use the window that is open, or end that process first."
        )
        self.pid = pid


class EngineLock:
    """Held for the engine's whole life; the system lets it go when the process dies, however it dies."""

    def __init__(self, runtime: Path) -> None:
        self._root = runtime.parent
        # The process id lies beside the lock: on Windows a locked file cannot be read.
        self._owner = runtime / "engine.pid"
        self._lock = FileLock(runtime / "engine.lock", timeout=0, thread_local=False, fallback_to_soft=False)

    def acquire(self) -> None:
        """
        Raises:
            EngineRunning: another engine holds it.
        """
        try:
            self._lock.acquire()
        except Timeout:
            raise EngineRunning(self._root, self._pid()) from None
        self._owner.write_text(f"{os.getpid()}\n", encoding="ascii")

    def release(self) -> None:
        self._owner.unlink(missing_ok=True)
        self._lock.release()

    def _pid(self) -> int | None:
        with contextlib.suppress(OSError, ValueError):
            return int(self._owner.read_text(encoding="ascii"))
        return None

    def __enter__(self) -> "EngineLock":
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

"""A child process of the engine that talks in frames over its standard input and output.

It ends when its input ends, so it never outlives the engine. Secrets go through the pipe, never through arguments
or environment, which other processes can read.
"""

import asyncio
import contextlib
import sys
from pathlib import Path

from app.ipc.frames import HEAD, body_length, pack_frame

_ROOT = Path(__file__).resolve().parents[2]


class Helper:
    """One running child."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Use `start`."""
        self._process = process

    @classmethod
    async def start(cls, module: str, *arguments: str) -> "Helper":
        """Run `python -m module`. Raises OSError when the system cannot start it."""
        pipe = asyncio.subprocess.PIPE
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", module, *arguments, stdin=pipe, stdout=pipe, cwd=_ROOT
            )
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    def send(self, body: bytes) -> None:
        """Queue a frame; nothing when the child has gone, which `receive` and `died` tell."""
        assert self._process.stdin is not None
        if not self._process.stdin.is_closing():
            self._process.stdin.write(pack_frame(body))

    async def receive(self, limit: int) -> bytes | None:
        """The child's next frame; None once it has gone. Raises FrameTooLong."""
        assert self._process.stdout is not None
        try:
            head = await self._process.stdout.readexactly(HEAD.size)
            return await self._process.stdout.readexactly(body_length(head, limit))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    def hang_up(self) -> None:
        """End its input, which ends it."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def died(self) -> int:
        """Wait for the child's end; its exit code."""
        return await self._process.wait()

    async def end(self) -> None:
        """Kill it and wait until it is gone. It holds nothing that could be lost."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._process.stdout.read()
        self._process.stdin.close()
        with contextlib.suppress(ConnectionError):
            await self._process.stdin.wait_closed()

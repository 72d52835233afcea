# ruff: noqa: T201 - printing is how it talks to the test
"""A small engine for tests, as a process of its own: `python engine_process.py RUNTIME`. Prints what happens to it."""

import asyncio
import os
import sys
from pathlib import Path

from app.engine.server import Server, Session
from app.ipc.messages import PROTOCOL, Reply, Request, Welcome


class Handler:
    async def handle(self, request: Request, session: Session) -> Reply:
        return Welcome(protocol=PROTOCOL, engine_pid=os.getpid(), data_folder="", rings={}, practice="", simulated=True)

    def stop(self, chair: int) -> None:
        print(f"stop {chair}", flush=True)

    def attached(self, session: Session) -> None:
        print(f"attached {session.role} {session.pid}", flush=True)

    def detached(self, session: Session) -> None:
        print(f"detached {session.role} {session.pid}", flush=True)


async def main() -> None:
    server = Server(Path(sys.argv[1]), Handler())
    await server.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())

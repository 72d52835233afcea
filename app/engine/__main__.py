"""The engine's process: reads its configuration from standard input, runs until it is told to end.

Exit codes: 0 ended in good order; 3 could not start, 4 met a fault: each with one line on standard error that says why
and what to do.
"""

import asyncio
import logging
import logging.handlers
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec

from app.engine.house import Engine
from app.engine.lock import EngineLock
from app.engine.promptness import promptness
from app.engine.runtime import Folder
from app.engine_config import EngineConfig
from core.model.errors import SmilescapeError
from core.model.traces import install, log_plainly

CANNOT_START = 3
FAULT = 4
LOG_BYTES = 4 * 1024 * 1024


def main() -> int:
    install()
    try:
        config = msgspec.json.decode(sys.stdin.buffer.read(), type=EngineConfig)
        folder = Folder.open(Path(config.data_folder), simulated=config.simulated)
        _log_to(folder.log_dir / "engine.log")
        with EngineLock(folder.runtime_dir):
            asyncio.run(run(config, folder))
    except SmilescapeError as error:
        logging.getLogger(__name__).error("cannot run: %s", error)
        print(error, file=sys.stderr)  # noqa: T201 - the launcher reads it
        return CANNOT_START
    except msgspec.MsgspecError as error:
        print(f"The engine's configuration is not valid: {error}.", file=sys.stderr)  # noqa: T201
        return CANNOT_START
    except Exception as error:
        logging.getLogger(__name__).exception("the engine met a fault")
        print(f"The engine met a fault: {type(error).__name__}. Send the log to support.", file=sys.stderr)  # noqa: T201
        return FAULT
    return 0


async def run(config: EngineConfig, folder: Folder) -> None:
    """One engine, from opening its files to closing them."""
    engine = Engine(config, folder)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_unexpected)
    if sys.platform != "win32":
        loop.add_signal_handler(signal.SIGTERM, engine.ended.set)
        loop.add_signal_handler(signal.SIGINT, lambda: None)  # Ctrl-C belongs to the console, which ends us in order
    try:
        await engine.open()
        with promptness():
            await engine.ended.wait()
    finally:
        await engine.close()


def _unexpected(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What no task took care of: asyncio's own words, which repeat no value, and the plain trace."""
    logging.getLogger(__name__).error("%s", context.get("message"), exc_info=context.get("exception"))


def _log_to(path: Path) -> None:
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=3, encoding="utf-8")
    log_plainly(handler, logging.INFO)
    logging.getLogger("bumble").setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())

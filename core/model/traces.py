"""Traces without values: where something failed and what kind of error it was, never what it said.

The message of an error often repeats what somebody typed, and a log outlives the screen. Which line of which file
raised what is enough to find a fault.
"""

import contextlib
import logging
import sys
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import TextIO

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_MOST_FRAMES = 60
_Caught = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def plain_trace(error: BaseException) -> str:
    """Frames and kinds of an error and of what led to it, the first cause first."""
    return "\n".join(line for one in reversed(list(_chain(error))) for line in _lines(one))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _lines(error: BaseException) -> Iterator[str]:
    trace: TracebackType | None = error.__traceback__
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"  {code.co_filename}:{trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    yield from frames[-_MOST_FRAMES:]
    yield f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _lines(part)


class PlainFormatter(logging.Formatter):
    """Log lines whose traces carry no values."""

    def __init__(self) -> None:
        super().__init__(FORMAT)

    def formatException(self, ei: _Caught) -> str:
        return plain_trace(ei[1]) if ei[1] is not None else ""


def install(stream: TextIO | None = None) -> None:
    """What nobody caught, in any thread, leaves a plain trace; a crash leaves no core file."""
    logging.raiseExceptions = False  # a line that cannot be written would print its values

    def say(what: str, error: BaseException | None) -> None:
        out = stream or sys.stderr
        if out is not None and error is not None and not isinstance(error, KeyboardInterrupt):
            with contextlib.suppress(OSError, ValueError):
                out.write(f"{what}\n{plain_trace(error)}\n")
                out.flush()

    sys.excepthook = lambda _kind, error, _trace: say("An error that nobody expected:", error)
    sys.unraisablehook = lambda hooked: say("An error while something ended:", hooked.exc_value)
    threading.excepthook = lambda hooked: say("A thread failed:", hooked.exc_value)
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def log_plainly(handler: logging.Handler, level: int) -> None:
    """The root logger writes to this handler alone."""
    handler.setFormatter(PlainFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)

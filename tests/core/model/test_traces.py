"""Traces say where and what kind, and never what."""

import asyncio
import io
import logging
import os
import subprocess
import sys
from pathlib import Path

from core.model.traces import PlainFormatter, plain_trace

SECRET = "Xanthopoulakis"
ROOT = Path(__file__).parents[3]


def fail(name: str) -> None:
    try:
        int(name)
    except ValueError as error:
        raise KeyError(name) from error


def test_a_trace_names_lines_and_kinds_of_every_cause_and_no_value() -> None:
    try:
        fail(SECRET)
    except KeyError as error:
        said = plain_trace(error)
        grouped = plain_trace(ExceptionGroup(SECRET, [error]))
    assert SECRET not in said + grouped
    assert said.splitlines()[-1] == "builtins.KeyError"
    assert "builtins.ValueError" in said
    assert "test_traces.py:" in said
    assert " in fail" in said
    assert "builtins.KeyError" in grouped


def test_a_log_line_keeps_its_message_and_its_trace_no_value() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlainFormatter())
    log = logging.Logger("traces")
    log.addHandler(handler)
    try:
        fail(SECRET)
    except KeyError:
        log.exception("it failed")
    assert "it failed" in stream.getvalue()
    assert "builtins.KeyError" in stream.getvalue()
    assert SECRET not in stream.getvalue()


PROGRAM = f"""
import asyncio, logging, sys, threading
from core.model.traces import install, log_plainly
install()
log_plainly(logging.StreamHandler(), logging.INFO)
def fail(): raise ValueError("{SECRET}")
thread = threading.Thread(target=fail); thread.start(); thread.join()
class Ends:
    def __del__(self): fail()
Ends()
logging.getLogger("x").error("%d", "{SECRET}")
import resource
assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
fail()
"""


def test_nothing_that_nobody_catches_says_a_value() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("builtins.ValueError") == 3
    assert SECRET not in done.stderr.replace(PROGRAM, "")


async def test_the_engines_loop_says_no_value_of_a_task_that_nobody_awaited() -> None:
    from app.engine.__main__ import _unexpected

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlainFormatter())
    logger = logging.getLogger("app.engine.__main__")
    logger.addHandler(handler)
    loop = asyncio.get_running_loop()
    try:
        _unexpected(loop, {"message": "Task exception was never retrieved", "exception": ValueError(SECRET)})
    finally:
        logger.removeHandler(handler)
    assert "never retrieved" in stream.getvalue()
    assert SECRET not in stream.getvalue()

"""Keeping the machine awake, with real processes. The inhibitor itself is stood in for by commands that act like it."""

import os
import signal
import sys

import psutil
import pytest

from app.engine.clock import SystemAsyncClock
from app.engine.sleep import SleepGuard, SleepState
from core.model.words import load_words

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows needs no process for it")


def children() -> list[psutil.Process]:
    return psutil.Process().children()


async def test_it_holds_until_released_and_may_be_asked_again() -> None:
    guard = SleepGuard(SystemAsyncClock(), ["nice"])  # runs what follows, as an inhibitor does
    assert guard.state is SleepState.OFF
    assert await guard.hold() is SleepState.ACTIVE
    assert await guard.hold() is SleepState.ACTIVE
    assert len(children()) == 1
    await guard.release()
    assert guard.state is SleepState.OFF
    assert children() == []
    assert await guard.hold() is SleepState.ACTIVE
    await guard.release()


@pytest.mark.parametrize("command", [["false"], ["there-is-no-such-command"], ["true"], []])
async def test_where_it_is_refused_it_says_so_and_does_not_fail(command: list[str]) -> None:
    guard = SleepGuard(SystemAsyncClock(), command or ["sh", "-c", "echo no"])
    assert await guard.hold() is SleepState.UNAVAILABLE
    assert load_words().tell(guard.text) == "The computer may sleep during treatment."
    assert children() == []
    await guard.release()
    assert guard.state is SleepState.OFF


async def test_an_inhibitor_that_dies_is_noticed_and_replaced() -> None:
    guard = SleepGuard(SystemAsyncClock(), ["nice"])
    await guard.hold()
    (child,) = children()
    os.kill(child.pid, signal.SIGKILL)
    while guard.state is SleepState.ACTIVE:
        await SystemAsyncClock().sleep(0)
    assert guard.state is SleepState.UNAVAILABLE
    assert await guard.hold() is SleepState.ACTIVE
    await guard.release()


async def test_this_system_answers_one_way_or_the_other() -> None:
    guard = SleepGuard(SystemAsyncClock())
    assert await guard.hold() in (SleepState.ACTIVE, SleepState.UNAVAILABLE)
    await guard.release()

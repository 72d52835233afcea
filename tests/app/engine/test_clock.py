"""Time that one can wait on, and the machine's sleep."""

import asyncio
import time

import pytest

from app.engine.clock import ManualAsyncClock, SystemAsyncClock, WakeDetector, within


async def test_sleepers_wake_in_order_of_their_due_times_and_work_in_between() -> None:
    clock = ManualAsyncClock(monotonic=0.0)
    seen: list[tuple[str, float]] = []

    async def every(name: str, seconds: float) -> None:
        while True:
            await clock.sleep(seconds)
            seen.append((name, clock.monotonic()))

    tasks = [asyncio.create_task(every("two", 2.0)), asyncio.create_task(every("three", 3.0))]
    await clock.run(6.5)
    assert seen == [("two", 2.0), ("three", 3.0), ("two", 4.0), ("three", 6.0), ("two", 6.0)]
    assert clock.monotonic() == 6.5
    assert clock.sleepers == 2
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert clock.sleepers == 0


async def test_nobody_wakes_early() -> None:
    clock = ManualAsyncClock()
    sleeper = asyncio.create_task(clock.sleep(1.0))
    await clock.run(0.999)
    assert not sleeper.done()
    await clock.run(0.001)
    assert sleeper.done()


def test_a_suspended_machine_is_noticed_and_a_jump_of_the_wall_clock_is_not() -> None:
    clock = ManualAsyncClock()
    detector = WakeDetector(clock)
    clock.advance(3600)
    clock.jump_wall(7200)
    assert detector.check() == 0.0
    clock.suspend(42.0)
    assert detector.check() == pytest.approx(42.0)
    assert detector.check() == 0.0


def test_this_machine_has_not_slept_between_two_looks() -> None:
    clock = SystemAsyncClock()
    before = clock.asleep()
    time.sleep(0.02)  # not a wait for anything: time that passes awake
    assert clock.asleep() - before == pytest.approx(0.0, abs=0.01)


async def test_work_that_takes_too_long_is_cancelled() -> None:
    clock = ManualAsyncClock()
    never = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(within(clock, 5.0, never))
    await clock.run(4.9)
    assert not waiting.done()
    await clock.run(0.2)
    with pytest.raises(TimeoutError):
        await waiting
    assert never.cancelled()


async def test_work_in_time_gives_its_result_or_its_error() -> None:
    clock = ManualAsyncClock()

    async def fail() -> None:
        raise KeyError("x")

    assert await within(clock, 5.0, asyncio.sleep(0, "done")) == "done"
    with pytest.raises(KeyError):
        await within(clock, 5.0, fail())
    assert clock.sleepers == 0

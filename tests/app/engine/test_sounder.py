"""The sounder as a real process: what it would play, and that it always comes back."""

import asyncio
import os
import signal
import sys
import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from app.engine.clock import AsyncClock, ManualAsyncClock, SystemAsyncClock
from app.engine.helper import Helper
from app.engine.mixer import Mixer, Signal
from app.engine.sounder import BEAT_SECONDS, PATIENCE_SECONDS, Sounder
from app.engine.sounder_process import signals
from app.engine.sounder_wire import MAX_FRAME, Beat, Ping, Play, Render, decode_beat, encode
from core.model.alarm import AlarmPriority, AudioState
from core.safety.sound import RATE

WAIT = 20.0
LOW = Signal(np.array([1, 1], np.int16), 3)
HIGH = Signal(np.array([9, 9, 9, 9], np.int16), 2)
ONCE = Signal(np.array([5, 5], np.int16), None)
SIGNALS = {AlarmPriority.LOW: LOW, AlarmPriority.MEDIUM: ONCE, AlarmPriority.HIGH: HIGH}


def test_bursts_repeat_after_their_pause_in_pieces_of_any_size() -> None:
    for size in (1, 3, 100):
        mixer = Mixer(SIGNALS)
        mixer.play(AlarmPriority.LOW)
        played = np.concatenate([mixer.take(size) for _ in range(20)])
        assert played[:12].tolist() == [1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1]


def test_silence_is_silent_and_comes_at_once() -> None:
    mixer = Mixer(SIGNALS)
    assert mixer.take(3).tolist() == [0, 0, 0]
    mixer.play(AlarmPriority.HIGH)
    assert mixer.take(2).tolist() == [9, 9]
    mixer.play(None)
    assert mixer.take(20).tolist() == [0] * 20


def test_a_higher_priority_cuts_in_and_a_lower_one_waits_for_the_burst_to_end() -> None:
    mixer = Mixer(SIGNALS)
    mixer.play(AlarmPriority.LOW)
    assert mixer.take(1).tolist() == [1]
    mixer.play(AlarmPriority.HIGH)
    assert mixer.take(2).tolist() == [9, 9]
    mixer.play(AlarmPriority.LOW)
    assert mixer.take(7).tolist() == [9, 9, 0, 0, 0, 1, 1]


def test_the_same_priority_again_does_not_start_the_burst_anew() -> None:
    mixer = Mixer(SIGNALS)
    mixer.play(AlarmPriority.HIGH)
    mixer.take(3)
    mixer.play(AlarmPriority.HIGH)
    assert mixer.take(3).tolist() == [9, 0, 0]


def test_a_signal_without_a_pause_sounds_once() -> None:
    mixer = Mixer(SIGNALS)
    mixer.play(AlarmPriority.MEDIUM)
    assert mixer.take(10).tolist() == [5, 5] + [0] * 8


async def beat(helper: Helper) -> Beat:
    data = await asyncio.wait_for(helper.receive(MAX_FRAME), WAIT)
    assert data is not None
    return decode_beat(data)


def heard(path: Path) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    with path.open("rb") as stream, wave.open(stream, "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


async def test_the_process_plays_the_bursts_of_the_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "heard.wav"
    helper = await Helper.start("app.engine.sounder_process", "--to-file", str(path))
    for order in (Render(0.5), Play(AlarmPriority.HIGH), Render(12.0), Play(None), Render(1.0)):
        helper.send(encode(order))
        if isinstance(order, Render):
            assert (await beat(helper)).audio is AudioState.ON
    await helper.end()
    played = heard(path)
    high = signals()[AlarmPriority.HIGH]
    assert high.pause is not None
    period = len(high.burst) + high.pause
    assert not played[: RATE // 2].any()
    loud = played[RATE // 2 : RATE // 2 + 12 * RATE]
    for start in range(0, len(loud) - len(high.burst), period):
        assert (loud[start : start + len(high.burst)] == high.burst).all()
        assert not loud[start + len(high.burst) : start + period].any()
    assert len(loud) >= period
    assert not played[RATE // 2 + 12 * RATE :].any()


async def test_a_device_that_takes_samples_is_on() -> None:
    helper = await Helper.start("app.engine.sounder_process", "--null")
    helper.send(encode(Ping(1)))
    assert await beat(helper) == Beat(1, AudioState.ON, "Null")
    await helper.end()


@pytest.mark.skipif(sys.platform != "linux", reason="a machine without a sound device is certain only here")
async def test_a_machine_without_a_loudspeaker_is_silent_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PULSE_SERVER", "XDG_RUNTIME_DIR", "JACK_DEFAULT_SERVER", "ALSA_CONFIG_PATH"):
        monkeypatch.setenv(name, "/nonexistent")
    helper = await Helper.start("app.engine.sounder_process")
    helper.send(encode(Ping(1)))
    assert await beat(helper) == Beat(1, AudioState.SILENT, "")
    await helper.end()


async def test_the_process_ends_with_its_input() -> None:
    helper = await Helper.start("app.engine.sounder_process", "--null")
    helper.send(encode(Ping(1)))
    await beat(helper)
    helper.hang_up()
    assert await asyncio.wait_for(helper.died(), WAIT) == 0
    await helper.end()


# the engine's side


class Run:
    """A sounder that runs, and what it said."""

    def __init__(self, clock: AsyncClock, *arguments: str) -> None:
        self.states: asyncio.Queue[AudioState] = asyncio.Queue()
        self.sounder = Sounder(clock, self.states.put_nowait, arguments=arguments)
        self.task = asyncio.create_task(self.sounder.run())

    async def state(self) -> AudioState:
        return await asyncio.wait_for(self.states.get(), WAIT)


@pytest.fixture
async def run() -> AsyncIterator[Callable[..., Run]]:
    runs: list[Run] = []

    def start(clock: AsyncClock, *arguments: str) -> Run:
        runs.append(Run(clock, *arguments))
        return runs[-1]

    yield start
    for each in runs:
        each.task.cancel()
        await asyncio.gather(each.task, return_exceptions=True)
        assert each.sounder.pid is None
    assert psutil.Process().children() == []


async def test_what_is_to_be_played_reaches_the_sounder(run: Callable[..., Run]) -> None:
    clock = ManualAsyncClock()
    running = run(clock, "--null")
    assert await running.state() is AudioState.ON
    for wanted in (AlarmPriority.LOW, AlarmPriority.HIGH, None):
        running.sounder.play(wanted)
        while running.sounder.playing is not wanted:
            await clock.run(BEAT_SECONDS / 10)


async def test_a_sounder_that_was_killed_comes_back_and_plays_on(run: Callable[..., Run]) -> None:
    running = run(SystemAsyncClock(), "--null")
    assert await running.state() is AudioState.ON
    running.sounder.play(AlarmPriority.HIGH)
    first = running.sounder.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert await running.state() is AudioState.SILENT
    assert await running.state() is AudioState.ON
    assert running.sounder.pid not in (None, first)
    assert running.sounder.playing is AlarmPriority.HIGH


@pytest.mark.skipif(sys.platform == "win32", reason="SIGSTOP")
async def test_a_sounder_that_hangs_is_silent_then_killed_and_started_again(run: Callable[..., Run]) -> None:
    clock = ManualAsyncClock()
    running = run(clock, "--null")
    assert await running.state() is AudioState.ON
    first = running.sounder.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    await clock.run(BEAT_SECONDS)
    await clock.run(PATIENCE_SECONDS)
    assert await running.state() is AudioState.SILENT
    assert not psutil.pid_exists(first)
    await clock.run(1.0)
    assert await running.state() is AudioState.ON


async def test_a_sounder_that_cannot_start_is_silent_and_is_tried_again_ever_slower(
    run: Callable[..., Run], tmp_path: Path
) -> None:
    running = run(SystemAsyncClock(), "--to-file", str(tmp_path / "not there" / "x.wav"))
    assert await running.state() is AudioState.SILENT
    (tmp_path / "not there").mkdir()
    assert await running.state() is AudioState.ON

"""How long records wait to be taken in: shortly, and longer only where many come."""

import asyncio
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from core.model.block import SampleBlock
from core.model.clock import ManualClock
from core.model.errors import SmilescapeError
from devices.hub.frames import FetchEnd, encode_samples
from devices.hub.intake import BUSY, BUSY_S, GATHER_S, MOST, Intake
from devices.hub.ledger import Ledger
from devices.hub.session.records import Opener, Sealer
from devices.hub.session.wire import FromHub

SECRET = bytes(range(32))
EVERY_CHANNEL = np.ones(256, np.bool_)


class Taken:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.sequences: list[int] = []
        self.refused: list[SmilescapeError] = []

    def blocks_arrived(self, blocks: Sequence[SampleBlock], sequences: Sequence[range]) -> None:
        self.sequences += [number for numbers in sequences for number in numbers]

    def history_arrived(self, ends: Sequence[FetchEnd]) -> None: ...

    def frame_refused(self, error: SmilescapeError, raw: bytes) -> None:
        self.refused.append(error)


class Stream:
    """A hub that seals frames, and the intake at the other end. Waiting ends when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waits: list[float] = []
        self.time_over: Callable[[], object] = lambda: None
        self.taken = Taken()
        self._sealer = Sealer(SECRET, ManualClock())
        self._made = 0
        self.opener = Opener(SECRET)
        self.intake = Intake(self.opener, Ledger(0, 0), 1, EVERY_CHANNEL, self.taken, lambda: None)
        loop = asyncio.get_running_loop()

        def call_later(delay: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
            self.waits.append(delay)
            self.time_over = callback
            return asyncio.TimerHandle(0.0, callback, (), loop)

        monkeypatch.setattr(loop, "call_later", call_later)

    def send(self, count: int, stream: FromHub = FromHub.TELEMETRY) -> None:
        for _ in range(count):
            start_us = self._made * 10_000
            block = SampleBlock(8, 1, self._made, start_us, 10_000, np.array([self._made % 100], np.int16))
            frame = encode_samples(1, self._made, start_us + 10_000, [block])
            self.intake.add(stream, self._sealer.seal(stream, frame))
            self._made += 1


async def test_records_are_gathered_longer_only_while_many_come_live(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(monkeypatch)
    few, many = round(BUSY * GATHER_S), round(BUSY * BUSY_S)
    for count, kind in (
        (few - 1, FromHub.TELEMETRY),
        (few, FromHub.TELEMETRY),
        (many, FromHub.TELEMETRY),
        (many - 1, FromHub.TELEMETRY),
        (2 * few, FromHub.HISTORY),
        (1, FromHub.TELEMETRY),
    ):
        stream.send(count, kind)
        stream.time_over()
    assert stream.waits == [GATHER_S, GATHER_S, BUSY_S, BUSY_S, GATHER_S, GATHER_S]
    assert stream.taken.sequences == list(range(4 * few + 2 * many - 1))
    assert not stream.taken.refused


async def test_a_record_that_is_opened_at_once_opens_those_before_it_and_lets_them_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = Stream(monkeypatch)
    stream.send(2)
    stream.intake.open_waiting()
    assert stream.opener.last(FromHub.TELEMETRY) == 1
    stream.send(1)
    assert stream.taken.sequences == []
    idle = stream.intake.idle
    assert not idle
    stream.time_over()
    assert stream.taken.sequences == [0, 1, 2]
    assert stream.intake.idle
    assert stream.waits == [GATHER_S], "nor does it begin their time anew"


async def test_so_many_do_not_wait_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(monkeypatch)
    stream.send(MOST - 1)
    assert stream.taken.sequences == []
    stream.send(1)
    assert stream.taken.sequences == list(range(MOST))

"""Who listens to drivers in tests, and tells simulated sensors what to do."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Generic, TypeVar

from core.model.block import SampleBlock
from core.model.clock import SystemClock
from core.model.errors import SmilescapeError
from core.model.hub import DeviceInfo, LinkState
from core.model.words import Text
from devices.radio import Radio
from devices.tap import Tap
from devices.vitals.driver import SensorDriver

Message = TypeVar("Message")
Driver = TypeVar("Driver", bound=SensorDriver)


class Listener:
    """Everything that a driver tells."""

    def __init__(self) -> None:
        self.states: list[LinkState] = []
        self.reasons: list[Text | None] = []
        self.infos: list[DeviceInfo] = []
        self.blocks: list[SampleBlock] = []
        self.contacts: list[bool | None] = []
        self.refused: list[tuple[SmilescapeError, bytes]] = []
        self.notes: list[Text] = []
        self._news = asyncio.Event()

    def link_changed(self, state: LinkState, reason: Text | None) -> None:
        self.states.append(state)
        self.reasons.append(reason)
        self._news.set()

    def described(self, info: DeviceInfo) -> None:
        self.infos.append(info)
        self._news.set()

    def blocks_arrived(self, blocks: Sequence[SampleBlock]) -> None:
        self.blocks += blocks
        self._news.set()

    def contact_changed(self, contact: bool | None) -> None:
        self.contacts.append(contact)
        self._news.set()

    def noted(self, text: Text) -> None:
        self.notes.append(text)
        self._news.set()

    def frame_refused(self, error: SmilescapeError, raw: bytes) -> None:
        self.refused.append((error, raw))
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self._news.clear()
                await self._news.wait()

    def of(self, channel: int, boot: int | None = None) -> list[SampleBlock]:
        return [block for block in self.blocks if block.channel == channel and boot in (None, block.boot)]


class Orders(Generic[Message]):
    """A control stream that a test writes into."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Message] = asyncio.Queue()

    def give(self, message: Message) -> None:
        self._queue.put_nowait(message)

    async def stream(self) -> AsyncIterator[Message]:
        while True:
            yield await self._queue.get()


async def fast(seconds: float) -> None:
    await asyncio.sleep(seconds / 50)


@asynccontextmanager
async def driving(
    make: type[Driver], transport: str, address: str, listener: Listener, tap: Tap | None = None
) -> AsyncIterator[Driver]:
    """A driver at work on a radio of its own."""
    radio, clock = Radio.parse(f"bumble:{transport}"), SystemClock()
    made = make(radio, address, listener=listener, clock=clock, tap=tap or Tap(clock))
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        await made.close()
        await asyncio.wait({task})
        await radio.close()


def assert_contiguous(blocks: list[SampleBlock]) -> None:
    """Indexes from 0 without a gap, time never backwards."""
    assert [block.first_index for block in blocks] == list(range(len(blocks)))
    assert all(one.start_us <= two.start_us for one, two in pairwise(blocks))

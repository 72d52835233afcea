"""A hub in a process of its own is killed: what it made is delivered or told to be lost, nothing twice."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from core.model.block import SampleBlock
from core.model.clock import SystemClock
from core.model.errors import SmilescapeError
from core.model.hub import DeviceInfo, HubIdentity, HubStatus, LinkState
from core.model.words import Text
from devices.hub.driver import HubDriver
from devices.radio import Radio
from devices.simulator.air import Air
from devices.simulator.control import DropLink, Quit, encode_control
from devices.simulator.journal import read_journal
from devices.tap import Tap

ADDRESS = "F0:5C:00:00:00:02"
HUB = """
import asyncio, sys
from pathlib import Path
from devices.simulator.control import read_control
from devices.simulator.hub import run_hub

async def main(transport, folder):
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await run_hub(
        transport, seed=5, serial="SH-2", name="Hub", address=sys.argv[3], boot_file=folder / "boots",
        journal=folder / "journal", control=read_control(reader), ready=lambda: print("ready", flush=True), speed=4.0,
    )

asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
"""


class Store:
    """Keeps samples by boot, channel and index; commits at once."""

    def __init__(self) -> None:
        self.driver: HubDriver | None = None
        self.samples: dict[tuple[int, int, int], int] = {}
        self.frames: dict[int, set[int]] = {}
        self.lost: list[tuple[int, int, int]] = []
        self.boots: list[int] = []
        self.news = asyncio.Event()

    def link_changed(self, state: LinkState, reason: Text | None) -> None:
        self.news.set()

    def identified(self, identity: HubIdentity, info: DeviceInfo) -> None:
        self.boots.append(identity.boot)
        self.news.set()

    async def resume_point(self, serial: str, boot: int) -> int | None:
        return None

    def blocks_arrived(self, blocks: Sequence[SampleBlock]) -> None:
        for block in blocks:
            for n, value in enumerate(block.samples.tolist(), block.first_index):
                assert (block.boot, block.channel, n) not in self.samples
                self.samples[block.boot, block.channel, n] = value
        boot, sequence = blocks[0].boot, blocks[0].sequence
        self.frames.setdefault(boot, set()).add(sequence)
        assert self.driver is not None
        self.driver.committed(boot, (sequence,))
        self.news.set()

    def frames_lost(self, boot: int, first: int, last: int) -> None:
        self.lost.append((boot, first, last))

    def status_changed(self, status: HubStatus) -> None: ...

    def frame_refused(self, error: SmilescapeError, raw: bytes) -> None:
        raise AssertionError(error)

    def backfill_changed(self, missing: int) -> None: ...

    async def frames_of(self, boot: int, count: int) -> None:
        """Until the first so many frames of a boot are all there."""
        async with asyncio.timeout(60):
            while not self.frames.get(boot, set()).issuperset(range(count)):
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def hub_process(transport: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HUB, transport, str(folder), ADDRESS, stdin=pipe, stdout=pipe
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_killed_hub_comes_back_as_a_new_boot(air: Air, tmp_path: Path) -> None:
    clock, store = SystemClock(), Store()
    radio = Radio.parse(f"bumble:{air.transports[1]}")
    await radio.open()
    store.driver = HubDriver(radio, ADDRESS, listener=store, clock=clock, tap=Tap(clock))
    running = asyncio.create_task(store.driver.run())
    try:
        async with hub_process(air.transports[0], tmp_path) as hub:
            await store.frames_of(boot=1, count=100)
            hub.kill()
        async with hub_process(air.transports[0], tmp_path) as hub:
            await store.frames_of(boot=2, count=100)
            assert hub.stdin is not None
            hub.stdin.write(encode_control(DropLink()))
            await store.frames_of(boot=2, count=300)
            hub.stdin.write(encode_control(Quit()))
            await hub.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await radio.close()
    assert sorted(set(store.boots)) == [1, 2]
    assert len(store.boots) == 3, "one more for the dropped link"
    made = {
        (block.boot, block.channel, n): value
        for block in read_journal(tmp_path / "journal")
        for n, value in enumerate(block.samples.tolist(), block.first_index)
    }
    assert store.samples.items() <= made.items()
    assert not [loss for loss in store.lost if loss[0] == 2]
    gone = {n for _, first, last in store.lost for n in range(first, last + 1)}
    assert store.frames[1] == set(range(max(store.frames[1]) + 1)) - gone

"""A hub in a process of its own is killed: what it sent is delivered, nothing is lost, nothing comes twice."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from devices.hub.driver import HubDriver
from devices.radio import Radio
from devices.simulator.air import Air
from devices.simulator.control import DropLink, Quit, encode_control
from devices.simulator.journal import read_journal
from devices.tap import Tap
from tests.devices.hub.clinic import Clinic
from tests.devices.hub.rig import StationClock, until
from tests.devices.hub.store import Store

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
        transport, seed=5, serial="SH-2", address=sys.argv[3], state=folder / "hub", journal=folder / "journal",
        control=read_control(reader), ready=lambda: print("ready", flush=True), speed=4.0,
    )

asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
"""


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


def frames_of(store: Store, boot: int, samples: int) -> bool:
    return sum(of == boot for of, _, _ in store.samples) >= samples


async def test_a_killed_hub_comes_back_as_a_new_boot_with_all_it_held(air: Air, tmp_path: Path) -> None:
    clock, store = StationClock(), Store()
    radio = Radio.parse(f"bumble:{air.transports[1]}")
    await radio.open()
    store.committing = False
    store.driver = HubDriver(
        radio, ADDRESS, listener=store, clock=clock, tap=Tap(clock), credentials=Clinic(), enrol=True
    )
    running = asyncio.create_task(store.driver.run())
    try:
        async with hub_process(air.transports[0], tmp_path) as hub:
            await until(lambda: frames_of(store, 1, 2000))
            hub.kill()
        async with hub_process(air.transports[0], tmp_path) as hub:
            await until(lambda: frames_of(store, 2, 2000))
            assert hub.stdin is not None
            sessions = len(store.cards)
            hub.stdin.write(encode_control(DropLink()))
            await until(lambda: len(store.cards) > sessions and store.up)
            await until(lambda: frames_of(store, 2, 6000) and not store.missing)
            hub.stdin.write(encode_control(Quit()))
            await hub.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await radio.close()
    assert [card.identity.boot for card in store.cards] == [1, 1, 2, 2], "the first of all enrolled it"
    made = {
        (block.boot, block.channel, n): value
        for block in read_journal(tmp_path / "journal")
        for n, value in enumerate(block.samples.tolist(), block.first_index)
    }
    assert {key: value for key, (_, value) in store.samples.items()}.items() <= made.items()
    assert not store.doubled
    assert not store.lost
    assert not store.alarms
    assert store.sequences == set(range(max(store.sequences) + 1))

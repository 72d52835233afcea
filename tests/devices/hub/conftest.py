"""The rig of every test of the driver over the air."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devices.radio import Radio
from devices.simulator.air import Air
from devices.simulator.brain import Brain
from devices.simulator.journal import JournalWriter
from tests.devices.hub.rig import ADDRESS, Rig


@asynccontextmanager
async def rigged(air: Air, folder: Path, *, enrolled: bool) -> AsyncIterator[Rig]:
    radio = Radio.parse(f"bumble:{air.transports[1]}")
    await radio.open()
    with JournalWriter(folder / "journal") as writer:
        brain = Brain(serial="SH-1", seed=1, state=folder / "hub", journal=writer)
        rig = Rig(air, radio, brain, folder / "journal")
        if enrolled:
            rig.enrol()
        await rig.hub.open(air.transports[0], ADDRESS)
        rig.tasks.append(asyncio.create_task(rig.hub.run()))
        yield rig
        for task in rig.tasks:
            task.cancel()
        await asyncio.gather(*rig.tasks, return_exceptions=True)
        await rig.hub.close()
        brain.close()
    await radio.close()


@pytest.fixture
async def rig(air: Air, tmp_path: Path) -> AsyncIterator[Rig]:
    """A hub of the practice, on the air."""
    async with rigged(air, tmp_path, enrolled=True) as made:
        yield made


@pytest.fixture
async def open_rig(air: Air, tmp_path: Path) -> AsyncIterator[Rig]:
    """A hub as it leaves the factory, on the air."""
    async with rigged(air, tmp_path, enrolled=False) as made:
        yield made

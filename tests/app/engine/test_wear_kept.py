"""Days and events of a hub count as read only once they are durable: an engine that was killed reads them again."""

import asyncio
from pathlib import Path
from typing import cast

import pytest

from app.engine.clock import ManualAsyncClock
from app.engine.flow import SampleFlow
from app.engine.hub_link import HubLink, HubOwner
from app.engine.keys_desk import KeysDesk
from app.engine.recorder import Recorder
from core.model.hub import HubIdentity
from core.model.wear import EventKind, HubEvent
from core.record import Record, RecordError, RecordReader
from core.signals.catalogue import load_catalogue
from devices.hub.credentials import KnownHub
from devices.radio import Radio

KEY = bytes(range(32))


class Memory:
    """What KeysDesk keeps of hubs."""

    def __init__(self) -> None:
        self.hub = KnownHub("SH-1")

    def known(self, serial: str) -> KnownHub:
        return self.hub

    def remember(self, known: KnownHub) -> None:
        self.hub = known


class Owner:
    def hub_doubted(self, *_: object) -> None: ...
    def hub_settled(self, *_: object) -> None: ...


class Rig:
    """A hub's link without its radio; its recorder has not begun yet."""

    def __init__(self, path: Path) -> None:
        clock = ManualAsyncClock()
        self.path = path
        self.memory = Memory()
        record = Record.create(path, KEY, chair=1, simulated=True, clock=clock)
        self.recorder = Recorder(record, committed=lambda _: None, failed=lambda _: None)
        self.link = HubLink(
            "",
            serial="SH-1",
            enrol=False,
            radio=cast(Radio, None),
            keys=cast(KeysDesk, self.memory),
            catalogue=load_catalogue(),
            flow=cast(SampleFlow, None),
            recorder=self.recorder,
            owner=cast(HubOwner, Owner()),
            clock=clock,
            simulated=True,
        )
        self.link._task.cancel()
        self.link.identity = HubIdentity(
            serial="SH-1", model="", firmware="", hardware="", profile_major=2, profile_minor=0, boot=1, simulated=True
        )

    def events(self, first: int, count: int) -> list[HubEvent]:
        numbers = range(first, first + count)
        return [HubEvent(number=n, utc_s=0, boot=1, hub_time_us=n, kind=EventKind.PUT_IN, value=0) for n in numbers]

    async def written(self) -> None:
        """Until all that was noted so far is durable or has failed, and whoever waited for it has heard."""
        await self.recorder.run(lambda _: None)
        await asyncio.gather(*self.link._tasks)


@pytest.fixture
async def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path / "r.sqlite")


async def test_what_is_not_durable_is_read_again(rig: Rig) -> None:
    rig.link.wear_arrived((), rig.events(0, 5))
    for _ in range(10):
        await asyncio.sleep(0)
    assert rig.memory.hub.next_event == 0, "killed now, the next engine would never ask for these"
    rig.recorder.start()
    await rig.written()
    assert rig.memory.hub.next_event == 5
    await asyncio.to_thread(rig.recorder.close)
    with RecordReader.open(rig.path, KEY) as reader:
        assert [one.number for one in reader.hub_events("SH-1")] == [0, 1, 2, 3, 4]


async def test_what_could_not_be_written_is_not_hidden_by_what_comes_after(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.recorder.start()

    def refuse(*_: object, **__: object) -> None:
        raise RecordError("It cannot be written.")

    with monkeypatch.context() as patch:
        patch.setattr(Record, "add_wear", refuse)
        rig.link.wear_arrived((), rig.events(0, 5))
        await rig.written()
    rig.link.wear_arrived((), rig.events(5, 5))
    await rig.written()
    assert rig.memory.hub.next_event == 0
    await asyncio.to_thread(rig.recorder.close)

"""What the engine knows of one hub, without the hub: the driver is told nothing, the test tells in its place."""

import asyncio
from pathlib import Path
from typing import cast

from app.engine.clock import ManualAsyncClock
from app.engine.flow import SampleFlow
from app.engine.hub_link import HubLink, HubOwner
from app.engine.keys_desk import KeysDesk
from app.engine.recorder import Recorder
from app.ipc.ring import RingWriter
from core.model.hub import HubIdentity
from core.model.wear import EventKind, HubEvent
from core.record import Record
from core.safety.limits import LimitMonitor
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
        self.clock = clock
        catalogue = load_catalogue()
        self.memory = Memory()
        record = Record.create(path, KEY, chair=1, simulated=True, clock=clock)
        self.recorder = Recorder(record, committed=lambda _: None, failed=lambda _: None)
        self.flow = SampleFlow(
            catalogue=catalogue,
            monitor=LimitMonitor((), catalogue),
            recorder=self.recorder,
            ring=RingWriter(path.with_suffix(".ring")),
            clock=clock,
        )
        self.link = HubLink(
            "",
            serial="SH-1",
            enrol=False,
            radio=cast(Radio, None),
            keys=cast(KeysDesk, self.memory),
            catalogue=catalogue,
            flow=self.flow,
            recorder=self.recorder,
            owner=cast(HubOwner, Owner()),
            standing=lambda _: (),
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

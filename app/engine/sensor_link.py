"""One standard Bluetooth sensor beside the hub."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from app.engine.clock import AsyncClock
from app.engine.flow import SampleFlow
from app.ipc.messages import SensorView
from core.model.block import SampleBlock
from core.model.errors import SmilescapeError
from core.model.hub import DeviceInfo, LinkState
from core.model.words import Text
from core.safety.limits import Crossing
from devices.radio import Radio
from devices.tap import Tap
from devices.vitals.heart_rate import HeartRateDriver

log = logging.getLogger(__name__)


class SensorLink:
    """The listener of one heart-rate driver."""

    def __init__(
        self,
        address: str,
        name: str,
        *,
        radio: Radio,
        flow: SampleFlow,
        clock: AsyncClock,
        crossed: Callable[[Sequence[Crossing]], None],
        changed: Callable[["SensorLink"], None],
    ) -> None:
        self.address = address
        self.name = name or address
        self.link = LinkState.SEARCHING
        self.info: DeviceInfo | None = None
        self.contact: bool | None = None
        self._source = address
        self._flow = flow
        self._crossed = crossed
        self._changed = changed
        self._driver = HeartRateDriver(radio, address, listener=self, clock=clock, tap=Tap(clock))
        self._task = asyncio.create_task(self._driver.run())

    async def close(self) -> None:
        await self._driver.close()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def view(self) -> SensorView:
        return SensorView(
            address=self.address,
            kind="heart_rate",
            name=self.name,
            link=self.link,
            info=self.info,
            contact=self.contact,
        )

    def link_changed(self, state: LinkState, reason: Text | None) -> None:
        if state is not self.link:
            self.link = state
            self._changed(self)

    def described(self, info: DeviceInfo) -> None:
        self.info = info

    def contact_changed(self, contact: bool | None) -> None:
        self.contact = contact

    def blocks_arrived(self, blocks: Sequence[SampleBlock]) -> None:
        crossings = self._flow.take(self._source, blocks, None)
        if crossings:
            self._crossed(crossings)

    def frame_refused(self, error: SmilescapeError, raw: bytes) -> None:
        log.warning("%s: refused %d bytes: %s", self.name, len(raw), error)

"""One sensor beside the hub, standard or of another maker."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.engine.clock import AsyncClock
from app.engine.flow import SampleFlow
from app.ipc.messages import SensorView
from core.model.block import SampleBlock
from core.model.errors import SmilescapeError
from core.model.hub import DeviceInfo, LinkState
from core.model.words import Text
from core.safety.limits import Crossing
from devices.errors import LinkRefused
from devices.info import SIMULATOR
from devices.kinds import UNKNOWN, kind_named
from devices.radio import Radio
from devices.sensors import make_driver
from devices.tap import Tap

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SensorOwner:
    """The chair of a sensor, as far as the sensor needs it."""

    flow: SampleFlow
    simulated: bool
    crossed: Callable[[Sequence[Crossing]], None]
    changed: Callable[["SensorLink"], None]
    noted: Callable[["SensorLink", Text], None]


class SensorLink:
    """The listener of one sensor's driver.

    Attributes:
        kind: key of its kind, as it was bound.
        tap: what arrived, as it arrived.
        known: whether anybody here knows that kind; without, it is shown and nothing more.
    """

    def __init__(
        self, kind: str, address: str, name: str, *, radio: Radio, clock: AsyncClock, owner: SensorOwner
    ) -> None:
        found = kind_named(kind)
        self.kind = kind
        self.known = found is not None and found.is_sensor
        self.address = address
        self.name = name or address
        self.link = LinkState.SEARCHING if self.known else LinkState.ABSENT
        self.info: DeviceInfo | None = None
        self.contact: bool | None = None
        self._owner = owner
        self.tap = Tap(clock)
        self._refused = 0
        self._driver = None
        self._task: asyncio.Task[None] | None = None
        if found is None or not found.is_sensor:
            log.warning("%s: nobody here knows the kind %r", self.name, kind)
            owner.noted(self, Text("device.sensor.unknown_kind"))
            return
        self._driver = make_driver(found, radio, address, listener=self, clock=clock, tap=self.tap)
        self._task = asyncio.create_task(self._driver.run())

    async def close(self) -> None:
        if self._driver is None or self._task is None:
            return
        await self._driver.close()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def view(self) -> SensorView:
        return SensorView(
            address=self.address,
            kind=self.kind if self.known else UNKNOWN,
            name=self.name,
            link=self.link,
            info=self.info,
            contact=self.contact,
        )

    def link_changed(self, state: LinkState, reason: Text | None) -> None:
        if state is not self.link:
            self.link = state
            self._owner.changed(self)
            if state is LinkState.REFUSED and reason is not None:
                self._owner.noted(self, reason)

    def described(self, info: DeviceInfo) -> None:
        """Raises LinkRefused when it is simulated and the folder is not, or the other way round."""
        self.info = info
        if (info.manufacturer == SIMULATOR) is not self._owner.simulated:
            simulated = self._owner.simulated
            raise LinkRefused(
                f"{self.address} does not fit a {'simulated' if simulated else 'real'} data folder.",
                reason=Text("device.sensor.is_real" if simulated else "device.sensor.is_simulated"),
            )

    def contact_changed(self, contact: bool | None) -> None:
        self.contact = contact

    def noted(self, text: Text) -> None:
        self._owner.noted(self, text)

    def blocks_arrived(self, blocks: Sequence[SampleBlock]) -> None:
        crossings = self._owner.flow.take(self.address, blocks)
        if crossings:
            self._owner.crossed(crossings)

    def frame_refused(self, error: SmilescapeError, raw: bytes) -> None:
        self._refused += 1
        if self._refused & (self._refused - 1) == 0:  # the 1st, 2nd, 4th, 8th…: a babbling sensor fills no log
            log.warning("%s: refused frame %d of %d bytes: %s", self.name, self._refused, len(raw), error)

"""One chair's hub: the driver, and what is known of it. What is not fresh is not known."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.engine.clock import AsyncClock
from app.engine.flow import SampleFlow
from app.engine.recorder import Committed, Recorder
from app.engine.sentence import FRESH_SECONDS
from core.model.block import SampleBlock
from core.model.errors import SmilescapeError
from core.model.hub import DeviceInfo, HubIdentity, HubStatus, LinkState
from core.model.words import Text
from core.safety.limits import Crossing
from devices.errors import LinkRefused
from devices.hub.driver import HubDriver
from devices.radio import Radio
from devices.tap import Tap

log = logging.getLogger(__name__)


class HubOwner(Protocol):
    """What the chair wants to hear."""

    def hub_link_changed(self, state: LinkState) -> None: ...
    def hub_status(self, status: HubStatus) -> None: ...
    def hub_identified(self, identity: HubIdentity, rebooted: bool) -> None: ...
    def crossed(self, crossings: Sequence[Crossing]) -> None: ...
    def hub_frame_refused(self, reason: str) -> None: ...
    def hub_frames_lost(self, frames: int) -> None: ...
    def touched(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Known:
    status: HubStatus
    at: float


class HubLink:
    """The listener of one hub driver.

    Attributes:
        enrol: a person wants this hub, whose enrolment is open, to become one of the practice.
        link, link_reason: the state of the Bluetooth link.
        identity, info: as read after the last connect; None before the first.
        missing: frames still to be fetched from the hub's memory.
        down_since: monotonic time since when the link is not up; None while it is.
    """

    def __init__(
        self,
        address: str,
        *,
        radio: Radio,
        flow: SampleFlow,
        recorder: Recorder,
        owner: HubOwner,
        clock: AsyncClock,
        simulated: bool,
        enrol: bool = False,
    ) -> None:
        self.address = address
        self.enrol = enrol
        self.tap = Tap(clock)
        self.driver = HubDriver(radio, address, listener=self, clock=clock, tap=self.tap)
        self.link = LinkState.SEARCHING
        self.link_reason: Text | None = None
        self.identity: HubIdentity | None = None
        self.info: DeviceInfo | None = None
        self.missing = 0
        self.down_since: float | None = clock.monotonic()
        self._known: _Known | None = None
        self._simulated = simulated
        self._flow = flow
        self._recorder = recorder
        self._owner = owner
        self._clock = clock
        self._task = asyncio.create_task(self.driver.run())

    async def close(self) -> None:
        await self.driver.close()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    @property
    def status(self) -> HubStatus | None:
        """The newest status, None when it is too old to say anything about now."""
        if self._known is None or self._clock.monotonic() - self._known.at > FRESH_SECONDS:
            return None
        return self._known.status

    @property
    def silent_s(self) -> float:
        """Seconds since the hub was last heard of."""
        heard = self._known.at if self._known is not None else self.down_since
        return self._clock.monotonic() - heard if heard is not None else 0.0

    @property
    def lease_until(self) -> float | None:
        """When the lease ends by the hub's last word, monotonic s; None without a lease."""
        if self._known is None or self._known.status.lease_ms <= 0:
            return None
        return self._known.at + self._known.status.lease_ms / 1000

    def acknowledge(self, committed: Committed) -> None:
        """Tell the hub what is durable, so that it may forget it."""
        if self.identity is None:
            return
        by_boot: dict[int, list[int]] = {}
        for arrival in committed.arrivals:
            if arrival.source == self.identity.serial and arrival.sequence is not None:
                by_boot.setdefault(arrival.boot, []).append(arrival.sequence)
        for boot, sequences in by_boot.items():
            self.driver.committed(boot, sequences)

    def link_changed(self, state: LinkState, reason: Text | None) -> None:
        if state is self.link and reason == self.link_reason:
            return
        self.link, self.link_reason = state, reason
        self.down_since = None if state is LinkState.UP else self.down_since or self._clock.monotonic()
        self._owner.hub_link_changed(state)

    def identified(self, identity: HubIdentity, info: DeviceInfo) -> None:
        """Raises LinkRefused for a simulated hub on a real record and the other way round, before a sample is taken."""
        if identity.simulated != self._simulated:
            kind = "simulated" if identity.simulated else "real"
            raise LinkRefused(
                f"A {kind} hub may not write into this folder.",
                "Use another data folder for it.",
                reason=Text(f"refused.mixed_{kind}"),
            )
        before = self.identity
        self.identity, self.info = identity, info
        rebooted = before is not None and before.serial == identity.serial and before.boot != identity.boot
        self._owner.hub_identified(identity, rebooted)

    async def resume_point(self, serial: str, boot: int) -> int | None:
        """Where the record stands. How it dated this boot is taken up, too: no sample may move when we restart."""
        point, fits = await asyncio.wrap_future(
            self._recorder.do(lambda record: (record.resume_point(serial, boot), record.clock_fits(serial, boot)))
        )
        self._flow.recall(serial, boot, fits)
        return point

    def blocks_arrived(self, blocks: Sequence[SampleBlock]) -> None:
        if not blocks or self.identity is None:
            return
        crossings = self._flow.take(self.identity.serial, blocks, blocks[0].sequence)
        if crossings:
            self._owner.crossed(crossings)

    def frames_lost(self, boot: int, first: int, last: int) -> None:
        serial = self.identity.serial if self.identity is not None else self.address
        at_us = self._clock.utc_us()
        self._recorder.note(lambda record: record.add_loss(serial, boot, first, last, at_us))
        self._owner.hub_frames_lost(last - first + 1)

    def status_changed(self, status: HubStatus) -> None:
        self._known = _Known(status, self._clock.monotonic())
        self._owner.hub_status(status)

    def frame_refused(self, error: SmilescapeError, raw: bytes) -> None:
        log.warning("refused a frame of %d bytes: %s", len(raw), error)
        self._owner.hub_frame_refused(str(error))

    def backfill_changed(self, missing: int) -> None:
        self.missing = missing
        self._owner.touched()

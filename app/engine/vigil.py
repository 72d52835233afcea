"""Once a second for each chair: renew the lease, measure what the interlocks ask for, notice what has gone quiet."""

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from core.model.hub import HoldCause, HubStatus, LinkState, TherapyState
from core.model.limits import LimitOwner
from core.model.procedure import Facts
from core.model.words import Text
from core.procedure.events import BaselineSample, Elapsed
from core.safety.limits import Crossing
from devices.hub.errors import CommandUnknown, HubUnreachable

if TYPE_CHECKING:
    from app.engine.chair import Chair

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
LINK_GRACE_SECONDS = 3.0
BATTERY_LOW_PERCENT = 15
SELF_HELD = {
    HoldCause.LEASE: "lease.expired",
    HoldCause.LIMIT: "hub.held",
    HoldCause.LINK: "hub.held",
    HoldCause.PATIENT: "hub.patient_stop",
    HoldCause.FAULT: "hub.fault",
}


class Vigil:
    """Watches one chair."""

    def __init__(self, chair: "Chair") -> None:
        self._chair = chair
        self._task: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._rested = 0.0
        self._measuring = False
        self._silent: set[str] = set()
        self._halting: asyncio.Task[object] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        for task in (self._task, self._renewing, self._halting):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, CommandUnknown, HubUnreachable):
                    await task

    async def _run(self) -> None:
        clock = self._chair.house.clock
        last = clock.monotonic()
        while True:
            await clock.sleep(TICK_SECONDS)
            now = clock.monotonic()
            try:
                self.tick(now - last)
            except Exception:
                log.exception("chair %d: the watch stumbled and goes on", self._chair.number)
            last = now

    def tick(self, seconds: float) -> None:
        """What is due after `seconds`."""
        self._lease()
        self._chair.house.doubts.save()
        if self._chair.hub is not None:
            self._chair.hub.tick()
        self._chair.observe(Elapsed(seconds))
        self._chair.observe(self.facts())
        self._baseline(seconds)
        self._quiet_channels()
        self._link()
        self._chair.touched()

    def facts(self) -> Facts:
        """What is measured about chair and hub now."""
        chair = self._chair
        hub = chair.hub
        status = hub.status if hub is not None else None
        return Facts(
            link_up=hub is not None and hub.link is LinkState.UP,
            identity_known=hub is not None and hub.identity is not None,
            status_fresh=status is not None,
            battery_percent=status.battery_percent if status is not None else None,
            recording=chair.recording,
            high_alarm=chair.house.alarms.high(chair.number),
            hub_idle=_idle(status),
            limits_quiet=chair.monitor.quiet(chair.house.clock.monotonic()),
            hub_proven=hub.proven if hub is not None else None,
            values=chair.flow.values(),
        )

    def hub_status(self, status: HubStatus) -> None:
        """Alarms that follow from the hub's own word."""
        chair, alarms = self._chair, self._chair.house.alarms
        held = status.therapy in (TherapyState.HELD, TherapyState.FAULT)
        for cause, kind in SELF_HELD.items():
            if held and status.cause is cause:
                alarms.raise_(kind, chair.number)
        if not held:
            for kind in set(SELF_HELD.values()):
                alarms.clear(kind, chair.number)
        if status.battery_percent < BATTERY_LOW_PERCENT:
            alarms.raise_("battery.low", chair.number, percent=status.battery_percent)
        else:
            alarms.clear("battery.low", chair.number)
        self._unordered(status)

    def crossed(self, crossing: Crossing) -> None:
        """A limit was crossed, or is kept again."""
        chair, limit = self._chair, crossing.limit
        kind = f"limit.{limit.priority}"
        if not crossing.began:
            chair.house.alarms.clear(kind, chair.number, channel=limit.channel)
            return
        bound = limit.high if limit.high is not None else limit.low
        chair.house.alarms.raise_(
            kind,
            chair.number,
            channel=limit.channel,
            name=f"@channel.{limit.channel}.name",
            value=round(crossing.value, 2),
            bound=bound if bound is not None else 0.0,
            owner=f"@limit.owner.{LimitOwner(limit.owner).value}",
        )

    def _lease(self) -> None:
        """Renew it while dose may flow and nothing holds."""
        chair = self._chair
        view = chair.view
        if chair.hub is None or view is None or not view.treating or view.hold is not None:
            return
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        hub = self._chair.hub
        if hub is None:
            return
        try:
            await hub.driver.renew_lease()
        except (CommandUnknown, HubUnreachable) as error:
            log.warning("chair %d: the lease was not renewed: %s", self._chair.number, error)

    def _baseline(self, seconds: float) -> None:
        view = self._chair.view
        if view is None or not view.baseline.running:
            self._measuring = False
            return
        if not self._measuring:
            self._measuring, self._rested = True, 0.0
            self._sums, self._counts = {}, {}
        hub = self._chair.hub
        if hub is None or hub.status is None:
            return
        self._rested += seconds
        for key, value in self._chair.flow.values().items():
            self._sums[key] = self._sums.get(key, 0.0) + value
            self._counts[key] = self._counts.get(key, 0) + 1
        means = {key: total / self._counts[key] for key, total in self._sums.items()}
        self._chair.observe(BaselineSample(means, self._rested))

    def _quiet_channels(self) -> None:
        chair = self._chair
        heard = chair.hub is not None and chair.hub.link is LinkState.UP and chair.hub.status is not None
        silent = set(chair.monitor.tick(chair.house.clock.monotonic())) if heard else set()
        for key in silent - self._silent:
            chair.house.alarms.raise_("sensor.silent", chair.number, channel=key, name=f"@channel.{key}.name")
        for key in self._silent - silent:
            chair.house.alarms.clear("sensor.silent", chair.number, channel=key)
        self._silent = silent

    def _link(self) -> None:
        chair = self._chair
        hub = chair.hub
        if hub is None:
            return
        if hub.link is LinkState.REFUSED:
            reason = hub.link_reason or Text("sentence.refused.reason")
            chair.house.alarms.raise_("link.refused", chair.number, because=reason)
            return
        chair.house.alarms.clear("link.refused", chair.number)
        if hub.link is LinkState.UP:
            chair.house.alarms.clear("link.lost", chair.number)
        elif hub.identity is not None and hub.silent_s > LINK_GRACE_SECONDS:
            chair.house.alarms.raise_("link.lost", chair.number)

    def _unordered(self, status: HubStatus) -> None:
        """Dose that no procedure ordered is stopped at once, and said."""
        chair = self._chair
        view = chair.view
        expected = view is not None and (view.treating or view.hold is not None)
        if status.therapy is not TherapyState.RUNNING or expected:
            chair.house.alarms.clear("hub.unexpected", chair.number)
            return
        chair.house.alarms.raise_("hub.unexpected", chair.number)
        if chair.hub is not None and (self._halting is None or self._halting.done()):
            self._halting = asyncio.ensure_future(chair.hub.driver.stop())


def _idle(status: HubStatus | None) -> bool | None:
    if status is None:
        return None
    return status.therapy is TherapyState.IDLE and status.swarm_dose_percent == 0

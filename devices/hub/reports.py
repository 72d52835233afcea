"""The statuses of one session, for whoever waits for one."""

import asyncio

from devices.hub.status import StatusReport


class Reports:
    """Keeps the newest."""

    def __init__(self) -> None:
        self._newest: StatusReport | None = None
        self._news = asyncio.Event()

    def arrived(self, report: StatusReport) -> None:
        """A status came."""
        self._newest = report
        self._news.set()

    async def since(self, hub_time_us: int) -> StatusReport:
        """The newest status, once there is one that was written at this hub time or later."""
        while self._newest is None or self._newest.status.hub_time_us < hub_time_us:
            self._news.clear()
            await self._news.wait()
        return self._newest

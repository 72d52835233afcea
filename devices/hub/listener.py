"""Whom a hub driver tells."""

from collections.abc import Sequence
from typing import Protocol

from core.model.block import SampleBlock
from core.model.errors import SmilescapeError
from core.model.hub import DeviceInfo, HubIdentity, HubStatus, LinkState
from core.model.words import Text


class HubListener(Protocol):
    """Everything is called in the driver's event loop, and must return soon; only `resume_point` may wait."""

    def link_changed(self, state: LinkState, reason: Text | None) -> None: ...

    def identified(self, identity: HubIdentity, info: DeviceInfo) -> None:
        """Once for each link, before anything else of it; a new boot shows here first."""
        ...

    async def resume_point(self, serial: str, boot: int) -> int | None:
        """Highest sequence of that boot up to which everything is committed; None: nothing yet."""
        ...

    def blocks_arrived(self, blocks: Sequence[SampleBlock]) -> None:
        """All blocks of one frame. Each frame comes once, live or back-filled; commit it, then call `committed`."""
        ...

    def frames_lost(self, boot: int, first: int, last: int) -> None:
        """The hub no longer holds these, and we never had them."""
        ...

    def status_changed(self, status: HubStatus) -> None: ...

    def frame_refused(self, error: SmilescapeError, raw: bytes) -> None: ...

    def backfill_changed(self, missing: int) -> None:
        """Frames still to fetch."""
        ...

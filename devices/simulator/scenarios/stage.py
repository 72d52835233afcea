"""Where scenarios play: one attack at a time, at one hub."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from bumble.core import BaseBumbleError

from core.model.errors import SmilescapeError
from devices.simulator.scenarios.registry import ATTACKS, HAPPENINGS, MEND
from devices.simulator.scenarios.seat import Seat
from devices.simulator.scenarios.stolen import StolenKeys

if TYPE_CHECKING:
    from devices.simulator.hub import SimulatedHub

_log = logging.getLogger(__name__)
LINGER_S: Final = 30.0
"""How long an attack on the hub itself stays, for people to look at."""
_LOOK_S: Final = 0.1

Stolen = Callable[[], StolenKeys | None]
"""Keys for those who attack with them, asked for when they begin."""


class Stage:
    """Plays what a name stands for.

    Attributes:
        stolen, linger_s: as in `Seat`.
        told: what became of each attack, in one line.
    """

    def __init__(self, hub: "SimulatedHub", *, stolen: Stolen = lambda: None, linger_s: float = LINGER_S) -> None:
        self.stolen = stolen
        self.linger_s = linger_s
        self.told: list[str] = []
        self._hub = hub
        self._attack: asyncio.Task[None] | None = None

    async def begin(self, name: str) -> None:
        """Let it happen; an attack ends the one under way, and goes on by itself. A name that is none is logged."""
        if name == MEND:
            await self.end()
        if name in HAPPENINGS:
            for message in HAPPENINGS[name].messages:
                await self._hub.tell(message)
        elif name in ATTACKS:
            await self.end()
            seat = Seat(self._hub, self.stolen, linger_s=self.linger_s)
            self._attack = asyncio.create_task(self._play(name, ATTACKS[name](seat)))
        else:
            _log.warning("There is no scenario %s.", name)

    async def begin_when_seen(self, name: str) -> None:
        """Begin as soon as a workstation listens."""
        while self._hub.brain.client is None or not self._hub.brain.client.streaming:
            await self._hub.sleep(_LOOK_S)
        await self.begin(name)

    async def over(self) -> str:
        """Wait for the end of the attack under way; what became of it."""
        if self._attack is not None:
            await asyncio.wait({self._attack})
            self._attack.result()
        return self.told[-1]

    async def end(self) -> None:
        """Break off what is under way; what it changed is taken back."""
        if self._attack is not None:
            self._attack.cancel()
            await asyncio.gather(self._attack, return_exceptions=True)
            self._attack = None

    async def _play(self, name: str, attack: Awaitable[str]) -> None:
        try:
            told = await attack
        except SmilescapeError as error:
            told = f"{error} {error.remedy}"
        except BaseBumbleError as error:
            told = f"the link went meanwhile: {error}"
        self.told.append(f"{name}: {told}")
        _log.warning("%s", self.told[-1])

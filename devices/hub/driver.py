"""The nanobot hub, as the engine sees it: blocks and status come, commands go."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from bleak.exc import BleakError

from core.model.clock import Clock
from core.model.hub import HubStatus, Opcode, PhaseOrder, Receipt
from devices.hub.commander import RECEIPT_S, Commander
from devices.hub.commands import Bare, Order
from devices.hub.errors import CommandUnknown, HubUnreachable
from devices.hub.listener import HubListener
from devices.hub.profile import HubProfile
from devices.link import Link
from devices.radio import Radio
from devices.tap import Tap

__all__ = ["HubDriver", "HubListener"]


class HubDriver:
    """One hub: keeps the link, delivers each frame exactly once, carries commands and their receipts.

    Every command raises HubUnreachable when nothing was sent, and CommandUnknown when no receipt came: then
    `ask_receipt` before anything of the kind is sent again.

    Args:
        serial: the hub that must answer at this address; None takes any.
    """

    def __init__(
        self,
        radio: Radio,
        address: str,
        *,
        listener: HubListener,
        clock: Clock,
        tap: Tap,
        serial: str | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._commander = Commander()
        self._profile = HubProfile(self._commander, listener, clock=clock, tap=tap, serial=serial)
        self._link = Link(radio, address, self._profile, state_changed=listener.link_changed, clock=clock, sleep=sleep)

    async def run(self) -> None:
        """Keep the link until cancelled or closed."""
        await self._link.run()

    async def close(self) -> None:
        await self._link.close()

    def committed(self, boot: int, sequences: Iterable[int]) -> None:
        """These frames are durable; the hub is told soon, and may forget them."""
        self._profile.committed(boot, sequences)

    async def start_phase(self, order: PhaseOrder) -> Receipt:
        return await self._send(order)

    async def hold(self) -> Receipt:
        return await self._send(Bare(Opcode.HOLD))

    async def resume(self) -> Receipt:
        return await self._send(Bare(Opcode.RESUME))

    async def end_phase(self) -> Receipt:
        return await self._send(Bare(Opcode.END_PHASE))

    async def clear(self) -> Receipt:
        return await self._send(Bare(Opcode.CLEAR))

    async def renew_lease(self) -> Receipt:
        """Call each second while therapy runs; the receipt says NO_LEASE when nothing runs."""
        return await self._send(Bare(Opcode.RENEW_LEASE))

    async def stop(self) -> Receipt:
        """STOP: no counter, repeated until the hub answers.

        Raises:
            HubUnreachable: the link is gone; the hub holds by itself within its lease.
        """
        return await self._commander.stop()

    async def read_status(self) -> HubStatus:
        """Ask the hub for its status now.

        Raises:
            HubUnreachable: no link, or no answer.
            FrameError: the answer cannot be read.
        """
        try:
            async with asyncio.timeout(RECEIPT_S):
                return await self._profile.read_status()
        except (TimeoutError, BleakError, OSError, EOFError) as error:
            raise HubUnreachable from error

    async def ask_receipt(self, counter: int, boot: int | None = None) -> Receipt | None:
        """What became of a command whose answer was lost; None: it never reached the hub, and was not done.

        Args:
            boot: as in the CommandUnknown; the hub cannot answer for a former boot.

        Raises:
            HubUnreachable: no link, or no answer.
            CommandUnknown: the hub has forgotten, or restarted since. Its status tells what holds now.
        """
        if boot is not None and boot != self._commander.boot:
            raise CommandUnknown(0xFF, counter, boot)
        return await self._commander.ask(counter)

    async def _send(self, order: Order) -> Receipt:
        return (await self._commander.send(order)).receipt

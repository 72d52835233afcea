"""One connection that keeps itself: found, connected, used, and taken up again whenever it is lost."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol

from bleak import BleakClient
from bleak.exc import BleakDeviceNotFoundError, BleakError

from core.model.clock import Clock
from core.model.errors import SmilescapeError
from core.model.hub import LinkState
from core.model.words import Text
from devices.errors import LinkRefused, RadioError
from devices.radio import Radio, Wanted

_log = logging.getLogger(__name__)

FIRST_WAIT_S: Final = 0.1
LONGEST_WAIT_S: Final = 3.0
REFUSED_WAIT_S: Final = 10.0
LOCATE_S: Final = 3.0
START_S: Final = 20.0
STEADY_S: Final = 3.0
_CLOSE_S: Final = 5.0

StateChanged = Callable[[LinkState, Text | None], None]


class Profile(Protocol):
    """What to do with a connected client."""

    async def start(self, client: BleakClient) -> None:
        """Discover, subscribe, start streaming. Everything known of the peer is read again: it may have restarted.

        Raises:
            LinkRefused: the peer is not what it should be.
        """
        ...

    async def ended(self) -> None:
        """The client given to `start` is of no use any more. Called once for each start."""
        ...


class _Lost(Exception):  # noqa: N818 - not an error to anybody outside
    """The connection ended, or was never made."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.key)
        self.reason = reason


class Link:
    """Runs one profile on one address for ever.

    A link that was up for STEADY_S is taken up again after FIRST_WAIT_S; the wait doubles up to LONGEST_WAIT_S while
    it does not hold. The radio's lock is held to find and connect only, never while waiting.

    Args:
        wanted: what recognises a device whose address changes.
        needs_no_bond: a bond is forgotten when a connection fails, which may be due to it.
    """

    def __init__(
        self,
        radio: Radio,
        address: str,
        profile: Profile,
        *,
        state_changed: StateChanged,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        wanted: Wanted | None = None,
        needs_no_bond: bool = False,
    ) -> None:
        self._radio = radio
        self._address = address
        self._wanted = wanted
        self._needs_no_bond = needs_no_bond
        self._profile = profile
        self._state_changed = state_changed
        self._clock = clock
        self._sleep = sleep
        self._state: tuple[LinkState, Text | None] = (LinkState.ABSENT, None)
        self._task: asyncio.Task[Any] | None = None
        self._been_up = False
        self._held = False

    @property
    def state(self) -> LinkState:
        return self._state[0]

    async def run(self) -> None:
        """Keep the link until cancelled or closed."""
        if self._task is not None:
            raise RuntimeError("the link runs already")
        self._task = asyncio.current_task()
        wait = FIRST_WAIT_S
        try:
            self._report(LinkState.SEARCHING)
            while True:
                began = self._clock.monotonic()
                try:
                    await self._once()
                except LinkRefused as refusal:
                    _log.warning("%s refused: %s", self._address, refusal)
                    self._report(LinkState.REFUSED, refusal.reason)
                    await self._sleep(REFUSED_WAIT_S)
                    continue
                except _Lost as loss:
                    self._report(LinkState.LOST if self._been_up else LinkState.SEARCHING, loss.reason)
                held = self._clock.monotonic() - began
                wait = FIRST_WAIT_S if self._held and held >= STEADY_S else wait
                await self._sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT_S)
        finally:
            self._task = None
            self._report(LinkState.ABSENT)

    async def close(self) -> None:
        """End the connection and `run`."""
        task = self._task
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.wait({task})

    async def _once(self) -> None:
        """One connection from finding the device to its loss; always ends in _Lost or LinkRefused."""
        self._held = False
        gone = asyncio.Event()
        client = await self._connect(gone)
        try:
            await self._use(client, gone)
        finally:
            await self._disconnect(client)
        raise _Lost(Text("device.link.vanished"))

    async def _connect(self, gone: asyncio.Event) -> BleakClient:
        try:
            async with self._radio.lock:
                await self._radio.open()
                device = await self._radio.locate(self._wanted or self._address, LOCATE_S)
                if device is None:
                    raise _Lost(Text("device.link.absent", {"address": self._address}))
                self._report(LinkState.CONNECTING)
                client = self._radio.client(device, gone.set)
                await self._open(client)
                return client
        except RadioError as error:
            _log.warning("%s: %s", self._address, error)
            raise _Lost(Text("device.radio.none")) from error
        except (BleakError, TimeoutError, OSError, EOFError) as error:
            _log.info("%s could not be connected: %s", self._address, error)
            raise _Lost(Text("device.link.failed")) from error

    async def _open(self, client: BleakClient) -> None:
        try:
            await client.connect()
        except BleakDeviceNotFoundError:
            raise
        except BleakError:
            if self._needs_no_bond:
                await _forget_bond(client)
            raise

    async def _use(self, client: BleakClient, gone: asyncio.Event) -> None:
        """Run the profile until the connection is gone."""
        try:
            async with asyncio.timeout(START_S):
                await _unless(gone, self._profile.start(client))
            if not gone.is_set():
                self._been_up = self._held = True
                self._report(LinkState.UP)
                await gone.wait()
        except LinkRefused:
            raise
        except (BleakError, TimeoutError, OSError, EOFError, SmilescapeError) as error:
            _log.info("%s was lost while it was set up: %s", self._address, error)
            raise _Lost(Text("device.link.failed")) from error
        except Exception as error:
            _log.exception("The profile of %s failed", self._address)
            raise _Lost(Text("device.link.fault")) from error
        finally:
            await self._end_profile()

    async def _end_profile(self) -> None:
        try:
            await self._profile.ended()
        except Exception:
            _log.exception("The profile of %s did not end cleanly", self._address)

    async def _disconnect(self, client: BleakClient) -> None:
        """End what is left of the connection, even when cancelled: a connected peer cannot be found again."""
        if client.is_connected:
            ending = asyncio.ensure_future(self._end_connection(client))
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError:
                await ending
                raise

    async def _end_connection(self, client: BleakClient) -> None:
        try:
            async with asyncio.timeout(_CLOSE_S):
                await client.disconnect()
        except (BleakError, TimeoutError, OSError, EOFError) as error:
            _log.info("%s did not disconnect cleanly: %s", self._address, error)

    def _report(self, state: LinkState, reason: Text | None = None) -> None:
        if (state, reason) == self._state:
            return
        self._state = (state, reason)
        try:
            self._state_changed(state, reason)
        except Exception:
            _log.exception("Nobody took the news that %s is %s", self._address, state)


async def _forget_bond(client: BleakClient) -> None:
    """A bond that the peer has lost would keep us from it for ever."""
    try:
        async with asyncio.timeout(_CLOSE_S):
            await client.unpair()
    except (NotImplementedError, BleakError, TimeoutError, OSError, EOFError) as error:
        _log.info("%s has no bond that could be forgotten: %s", client.address, error)


async def _unless(gone: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Await `work`, but no longer than until `gone` is set."""
    working, ending = asyncio.ensure_future(work), asyncio.ensure_future(gone.wait())
    try:
        await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        for task in (working, ending):
            task.cancel()
        await asyncio.gather(working, ending, return_exceptions=True)

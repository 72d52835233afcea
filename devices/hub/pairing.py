"""Bluetooth's own pairing, where it is to be had: it hides the traffic's shape, and nothing depends on it."""

import asyncio
import logging
from typing import Final

from bleak import BleakClient
from bleak.exc import BleakError

_log = logging.getLogger(__name__)

PAIR_S: Final = 5.0


async def pair(client: BleakClient) -> bool | None:
    """Pair if the platform can; whether the link is paired now, None when the platform offers none. Never raises."""
    try:
        async with asyncio.timeout(PAIR_S):
            await client.pair()
    except NotImplementedError:
        return None
    except (BleakError, TimeoutError, OSError, EOFError) as error:
        _log.info("%s is not paired: %s", client.address, error)
        return False
    return True

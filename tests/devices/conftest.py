"""Real BLE frames between real hosts: an air in this process, devices and clients on it."""

from collections.abc import AsyncIterator

import pytest

from devices.simulator.air import Air


@pytest.fixture
async def air() -> AsyncIterator[Air]:
    """Three radios."""
    async with Air(3) as opened:
        yield opened

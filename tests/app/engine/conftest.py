"""Real BLE frames for the engine's sensors."""

from collections.abc import AsyncIterator

import pytest

from devices.simulator.air import Air


@pytest.fixture
async def air() -> AsyncIterator[Air]:
    """Three radios."""
    async with Air(3) as opened:
        yield opened

"""Hosts on an air whose time the test moves."""

from collections.abc import AsyncIterator

import pytest

from tests.devices.simulator.radio_world import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """One thing and one central, powered."""
    made = World()
    await made.start()
    yield made
    await made.close()

"""A hub of the practice and its workstation on the simulated air, with radios to spare for others."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devices.simulator.air import Air
from tests.devices.hub.conftest import rigged
from tests.security.siege import Siege

HUB, STATION, THIEF, ROGUE = range(4)


@pytest.fixture
async def air() -> AsyncIterator[Air]:
    """The hub's radio, the workstation's, and two of other people."""
    async with Air(4) as opened:
        yield opened


@pytest.fixture
async def siege(air: Air, tmp_path: Path) -> AsyncIterator[Siege]:
    """Treatment may begin: the session stands, samples flow."""
    async with rigged(air, tmp_path, enrolled=True) as rig:
        yield await Siege(rig).ready()

"""The driver end to end: air, band and driver exchange real BLE frames, in three processes where it matters."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator

import pytest

from core.model.block import Provenance
from core.model.clock import SystemClock
from core.model.hub import LinkState
from devices.errors import FrameError
from devices.simulator.air import Air
from devices.simulator.heart_rate import HeartRateControl, SetContact, SetPulse, run_heart_rate
from devices.simulator.sensor import DropLink, SendRaw, SetBattery
from devices.tap import Tap
from devices.vitals.heart_rate import HeartRateControlError, HeartRateDriver
from tests.devices.vitals.listening import Listener, Orders, assert_contiguous, driving, fast

BAND = "C2:5A:00:00:00:01"
AIR_PROCESS = """
import asyncio
from devices.simulator.air import run_air
asyncio.run(run_air(2, ready=lambda transports: print(*transports, flush=True)))
"""
BAND_PROCESS = """
import asyncio, sys
from devices.simulator.heart_rate import run_heart_rate
asyncio.run(run_heart_rate(sys.argv[1], seed=5, sleep=lambda s: asyncio.sleep(s / 50)))
"""


@pytest.fixture
async def orders(air: Air) -> AsyncIterator[Orders[HeartRateControl]]:
    """A band on the first radio that beats fifty times as fast as it says."""
    given = Orders[HeartRateControl]()
    band = asyncio.create_task(run_heart_rate(air.transports[0], seed=5, control=given.stream(), sleep=fast))
    yield given
    band.cancel()
    await asyncio.wait({band})


@pytest.fixture
def tap() -> Tap:
    return Tap(SystemClock())


@pytest.fixture
def listener() -> Listener:
    return Listener()


async def drive(transport: str, listener: Listener, tap: Tap) -> AsyncIterator[HeartRateDriver]:
    async with driving(HeartRateDriver, transport, BAND, listener, tap) as made:
        yield made


@pytest.fixture
async def driver(air: Air, listener: Listener, tap: Tap) -> AsyncIterator[HeartRateDriver]:
    async for made in drive(air.transports[1], listener, tap):
        yield made


async def test_a_band_is_described_and_measured(
    driver: HeartRateDriver, orders: Orders[HeartRateControl], listener: Listener, tap: Tap
) -> None:
    orders.give(SetPulse(bpm=90))
    await listener.until(lambda: len(listener.of(64)) >= 45 and len(listener.of(66)) >= 3)
    info = listener.infos[0]
    assert (info.manufacturer, info.serial) == ("Smilescape simulator", "HB-0001")
    assert info.battery_percent == 87
    assert listener.states == [LinkState.SEARCHING, LinkState.CONNECTING, LinkState.UP]
    for channel in (64, 65, 66):
        assert_contiguous(listener.of(channel))
    assert abs(int(listener.of(64)[-1].samples[0]) - 90) < 8
    assert all(550 < int(block.samples[0]) < 1100 for block in listener.of(65))
    assert tap.total == len(listener.of(64))
    assert listener.contacts == [True]
    assert listener.refused == []


async def test_battery_contact_malformed_frames_and_the_energy_reset(
    driver: HeartRateDriver, orders: Orders[HeartRateControl], listener: Listener
) -> None:
    await listener.until(lambda: len(listener.of(64)) >= 2)
    orders.give(SetBattery(percent=9))
    orders.give(SetContact(contact=False))
    orders.give(SendRaw(data=b"\x10\x40\x00"))
    await listener.until(lambda: listener.infos[-1].battery_percent == 9 and listener.contacts[-1] is False)
    await listener.until(lambda: bool(listener.refused) and listener.blocks[-1].provenance is Provenance.SUSPECT)
    error, raw = listener.refused[0]
    assert isinstance(error, FrameError)
    assert raw == b"\x10\x40\x00"
    assert listener.infos[-1].serial == "HB-0001"
    before = len(listener.of(66))
    await driver.reset_energy()
    await listener.until(lambda: len(listener.of(66)) > before)
    assert int(listener.of(66)[before].samples[0]) == 0


async def test_a_dropped_link_is_taken_up_again_as_a_new_boot(
    driver: HeartRateDriver, orders: Orders[HeartRateControl], listener: Listener
) -> None:
    await listener.until(lambda: len(listener.of(64)) >= 3)
    first = listener.of(64)[0].boot
    orders.give(DropLink())
    await listener.until(lambda: listener.blocks[-1].boot != first and listener.of(64)[-1].first_index >= 3)
    second = listener.blocks[-1].boot
    assert second > first
    assert LinkState.LOST in listener.states
    assert listener.contacts[:3] == [True, None, True]
    for boot in (first, second):
        assert_contiguous(listener.of(64, boot))
        assert_contiguous(listener.of(65, boot))


async def test_three_processes_and_a_killed_band(listener: Listener, tap: Tap) -> None:
    air = await asyncio.create_subprocess_exec(sys.executable, "-c", AIR_PROCESS, stdout=asyncio.subprocess.PIPE)
    assert air.stdout is not None
    band_radio, own_radio = (await air.stdout.readline()).decode().split()
    band = await asyncio.create_subprocess_exec(sys.executable, "-c", BAND_PROCESS, band_radio)
    async for _ in drive(own_radio, listener, tap):
        await listener.until(lambda: len(listener.of(64)) >= 5)
        first = listener.blocks[-1].boot
        band.send_signal(signal.SIGKILL)
        await listener.until(lambda: LinkState.LOST in listener.states)
        band = await asyncio.create_subprocess_exec(sys.executable, "-c", BAND_PROCESS, band_radio)
        await listener.until(lambda: listener.states.count(LinkState.UP) == 2)
        before = len(listener.blocks)
        await listener.until(lambda before=before: len(listener.blocks) >= before + 5)  # type: ignore[misc]
    assert listener.blocks[-1].boot > first
    assert_contiguous(listener.of(64, first))
    for process in (band, air):
        process.kill()
        await process.wait()


async def test_without_a_band_the_energy_cannot_be_reset(driver: HeartRateDriver) -> None:
    with pytest.raises(HeartRateControlError):
        await driver.reset_energy()

"""Drivers of other makers over real BLE frames: the example that works, and those that do everything wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.model.block import Provenance
from core.model.clock import SystemClock
from core.model.hub import LinkState
from core.model.words import Text, load_words
from devices.kinds import kind_named
from devices.plugins import host, loading
from devices.radio import Radio
from devices.sensors import make_driver
from devices.simulator.air import Air
from devices.simulator.heart_rate import run_heart_rate
from devices.simulator.sensor import DropLink, SendRaw
from devices.tap import Tap
from devices.vitals.heart_rate import HeartRateDriver
from tests.devices.plugins.packages import MEASUREMENT, install_example, installed, make_package
from tests.devices.plugins.peripheral import ADDRESS, SetFlags, oral_ph
from tests.devices.vitals.listening import Listener, assert_contiguous, driving, fast

BAND = "C2:5A:00:00:00:01"
PH, WARMTH = 160, 161
DRIVER = f"""
import sys, threading
class Driver:
    def __init__(self, deliver):
        self.deliver = deliver
    async def start(self, client):
        await client.listen("{MEASUREMENT}", self.heard)
        await client.write("8c1f0003-5a0e-4f6b-9d1b-6f72616c7068", b"\\x01")
    async def ended(self):
        pass
    def heard(self, data):
"""


@pytest.fixture
def listener() -> Listener:
    return Listener()


@asynccontextmanager
async def hosted(transport: str, listener: Listener) -> AsyncIterator[None]:
    """The plug-in's driver at work on a radio of its own."""
    kind = kind_named("oral_ph")
    assert kind is not None
    radio, clock = Radio.parse(f"bumble:{transport}"), SystemClock()
    driver = make_driver(kind, radio, ADDRESS, listener=listener, clock=clock, tap=Tap(clock), sleep=fast)
    task = asyncio.create_task(driver.run())
    try:
        yield
    finally:
        await driver.close()
        await asyncio.wait({task})
        await radio.close()


async def test_the_example_measures_leaves_gaps_and_comes_back(air: Air, tmp_path: Path, listener: Listener) -> None:
    with installed(tmp_path, install_example(tmp_path)):
        async with oral_ph(air.transports[0]) as sensor, hosted(air.transports[1], listener):
            await listener.until(lambda: len(listener.of(PH)) >= 5)
            assert listener.infos[0].serial == "PH-0001"
            assert listener.of(PH)[0].samples.tolist() == [7012]
            assert listener.of(WARMTH)[0].samples.tolist() == [3456]
            sensor.give(SetFlags(flags=2))
            await listener.until(lambda: listener.of(PH)[-1].provenance is Provenance.SUSPECT)
            sensor.give(SendRaw(data=b"garbage"))
            await listener.until(lambda: len(listener.refused) == 1)
            assert "oral-ph-sensor 1.0.0" in str(listener.refused[0][0])
            sensor.give(SetFlags(flags=1))
            warm = len(listener.of(WARMTH))
            await listener.until(lambda: len(listener.of(WARMTH)) >= warm + 20)
            acid, first = len(listener.of(PH)), listener.of(PH)[0].boot
            sensor.give(SetFlags(flags=0))
            await listener.until(lambda: len(listener.of(PH)) > acid)
            before, after = listener.of(PH)[acid - 1 : acid + 1]
            assert after.first_index > before.first_index + 1
            assert_contiguous(listener.of(WARMTH, first))
            sensor.give(DropLink())
            await listener.until(lambda: listener.of(PH)[-1].boot > first)
            assert listener.of(PH, listener.of(PH)[-1].boot)[0].first_index == 0


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("raise RuntimeError('no idea')", "RuntimeError: no idea"),
        ("sys.exit(1)", "SystemExit"),
        ("self.deliver('spo2', [97.0])", "no channel 'spo2'"),
        ("self.deliver('oral_ph_value', ['sour'])", "oral_ph"),
        ("self.deliver('oral_ph_value', [7.0] * 5000)", "5000 samples"),
        ("[self.deliver('oral_ph_value', [7.0]) for _ in range(5000)]", "more samples"),
        ("self.deliver('oral_ph_value', [1e300])", "beyond what can be recorded"),
        ("self.deliver()", "TypeError"),
    ],
)
async def test_what_a_driver_does_wrong_costs_its_frames_alone(
    air: Air, tmp_path: Path, listener: Listener, body: str, says: str
) -> None:
    make_package(tmp_path, f"{DRIVER}        {body}\n        self.deliver('oral_ph_temperature', [34.5])\n")
    with installed(tmp_path):
        async with oral_ph(air.transports[0]), hosted(air.transports[1], listener):
            await listener.until(lambda: any(says in str(error) for error, _ in listener.refused))
            assert listener.states[-1] is LinkState.UP
    assert len(listener.of(PH)) < 200


STUCK = "        threading.Event().wait()\n"


async def test_a_driver_that_never_returns_stops_nobody_and_is_given_up(
    tmp_path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "STUCK_S", 0.05)
    make_package(tmp_path, DRIVER + STUCK)
    heard = Listener()
    async with Air(4) as air:
        band = asyncio.create_task(run_heart_rate(air.transports[2], seed=1, sleep=fast))
        with installed(tmp_path):
            async with (
                oral_ph(air.transports[0]),
                hosted(air.transports[1], listener),
                driving(HeartRateDriver, air.transports[3], BAND, heard),
            ):
                await listener.until(lambda: LinkState.REFUSED in listener.states)
                before = len(heard.blocks)
                await heard.until(lambda: len(heard.blocks) > before + 5)
        band.cancel()
        await asyncio.wait({band})
    assert listener.notes == [Text("device.plugin.stuck")] * host.MOST_STUCK
    assert Text("device.plugin.stuck") in listener.reasons
    assert heard.states == [LinkState.SEARCHING, LinkState.CONNECTING, LinkState.UP, LinkState.ABSENT]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nothing_like_this", "unusable"),
        ("class Driver:\n    def __init__(self, deliver): raise OSError('no')", "failed"),
        ("class Driver:\n    def __init__(self, deliver): raise SystemExit", "failed"),
        (DRIVER.replace("await client", "raise ValueError('old')\n        await client", 1) + "        0", "failed"),
        ("class Driver:\n    def __init__(self, deliver): pass\n    start = 5", "failed"),
        (DRIVER.replace("await client", "threading.Event().wait()\n        await client", 1) + "        0", "stuck"),
        ("import threading; threading.Event().wait()", "unusable"),
    ],
)  # fmt: skip
async def test_a_driver_that_cannot_start_is_refused_with_a_reason(
    air: Air, tmp_path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch, code: str, reason: str
) -> None:
    monkeypatch.setattr(host, "START_S", 0.5)
    monkeypatch.setattr(loading, "LOAD_S", 0.3)
    make_package(tmp_path, code)
    with installed(tmp_path):
        async with oral_ph(air.transports[0]), hosted(air.transports[1], listener):
            await listener.until(lambda: LinkState.REFUSED in listener.states)
    assert Text(f"device.plugin.{reason}") in listener.reasons
    assert f"device.plugin.{reason}" in load_words()
    assert listener.blocks == []

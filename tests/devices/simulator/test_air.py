"""The air with real host processes, some of which are killed."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator

import msgspec
import pytest
from bleak import BleakClient
from bleak.exc import BleakError

from devices.bumble_backend import BumbleAdapter
from devices.simulator.air import Air, AirError, run_air
from devices.simulator.air_control import (
    AirControl,
    Calm,
    Corrupt,
    CutAtWrite,
    Delay,
    Duplicate,
    Jam,
    Lose,
    Reorder,
    SetErrors,
    SetMtu,
    SetRange,
    SetTiming,
    decode_air_control,
    encode_air_control,
)
from devices.simulator.heart_rate import run_heart_rate
from devices.simulator.interception import Recorder

BAND = "C2:5A:00:00:00:01"
BAND_PROCESS = """
import asyncio, sys
from devices.simulator.heart_rate import run_heart_rate
asyncio.run(run_heart_rate(sys.argv[1], seed=1, ready=lambda: print("up", flush=True)))
"""


async def start_band(transport: str) -> asyncio.subprocess.Process:
    """A heart rate band in a process of its own, advertising."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BAND_PROCESS, transport, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"up\n"
    return process


async def test_a_killed_device_is_lost_like_by_a_supervision_timeout_and_comes_back(air: Air) -> None:
    async with await BumbleAdapter.open(air.transports[1]) as adapter:
        for _ in range(2):
            band = await start_band(air.transports[0])
            gone = asyncio.Event()
            client = BleakClient(BAND, lambda _, gone=gone: gone.set(), backend=adapter.client_backend)  # type: ignore[misc]
            await client.connect()
            reasons: list[int] = []
            (connection,) = adapter.device.connections.values()
            connection.on("disconnection", reasons.append)
            band.send_signal(signal.SIGKILL)
            async with asyncio.timeout(5):
                await gone.wait()
            assert reasons == [0x08]
            assert not client.is_connected
            with pytest.raises(BleakError):
                await client.read_gatt_char("2a19")
            await band.wait()


async def test_many_hosts_may_come_and_go_on_one_radio(air: Air) -> None:
    band = asyncio.create_task(run_heart_rate(air.transports[0], seed=1))
    try:
        for number in range(25):
            adapter = await BumbleAdapter.open(air.transports[1], address="F0:00:00:00:00:01")
            client = BleakClient(BAND, backend=adapter.client_backend)
            await client.connect()
            assert client.is_connected
            if number % 2:
                await client.disconnect()
            await adapter.close()
    finally:
        band.cancel()
        await asyncio.wait({band})
    async with asyncio.timeout(5):
        while air.link.controllers:  # noqa: ASYNC110 - the last host's end of file is on its way
            await asyncio.sleep(0)


async def test_the_host_that_came_last_has_the_radio(air: Air) -> None:
    old = await BumbleAdapter.open(air.transports[0])
    lost = asyncio.Event()
    old.when_lost(lost.set)
    async with await BumbleAdapter.open(air.transports[0]) as new:
        async with asyncio.timeout(5):
            await lost.wait()
        assert new.alive
        assert len(air.link.controllers) == 1
    await old.close()


async def test_out_of_range_ends_links_and_silences_advertising(air: Air) -> None:
    band = asyncio.create_task(run_heart_rate(air.transports[0], seed=1))
    async with await BumbleAdapter.open(air.transports[1]) as adapter:
        gone = asyncio.Event()
        client = BleakClient(BAND, lambda _: gone.set(), backend=adapter.client_backend)
        await client.connect()
        air.set_in_range(0, False)
        async with asyncio.timeout(5):
            await gone.wait()
        with pytest.raises(BleakError):
            await BleakClient(BAND, timeout=0.4, backend=adapter.client_backend).connect()
        air.set_in_range(0, True)
        again = BleakClient(BAND, backend=adapter.client_backend)
        await again.connect()
        assert again.is_connected
    band.cancel()
    await asyncio.wait({band})


async def test_what_is_not_hci_closes_the_connection_and_nothing_else(air: Air) -> None:
    host, port = air.transports[0].split(":")[1:]
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()
    async with await BumbleAdapter.open(air.transports[0]) as adapter:
        assert adapter.alive


async def test_a_taken_port_is_a_clear_error(air: Air) -> None:
    port = int(air.transports[0].rsplit(":", 1)[1])
    with pytest.raises(AirError) as refused:
        await Air([0, port]).open()
    assert refused.value.remedy


async def test_the_air_obeys_its_control_stream_and_ends_with_it() -> None:
    told: list[tuple[str, ...]] = []

    async def control() -> AsyncIterator[AirControl]:
        yield SetRange(radio=0, in_range=False)
        yield SetRange(radio=9, in_range=False)

    await run_air(2, ready=told.append, control=control())
    assert len(told) == 1
    assert len(set(told[0])) == 2


async def test_a_radio_keeps_its_conditions_when_another_host_takes_it(air: Air) -> None:
    air.tell(SetTiming(interval_ms=7.5))
    for _ in range(2):
        band = asyncio.create_task(run_heart_rate(air.transports[0], seed=1))
        async with await BumbleAdapter.open(air.transports[1]) as adapter:
            client = BleakClient(BAND, backend=adapter.client_backend)
            await client.connect()
            (connection,) = adapter.device.connections.values()
            assert connection.parameters.connection_interval == 7.5
            band.cancel()
            await asyncio.wait({band})


async def test_who_sits_in_a_radio_sees_its_links_and_no_other(air: Air) -> None:
    here, there = Recorder(), Recorder()
    interceptions = air.intercept(here, radio=0), air.intercept(there, radio=2)
    band = asyncio.create_task(run_heart_rate(air.transports[0], seed=1))
    async with await BumbleAdapter.open(air.transports[1]) as adapter:
        client = BleakClient(BAND, backend=adapter.client_backend)
        await client.connect()
        assert len(air.links()) == len(air.links(0)) == len(air.links(1)) == 1
        assert air.links(2) == ()
        assert (await client.read_gatt_char("2a19"))[0] > 0
    assert here.pdus
    assert not there.pdus
    for interception in interceptions:
        interception.close()
    band.cancel()
    await asyncio.wait({band})


MESSAGES: list[AirControl] = [
    SetRange(radio=1, in_range=False),
    SetTiming(radio=1, interval_ms=7.5, phy=1, octets=27),
    SetTiming(interval_ms=4000),
    SetErrors(radio=1, rate=0.25),
    Jam(seconds=2.0),
    Lose(radio=1, way="sent", rate=0.5, everything=True),
    Duplicate(radio=1, count=3),
    Reorder(radio=1, way="received", rate=0.1, by=5),
    Corrupt(radio=1, count=1),
    Delay(radio=1, seconds=0.2, jitter=0.1),
    CutAtWrite(radio=1, nth=2, handle=17, delivered=True),
    SetMtu(radio=1, largest=100, delay=3.0, answered=False),
    Calm(),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_control_message_is_one_line(message: AirControl) -> None:
    line = encode_air_control(message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode_air_control(line) == message


def test_every_kind_of_control_message_was_tried() -> None:
    assert {type(message) for message in MESSAGES} == set(AirControl.__args__)


@pytest.mark.parametrize(
    "line",
    [
        b'{"type": "timing", "interval_ms": 7}',
        b'{"type": "timing", "interval_ms": 6.25}',
        b'{"type": "timing", "interval_ms": 4001.25}',
        b'{"type": "timing", "octets": 26}',
        b'{"type": "timing", "phy": 3}',
        b'{"type": "errors", "rate": 1.5}',
        b'{"type": "lose", "rate": -0.1}',
        b'{"type": "lose", "way": "up"}',
        b'{"type": "mtu", "largest": 22}',
        b'{"type": "jam"}',
        b'{"type": "jam", "seconds": 1, "minutes": 1}',
        b'{"type": "storm"}',
        b"[]",
    ],
)
def test_what_is_no_control_message_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_air_control(line)

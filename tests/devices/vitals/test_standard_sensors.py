"""Oximeter and thermometer end to end: real BLE frames through bleak and Bumble."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from core.model.block import Provenance
from core.model.hub import LinkState
from core.model.words import Text, load_words
from devices.errors import FrameError
from devices.kinds import kind_of
from devices.radio import Radio
from devices.simulator.air import Air
from devices.simulator.heart_rate import run_heart_rate
from devices.simulator.pulse_oximeter import (
    OFF_FINGER,
    PulseOximeterControl,
    SetFinger,
    SetOxygen,
    SetStatus,
    SpotCheck,
    run_pulse_oximeter,
)
from devices.simulator.sensor import DropLink, SendRaw
from devices.simulator.thermometer import SetClock, SetTemperature, SetUnit, ThermometerControl, run_thermometer
from devices.vitals.pulse_oximeter import _NO_MEASUREMENT, _NO_VALUE, PulseOximeterDriver
from devices.vitals.pulse_oximeter_frames import MeasurementStatus
from devices.vitals.thermometer import ThermometerDriver
from devices.vitals.thermometer_frames import Site
from tests.devices.vitals.listening import Listener, Orders, assert_contiguous, driving, fast

OXIMETER = "C3:5A:00:00:00:01"
THERMOMETER = "C4:5A:00:00:00:01"
SPO2, PULSE, AMPLITUDE, SPOT_SPO2, SPOT_PULSE, WARMTH = 67, 68, 69, 70, 71, 72


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def oximeter(air: Air) -> AsyncIterator[Orders[PulseOximeterControl]]:
    orders = Orders[PulseOximeterControl]()
    task = asyncio.create_task(run_pulse_oximeter(air.transports[0], seed=3, control=orders.stream(), sleep=fast))
    yield orders
    task.cancel()
    await asyncio.wait({task})


@pytest.fixture
async def thermometer(air: Air) -> AsyncIterator[Orders[ThermometerControl]]:
    orders = Orders[ThermometerControl]()
    task = asyncio.create_task(run_thermometer(air.transports[0], seed=3, control=orders.stream(), sleep=fast))
    yield orders
    task.cancel()
    await asyncio.wait({task})


def missing(reason: str) -> Text:
    return Text(f"device.sensor.missing.{reason}")


async def test_an_oximeter_is_described_and_measured(
    air: Air, oximeter: Orders[PulseOximeterControl], listener: Listener
) -> None:
    async with driving(PulseOximeterDriver, air.transports[1], OXIMETER, listener) as driver:
        oximeter.give(SetOxygen(percent=91.0))
        await listener.until(lambda: len(listener.of(SPO2)) >= 40)
        assert driver.features is not None
        assert driver.newest is not None
        assert driver.newest.fast == driver.newest.slow == driver.newest.reading
    assert (listener.infos[0].serial, listener.infos[0].battery_percent) == ("OX-0001", 87)
    for channel in (SPO2, PULSE, AMPLITUDE):
        assert_contiguous(listener.of(channel))
    assert abs(int(listener.of(SPO2)[-1].samples[0]) / 10 - 91.0) < 1.0
    assert {block.provenance for block in listener.blocks} == {Provenance.LIVE}
    assert listener.contacts == [True, None]
    assert listener.notes == []
    assert listener.refused == []


async def test_without_a_finger_there_are_gaps_with_a_reason_and_no_numbers(
    air: Air, oximeter: Orders[PulseOximeterControl], listener: Listener
) -> None:
    async with driving(PulseOximeterDriver, air.transports[1], OXIMETER, listener):
        await listener.until(lambda: len(listener.of(SPO2)) >= 2)
        oximeter.give(SetFinger(on=False))
        await listener.until(lambda: listener.notes == [missing("off")])
        before = len(listener.blocks)
        oximeter.give(SendRaw(data=bytes.fromhex("00 ff07 0008")))
        await listener.until(lambda: missing("no_number") in listener.notes)
        assert len(listener.blocks) == before
        oximeter.give(SetFinger(on=True))
        await listener.until(lambda: len(listener.blocks) > before)
        assert listener.notes[-1] == Text("device.sensor.measures_again")
        assert listener.contacts == [True, False, True]


async def test_what_the_oximeter_doubts_is_suspect_and_what_it_disowns_is_left_out(
    air: Air, oximeter: Orders[PulseOximeterControl], listener: Listener
) -> None:
    async with driving(PulseOximeterDriver, air.transports[1], OXIMETER, listener):
        await listener.until(lambda: len(listener.of(SPO2)) >= 2)
        oximeter.give(SetStatus(measurement=MeasurementStatus.EARLY_ESTIMATE))
        await listener.until(lambda: listener.of(SPO2)[-1].provenance is Provenance.SUSPECT)
        oximeter.give(SetStatus(measurement=MeasurementStatus.INVALID, sensor=OFF_FINGER >> 3))
        await listener.until(lambda: listener.notes == [missing("invalid")])


async def test_a_spot_check_is_indicated_and_its_clock_is_kept_but_not_believed(
    air: Air, oximeter: Orders[PulseOximeterControl], listener: Listener
) -> None:
    async with driving(PulseOximeterDriver, air.transports[1], OXIMETER, listener) as driver:
        await listener.until(lambda: len(listener.of(SPO2)) >= 2)
        oximeter.give(SpotCheck(clock="1999-12-31T23:59:58"))
        await listener.until(lambda: len(listener.of(SPOT_SPO2)) == 1)
        oximeter.give(SpotCheck())
        await listener.until(lambda: len(listener.of(SPOT_PULSE)) == 2)
        told = [note for note in listener.notes if note.key == "device.sensor.clock"]
        assert [note.values["time"] for note in told] == ["1999-12-31 23:59:58"]
        near = listener.of(SPO2)[-1].start_us - listener.of(SPOT_SPO2)[0].start_us
        assert abs(near) < 60_000_000
        assert driver.newest is not None


async def test_garbage_is_refused_and_the_link_stays(
    air: Air, oximeter: Orders[PulseOximeterControl], listener: Listener
) -> None:
    async with driving(PulseOximeterDriver, air.transports[1], OXIMETER, listener):
        await listener.until(lambda: len(listener.of(SPO2)) >= 2)
        garbage = [b"\xff", b"\x00" * 3, bytes(range(20)), b"\x1f\x62"]
        for data in garbage:
            oximeter.give(SendRaw(data=data))
        await listener.until(lambda: len(listener.refused) == len(garbage))
        before = len(listener.of(SPO2))
        await listener.until(lambda: len(listener.of(SPO2)) > before)
        assert [raw for _, raw in listener.refused] == garbage
        assert all(isinstance(error, FrameError) for error, _ in listener.refused)
        assert listener.states[-1] is LinkState.UP


async def test_a_dropped_oximeter_is_taken_up_again_as_a_new_boot(
    air: Air, oximeter: Orders[PulseOximeterControl], listener: Listener
) -> None:
    async with driving(PulseOximeterDriver, air.transports[1], OXIMETER, listener):
        await listener.until(lambda: len(listener.of(SPO2)) >= 2)
        first = listener.blocks[-1].boot
        oximeter.give(DropLink())
        await listener.until(lambda: listener.blocks[-1].boot > first and len(listener.of(SPO2)) >= 5)
        assert_contiguous(listener.of(SPO2, first))
        assert_contiguous(listener.of(SPO2, listener.blocks[-1].boot))


async def test_a_thermometer_tells_estimates_then_the_value_and_where(
    air: Air, thermometer: Orders[ThermometerControl], listener: Listener
) -> None:
    async with driving(ThermometerDriver, air.transports[1], THERMOMETER, listener) as driver:
        thermometer.give(SetTemperature(celsius=37.2))
        thermometer.give(SetUnit(fahrenheit=True))
        thermometer.give(SetClock(clock="2001-01-01T00:00:00"))

        def final() -> list[int]:
            live = [block for block in listener.of(WARMTH) if block.provenance is Provenance.LIVE]
            return [int(block.samples[0]) for block in live]

        await listener.until(lambda: 3720 in final())
        assert driver.interval_s == 5
        await listener.until(lambda: any(block.provenance is Provenance.SUSPECT for block in listener.of(WARMTH)))
        assert_contiguous(listener.of(WARMTH))
        assert Text("device.thermometer.site.mouth") in listener.notes
        assert [note.values["time"] for note in listener.notes if note.key == "device.sensor.clock"] == [
            "2001-01-01 00:00:00"
        ]
        thermometer.give(SetTemperature(celsius=None))
        await listener.until(lambda: listener.notes[-1] == missing("no_number"))
        thermometer.give(SendRaw(data=b"\x06\x00"))
        await listener.until(lambda: len(listener.refused) == 1)
        first = listener.blocks[-1].boot
        thermometer.give(SetTemperature(celsius=36.5))
        thermometer.give(DropLink())
        await listener.until(lambda: listener.blocks[-1].boot > first and final()[-1] == 3650)


async def test_a_device_of_another_kind_is_refused_with_a_reason(air: Air, listener: Listener) -> None:
    band = asyncio.create_task(run_heart_rate(air.transports[0], seed=1, address=OXIMETER, sleep=fast))
    try:
        async with driving(PulseOximeterDriver, air.transports[1], OXIMETER, listener):
            await listener.until(lambda: LinkState.REFUSED in listener.states)
        async with driving(ThermometerDriver, air.transports[1], OXIMETER, listener):
            await listener.until(lambda: listener.states.count(LinkState.REFUSED) == 2)
    finally:
        band.cancel()
        await asyncio.wait({band})
    reasons = [reason for reason in listener.reasons if reason is not None and reason.key.endswith("not_one")]
    assert [reason.key for reason in reasons] == ["device.pulse_oximeter.not_one", "device.thermometer.not_one"]
    assert all(reason.key in load_words() for reason in reasons)


@pytest.mark.usefixtures("oximeter")
async def test_a_scan_says_which_kind_it_is(air: Air) -> None:
    radio = Radio.parse(f"bumble:{air.transports[1]}")
    await radio.open()
    try:
        async with asyncio.timeout(20):
            while not (seen := await radio.scan(0.5)):
                pass
    finally:
        await radio.close()
    assert [(one.address, one.kind) for one in seen] == [(OXIMETER, "pulse_oximeter")]


def test_there_are_words_for_every_reason_and_every_site() -> None:
    reasons = {reason for _, reason in (*_NO_VALUE, *_NO_MEASUREMENT)} | {"no_number"}
    keys = [f"device.sensor.missing.{reason}" for reason in reasons]
    keys += [f"device.thermometer.site.{site.name.lower()}" for site in Site]
    assert [key for key in keys if key not in load_words()] == []


def test_a_device_that_offers_several_services_is_the_most_telling_of_them() -> None:
    heart, oximetry = "0000180d-0000-1000-8000-00805f9b34fb", "00001822-0000-1000-8000-00805F9B34FB"
    both = kind_of([heart, oximetry])
    assert both is not None
    assert both.key == "pulse_oximeter"
    assert kind_of(["0000180f-0000-1000-8000-00805f9b34fb"]) is None
    assert kind_of([]) is None

"""Sensors of a chair: from BLE frames to record, ring, CSV, alarms and the picture, whoever made them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.engine.alarm_desk import AlarmDesk
from app.engine.chair import Chair, House
from app.engine.clock import SystemAsyncClock
from app.engine.doubts_desk import DoubtsDesk
from app.engine.keys_desk import KeysDesk
from app.engine.picture import picture
from app.ipc.ring import RingReader, RingWriter
from core.model.hub import LinkState
from core.model.words import Text, load_words
from core.procedure.modules import load_modules
from core.record import Record, RecordReader
from core.record.csv import export_csv
from core.record.practice import PracticeFile
from core.safety.alarm_catalogue import load_alarms
from core.safety.alarms import AlarmBook
from core.signals.catalogue import load_catalogue
from devices.radio import Radio
from devices.simulator.air import Air
from devices.simulator.heart_rate import run_heart_rate
from devices.simulator.pulse_oximeter import PulseOximeterControl, SetFinger, SetOxygen, run_pulse_oximeter
from tests.devices.plugins.packages import install_example, installed, make_package
from tests.devices.plugins.peripheral import ADDRESS as ORAL
from tests.devices.plugins.peripheral import oral_ph
from tests.devices.vitals.listening import Orders, fast

KEY = bytes(range(32))
OXIMETER, BAND = "C3:5A:00:00:00:01", "C2:5A:00:00:00:01"
FOR_EVER = 1 << 60


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in other threads, too
            await asyncio.sleep(0.01)


class Practice:
    """One chair on a radio, with its file."""

    def __init__(self, folder: Path, transport: str, *, simulated: bool = True) -> None:
        self.path = folder / "chair-1.sqlite"
        self.ring = folder / "ring"
        clock = SystemAsyncClock()
        self.radio = Radio.parse(f"bumble:{transport}")
        self.alarms = AlarmDesk(
            AlarmBook(load_alarms()),
            recorder=lambda _: self.chair.recorder,
            sound=None,
            clock=clock,
            changed=lambda: None,
        )
        self.practice = PracticeFile.create(folder / "practice.sqlite", KEY, clock=clock)
        house = House(
            radio=self.radio,
            keys=KeysDesk(self.practice, simulated=simulated, clock=clock),
            catalogue=load_catalogue(),
            modules=load_modules(),
            alarms=self.alarms,
            doubts=DoubtsDesk(self.practice, clock),
            clock=clock,
            simulated=simulated,
            operator=str,
            bound=lambda chair, address, serial: None,
            changed=lambda _: None,
            doubted=lambda _: None,
        )
        record = Record.create(self.path, KEY, chair=1, simulated=simulated, clock=clock)
        self.chair = Chair(1, record, RingWriter(self.ring), house)

    def has(self, *channels: str) -> bool:
        return set(channels) <= set(self.chair.flow.newest)

    def read(self) -> RecordReader:
        return RecordReader.open(self.path, KEY)

    def logged(self) -> list[Text]:
        with self.read() as reader:
            return [entry.text for entry in reader.log(limit=1000)]


@asynccontextmanager
async def practice(folder: Path, transport: str, *, simulated: bool = True) -> AsyncIterator[Practice]:
    made = Practice(folder, transport, simulated=simulated)
    await made.chair.start()
    try:
        yield made
    finally:
        await made.chair.close()
        await made.radio.close()
        made.practice.close()


async def test_an_oximeter_is_drawn_recorded_exported_alarmed_and_silent_without_a_finger(
    air: Air, tmp_path: Path
) -> None:
    orders = Orders[PulseOximeterControl]()
    device = asyncio.create_task(run_pulse_oximeter(air.transports[0], seed=3, control=orders.stream(), sleep=fast))
    async with practice(tmp_path, air.transports[1]) as room:
        live = RingReader(room.ring, from_start=True)
        room.chair.bind_sensor("pulse_oximeter", OXIMETER, "Finger")
        await until(lambda: room.has("oximeter_spo2", "oximeter_pulse", "pulse_amplitude"))
        (shown,) = picture(room.chair).sensors
        assert (shown.kind, shown.name, shown.link) == ("pulse_oximeter", "Finger", LinkState.UP)
        assert {block.block.channel for block in live.poll().blocks} >= {67, 68, 69}
        orders.give(SetOxygen(percent=80.0))
        await until(lambda: any(limit.channel == "oximeter_spo2" for limit in room.chair.monitor.crossed()))
        (alarm,) = [alarm for alarm in room.alarms.active() if alarm.channel == "oximeter_spo2"]
        assert alarm.kind == "limit.high"
        orders.give(SetFinger(on=False))
        await until(lambda: picture(room.chair).sensors[0].contact is False)
        newest, heard = room.chair.flow.newest["oximeter_spo2"], room.chair.sensors[OXIMETER].tap
        live.poll()
        before = heard.total
        await until(lambda: heard.total >= before + 10)
        assert room.chair.flow.newest["oximeter_spo2"] is newest
        assert [block for block in live.poll().blocks if block.block.channel == 67] == []
    live.close()
    device.cancel()
    await asyncio.wait({device})
    with room.read() as reader:
        rows = export_csv(reader, ["oximeter_spo2", "oximeter_pulse"], 0, FOR_EVER, tmp_path / "out.csv")
        assert rows > 10
    said = [load_words().tell(text) for text in room.logged()]
    assert "Finger: No values: the sensor is off the patient. Put it on again." in said


async def test_the_example_of_another_maker_goes_the_same_way(air: Air, tmp_path: Path) -> None:
    with installed(tmp_path, install_example(tmp_path)):
        async with oral_ph(air.transports[0]), practice(tmp_path, air.transports[1]) as room:
            live = RingReader(room.ring, from_start=True)
            room.chair.bind_sensor("oral_ph", ORAL, "Probe")
            await until(lambda: room.has("oral_ph_value", "oral_ph_temperature"))
            assert picture(room.chair).values["oral_ph_value"] == pytest.approx(7.012)
            assert picture(room.chair).sensors[0].kind == "oral_ph"
            await until(lambda: any(block.block.channel == 160 for block in live.poll().blocks))
            live.close()
            await room.chair.unbind(ORAL)
        with room.read() as reader:
            assert export_csv(reader, ["oral_ph_value"], 0, FOR_EVER, tmp_path / "out.csv") > 0
        assert "oral_ph_value" in (tmp_path / "out.csv").read_text(encoding="utf-8")


async def test_a_broken_driver_of_another_maker_leaves_the_other_sensors_alone(air: Air, tmp_path: Path) -> None:
    make_package(tmp_path, "raise RuntimeError('no')")
    band = asyncio.create_task(run_heart_rate(air.transports[2], seed=1, sleep=fast))
    with installed(tmp_path):
        async with oral_ph(air.transports[0]), practice(tmp_path, air.transports[1]) as room:
            room.chair.bind_sensor("oral_ph", ORAL, "Probe")
            room.chair.bind_sensor("heart_rate", BAND, "Belt")
            probe, belt = room.chair.sensors[ORAL], room.chair.sensors[BAND]
            await until(lambda: probe.link is LinkState.REFUSED and belt.link is LinkState.UP)
            await until(lambda: room.has("heart_rate"))
        assert any(text.values.get("said") == "@device.plugin.unusable" for text in room.logged())
    band.cancel()
    await asyncio.wait({band})


async def test_a_kind_that_nobody_knows_any_more_is_shown_as_unknown(air: Air, tmp_path: Path) -> None:
    async with practice(tmp_path, air.transports[1]) as room:
        room.chair.bind_sensor("oral_ph", ORAL, "Probe")
        (shown,) = picture(room.chair).sensors
        assert (shown.kind, shown.link) == ("unknown", LinkState.ABSENT)
        await room.chair.unbind(ORAL)
        assert room.chair.sensors == {}
    assert any(text.values.get("said") == "@device.sensor.unknown_kind" for text in room.logged())


async def test_a_simulated_sensor_is_refused_on_real_data(air: Air, tmp_path: Path) -> None:
    band = asyncio.create_task(run_heart_rate(air.transports[0], seed=1, sleep=fast))
    async with practice(tmp_path, air.transports[1], simulated=False) as room:
        room.chair.bind_sensor("heart_rate", BAND, "Belt")
        await until(lambda: room.chair.sensors[BAND].link is LinkState.REFUSED)
        assert not room.has("heart_rate")
    band.cancel()
    await asyncio.wait({band})
    assert any(text.values.get("said") == "@device.sensor.is_simulated" for text in room.logged())

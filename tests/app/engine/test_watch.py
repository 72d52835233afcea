"""A whole engine on a clock that the test moves: windows that freeze, machines that sleep, clocks that are set."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from app.engine.chair import Chair
from app.engine.clock import ManualAsyncClock, settle
from app.engine.house import Engine
from app.engine.runtime import Folder
from app.engine_config import EngineConfig
from app.ipc import messages as ipc
from app.ipc.client import EngineClient
from core.model.intents import NextStep, SetComfort, SetPlan, SignConsent, StartBaseline
from core.model.procedure import Choice, Facts, Hold, HoldOrigin, ModulePlan, PhaseState, ProcedureView, Step
from core.people.demo import load_demo
from core.procedure.events import BaselineSample
from core.record import RecordReader

GOOD = Facts(link_up=True, identity_known=True, status_fresh=True, battery_percent=80, recording=True, hub_idle=True)


@pytest.fixture
def clock() -> ManualAsyncClock:
    return ManualAsyncClock()


@pytest.fixture
async def engine(tmp_path: Path, clock: ManualAsyncClock) -> AsyncIterator[Engine]:
    folder = Folder.open(tmp_path / "data", simulated=True)
    nobody = "bumble:tcp-client:127.0.0.1:9"
    config = EngineConfig(
        data_folder=str(folder.root), radio=nobody, chairs=1, simulated=True, passphrase="simulated", sound=False
    )
    one = Engine(config, folder, clock)
    try:
        await one.open()
        yield one
    finally:
        await one.close()


async def treat(engine: Engine) -> Chair:
    """Chair 1 in the middle of a phase, as its procedure believes."""
    chair = engine.chairs[1]
    person = load_demo().patients[0]
    actor = load_demo().operator
    await chair.seat(person.patient, person.teeth, actor)
    visit = chair.visits.now
    assert visit is not None

    def act(*intents: msgspec.Struct) -> None:
        for intent in intents:
            visit.runner.act(intent, actor=actor, revision=None)  # type: ignore[arg-type]

    chair.observe(GOOD)
    act(NextStep(), SetComfort(answers={f"mdas{item}": 2 for item in range(1, 6)}), NextStep(), StartBaseline())
    chair.observe(BaselineSample({"pulp_temperature": 35.5, "saliva_ph": 6.9}, 20.0))
    repair = ModulePlan(module="repair", choice=Choice.INCLUDED, teeth=(36,), dose_percent=100)
    act(NextStep(), SetPlan(modules=(repair,), own_limits=(), data_choice="data.ask_me"), NextStep())
    act(SignConsent(how="aloud"))
    view = visit.view
    running = (msgspec.structs.replace(view.phases[0], state=PhaseState.RUNNING), *view.phases[1:])
    visit.runner.machine.view = msgspec.structs.replace(view, step=Step.TREAT, phases=running, current_phase=1)
    assert visit.view.treating
    return chair


def view(chair: Chair) -> ProcedureView:
    assert chair.view is not None
    return chair.view


def hold(chair: Chair) -> Hold | None:
    return view(chair).hold


def origin(chair: Chair) -> HoldOrigin:
    held = hold(chair)
    assert held is not None, "nothing holds"
    return held.origin


def alarms(engine: Engine) -> set[str]:
    return {alarm.kind for alarm in engine.alarms.active()}


async def logged(engine: Engine) -> list[str]:
    chair = engine.chairs[1]
    await chair.do(lambda record: None)
    path = engine.folder.chair_file(1)
    with RecordReader.open(path, engine.keys.load(path, lambda: engine.config.passphrase)) as reader:
        return [entry.text.key for entry in reader.log()]


async def console(engine: Engine) -> EngineClient:
    client = await asyncio.to_thread(EngineClient.connect, engine.folder.runtime_dir, "console")
    await asyncio.to_thread(client.request, ipc.Alive())
    return client


async def test_after_the_machine_slept_therapy_is_held(engine: Engine, clock: ManualAsyncClock) -> None:
    chair = await treat(engine)
    engine.watch.look()
    assert hold(chair) is None
    clock.suspend(60.0)
    engine.watch.look()
    assert origin(chair) is HoldOrigin.WAKE
    assert "clock.jump" not in alarms(engine), "sleep is no set clock"
    assert "log.woke" in await logged(engine)


async def test_a_clock_that_is_set_is_said_and_holds_nothing(engine: Engine, clock: ManualAsyncClock) -> None:
    chair = await treat(engine)
    clock.jump_wall(1.5)
    engine.watch.look()
    assert "clock.jump" not in alarms(engine), "a time server's correction"
    clock.jump_wall(-3600.0)
    engine.watch.look()
    assert "clock.jump" in alarms(engine)
    assert hold(chair) is None


async def test_a_window_that_freezes_holds_therapy_within_four_seconds(engine: Engine, clock: ManualAsyncClock) -> None:
    chair = await treat(engine)
    client = await console(engine)
    engine.watch.look()
    await clock.run(2.5)
    assert hold(chair) is None
    await clock.run(1.5)
    assert origin(chair) is HoldOrigin.CONSOLE
    assert "console.lost" in alarms(engine)
    await asyncio.to_thread(client.close)


async def test_a_window_is_not_blamed_for_the_engine_standing_still(engine: Engine, clock: ManualAsyncClock) -> None:
    chair = await treat(engine)
    client = await console(engine)
    engine.watch.look()
    clock.advance(6.0)  # at once: nothing ran meanwhile
    engine.watch.look()
    assert hold(chair) is None
    await asyncio.to_thread(client.request, ipc.Alive())
    await clock.run(2.0)
    assert hold(chair) is None
    clock.advance(6.0)
    await clock.run(2.0)
    assert origin(chair) is HoldOrigin.CONSOLE, "but one that says nothing now is lost"
    await asyncio.to_thread(client.close)


async def test_nobody_stays_for_ever(engine: Engine, clock: ManualAsyncClock) -> None:
    engine.config = msgspec.structs.replace(engine.config, idle_exit_s=300.0)
    client = await console(engine)
    engine.watch.look()
    await asyncio.to_thread(client.close)
    await settle()
    await clock.run(200.0)
    assert not engine.ended.is_set()
    await clock.run(150.0)
    assert engine.ended.is_set()


async def test_an_engine_with_therapy_on_stays_alone(engine: Engine, clock: ManualAsyncClock) -> None:
    engine.config = msgspec.structs.replace(engine.config, idle_exit_s=10.0)
    await treat(engine)
    await clock.run(60.0)
    assert not engine.ended.is_set()

"""Keys through a whole engine and its wire: founded by the first dentist, closed at logout, listed by the command."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.cli import main
from app.engine.clock import ManualAsyncClock
from app.engine.house import Engine
from app.engine.runtime import Folder
from app.engine_config import EngineConfig
from app.ipc import key_messages as keys
from app.ipc import messages as ipc
from app.ipc.client import EngineClient
from core.model.keys import KeyState
from core.model.people import Role
from core.people.demo import load_demo
from core.record import RecordReader

WORD, PIN = "correct horse", "739154"


async def started(root: Path, *, simulated: bool) -> tuple[Engine, EngineClient]:
    """An engine without a radio, and a console on its wire."""
    folder = Folder.open(root, simulated=simulated)
    config = EngineConfig(
        data_folder=str(folder.root),
        radio="bumble:tcp-client:127.0.0.1:9",
        chairs=1,
        simulated=simulated,
        passphrase="simulated" if simulated else WORD,
        sound=False,
    )
    engine = Engine(config, folder, ManualAsyncClock())
    await engine.open()
    return engine, await asyncio.to_thread(EngineClient.connect, folder.runtime_dir, "console")


async def ended(engine: Engine, client: EngineClient) -> None:
    await asyncio.to_thread(client.close)
    await engine.close()


async def ask(client: EngineClient, body: ipc.Request) -> ipc.Reply:
    return await asyncio.to_thread(client.request, body)


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[tuple[Engine, EngineClient]]:
    pair = await started(tmp_path / "data", simulated=False)
    yield pair
    if not pair[0].ended.is_set():
        await ended(*pair)


async def test_a_practice_from_its_first_dentist_to_the_command_line(
    console: tuple[Engine, EngineClient], capsys: pytest.CaptureFixture[str]
) -> None:
    engine, client = console
    assert isinstance(await ask(client, keys.ListKeys()), ipc.Refused), "nobody is logged in"
    made = await ask(client, ipc.AddOperator(name="Dr. Ada Moor", role=Role.DENTIST, pin=PIN))
    assert isinstance(made, ipc.Done)
    await ask(client, ipc.Login(operator_id=made.id, pin=PIN))
    assert isinstance(await ask(client, keys.RotateWorkstation(reason="set up anew")), ipc.Done)
    listed = await ask(client, keys.ListKeys())
    assert isinstance(listed, keys.Keys)
    assert [row.state for row in listed.rows] == [KeyState.IN_FORCE, KeyState.IN_FORCE, KeyState.REVOKED]
    assert (listed.unlocked, listed.makers, listed.list_number) == (True, (), 2)
    await ask(client, ipc.Logout())
    assert engine.keys_desk.clinician(made.id) is None
    assert engine.keys_desk.workstation.certificate.kid.hex().upper() == listed.rows[1].kid.replace(" ", "")

    path = engine.folder.chair_file(1)
    await engine.chairs[1].do(lambda record: None)
    with RecordReader.open(path, engine.keys.load(path, lambda: WORD)) as reader:
        assert {"log.person_added", "log.keys.workstation_rotated"} <= {entry.text.key for entry in reader.log()}
    engine.ended.set()
    await ended(engine, client)
    assert await asyncio.to_thread(main, ["keys", "list", "--data", str(engine.folder.root), "--passphrase", WORD]) == 0
    said = capsys.readouterr().out
    assert all(row.kid in said for row in listed.rows)
    assert "set up anew" in said


async def test_the_demo_can_sign_from_its_first_moment_and_after_a_restart(tmp_path: Path) -> None:
    demo = load_demo().operator.id
    kids = []
    for _ in range(2):
        engine, client = await started(tmp_path / "demo", simulated=True)
        clinician = engine.keys_desk.clinician(demo)
        assert clinician is not None
        kids.append(clinician.certificate.kid)
        listed = await ask(client, keys.ListKeys())
        assert isinstance(listed, keys.Keys)
        assert listed.makers == ("Simulated maker",)
        await ended(engine, client)
    assert kids[0] == kids[1]

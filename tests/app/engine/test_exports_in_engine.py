"""Exports through a whole engine and its wire: who may, what is written down, what other consoles see."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import cbor2
import msgspec
import numpy as np
import pytest

from app.engine.house import Engine
from app.ipc import export_messages as exports
from app.ipc import messages as ipc
from app.ipc.client import EngineClient
from core.model.block import SampleBlock
from core.model.people import Role, VisitSummary
from core.record import Record, RecordReader, StampedBlock
from core.signals.catalogue import load_catalogue
from tests.app.engine.test_keys_in_engine import ask, ended, started

PH = load_catalogue().key("saliva_ph")
HOUR = 3_600_000_000


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[tuple[Engine, EngineClient]]:
    pair = await started(tmp_path / "demo", simulated=True)
    yield pair
    await ended(*pair)


async def visited(engine: Engine) -> VisitSummary:
    """A visit of a minute of saliva pH in the first chair."""
    began = engine.clock.utc_us()
    patient = (await engine.chairs[1].do(lambda record: record.patients()))[0]
    visit = VisitSummary(
        id="v-1", patient_id=patient.id, code="V-1", chair=1, began_us=began, ended_us=None, state="open", title_key=""
    )
    block = SampleBlock(PH.number, 1, 0, 0, PH.period_us, np.arange(600).astype(np.int16))

    def write(record: Record) -> None:
        record.begin_visit(visit)
        record.add_blocks("hub", [StampedBlock(block, began)], visit.id)

    await engine.chairs[1].do(write)
    return visit


def viewed(engine: Engine) -> list[dict[str, object]]:
    path = engine.folder.chair_file(1)
    with RecordReader.open(path, engine.keys.load(path, lambda: "simulated")) as reader:
        entries = [cbor2.loads(entry.entry) for entry in reader.audit_entries()]
    return [entry for entry in entries if "view" in str(entry)]


async def test_an_assistant_exports_and_it_is_written_down(demo: tuple[Engine, EngineClient], tmp_path: Path) -> None:
    engine, client = demo
    visit = await visited(engine)
    made = await ask(client, ipc.AddOperator(name="Jon", role=Role.ASSISTANT, pin="739154"))
    assert isinstance(made, ipc.Done)
    await ask(client, ipc.Login(operator_id=made.id, pin="739154"))
    request = exports.ExportSamples(
        chair=1,
        visit_id=visit.id,
        format="edf",
        channels=(PH.key,),
        from_us=visit.began_us,
        to_us=visit.began_us + HOUR,
        path=str(tmp_path / "V-1-edf"),
    )
    assert await ask(client, request) == ipc.Done(detail=str(tmp_path / "V-1-edf"))
    assert (tmp_path / "V-1-edf" / "manifest.json").exists()
    day = exports.ExportDay(from_us=visit.began_us, to_us=visit.began_us + HOUR, folder=str(tmp_path), name="reports")
    told = await ask(client, day)
    assert isinstance(told, exports.DayMade)
    assert [one.visit_code for one in told.refused] == ["V-1"]
    nowhere = await ask(client, msgspec.structs.replace(request, chair=9))
    assert isinstance(nowhere, ipc.Refused)
    assert nowhere.code == "chair"
    await engine.chairs[1].do(lambda record: None)
    entries = await asyncio.to_thread(viewed, engine)
    assert len(entries) == 1
    assert made.id in str(entries[0])
    assert "ExportSamples" in str(entries[0])


async def test_nobody_exports_from_a_locked_workstation(demo: tuple[Engine, EngineClient], tmp_path: Path) -> None:
    engine, client = demo
    await ask(client, ipc.Logout())
    day = exports.ExportDay(from_us=0, to_us=1 << 60, folder=str(tmp_path), name="reports")
    for request in (day, exports.CancelJob(id="export-1")):
        reply = await ask(client, request)
        assert isinstance(reply, ipc.Refused)
        assert reply.code == "login"
    assert engine.exports.jobs() == ()

"""Exports and imports through a whole engine and its wire: who may, what is written down, what is left alone."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import cbor2
import msgspec
import numpy as np
import pytest
from edfio import Edf, EdfSignal, Recording

from app.engine.house import Engine
from app.engine.import_work import unpacked
from app.ipc import export_messages as exports
from app.ipc import import_messages as imports
from app.ipc import messages as ipc
from app.ipc.client import EngineClient
from core.exchange.incoming import ImportRefused, Incoming
from core.model.block import SampleBlock
from core.model.people import Role, VisitSummary
from core.model.procedure import PhaseState, PhaseView, ProcedureView, Step
from core.record import Record, RecordReader, StampedBlock
from core.signals.catalogue import Catalogue, load_catalogue
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


def audited(engine: Engine, kind: str) -> list[dict[str, object]]:
    path = engine.folder.chair_file(1)
    with RecordReader.open(path, engine.keys.load(path, lambda: "simulated")) as reader:
        entries = [cbor2.loads(entry.entry) for entry in reader.audit_entries()]
    return [entry for entry in entries if entry["kind"] == kind]


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
    entries = await asyncio.to_thread(audited, engine, "view")
    assert len(entries) == 1
    assert made.id in str(entries[0])
    body = entries[0]["body"]
    assert isinstance(body, dict)
    assert (body["kind"], body["visit"], body["format"]) == ("export", visit.id, "edf")


async def test_nobody_exports_from_a_locked_workstation(demo: tuple[Engine, EngineClient], tmp_path: Path) -> None:
    engine, client = demo
    await ask(client, ipc.Logout())
    day = exports.ExportDay(from_us=0, to_us=1 << 60, folder=str(tmp_path), name="reports")
    for request in (day, exports.CancelJob(id="export-1")):
        reply = await ask(client, request)
        assert isinstance(reply, ipc.Refused)
        assert reply.code == "login"
    assert engine.exports.jobs() == ()


def csv_of(tmp_path: Path, began_us: int, count: int = 3, channel: str = "pH saliva") -> Path:
    at = [datetime.fromtimestamp(began_us / 1e6 + second, UTC).isoformat() for second in range(count)]
    path = tmp_path / "elsewhere.csv"
    path.write_text("utc,channel,value,unit\n" + "".join(f"{one},{channel},6.5,[pH]\n" for one in at))
    return path


async def looked(client: EngineClient, path: Path) -> imports.SignalsFound:
    found = await ask(client, imports.LookAtSignals(path=str(path)))
    assert isinstance(found, imports.SignalsFound), found
    return found


async def test_signals_from_elsewhere_are_looked_at_then_written_with_their_author(
    demo: tuple[Engine, EngineClient], tmp_path: Path
) -> None:
    engine, client = demo
    visit = await visited(engine)
    path = csv_of(tmp_path, visit.began_us)
    found = await looked(client, path)
    (signal,) = found.signals
    assert (signal.name, signal.samples, signal.channel, signal.choices) == (
        "pH saliva",
        3,
        "",
        ("saliva_ph", "plaque_ph"),
    )
    assert await asyncio.to_thread(audited, engine, "imported") == [], "nothing is written yet"
    request = imports.ImportSignals(
        chair=1, visit_id=visit.id, path=str(path), sha256=found.sha256, names={"pH saliva": PH.key}
    )
    assert await ask(client, request) == imports.SignalsImported(stored=3, known=0)
    assert await ask(client, request) == imports.SignalsImported(stored=0, known=3)
    detail = await ask(client, ipc.GetVisit(chair=1, visit_id=visit.id))
    assert isinstance(detail, ipc.VisitDetail)
    assert {span.channel: span.samples for span in detail.channels} == {PH.key: 600, f"imported.{PH.key}": 3}
    entries = await asyncio.to_thread(audited, engine, "imported")
    assert [entry["actor"] for entry in entries] == [engine.people.operator.id if engine.people.operator else ""] * 2
    assert entries[0]["body"] == {"visit": visit.id, "file": found.sha256, "channels": [PH.key], "samples": 3}


async def test_what_may_not_be_taken_in_changes_nothing(demo: tuple[Engine, EngineClient], tmp_path: Path) -> None:
    engine, client = demo
    visit = await visited(engine)
    path = csv_of(tmp_path, visit.began_us)
    found = await looked(client, path)
    request = imports.ImportSignals(
        chair=1, visit_id=visit.id, path=str(path), sha256=found.sha256, names={"pH saliva": PH.key}
    )
    refused = {
        "chair": msgspec.structs.replace(request, chair=9),
        "unknown_visit": msgspec.structs.replace(request, visit_id="v-none"),
        "exchange.import": msgspec.structs.replace(request, names={}),
    }
    for code, body in refused.items():
        reply = await ask(client, body)
        assert isinstance(reply, ipc.Refused), reply
        assert reply.code == code
    csv_of(tmp_path, visit.began_us, count=4)
    changed = await ask(client, request)
    assert isinstance(changed, ipc.Refused)
    assert "has changed" in str(changed.text.values)
    assert await asyncio.to_thread(audited, engine, "imported") == []


async def test_nothing_is_taken_in_while_therapy_runs_in_the_chair(
    demo: tuple[Engine, EngineClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, client = demo
    visit = await visited(engine)
    path = csv_of(tmp_path, visit.began_us)
    found = await looked(client, path)
    view = ProcedureView(visit_id=visit.id, visit_code=visit.code, patient_id="p", chair=1, step=Step.TREAT)
    running = msgspec.structs.replace(
        view,
        phases=(
            PhaseView(number=1, module="x", key="x", tooth=36, seconds=60, dose_percent=50, state=PhaseState.RUNNING),
        ),
    )
    assert running.treating
    monkeypatch.setattr(type(engine.chairs[1]), "view", running)
    request = imports.ImportSignals(
        chair=1, visit_id=visit.id, path=str(path), sha256=found.sha256, names={"pH saliva": PH.key}
    )
    reply = await ask(client, request)
    assert isinstance(reply, ipc.Refused)
    assert reply.code == "import_treating"


def test_what_the_reader_says_of_a_file_is_not_believed_blindly() -> None:
    good = imports.SignalsPiece(
        channel=PH.key,
        first=3,
        signal_us=1,
        begin_us=5,
        raw=b"\1\0\2\0",
        steps=zlib.compress(np.array([0, 7], "<i8").tobytes()),
    )
    read = unpacked(good, load_catalogue())
    assert (read.samples.tolist(), read.at_us.tolist(), read.first, read.begin_us) == ([1, 2], [5, 12], 3, 1)
    wrong: list[dict[str, object]] = [
        {"steps": b"no deflate"},
        {"steps": zlib.compress(bytes(1 << 20))},
        {"steps": zlib.compress(np.array([0, -7], "<i8").tobytes())},
        {"raw": b"\1"},
        {"raw": b"", "steps": zlib.compress(b"")},
        {"channel": "imported.saliva_ph"},
        {"first": -1},
        {"begin_us": 0},
    ]
    for change in wrong:
        bad = msgspec.structs.replace(good, **change)
        with pytest.raises(ImportRefused):
            unpacked(bad, load_catalogue())


def edf_of(path: Path, samples: int) -> Path:
    """A signal of a thousand a second, in 16 bits."""
    digital = (np.arange(samples) % 4000 - 2000).astype(np.int16)
    signal = EdfSignal.from_digital(
        digital, 1000, label="jaw_emg", physical_dimension="uV", physical_range=(-3276.8, 3276.7)
    )
    Edf([signal], recording=Recording(startdate=date(2027, 1, 15))).write(path)
    return path


async def test_more_than_fits_a_message_is_taken_in_whole_or_cancelled_with_nothing_left(
    demo: tuple[Engine, EngineClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, client = demo
    visit = await visited(engine)
    path = edf_of(tmp_path / "night.edf", 9_000_000)
    assert path.stat().st_size > 16 << 20
    looked_at = await ask(client, imports.LookAtSignals(path=str(path), zone="Z"))
    assert isinstance(looked_at, imports.SignalsFound), looked_at
    request = imports.ImportSignals(
        chair=1, visit_id=visit.id, path=str(path), sha256=looked_at.sha256, names={"jaw_emg": "jaw_emg"}, zone="Z"
    )

    def cancel(piece: imports.SignalsPiece, catalogue: Catalogue) -> Incoming:
        """While it is being written: what comes later finds it cancelled."""
        if piece.first:
            for job in engine.exports.jobs():
                engine.exports.cancel(job.id)
        return unpacked(piece, catalogue)

    with monkeypatch.context() as changed:
        changed.setattr("app.engine.imports_service.unpacked", cancel)
        reply = await ask(client, request)
    assert isinstance(reply, ipc.Refused), reply
    assert reply.code == "cancelled"
    detail = await ask(client, ipc.GetVisit(chair=1, visit_id=visit.id))
    assert isinstance(detail, ipc.VisitDetail)
    assert {span.channel for span in detail.channels} == {PH.key}
    assert await asyncio.to_thread(audited, engine, "imported") == []
    assert engine.exports.jobs() == ()
    assert await ask(client, request) == imports.SignalsImported(stored=9_000_000, known=0)

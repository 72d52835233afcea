"""Reads from real records through a real reader process."""

import asyncio
import csv
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np
import psutil
import pytest
from pypdf import PdfReader

from app.engine.clock import ManualAsyncClock, SystemAsyncClock, settle
from app.engine.reader_host import MAX_PENDING, ReaderHost
from app.engine.reader_wire import ChairFile, ReaderSetup
from app.ipc.export_messages import ExportSamples
from app.ipc.messages import (
    Done,
    GetTimeline,
    GetVisit,
    MakeReport,
    RangeData,
    ReadRange,
    Refused,
    Reply,
    ReportMade,
    Timeline,
    VisitDetail,
)
from core.model.block import SampleBlock
from core.model.clock import ManualClock
from core.model.people import Patient, VisitSummary
from core.model.procedure import ProcedureView, Step
from core.model.wear import DAY_US, ChannelDay, DaySummary, EventKind, HubEvent
from core.model.words import Text, load_words
from core.record import Record, StampedBlock
from core.record.sqlcipher import CipherFile
from core.signals.catalogue import load_catalogue

WAIT = 30.0
KEY = bytes(range(32))
BEGAN = 1_800_000_000_000_000
CHANNEL = load_catalogue().key("saliva_ph")
PLAQUE = load_catalogue().key("plaque_ph")
RAW = np.arange(6500, 7000).astype(np.int16)
PERIOD = 100_000
PATIENT = Patient(
    id="p-1", version=1, code="K7QF", given_name="Ada", family_name="Berg", birth_date="1980-01-02", simulated=True
)


def visit(chair: int) -> VisitSummary:
    return VisitSummary(
        id=f"v-{chair}",
        patient_id=PATIENT.id,
        code=f"V{chair}",
        chair=chair,
        began_us=BEGAN + chair,
        ended_us=None,
        state="open",
        title_key="visit.title",
    )


def write_record(path: Path, chair: int, patient: Patient) -> None:
    """A visit of 500 samples of saliva pH, 10 Hz, and one event."""
    record = Record.create(path, KEY, chair=chair, simulated=True, clock=ManualClock(BEGAN))
    block = SampleBlock(CHANNEL.number, 1, 0, 0, PERIOD, RAW)
    with record.transaction():
        record.save_patient(patient, author="op", reason="new", at_us=BEGAN)
        if patient.version > 1:
            record.save_patient(patient, author="op", reason="married", at_us=BEGAN)
        record.begin_visit(visit(chair))
        record.add_blocks("hub", [StampedBlock(block, BEGAN)], f"v-{chair}")
        record.add_event("mark", Text("mark", {"label": "here"}), at_us=BEGAN + 5, visit_id=f"v-{chair}", author="op")
    record.close()


@pytest.fixture
def setup(tmp_path: Path) -> ReaderSetup:
    files = tuple(ChairFile(chair, str(tmp_path / f"chair-{chair}.sqlite"), KEY) for chair in (1, 2, 3))
    write_record(Path(files[0].path), 1, PATIENT)
    write_record(Path(files[1].path), 2, PATIENT)
    return ReaderSetup(files)  # chair 3 has no record yet


@pytest.fixture
async def host() -> AsyncIterator[ReaderHost]:
    host = ReaderHost(SystemAsyncClock())
    yield host
    await host.close()
    assert host.pid is None
    assert psutil.Process().children() == []


def code(reply: Reply) -> str:
    assert isinstance(reply, Refused)
    assert not load_words().tell(reply.text).startswith("[")
    assert reply.remedy is not None
    assert not load_words().tell(reply.remedy).startswith("[")
    return reply.code


def whole(channel: str = CHANNEL.key, columns: int = 1000) -> ReadRange:
    end = BEGAN + len(RAW) * PERIOD
    return ReadRange(chair=1, visit_id="v-1", channels=(channel,), from_us=BEGAN, to_us=end, columns=columns)


async def test_a_time_line_goes_over_all_chair_files_newest_visit_first(host: ReaderHost, setup: ReaderSetup) -> None:
    await host.open(setup)
    reply = await host.request(GetTimeline(patient_id="p-1"))
    assert isinstance(reply, Timeline)
    assert reply.patient == PATIENT
    assert [each.id for each in reply.visits] == ["v-2", "v-1"]
    assert code(await host.request(GetTimeline(patient_id="nobody"))) == "reader.no_patient"


def write_wear(file: ChairFile, hub: str, days: dict[int, int]) -> None:
    """The patient's hub is read at the chair, on a day: how many days ago it was worn, and for how many hours."""
    today = BEGAN // DAY_US
    channels = (ChannelDay(channel=PLAQUE.number, count=9, low=5000, high=7000, sum=54_000),)
    summaries = [
        DaySummary(day=today - ago, worn_s=hours * 3600, acid_s=1800, attacks=2, channels=channels)
        for ago, hours in days.items()
    ]
    noted = HubEvent(number=0, utc_s=(today - 2) * 86_400, boot=1, hub_time_us=0, kind=EventKind.FAULT, value=0)
    record = Record.open(Path(file.path), KEY, clock=ManualClock(BEGAN))
    with record.transaction():
        record.worn(hub, f"v-{file.chair}", BEGAN)
        record.add_wear(hub, summaries, [noted], read_us=BEGAN)
    record.close()


async def test_the_days_at_home_come_from_every_chair_and_hub(host: ReaderHost, setup: ReaderSetup) -> None:
    write_wear(setup.chairs[0], "old", {4: 10, 3: 10, 0: 1})
    write_wear(setup.chairs[1], "new", {3: 12, 2: 5, 0: 1})
    await host.open(setup)
    reply = await host.request(GetTimeline(patient_id="p-1"))
    assert isinstance(reply, Timeline)
    assert reply.home is not None
    today = BEGAN // DAY_US
    worn = [(today - day.day, day.worn_s // 3600) for day in reply.home.days]
    assert worn == [(4, 10), (3, 12), (2, 5), (1, 0), (0, 1)]
    assert reply.home.days[0].lowest_ph == pytest.approx(5.0)
    assert [note.kind for note in reply.home.notes] == [EventKind.FAULT, EventKind.FAULT]
    assert reply.home.change is not None
    assert reply.home.change.verdict == "alone"


async def test_days_that_cannot_be_read_keep_nobody_from_the_visits(host: ReaderHost, setup: ReaderSetup) -> None:
    write_wear(setup.chairs[0], "hub", {4: 10})
    file = CipherFile.open(Path(setup.chairs[0].path), KEY)
    with file.transaction():
        file.execute("INSERT INTO hub_day (source, day, read_us, body) SELECT source, 1, 1, x'A1' FROM hub_day")
    file.close()
    await host.open(setup)
    reply = await host.request(GetTimeline(patient_id="p-1"))
    assert isinstance(reply, Timeline)
    assert len(reply.visits) == 2
    assert reply.home is None


async def test_a_report_tells_of_the_days_before_its_visit_alone(
    host: ReaderHost, setup: ReaderSetup, tmp_path: Path
) -> None:
    write_wear(setup.chairs[1], "hub", {4: 10, 3: 10, 0: 1})
    record = Record.open(Path(setup.chairs[0].path), KEY, clock=ManualClock(BEGAN))
    early = msgspec.structs.replace(visit(1), id="v-early", began_us=BEGAN - 4 * DAY_US, ended_us=BEGAN - 4 * DAY_US)
    view = ProcedureView(visit_id="v-early", visit_code="V", patient_id="p-1", chair=1, step=Step.CLOSE)
    with record.transaction():
        record.begin_visit(early)
        record.save_procedure(view, author="op", at_us=BEGAN)
        record.save_procedure(msgspec.structs.replace(view, visit_id="v-1"), author="op", at_us=BEGAN)
    record.close()
    await host.open(setup)
    said = {}
    for name in ("v-early", "v-1"):
        path = tmp_path / f"{name}.pdf"
        reply = await host.request(MakeReport(chair=1, visit_id=name, path=str(path)))
        assert isinstance(reply, ReportMade), reply
        said[name] = " ".join(" ".join(page.extract_text() for page in PdfReader(path).pages).split())
    assert "One is known so far, 11 January 2027." in said["v-early"]
    assert "Of the 5 days that are known, up to 15 January 2027, you wore it on 3." in said["v-1"]


async def test_a_report_names_who_looked_in_any_chair_and_comes_in_the_form_that_was_asked_for(
    host: ReaderHost, setup: ReaderSetup, tmp_path: Path
) -> None:
    view = ProcedureView(visit_id="v-1", visit_code="V", patient_id="p-1", chair=1, step=Step.CLOSE)
    for chair, body in ((0, {"visit": "v-1"}), (1, {"patient": "p-1"}), (1, {"patient": "somebody else"})):
        record = Record.open(Path(setup.chairs[chair].path), KEY, clock=ManualClock(BEGAN))
        with record.transaction():
            if chair == 0:
                record.save_procedure(view, author="op", at_us=BEGAN)
            record.audit("view", actor=f"op-{chair}", at_us=BEGAN, body={"request": "GetVisit", **body})
        record.close()
    await host.open(msgspec.structs.replace(setup, names={"op-0": "Dr Vale", "op-1": "Sam Ortega"}))
    path = tmp_path / "V.html"
    wanted = MakeReport(chair=1, visit_id="v-1", path=str(path), format="html", language="es")
    assert isinstance(await host.request(wanted), ReportMade)
    text = path.read_text(encoding="utf-8")
    assert "Dr Vale miró una visita suya, el " in text
    assert "Sam Ortega miró una visita suya, el " in text
    assert '<html lang="es">' in text
    assert code(await host.request(msgspec.structs.replace(wanted, language="fr"))) == "words"


async def test_a_visit_comes_with_what_was_recorded_in_it(host: ReaderHost, setup: ReaderSetup) -> None:
    await host.open(setup)
    reply = await host.request(GetVisit(chair=1, visit_id="v-1"))
    assert isinstance(reply, VisitDetail)
    assert reply.visit == visit(1)
    assert reply.patient == PATIENT
    (span,) = reply.channels
    assert (span.channel, span.from_us, span.samples) == (CHANNEL.key, BEGAN, len(RAW))
    assert [moment.text.values["label"] for moment in reply.moments] == ["here"]
    assert code(await host.request(GetVisit(chair=1, visit_id="v-2"))) == "reader.no_visit"
    assert code(await host.request(GetVisit(chair=3, visit_id="v-3"))) == "reader.no_record"


async def test_a_range_comes_as_columns_or_as_the_samples_themselves(host: ReaderHost, setup: ReaderSetup) -> None:
    await host.open(setup)
    physical = RAW * CHANNEL.scale + CHANNEL.offset
    for columns, expected in ((1000, physical), (10, None)):
        reply = await host.request(whole(columns=columns))
        assert isinstance(reply, RangeData)
        (trace,) = reply.traces
        at_us = np.frombuffer(trace.at_us, "<i8")
        low, high = np.frombuffer(trace.low, "<f4"), np.frombuffer(trace.high, "<f4")
        assert trace.samples == (expected is not None)
        assert len(at_us) == len(low) == len(high)
        if expected is not None:
            assert np.allclose(low, expected, atol=1e-4)
            assert (at_us == BEGAN + np.arange(len(RAW)) * PERIOD).all()
        else:
            assert np.nanmin(low) == pytest.approx(physical.min(), abs=1e-4)
            assert np.nanmax(high) == pytest.approx(physical.max(), abs=1e-4)


async def test_a_range_that_makes_no_sense_is_refused(host: ReaderHost, setup: ReaderSetup) -> None:
    await host.open(setup)
    request = whole()
    for bad in ({"to_us": BEGAN}, {"columns": 0}, {"columns": 10**9}, {"channels": ("x",) * 65}):
        assert code(await host.request(msgspec.structs.replace(request, **bad))) == "reader.bad_range"
    assert code(await host.request(whole(channel="no_such_channel"))) == "record.not_found"


async def test_samples_are_exported_in_full(host: ReaderHost, setup: ReaderSetup, tmp_path: Path) -> None:
    await host.open(setup)
    path = tmp_path / "export.csv"
    end = BEGAN + len(RAW) * PERIOD
    request = ExportSamples(
        chair=1, visit_id="v-1", format="csv", channels=(CHANNEL.key,), from_us=BEGAN, to_us=end, path=str(path)
    )
    assert await host.request(request) == Done(detail=str(path))
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == len(RAW)
    assert float(rows[-1]["value"]) == pytest.approx(RAW[-1] * CHANNEL.scale + CHANNEL.offset)
    relative = msgspec.structs.replace(request, path="export.csv")
    assert code(await host.request(relative)) == "reader.bad_path"
    nowhere = msgspec.structs.replace(request, path=str(tmp_path / "no folder" / "x.csv"))
    assert code(await host.request(nowhere)) == "record.export"


async def test_a_visit_without_a_procedure_has_no_report(host: ReaderHost, setup: ReaderSetup, tmp_path: Path) -> None:
    await host.open(setup)
    path = tmp_path / "report.pdf"
    request = MakeReport(chair=1, visit_id="v-1", path=str(path))
    assert code(await host.request(request)) == "record.not_found"
    assert code(await host.request(msgspec.structs.replace(request, visit_id="v-9"))) == "reader.no_visit"
    assert not path.exists()


async def test_a_wrong_key_says_so_and_the_other_records_stay_open(host: ReaderHost, setup: ReaderSetup) -> None:
    wrong = msgspec.structs.replace(setup.chairs[1], key=bytes(32))
    await host.open(ReaderSetup((setup.chairs[0], wrong)))
    assert code(await host.request(GetVisit(chair=2, visit_id="v-2"))) == "record.wrong_key"
    assert isinstance(await host.request(GetVisit(chair=1, visit_id="v-1")), VisitDetail)


async def test_what_is_written_after_login_is_read(host: ReaderHost, setup: ReaderSetup) -> None:
    await host.open(setup)
    await host.request(GetTimeline(patient_id="p-1"))
    write_record(Path(setup.chairs[2].path), 3, PATIENT)
    reply = await host.request(GetTimeline(patient_id="p-1"))
    assert isinstance(reply, Timeline)
    assert [each.id for each in reply.visits] == ["v-3", "v-2", "v-1"]


async def test_nobody_reads_before_login_and_after_logout(host: ReaderHost, setup: ReaderSetup) -> None:
    assert code(await host.request(GetTimeline(patient_id="p-1"))) == "reader.closed"
    await host.open(setup)
    pid = host.pid
    assert pid is not None
    await host.close()
    assert not psutil.pid_exists(pid)
    assert code(await host.request(GetTimeline(patient_id="p-1"))) == "reader.closed"


async def test_another_operator_gets_another_process(host: ReaderHost, setup: ReaderSetup) -> None:
    await host.open(setup)
    first = host.pid
    await host.open(setup)
    assert host.pid == first
    await host.open(ReaderSetup(setup.chairs[:1]))
    assert host.pid != first
    assert code(await host.request(GetVisit(chair=2, visit_id="v-2"))) == "reader.no_record"


async def test_no_key_stands_where_other_processes_could_read_it(
    host: ReaderHost, setup: ReaderSetup, caplog: pytest.LogCaptureFixture
) -> None:
    await host.open(setup)
    await host.request(GetTimeline(patient_id="p-1"))
    process = psutil.Process(host.pid)
    shown = " ".join([*process.cmdline(), *process.environ().values(), repr(setup), caplog.text])
    assert KEY.hex() not in shown
    assert repr(KEY) not in shown
    assert repr(KEY)[2:20] not in shown


async def test_a_reader_that_was_killed_answers_refused_and_starts_again(host: ReaderHost, setup: ReaderSetup) -> None:
    await host.open(setup)
    first = host.pid
    assert first is not None
    if sys.platform != "win32":
        os.kill(first, signal.SIGSTOP)  # so that the request is surely still unanswered when it dies
    asked = asyncio.create_task(host.request(whole()))
    await asyncio.sleep(0)
    os.kill(first, signal.SIGKILL)
    assert code(await asyncio.wait_for(asked, WAIT)) == "reader.crashed"
    assert isinstance(await host.request(whole()), RangeData)
    assert host.pid not in (None, first)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGSTOP")
async def test_a_reader_that_is_stuck_is_ended_and_started_again(setup: ReaderSetup) -> None:
    clock = ManualAsyncClock()
    host = ReaderHost(clock)
    await host.open(setup)
    first = host.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    stuck = asyncio.create_task(host.request(whole(), 10.0))
    bystander = asyncio.create_task(host.request(GetTimeline(patient_id="p-1"), 60.0))
    await clock.run(9.9)
    assert not stuck.done()
    await clock.run(0.2)
    assert code(await asyncio.wait_for(stuck, WAIT)) == "reader.timeout"
    assert code(await asyncio.wait_for(bystander, WAIT)) == "reader.crashed"
    assert not psutil.pid_exists(first)
    assert isinstance(await host.request(whole()), RangeData)
    await host.close()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGSTOP")
async def test_only_so_many_reads_wait(host: ReaderHost, setup: ReaderSetup) -> None:
    await host.open(setup)
    assert host.pid is not None
    os.kill(host.pid, signal.SIGSTOP)
    asked = [asyncio.create_task(host.request(whole())) for _ in range(MAX_PENDING)]
    await settle()
    assert host.pending == MAX_PENDING
    assert code(await host.request(whole())) == "reader.busy"
    os.kill(host.pid, signal.SIGCONT)
    assert all(isinstance(reply, RangeData) for reply in await asyncio.gather(*asked))


async def test_the_reader_dies_with_its_engine(setup: ReaderSetup, tmp_path: Path) -> None:
    engine = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        ENGINE,
        setup.chairs[0].path,
        KEY.hex(),
        stdout=asyncio.subprocess.PIPE,
    )
    assert engine.stdout is not None
    reader = psutil.Process(int(await asyncio.wait_for(engine.stdout.readline(), WAIT)))
    engine.kill()
    await engine.wait()
    await engine.stdout.read()
    await asyncio.to_thread(psutil.wait_procs, [reader], WAIT)
    assert not reader.is_running() or reader.status() == psutil.STATUS_ZOMBIE


ENGINE = """
import asyncio, sys
from app.engine.clock import SystemAsyncClock
from app.engine.reader_host import ReaderHost
from app.engine.reader_wire import ChairFile, ReaderSetup
from app.ipc.messages import GetTimeline

async def main():
    host = ReaderHost(SystemAsyncClock())
    await host.open(ReaderSetup((ChairFile(1, sys.argv[1], bytes.fromhex(sys.argv[2])),)))
    await host.request(GetTimeline(patient_id="p-1"))
    print(host.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""

"""Long jobs in a real reader process: how far they are, how they end early, and that they leave no half file."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import psutil
import pytest
from pypdf import PdfReader

from app.engine.clock import SystemAsyncClock
from app.engine.export_desk import ExportDesk
from app.engine.reader_host import ReaderHost
from app.engine.reader_wire import ChairFile, JobRequest, ReaderSetup, scratch_in
from app.ipc.export_messages import DayMade, ExportDay, ExportFhir, ExportSamples, Format, MakePack, PackMade
from app.ipc.messages import Done, Job, Refused, Reply
from core.model.block import SampleBlock
from core.model.clock import ManualClock
from core.model.people import Patient, VisitSummary
from core.model.procedure import ProcedureView, Step
from core.model.words import Text, load_words
from core.record import Record, StampedBlock
from core.signals.catalogue import load_catalogue

WAIT = 60.0
KEY = bytes(range(32))
BEGAN = 1_800_000_000_000_000
HOUR = 3_600_000_000
EMG = load_catalogue().key("jaw_emg")
COUNT = 600_000
"""Ten minutes: enough that a job can be met in the middle."""
TITLE = Text("record.job.exporting", {"name": "x"})
PATIENT = Patient(
    id="p-1", version=1, code="K7QF", given_name="Ada", family_name="Berg", birth_date="1980-01-02", simulated=True
)

FORMS: dict[str, Format] = {"csv": "csv", "edf": "edf", "parquet": "parquet"}
EVERY_FORM = pytest.mark.parametrize("form", [*FORMS, "fhir"])

Desk = tuple[ReaderHost, ExportDesk]


def visit(code: str, chair: int, *, hours: int = 0, ended: bool = True) -> VisitSummary:
    return VisitSummary(
        id=f"id-{code}",
        patient_id=PATIENT.id,
        code=code,
        chair=chair,
        began_us=BEGAN + hours * HOUR,
        ended_us=BEGAN + (hours + 1) * HOUR if ended else None,
        state="complete" if ended else "open",
        title_key="",
    )


def write_record(path: Path, chair: int, visits: dict[VisitSummary, bool]) -> None:
    """`visits`: each with whether a procedure was begun in it."""
    record = Record.create(path, KEY, chair=chair, simulated=True, clock=ManualClock(BEGAN))
    raw = (np.arange(COUNT) % 4001 - 2000).astype(np.int16)
    with record.transaction():
        record.save_patient(PATIENT, author="op", reason="new", at_us=BEGAN)
        for one, treated in visits.items():
            record.begin_visit(one)
            if treated:
                view = ProcedureView(
                    visit_id=one.id, visit_code=one.code, patient_id="p-1", chair=chair, step=Step.CLOSE
                )
                record.save_procedure(view, author="op", at_us=BEGAN)
        block = SampleBlock(EMG.number, 1, 0, 0, EMG.period_us, raw)
        record.add_blocks("hub", [StampedBlock(block, BEGAN)], next(iter(visits)).id if chair == 1 else None)
    record.close()


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> ReaderSetup:
    root = tmp_path_factory.mktemp("records")
    files = tuple(ChairFile(chair, str(root / f"chair-{chair}.sqlite"), KEY) for chair in (1, 2))
    write_record(Path(files[0].path), 1, {visit("V-A1", 1): True, visit("V-A2", 1, hours=2): False})
    later = {
        visit("V-B1", 2, hours=1): True,
        visit("V-B2", 2, hours=3, ended=False): True,
        visit("V-B9", 2, hours=30): True,
    }
    write_record(Path(files[1].path), 2, later)
    return ReaderSetup(files, "Cedar Lane", "555")


@pytest.fixture
async def desk(records: ReaderSetup) -> AsyncIterator[Desk]:
    host = ReaderHost(SystemAsyncClock())
    await host.open(records)
    yield host, ExportDesk(host, lambda: None)
    await host.close()
    assert psutil.Process().children() == []


def asked(path: Path, form: str) -> ExportSamples | ExportFhir:
    """Everything of the first visit in some form."""
    if form == "fhir":
        return ExportFhir(chair=1, visit_id="id-V-A1", path=str(path), every_sample=True)
    end = BEGAN + COUNT * EMG.period_us
    return ExportSamples(
        chair=1, visit_id="id-V-A1", format=FORMS[form], channels=(EMG.key,), from_us=BEGAN, to_us=end, path=str(path)
    )


def names(folder: Path) -> list[str]:
    """Everything in it, hidden too."""
    return sorted(path.name for path in folder.iterdir())


def code(reply: Reply) -> str:
    assert isinstance(reply, Refused), reply
    assert not load_words().tell(reply.text).startswith("[")
    return reply.code


async def met(host: ReaderHost, request: JobRequest, path: Path, do: Callable[[ExportDesk, str], object]) -> Reply:
    """The answer to a job to which something was done once it said how far it was."""
    done = False

    def changed() -> None:
        nonlocal done
        jobs = one.jobs()
        if not done and jobs and 0 < (jobs[0].percent or 0) < 100:
            done = True
            do(one, jobs[0].id)

    one = ExportDesk(host, changed)
    reply = await asyncio.wait_for(one.run(request, TITLE, path), WAIT)
    assert done, "it was over before anything could be done to it"
    assert one.jobs() == ()
    return reply


@EVERY_FORM
async def test_a_job_says_how_far_it_is_until_it_is_done(desk: Desk, tmp_path: Path, form: str) -> None:
    told: list[Job] = []
    one = ExportDesk(desk[0], lambda: told.extend(one.jobs()))
    path = tmp_path / "out"
    assert await one.run(asked(path, form), TITLE, path) == Done(detail=str(path))
    assert path.exists()
    percent = [job.percent for job in told]
    assert percent == sorted(percent, key=lambda each: each or 0)
    assert len(set(percent)) > 3
    assert all(job.may_cancel and job.text == TITLE for job in told)


@EVERY_FORM
async def test_a_job_that_is_cancelled_leaves_nothing_and_the_reader_lives(
    desk: Desk, tmp_path: Path, form: str
) -> None:
    pid = desk[0].pid
    path = tmp_path / "out"
    reply = await met(desk[0], asked(path, form), path, lambda one, key: one.cancel(key))
    assert code(reply) == "cancelled"
    assert names(tmp_path) == []
    assert desk[0].pid == pid


async def test_a_job_that_waits_is_cancelled_before_it_begins(desk: Desk, tmp_path: Path) -> None:
    both = asyncio.Event()
    one = ExportDesk(desk[0], lambda: both.set() if len(one.jobs()) == 2 else None)
    first, second = tmp_path / "first", tmp_path / "second"
    running = asyncio.create_task(one.run(asked(first, "csv"), TITLE, first))
    waiting = asyncio.create_task(one.run(asked(second, "csv"), TITLE, second))
    await asyncio.wait_for(both.wait(), WAIT)
    assert one.cancel(one.jobs()[1].id)
    assert code(await asyncio.wait_for(waiting, WAIT)) == "cancelled"
    assert isinstance(await asyncio.wait_for(running, WAIT), Done)
    assert names(tmp_path) == ["first"]
    assert not one.cancel("export-1"), "it has ended"


@EVERY_FORM
async def test_a_reader_that_is_killed_in_the_middle_leaves_no_half_file(desk: Desk, tmp_path: Path, form: str) -> None:
    host = desk[0]
    path = tmp_path / "out"

    def kill(_desk: ExportDesk, _key: str) -> None:
        assert host.pid is not None
        os.kill(host.pid, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)

    assert code(await met(host, asked(path, form), path, kill)) == "reader.crashed"
    assert names(tmp_path) == []
    one = ExportDesk(host, lambda: None)
    assert isinstance(await one.run(asked(path, form), TITLE, path), Done), "the next one works"


async def test_logging_out_ends_a_job_and_leaves_no_half_file(desk: Desk, tmp_path: Path) -> None:
    host, closing = desk[0], []
    path = tmp_path / "out"
    reply = await met(
        host, asked(path, "edf"), path, lambda _desk, _key: closing.append(asyncio.create_task(host.close()))
    )
    assert code(reply) == "reader.closed"
    await asyncio.gather(*closing)
    assert names(tmp_path) == []


ENGINE = """
import asyncio, sys
from pathlib import Path
import msgspec
from app.engine.clock import SystemAsyncClock
from app.engine.export_desk import ExportDesk
from app.engine.reader_host import ReaderHost
from app.engine.reader_wire import decode_setup
from app.ipc.messages import decode_ask
from core.model.words import Text

async def main():
    host = ReaderHost(SystemAsyncClock())
    await host.open(decode_setup(bytes.fromhex(sys.argv[1])))
    desk = ExportDesk(host, lambda: print(host.pid, *(job.percent for job in desk.jobs()), flush=True))
    request = decode_ask(bytes.fromhex(sys.argv[2])).body
    await desk.run(request, Text("x"), Path(request.path))

asyncio.run(main())
"""


def test_an_engine_that_is_killed_takes_its_reader_along_which_tidies_up(records: ReaderSetup, tmp_path: Path) -> None:
    from app.engine.reader_wire import encode_setup
    from app.ipc.messages import Ask, encode

    arguments = [encode_setup(records).hex(), encode(Ask(1, asked(tmp_path / "out", "csv"))).hex()]
    engine = subprocess.Popen([sys.executable, "-c", ENGINE, *arguments], stdout=subprocess.PIPE, text=True)
    assert engine.stdout is not None
    lines: Iterator[str] = iter(engine.stdout.readline, "")
    said = next(line.split() for line in lines if len(line.split()) == 2 and int(line.split()[1]) > 0)
    assert int(said[1]) < 100
    assert names(tmp_path) != []
    reader = psutil.Process(int(said[0]))
    engine.kill()
    engine.wait(WAIT)
    psutil.wait_procs([reader], WAIT)
    engine.stdout.close()
    assert names(tmp_path) == []


if os.name == "posix":

    @pytest.fixture
    def full_disk(tmp_path: Path) -> Iterator[Path]:
        """A disk of 256 KiB; where none can be mounted, no file may grow beyond that."""
        import resource

        folder = tmp_path / "disk"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
        if sys.platform == "linux" and subprocess.run(command, check=False, capture_output=True).returncode == 0:
            yield folder
            subprocess.run(["umount", "-l", str(folder)], check=True)
            return
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 10, before[1]))  # the reader inherits it
        yield folder
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    @EVERY_FORM
    async def test_a_full_disk_is_told_and_nothing_is_left(full_disk: Path, desk: Desk, form: str) -> None:
        path = full_disk / "out"
        reply = await desk[1].run(asked(path, form), TITLE, path)
        assert code(reply) == "record.export"
        assert names(full_disk) == []


async def test_the_days_reports_of_all_chairs_are_made_and_what_was_not_is_told(desk: Desk, tmp_path: Path) -> None:
    request = ExportDay(from_us=BEGAN, to_us=BEGAN + 24 * HOUR, folder=str(tmp_path), name="reports")
    reply = await desk[1].run(request, TITLE, tmp_path / "reports")
    assert isinstance(reply, DayMade), reply
    assert reply.folder == str(tmp_path / "reports")
    assert [(one.chair, one.visit_id, one.file) for one in reply.made] == [
        (1, "id-V-A1", "V-A1.pdf"),
        (2, "id-V-B1", "V-B1.pdf"),
    ]
    assert names(tmp_path / "reports") == ["V-A1.pdf", "V-B1.pdf"]
    assert all(PdfReader(tmp_path / "reports" / one.file).pages for one in reply.made)
    assert [(one.visit_code, one.text.key) for one in reply.refused] == [
        ("V-A2", "ipc.said"),
        ("V-B2", "reader.visit_open.text"),
    ]
    other = msgspec.structs.replace(request, name="other", format="html", language="es")
    made = await desk[1].run(other, TITLE, tmp_path / "other")
    assert isinstance(made, DayMade), made
    assert names(tmp_path / "other") == ["V-A1-es.html", "V-B1-es.html"]
    assert '<html lang="es">' in (tmp_path / "other" / "V-B1-es.html").read_text(encoding="utf-8")
    again = await desk[1].run(request, TITLE, tmp_path / "reports")
    assert code(again) == "record.export", "what is there is not replaced"


async def test_a_day_without_visits_makes_no_folder_and_a_cancelled_one_leaves_none(desk: Desk, tmp_path: Path) -> None:
    day = ExportDay(from_us=BEGAN, to_us=BEGAN + 24 * HOUR, folder=str(tmp_path), name="reports")
    empty = msgspec.structs.replace(day, from_us=1, to_us=2)
    assert await desk[1].run(empty, TITLE, tmp_path / "reports") == DayMade(folder="", made=(), refused=())
    reply = await met(desk[0], day, tmp_path / "reports", lambda one, key: one.cancel(key))
    assert code(reply) == "cancelled"
    assert names(tmp_path) == []


async def test_a_pack_holds_the_patients_visits_of_all_chairs_that_are_over(desk: Desk, tmp_path: Path) -> None:
    request = MakePack(patient_id="p-1", folder=str(tmp_path), name="V-A1-pack")
    reply = await desk[1].run(request, TITLE, tmp_path / "V-A1-pack")
    assert isinstance(reply, PackMade), reply
    assert [visit for _, visit in reply.visits] == ["id-V-A1", "id-V-B1", "id-V-A2", "id-V-B9"]
    assert reply.code not in repr(reply)
    assert {part for _, part, _ in reply.missing} == {"edf", "signals.csv", "report.pdf", "report.html"}
    assert names(tmp_path / "V-A1-pack") == ["OPEN-ME.html", "READ-ME.txt"]
    nobody = msgspec.structs.replace(request, patient_id="p-9", name="none")
    assert code(await desk[1].run(nobody, TITLE, tmp_path / "none")) == "reader.no_patient"


async def test_a_reader_killed_over_a_pack_leaves_nothing_unsealed(
    desk: Desk, records: ReaderSetup, tmp_path: Path
) -> None:
    host, data = desk[0], Path(records.chairs[0].path).parent
    before = names(data)

    def kill() -> None:
        jobs = one.jobs()
        if jobs and (jobs[0].percent or 0) > 0 and host.pid is not None:
            os.kill(host.pid, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)

    one = ExportDesk(host, kill)
    request = MakePack(patient_id="p-1", folder=str(tmp_path), name="pack")
    reply = await asyncio.wait_for(one.run(request, TITLE, tmp_path / "pack", scratch_in(data)), WAIT)
    assert code(reply) == "reader.crashed"
    assert names(tmp_path) == []
    assert [name for name in names(data) if name not in before and name.endswith(".part")] == []

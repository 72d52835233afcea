"""Clinical entries and searches as a console asks for them: real records of two chairs, a real reader process."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import msgspec
import pytest

from app.bench.search import fill
from app.engine.access import Access
from app.engine.clock import SystemAsyncClock
from app.engine.reader_host import ReaderHost
from app.engine.reader_wire import ChairFile, ReaderSetup
from app.engine.recorder import Recorder
from app.engine.search_lane import SearchLane
from app.engine.server import Session
from app.engine.service import Service
from app.engine.view_log import ViewLog
from app.ipc.access_messages import ListViews, Views
from app.ipc.clinical_messages import (
    AddAttachment,
    AddEntry,
    AttachmentData,
    CorrectEntry,
    EntrySaved,
    ReadAttachment,
    SaveAttachment,
    SearchHits,
    SearchRecords,
)
from app.ipc.messages import (
    Answer,
    Ask,
    CorrectPatient,
    Done,
    GetTimeline,
    Refused,
    Reply,
    Request,
    Timeline,
    decode_answer,
    decode_ask,
    encode,
)
from app.ipc.refusals import as_refused
from core.model import cbor
from core.model.clinical import (
    AdverseEvent,
    Attachment,
    Condition,
    Entry,
    EntryVersion,
    Finding,
    Identity,
    Note,
    Observation,
    Severity,
    Source,
)
from core.model.people import Operator, Patient, Role, VisitSummary
from core.model.words import load_words
from core.record import Interrupted, Record, RecordReader

KEY = bytes(32)
BEGAN = 1_700_000_000_000_000
MIRA = Operator(id="mira", name="Mira Chen", role=Role.DENTIST)
JON = Operator(id="jon", name="Jon Reyes", role=Role.ASSISTANT)
ANNA = Patient(id="anna", version=1, code="P-1", given_name="Anna", family_name="Ek", birth_date="1990-02-03")
T = TypeVar("T")


class Chair:
    """A chair's record with its thread; hub and procedure are not there."""

    view = None

    def __init__(self, number: int, path: Path, clock: SystemAsyncClock) -> None:
        self.number, self.path = number, path
        self.house = SimpleNamespace(clock=clock)
        self.visits = SimpleNamespace(now=None)
        record = Record.create(path, KEY, chair=number, simulated=True, clock=clock)
        self.recorder = Recorder(record, committed=lambda _: None, failed=lambda _: None)
        self.recorder.start()

    async def do(self, run: Callable[[Record], T]) -> T:
        return await self.recorder.run(run)


class House:
    simulated = True

    def __init__(self, folder: Path) -> None:
        clock = SystemAsyncClock()
        self.chairs = {number: Chair(number, folder / f"chair-{number}.sqlite", clock) for number in (1, 2)}
        names = {one.id: one.name for one in (MIRA, JON)}
        none = SimpleNamespace(of=lambda operator: None, covers=lambda patient: False, current=None)
        self.people: Any = SimpleNamespace(
            operator=MIRA, names=lambda: names, session=1, companions=none, emergencies=none
        )
        chairs, people = cast("Any", self.chairs), cast("Any", self.people)
        self.access = Access(people, chairs)
        self.views = ViewLog(people, lambda number: chairs[number or 1])
        self.reader = ReaderHost(clock)
        self.service = Service(self)  # type: ignore[arg-type]

    async def open(self) -> None:
        await self.reader.open(
            ReaderSetup(tuple(ChairFile(number, str(chair.path), KEY) for number, chair in self.chairs.items()))
        )

    async def ask(self, request: Request) -> Reply:
        """Over the wire's own encoding, there and back."""
        body = decode_ask(encode(Ask(1, request))).body
        try:
            reply = await self.service.handle(body, Session(1, "console", 1, 0.0))
        except Exception as error:
            reply = as_refused(error)
        for chair in self.chairs.values():
            await chair.do(lambda record: None)  # what was noted on the way is in the files
        answer = decode_answer(encode(Answer(1, reply))).body
        assert not isinstance(answer, msgspec.Struct) or answer == reply
        return reply

    async def saved(self, request: Request) -> EntryVersion:
        reply = await self.ask(request)
        assert isinstance(reply, EntrySaved), reply
        return reply.row

    async def refused(self, request: Request) -> str:
        reply = await self.ask(request)
        assert isinstance(reply, Refused), reply
        assert not load_words().tell(reply.text).startswith("[")
        return reply.code

    def audits(self, chair: int, kind: str) -> list[dict[str, Any]]:
        with RecordReader.open(self.chairs[chair].path, KEY) as reader:
            entries: list[Any] = [cbor.decode(row.entry) for row in reader.audit_entries()]
        return [entry for entry in entries if entry["kind"] == kind]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    for number, began in ((1, BEGAN), (2, BEGAN + 10)):
        visit = VisitSummary(
            id=f"v{number}",
            patient_id="anna",
            code=f"V-{number}",
            chair=number,
            began_us=began,
            ended_us=began + 1,
            state="complete",
            title_key="",
        )

        def seat(record: Record, visit: VisitSummary = visit) -> None:
            record.save_patient(ANNA, author="mira", reason="added", at_us=visit.began_us)
            record.begin_visit(visit)

        await made.chairs[number].do(seat)
    await made.open()
    yield made
    await made.reader.close()
    for chair in made.chairs.values():
        await asyncio.to_thread(chair.recorder.close)


NOTE = Note(patient_id="anna", text="Tender on 36.")
FINDING = Finding(patient_id="anna", fdi=36, condition=Condition.CARIES, surfaces="O", icdas=3)


async def test_an_entry_goes_where_the_patient_was_last_with_its_audit_entry(house: House) -> None:
    row = await house.saved(AddEntry(entry=NOTE))
    assert (row.chair, row.version, row.author, row.entry.text) == (2, 1, "Mira Chen", NOTE.text)
    assert row.entry.id
    assert row.entry.at_us == row.written_us
    (audit,) = house.audits(2, "entry.added")
    assert audit["actor"] == "mira"
    assert audit["body"]["entry"] == row.entry.id
    assert NOTE.text not in str(audit), "the log tells of it without its words"
    assert (await house.saved(AddEntry(entry=NOTE, chair=1))).chair == 1
    assert await house.refused(AddEntry(entry=msgspec.structs.replace(NOTE, patient_id="nobody"))) == "unknown_patient"
    assert await house.refused(AddEntry(entry=NOTE, chair=9)) == "chair"


async def test_a_correction_needs_its_reason_and_is_audited(house: House) -> None:
    row = await house.saved(AddEntry(entry=NOTE))
    better = msgspec.structs.replace(row.entry, text="Tender on 37.")
    ask = CorrectEntry(chair=row.chair, version=1, entry=better, reason="wrong tooth")
    assert await house.refused(msgspec.structs.replace(ask, reason=" ")) == "record.reason"
    assert (await house.saved(ask)).version == 2
    assert await house.refused(ask) == "record.stale_version"
    (audit,) = house.audits(2, "entry.corrected")
    assert audit["body"]["version"] == 2
    assert await house.refused(CorrectPatient(patient=ANNA, reason="  ")) == "reason"


async def test_who_a_patient_is_gets_a_new_version_where_the_newest_lies(house: House) -> None:
    married = msgspec.structs.replace(ANNA, family_name=" Berg ", allergies="latex", notes="Prefers mornings")
    assert isinstance(await house.ask(CorrectPatient(patient=married, reason="married")), Done)
    stale = msgspec.structs.replace(ANNA, phone="1")
    assert await house.refused(CorrectPatient(patient=stale, reason="from an old screen")) == "record.stale_version"
    second = msgspec.structs.replace(
        married, version=2, family_name="Berg", phone="+46 8 1", code="P-9", simulated=True
    )
    assert isinstance(await house.ask(CorrectPatient(patient=second, reason="called")), Done)
    timeline = await house.ask(GetTimeline(patient_id="anna"))
    assert isinstance(timeline, Timeline)
    assert timeline.patient == msgspec.structs.replace(second, version=3, code="P-1", simulated=False)
    versions = [(row.version, row.author, row.reason) for row in timeline.entries if isinstance(row.entry, Identity)]
    assert versions == [(1, "Mira Chen", "added"), (2, "Mira Chen", "married"), (3, "Mira Chen", "called")]
    assert [audit["body"] for audit in house.audits(1, "patient.saved")] == [
        {"patient": "anna", "version": 2},
        {"patient": "anna", "version": 3},
    ], "the log has no words of it"
    assert house.audits(2, "patient.saved") == []
    assert [hit.patient.version for hit in await _hits(house, "berg")] == [3]


@pytest.mark.parametrize(
    ("change", "code"),
    [({"given_name": " "}, "empty_name"), ({"birth_date": "3.2.1990"}, "birth_date"), ({"id": "x"}, "unknown_patient")],
)
async def test_who_a_patient_is_stays_as_it_was_where_the_correction_cannot_be(
    house: House, change: dict[str, str], code: str
) -> None:
    wrong = msgspec.structs.replace(ANNA, **change)
    assert await house.refused(CorrectPatient(patient=wrong, reason="typed")) == code
    timeline = await house.ask(GetTimeline(patient_id="anna"))
    assert isinstance(timeline, Timeline)
    assert timeline.patient == ANNA


@pytest.mark.parametrize("entry", [FINDING, AdverseEvent(patient_id="anna", severity=Severity.MILD, text="Fainted.")])
async def test_assistants_write_notes_and_observations_only(house: House, entry: Entry) -> None:
    house.people.operator = JON
    assert await house.refused(AddEntry(entry=entry)) == "role"
    attach = AddAttachment(entry=Attachment(patient_id="anna", name="x.txt"), data=b"hello")
    assert await house.refused(attach) == "role"
    assert (await house.saved(AddEntry(entry=NOTE))).author == "Jon Reyes"
    await house.saved(AddEntry(entry=Observation(patient_id="anna", text="Probing depth", value=3.0, unit="mm")))
    house.people.operator = None
    assert await house.refused(AddEntry(entry=NOTE)) == "login"


async def test_what_the_procedure_writes_is_not_written_by_hand(house: House) -> None:
    identity = Identity(id="anna", patient_id="anna", patient=ANNA)
    assert await house.refused(AddEntry(entry=identity)) == "entry_kind"
    assert await house.refused(CorrectEntry(chair=1, version=1, entry=identity, reason="x")) == "entry_kind"
    assert await house.refused(AddEntry(entry=Attachment(patient_id="anna", name="x"))) == "attachment_bytes"


async def test_one_time_line_over_all_chairs_with_every_version(house: House) -> None:
    first = await house.saved(AddEntry(entry=NOTE, chair=1))
    await house.saved(AddEntry(entry=FINDING, chair=2))
    carried = msgspec.structs.replace(FINDING, source=Source.CARRIED)
    await house.saved(AddEntry(entry=carried, chair=1))
    better = msgspec.structs.replace(first.entry, text="Tender on 37.")
    await house.saved(CorrectEntry(chair=1, version=1, entry=better, reason="wrong tooth"))
    timeline = await house.ask(GetTimeline(patient_id="anna"))
    assert isinstance(timeline, Timeline)
    rows = [(row.chair, row.version, type(row.entry).__name__, row.author) for row in timeline.entries]
    assert rows == [
        (1, 1, "Identity", "Mira Chen"),
        (1, 1, "Note", "Mira Chen"),
        (2, 1, "Finding", "Mira Chen"),
        (1, 2, "Note", "Mira Chen"),
    ]
    assert len(house.audits(1, "view")) == 1


async def test_a_file_is_taken_shown_and_copied_and_each_look_is_logged(house: House, tmp_path: Path) -> None:
    data = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3000
    attach = AddAttachment(entry=Attachment(patient_id="anna", name="C:\\bite wing.png", text="Bitewing"), data=data)
    row = await house.saved(attach)
    assert isinstance(row.entry, Attachment)
    assert (row.entry.name, row.entry.media_type, row.entry.size) == ("bite wing.png", "image/png", len(data))
    shown = await house.ask(ReadAttachment(chair=row.chair, attachment_id=row.entry.id))
    assert isinstance(shown, AttachmentData)
    assert shown.data == data
    copied = await house.ask(SaveAttachment(chair=row.chair, attachment_id=row.entry.id, folder=str(tmp_path)))
    assert isinstance(copied, Done)
    check_copy(Path(copied.detail), data)
    viewed = [audit["body"]["attachment"] for audit in house.audits(2, "view")]
    assert viewed == [row.entry.id] * 2
    bad = msgspec.structs.replace(attach, data=b"<svg/>")
    assert await house.refused(bad) == "clinical.attachment"
    gone = ReadAttachment(chair=1, attachment_id=row.entry.id)
    assert await house.refused(gone) == "reader.no_attachment"


def check_copy(path: Path, data: bytes) -> None:
    """It is whole, nobody runs it, and its name tells of nobody."""
    assert path.read_bytes() == data
    assert path.stat().st_mode & 0o111 == 0
    assert "bite" not in path.name
    assert "Ek" not in path.name


async def test_a_search_finds_over_all_chairs_and_names_whom_it_listed_once_a_login(house: House) -> None:
    await house.saved(AddEntry(entry=NOTE, chair=1))
    await house.saved(AddEntry(entry=FINDING, chair=2))
    hits = await house.ask(SearchRecords(query="36"))
    assert isinstance(hits, SearchHits)
    assert [(hit.kind, hit.chair, hit.patient.name) for hit in hits.hits] == [
        ("finding", 2, "Anna Ek"),
        ("note", 1, "Anna Ek"),
    ]
    (anna,) = await _hits(house, "ann")
    assert (anna.kind, anna.last_us) == ("patient", BEGAN + 10)
    assert [hit.id for hit in await _hits(house, "")] == ["anna"]
    assert await _hits(house, "nobody") == ()
    assert await _hits(house, "") != ()
    assert [audit["body"]["patients"] for audit in house.audits(1, "view")] == [["anna"]]
    assert house.audits(2, "view") == []
    house.people.session += 1
    assert await _hits(house, "ann") != ()
    assert len(house.audits(1, "view")) == 2, "another login is another look"
    house.people.operator = None
    assert await house.refused(SearchRecords(query="36")) == "login"


async def test_a_long_list_is_a_view_of_everybody_in_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def add(record: Record) -> None:
        for number in range(30):
            other = msgspec.structs.replace(ANNA, id=f"other-{number}", code=f"P-{100 + number}")
            record.save_patient(other, author="mira", reason="added", at_us=BEGAN + number)

    await house.chairs[1].do(add)
    monkeypatch.setattr("app.engine.view_log.MOST_NAMED", 20)
    listed = {hit.patient.id for hit in await _hits(house, "anna")}
    assert len(listed) == 31
    named = [audit["body"]["patients"] for audit in house.audits(1, "view")]
    assert [len(part) for part in named] == [20, 11], "split over entries"
    assert {one for part in named for one in part} == listed
    looked = await house.ask(ListViews(patient_id="other-29"))
    assert isinstance(looked, Views)
    assert [(view.kind, view.who) for view in looked.views] == [("views", "Mira Chen"), ("list", "Mira Chen")]


async def _hits(house: House, query: str) -> tuple[Any, ...]:
    reply = await house.ask(SearchRecords(query=query))
    assert isinstance(reply, SearchHits)
    return reply.hits


async def test_of_many_searches_the_newest_is_answered_and_every_one_is_settled(house: House) -> None:
    replies = await asyncio.gather(*(house.ask(SearchRecords(query="anna"[: 1 + n % 4])) for n in range(20)))
    last = replies[-1]
    assert isinstance(last, SearchHits)
    assert last.query == "anna"
    for reply in replies[:-1]:
        assert isinstance(reply, SearchHits) or (isinstance(reply, Refused) and reply.code == "reader.superseded")


def test_a_search_that_runs_is_broken_off_by_the_next(tmp_path: Path) -> None:
    """The first is held inside SQLite by a statement without an end, which says when it runs."""
    path = tmp_path / "chair-1.sqlite"
    fill(path, KEY, chair=1, visits=300)
    answers: queue.Queue[tuple[int, Reply]] = queue.Queue()
    lane = SearchLane(ReaderSetup((ChairFile(1, str(path), KEY),)), lambda number, reply: answers.put((number, reply)))
    running = threading.Event()
    search = lane._desk.search

    def endless(request: SearchRecords, cancelled: Callable[[], bool] = lambda: False) -> Reply:
        if request.query != "endless":
            return search(request, cancelled)
        file = lane._desk._records.of(1)._file
        file.database.conn.create_function("running", 0, running.set)
        try:
            file.rows(
                "WITH RECURSIVE n(i) AS (SELECT running() UNION ALL SELECT running() FROM n) SELECT max(i) FROM n"
            )
        except Interrupted as broken:
            return as_refused(broken)
        raise AssertionError("it ended by itself")

    lane._desk.search = endless  # type: ignore[method-assign]
    lane.put(1, SearchRecords(query="endless"))
    assert running.wait(30)
    lane.put(2, SearchRecords(query="anna"))
    (first, refusal), (second, hits) = answers.get(timeout=30), answers.get(timeout=30)
    assert (first, second) == (1, 2)
    assert isinstance(refusal, Refused)
    assert refusal.code == "reader.superseded"
    assert isinstance(hits, SearchHits)

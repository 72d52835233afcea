"""Backups and erasing through a whole engine and its wire: its sheet, a stick, and one patient less."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.engine.house import Engine
from app.engine.vault_wire import Planned
from app.ipc import backup_messages as backups
from app.ipc import messages as ipc
from app.ipc.access_messages import AddCompanion
from app.ipc.client import EngineClient
from app.ipc.clinical_messages import SearchHits, SearchRecords
from app.ipc.export_messages import CancelJob
from core.backup.erasing import begin
from core.backup.sheet import SheetDraft
from core.model.people import Role
from core.record import PracticeFile, RecordReader
from core.record.keys import KeyStore
from tests.app.engine.test_keys_in_engine import PIN, WORD, ask, ended, started
from tests.core.backup.house import BO, WORDS, ZEB, decrypted, visit

Pair = tuple[Engine, EngineClient]


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """A real practice with a dentist, an assistant and two patients; the dentist is logged in."""
    engine, client = await started(tmp_path / "data", simulated=False)
    made = await ask(client, ipc.AddOperator(name="Dr. Ada Moor", role=Role.DENTIST, pin=PIN))
    assert isinstance(made, ipc.Done)
    await ask(client, ipc.Login(operator_id=made.id, pin=PIN))
    await ask(client, ipc.AddOperator(name="Jon", role=Role.ASSISTANT, pin=PIN))
    for patient, day in ((BO, 10), (ZEB, 15)):
        await engine.chairs[1].do(lambda record, patient=patient, day=day: visit(record, patient, day))  # type: ignore[misc]
    (engine.folder.exports / "V-15.pdf").write_bytes(b"report")
    yield engine, client
    if not engine.ended.is_set():
        await ended(engine, client)


@pytest.fixture
def sheet(monkeypatch: pytest.MonkeyPatch) -> list[SheetDraft]:
    """What was printed: somebody reads it from paper."""
    drawn: list[SheetDraft] = []
    draw = SheetDraft.draw

    def keep() -> SheetDraft:
        drawn.append(draw())
        return drawn[-1]

    monkeypatch.setattr(SheetDraft, "draw", staticmethod(keep))
    return drawn


async def done(client: EngineClient, body: ipc.Request) -> ipc.Reply:
    reply = await ask(client, body)
    assert not isinstance(reply, ipc.Refused), reply
    return reply


async def refused(client: EngineClient, body: ipc.Request) -> str:
    reply = await ask(client, body)
    assert isinstance(reply, ipc.Refused), reply
    return reply.code


async def printed(pair: Pair, sheet: list[SheetDraft], folder: Path) -> None:
    _, client = pair
    written = await done(client, backups.PrintSheet(folder=str(folder)))
    assert isinstance(written, backups.SheetWritten)
    await done(client, backups.ConfirmSheet(line=sheet[-1].lines[written.line - 1].lower()))


def told(engine: Engine) -> str:
    return engine.notice.key if engine.notice is not None else ""


async def test_the_sheet_is_asked_for_until_a_line_of_it_was_typed_back(
    pair: Pair, sheet: list[SheetDraft], tmp_path: Path
) -> None:
    engine, client = pair
    engine.notice = None  # the first dentist was told of both sheets
    engine.backups.refresh()
    assert told(engine) == "notice.backup_sheet"
    assert engine.backups.state.sheet_wanted
    stick = tmp_path / "stick"
    stick.mkdir()
    assert await refused(client, backups.MakeBackup(path=str(stick))) == "backup.no_sheet"
    written = await done(client, backups.PrintSheet(folder=str(stick)))
    assert isinstance(written, backups.SheetWritten)
    path = Path(written.path)
    assert (await asyncio.to_thread(path.read_bytes)).startswith(b"%PDF-")
    assert await refused(client, backups.ConfirmSheet(line="AAAA AAAA AAAA AAAA")) == "sheet_line"
    assert engine.backups.state.sheet_wanted
    await done(client, backups.DropSheet())
    assert not list(stick.iterdir()), "what was not typed back leaves no file"
    assert await refused(client, backups.ConfirmSheet(line="x")) == "no_sheet_waits"
    await printed(pair, sheet, stick)
    state = engine.backups.state
    assert (state.sheet_wanted, state.sheet_by, state.line) == (False, "Dr. Ada Moor", 0)
    assert state.sheet_us > 0
    assert told(engine) == ""
    assert not list(stick.iterdir())


async def test_a_backup_is_made_listed_and_opened_by_a_dentist_and_seen_by_an_assistant(
    pair: Pair, sheet: list[SheetDraft], tmp_path: Path
) -> None:
    engine, client = pair
    stick = tmp_path / "stick"
    stick.mkdir()
    assert await refused(client, backups.MakeBackup(path=str(engine.folder.root / "exports"))) == "backup_beside"
    assert await refused(client, backups.SetBackupPlace(path="stick", daily=True)) == "backup_folder"
    await printed(pair, sheet, stick)
    made = await done(client, backups.MakeBackup(path=str(stick)))
    assert isinstance(made, ipc.Done)
    await done(client, backups.SetBackupPlace(path=str(stick), daily=True))
    await done(client, backups.CheckBackup(path=str(stick), name=made.id))
    jon = next(one for one in engine.people.operators() if one.role is Role.ASSISTANT)
    await done(client, ipc.Login(operator_id=jon.id, pin=PIN))
    listed = await done(client, backups.ListBackups())
    assert isinstance(listed, backups.Backups)
    (place,) = listed.places
    assert (place.there, place.daily, place.outstanding, place.cut_off) == (True, True, False, ())
    (kept,) = place.kept
    assert (kept.name, kept.chairs, kept.ours) == (made.id, 1, True)
    for body in (
        backups.MakeBackup(path=str(stick)),
        backups.SetBackupPlace(path=str(stick), daily=False),
        backups.PlanErasure(patient_id=ZEB.id),
        backups.ListOverdue(),
        CancelJob(id="backup-1"),
    ):
        assert await refused(client, body) == "role"


async def test_a_patient_is_erased_while_the_workstation_runs(
    pair: Pair, sheet: list[SheetDraft], tmp_path: Path
) -> None:
    engine, client = pair
    stick, root = tmp_path / "stick", engine.folder.root
    stick.mkdir()
    await printed(pair, sheet, stick)
    await done(client, backups.MakeBackup(path=str(stick)))
    stick.rename(tmp_path / "drawer")
    plan = await done(client, backups.PlanErasure(patient_id=ZEB.id))
    assert isinstance(plan, backups.ErasurePlan)
    assert (plan.name, plan.codes, plan.exports, plan.away) == (ZEB.name, ("V-15",), ("V-15.pdf",), (str(stick),))
    assert {share.what for share in plan.goes} >= {"patient", "visit", "note"}
    assert {share.what: share.count for share in plan.stays}["adverse"] == 1

    seated = await done(client, ipc.SeatPatient(chair=1, patient_id=BO.id))
    assert isinstance(seated, ipc.Done)
    wanted = backups.ErasePatient(patient_id=ZEB.id, name=ZEB.name, reason="on request")
    assert await refused(client, wanted) == "erase_visit_open"
    await engine.chairs[1].do(lambda record: record.end_visit(seated.id, engine.clock.utc_us(), "complete", (), ""))
    now = engine.chairs[1].visits.now
    assert now is not None
    engine.chairs[1].visits.now = None
    await now.runner.close()
    for name, code in (("Boswell Lund", "erase_name"), ("", "erase_name")):
        body = backups.ErasePatient(patient_id=ZEB.id, name=name, reason="on request")
        assert await refused(client, body) == code
    no_reason = backups.ErasePatient(patient_id=ZEB.id, name=ZEB.name, reason=" ")
    assert await refused(client, no_reason) == "reason"

    agreed = AddCompanion(
        name="Pat Roe", pin="482913", patient_id=ZEB.id, live=False, reports=True, history=True, days=7, how="aloud"
    )
    companion = await done(client, agreed)
    assert isinstance(companion, ipc.Done)
    erased = await done(client, backups.ErasePatient(patient_id=ZEB.id, name="zebulonius  QUACKENBUSH", reason="asked"))
    assert isinstance(erased, backups.Erased)
    assert (erased.outstanding, erased.left) == ((str(stick),), ())
    assert not (engine.folder.exports / "V-15.pdf").exists()
    assert companion.id not in {one.id for one in engine.people.operators() if one.active}
    assert all(one.withdrawn_us for one in engine.people.companions.everybody)
    hits = await done(client, SearchRecords(query="quackenbush"))
    assert isinstance(hits, SearchHits)
    assert not hits.hits
    assert await refused(client, ipc.GetTimeline(patient_id=ZEB.id)) == "reader.erased"
    assert await refused(client, ipc.SeatPatient(chair=1, patient_id=ZEB.id)) == "unknown_patient"
    overdue = await done(client, backups.ListOverdue())
    assert isinstance(overdue, backups.Overdue)
    assert [(one.patient_id, one.by, one.reason) for one in overdue.erased] == [(ZEB.id, "Dr. Ada Moor", "asked")]
    state = engine.backups.state
    assert (state.outstanding, state.pending, state.new_keys) == (1, "", True)

    (tmp_path / "drawer").rename(stick)
    listed = await done(client, backups.RenewBackupKeys())
    assert isinstance(listed, backups.Backups)
    assert not listed.places[0].outstanding

    path, before = engine.folder.chair_file(1), {one.path: one.key for one in engine.backed_up()}
    engine.ended.set()
    await ended(engine, client)
    keys = KeyStore(prefer="file")
    key = keys.load(path, lambda: WORD)
    assert key != before[path], "closing gave the files new keys"
    plain = decrypted(path, key)
    assert not [word for word in WORDS if word in plain and word != b"mandrake"]
    with RecordReader.open(path, key) as reader:
        assert reader.verify().ok
    engine, client = await started(root, simulated=False)
    engine.backups.refresh()
    assert not engine.backups.state.new_keys
    await ended(engine, client)


async def test_an_erasure_that_was_cut_off_is_told_of_and_finished(pair: Pair) -> None:
    engine, client = pair
    begin(engine.practice_file, ZEB.id)
    engine.backups.refresh()
    assert engine.backups.state.pending == ZEB.id
    assert told(engine) == "notice.erase_pending"
    await done(client, backups.ErasePatient(patient_id=ZEB.id, name="", reason="finished"))
    assert not engine.backups.state.pending
    assert engine.backups.state.new_keys
    assert await refused(client, ipc.GetTimeline(patient_id=ZEB.id)) == "reader.erased"


async def test_closing_without_an_erasure_leaves_the_keys(pair: Pair) -> None:
    engine, client = pair
    path, before = engine.folder.practice_file, {one.path: one.key for one in engine.backed_up()}
    engine.ended.set()
    await ended(engine, client)
    key = await asyncio.to_thread(KeyStore(prefer="file").load, path, lambda: WORD)
    assert key == before[path]
    PracticeFile.open(path, key, clock=engine.clock).close()


async def test_a_visit_that_began_while_it_was_planned_stops_it(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, client = pair
    planned = engine.erasures._planned

    async def overtaken(patient_id: str) -> Planned | ipc.Refused:
        found = await planned(patient_id)
        monkeypatch.setattr(type(engine.chairs[1]), "busy", True)
        return found

    monkeypatch.setattr(engine.erasures, "_planned", overtaken)
    wanted = backups.ErasePatient(patient_id=ZEB.id, name=ZEB.name, reason="on request")
    assert await refused(client, wanted) == "erase_visit_open"
    monkeypatch.undo()
    assert await engine.chairs[1].do(lambda record: record.patient(ZEB.id)) == ZEB
    assert engine.erasures.patient == "", "others may be seated again"

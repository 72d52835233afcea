"""Clinical entries: versions with author and reason; what a procedure leaves behind; files; records from before."""

import hashlib
from pathlib import Path

import msgspec
import pytest

from core.model import cbor
from core.model.clinical import (
    AdverseEvent,
    Attachment,
    Condition,
    Consent,
    ConsentState,
    Entry,
    Finding,
    Material,
    Note,
    Observation,
    PlanMade,
    Severity,
    Source,
    StepDone,
)
from core.model.clock import ManualClock
from core.model.people import Patient, ToothState, VisitSummary
from core.model.procedure import Choice, Envelope, ModulePlan, PhaseState, PhaseView, Plan, ProcedureView, Step
from core.model.words import Text
from core.people.clinical import EntryRefused
from core.record import NotFound, ReasonMissing, Record, RecordDamaged, RecordReader, StaleVersion, WrongEntry
from core.record.attachments import AttachmentRefused, described, media_type, pieces
from core.record.schema import record_migrations
from core.record.sqlcipher import CipherFile
from core.record.versions import Clinical

from .conftest import KEY, UTC0

MINUTE = 60_000_000
ANNA = Patient(id="anna", version=1, code="P-1", given_name="Anna", family_name="Ek", birth_date="1990-02-03")
BO = Patient(id="bo", version=1, code="P-2", given_name="Bo", family_name="Lund", birth_date="1980-02-03")
NOTE = Note(id="n1", patient_id="anna", at_us=UTC0, text="Tender on percussion.")


@pytest.fixture
def book(record: Record) -> Record:
    with record.transaction():
        for patient in (ANNA, BO):
            record.save_patient(patient, author="mira", reason="added", at_us=UTC0)
    return record


def add(record: Record, entry: Entry, at_us: int = UTC0) -> None:
    with record.transaction():
        record.entries.add(entry, author="mira", at_us=at_us)


def correct(record: Record, entry: Entry, version: int = 1, reason: str = "typing error") -> None:
    with record.transaction():
        record.entries.correct(entry, version=version, author="jon", reason=reason, at_us=UTC0 + MINUTE)


def test_a_correction_is_a_version_and_the_one_before_stays(book: Record) -> None:
    add(book, NOTE)
    correct(book, msgspec.structs.replace(NOTE, text="Tender on 36."))
    rows = book.entries.of_patient("anna")
    assert [(row.version, row.author, row.reason, row.entry.text) for row in rows] == [
        (1, "mira", "added", "Tender on percussion."),
        (2, "jon", "typing error", "Tender on 36."),
    ]
    assert [row.written_us for row in rows] == [UTC0, UTC0 + MINUTE]
    assert book.entries.of_patient("bo") == []


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_correction_without_a_reason_is_refused(book: Record, reason: str) -> None:
    add(book, NOTE)
    with pytest.raises(ReasonMissing):
        correct(book, msgspec.structs.replace(NOTE, text="Other."), reason=reason)
    assert len(book.entries.of_patient("anna")) == 1


def test_a_correction_of_what_somebody_else_corrected_meanwhile_is_refused(book: Record) -> None:
    add(book, NOTE)
    correct(book, msgspec.structs.replace(NOTE, text="Second."))
    with pytest.raises(StaleVersion):
        correct(book, msgspec.structs.replace(NOTE, text="Third."), version=1)


def test_an_entry_keeps_its_patient_and_a_file_its_bytes(book: Record) -> None:
    add(book, NOTE)
    with pytest.raises(WrongEntry):
        correct(book, msgspec.structs.replace(NOTE, patient_id="bo"))
    image = described(Attachment(id="f", patient_id="anna", name="a.txt"), b"hello")
    add(book, image)
    with pytest.raises(WrongEntry):
        correct(book, msgspec.structs.replace(image, sha256=bytes(32)))
    correct(book, msgspec.structs.replace(image, name="bitewing.txt"))
    with pytest.raises(NotFound):
        correct(book, msgspec.structs.replace(NOTE, id="nobody's"))
    with pytest.raises(NotFound):
        add(book, msgspec.structs.replace(NOTE, id="n9", patient_id="stranger"))


def test_what_was_withdrawn_stays_readable(book: Record) -> None:
    add(book, NOTE)
    correct(book, msgspec.structs.replace(NOTE, withdrawn=True), reason="wrong patient")
    assert [row.entry.withdrawn for row in book.entries.of_patient("anna")] == [False, True]
    assert book.entries.of_patient("anna")[0].entry.text == NOTE.text


@pytest.mark.parametrize(
    "statement", ["UPDATE version SET author = 'x'", "DELETE FROM version", "DELETE FROM attachment"]
)
def test_nothing_of_it_is_changed_or_deleted(book: Record, statement: str) -> None:
    add(book, NOTE)
    with book.transaction():
        book.attachments.put("f", 0, b"piece")
    with pytest.raises(Exception, match="append-only"), book.transaction():
        book._file.execute(statement)


FINDING = Finding(patient_id="anna", fdi=36, condition=Condition.CARIES, surfaces="OM", icdas=3)


@pytest.mark.parametrize(
    "entry",
    [
        msgspec.structs.replace(NOTE, text=" "),
        msgspec.structs.replace(NOTE, text="x" * 10_001),
        msgspec.structs.replace(FINDING, fdi=19),
        msgspec.structs.replace(FINDING, surfaces="X"),
        msgspec.structs.replace(FINDING, surfaces=""),
        msgspec.structs.replace(FINDING, icdas=7),
        msgspec.structs.replace(FINDING, material=Material.GOLD),
        msgspec.structs.replace(FINDING, condition=Condition.MISSING, icdas=None),
        Observation(patient_id="anna"),
        Observation(patient_id="anna", value=float("nan"), unit="mm"),
        AdverseEvent(patient_id="anna", severity=Severity.MILD),
        StepDone(patient_id="anna"),
        Attachment(patient_id="anna", name="/"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(book: Record, entry: Entry) -> None:
    with pytest.raises(EntryRefused) as refused:
        add(book, entry)
    assert refused.value.remedy


def test_surfaces_stand_in_their_order_and_a_filling_has_a_material(book: Record) -> None:
    add(book, msgspec.structs.replace(FINDING, id="a"))
    add(book, Finding(id="b", patient_id="anna", fdi=85, condition=Condition.SEALANT, surfaces="O"))
    caries, sealant = (row.entry for row in book.entries.of_patient("anna"))
    assert isinstance(caries, Finding)
    assert isinstance(sealant, Finding)
    assert (caries.surfaces, caries.material) == ("MO", None)
    assert sealant.material is Material.UNKNOWN


def visit(number: int = 1) -> VisitSummary:
    return VisitSummary(
        id=f"v{number}",
        patient_id="anna",
        code=f"V-{number}",
        chair=1,
        began_us=UTC0,
        ended_us=None,
        state="open",
        title_key="",
    )


PLAN = Plan(modules=(ModulePlan(module="seal", choice=Choice.INCLUDED, teeth=(36,)),))
PHASE = PhaseView(number=1, module="seal", key="seal", tooth=36, seconds=60, dose_percent=50)
TEETH = (ToothState(fdi=16, filled="MO"), ToothState(fdi=18, missing=True), ToothState(fdi=36, finding="O", icdas=3))


def states() -> list[tuple[str, ProcedureView]]:
    """A visit from plan to end: planned, agreed, changed, agreed anew, ordered, done."""
    seated = ProcedureView(visit_id="v1", visit_code="V-1", patient_id="anna", chair=1, step=Step.PLAN, teeth=TEETH)
    replace = msgspec.structs.replace
    planned = replace(seated, plan=PLAN)
    agreed = replace(planned, envelope=envelope(1))
    second = replace(PLAN, version=2, data_choice="data.none")
    changed = replace(planned, plan=second)
    again = replace(changed, envelope=envelope(2), phases=(PHASE,))
    ordered = replace(again, phases=(replace(PHASE, state=PhaseState.STARTING),))
    sealed = replace(TEETH[2], done="O")
    done = replace(ordered, phases=(replace(PHASE, state=PhaseState.DONE, elapsed_s=60.0),), teeth=(*TEETH[:2], sealed))
    actors = ("mira", "mira", "mira", "mira", "mira", "mira", "workstation")
    return list(zip(actors, (seated, planned, agreed, changed, again, ordered, done), strict=True))


def envelope(version: int) -> Envelope:
    return Envelope(
        id=f"e{version}",
        version=version,
        patient_id="anna",
        visit_id="v1",
        plan=msgspec.structs.replace(PLAN, version=version),
        limits=(),
        signed_by="patient_screen",
        witness="mira",
        signed_us=UTC0 + version * MINUTE,
        sha256=bytes(32),
    )


def run_visit(record: Record) -> None:
    for place, (actor, view) in enumerate(states()):
        with record.transaction():
            record.save_procedure(view, author=actor, at_us=UTC0 + place * MINUTE)


def check_visit(reader: Record | RecordReader) -> None:
    rows = reader.entries.of_patient("anna")
    plans = [row for row in rows if isinstance(row.entry, PlanMade)]
    assert [(row.version, row.author) for row in plans] == [(1, "mira"), (2, "mira")]
    consents = [row.entry for row in rows if isinstance(row.entry, Consent)]
    assert [(one.state, one.envelope.version) for one in consents] == [
        (ConsentState.GIVEN, 1),
        (ConsentState.VOID, 1),
        (ConsentState.GIVEN, 2),
    ]
    steps = [(row.author, row.entry) for row in rows if isinstance(row.entry, StepDone)]
    assert [(author, step.state, step.fdi) for author, step in steps] == [
        ("mira", PhaseState.STARTING, 36),
        ("workstation", PhaseState.DONE, 36),
    ]
    assert steps[1][1].delivered_s == 60.0
    found = [(one.fdi, one.condition, one.surfaces, one.source) for one in reader.entries.findings("anna")]
    assert found == [
        (16, Condition.RESTORATION, "MO", Source.CARRIED),
        (18, Condition.MISSING, "", Source.CARRIED),
        (36, Condition.CARIES, "O", Source.CARRIED),
        (36, Condition.RESTORATION, "O", Source.PROCEDURE),
    ]
    assert [row.written_us for row in reader.entries.tooth("anna", 36)] == [
        UTC0,
        UTC0 + 5 * MINUTE,
        UTC0 + 6 * MINUTE,
        UTC0 + 6 * MINUTE,
    ]


def test_a_procedure_leaves_plans_consents_steps_and_findings_with_their_versions(book: Record) -> None:
    with book.transaction():
        book.begin_visit(visit())
    run_visit(book)
    check_visit(book)


def test_the_next_visit_carries_over_only_what_no_finding_tells_of(book: Record) -> None:
    run_visit(book)
    before = len(book.entries.of_patient("anna"))
    settled = (ToothState(fdi=16, filled="MO"), ToothState(fdi=18, missing=True), ToothState(fdi=36, filled="O"))
    added = ToothState(fdi=46, filled="D")
    view = ProcedureView(
        visit_id="v2", visit_code="V-2", patient_id="anna", chair=1, step=Step.SEAT, teeth=(*settled, added)
    )
    with book.transaction():
        book.save_procedure(view, author="mira", at_us=UTC0 + 99 * MINUTE)
    fresh = [row.entry for row in book.entries.of_patient("anna")[before:]]
    assert [(one.fdi, one.surfaces) for one in fresh if isinstance(one, Finding)] == [(46, "D")]
    assert len(fresh) == 1


def old_record(path: Path, clock: ManualClock) -> None:
    """As a program before entries wrote it: the whole visit stands in its procedure's versions."""
    file = CipherFile.create(path, KEY)
    with file.transaction():
        record_migrations.apply(file.database, stop_before="m005_clinical")
        file.execute("INSERT INTO about (id, chair, simulated, created_us) VALUES ('r', 1, 1, 0)")
    clinical = Clinical(file)
    with file.transaction():
        clinical.patients.save("anna", ANNA, author="mira", reason="added", at_us=UTC0)
        clinical.visits.save("v1", visit(), author="mira", reason="begun", at_us=UTC0, owner="anna")
        for place, (actor, view) in enumerate(states()):
            at_us = UTC0 + place * MINUTE
            clinical.procedures.save("v1", view, author=actor, reason="x", at_us=at_us, owner="anna")
        file.execute(
            "INSERT INTO event (id, kind, text, at_us, utc_offset_s, visit, author, voice, data) "
            "VALUES ('e', 'mark', ?, 1, 0, 'v1', 'mira', 'staff', x'')",
            (cbor.encode(Text("log.mark_named", {"label": "sensitive molar"})),),
        )
    file.close()


def test_a_record_from_before_gets_its_entries_and_its_search(path: Path, clock: ManualClock) -> None:
    old_record(path, clock)
    record = Record.open(path, KEY, clock=clock)
    procedure = record.procedure("v1")
    assert procedure == states()[-1][1], "old rows stay as they are"
    record.close()
    with RecordReader.open(path, KEY) as reader:
        check_visit(reader)
        for query in ("anna", "v-1", "sensitive"):
            assert reader.search.find(query, 10), query
        assert reader.verify().ok


def test_a_file_comes_back_as_it_was_put_in(book: Record, path: Path) -> None:
    data = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4000
    entry = described(Attachment(id="f", patient_id="anna", name="../../x.png"), data)
    assert (entry.media_type, entry.size) == ("image/png", len(data))
    assert entry.sha256 == hashlib.sha256(data).digest()
    with book.transaction():
        for number, piece in enumerate(pieces(data)):
            book.attachments.put("f", number, piece)
        book.entries.add(entry, author="mira", at_us=UTC0)
    with RecordReader.open(path, KEY) as reader:
        (row,) = reader.entries.of_patient("anna")
        assert isinstance(row.entry, Attachment)
        assert row.entry.name == "x.png", "a name is never a path"
        assert reader.attachments.whole(row.entry) == data
        with pytest.raises(RecordDamaged):
            reader.attachments.whole(msgspec.structs.replace(row.entry, sha256=bytes(32)))
    assert b"PNG" not in path.read_bytes()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><script>alert(1)</script>",
        b'\xef\xbb\xbf <svg xmlns="http://www.w3.org/2000/svg"/>',
        b"#!/bin/sh\nrm -rf /\n",
        b"MZ\x90\x00",
        b"\x7fELF\x02",
        b"PK\x03\x04",
        b"text with \x00 in it",
        b"\xff\xfe\x00",
        bytes(17 * 1024 * 1024),
    ],
)
def test_files_that_could_carry_a_program_or_are_too_large_are_refused(data: bytes) -> None:
    with pytest.raises(AttachmentRefused) as refused:
        media_type(data)
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"II*\x00", "image/tiff"),
        (bytes(128) + b"DICM", "application/dicom"),
        (b"%PDF-1.7", "application/pdf"),
        ("Bücher\n".encode(), "text/plain"),
    ],
)
def test_a_file_is_what_its_bytes_are(data: bytes, kind: str) -> None:
    assert media_type(data) == kind

"""`record verify` over what people wrote and brought: each kind of damage is found, the first named."""

from pathlib import Path

import pytest

from core.model.clinical import Attachment, Condition, Finding, Note
from core.model.people import Patient, VisitSummary
from core.model.words import Text
from core.record import Record
from core.record.attachments import PIECE_BYTES, described, pieces
from core.record.inspect import verify_record
from core.record.sqlcipher import CipherFile

from .conftest import KEY, UTC0

ANNA = Patient(id="anna", version=1, code="P-1", given_name="Anna", family_name="Dvořák", birth_date="1990-02-03")
BYTES = {name: f"{name} ".encode() * (PIECE_BYTES // 4) for name in ("first", "second")}
VISIT = VisitSummary(
    id="v1",
    patient_id="anna",
    code="V-7KQ2",
    chair=1,
    began_us=UTC0,
    ended_us=UTC0 + 1,
    state="complete",
    title_key="visit.title.procedure",
)


@pytest.fixture
def written(record: Record, path: Path) -> Path:
    """A closed record with files of several pieces, entries that were corrected and withdrawn, words of a visit."""
    with record.transaction():
        record.save_patient(ANNA, author="mira", reason="added", at_us=UTC0)
        record.begin_visit(VISIT)
        record.add_event("said", Text("log.mark_named", {"label": "Dry"}), at_us=UTC0, visit_id="v1", author="mira")
        for number, data in BYTES.items():
            entry = described(Attachment(id=number, patient_id="anna", name=f"{number}.txt"), data)
            for place, piece in enumerate(pieces(data)):
                record.attachments.put(number, place, piece)
            record.entries.add(entry, author="mira", at_us=UTC0)
        for number in ("n1", "n2", "n3"):
            record.entries.add(Note(id=number, patient_id="anna", text=f"Tender {number}"), author="mira", at_us=UTC0)
        record.entries.correct(
            Note(id="n2", patient_id="anna", text="Sore n2"), version=1, author="mira", reason="word", at_us=UTC0 + 1
        )
        record.entries.correct(
            Note(id="n3", patient_id="anna", text="Tender n3", withdrawn=True),
            version=1,
            author="mira",
            reason="wrong",
            at_us=UTC0 + 1,
        )
        finding = Finding(id="f1", patient_id="anna", fdi=75, condition=Condition.CARIES, surfaces="O")
        record.entries.add(finding, author="mira", at_us=UTC0)
    record.close()
    return path


def damaged(path: Path, *statements: str) -> tuple[str, ...]:
    """What is told of a file in which somebody who has its key did this, past the triggers."""
    file = CipherFile.open(path, KEY)
    for (name,) in file.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'"):
        file.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        file.execute(statement)
    file.close()
    report = verify_record(path, KEY)
    assert not report.ok
    return report.problems


def test_what_is_whole_verifies(written: Path) -> None:
    assert verify_record(written, KEY).problems == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE attachment SET data = zeroblob(length(data)) WHERE entity = 'first' AND piece = 1",
        "UPDATE attachment SET data = substr(data, 2) WHERE entity = 'first' AND piece = 0",
        "DELETE FROM attachment WHERE entity = 'first' AND piece = 1",
        "DELETE FROM attachment WHERE entity = 'first'",
        "UPDATE attachment SET piece = 5 WHERE entity = 'first' AND piece = 0",
    ],
)
def test_a_file_whose_bytes_are_others_is_named(written: Path, statement: str) -> None:
    (problem,) = damaged(written, statement)
    assert problem.startswith("file first: ")
    assert "first.txt" not in problem, "what a file is called may tell of the patient"


def test_of_several_the_first_is_named_first(written: Path) -> None:
    problems = damaged(written, "UPDATE attachment SET data = x'00'")
    assert [problem.split(":")[0] for problem in problems] == ["file first", "file second"]


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM search_row WHERE entity = 'n1'", "search: note n1 is found by other words than it has"),
        ("DELETE FROM search_row WHERE entity = 'anna'", "search: patient anna is found by other words than it has"),
        ("DELETE FROM search_row WHERE entity = 'v1'", "search: visit v1 cannot be found"),
        ("UPDATE search_row SET text = 'tender n2' WHERE entity = 'n2'", "search: note n2 is found by other words"),
        ("UPDATE search_row SET entity = 'n9' WHERE entity = 'f1'", "search: finding f1 is found by other words"),
        (
            "INSERT INTO search_row VALUES (9, 'note', 'n3', 'anna', '', 0, 'tender n3')",
            "search: note n3 is found by other words than it has",
        ),
    ],
)
def test_a_row_that_is_not_what_it_stands_for_is_named(written: Path, statement: str, problem: str) -> None:
    assert damaged(written, statement)[0].startswith(problem)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "INSERT INTO search_word (search_word, rowid, text) SELECT 'delete', id, text FROM search_row "
            "WHERE entity = 'n1'",
            "search: the index of note n1 does not have its words",
        ),
        (
            "INSERT INTO search_word (rowid, text) VALUES (77, 'ghost')",
            "search: the index of row 77 does not have its words",
        ),
        (
            "INSERT INTO search_word (rowid, text) SELECT id, 'more' FROM search_row WHERE kind = 'event'",
            "search: the index of event ",
        ),
    ],
)
def test_an_index_that_does_not_say_what_its_rows_say_is_named(written: Path, statement: str, problem: str) -> None:
    problems = damaged(written, statement)
    assert any(one.startswith(problem) for one in problems)
    assert all(one.startswith(("search: ", "database: ")) for one in problems)

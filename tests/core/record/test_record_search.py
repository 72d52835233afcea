"""Search: what the index finds is what a scan of every row finds; ranked, bounded, in step with the rows."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.model.clinical import Note
from core.model.people import Patient
from core.model.words import Text
from core.record import Record, RecordReader
from core.record.search import SearchIndex, Words
from core.record.search_terms import terms
from core.record.sqlcipher import CipherFile

from .conftest import KEY, UTC0
from .test_record_entries import ANNA, NOTE, visit

CHINESE = Patient(id="wang", version=1, code="P-3", given_name="小明", family_name="王", birth_date="1970-05-06")
CZECH = Patient(
    id="dvorak", version=1, code="P-7KQ2-MXC", given_name="Jiří", family_name="Dvořák-Łoś", birth_date="1961-07-08"
)


def keep(record: Record, *patients: Patient) -> None:
    with record.transaction():
        for patient in patients:
            record.save_patient(patient, author="mira", reason="added", at_us=UTC0)


def found(record: Record, query: str, limit: int = 20) -> list[str]:
    return [hit.entity for hit in SearchIndex(record._file).find(query, limit)]


@pytest.mark.parametrize(
    "query",
    [
        "王",
        "小明",
        "王小明",
        "王 小明",
        "明",
        "dvor",
        "DVOŘÁK",
        "los",
        "łoś",
        "jiri dv",
        "p-7kq2",
        "7KQ2-mxc",
        "1961-07",
        "dvořák-ło",
    ],
)
def test_people_are_found_as_they_are_typed(record: Record, query: str) -> None:
    keep(record, ANNA, CHINESE, CZECH)
    assert found(record, query) == ["wang" if query[0] >= "\u4e00" else "dvorak"]


@pytest.mark.parametrize("query", ["", "  ", "-", '"', "*", "OR", "NEAR(", "a AND", "'; DROP TABLE version; --", "王*"])
def test_no_query_is_an_error(record: Record, query: str) -> None:
    keep(record, ANNA)
    assert isinstance(found(record, query), list)


def test_a_correction_moves_the_words_with_it(record: Record) -> None:
    keep(record, ANNA)
    with record.transaction():
        record.entries.add(NOTE, author="mira", at_us=UTC0)
    assert found(record, "percussion") == ["n1"]
    changed = msgspec.structs.replace(NOTE, text="Tender on biting.")
    with record.transaction():
        record.entries.correct(changed, version=1, author="jon", reason="misheard", at_us=UTC0)
    assert found(record, "percussion") == []
    assert found(record, "tender") == ["n1"]
    gone = msgspec.structs.replace(changed, withdrawn=True)
    with record.transaction():
        record.entries.correct(gone, version=2, author="jon", reason="wrong patient", at_us=UTC0)
    assert found(record, "tender") == []
    with record.transaction():
        SearchIndex(record._file).check()


def test_what_was_rolled_back_is_not_found(record: Record) -> None:
    keep(record, ANNA)

    def fail() -> None:
        with record.transaction():
            record.entries.add(NOTE, author="mira", at_us=UTC0)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        fail()
    assert found(record, "percussion") == []


def test_patients_come_first_then_the_newest_and_whole_words_before_begun_ones(record: Record) -> None:
    anna, annabel = (msgspec.structs.replace(ANNA, id=name.lower(), given_name=name) for name in ("Anna", "Annabel"))
    keep(record, anna, annabel)
    with record.transaction():
        for number in range(3):
            note = Note(id=f"n{number}", patient_id="anna", at_us=UTC0 + number, text="Anna felt well.")
            record.entries.add(note, author="mira", at_us=UTC0 + number)
    assert found(record, "anna") == ["anna", "n2", "n1", "n0", "annabel"]
    assert found(record, "anna", limit=1) == ["anna", "n2"]


def test_what_a_person_said_in_a_visit_is_found_and_what_devices_tell_is_not(record: Record) -> None:
    keep(record, ANNA)
    with record.transaction():
        record.begin_visit(visit())
        for kind, text, voice in (
            ("mark", Text("log.mark_named", {"label": "loose bracket"}), "staff"),
            ("sensor", Text("log.mark_named", {"label": "chatter"}), "device"),
            ("seated", Text("log.seated", {"patient": "AE"}), "staff"),
        ):
            record.add_event(kind, text, at_us=UTC0, visit_id="v1", author="mira", voice=voice)
    (hit,) = SearchIndex(record._file).find("bracket", 5)
    assert (hit.kind, hit.patient, hit.visit) == ("event", "anna", "v1")
    assert found(record, "chatter") == []
    assert found(record, "AE") == []


def test_nothing_of_a_forgotten_patient_is_left_in_the_index(record: Record, path: Path) -> None:
    keep(record, ANNA, CZECH)
    with record.transaction():
        record.entries.add(NOTE, author="mira", at_us=UTC0)
        assert SearchIndex(record._file).forget("anna") == 2
        SearchIndex(record._file).check()
    assert found(record, "anna") == found(record, "percussion") == []
    assert found(record, "dvor") == ["dvorak"]
    for table in ("search_word_data", "search_row"):
        kept = b"".join(
            value.encode() if isinstance(value, str) else value
            for row in record._file.rows(f"SELECT * FROM {table}")
            for value in row
            if isinstance(value, str | bytes)
        )
        assert b"percussion" not in kept, table


def test_newest_patients_are_those_of_the_newest_visits_then_those_added_last(record: Record) -> None:
    keep(record, ANNA, CZECH, CHINESE)
    with record.transaction():
        record.begin_visit(visit())
    assert SearchIndex(record._file).newest_patients(2) == ["anna", "wang"]


def test_a_cancelled_search_answers_nothing(record: Record) -> None:
    keep(record, ANNA)
    assert SearchIndex(record._file).find("anna", 5, lambda: True) == []


LETTERS = st.sampled_from("abcéßŁø王小明あ1 -_'\"*한\u0301")
TEXTS = st.lists(st.text(LETTERS, max_size=12), min_size=1, max_size=12)
QUERY = st.text(LETTERS, max_size=6)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> CipherFile:
    from core.record.schema_clinical import CLINICAL

    made = CipherFile.create(tmp_path_factory.mktemp("search") / "rows", KEY)
    with made.transaction():
        made.execute("CREATE TABLE version (id INTEGER PRIMARY KEY, kind TEXT, entity TEXT, owner TEXT)")
        for statement in CLINICAL:
            made.execute(statement)
    return made


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=TEXTS, changed=TEXTS, queries=st.lists(QUERY, min_size=1, max_size=8))
def test_the_index_finds_what_a_scan_finds(
    file: CipherFile, texts: list[str], changed: list[str], queries: list[str]
) -> None:
    index = SearchIndex(file)
    with file.transaction():
        for entity in range(12):
            for text in (texts, changed):
                said = text[entity] if entity < len(text) else ""
                index.put(Words("note", str(entity), "p", "", 0, said))
        index.check()
    for query in [*queries, *texts, *changed]:
        by_index = {(hit.kind, hit.entity) for hit in index.find(query, 100)}
        assert by_index == index.scan(query), query


@given(text=st.text(max_size=40))
def test_folding_what_is_folded_changes_nothing(text: str) -> None:
    once = terms(text)
    assert terms(" ".join(once)) == once


def test_a_reader_searches_while_the_record_is_written(record: Record, path: Path) -> None:
    with RecordReader.open(path, KEY) as reader:
        assert reader.search.find("anna", 5) == []
        keep(record, ANNA)
        assert [hit.entity for hit in reader.search.find("anna", 5)] == ["anna"]

"""Migration 5: entries with versions of their own, files, and the search."""

from collections.abc import Iterator
from pathlib import Path

from core.model.people import Patient, VisitSummary
from core.model.procedure import ProcedureView
from core.model.words import Text
from core.record.charted import write_entries
from core.record.entries import EntryBook
from core.record.search import SearchIndex, Words, patient_words, visit_words
from core.record.sqlcipher import CipherFile, Database
from core.record.versions import read_cbor

CLINICAL = (
    "CREATE INDEX IF NOT EXISTS version_by_kind ON version (kind, id)",
    """CREATE TABLE attachment (
        entity TEXT NOT NULL, piece INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (entity, piece)
    ) STRICT""",
    """CREATE TABLE search_row (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, entity TEXT NOT NULL, patient TEXT NOT NULL, visit TEXT NOT NULL,
        at_us INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE (kind, entity)
    ) STRICT""",
    "CREATE INDEX search_row_by_patient ON search_row (patient, kind, at_us)",
    # Words are folded and spaced before they come here: `ascii` keeps every other letter as it is.
    """CREATE VIRTUAL TABLE search_word USING fts5 (
        text, content = 'search_row', content_rowid = 'id', tokenize = 'ascii', prefix = '1 2 3'
    )""",
    # What is taken out leaves no word behind.
    "INSERT INTO search_word (search_word, rank) VALUES ('secure-delete', 1)",
)


def backfill(database: Database) -> None:
    """Entries and search rows of what was recorded before, from its own rows, which stay as they are."""
    file = CipherFile(Path(), b"", "ro", database)
    about = file.row("SELECT chair FROM about")
    if about is None:
        return
    search, book = SearchIndex(file), EntryBook(file, int(about[0]))
    search.rebuild(_people(file))
    sql = "SELECT id, kind, text, at_us, visit, voice FROM event WHERE visit IS NOT NULL ORDER BY at_us, id"
    for identity, kind, text, at_us, visit, voice in file.rows(sql):
        search.put_event(identity, kind, read_cbor(text, Text), at_us=at_us, visit=visit, voice=voice)
    before: dict[str, ProcedureView] = {}
    sql = "SELECT body, author, at_us FROM version WHERE kind = 'procedure' ORDER BY id"
    for body, author, at_us in file.rows(sql):
        view = read_cbor(body, ProcedureView)
        write_entries(book, before.get(view.visit_id), view, author=author, at_us=at_us)
        before[view.visit_id] = view


def _people(file: CipherFile) -> Iterator[Words]:
    """Patients and visits in their newest versions, in the order in which they came."""
    sql = (
        "SELECT kind, at_us, body FROM version v WHERE kind IN ('patient', 'visit') AND version = "
        "(SELECT max(version) FROM version WHERE kind = v.kind AND entity = v.entity) ORDER BY id"
    )
    for kind, at_us, body in file.rows(sql):
        yield (
            patient_words(read_cbor(body, Patient), at_us)
            if kind == "patient"
            else visit_words(read_cbor(body, VisitSummary))
        )

"""What people wrote and brought: are the bytes of each file those that were put in, and does the search find it all?"""

from collections.abc import Iterator

from core.model.clinical import Attachment
from core.model.people import Patient
from core.record.attachments import AttachmentStore
from core.record.entries import KINDS
from core.record.errors import RecordError
from core.record.search import entry_words, patient_words
from core.record.search_terms import folded
from core.record.sqlcipher import CipherFile
from core.record.versions import read_cbor

_NEWEST = (
    "SELECT kind, entity, body FROM version v WHERE kind IN ({}) AND {} AND version = "
    "(SELECT max(version) FROM version WHERE kind = v.kind AND entity = v.entity) ORDER BY id"
)
_FINDABLE = "coalesce(owner, '') NOT IN (SELECT patient FROM erasure)"
"""What the practice's rules keep of somebody who was erased is found by nothing."""
_INDEXED = (
    "CREATE VIRTUAL TABLE temp.indexed_word USING fts5vocab('main', 'search_word', 'instance')",
    "CREATE TABLE temp.indexed (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    "INSERT INTO temp.indexed "
    "SELECT doc, group_concat(term, ' ' ORDER BY \"offset\") FROM temp.indexed_word GROUP BY doc",
)


def attachments(file: CipherFile) -> Iterator[str]:
    """Files whose bytes are not those that their entry tells of, the first one that was put in first.

    By their ids: what a file is called may tell of the patient.
    """
    store = AttachmentStore(file)
    for _, entity, body in file.rows(_NEWEST.format("'attachment'", "TRUE")):
        try:
            store.whole(read_cbor(body, Attachment))
        except RecordError as error:
            yield f"file {entity}: {error}"


def search(file: CipherFile) -> Iterator[str]:
    """Where index, its rows and what they stand for do not agree, the earliest first.

    Visits and events are told in words that a newer program may say otherwise: of them only the rows are held to the
    index, and that each visit has one.
    """
    rows = {(kind, entity): text for kind, entity, text in file.rows("SELECT kind, entity, text FROM search_row")}
    kinds = ", ".join(f"'{kind}'" for kind in (*KINDS, "patient", "visit"))
    for kind, entity, body in file.rows(_NEWEST.format(kinds, _FINDABLE)):
        found, wanted = rows.pop((kind, entity), ""), _words(kind, body)
        if wanted is None:
            if not found:
                yield f"search: {kind} {entity} cannot be found"
        elif found != wanted:
            yield f"search: {kind} {entity} is found by other words than it has"
    for kind, entity in rows:
        if kind != "event":
            yield f"search: {kind} {entity} is found, and is not there"
    yield from _index(file)


def _words(kind: str, body: bytes) -> str | None:
    """What something is found by; None where that depends on the program."""
    match kind:
        case "visit":
            return None
        case "patient":
            return folded(patient_words(read_cbor(body, Patient), 0).text)
        case _:
            return folded(entry_words(read_cbor(body, KINDS[kind])).text)


def _index(file: CipherFile) -> Iterator[str]:
    """The words of the full-text index, put together again, are those of the rows."""
    for statement in _INDEXED:
        file.execute(statement)
    try:
        sql = (
            "SELECT coalesce(r.kind || ' ' || r.entity, 'row ' || i.id) FROM search_row r "
            "FULL JOIN temp.indexed i ON i.id = r.id WHERE r.text IS NOT i.text ORDER BY coalesce(r.id, i.id)"
        )
        for (what,) in file.rows(sql):
            yield f"search: the index of {what} does not have its words"
    finally:
        for table in ("indexed", "indexed_word"):
            file.execute(f"DROP TABLE temp.{table}")

"""The tables of a record, as named migrations; `docs/record.md` explains them. Once released, one never changes."""

from core.record import evidence_schema, schema_sealed, schema_tail
from core.record.schema_clinical import CLINICAL, backfill
from core.record.sqlcipher import Database, Migrations
from core.record.summary_schema import SIGNALS

record_migrations = Migrations("record")

_BLOCK_COLUMNS = """
    stream INTEGER NOT NULL REFERENCES stream(id),
    channel INTEGER NOT NULL,
    first_index INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    start_us INTEGER NOT NULL,
    period_us INTEGER NOT NULL CHECK (period_us > 0),
    utc_us INTEGER NOT NULL,
    end_utc_us INTEGER NOT NULL,
    provenance INTEGER NOT NULL,
    visit TEXT,
    codec INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    total INTEGER NOT NULL
"""

_STATEMENTS = (
    """CREATE TABLE about (
        id TEXT PRIMARY KEY, chair INTEGER NOT NULL, simulated INTEGER NOT NULL, created_us INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE channel (
        number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, unit TEXT NOT NULL, scale REAL NOT NULL,
        zero REAL NOT NULL
    ) STRICT""",
    "CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
    """CREATE TABLE stream (
        id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES source(id), boot INTEGER NOT NULL,
        channel INTEGER NOT NULL, UNIQUE (source, boot, channel)
    ) STRICT""",
    # A commit appends to one page of `tail`; an index here would dirty a page for each channel.
    f"CREATE TABLE tail (id INTEGER PRIMARY KEY, {_BLOCK_COLUMNS}, data BLOB NOT NULL) STRICT",
    f"CREATE TABLE block (id INTEGER PRIMARY KEY, {_BLOCK_COLUMNS}) STRICT",
    "CREATE UNIQUE INDEX block_by_index ON block (stream, first_index)",
    "CREATE INDEX block_by_time ON block (channel, utc_us)",
    "CREATE INDEX block_by_visit ON block (visit) WHERE visit IS NOT NULL",
    "CREATE TABLE payload (block INTEGER PRIMARY KEY REFERENCES block(id), data BLOB NOT NULL) STRICT",
    "CREATE TABLE pyramid (block INTEGER PRIMARY KEY REFERENCES block(id), data BLOB NOT NULL) STRICT",
    """CREATE TABLE sequence_range (
        source INTEGER NOT NULL REFERENCES source(id), boot INTEGER NOT NULL, first INTEGER NOT NULL,
        last INTEGER NOT NULL CHECK (last >= first), PRIMARY KEY (source, boot, first)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE loss (
        id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES source(id), boot INTEGER NOT NULL,
        first INTEGER NOT NULL, last INTEGER NOT NULL CHECK (last >= first), at_us INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE clock_fit (
        id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES source(id), boot INTEGER NOT NULL,
        fit BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX clock_fit_by_boot ON clock_fit (source, boot)",
    """CREATE TABLE version (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, entity TEXT NOT NULL, version INTEGER NOT NULL, owner TEXT,
        author TEXT NOT NULL, reason TEXT NOT NULL, at_us INTEGER NOT NULL, utc_offset_s INTEGER NOT NULL,
        body BLOB NOT NULL, UNIQUE (kind, entity, version)
    ) STRICT""",
    "CREATE INDEX version_by_owner ON version (kind, owner)",
    """CREATE TABLE event (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, text BLOB NOT NULL, at_us INTEGER NOT NULL,
        utc_offset_s INTEGER NOT NULL, visit TEXT, author TEXT NOT NULL, voice TEXT NOT NULL, data BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX event_by_time ON event (at_us)",
    "CREATE INDEX event_by_visit ON event (visit, at_us)",
    "CREATE TABLE audit (sequence INTEGER PRIMARY KEY, entry BLOB NOT NULL, leaf BLOB NOT NULL) STRICT",
)

_APPEND_ONLY = ("version", "event", "audit", "loss", "clock_fit")


@record_migrations(name="m001_foundation")
def _foundation(database: Database) -> None:
    for statement in _STATEMENTS:
        database.execute(statement)
    _append_only(database, *_APPEND_ONLY)


def _append_only(database: Database, *tables: str) -> None:
    for table in tables:
        for change in ("UPDATE", "DELETE"):
            database.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


_BETWEEN_VISITS = (
    # A hub numbers its frames for its whole life now, not anew with each boot.
    "DROP TABLE sequence_range",
    """CREATE TABLE sequence_range (
        source INTEGER NOT NULL REFERENCES source(id), first INTEGER NOT NULL,
        last INTEGER NOT NULL CHECK (last >= first), PRIMARY KEY (source, first)
    ) STRICT, WITHOUT ROWID""",
    "ALTER TABLE loss DROP COLUMN boot",
    """CREATE TABLE hub_day (
        id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES source(id), day INTEGER NOT NULL,
        read_us INTEGER NOT NULL, body BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX hub_day_by_day ON hub_day (source, day, id)",
    """CREATE TABLE hub_event (
        source INTEGER NOT NULL REFERENCES source(id), number INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (source, number)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE hub_journal (
        source INTEGER NOT NULL REFERENCES source(id), number INTEGER NOT NULL, message BLOB NOT NULL,
        entry BLOB NOT NULL, PRIMARY KEY (source, number)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX hub_journal_by_message ON hub_journal (source, message)",
    """CREATE TABLE hub_order (
        id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES source(id), message BLOB NOT NULL,
        opcode INTEGER NOT NULL, counter INTEGER NOT NULL, signer BLOB NOT NULL, at_us INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX hub_order_by_message ON hub_order (source, message)",
    """CREATE TABLE hub_answer (
        id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES source(id), request BLOB NOT NULL,
        code INTEGER NOT NULL, receipt BLOB NOT NULL, at_us INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX hub_answer_by_request ON hub_answer (source, request)",
    """CREATE TABLE worn (
        id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES source(id), visit TEXT NOT NULL,
        at_us INTEGER NOT NULL, UNIQUE (source, visit)
    ) STRICT""",
)


@record_migrations(name="m002_between_visits")
def _between_visits(database: Database) -> None:
    for statement in _BETWEEN_VISITS:
        database.execute(statement)
    _append_only(database, "hub_day", "hub_event", "hub_journal", "hub_order", "hub_answer", "worn")


@record_migrations(name="m003_signals")
def _signals(database: Database) -> None:
    for statement in SIGNALS:
        database.execute(statement)


@record_migrations(name="m004_evidence")
def _evidence(database: Database) -> None:
    evidence_schema.create(database)
    _append_only(database, *evidence_schema.APPEND_ONLY)


@record_migrations(name="m005_clinical")
def _clinical(database: Database) -> None:
    for statement in CLINICAL:
        database.execute(statement)
    _append_only(database, "attachment")
    backfill(database)


@record_migrations(name="m006_sealed")
def _sealed(database: Database) -> None:
    schema_sealed.create(database)
    _append_only(database, *schema_sealed.APPEND_ONLY)


@record_migrations(name="m007_tail")
def _tail(database: Database) -> None:
    schema_tail.create(database)

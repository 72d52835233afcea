"""Migration 6: what may be erased, what was erased, and that a file was restored. Once released, none of it changes.

Rows of a patient go only after a row of `erasure` names the patient, in the same transaction; everything else is
append-only as before. What a hub tells again of an erased day is not taken.
"""

from core.record.sqlcipher import Database

_OWNER = "CASE OLD.kind WHEN 'patient' THEN OLD.entity ELSE OLD.owner END"
_ERASED_VISIT = (
    "SELECT 1 FROM version v JOIN erasure e ON e.patient = v.owner WHERE v.kind = 'visit' AND v.entity = OLD.visit"
)
_ERASED_FILE = (
    "SELECT 1 FROM version v JOIN erasure e ON e.patient = v.owner "
    "WHERE v.kind = 'attachment' AND v.entity = OLD.entity "
)
_GOES_WITH_ITS_PATIENT = {
    "version": f"SELECT 1 FROM erasure WHERE patient = {_OWNER}",
    "event": _ERASED_VISIT,
    "attachment": _ERASED_FILE,
    "hub_day": "SELECT 1 FROM erased_wear WHERE source = OLD.source AND day = OLD.day",
    "hub_event": "SELECT 1 FROM erased_wear WHERE source = OLD.source AND event = OLD.number",
}
_TABLES = (
    """CREATE TABLE erasure (
        id INTEGER PRIMARY KEY, patient TEXT NOT NULL UNIQUE, author TEXT NOT NULL, reason TEXT NOT NULL,
        at_us INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE erased_wear (
        id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES source(id), day INTEGER, event INTEGER
    ) STRICT""",
    "CREATE INDEX erased_wear_day ON erased_wear (source, day) WHERE day IS NOT NULL",
    "CREATE INDEX erased_wear_event ON erased_wear (source, event) WHERE event IS NOT NULL",
    """CREATE TABLE restored (
        id INTEGER PRIMARY KEY, origin TEXT NOT NULL, backup TEXT NOT NULL, made_us INTEGER NOT NULL,
        checkpoints INTEGER NOT NULL, author TEXT NOT NULL, at_us INTEGER NOT NULL
    ) STRICT""",
    """CREATE TRIGGER hub_day_stays_erased BEFORE INSERT ON hub_day
        WHEN EXISTS (SELECT 1 FROM erased_wear WHERE source = NEW.source AND day = NEW.day)
        BEGIN SELECT RAISE(IGNORE); END""",
    """CREATE TRIGGER hub_event_stays_erased BEFORE INSERT ON hub_event
        WHEN EXISTS (SELECT 1 FROM erased_wear WHERE source = NEW.source AND event = NEW.number)
        BEGIN SELECT RAISE(IGNORE); END""",
)
APPEND_ONLY = ("erasure", "erased_wear", "restored")


def create(database: Database) -> None:
    for statement in _TABLES:
        database.execute(statement)
    for table, erased in _GOES_WITH_ITS_PATIENT.items():
        database.execute(f"DROP TRIGGER {table}_no_delete")
        database.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT EXISTS ({erased}) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )

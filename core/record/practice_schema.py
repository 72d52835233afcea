"""The tables of the practice's file, as named migrations. Once released, one never changes."""

from core.record.sqlcipher import Database, Migrations

practice_migrations = Migrations("practice")


@practice_migrations(name="m001_foundation")
def _foundation(database: Database) -> None:
    for statement in (
        """CREATE TABLE operator (
            id TEXT NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, demo INTEGER NOT NULL,
            active INTEGER NOT NULL, pin_hash TEXT NOT NULL, at_us INTEGER NOT NULL, PRIMARY KEY (id, version)
        ) STRICT""",
        """CREATE TABLE device (
            id INTEGER PRIMARY KEY, chair INTEGER NOT NULL, kind TEXT NOT NULL, address TEXT NOT NULL,
            name TEXT NOT NULL, serial TEXT NOT NULL, bound_us INTEGER NOT NULL, forgotten_us INTEGER
        ) STRICT""",
        "CREATE UNIQUE INDEX device_once ON device (address) WHERE forgotten_us IS NULL",
        """CREATE TABLE setting (
            id INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT NOT NULL, at_us INTEGER NOT NULL
        ) STRICT""",
        "CREATE INDEX setting_by_key ON setting (key, id)",
        """CREATE TABLE login (
            id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, operator TEXT NOT NULL, outcome TEXT NOT NULL
        ) STRICT""",
    ):
        database.execute(statement)
    _append_only(database, "operator", "setting", "login")


@practice_migrations(name="m002_keys")
def _keys(database: Database) -> None:
    for statement in (
        """CREATE TABLE certificate (
            id INTEGER PRIMARY KEY, kid BLOB NOT NULL, issuer BLOB NOT NULL, role INTEGER NOT NULL,
            subject TEXT NOT NULL, holder TEXT NOT NULL, raw BLOB NOT NULL, author TEXT NOT NULL,
            at_us INTEGER NOT NULL
        ) STRICT""",
        "CREATE INDEX certificate_by_holder ON certificate (role, holder, id)",
        """CREATE TABLE secret (
            id INTEGER PRIMARY KEY, kind TEXT NOT NULL, holder TEXT NOT NULL, kid BLOB NOT NULL, data BLOB NOT NULL,
            author TEXT NOT NULL, at_us INTEGER NOT NULL
        ) STRICT""",
        "CREATE INDEX secret_by_holder ON secret (kind, holder, id)",
        """CREATE TABLE revocation_list (
            id INTEGER PRIMARY KEY, issuer BLOB NOT NULL, number INTEGER NOT NULL, raw BLOB NOT NULL,
            at_us INTEGER NOT NULL, UNIQUE (issuer, number)
        ) STRICT""",
        # A hub's revocation may be taken back, so the newest row of a key counts.
        """CREATE TABLE revoked (
            id INTEGER PRIMARY KEY, kid BLOB NOT NULL, number INTEGER NOT NULL, counts INTEGER NOT NULL,
            reason TEXT NOT NULL, author TEXT NOT NULL, at_us INTEGER NOT NULL
        ) STRICT""",
        """CREATE TABLE hub (
            id INTEGER PRIMARY KEY, serial TEXT NOT NULL, irk BLOB, certificate BLOB NOT NULL,
            security_version INTEGER NOT NULL, journal_number INTEGER, journal_hash BLOB, next_event INTEGER NOT NULL,
            last_day INTEGER, revocations INTEGER NOT NULL, at_us INTEGER NOT NULL
        ) STRICT""",
        "CREATE INDEX hub_by_serial ON hub (serial, id)",
        """CREATE TABLE maker (
            id INTEGER PRIMARY KEY, kid BLOB NOT NULL, role INTEGER NOT NULL, subject TEXT NOT NULL,
            raw BLOB NOT NULL, trusted INTEGER NOT NULL, reason TEXT NOT NULL, author TEXT NOT NULL,
            at_us INTEGER NOT NULL
        ) STRICT""",
        # Of a secret that is no longer needed its bytes go, and only they; nothing else ever changes.
        """CREATE TRIGGER secret_only_erased BEFORE UPDATE ON secret
            WHEN NEW.data != x'' OR (NEW.id, NEW.kind, NEW.holder, NEW.kid, NEW.author, NEW.at_us)
                IS NOT (OLD.id, OLD.kind, OLD.holder, OLD.kid, OLD.author, OLD.at_us)
            BEGIN SELECT RAISE(ABORT, 'a secret is kept or erased'); END""",
        """CREATE TRIGGER secret_no_delete BEFORE DELETE ON secret
            BEGIN SELECT RAISE(ABORT, 'a secret is kept or erased'); END""",
    ):
        database.execute(statement)
    _append_only(database, "certificate", "revocation_list", "revoked", "hub", "maker")


@practice_migrations(name="m003_patient_keys")
def _patient_keys(database: Database) -> None:
    for statement in (
        """CREATE TABLE patient_key (
            patient TEXT PRIMARY KEY, data BLOB NOT NULL, made_us INTEGER NOT NULL, erased_us INTEGER
        ) STRICT, WITHOUT ROWID""",
        # A key is kept or erased. Of an erased patient the row stays, so that no key is ever made again.
        """CREATE TRIGGER patient_key_only_erased BEFORE UPDATE ON patient_key
            WHEN NEW.data != x'' OR NEW.erased_us IS NULL
                OR (NEW.patient, NEW.made_us) IS NOT (OLD.patient, OLD.made_us)
            BEGIN SELECT RAISE(ABORT, 'a key is kept or erased'); END""",
        """CREATE TRIGGER patient_key_no_delete BEFORE DELETE ON patient_key
            BEGIN SELECT RAISE(ABORT, 'a key is kept or erased'); END""",
    ):
        database.execute(statement)


def _append_only(database: Database, *tables: str) -> None:
    for table in tables:
        for change in ("UPDATE", "DELETE"):
            database.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )

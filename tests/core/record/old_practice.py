"""A practice's file as it was written before it kept keys: the schema of then, statement by statement."""

from pathlib import Path

from core.record.sqlcipher import CipherFile, Database, Migrations

of_then = Migrations("practice")


@of_then(name="m001_foundation")
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
    for table in ("operator", "setting", "login"):
        for change in ("UPDATE", "DELETE"):
            database.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def make_old_practice(path: Path, key: bytes, operators: list[tuple[str, str, str, str]]) -> None:
    """A file without keys, with these people (id, name, role, hash of their PIN) and a hub at chair 1."""
    file = CipherFile.create(path, key, lambda file: file.migrate(of_then))
    with file.transaction():
        for operator, name, role, pin_hash in operators:
            file.execute(
                "INSERT INTO operator (id, version, name, role, demo, active, pin_hash, at_us) "
                "VALUES (?, 1, ?, ?, 0, 1, ?, 1700000000000000)",
                (operator, name, role, pin_hash),
            )
        file.execute(
            "INSERT INTO device (chair, kind, address, name, serial, bound_us) "
            "VALUES (1, 'hub', 'F0:01', 'Hub', 'SH-0001', 1700000000000000)"
        )
        file.execute("INSERT INTO setting (key, value, at_us) VALUES ('practice.name', '\"Elm Street\"', 1)")
        file.execute("INSERT INTO login (at_us, operator, outcome) VALUES (1, ?, 'in')", (operators[0][0],))
    file.close()

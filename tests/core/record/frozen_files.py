"""Files as an earlier schema left them, as text: `frozen/SET-MIGRATION.sql` holds its statements and real rows.

`python -m tests.core.record.frozen_files SET MIGRATION` writes one by running today's migrations up to that one; do
that for the newest when a version is released, and never again.
"""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.model.clock import ManualClock
from core.model.people import Operator, Role
from core.model.wear import DaySummary, HubEvent
from core.record import PracticeFile, Record
from core.record.orders import JournalRow
from core.record.practice_schema import practice_migrations
from core.record.schema import record_migrations
from core.record.sqlcipher import CipherFile, Migrations
from tests.proof.record_script import HUBS, KEY, UTC0, Writer

FOLDER = Path(__file__).with_name("frozen")
SETS: dict[str, Migrations] = {"record": record_migrations, "practice": practice_migrations}
STEPS = 12
"""Of `record_script`, in a frozen record."""

Rows = dict[str, list[tuple[str, ...]]]


@dataclass(frozen=True)
class Table:
    """Columns in their order, and rows as SQL literals."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def names(kind: str) -> list[str]:
    """Today's migrations of a set, in order."""
    return [migration.name for migration in SETS[kind]._migrations]


def schema(file: CipherFile) -> list[str]:
    """The statements that make the file's tables, indexes and triggers."""
    return [str(row[0]) for row in file.rows("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")]


def tables(file: CipherFile) -> dict[str, Table]:
    """Everything that stands in a file."""
    found = {}
    for (name,) in file.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
        columns = tuple(str(row[0]) for row in file.rows(f"SELECT name FROM pragma_table_info('{name}')"))
        quoted = ", ".join(f'quote("{column}")' for column in columns)
        found[str(name)] = Table(columns, [tuple(row) for row in file.rows(f'SELECT {quoted} FROM "{name}"')])
    return found


def thaw(path: Path, frozen: Path) -> None:
    """Make the encrypted file that the text describes."""
    statements = frozen.read_text(encoding="utf-8").split(";\n\n")

    def fill(file: CipherFile) -> None:
        for statement in statements:
            if statement.strip():
                file.execute(statement)

    file = CipherFile.create(path, KEY)
    file.execute("PRAGMA foreign_keys = OFF")  # rows come in the order of tables
    with file.transaction():
        fill(file)
    file.close()


def up_to(migrations: Migrations, last: str) -> Callable[[CipherFile], None]:
    """What makes a file's schema as it was after the migration `last`."""

    def fill(file: CipherFile) -> None:
        known = [migration.name for migration in migrations._migrations]
        migrations.apply(file.database, stop_before=known[known.index(last) + 1 :])

    return fill


# writing one


def freeze(kind: str, last: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "now"
        _record(path) if kind == "record" else _practice(path)
        file = CipherFile.open(path, KEY)
        now = tables(file)
        file.close()
        file = CipherFile.create(Path(folder) / "then", KEY, up_to(SETS[kind], last))
        statements, then = schema(file), tables(file)
        file.close()
    # Triggers come after the rows, so that they cannot hinder them.
    lines = [statement for statement in statements if not statement.startswith("CREATE TRIGGER")]
    for name, table in then.items():
        rows = table.rows if name == Migrations.migrations_table else _as_then(table.columns, now[name])
        lines += [f'INSERT INTO "{name}" ({", ".join(table.columns)}) VALUES ({", ".join(row)})' for row in rows]
    lines += [statement for statement in statements if statement.startswith("CREATE TRIGGER")]
    return ";\n\n".join(lines) + ";\n\n"


def _as_then(columns: tuple[str, ...], now: Table) -> list[tuple[str, ...]]:
    """Rows of today under a table's columns of then; what has gone since was 0."""
    places = [now.columns.index(column) if column in now.columns else None for column in columns]
    return [tuple("0" if place is None else row[place] for place in places) for row in now.rows]


def _record(path: Path) -> None:
    writer = Writer(path, lambda _: None)
    for step in range(STEPS):
        writer.go()
        if step == STEPS // 2:
            writer.record.compact(settle=True)
    record: Record = writer.record
    with record.transaction():
        days = [DaySummary(day=20_000 + n, worn_s=30_000, acid_s=600, attacks=3) for n in range(3)]
        events = [HubEvent(number=n, boot=0, hub_time_us=n, utc_s=1_800_000_000, kind=1, value=n) for n in range(2)]
        record.add_wear(HUBS[0], days, events, read_us=UTC0)
        record.worn(HUBS[0], "v0", UTC0)
        record.orders.answered(HUBS[0], bytes(16), 0, b"receipt", UTC0)
        record.orders.add_journal(HUBS[0], [JournalRow(1, bytes(32), b"entry")])
    writer.record._file.close()  # its last rows stay raw
    writer.record._lock.release()


def _practice(path: Path) -> None:
    practice = PracticeFile.create(path, KEY, clock=ManualClock(utc_us=UTC0))
    for name in ("Ada", "Bo"):
        practice.add_operator(Operator(id=name.lower(), name=name, role=Role.DENTIST, demo=False), "$argon2id$none")
    practice.bind_device(1, "hub", "F0:01", "Hub", "SH-0001")
    practice.set_setting("practice.name", '"Elm Street"')
    practice.log_login("ada", "in")
    practice.close()


if __name__ == "__main__":
    which, name = sys.argv[1:]
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{which}-{name}.sql").write_text(freeze(which, name), encoding="utf-8")

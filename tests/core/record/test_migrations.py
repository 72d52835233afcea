"""Files of every earlier schema open with all their rows; a migration happens whole or not at all."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.model.clock import ManualClock
from core.record import PracticeFile, Record, RecordNewer, RecordOlder, RecordReader
from core.record.sqlcipher import CipherFile, Database, Migrations
from tests.core.record.frozen_files import FOLDER, SETS, STEPS, Table, names, schema, tables, thaw, up_to
from tests.proof.record_script import HUBS, KEY, UTC0, Writer, check

FROZEN = sorted(FOLDER.glob("*.sql"))
DROPPED = {
    ("record-m001_foundation", "sequence_range"): "frames were numbered anew with each boot: nothing to compare with",
    ("record-m001_foundation", "tail"): "several rows are one now: `check` finds all of their samples",
    ("record-m002_between_visits", "tail"): "several rows are one now: `check` finds all of their samples",
}
"""Tables whose rows a migration left behind, with the reason."""
ROOT = Path(__file__).parents[3]


def parts(frozen: Path) -> tuple[str, str]:
    kind, _, name = frozen.stem.partition("-")
    return kind, name


def open_and_close(kind: str, path: Path) -> None:
    clock = ManualClock(utc_us=UTC0)
    (Record if kind == "record" else PracticeFile).open(path, KEY, clock=clock).close()


def content(path: Path) -> tuple[list[str], dict[str, Table]]:
    file = CipherFile.open(path, KEY)
    try:
        return schema(file), tables(file)
    finally:
        file.close()


def compare(frozen: Path, before: dict[str, Table], after: dict[str, Table]) -> None:
    """Each row that was there still is, in all columns that both know."""
    for name, table in before.items():
        if (frozen.stem, name) in DROPPED or not table.rows:
            continue
        both = [column for column in table.columns if column in after[name].columns]
        assert both, f"{name} has nothing of what it held"
        then, now = (
            {tuple(row[t.columns.index(column)] for column in both) for row in t.rows} for t in (table, after[name])
        )
        assert then <= now, f"{name}: rows are missing or changed"


def test_there_are_frozen_files_of_both_sets_from_their_first_migration_on() -> None:
    assert {(kind, names(kind)[0]) for kind in SETS} <= {parts(frozen) for frozen in FROZEN}


@pytest.mark.parametrize("frozen", FROZEN, ids=lambda frozen: frozen.stem)
def test_a_file_of_an_earlier_schema_opens_with_all_its_rows(frozen: Path, path: Path) -> None:
    kind, _ = parts(frozen)
    thaw(path, frozen)
    _, before = content(path)
    assert sum(bool(table.rows) for table in before.values()) > 3, "there are rows to lose"
    file = CipherFile.open(path, KEY)
    file.migrate(SETS[kind])
    file.close()
    statements, after = content(path)
    compare(frozen, before, after)
    open_and_close(kind, path)
    assert len(after[Migrations.migrations_table].rows) == len(names(kind))
    if kind == "record":
        assert check(path) == STEPS, "and readers find them"
    else:
        practice = PracticeFile.open(path, KEY, clock=ManualClock(utc_us=UTC0))
        assert ([one.id for one in practice.operators()], len(practice.devices(1))) == (["ada", "bo"], 1)
        assert (practice.setting("practice.name"), practice.logins()[0].operator_id) == ('"Elm Street"', "ada")
        practice.close()
    new = path.with_name("new")
    file = CipherFile.create(new, KEY, lambda file: file.migrate(SETS[kind]))
    assert sorted(statements) == sorted(schema(file)), "the same schema as a new file's"
    file.close()


@pytest.mark.parametrize("frozen", FROZEN, ids=lambda frozen: frozen.stem)
def test_a_migration_never_changes_once_a_file_of_it_is_frozen(frozen: Path, path: Path) -> None:
    kind, name = parts(frozen)
    thaw(path, frozen)
    then, _ = content(path)
    file = CipherFile.create(path.with_name("now"), KEY, up_to(SETS[kind], name))
    assert sorted(schema(file)) == sorted(then)
    file.close()


@pytest.mark.parametrize("last", names("record"))
def test_the_way_from_the_first_schema_may_stop_anywhere(last: str, path: Path) -> None:
    thaw(path, FOLDER / "record-m001_foundation.sql")
    file = CipherFile.open(path, KEY)
    with file.transaction():
        up_to(SETS["record"], last)(file)
    file.close()
    writer = Writer(path, lambda _: None)
    writer.step = STEPS
    writer.go()
    writer.record.close()
    assert check(path) == STEPS + 1, "what is there, and what comes after"


def with_one_more(kind: str, last: str) -> Migrations:
    """Today's migrations and one that does much and then stops as `last` says: `raise`, `kill` or `end`."""
    more = Migrations(SETS[kind].name)
    more._migrations = list(SETS[kind]._migrations)

    @more(name="m900_more")
    def _more(database: Database) -> None:
        database.execute("CREATE TABLE more (id INTEGER PRIMARY KEY, data BLOB NOT NULL)")
        database.execute("DROP INDEX " + ("event_by_time" if kind == "record" else "setting_by_key"))
        for _ in range(300):  # more than the cache: pages reach the log before the commit
            database.execute("INSERT INTO more (data) VALUES (randomblob(20000))")
        if last == "kill":
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        if last == "raise":
            raise ZeroDivisionError

    return more


@pytest.mark.parametrize("frozen", FROZEN, ids=lambda frozen: frozen.stem)
@pytest.mark.parametrize("how", ["raise", "kill"])
def test_a_migration_that_fails_leaves_the_file_as_it_was(frozen: Path, how: str, path: Path) -> None:
    """With all that stood before it: of several migrations, none has happened."""
    kind, _ = parts(frozen)
    thaw(path, frozen)
    before = content(path)
    if how == "kill":
        command = [sys.executable, "-m", "tests.core.record.test_migrations", kind, str(path)]
        killed = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
        assert killed.returncode == (-signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    else:
        file = CipherFile.open(path, KEY)
        with pytest.raises(ZeroDivisionError):
            file.migrate(with_one_more(kind, "raise"))
        file.close()
    assert content(path) == before
    open_and_close(kind, path)


@pytest.mark.parametrize("kind", SETS)
def test_an_older_program_refuses_a_newer_file_says_what_to_do_and_changes_nothing(kind: str, path: Path) -> None:
    thaw(path, FOLDER / f"{kind}-{names(kind)[0]}.sql")
    file = CipherFile.open(path, KEY)
    file.migrate(with_one_more(kind, "end"))
    file.close()
    before = path.read_bytes()
    with pytest.raises(RecordNewer, match=r"newer version.*m900_more.*Update this workstation"):
        open_and_close(kind, path)
    if kind == "record":
        with pytest.raises(RecordNewer):
            RecordReader.open(path, KEY)
    assert path.read_bytes() == before


def test_a_reader_says_of_an_older_file_what_brings_it_up_to_date(path: Path) -> None:
    thaw(path, FOLDER / "record-m001_foundation.sql")
    with pytest.raises(RecordOlder, match=r"older version.*Start this workstation"):
        RecordReader.open(path, KEY)
    open_and_close("record", path)
    with RecordReader.open(path, KEY) as reader:
        assert reader.days(HUBS[0]) == []


if __name__ == "__main__":
    CipherFile.open(Path(sys.argv[2]), KEY).migrate(with_one_more(sys.argv[1], "kill"))

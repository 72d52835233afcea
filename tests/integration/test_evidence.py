"""A record that was set back or forked is found out when the engine starts and when the hub connects."""

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import cli
from app.workplace import DEMO_PASSPHRASE
from core.model.clock import SystemClock
from core.record import Record
from core.record.keys import KeyStore
from tests.integration.practice import Practice


def verified(path: Path) -> tuple[int, str]:
    found = CliRunner().invoke(cli, ["record", "verify", str(path)], standalone_mode=False)
    assert found.exception is None
    return int(found.return_value), found.output


def practice_key(path: Path) -> bytes:
    return KeyStore(prefer="file").load(path, lambda: DEMO_PASSPHRASE)


def ended(practice: Practice) -> None:
    """The engine has ended in good order; what it said last says nothing about the next one."""
    practice.shut_down()
    practice.workstation = None
    practice.chairs.clear()


def keep(path: Path, name: str) -> None:
    """A copy of a closed record and its key."""
    shutil.copy(path, path.parent / name)


def put_back(path: Path, name: str) -> None:
    for part in ("-wal", "-shm"):
        path.with_name(path.name + part).unlink(missing_ok=True)
    shutil.copy(path.parent / name, path)


def witnessed_by(practice: Practice, chair: int) -> set[str]:
    if practice.workstation is None:
        return set()
    state = next((one for one in practice.workstation.evidence if one.chair == chair), None)
    return {f"{text.key} {text.values['name']}" for text in state.witnesses} if state is not None else set()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Practice]:
    one = Practice(tmp_path / "data", chairs=2)
    try:
        one.start()
        yield one
    finally:
        one.close()


def test_a_record_that_was_set_back_is_found_out_by_the_other_chair_and_by_the_hub(two: Practice) -> None:
    path = two.folder.chair_file(1)
    two.until(lambda: len(witnessed_by(two, 1)) == 2)
    assert {name.split()[0] for name in witnessed_by(two, 1)} == {"evidence.hub", "evidence.chair"}
    ended(two)
    assert verified(path)[0] == 0
    keep(path, "old")

    two.start()
    two.seat()
    two.until(lambda: len(witnessed_by(two, 1)) == 2)
    ended(two)
    code, said = verified(path)
    assert code == 0, said
    assert "Countersigned by chair 2" in said

    put_back(path, "old")
    code, said = verified(path)
    assert code == 1
    assert "the log was set back" in said
    assert "chair-2" in said

    two.start()
    two.until(lambda: "evidence.rolled_back" in two.alarms())
    two.until(lambda: two.hub().hub_time_us)
    ended(two)
    other = two.folder.chair_file(2)
    other.rename(other.with_name("away"))
    code, said = verified(path)
    assert code == 1, "it remembers what the witnesses hold, without them"
    assert "chair 2 has seen it" in said


def test_a_forked_record_is_found_out_by_the_hub_alone(practice: Practice) -> None:
    path = practice.folder.chair_file(1)
    practice.until(lambda: len(witnessed_by(practice, 1)) == 1)
    ended(practice)
    keep(path, "old")
    practice.start()
    practice.seat()
    practice.until(lambda: practice.workstation and practice.workstation.evidence)
    practice.until(lambda: len(witnessed_by(practice, 1)) == 1)
    ended(practice)
    put_back(path, "old")
    opened = contextlib.closing(Record.open(path, practice_key(path), clock=SystemClock()))
    with opened as record, record.transaction():
        for number in range(200):
            record.audit("made.up", actor="nobody", at_us=number, body={})
    practice.start()
    practice.until(lambda: "evidence.forked" in practice.alarms())
    ended(practice)
    code, said = verified(path)
    assert code == 1
    assert "the log is not the one signed at" in said
    assert re.search("hub [^ ]+ has seen it", said)

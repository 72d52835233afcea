"""A new machine: a folder restored with the sheet from paper, an empty keyring, and a real engine process on it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest

from app.engine_config import EngineConfig
from app.ipc import messages as ipc
from app.ipc.backup_messages import Backups, ListBackups
from app.ipc.client import EngineClient
from app.launch import EngineProcess
from core.backup.sheet import SheetDraft
from core.model.clock import SystemClock
from core.record import Record, RecordReader
from core.record.inspect import verify_record
from core.record.keys import KeyStore
from tests.app.test_backup_cli import NEW_WORD, said
from tests.app.test_keys_cli import ADA, PIN, WORD, key_of, make_folder, practice_file, quick
from tests.core.backup.house import BO, ZEB, visit
from tests.core.record.signing import Keys
from tests.core.record.test_record_keys import ShelfKeyring

__all__ = ["quick"]


@contextlib.contextmanager
def engine(root: Path, word: str) -> Iterator[EngineClient]:
    """The engine's own process, ended in good order."""
    config = EngineConfig(
        data_folder=str(root),
        radio="bumble:tcp-client:127.0.0.1:9",
        chairs=1,
        simulated=False,
        passphrase=word,
        sound=False,
    )
    process = EngineProcess(config, root)
    process.ensure()
    try:
        client = EngineClient.connect(process.runtime, "console")
        try:
            yield client
        finally:
            client.close()
    finally:
        process.terminate()
        assert process.wait(30.0)


def done(client: EngineClient, body: ipc.Request) -> ipc.Reply:
    reply = client.request(body)
    assert not isinstance(reply, ipc.Refused), reply
    return reply


def checkpoint(path: Path, key: bytes, keys: Keys) -> str:
    """Sign the log as it is; its origin."""
    record = Record.open(path, key, clock=SystemClock())
    try:
        with record.transaction():
            record.audit("gone on", actor="a", at_us=1, body={})
            made = record.checkpoints.make(keys.signing, at_us=SystemClock().utc_us(), reason="test")
        assert made is not None
        return made.note.checkpoint.origin
    finally:
        record.close()


def test_the_practice_goes_on_where_its_backup_was_restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "get_keyring", ShelfKeyring)  # the old machine's keys are on no new one
    old, place, new = make_folder(tmp_path / "old", (ADA, PIN)), tmp_path / "stick", tmp_path / "new"
    path = old / "chair-1.sqlite"
    record = Record.open(path, key_of(path), clock=SystemClock())
    for patient, day in ((BO, 10), (ZEB, 15)):
        visit(record, patient, day)
    record.close()
    practice, sheet = practice_file(old), SheetDraft.draw()
    sheet.take(practice.keys, author=ADA.id)
    practice.close()
    said(["backup", "make", str(place), "--data", str(old)], SMILESCAPE_PASSPHRASE=WORD)
    output = said(
        ["restore", str(place), "--data", str(new)],
        typed="\n".join(sheet.lines) + "\n",
        SMILESCAPE_PASSPHRASE=NEW_WORD,
        SMILESCAPE_PIN=PIN,
    )
    assert "answers for it" in output

    with engine(new, NEW_WORD) as client:
        assert client.welcome.rings.keys() == {1}
        done(client, ipc.Login(operator_id=ADA.id, pin=PIN))
        listed = done(client, ipc.ListPatients())
        assert isinstance(listed, ipc.Patients)
        assert {one.name for one in listed.patients} == {BO.name, ZEB.name}
        timeline = done(client, ipc.GetTimeline(patient_id=ZEB.id))
        assert isinstance(timeline, ipc.Timeline)
        assert [one.code for one in timeline.visits] == ["V-15"]
        seated = done(client, ipc.SeatPatient(chair=1, patient_id=BO.id))
        assert isinstance(seated, ipc.Done)
        shelves = done(client, ListBackups())
        assert isinstance(shelves, Backups)
        assert not [one for shelf in shelves.places for one in shelf.kept if not one.ours], "it knows its own backups"

    fresh = KeyStore(prefer="file").load(new / "chair-1.sqlite", lambda: NEW_WORD)
    with RecordReader.open(new / "chair-1.sqlite", fresh) as reader:
        assert seated.id in {one.id for one in reader.visits() if one.state == "open"}
        assert reader.verify().ok

    # The old machine went on all the same: its log and ours are told apart, and neither contradicts the other.
    keys = Keys()
    theirs, ours = checkpoint(path, key_of(path), keys), checkpoint(new / "chair-1.sqlite", fresh, keys)
    assert ours.startswith(f"{theirs}/")
    report = verify_record(new / "chair-1.sqlite", fresh, witnesses={path: key_of(path)})
    assert report.ok, report.problems
    assert any("Restored on" in note for note in report.notes)

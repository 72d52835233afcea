"""Checkpoints, witnesses and `record verify` on a real encrypted file that somebody with its key has altered."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import cbor2
import pytest

from core.model import cbor
from core.model.clock import ManualClock
from core.model.cose import KeySigner
from core.model.merkle import CompactRange, includes, is_consistent, leaf_hash
from core.model.note import Checkpoint, Note, NoteRefused, cosign, sign_checkpoint
from core.model.witness import Verdict, hub_witness
from core.record import Record, RecordReader
from core.record.errors import RecordOlder
from core.record.evidence import (
    Contradiction,
    Cosignature,
    LogAltered,
    StoredCheckpoint,
    WitnessKind,
    WitnessRefused,
    vouch,
)
from core.record.inspect import verify_record
from core.record.schema import record_migrations
from core.record.sqlcipher import CipherFile
from tests.core.record.signing import Keys

KEY = bytes(range(32))
UTC0 = 1_800_000_000_000_000
KEYS = Keys()


def log(record: Record, count: int, actor: str = "op") -> None:
    with record.transaction():
        for number in range(count):
            record.audit("step", actor=actor, at_us=UTC0 + number, body={"step": number, "note": b"x" * number})


def sign(record: Record, keys: Keys = KEYS) -> StoredCheckpoint:
    with record.transaction():
        made = record.checkpoints.make(keys.signing, at_us=UTC0, reason="test")
    assert made is not None
    return made


def witness(chair: Record, by: Record, note: Note) -> Cosignature:
    """One round between two chairs, as the engine makes it."""
    seen = by.witness.seen(note.checkpoint.origin)
    old = seen.checkpoint.size if seen is not None else 0
    path = chair.checkpoints.consistency(old, note.checkpoint.size) if old <= note.checkpoint.size else []
    with by.transaction():
        line = by.witness.countersign(note, KEYS.signing.signer.public, old, path, at_us=UTC0)
        voucher = vouch(by.witness.name, by.witness.public(), KEYS.signing)
    return Cosignature(WitnessKind.CHAIR, str(by.chair), line, voucher, UTC0)


@pytest.fixture
def other(tmp_path: Path, clock: ManualClock) -> Iterator[Record]:
    made = Record.create(tmp_path / "chair-2.smile", KEY, chair=2, simulated=True, clock=clock)
    yield made
    made.close()


@pytest.fixture
def signed(record: Record, path: Path) -> Path:
    """Thirty entries, of which 10 and 25 were signed; the second countersigned by a hub."""
    log(record, 10)
    sign(record)
    log(record, 15)
    made = sign(record)
    name = hub_witness(KEYS.hub_certificate.kid)
    line = cosign(made.note, name, KEYS.hub, UTC0 // 1_000_000)
    with record.transaction():
        record.checkpoints.countersigned(
            made, Cosignature(WitnessKind.HUB, "SH-1", line, KEYS.hub_certificate.raw, UTC0)
        )
    log(record, 5)
    record.close()
    return path


class Thief:
    """Somebody with the file's key, who does what SQL can do."""

    def __init__(self, path: Path) -> None:
        self.file = CipherFile.open(path, KEY)
        self.triggers = self.file.rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        for name, _ in self.triggers:
            self.file.execute(f"DROP TRIGGER {name}")

    def entries(self) -> list[bytes]:
        return [bytes(row[0]) for row in self.file.rows("SELECT entry FROM audit ORDER BY sequence")]

    def write(self, entries: list[bytes], *, leaves: bool, tree: bool, renumber: bool = False) -> None:
        """The log anew, with as much of what belongs to it as somebody cares to make."""
        if renumber:
            entries = [cbor.encode({**cbor2.loads(raw), "sequence": at}) for at, raw in enumerate(entries)]
        old: dict[int, bytes] = dict(self.file.rows("SELECT sequence, leaf FROM audit"))
        whole, nodes = CompactRange(), []
        with self.file.transaction():
            self.file.execute("DELETE FROM audit")
            for at, raw in enumerate(entries):
                leaf = leaf_hash(raw) if leaves else old.get(at, bytes(32))
                self.file.execute("INSERT INTO audit VALUES (?, ?, ?)", (at, raw, leaf))
                nodes += whole.append(leaf_hash(raw))
            if tree:
                self.file.execute("DELETE FROM audit_tree")
                self.file.many("INSERT INTO audit_tree VALUES (?, ?)", enumerate(nodes))

    def close(self) -> None:
        for _, sql in self.triggers:
            self.file.execute(sql)
        self.file.close()


@contextlib.contextmanager
def thief(path: Path) -> Iterator[Thief]:
    one = Thief(path)
    yield one
    one.close()


def changed(raw: bytes) -> bytes:
    return cbor.encode({**cbor2.loads(raw), "actor": "nobody"})


def edited(entries: list[bytes]) -> list[bytes]:
    return [*entries[:7], changed(entries[7]), *entries[8:]]


def removed(entries: list[bytes]) -> list[bytes]:
    return entries[:7] + entries[8:]


def inserted(entries: list[bytes]) -> list[bytes]:
    return [*entries[:7], changed(entries[3]), *entries[7:]]


def reordered(entries: list[bytes]) -> list[bytes]:
    return [*entries[:7], entries[9], entries[8], entries[7], *entries[10:]]


def ended(entries: list[bytes]) -> list[bytes]:
    return entries[:28]


Alter = Callable[[list[bytes]], list[bytes]]
WAYS: list[tuple[Alter, str]] = [
    (edited, "entry 7 was changed"),
    (removed, "entry 7 was removed, and those behind moved up"),
    (inserted, "an entry was inserted at 7"),
    (reordered, "entries were reordered: 9 stands where 7 should"),
]


def problems(path: Path) -> tuple[str, ...]:
    report = verify_record(path, KEY)
    assert report.ok == (not report.problems)
    return report.problems


def test_a_sound_log_says_what_speaks_for_it(signed: Path) -> None:
    report = verify_record(signed, KEY, roots={KEYS.root_certificate.kid})
    assert report.problems == ()
    assert report.entries == 30
    told = "\n".join(report.notes)
    assert "Signed up to 25 of 30 entries; checkpoints: 2." in told
    assert "Countersigned by hub SH-1: 25 entries, 2027-01-15 08:00:00 UTC." in told


@pytest.mark.parametrize("renumber", [False, True])
@pytest.mark.parametrize("leaves", [False, True])
@pytest.mark.parametrize(("alter", "told"), WAYS)
def test_the_first_entry_that_was_altered_is_named(
    signed: Path, alter: Alter, told: str, leaves: bool, renumber: bool
) -> None:
    with thief(signed) as one:
        one.write(alter(one.entries()), leaves=leaves, tree=False, renumber=renumber)
    found = problems(signed)
    assert found[0] == f"audit: {told}"
    assert any("the first that was altered is one of 0 to 9" in problem for problem in found)


@pytest.mark.parametrize(("alter", "told"), WAYS)
def test_a_log_that_agrees_with_itself_again_disagrees_with_what_was_signed(
    signed: Path, alter: Alter, told: str
) -> None:
    with thief(signed) as one:
        one.write(alter(one.entries()), leaves=True, tree=True, renumber=True)
    assert problems(signed) == (
        "audit: the log is not the one signed at 10 entries: the first that was altered is one of 0 to 9",
    )


def test_what_was_altered_behind_the_last_checkpoint_is_found_while_the_tree_stands(signed: Path) -> None:
    with thief(signed) as one:
        entries = one.entries()
        one.write([*entries[:27], changed(entries[27]), *entries[28:]], leaves=True, tree=False)
    assert problems(signed) == ("audit: entry 27 was changed",)


def test_a_row_that_is_gone_and_an_end_that_is_gone(signed: Path) -> None:
    with thief(signed) as one:
        one.file.execute("DELETE FROM audit WHERE sequence IN (12, 13)")
    assert problems(signed)[0] == "audit: entries 12 to 13 were removed"
    with thief(signed) as one:
        one.file.execute("DELETE FROM audit WHERE sequence >= 12")
    assert problems(signed)[0] == "audit: entries 12 to 29 were removed, at the end"


def test_an_end_that_was_removed_with_its_tree_is_told_by_the_checkpoint(signed: Path) -> None:
    with thief(signed) as one:
        one.write(one.entries()[:20], leaves=True, tree=True)
    assert problems(signed) == ("audit: the log was set back: 25 entries were signed, and 20 are there",)


def test_a_hash_that_was_changed_is_not_taken_for_a_changed_entry(signed: Path) -> None:
    with thief(signed) as one:
        one.file.execute("UPDATE audit SET leaf = ? WHERE sequence = 4", (bytes(32),))
    assert problems(signed) == ("audit: entry 4 is what was written; the hash beside it was changed",)
    with thief(signed) as one:
        one.file.execute("UPDATE audit SET leaf = (SELECT hash FROM audit_tree WHERE id = 7) WHERE sequence = 4")
        one.file.execute("UPDATE audit_tree SET hash = ? WHERE id = 6", (bytes(32),))  # over entries 0 to 3
    assert problems(signed) == ("audit: the tree's hash over entries 0 to 3 is not theirs",)


def test_checkpoints_that_were_altered_or_taken_out_are_named(signed: Path) -> None:
    with thief(signed) as one:
        one.file.execute("UPDATE checkpoint SET note = replace(note, '10', '11') WHERE id = 1")
    assert any(problem.startswith("checkpoint 1 of 11 entries: ") for problem in problems(signed))
    with thief(signed) as one:
        one.file.execute("DELETE FROM checkpoint WHERE id = 1")
    assert problems(signed) == ("checkpoint 1 was removed",)


def test_a_cosignature_over_something_else_is_none(signed: Path) -> None:
    with thief(signed) as one:
        stolen = KeySigner(bytes(32))
        note = sign_checkpoint(Checkpoint("x", 1, bytes(32)), stolen)
        line = cosign(note, hub_witness(KEYS.hub_certificate.kid), KEYS.hub, 1).line
        one.file.execute("UPDATE cosignature SET line = ?", (line,))
    (found,) = problems(signed)
    assert found.startswith("checkpoint 2, countersigned by hub SH-1: ")


def test_a_log_that_was_signed_anew_under_another_root_is_known_by_its_root(signed: Path) -> None:
    stranger = Keys(9)
    with thief(signed) as one:
        one.write(edited(one.entries()), leaves=True, tree=True)
        one.file.execute("DELETE FROM cosignature")
        one.file.execute("DELETE FROM checkpoint")
    with contextlib.closing(Record.open(signed, KEY, clock=ManualClock(utc_us=UTC0))) as record:
        sign(record, stranger)
    told = verify_record(signed, KEY)
    assert told.ok, "whoever has no root to compare with is told which it is"
    assert any("Root of the practice" in note for note in told.notes)
    report = verify_record(signed, KEY, roots={KEYS.root_certificate.kid})
    assert report.problems == ("checkpoint 1 of 30 entries: its root was never the practice's",)


def test_nothing_is_signed_that_does_not_contain_what_was_signed(signed: Path) -> None:
    with thief(signed) as one:
        one.write(edited(one.entries()), leaves=True, tree=True)
    with contextlib.closing(Record.open(signed, KEY, clock=ManualClock(utc_us=UTC0))) as record:
        log(record, 1)
        with record.transaction(), pytest.raises(LogAltered):
            record.checkpoints.make(KEYS.signing, at_us=UTC0, reason="test")


def test_a_number_that_was_given_is_not_given_again(signed: Path) -> None:
    with thief(signed) as one:
        one.file.execute("DELETE FROM audit WHERE sequence >= 28")
    with contextlib.closing(Record.open(signed, KEY, clock=ManualClock(utc_us=UTC0))) as record:
        log(record, 1)
    assert problems(signed)[0] == "audit: entries 28 to 29 were removed"


def test_only_what_grew_is_signed_and_each_key_signs_once(record: Record) -> None:
    with record.transaction():
        assert record.checkpoints.make(KEYS.signing, at_us=UTC0, reason="empty") is None
    log(record, 3)
    first = sign(record)
    with record.transaction():
        assert record.checkpoints.make(KEYS.signing, at_us=UTC0, reason="same") is None
    rotated = KEYS.workstation(KeySigner())
    with record.transaction():
        again = record.checkpoints.make(rotated, at_us=UTC0, reason="new key")
    assert again is not None
    assert again.note.checkpoint == first.note.checkpoint


# witnesses


def test_another_chair_countersigns_what_grows(record: Record, other: Record, path: Path) -> None:
    for _ in range(3):
        log(record, 7)
        made = sign(record)
        line = witness(record, other, made.note)
        with record.transaction():
            record.checkpoints.countersigned(made, line)
    record.close()
    report = verify_record(path, KEY, witnesses={other.path: KEY})
    assert report.problems == ()
    assert any(note.startswith("Countersigned by chair 2: 21 entries") for note in report.notes)


@pytest.fixture
def set_back(record: Record, other: Record, path: Path, tmp_path: Path, clock: ManualClock) -> Iterator[Record]:
    """An old copy of the file in its place: it agrees with itself and with all that it has of signatures."""
    log(record, 5)
    witness(record, other, sign(record).note)
    record.close()
    shutil.copy(path, tmp_path / "old")
    again = Record.open(path, KEY, clock=clock)
    log(again, 5)
    witness(again, other, sign(again).note)
    again.close()
    shutil.copy(tmp_path / "old", path)
    restored = Record.open(path, KEY, clock=clock)
    yield restored
    restored.close()


def test_a_log_that_was_set_back_is_refused_and_found_by_asking_the_witness(
    set_back: Record, other: Record, path: Path
) -> None:
    log(set_back, 1)
    with pytest.raises(WitnessRefused) as refused:
        witness(set_back, other, sign(set_back).note)
    assert refused.value.verdict is Verdict.ROLLED_BACK
    set_back.close()
    assert problems(path) == (), "alone it cannot be told"
    (found,) = verify_record(path, KEY, witnesses={other.path: KEY}).problems
    assert found == "audit: the log was set back: 10 entries were signed, and 6 are there; chair-2.smile has seen it"


def test_a_log_that_went_another_way_is_refused_and_remembers_it(set_back: Record, other: Record, path: Path) -> None:
    log(set_back, 9, "another")
    with pytest.raises(WitnessRefused) as refused:
        witness(set_back, other, sign(set_back).note)
    assert refused.value.verdict is Verdict.FORKED
    seen = refused.value.seen
    assert seen is not None
    against = Contradiction("forked", "chair 2", seen, UTC0)
    for new in (True, False):
        with set_back.transaction():
            assert set_back.checkpoints.contradicted(against) is new
    assert not set_back.checkpoints.contains(seen.checkpoint)
    set_back.close()
    (found,) = problems(path)
    assert found.startswith("audit: the log is not the one signed at 10 entries: the first that was altered is one of ")
    assert found.endswith("; chair 2 has seen it")


def test_a_witness_takes_nothing_from_whom_it_does_not_know(record: Record, other: Record) -> None:
    log(record, 3)
    note = sign_checkpoint(Checkpoint(record.checkpoints.origin, 3, bytes(32)), KeySigner())
    with pytest.raises(NoteRefused):
        witness(record, other, note)
    made = sign(record)
    with other.transaction(), pytest.raises(WitnessRefused) as refused:
        other.witness.countersign(made.note, KEYS.signing.signer.public, 1, [], at_us=UTC0)
    assert refused.value.verdict is Verdict.MOVED


# the file


def test_entries_of_before_are_proven_too(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "older"
    file = CipherFile.create(path, KEY)
    record_migrations.apply(file.database, stop_before="m004_evidence")
    file.execute("INSERT INTO about VALUES ('r', 1, 1, 0)")
    for number in range(1000):
        raw = cbor.encode({"sequence": number})
        file.execute("INSERT INTO audit VALUES (?, ?, ?)", (number, raw, leaf_hash(raw)))
    file.close()
    with pytest.raises(RecordOlder):
        RecordReader.open(path, KEY)
    with contextlib.closing(Record.open(path, KEY, clock=clock)) as record:
        log(record, 37)
        made = sign(record)
    with RecordReader.open(path, KEY) as reader:
        assert reader.verify().problems == ()
        head = reader.audit_head()
        assert (head.size, head.root) == (made.size, made.root)
        (entry,) = reader.audit_entries(512, 1)
        assert includes(entry.leaf, 512, made.size, reader.inclusion(512, made.size), made.root)


def test_proofs_of_a_real_file_hold(record: Record, path: Path) -> None:
    log(record, 300)
    old = sign(record)
    log(record, 211)
    made = sign(record)
    with RecordReader.open(path, KEY) as reader:
        for entry in reader.audit_entries(0, 511):
            proof = reader.inclusion(entry.sequence, made.size)
            assert includes(entry.leaf, entry.sequence, made.size, proof, made.root)
        assert is_consistent(old.size, old.root, made.size, made.root, reader.consistency(old.size, made.size))

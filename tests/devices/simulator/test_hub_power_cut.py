"""What is there after a power cut: only what was settled. The medium is a double, since a test cannot cut the power."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.model.hub import HoldCause, Opcode, ReceiptCode, TherapyState
from core.model.wear import EventKind
from devices.hub.commands import Bare, Tell, encode_command
from devices.hub.session.journal import JournalHead, verify_chain
from devices.simulator import durable
from devices.simulator.brain import Brain
from devices.simulator.numbered import RecordLog
from tests.devices.simulator.visit import NOW_S, Practice, Visit, new_hub

DAY = NOW_S // 86_400


class Medium:
    """Of each file what was there when it was settled, under the names that its folder had when that was settled.

    A folder that was never settled is there with what its parent says, and empty: names are the strictest part.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._contents: dict[int, bytes] = {}
        self._names: dict[Path, dict[str, int]] = {}
        self._real = (durable.settle, durable.settle_folder)
        self._open: list[int] = []
        self.settled = 0

    def close(self) -> None:
        for descriptor in self._open:
            os.close(descriptor)

    def settle(self, descriptor: int) -> None:
        self._real[0](descriptor)
        self.settled += 1
        file = os.fstat(descriptor)
        path = next(one for one in self._root.rglob("*") if one.is_file() and one.stat().st_ino == file.st_ino)
        if file.st_ino not in self._contents:
            self._open.append(os.dup(descriptor))  # so that no other file gets this number
        self._contents[file.st_ino] = path.read_bytes()

    def settle_folder(self, folder: Path) -> None:
        self._real[1](folder)
        self._names[folder] = {one.name: one.stat().st_ino for one in folder.iterdir() if one.is_file()}

    def after_a_cut(self, to: Path) -> Path:
        """The folder as it is found when the power is back."""
        for folder, names in self._names.items():
            if folder.exists():
                place = to / folder.relative_to(self._root)
                place.mkdir(parents=True, exist_ok=True)
                for name, number in names.items():
                    (place / name).write_bytes(self._contents.get(number, b""))
        return to


@pytest.fixture
def medium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Medium]:
    made = Medium(tmp_path / "hub")
    monkeypatch.setattr(durable, "settle", made.settle)
    monkeypatch.setattr(durable, "settle_folder", made.settle_folder)
    yield made
    made.close()


def hub(folder: Path) -> Brain:
    return new_hub(state=folder, lasting=True)


def test_whatever_was_answered_or_told_outlives_a_power_cut(medium: Medium, tmp_path: Path) -> None:
    brain, practice = hub(tmp_path / "hub"), Practice()
    practice.enrol(brain)
    visit = Visit(brain, practice).ready()
    visit.send(Tell(NOW_S * 1_000_000))
    started = visit.next_counter
    message = encode_command(started, visit.side.signed(Opcode.START_PHASE, started, brain.body.now_us))
    receipt = visit.raw(message)
    for _ in range(5):
        visit.passes(1)
    visit.send(Bare(Opcode.HOLD))
    brain.wear.note(EventKind.CLENCH, 321)
    brain.settle()
    frames, entries = brain.memory.fetch(0, 9999), brain.logbook.read(0, 9999)
    used, delivered = brain.desk.counter, brain.therapy.elapsed_us
    (day,) = brain.wear.days(DAY, 1)

    found = new_hub(state=medium.after_a_cut(tmp_path / "found"))
    assert found.parts.boot == 2
    assert found.desk.counter >= used
    assert found.memory.fetch(0, 9999) == frames
    assert found.logbook.read(0, len(entries)) == entries
    verify_chain(found.logbook.read(0, 9999), JournalHead())
    assert found.wear.days(DAY, 1) == [day]
    assert [event.value for event in found.wear.events(0, 99) if event.kind == EventKind.CLENCH] == [321]
    assert (found.therapy.state, found.therapy.cause) == (TherapyState.HELD, HoldCause.BOOT)
    assert found.therapy.elapsed_us >= delivered
    visit = Visit(found, practice).shake_hands()
    assert visit.query(started) == receipt
    assert visit.raw(message) == receipt


def test_only_what_nobody_was_told_of_is_gone(medium: Medium, tmp_path: Path) -> None:
    """Frames of the last moment, unless they were sent; their numbers may be used again, since nobody knows them."""
    brain = hub(tmp_path / "hub")
    for _ in range(10):
        brain.tick()
    brain.settle()
    kept = brain.memory.fetch(0, 9999)
    for _ in range(10):
        brain.tick()
    assert new_hub(state=medium.after_a_cut(tmp_path / "found")).memory.fetch(0, 9999) == kept


def test_a_hub_that_is_told_of_by_a_session_has_settled_its_memory(medium: Medium, tmp_path: Path) -> None:
    brain, practice = hub(tmp_path / "hub"), Practice()
    practice.enrol(brain)
    for _ in range(30):
        brain.tick()
    Visit(brain, practice).shake_hands()
    assert new_hub(state=medium.after_a_cut(tmp_path / "found")).memory.next_sequence == brain.memory.next_sequence > 0


def test_files_of_a_log_are_settled_one_after_the_other(medium: Medium, tmp_path: Path) -> None:
    log = RecordLog(tmp_path / "hub" / "log", keep=100, per_file=4, lasting=True)
    for n in range(11):
        log.append([bytes((n,))])
    found = RecordLog(medium.after_a_cut(tmp_path / "found") / "log", keep=100, per_file=4)
    assert list(found) == [bytes((n,)) for n in range(8)]


def test_a_hub_in_a_test_waits_for_no_disk(medium: Medium, tmp_path: Path) -> None:
    brain, practice = new_hub(state=tmp_path / "hub"), Practice()
    practice.enrol(brain)
    visit = Visit(brain, practice).begin()
    visit.passes(2)
    assert visit.send(Bare(Opcode.HOLD)).code is ReceiptCode.DONE
    brain.close()
    assert medium.settled == 0

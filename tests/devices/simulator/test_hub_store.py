"""What a hub remembers: over a reboot, over a new process, over a kill in the middle of writing."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.model.block import Provenance
from core.model.hub import HoldCause, Opcode, ReceiptCode, TherapyState
from core.model.wear import EventKind
from devices.hub.commands import Ask, Revoke, Tell, encode_command
from devices.hub.frames import SampleFrame, decode_frame
from devices.hub.session.journal import JournalHead, verify_chain
from devices.hub.session.wire import EVENTS_KEPT
from devices.hub.status import decode_status
from devices.simulator.brain import Brain
from devices.simulator.journal import read_journal
from devices.simulator.numbered import RecordLog, StoreDamaged
from tests.devices.simulator.visit import NOW_S, SERIAL, Practice, Visit, new_hub

R = ReceiptCode
DAY = NOW_S // 86_400

Again = Callable[[Brain], Brain]
"""How a hub comes to its next boot."""


def reboot(brain: Brain) -> Brain:
    brain.reboot()
    return brain


@pytest.fixture(params=["reboot in memory", "reboot on disk", "new process"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Brain, Again]:
    """A hub, and the way to its next boot; a new process finds nothing but the folder."""
    if request.param == "reboot in memory":
        return new_hub(), reboot
    brain = new_hub(state=tmp_path / "hub")
    if request.param == "reboot on disk":
        return brain, reboot
    return brain, lambda _: new_hub(state=tmp_path / "hub")


def test_everything_outlives_a_power_loss(hub: tuple[Brain, Again]) -> None:
    brain, again = hub
    practice = Practice()
    practice.enrol(brain)
    visit = Visit(brain, practice).ready()
    visit.send(Tell(NOW_S * 1_000_000))
    visit.send(Revoke(practice.revoke(b"somebody", number=7, issued_s=NOW_S + 99)))
    started = visit.next_counter
    message = encode_command(started, visit.side.signed(Opcode.START_PHASE, started, brain.body.now_us))
    receipt = visit.raw(message)
    visit.passes(65)
    brain.wear.note(EventKind.CLENCH, 321)
    frames, entries = brain.memory.fetch(0, 99_999), brain.logbook.read(0, 9999)
    used, irk, kid = brain.desk.counter, brain.vault.irk, brain.vault.key.certificate.kid
    procedure = brain.therapy.procedure
    (day,) = brain.wear.days(DAY, 1)

    brain = again(brain)
    assert brain.parts.boot == 2
    assert (brain.vault.irk, brain.vault.key.certificate.kid) == (irk, kid)
    assert brain.vault.trust is not None
    assert (brain.vault.trust.root.raw, brain.vault.revocations) == (practice.root_raw, 7)
    assert brain.vault.trust.floor_s == NOW_S + 99
    assert brain.memory.fetch(0, 99_999) == frames
    assert brain.memory.next_sequence == len(frames)
    assert used <= brain.desk.counter <= used + 64
    assert brain.logbook.read(0, len(entries)) == entries
    verify_chain(brain.logbook.read(0, 9999), JournalHead())
    assert brain.parts.progress.delivered_us(procedure, 1) == 60_000_000
    assert [event.value for event in brain.wear.events(0, 99) if event.kind == EventKind.CLENCH] == [321]
    assert brain.wear.days(DAY, 1) == [day], "to the last second"
    visit = Visit(brain, practice).shake_hands()
    assert visit.query(started) == receipt
    assert visit.raw(message) == receipt
    assert [(span.boot, span.began_us > 0) for span in visit.side.card().boots] == [(1, True), (2, False)]
    assert visit.side.card().boots[0].newest_us == 65_000_000
    assert brain.therapy.state is TherapyState.IDLE


def test_a_phase_under_way_and_what_was_delivered_of_it(hub: tuple[Brain, Again]) -> None:
    brain, again = hub
    practice = Practice()
    practice.enrol(brain)
    visit = Visit(brain, practice).begin()
    procedure = brain.therapy.procedure
    visit.passes(7.35)
    brain = again(brain)
    assert (brain.therapy.state, brain.therapy.cause, brain.therapy.phase) == (TherapyState.HELD, HoldCause.BOOT, 1)
    assert 7_350_000 <= brain.therapy.elapsed_us <= 8_350_000
    assert brain.parts.progress.delivered_us(procedure, 1) == brain.therapy.elapsed_us
    visit = Visit(brain, practice).shake_hands()
    visit.introduce()
    assert visit.order(Opcode.CLEAR) is R.DONE
    before = brain.parts.progress.delivered_us(procedure, 1)
    brain = again(brain)
    assert brain.therapy.state is TherapyState.IDLE
    assert brain.parts.progress.delivered_us(procedure, 1) == before


def test_new_keys_and_pending_ones(hub: tuple[Brain, Again]) -> None:
    brain, again = hub
    practice = Practice()
    practice.enrol(brain)
    keys = brain.vault.rekey()
    for _ in range(5):
        brain.tick()
    brain = again(brain)
    assert brain.memory.next_sequence > 0
    assert brain.vault.enrol(practice.root_raw, practice.certify(SERIAL, *keys), idle=True) is R.DONE
    brain = again(brain)
    assert brain.vault.key.certificate.signing_key == keys[0]
    assert brain.memory.next_sequence == brain.desk.counter == 0
    brain.tick()
    made = brain.memory.next_sequence
    brain = again(brain)
    assert brain.memory.next_sequence == made


def test_what_was_acknowledged_or_dropped_does_not_come_back(tmp_path: Path) -> None:
    brain = new_hub(state=tmp_path, capacity=50)
    for _ in range(20):
        brain.tick()
    made = brain.memory.next_sequence
    brain.memory.acknowledge(made - 3)
    brain = new_hub(state=tmp_path, capacity=50)
    assert (brain.memory.oldest, brain.memory.next_sequence) == (made - 2, made)
    for _ in range(100):
        brain.tick()
    oldest = brain.memory.oldest
    assert oldest == brain.memory.next_sequence - 50
    assert new_hub(state=tmp_path, capacity=50).memory.oldest == oldest


def test_a_smaller_memory_keeps_the_newest(tmp_path: Path) -> None:
    brain = new_hub(state=tmp_path)
    for _ in range(100):
        brain.tick()
    frames = brain.memory.fetch(0, 9999)
    assert new_hub(state=tmp_path, capacity=10).memory.fetch(0, 9999) == frames[-10:]


KILLED = """
import sys
from pathlib import Path
from devices.simulator.brain import Brain
from devices.simulator.journal import JournalWriter

folder = Path(sys.argv[1])
with JournalWriter(folder / "oracle") as oracle:
    brain = Brain(serial="SH-1", seed=3, state=folder / "hub", journal=oracle, capacity=900)
    while True:
        brain.tick()
        if brain.memory.next_sequence % 5 == 0:
            brain.memory.acknowledge(brain.memory.next_sequence - 400)
        if brain.memory.next_sequence % 11 == 0:
            brain.vault.reserve(brain.memory.next_sequence)
        print(brain.parts.boot, brain.memory.next_sequence, flush=True)
"""


def test_a_hub_killed_while_it_writes_has_lost_at_most_its_last_tick(tmp_path: Path) -> None:
    """Five processes one after another, each killed as it goes."""
    said: list[tuple[int, int]] = []
    for lines in (3, 40, 41, 160, 700):
        hub = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert hub.stdout is not None
        boot, stored = [hub.stdout.readline().split() for _ in range(lines)][-1]
        hub.kill()
        hub.communicate()
        said.append((int(boot), int(stored)))
    assert [boot for boot, _ in said] == [1, 2, 3, 4, 5]
    brain = new_hub(state=tmp_path / "hub", capacity=900)
    assert brain.parts.boot == 6
    assert brain.memory.next_sequence >= said[-1][1], "what was said to be stored is stored"
    verify_chain(brain.logbook.read(0, 9999), JournalHead())
    made = {
        (block.boot, block.channel, block.first_index): block.samples for block in read_journal(tmp_path / "oracle")
    }
    frames = [decode_frame(raw, Provenance.LIVE) for raw in brain.memory.fetch(0, 99_999)]
    sequences = [frame.sequence for frame in frames if isinstance(frame, SampleFrame)]
    assert sequences == list(range(brain.memory.oldest, brain.memory.next_sequence))
    for frame in frames:
        assert isinstance(frame, SampleFrame)
        for block in frame.blocks:
            assert block.samples.tolist() == made[block.boot, block.channel, block.first_index].tolist()


ORDERED = """
import hashlib, sys
from itertools import count
from pathlib import Path
from core.model.hub import Opcode
from devices.hub.commands import Bare, encode_command
from tests.devices.simulator.visit import Practice, Visit, new_hub

brain, practice = new_hub(state=Path(sys.argv[1])), Practice()
if brain.vault.enrolled:
    brain.open_by_hand()
practice.enrol(brain)
visit = Visit(brain, practice).ready()
for n in count():
    for opcode in (Opcode.START_PHASE, Opcode.HOLD, Opcode.RESUME, Opcode.RENEW_LEASE, Opcode.END_PHASE):
        counter = visit.next_counter
        unsigned = opcode in (Opcode.HOLD, Opcode.RENEW_LEASE)
        command = Bare(opcode) if unsigned else visit.side.signed(opcode, counter, brain.body.now_us)
        message = encode_command(counter, command)
        receipt = visit.raw(message)
        print(int(opcode), counter, hashlib.sha256(message).hexdigest(), receipt.hex(), flush=True)
"""


def test_what_a_killed_hub_has_answered_it_still_answers(tmp_path: Path) -> None:
    """Three processes one after another, killed while commands are carried out; each was enrolled anew."""
    for lines in (7, 33, 90):
        hub = subprocess.Popen([sys.executable, "-c", ORDERED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert hub.stdout is not None
        answers = [hub.stdout.readline().split() for _ in range(lines)]
        hub.kill()
        hub.communicate()
        brain = new_hub(state=tmp_path)
        entries, _ = verify_chain(brain.logbook.read(0, 9999), JournalHead())
        told = {entry.message.hex() for entry in entries}
        assert brain.desk.counter >= int(answers[-1][1])
        kept = 0
        for opcode, counter, message, receipt in answers:
            if int(opcode) != Opcode.RENEW_LEASE:
                assert message in told
                kept += brain.parts.receipts.of(int(counter)) == bytes.fromhex(receipt)
        assert kept >= min(30, lines * 4 // 5)
        assert brain.therapy.state in (TherapyState.HELD, TherapyState.IDLE)
        brain.therapy.clear()
        brain.parts.progress.keep(brain.therapy)


class TestRecordLog:
    """The files below all that."""

    def log(self, folder: Path, keep: int = 100) -> RecordLog:
        return RecordLog(folder, keep=keep, per_file=4)

    @pytest.mark.parametrize("cut", range(1, 20))
    def test_a_write_cut_short_leaves_no_record(self, tmp_path: Path, cut: int) -> None:
        log = self.log(tmp_path)
        log.append([b"one", b"two"])
        log.append([b"three"])
        log.close()
        (path,) = tmp_path.iterdir()
        path.write_bytes(path.read_bytes()[:-cut])
        log = self.log(tmp_path)
        assert list(log) == ([b"one", b"two"] if cut <= 11 else [b"one"])
        log.append([b"again"])
        log.close()
        assert list(self.log(tmp_path))[-1] == b"again"

    @pytest.mark.parametrize("left", [bytes(200), b"\xff" * 200, b"\x03\x00\x00\x00\x00\x00abc"])
    def test_what_a_power_cut_left_of_a_write_is_no_record(self, tmp_path: Path, left: bytes) -> None:
        log = self.log(tmp_path)
        log.append([b"one"])
        log.close()
        (path,) = tmp_path.iterdir()
        path.write_bytes(path.read_bytes() + left)
        assert list(self.log(tmp_path)) == [b"one"]

    def test_a_record_that_is_not_what_was_written_is_told(self, tmp_path: Path) -> None:
        log = self.log(tmp_path)
        for n in range(8):
            log.append([b"record %d" % n])
        log.close()
        first, _ = sorted(tmp_path.iterdir())
        damaged = bytearray(first.read_bytes())
        damaged[40] ^= 1
        first.write_bytes(damaged)
        with pytest.raises(StoreDamaged):
            self.log(tmp_path)

    def test_a_file_begun_and_not_written_is_none(self, tmp_path: Path) -> None:
        log = self.log(tmp_path)
        log.append([b"x"] * 4)
        log.close()
        (tmp_path / "0000000004.log").write_bytes(b"SMSL")
        log = self.log(tmp_path)
        assert (log.oldest, log.next) == (0, 4)
        log.append([b"y"])
        log.close()
        assert list(self.log(tmp_path)) == [b"x"] * 4 + [b"y"]

    def test_what_does_not_fit_together_is_told(self, tmp_path: Path) -> None:
        log = self.log(tmp_path)
        for n in range(12):
            log.append([bytes((n,))])
        log.close()
        _, second, _ = sorted(tmp_path.iterdir())
        whole = second.read_bytes()
        second.unlink()
        with pytest.raises(StoreDamaged):
            self.log(tmp_path)
        second.write_bytes(whole[:-1])
        with pytest.raises(StoreDamaged):
            self.log(tmp_path)
        second.write_bytes(b"X" + whole[1:])
        with pytest.raises(StoreDamaged):
            self.log(tmp_path)
        second.write_bytes(whole)
        assert len(self.log(tmp_path)) == 12

    def test_forgotten_files_leave_the_disk(self, tmp_path: Path) -> None:
        log = self.log(tmp_path, keep=6)
        for n in range(39):
            log.append([bytes((n,))])
        assert len(list(tmp_path.iterdir())) <= 3
        log.forget(38)
        assert [path.name for path in tmp_path.iterdir()] == ["0000000036.log"]
        log.close()
        log = self.log(tmp_path, keep=6)
        assert (log.oldest, log.next, list(log)) == (38, 39, [b"\x26"])

    def test_too_long_a_record_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="at most"):
            self.log(tmp_path).append([bytes(70_000)])


def test_events_that_went_before_anybody_was_told_of_them_are_counted(hub: tuple[Brain, Again]) -> None:
    brain, again = hub
    practice = Practice()
    practice.enrol(brain)
    for n in range(EVENTS_KEPT):
        brain.wear.note(EventKind.CLENCH, n)
    assert decode_status(brain.status()).events_dropped == 0
    visit = Visit(brain, practice).shake_hands()
    visit.send(Ask(Opcode.EVENTS, 0, 3))
    visit.leave()
    for n in range(5):
        brain.wear.note(EventKind.CLENCH, n)
    assert decode_status(brain.status()).events_dropped == 2, "of the five that went, three had been told"
    assert brain.wear.oldest_event == 5
    brain = again(brain)
    assert decode_status(brain.status()).events_dropped == 2
    brain.open_by_hand()
    assert decode_status(brain.status()).events_dropped == 0, "of the next practice's patient nothing was dropped"


def test_damaged_files_are_told(tmp_path: Path) -> None:
    new_hub(state=tmp_path)
    for name in ("state.json", "summaries.json"):
        whole = (tmp_path / name).read_bytes() if (tmp_path / name).exists() else None
        (tmp_path / name).write_bytes(b"{")
        with pytest.raises(StoreDamaged):
            new_hub(state=tmp_path)
        if whole is None:
            (tmp_path / name).unlink()
        else:
            (tmp_path / name).write_bytes(whole)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.lists(st.binary(max_size=6), max_size=5),
            st.integers(0, 60),
            st.sampled_from(["again", "torn"]),
        ),
        max_size=40,
    ),
    st.integers(1, 12),
)
def test_a_log_is_what_a_list_would_be(
    tmp_path_factory: pytest.TempPathFactory, steps: list[object], keep: int
) -> None:
    """Appended, forgotten, opened anew, its last write cut short: always the newest of what was written whole."""
    folder = tmp_path_factory.mktemp("log")
    log, model, oldest = RecordLog(folder, keep=keep, per_file=3), list[bytes](), 0
    for step in steps:
        if isinstance(step, list):
            log.append(step)
            model += step
        elif isinstance(step, int):
            log.forget(step)
            oldest = max(oldest, min(step, len(model)))
        else:
            log.close()
            files = sorted(folder.iterdir())
            if step == "torn" and files:
                with files[-1].open("ab") as file:
                    file.write(b"\5\0cut")
            log = RecordLog(folder, keep=keep, per_file=3)
        oldest = max(oldest, len(model) - keep)
        assert (log.oldest, log.next, list(log)) == (oldest, len(model), model[oldest:])
        assert log.read(oldest + 1, 2) == model[oldest + 1 : oldest + 3]
    log.close()

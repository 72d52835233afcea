"""Everything that a simulated hub remembers over a power loss, in a folder or, without one, in this process alone."""

import shutil
from pathlib import Path
from typing import Final

import msgspec

from core.model.wear import DaySummary
from devices.hub.session.wire import EVENTS_KEPT, JOURNAL_KEPT
from devices.simulator import durable
from devices.simulator.numbered import RecordLog, StoreDamaged

CAPACITY_FRAMES: Final = 36_000
"""A good 12 min at full rate, which is some 42 frames a second (6.5 MB at the largest frame size)."""
_SECONDS_KEPT: Final = 4096
_SUMMARIES: Final = "summaries.json"


class KeySeeds(msgspec.Struct, frozen=True):
    """A hub's private keys: Ed25519 for what it signs, P-256 for handshakes; 32 bytes each."""

    signing: bytes
    agreement: bytes


class KeptReceipt(msgspec.Struct, frozen=True):
    """A signed receipt, and the SHA-256 of the control message that it answers."""

    counter: int
    message: bytes
    receipt: bytes


class UnderWay(msgspec.Struct, frozen=True):
    """A phase that has begun and not ended; `elapsed_us` is never less than what was delivered of it."""

    procedure: str
    phase: int
    elapsed_us: int


class Summaries(msgspec.Struct, frozen=True):
    """The days as they were written last, and up to which of the `seconds` they are counted."""

    days: list[DaySummary] = []
    counted: int = 0


class State(msgspec.Struct, kw_only=True):
    """What changes seldom; written whole.

    Attributes:
        boot: number of the latest boot.
        factory, maker: the keys the hub left the factory with, and the maker's certificate over them.
        keys: those that count now; `pending`: those that REKEY made and no ENROL has brought a certificate over yet.
        made: sets of keys ever made, so that none is made twice.
        life: counts changes of keys. Each life has its own memory.
        first_frame: sequence of the first frame of this life.
        factory_frames: sequence that the next frame under the factory's keys gets, while others count.
        counter: highest counter accepted, or some more: after a power loss it may jump ahead, never back.
        factory_counter: likewise, under the factory's keys, while others count.
        accounted: highest counter that the journal tells of.
        root, certificate: the practice's root and its certificate over `keys`; empty while enrolment is open.
        revocations: the practice's newest list; empty without one.
        floor_s: highest UTC learnt from what the root signed, s.
        receipts: of signed commands and HOLD.
        delivered: µs of dose by phase, by procedure; the latest procedures, the newest last.
        began: UTC µs at time 0 of a boot, as TIME taught it.
        witnessed: by the origin of a log, the last checkpoint of it that was countersigned, as a note.
        events_told: number after the newest event that a workstation was told.
        events_dropped: events that had to go before any workstation was told of them.
    """

    boot: int = 0
    factory: KeySeeds
    maker: bytes
    keys: KeySeeds
    pending: KeySeeds | None = None
    made: int = 1
    life: int = 0
    first_frame: int = 0
    factory_frames: int = 0
    counter: int = 0
    factory_counter: int = 0
    accounted: int = 0
    root: bytes = b""
    certificate: bytes = b""
    revocations: bytes = b""
    floor_s: int = 0
    irk: bytes
    receipts: list[KeptReceipt] = []
    under_way: UnderWay | None = None
    delivered: dict[str, dict[int, int]] = {}
    began: dict[int, int] = {}
    witnessed: dict[str, str] = {}
    events_told: int = 0
    events_dropped: int = 0


class Store:
    """The hub's flash. Nothing that was saved is lost when the process is killed; of a lasting one, in a power cut.

    Attributes:
        state: to be changed, then saved; what was not saved is gone with the next `reload`.
        frames: encoded sample frames of the present keys' life.
        journal: entries as the hub tells them; `events`: of the time between visits, as JSON.
        seconds: of wear that are not in the summaries yet, as JSON.

    Args:
        factory: the state of a hub that remembers nothing yet.
        capacity: frames that are held.
        lasting: what was saved survives a power cut, too; frames and seconds once they are settled. Costs time.

    Raises:
        StoreDamaged: what is there is not what was written.
    """

    state: State
    frames: RecordLog
    journal: RecordLog
    events: RecordLog
    seconds: RecordLog

    def __init__(
        self, folder: Path | None, factory: State, *, capacity: int = CAPACITY_FRAMES, lasting: bool = False
    ) -> None:
        self._folder = folder
        self._lasting = lasting
        self._capacity = capacity
        self._saved = b""
        self._summaries = b""
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._saved = _read(folder / "state.json")
            self._summaries = _read(folder / _SUMMARIES)
        self.state = factory
        if not self._saved:
            self.save()
        self._load_state()
        self._open_logs()

    def save(self) -> None:
        """Write the state: the old one or the new one is there, whatever happens."""
        self._saved = msgspec.json.encode(self.state)
        if self._folder is not None:
            durable.replace(self._folder / "state.json", self._saved, durable=self._lasting)

    def settle(self) -> None:
        """Return once frames and seconds survive a power cut: before anybody is told of them."""
        self.frames.settle()
        self.seconds.settle()

    def reload(self) -> None:
        """As after a power loss: everything anew from what was written."""
        if self._folder is not None:
            self.close()
            self._saved, self._summaries = _read(self._folder / "state.json"), _read(self._folder / _SUMMARIES)
        self._load_state()
        if self._folder is not None:
            self._open_logs()

    def begin_life(self) -> None:
        """Other keys count: save them; memory is empty, and the sequence starts at the state's first frame."""
        self.state.life += 1
        self.save()
        self.frames.close()
        self.frames = self._frames()

    def limit(self, capacity: int) -> None:
        """Memory holds no more frames than this from the next one on, at least one."""
        self._capacity = self.frames.keep = max(1, capacity)

    def summaries(self) -> Summaries:
        """As they were saved last. Raises StoreDamaged."""
        if not self._summaries:
            return Summaries()
        try:
            return msgspec.json.decode(self._summaries, type=Summaries)
        except msgspec.MsgspecError as error:
            raise StoreDamaged((self._folder or Path()) / _SUMMARIES, f"cannot be read: {error}") from error

    def save_summaries(self, days: list[DaySummary], counted: int) -> None:
        """The days, in which the seconds below this number are counted; those are forgotten."""
        self._summaries = msgspec.json.encode(Summaries(days, counted))
        if self._folder is not None:
            durable.replace(self._folder / _SUMMARIES, self._summaries, durable=self._lasting)
        self.seconds.forget(counted)

    def close(self) -> None:
        for log in (self.frames, self.journal, self.events, self.seconds):
            log.close()

    def _load_state(self) -> None:
        try:
            self.state = msgspec.json.decode(self._saved, type=State)
        except msgspec.MsgspecError as error:
            raise StoreDamaged((self._folder or Path()) / "state.json", f"cannot be read: {error}") from error

    def _open_logs(self) -> None:
        self.frames = self._frames()
        lasting = self._lasting
        self.journal = RecordLog(self._within("journal"), keep=JOURNAL_KEPT, lasting=lasting, at_once=True)
        self.events = RecordLog(self._within("events"), keep=EVENTS_KEPT, lasting=lasting, at_once=True)
        self.seconds = RecordLog(self._within("seconds"), keep=_SECONDS_KEPT, lasting=lasting)

    def _frames(self) -> RecordLog:
        present = self._within(f"frames-{self.state.life}")
        if self._folder is not None:
            for former in self._folder.glob("frames-*"):
                if former != present:
                    shutil.rmtree(former)
        return RecordLog(present, keep=self._capacity, first=self.state.first_frame, lasting=self._lasting)

    def _within(self, name: str) -> Path | None:
        return None if self._folder is None else self._folder / name


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""

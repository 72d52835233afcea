"""Everything that a simulated hub remembers over a power loss, in a folder or, without one, in this process alone."""

import shutil
from pathlib import Path
from typing import Final

import msgspec

from core.model.wear import DaySummary
from devices.hub.session.wire import EVENTS_KEPT, JOURNAL_KEPT
from devices.simulator.numbered import RecordLog, StoreDamaged

CAPACITY_FRAMES: Final = 36_000
"""A good 12 min at full rate, which is some 42 frames a second (6.5 MB at the largest frame size)."""
_DAYS: Final = msgspec.json.Decoder(list[DaySummary])


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


class Store:
    """The hub's flash. Nothing that was saved is lost when the process is killed.

    Attributes:
        state: to be changed, then saved; what was not saved is gone with the next `reload`.
        frames: encoded sample frames of the present keys' life.
        journal: entries as the hub tells them; `events`: of the time between visits, as JSON.

    Args:
        factory: the state of a hub that remembers nothing yet.
        capacity: frames that are held.

    Raises:
        StoreDamaged: what is there is not what was written.
    """

    state: State
    frames: RecordLog
    journal: RecordLog
    events: RecordLog

    def __init__(self, folder: Path | None, factory: State, *, capacity: int = CAPACITY_FRAMES) -> None:
        self._folder = folder
        self._capacity = capacity
        self._saved = b""
        self._days = b"[]"
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._saved = _read(folder / "state.json")
            self._days = _read(folder / "days.json") or b"[]"
        self.state = factory
        if not self._saved:
            self.save()
        self._load_state()
        self._open_logs()

    def save(self) -> None:
        """Write the state: the old one or the new one is there, whatever happens."""
        self._saved = msgspec.json.encode(self.state)
        if self._folder is not None:
            _replace(self._folder / "state.json", self._saved)

    def reload(self) -> None:
        """As after a power loss: everything anew from what was written."""
        if self._folder is not None:
            self.close()
            self._saved, self._days = _read(self._folder / "state.json"), _read(self._folder / "days.json") or b"[]"
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

    def days(self) -> list[DaySummary]:
        """The summaries as they were saved last. Raises StoreDamaged."""
        try:
            return _DAYS.decode(self._days)
        except msgspec.MsgspecError as error:
            raise StoreDamaged((self._folder or Path()) / "days.json", f"cannot be read: {error}") from error

    def save_days(self, days: list[DaySummary]) -> None:
        self._days = msgspec.json.encode(days)
        if self._folder is not None:
            _replace(self._folder / "days.json", self._days)

    def close(self) -> None:
        for log in (self.frames, self.journal, self.events):
            log.close()

    def _load_state(self) -> None:
        try:
            self.state = msgspec.json.decode(self._saved, type=State)
        except msgspec.MsgspecError as error:
            raise StoreDamaged((self._folder or Path()) / "state.json", f"cannot be read: {error}") from error

    def _open_logs(self) -> None:
        self.frames = self._frames()
        self.journal = RecordLog(self._within("journal"), keep=JOURNAL_KEPT)
        self.events = RecordLog(self._within("events"), keep=EVENTS_KEPT)

    def _frames(self) -> RecordLog:
        present = self._within(f"frames-{self.state.life}")
        if self._folder is not None:
            for former in self._folder.glob("frames-*"):
                if former != present:
                    shutil.rmtree(former)
        return RecordLog(present, keep=self._capacity, first=self.state.first_frame)

    def _within(self, name: str) -> Path | None:
        return None if self._folder is None else self._folder / name


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _replace(path: Path, data: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_bytes(data)
    fresh.replace(path)

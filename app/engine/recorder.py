"""The thread that owns one chair's record: samples every 200 ms, everything else at once, each commit durable.

What could not be committed stays here, in its order, and is tried again. The hub keeps samples too: it is told to
forget only what is committed.
"""

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeVar

from core.record import (
    Ballast,
    DiskFailing,
    DiskFull,
    Packed,
    Record,
    RecordBusy,
    RecordError,
    RecordReadOnly,
    StampedBlock,
)

T = TypeVar("T")
log = logging.getLogger(__name__)

COMMIT_SECONDS = 0.2
LONG_FRAMES = 64
"""So many frames in one arrival were gathered for long already: they are not to wait for the next commit as well."""
LEAST_SECONDS = 0.1
"""But no commit begins sooner after the last, however much arrives."""
RETRY_SECONDS = 1.0
COMPACT_SECONDS = 10.0
_packer = ThreadPoolExecutor(1, "packer")
"""Packs what is compacted while commits go on: for one record at a time, since the loop that carries STOP shares the
interpreter with all of their threads.
"""
PASSING = (DiskFull, DiskFailing, RecordBusy, RecordReadOnly)
"""What passes, or a person can mend while we wait. Any other error will be the same the next time."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Blocks that came together, with where they came from.

    Attributes:
        frames: the frames that brought them, as (ledger, first, stop); empty when the source acknowledges nothing, or
            more of the same frames follows in the next arrival. A hub has a ledger for each of its keys.
    """

    source: str
    frames: tuple[tuple[str, int, int], ...]
    blocks: tuple[StampedBlock, ...]
    visit_id: str | None


@dataclass(frozen=True, slots=True)
class Committed:
    """What one commit made durable."""

    arrivals: tuple[Arrival, ...]
    samples: int


@dataclass(frozen=True, slots=True)
class _Job:
    """`kept`: tried again until it succeeds, while what hinders it may pass. `alone`: in no transaction."""

    run: Callable[[Record], object]
    done: "Future[object]"
    kept: bool
    alone: bool = False


class _Wake(Enum):
    """What the thread is told besides its jobs."""

    COMMIT = auto()
    PACKED = auto()
    END = auto()


class Recorder:
    """Runs the record's thread.

    Attributes:
        committed: called on the record's thread after each commit of samples.
        failed: called on the record's thread with the error when writing fails, and with None when it works again.
    """

    def __init__(
        self,
        record: Record,
        *,
        committed: Callable[[Committed], None],
        failed: Callable[[RecordError | None], None],
    ) -> None:
        self._record = record
        self._committed = committed
        self._failed = failed
        self._queue: queue.SimpleQueue[_Job | _Wake] = queue.SimpleQueue()
        self._arrived: deque[Arrival] = deque()
        """Few samples wake nobody: they wait here for the next commit."""
        self._pending: list[Arrival] = []
        self._kept: deque[_Job] = deque()
        self._packing: Future[Packed] | None = None
        self._broken = False
        self._ballast = Ballast(record.path)
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def on_reserve(self) -> bool:
        """Whether no room is kept for the last minutes of a procedure: it is in use, or there was none to keep."""
        return not self._ballast.held()

    def add(self, arrival: Arrival) -> None:
        """Take samples in; they are durable within about 200 ms, and `committed` then says so."""
        self._arrived.append(arrival)
        if sum(stop - first for _, first, stop in arrival.frames) >= LONG_FRAMES:
            self._queue.put(_Wake.COMMIT)

    def do(self, run: Callable[[Record], T]) -> "Future[T]":
        """Run `run` inside a transaction of its own; the future is done once it is durable, or has failed."""
        done: Future[T] = Future()
        self._queue.put(_Job(run, done, kept=False))  # type: ignore[arg-type]
        return done

    async def run(self, run: Callable[[Record], T]) -> T:
        """`do`, for a coroutine."""
        return await asyncio.wrap_future(self.do(run))

    async def alone(self, run: Callable[[Record], T]) -> T:
        """`run` outside any transaction: for what none may contain, such as folding the write-ahead log in."""
        done: Future[T] = Future()
        self._queue.put(_Job(run, done, kept=False, alone=True))  # type: ignore[arg-type]
        return await asyncio.wrap_future(done)

    def note(self, run: Callable[[Record], object]) -> "Future[object]":
        """`do` for what happened and must be written down, however long that takes: a full disk delays it."""
        done: Future[object] = Future()
        done.add_done_callback(_complain)
        self._queue.put(_Job(run, done, kept=True))
        return done

    def close(self) -> None:
        """Commit what there is, compact, close the file. Blocks until done."""
        self._queue.put(_Wake.END)
        self._thread.join()

    def _run(self) -> None:
        self._ballast.keep()
        began = time.monotonic()
        due, compact_at = began + COMMIT_SECONDS, began + COMPACT_SECONDS
        wake: _Wake | None = None
        while wake is not _Wake.END:
            wake = self._collect(max(0.0, due - time.monotonic()))
            now = time.monotonic()
            if wake is _Wake.COMMIT and not self._broken:
                due = min(due, began + LEAST_SECONDS)
            if now >= due or wake is _Wake.END:
                self._commit()
                began = now
                due = now + (RETRY_SECONDS if self._broken else COMMIT_SECONDS)
            if wake is _Wake.PACKED:
                self._store_compacted()
            if now >= compact_at and not self._broken and self._packing is None:
                self._compact()
                self._ballast.keep()
                compact_at = time.monotonic() + COMPACT_SECONDS
        if self._kept or self._pending:
            log.error("%d notes and %d arrivals could not be written", len(self._kept), len(self._pending))
        self._record.close()

    def _collect(self, seconds: float) -> _Wake | None:
        """Wait for jobs for `seconds`; they run at once. What else it was that came."""
        try:
            item = self._queue.get(timeout=seconds) if seconds else self._queue.get_nowait()
        except queue.Empty:
            return None
        if isinstance(item, _Wake):
            return item
        self._take(item)
        return None

    def _take(self, job: _Job) -> None:
        """Run it now; what is kept waits its turn behind what waits already."""
        if job.kept and (self._kept or not self._ran(job)):
            self._kept.append(job)
        elif not job.kept:
            self._ran(job)

    def _ran(self, job: _Job) -> bool:
        """Whether the job is over, well or badly; False when it is to be tried again."""
        if job.done.cancelled():
            return True
        try:
            with contextlib.nullcontext() if job.alone else self._record.transaction():
                result = job.run(self._record)
        except BaseException as error:  # handed to whoever waits
            if isinstance(error, PASSING):
                self._tell(error)
                if job.kept:
                    return False
            if job.done.set_running_or_notify_cancel():
                job.done.set_exception(error)
        else:
            if job.done.set_running_or_notify_cancel():
                job.done.set_result(result)
        return True

    def _commit(self) -> None:
        """Write what waits: first what happened, then the samples."""
        waited = bool(self._kept)
        while self._kept:
            if not self._ran(self._kept[0]):
                return
            self._kept.popleft()
        while self._arrived:
            self._pending.append(self._arrived.popleft())
        if not self._pending:
            if waited:
                self._tell(None)
            return
        arrivals = tuple(self._pending)
        try:
            with self._record.transaction():
                samples = self._store(arrivals)
        except RecordError as error:
            log.error("commit failed: %s", error)
            self._tell(error)
            return
        except Exception as error:
            log.exception("commit failed")
            self._tell(RecordError(f"Samples could not be written: {error}.", "Send the log to support."))
            return
        self._pending.clear()
        self._tell(None)
        self._committed(Committed(arrivals, samples))

    def _store(self, arrivals: Sequence[Arrival]) -> int:
        samples = 0
        by_place: dict[tuple[str, str | None], list[StampedBlock]] = {}
        frames: dict[str, list[tuple[int, int]]] = {}
        for arrival in arrivals:
            by_place.setdefault((arrival.source, arrival.visit_id), []).extend(arrival.blocks)
            for ledger, first, stop in arrival.frames:
                frames.setdefault(ledger, []).append((first, stop))
        for (source, visit_id), blocks in by_place.items():
            samples += self._record.add_blocks(source, blocks, visit_id)
        for ledger, ranges in frames.items():
            self._record.add_sequences(ledger, ranges)
        return samples

    def _compact(self) -> None:
        """Have what is ripe packed; meanwhile commits go on."""
        try:
            task = self._record.plan_compaction()
        except RecordError as error:
            log.error("compaction failed: %s", error)
            return
        if task is not None:
            self._packing = _packer.submit(task.pack)
            self._packing.add_done_callback(lambda _: self._queue.put(_Wake.PACKED))

    def _store_compacted(self) -> None:
        """What cannot be written now is packed anew the next time: nothing of it is lost, since it still is raw."""
        packing, self._packing = self._packing, None
        if packing is None:
            return
        try:
            with self._record.transaction():
                self._record.store_compacted(packing.result())
        except Exception as error:
            log.error("compaction failed: %s", error)

    def _tell(self, error: RecordError | None) -> None:
        """Report a change between working and failing, once."""
        if isinstance(error, DiskFull) and self._ballast.release():
            log.warning("the disk is full: the room kept for the last minutes is given to the record")
        broken = error is not None
        if broken != self._broken:
            self._broken = broken
            self._failed(error)


def _complain(done: "Future[object]") -> None:
    error = done.exception()
    if error is not None:
        log.error("a note could not be written: %s", error)

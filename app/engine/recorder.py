"""The thread that owns one chair's record: samples every 200 ms, everything else at once, each commit durable.

What could not be committed stays here and is tried again. The hub keeps it too: it is told to forget only what is
committed.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from core.record import DiskFull, Record, RecordError, StampedBlock

T = TypeVar("T")
log = logging.getLogger(__name__)

COMMIT_SECONDS = 0.2
RETRY_SECONDS = 1.0
COMPACT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """One frame's blocks, with where they came from. `sequence` None: the source acknowledges nothing."""

    source: str
    boot: int
    sequence: int | None
    blocks: tuple[StampedBlock, ...]
    visit_id: str | None


@dataclass(frozen=True, slots=True)
class Committed:
    """What one commit made durable."""

    arrivals: tuple[Arrival, ...]
    samples: int


@dataclass(frozen=True, slots=True)
class _Job:
    run: Callable[[Record], object]
    done: "Future[object]"


_END = None


class Recorder:
    """Runs the record's thread.

    Attributes:
        committed: called on the record's thread after each commit of samples.
        failed: called on the record's thread with the error when a commit fails, and with None when one works again.
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
        self._queue: queue.SimpleQueue[Arrival | _Job | None] = queue.SimpleQueue()
        self._pending: list[Arrival] = []
        self._broken = False
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def add(self, arrival: Arrival) -> None:
        """Take samples in; they are durable within about 200 ms, and `committed` then says so."""
        self._queue.put(arrival)

    def do(self, run: Callable[[Record], T]) -> "Future[T]":
        """Run `run` inside a transaction of its own; the future is done once it is durable."""
        done: Future[T] = Future()
        self._queue.put(_Job(run, done))  # type: ignore[arg-type]
        return done

    def note(self, run: Callable[[Record], object]) -> None:
        """`do` for what nobody waits for: a failure is logged, and the next commit of samples raises the alarm."""
        self.do(run).add_done_callback(_complain)

    def close(self) -> None:
        """Commit what there is, compact, close the file. Blocks until done."""
        self._queue.put(_END)
        self._thread.join()

    def _run(self) -> None:
        due = time.monotonic() + COMMIT_SECONDS
        compact_at = time.monotonic() + COMPACT_SECONDS
        ending = False
        while not ending:
            ending = self._collect(max(0.0, due - time.monotonic()))
            now = time.monotonic()
            if now >= due or ending:
                self._commit()
                due = now + (RETRY_SECONDS if self._broken else COMMIT_SECONDS)
            if now >= compact_at and not self._broken:
                self._compact()
                compact_at = time.monotonic() + COMPACT_SECONDS
        if not self._broken:
            self._compact()
        self._record.close()

    def _collect(self, seconds: float) -> bool:
        """Take what comes within `seconds`; jobs run at once. True at the end."""
        try:
            item = self._queue.get(timeout=seconds) if seconds else self._queue.get_nowait()
        except queue.Empty:
            return False
        if item is _END:
            return True
        if isinstance(item, Arrival):
            self._pending.append(item)
        elif item is not None:
            self._run_job(item)
        return False

    def _run_job(self, job: _Job) -> None:
        if not job.done.set_running_or_notify_cancel():
            return
        try:
            with self._record.transaction():
                result = job.run(self._record)
        except BaseException as error:  # handed to whoever waits
            if isinstance(error, DiskFull):
                self._tell(error)
            job.done.set_exception(error)
        else:
            job.done.set_result(result)

    def _commit(self) -> None:
        if not self._pending:
            return
        arrivals = tuple(self._pending)
        try:
            with self._record.transaction():
                samples = self._store(arrivals)
        except RecordError as error:
            log.error("commit failed: %s", error)
            self._tell(error)
            return
        self._pending.clear()
        self._tell(None)
        self._committed(Committed(arrivals, samples))

    def _store(self, arrivals: Sequence[Arrival]) -> int:
        samples = 0
        by_place: dict[tuple[str, str | None], list[StampedBlock]] = {}
        sequences: dict[tuple[str, int], list[int]] = {}
        for arrival in arrivals:
            by_place.setdefault((arrival.source, arrival.visit_id), []).extend(arrival.blocks)
            if arrival.sequence is not None:
                sequences.setdefault((arrival.source, arrival.boot), []).append(arrival.sequence)
        for (source, visit_id), blocks in by_place.items():
            samples += self._record.add_blocks(source, blocks, visit_id)
        for (source, boot), numbers in sequences.items():
            self._record.add_sequences(source, boot, numbers)
        return samples

    def _compact(self) -> None:
        try:
            with self._record.transaction():
                self._record.compact()
        except RecordError as error:
            log.error("compaction failed: %s", error)

    def _tell(self, error: RecordError | None) -> None:
        """Report a change between working and failing, once."""
        broken = error is not None
        if broken != self._broken:
            self._broken = broken
            self._failed(error)


def _complain(done: "Future[object]") -> None:
    error = done.exception()
    if error is not None:
        log.error("a note could not be written: %s", error)

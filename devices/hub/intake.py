"""Telemetry and History: gathered for a moment, then opened, decoded, counted and merged as one."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final, Protocol

import numpy as np

from core.model.block import Provenance, SampleBlock
from core.model.errors import SmilescapeError
from devices.errors import FrameError
from devices.hub.batch import Batch, Flags, Numbers, decode_batch
from devices.hub.frames import FetchEnd, SampleFrame, decode_frame
from devices.hub.intervals import IntervalSet
from devices.hub.ledger import Ledger
from devices.hub.merge import distinct, merge, merge_few
from devices.hub.session.records import Opener
from devices.hub.session.wire import FromHub

_log = logging.getLogger(__name__)

GATHER_S: Final = 0.01
BUSY_S: Final = 0.18
BUSY: Final = 400
"""Of a hub that sends so many live records a second, the next ones are gathered for BUSY_S: a batch costs hardly less
for fewer. The recorder commits long batches at once, so they are durable as soon as others."""
MOST: Final = 512
"""So many records do not wait."""
FEW: Final = 24
"""Fewer frames than this are quicker taken in one by one."""


class Taker(Protocol):
    """Whom the intake tells."""

    def blocks_arrived(self, blocks: Sequence[SampleBlock], sequences: Sequence[range]) -> None:
        """New samples of one boot, and the frames that brought them; no samples when no channel is known here."""
        ...

    def history_arrived(self, ends: Sequence[FetchEnd]) -> None:
        """Something came on History; these fetches have ended."""
        ...

    def frame_refused(self, error: SmilescapeError, raw: bytes) -> None: ...


class Intake:
    """Of one session. Each rule holds for a frame in a batch as for one alone.

    Args:
        boot: of the hub at the other end; no frame may be of a later one.
        channels: those that are known, shape (256,).
        counted: told after each batch: what is missing may have changed.
        few: fewer frames are taken in one by one.
    """

    def __init__(
        self,
        opener: Opener,
        ledger: Ledger,
        boot: int,
        channels: Flags,
        taker: Taker,
        counted: Callable[[], None],
        *,
        few: int = FEW,
    ) -> None:
        self._opener = opener
        self._ledger = ledger
        self._boot = boot
        self._channels = channels
        self._taker = taker
        self._counted = counted
        self._least = few
        self._waiting: list[tuple[FromHub, bytes]] = []
        self._records: list[tuple[FromHub, bytes]] = []
        self._frames: list[bytes] = []
        """What is in the records that were opened before their time."""
        self._timer: asyncio.TimerHandle | None = None
        self._gather_s = GATHER_S

    def add(self, stream: FromHub, record: bytes) -> None:
        """A record came. It is looked at within GATHER_S, BUSY_S in a busy stream, or when MOST wait."""
        waiting = self._waiting
        waiting.append((stream, record))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._gather_s, self._gathered)
        elif len(waiting) + len(self._frames) >= MOST:
            self.flush()

    def _gathered(self) -> None:
        """The time is over. By what came meanwhile, the next ones are gathered longer or not."""
        live = sum(stream is FromHub.TELEMETRY for stream, _ in (*self._records, *self._waiting))
        self._gather_s = BUSY_S if live >= BUSY * self._gather_s else GATHER_S
        self.flush()

    @property
    def idle(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting and not self._frames

    def open_waiting(self) -> None:
        """Open what waits, and let it wait on: keys only go forward, and another record is opened next."""
        waiting, self._waiting = self._waiting, []
        for stream, record in waiting:
            try:
                self._frames.append(self._opener.open(stream, record))
            except FrameError as error:
                self._taker.frame_refused(error, record)
                continue
            self._records.append((stream, record))

    def flush(self) -> None:
        """Take in what waits, now. Never raises."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.idle:
            return
        self.open_waiting()
        frames, records = self._frames, self._records
        self._frames, self._records = [], []
        try:
            if frames:
                self._take(frames, records)
        except Exception:
            _log.exception("A batch of %d records failed; what was not delivered stays in the hub", len(records))
        self._counted()

    def _take(self, frames: list[bytes], records: list[tuple[FromHub, bytes]]) -> None:
        ends = self._few(frames, records) if len(frames) < self._least else self._many(frames, records)
        if any(stream is FromHub.HISTORY for stream, _ in records):
            self._taker.history_arrived(ends)

    def _few(self, frames: list[bytes], records: list[tuple[FromHub, bytes]]) -> list[FetchEnd]:
        """Take frames in one by one; the fetches that ended."""
        ends: list[FetchEnd] = []
        of_boot: dict[int, list[SampleFrame]] = {}
        for plaintext, (stream, record) in zip(frames, records, strict=True):
            backfilled = stream is FromHub.HISTORY
            try:
                frame = decode_frame(plaintext, Provenance.BACKFILLED if backfilled else Provenance.LIVE)
                if isinstance(frame, FetchEnd):
                    ends += [frame] if backfilled else []
                elif frame is not None and self._is_new(frame):
                    of_boot.setdefault(frame.boot, []).append(frame)
            except FrameError as error:
                self._taker.frame_refused(error, record)
        for boot in sorted(of_boot):
            blocks = [one for frame in of_boot[boot] for one in frame.blocks if self._channels[one.channel]]
            sequences = IntervalSet()
            for frame in of_boot[boot]:
                sequences.add(frame.sequence, frame.sequence + 1)
            self._taker.blocks_arrived(merge_few(blocks), [range(start, stop) for start, stop in sequences])
        return ends

    def _is_new(self, frame: SampleFrame) -> bool:
        if frame.boot > self._boot:
            raise _too_early(frame.boot)
        return bool(self._ledger.take(frame.sequence, frame.sequence + 1))

    def _many(self, frames: list[bytes], records: list[tuple[FromHub, bytes]]) -> list[FetchEnd]:
        """The same for all at once."""
        batch = decode_batch(frames)
        backfilled = np.fromiter((stream is FromHub.HISTORY for stream, _ in records), np.bool_, len(records))
        for row, fault in batch.refused:
            self._taker.frame_refused(fault, records[row][1])
        kept = self._kept(batch, records)
        of_boot = dict(merge(batch, kept, backfilled, self._channels))
        for boot in distinct(batch.boot[kept]):
            sequences = np.sort(batch.sequence[kept & (batch.boot == boot)])
            ranges = [range(int(sequences[begin]), int(sequences[end - 1]) + 1) for begin, end in _runs(sequences)]
            self._taker.blocks_arrived(of_boot.get(boot, []), ranges)
        return [end for row, end in batch.ends if backfilled[row]]

    def _kept(self, batch: Batch, records: list[tuple[FromHub, bytes]]) -> Flags:
        """Which frames are new."""
        kept = np.zeros(len(records), np.bool_)
        later = batch.sound & (batch.boot > self._boot)
        for row in np.flatnonzero(later).tolist():
            self._taker.frame_refused(_too_early(batch.boot[row]), records[row][1])
        rows = np.flatnonzero(batch.sound & ~later)
        for begin, end in _runs(batch.sequence[rows]):
            first = int(batch.sequence[rows[begin]])
            try:
                new = self._ledger.take(first, first + end - begin)
            except FrameError as error:
                for row in rows[begin:end].tolist():
                    self._taker.frame_refused(error, records[row][1])
                continue
            for start, stop in new:
                kept[rows[begin + start - first : begin + stop - first]] = True
        return kept


def _too_early(boot: int) -> FrameError:
    return FrameError(f"A frame of boot {boot} came too early.")


def _runs(numbers: Numbers) -> Iterator[tuple[int, int]]:
    """Where runs of consecutive numbers begin and end."""
    if len(numbers):
        breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
        yield from pairwise([0, *breaks.tolist(), len(numbers)])

"""Raw rows of a fifth of a second become blocks of thousands of samples; these settle later (`settling`).

In three steps, so that commits need not wait: what is to be done is read, then packed without the file, by whichever
thread, then written in one transaction.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from core.record.pieces import Block, Pieces, pack, store
from core.record.settling import SETTLED, Loose, Settler
from core.record.sqlcipher import CipherFile
from core.record.summary import SummaryBook
from core.record.tail import Tail, TailBook, read_tail

_log = logging.getLogger(__name__)

TARGET_FAST, TARGET_SLOW = 16_384, 4_096
"""Samples to a block, for channels from 100 Hz on and below."""
_SLOW_PERIOD_US = 10_000
_RIPE_ROWS = 300
"""A minute of commits: so many are compacted however few samples they hold."""
_MOST_ENTRIES, _MOST_SAMPLES = 2_000, 1 << 19
"""When a run takes so much, other rows wait for the next one: some 20 ms of work."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What became of a task.

    Attributes:
        number: of the task; a record stores only what became of its newest.
        rows: of the tail, which the blocks replace.
        damaged: rows that do not hold what was written. They stay as they are, for `verify` to find.
    """

    number: int
    rows: Sequence[int]
    blocks: Sequence[Block] = field(repr=False)
    damaged: frozenset[tuple[str, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Task:
    """What is to become blocks, as it was read. `pack` may be called in any thread, and touches no file."""

    number: int
    tail: Tail | None = field(repr=False)
    loose: Sequence[Loose] = field(repr=False)

    def pack(self) -> Packed:
        damaged: set[tuple[str, int]] = set()
        rows: list[int] = []
        blocks: list[Block] = []
        if self.tail is not None:
            rows, blocks = _compacted(self.tail, damaged)
        for loose in self.loose:
            found = [one for row, data in loose.rows if (one := loose.decoded(row, data, damaged)) is not None]
            if found:
                pieces = Pieces.of_blocks(found)
                blocks += [pack(pieces, first, end, loose.level) for first, end in pieces.groups(SETTLED)]
        return Packed(self.number, rows, blocks, frozenset(damaged))


class Compactor:
    """Moves rows from `tail` to `block`, and blocks into larger ones."""

    def __init__(self, file: CipherFile, tail: TailBook) -> None:
        self._file = file
        self._tail = tail
        self._summary = SummaryBook(file)
        self._settler = Settler(file, self._summary)
        self._number = 0
        self._damaged: set[tuple[str, int]] = set()

    def plan(self, now_us: int, *, everything: bool) -> Task | None:
        """What is ripe, as far as one run goes; `everything`: what there is, and nothing settles before it is all
        compacted. None: nothing. A task that was planned before is void from now on.
        """
        self._number += 1
        tail = read_tail(self._file, without=self._damaged_in("tail"))
        ripe = bool(len(tail) or tail.damaged) if everything else _ripe(tail)
        loose: Sequence[Loose] = ()
        if not (everything and ripe):
            loose = self._settler.plan(now_us, everything=everything, without=self._damaged_in("block"))
        return Task(self._number, tail if ripe else None, loose) if ripe or loose else None

    def forget(self) -> None:
        """What is being packed is void: rows of it may be gone."""
        self._number += 1

    def store(self, packed: Packed) -> int:
        """Write it, in the open transaction; returns the blocks written: none when it is void."""
        if packed.number != self._number:
            return 0
        self._number += 1
        for table, row in packed.damaged - self._damaged:
            _log.error("%s %d is damaged and is left as it is", table, row)
        self._damaged |= packed.damaged
        store(self._file, self._summary, packed.blocks)
        self._tail.release(packed.rows)
        return len(packed.blocks)

    def _damaged_in(self, table: str) -> set[int]:
        return {row for name, row in self._damaged if name == table}


def _compacted(tail: Tail, damaged: set[tuple[str, int]]) -> tuple[list[int], list[Block]]:
    """The oldest rows, all channels of each together, and the blocks that they become."""
    chosen = np.arange(len(tail))
    samples = np.cumsum(tail.entries["count"], dtype=np.int64)
    full = min(_MOST_ENTRIES, int(np.searchsorted(samples, _MOST_SAMPLES)) + 1)
    if full < len(chosen):
        chosen = np.flatnonzero(tail.row <= tail.row[full - 1])
    bad = tail.unsound(chosen)
    damaged.update(("tail", identity) for identity in (*tail.damaged, *(tail.ids[row] for row in bad)))
    if bad:
        chosen = chosen[~np.isin(tail.row[chosen], list(bad))]
    rows = [tail.ids[row] for row in np.unique(tail.row[chosen]).tolist()]
    blocks: list[Block] = []
    slow = tail.entries["period_us"][chosen] > _SLOW_PERIOD_US
    for some, target in ((chosen[~slow], TARGET_FAST), (chosen[slow], TARGET_SLOW)):
        if len(some):
            pieces = Pieces.of_tail(tail, some)
            blocks += [pack(pieces, first, end, None) for first, end in pieces.groups(target)]
    return rows, blocks


def _ripe(tail: Tail) -> bool:
    """Whether a stream has enough."""
    stream = tail.entries["stream"]
    _, first, place, rows = np.unique(stream, return_index=True, return_inverse=True, return_counts=True)
    samples = np.bincount(place, tail.entries["count"])
    target = np.where(tail.entries["period_us"][first] <= _SLOW_PERIOD_US, TARGET_FAST, TARGET_SLOW)
    return bool(np.any((rows >= _RIPE_ROWS) | (samples >= target)))

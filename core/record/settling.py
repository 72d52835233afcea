"""Blocks that nothing continues any more, or that make a large one together, are written for good.

A settled block is never touched again. It is packed as densely as the codec can, and counted into the summary in the
same transaction: so whatever is not in the summary is still in `block_loose`, and nothing is in both.
"""

import contextlib
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from core.model.block import Samples
from core.record.blocks import COLUMNS, LONGEST_US, BlockRow, block_rows
from core.record.sqlcipher import CipherFile
from core.record.summary import SummaryBook
from core.signals.codec import CodecError, checksum, decode

SETTLED: Final = 262_144
"""Samples to a settled block. pcodec gains nothing beyond; it decodes in under a millisecond."""
IDLE_US: Final = LONGEST_US
"""A stream whose newest sample is older than this is settled as it is."""
_MOST_ROWS: Final = 512
"""Loose rows of a stream that are looked at in one run."""
_MOST_SAMPLES: Final = 2 * SETTLED
"""When a run has settled so many samples, other streams wait for the next one: some 60 ms of work."""


@dataclass(frozen=True, slots=True)
class Loose:
    """Blocks of one stream in a row, as they were read. `level`: of the cells to be made of them."""

    rows: Sequence[tuple[BlockRow, bytes]]
    level: int

    @staticmethod
    def decoded(
        row: BlockRow, data: bytes, damaged: set[tuple[str, int]]
    ) -> tuple[BlockRow, Samples, npt.NDArray[np.int64] | None] | None:
        """A row with its samples. One that is damaged is never written anew."""
        if checksum(data) == row.crc:
            with contextlib.suppress(CodecError):
                return (row, *decode(row.codec, data, row.count))
        damaged.add(("block", row.id))
        return None


class Settler:
    """Finds what settles."""

    def __init__(self, file: CipherFile, summary: SummaryBook) -> None:
        self._file = file
        self._summary = summary

    def plan(self, now_us: int, *, everything: bool, without: Container[int]) -> list[Loose]:
        """What is ripe, or what there is, as far as one run goes; `without` the blocks of these ids."""
        sql = "SELECT stream FROM block WHERE settled = 0 GROUP BY channel, stream ORDER BY count(*) DESC"
        found: list[Loose] = []
        levels: dict[int, int] = {}
        work = 0
        for (stream,) in self._file.rows(sql):
            after = -(1 << 62)
            while work < _MOST_SAMPLES and (ripe := self._ripe(stream, after, now_us, everything, without)):
                after = ripe[-1].first_index
                work += sum(row.count for row in ripe)
                channel, period_us = ripe[0].channel, ripe[0].period_us
                level = levels.setdefault(channel, self._summary.base_for(channel, period_us))
                found.append(Loose([(row, self._data(row)) for row in ripe], level))
        return found

    def _data(self, row: BlockRow) -> bytes:
        data = self._file.row("SELECT data FROM payload WHERE block = ?", (row.id,))
        return b"" if data is None else bytes(data[0])

    def _ripe(self, stream: int, after: int, now_us: int, everything: bool, without: Container[int]) -> list[BlockRow]:
        """The oldest loose blocks of a stream past an index that are one another's continuation, if nothing more will
        join them.
        """
        sql = (
            f"SELECT 1, id, {COLUMNS} FROM block INDEXED BY block_loose WHERE settled = 0 AND stream = ? "
            "AND channel = (SELECT channel FROM stream WHERE id = ?) AND first_index > ? ORDER BY first_index LIMIT ?"
        )
        rows = block_rows(self._file.rows(sql, (stream, stream, after, _MOST_ROWS)))
        rows = [row for row in rows if row.id not in without]
        count = 0
        for at, row in enumerate(rows):
            if at and (
                count >= SETTLED or not _alike(rows[at - 1], row) or row.end_utc_us - rows[0].utc_us > LONGEST_US
            ):
                return rows[:at]
            count += row.count
        idle = bool(rows) and rows[-1].end_utc_us < now_us - IDLE_US
        return rows if everything or idle or count >= SETTLED or len(rows) >= _MOST_ROWS // 2 else []


def _alike(a: BlockRow, b: BlockRow) -> bool:
    """Whether `b` may continue `a`, as far as can be said without their hub time."""
    return (a.stream, a.end_index, a.provenance, a.visit, a.period_us) == (
        b.stream,
        b.first_index,
        b.provenance,
        b.visit,
        b.period_us,
    )

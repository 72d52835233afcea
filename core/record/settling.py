"""Blocks that nothing continues any more, or that make a large one together, are written for good.

A settled block is never touched again. It is packed as densely as the codec can, and counted into the summary in the
same transaction: so whatever is not in the summary is still in `block_loose`, and nothing is in both.
"""

import contextlib
import logging
from typing import Final

from core.record.blocks import COLUMNS, LONGEST_US, BlockRow, block_rows, sample_times
from core.record.pieces import Piece, alike, groups, replace, runs
from core.record.sqlcipher import CipherFile
from core.record.summary import SummaryBook
from core.signals.codec import CodecError, checksum
from core.signals.summary import Cells

_log = logging.getLogger(__name__)

SETTLED: Final = 262_144
"""Samples to a settled block. pcodec gains nothing beyond; it decodes in under a millisecond."""
IDLE_US: Final = LONGEST_US
"""A stream whose newest sample is older than this is settled as it is."""
_MOST_ROWS: Final = 256
"""Loose rows of a stream that are looked at in one run."""
_MOST_SAMPLES: Final = 2 * SETTLED
"""When a run has settled so many samples, other streams wait for the next one: some 60 ms of work."""


class Settler:
    """Settles blocks within the caller's transaction."""

    def __init__(self, file: CipherFile) -> None:
        self._file = file
        self._summary = SummaryBook(file)
        self._damaged: set[int] = set()

    def run(self, now_us: int, *, everything: bool = False) -> int:
        """Settle what is ripe, or what there is, as far as one run goes; returns the blocks written."""
        sql = "SELECT stream FROM block WHERE settled = 0 GROUP BY channel, stream ORDER BY count(*) DESC"
        written, work = 0, 0
        for (stream,) in self._file.rows(sql):
            while work < _MOST_SAMPLES and (ripe := self._ripe(stream, now_us, everything)):
                written += self._settle(ripe)
                work += sum(row.count for row in ripe)
        return written

    def _ripe(self, stream: int, now_us: int, everything: bool) -> list[BlockRow]:
        """The oldest loose blocks of a stream that are one another's continuation, if nothing more will join them."""
        sql = (
            f"SELECT 1, id, {COLUMNS} FROM block INDEXED BY block_loose WHERE settled = 0 AND stream = ? "
            "AND channel = (SELECT channel FROM stream WHERE id = ?) ORDER BY first_index LIMIT ?"
        )
        rows = block_rows(self._file.rows(sql, (stream, stream, _MOST_ROWS)))
        rows = [row for row in rows if row.id not in self._damaged]
        count = 0
        for at, row in enumerate(rows):
            if at and (
                count >= SETTLED or not alike(rows[at - 1], row) or row.end_utc_us - rows[0].utc_us > LONGEST_US
            ):
                return rows[:at]
            count += row.count
        idle = bool(rows) and rows[-1].end_utc_us < now_us - IDLE_US
        return rows if everything or idle or count >= SETTLED or len(rows) >= _MOST_ROWS // 2 else []

    def _settle(self, rows: list[BlockRow]) -> int:
        written = 0
        for run in runs([piece for row in rows if (piece := self._sound(row))]):
            for group in groups(run, SETTLED):
                made = replace(self._file, group, settled=True)
                row = made.row
                base = self._summary.base_for(row.channel, row.period_us)
                cells = Cells.of(made.samples, sample_times(row, made.offsets), row.end_utc_us, row.period_us, base)
                self._summary.add(row.channel, row.visit, cells)
                written += 1
        return written

    def _sound(self, row: BlockRow) -> Piece | None:
        """A row with its samples. One that is damaged stays as it is, for `verify` to find: never written anew."""
        data = self._file.row("SELECT data FROM payload WHERE block = ?", (row.id,))
        if data is not None and checksum(data[0]) == row.crc:
            with contextlib.suppress(CodecError):
                return Piece.of(row, data[0])
        _log.error("%s is damaged and is left as it is", row.where)
        self._damaged.add(row.id)
        return None

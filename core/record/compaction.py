"""Raw rows of a fifth of a second become blocks of thousands of samples; these settle later (`settling`)."""

import json

from core.record.blocks import COLUMNS, block_rows
from core.record.pieces import Piece, groups, replace, runs
from core.record.sqlcipher import CipherFile

TARGET_FAST, TARGET_SLOW = 16_384, 4_096
"""Samples to a block, for channels from 100 Hz on and below."""
_SLOW_PERIOD_US = 10_000
_RIPE_ROWS = 300
"""A minute of commits: so many rows are compacted however few samples they hold."""
_MAX_ROWS = 1000
"""When a run has moved so many rows, other streams wait for the next one: about 30 ms of work. Streams that are ripe
together are moved together, so that whole pages of `tail` come free."""


class Compactor:
    """Moves rows from `tail` to `block` within the caller's transaction."""

    def __init__(self, file: CipherFile) -> None:
        self._file = file

    def run(self, *, settle: bool = False) -> int:
        """Compact the streams that have enough raw rows, or all; returns the blocks written."""
        sql = (
            "SELECT stream, period_us, count(*), sum(count) FROM tail GROUP BY stream "
            f"ORDER BY max(count(*) / {_RIPE_ROWS}.0, sum(count) / {TARGET_FAST}.0) DESC"
        )
        chosen: dict[int, int] = {}
        work = 0
        for stream, period_us, rows, samples in self._file.rows(sql):
            ripe = rows >= _RIPE_ROWS or samples >= _target(period_us)
            if (ripe or settle) and work < _MAX_ROWS:
                chosen[stream] = _target(period_us)
                work += rows
        written = 0
        for run in runs(self._raw(list(chosen))):
            for group in groups(run, chosen[run[0].row.stream]):
                replace(self._file, group, settled=False)
                written += 1
        return written

    def _raw(self, streams: list[int]) -> list[Piece]:
        """All raw rows of these streams, in order of stream and index."""
        sql = (
            f"SELECT 0, id, {COLUMNS}, data FROM tail WHERE stream IN (SELECT value FROM json_each(?)) "
            "ORDER BY stream, first_index"
        )
        return [Piece.of(row, row.data or b"") for row in block_rows(self._file.rows(sql, (json.dumps(streams),)))]


def _target(period_us: int) -> int:
    return TARGET_FAST if period_us <= _SLOW_PERIOD_US else TARGET_SLOW

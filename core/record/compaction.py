"""Raw rows of a fifth of a second become blocks of thousands of samples.

Rows are joined when they continue each other in every respect: stream, index, provenance, visit, period, and hub time
(to within half a period: a sensor without a clock of its own arrives with jitter, and then each sample's time is kept).
The UTC of joined samples is drawn straight from end to end; a row that this would move visibly begins a new block.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.model.block import Samples
from core.record.blocks import COLUMNS, LONGEST_US, BlockRow, block_rows, row_values
from core.record.sqlcipher import CipherFile
from core.signals.codec import decode, encode
from core.signals.pyramid import STRIDE, Pyramid

TARGET_FAST, TARGET_SLOW = 16_384, 4_096
"""Samples to a block, for channels from 100 Hz on and below."""
_SLOW_PERIOD_US = 10_000
_RIPE_ROWS = 300
"""A minute of commits: so many rows are compacted however few samples they hold."""
_MAX_ROWS = 200
"""When a run has moved so many rows, other streams wait for the next one: about 20 ms of work."""

_Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Piece:
    """One row with its samples; `offsets`: hub time of each past `row.start_us`, µs."""

    row: BlockRow
    samples: Samples
    offsets: _Offsets


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
        written, work = 0, 0
        for stream, period_us, rows, samples in self._file.rows(sql):
            ripe = rows >= _RIPE_ROWS or samples >= _target(period_us)
            if not (ripe or settle) or (work >= _MAX_ROWS and not settle):
                continue
            written += self._fold(stream)
            work += rows
        return written

    def _fold(self, stream: int) -> int:
        """Compact all raw rows of one stream, together with the short blocks that they continue."""
        written = 0
        raw = [self._piece(row, row.data or b"") for row in self._tail(stream)]
        for run in _runs(raw):
            opened = self._continued_by(run[0].row)
            for group in _groups([opened, *run] if opened and _joins(opened, run[0]) else run):
                self._replace(group)
                written += 1
        return written

    def _tail(self, stream: int) -> list[BlockRow]:
        sql = f"SELECT 0, id, {COLUMNS}, data FROM tail WHERE stream = ? ORDER BY first_index"
        return block_rows(self._file.rows(sql, (stream,)))

    def _continued_by(self, row: BlockRow) -> _Piece | None:
        """The block that ends where `row` begins, if it is still short."""
        sql = (
            f"SELECT 1, id, {COLUMNS} FROM block WHERE stream = ? AND first_index < ? ORDER BY first_index DESC LIMIT 1"
        )
        found = block_rows(self._file.rows(sql, (row.stream, row.first_index)))
        if not found or found[0].end_index != row.first_index or found[0].count >= _target(row.period_us):
            return None
        data = self._file.row("SELECT data FROM payload WHERE block = ?", (found[0].id,))
        return self._piece(found[0], data[0]) if data else None

    def _piece(self, row: BlockRow, data: bytes) -> _Piece:
        samples, offsets = decode(row.codec, data, row.count)
        return _Piece(row, samples, np.arange(row.count) * row.period_us if offsets is None else offsets)

    def _replace(self, group: list[_Piece]) -> None:
        """Write one block in place of the rows of a group."""
        first, last = group[0].row, group[-1].row
        samples = np.concatenate([piece.samples for piece in group])
        offsets = np.concatenate([piece.offsets + (piece.row.start_us - first.start_us) for piece in group])
        even = bool(np.array_equal(offsets, np.arange(len(samples)) * first.period_us))
        codec, data = encode(samples, None if even else offsets)
        for table, key in (("tail", "id"), ("payload", "block"), ("pyramid", "block"), ("block", "id")):
            ids = [(piece.row.id,) for piece in group if (piece.row.table == 0) == (table == "tail")]
            self._file.many(f"DELETE FROM {table} WHERE {key} = ?", ids)
        values = row_values(
            stream=first.stream,
            channel=first.channel,
            first_index=first.first_index,
            start_us=first.start_us,
            period_us=first.period_us,
            utc_us=first.utc_us,
            end_utc_us=last.end_utc_us,
            provenance=first.provenance,
            visit=first.visit,
            codec=codec,
            data=data,
            samples=samples,
        )
        block = self._file.execute(f"INSERT INTO block ({COLUMNS}) VALUES ({', '.join('?' * len(values))})", values)
        self._file.execute("INSERT INTO payload (block, data) VALUES (?, ?)", (block, data))
        if even and len(samples) >= 2 * STRIDE:
            pyramid = Pyramid.of(samples).to_bytes()
            self._file.execute("INSERT INTO pyramid (block, data) VALUES (?, ?)", (block, pyramid))


def _target(period_us: int) -> int:
    return TARGET_FAST if period_us <= _SLOW_PERIOD_US else TARGET_SLOW


def _joins(left: _Piece, right: _Piece) -> bool:
    a, b = left.row, right.row
    same = (a.provenance, a.visit, a.period_us, a.end_index) == (b.provenance, b.visit, b.period_us, b.first_index)
    late = b.start_us - (a.start_us + int(left.offsets[-1]) + a.period_us)
    return same and -a.period_us < late <= a.period_us // 2 and b.utc_us > a.utc_us


def _runs(pieces: list[_Piece]) -> list[list[_Piece]]:
    """Split where one row does not continue the other."""
    runs: list[list[_Piece]] = []
    for piece in pieces:
        if runs and _joins(runs[-1][-1], piece):
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return runs


def _groups(run: list[_Piece]) -> list[list[_Piece]]:
    """Split a run into blocks: of at most about the target size, the longest span, and straight in UTC."""
    groups: list[list[_Piece]] = []
    current: list[_Piece] = []
    count = 0
    for piece in run:
        full = count >= _target(piece.row.period_us)
        if current and (full or piece.row.end_utc_us - current[0].row.utc_us > LONGEST_US):
            groups += _straight(current)
            current, count = [], 0
        current.append(piece)
        count += piece.row.count
    return groups + _straight(current)


def _straight(group: list[_Piece]) -> list[list[_Piece]]:
    """Split where drawing UTC straight from end to end would move a row by more than it may."""
    if len(group) == 1:
        return [group]
    first, last = group[0].row, group[-1]
    length = last.row.start_us + int(last.offsets[-1]) + first.period_us - first.start_us
    slope = (last.row.end_utc_us - first.utc_us) / length
    hub = np.array([piece.row.start_us - first.start_us for piece in group])
    moved = np.abs(hub * slope - np.array([piece.row.utc_us - first.utc_us for piece in group]))
    worst = int(moved.argmax())
    if moved[worst] <= max(1000, first.period_us // 10):
        return [group]
    return _straight(group[:worst]) + _straight(group[worst:])

"""Samples as one long table: a row for each, with its times, its value, and where it comes from."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.exchange.runs import Piece, pieces
from core.model.block import Samples
from core.record import RecordReader
from core.record.types import RecordedChannel

ROWS: Final = 131_072
"""Rows to a batch: about 10 MB in memory."""

_NAME: Final = pa.dictionary(pa.int32(), pa.string())
COLUMNS: Final = pa.schema(
    [
        pa.field("utc", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("hub_us", pa.int64(), nullable=False),
        pa.field("source", _NAME, nullable=False),
        pa.field("boot", pa.int64(), nullable=False),
        pa.field("index", pa.int64(), nullable=False),
        pa.field("channel", _NAME, nullable=False),
        pa.field("raw", pa.int16(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("unit", _NAME, nullable=False),
        pa.field("provenance", _NAME, nullable=False),
    ]
)
"""`utc`: as the record maps it. `hub_us`: µs since the source's boot. `boot`, `index`: as the source counts. `raw`:
int16 as sent; `value`: physical, in `unit` (UCUM)."""


def batches(
    reader: RecordReader,
    channel: RecordedChannel,
    from_us: int,
    to_us: int,
    stream: tuple[str, int] | None = None,
) -> Iterator[pa.RecordBatch]:
    """The samples of a channel with UTC in [from_us, to_us), by source, boot and index, in batches of at most `ROWS`.

    `stream`: of one source and boot alone.

    Raises RecordDamaged.
    """
    waiting: list[Piece] = []
    count = 0
    for piece in pieces(reader, channel.key, from_us, to_us, stream[0] if stream else None):
        if stream is not None and piece.block.boot != stream[1]:
            continue
        for part in _cut(piece):
            if count + len(part.samples) > ROWS:
                yield _batch(waiting, channel)
                waiting, count = [], 0
            waiting.append(part)
            count += len(part.samples)
    if waiting:
        yield _batch(waiting, channel)


def _cut(piece: Piece) -> Iterator[Piece]:
    for first in range(piece.first, piece.end, ROWS):
        yield Piece(piece.block, first, min(first + ROWS, piece.end))


def _batch(parts: Sequence[Piece], channel: RecordedChannel) -> pa.RecordBatch:
    raw = np.concatenate([part.samples for part in parts])
    counts = [len(part.samples) for part in parts]
    utc = np.concatenate([part.block.times_us()[part.first : part.end] for part in parts])
    hub = np.concatenate([part.start_us + np.arange(len(part.samples)) * part.block.period_us for part in parts])
    index = np.concatenate([np.arange(part.first_index, part.end_index) for part in parts])
    boots = np.repeat(np.array([part.block.boot for part in parts], np.int64), counts)
    columns = [
        pa.array(utc, pa.timestamp("us", tz="UTC")),
        pa.array(hub, pa.int64()),
        _names([part.block.source for part in parts], counts),
        pa.array(boots),
        pa.array(index, pa.int64()),
        _names([channel.key] * len(parts), counts),
        pa.array(raw, pa.int16()),
        pa.array(physical(raw, channel), pa.float64()),
        _names([channel.unit] * len(parts), counts),
        _names([part.block.provenance.name.lower() for part in parts], counts),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=COLUMNS)


def physical(raw: Samples, channel: RecordedChannel) -> npt.NDArray[np.float64]:
    """raw * scale + offset, without the noise that binary fractions leave behind the last decimal that scale has."""
    exponents = (Decimal(repr(number)).normalize().as_tuple().exponent for number in (channel.scale, channel.offset))
    decimals = max(-int(exponent) for exponent in exponents if isinstance(exponent, int))
    values = raw.astype(np.float64) * channel.scale + channel.offset
    return np.round(values, decimals) if 0 <= decimals <= 12 else values


def _names(texts: Sequence[str], counts: Sequence[int]) -> pa.DictionaryArray:
    known = list(dict.fromkeys(texts))
    codes = np.repeat(np.array([known.index(text) for text in texts], np.int32), counts)
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(known, pa.string()))

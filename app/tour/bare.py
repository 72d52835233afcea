"""Reads a closed record by the tables of `docs/record.md` alone, with none of the code that writes or reads it.

Whoever compares must not ask the one that is compared: an error that `core/record` makes twice would not be seen.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import sqlcipher3
from pcodec import standalone

from core.model.block import Samples

Int64s = npt.NDArray[np.int64]

BACKFILLED = 1
_ROWS = """
SELECT stream, channel, first_index, start_us, period_us, utc_us, end_utc_us, provenance, codec, count, payload.data
FROM block JOIN payload ON payload.block = block.id
"""
_STREAMS = "SELECT stream.id, source.name, stream.boot FROM stream JOIN source ON source.id = stream.source"
_RAW = "SELECT data FROM tail WHERE number > 0"
_ENTRY = struct.Struct("<IIqIqqqqBIhhq")
"""stream, channel, first index, count, start, period, UTC, end of UTC, provenance, CRC-32, low, high, total."""


@dataclass(frozen=True, slots=True)
class BareBlock:
    """Samples of one channel in a row, with the hub time and the UTC of each, µs; all of shape (n,)."""

    source: str
    boot: int
    channel: int
    first_index: int
    at_us: Int64s
    utc_us: Int64s
    backfilled: bool
    samples: Samples


@dataclass(frozen=True, slots=True)
class BareRecord:
    """Everything that the proof needs of one file.

    Attributes:
        scales: channel number → key, scale and zero: physical = raw × scale + zero.
        frames: frames that the hub was told it may forget, of all boots; lost: those that it had lost itself.
    """

    blocks: tuple[BareBlock, ...]
    scales: dict[int, tuple[str, float, float]]
    frames: int
    lost: int


def read_bare(path: Path, key: bytes) -> BareRecord:
    """Read the whole file.

    Args:
        key: the record's 32 bytes.
    """
    connection = sqlcipher3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        connection.execute("PRAGMA cipher_page_size = 16384")
        streams = {number: (name, boot) for number, name, boot in connection.execute(_STREAMS)}
        rows = [*connection.execute(_ROWS), *(row for (data,) in connection.execute(_RAW) for row in _raw(data))]
        blocks = tuple(sorted((_block(*streams[row[0]], *row[1:]) for row in rows), key=_place))
        scales = {
            number: (name, scale, zero)
            for number, name, scale, zero in connection.execute("SELECT number, key, scale, zero FROM channel")
        }
        frames, lost = (
            connection.execute(f"SELECT coalesce(sum(last - first + 1), 0) FROM {table}").fetchone()[0]
            for table in ("sequence_range", "loss")
        )
    finally:
        connection.close()
    return BareRecord(blocks, scales, frames, lost)


def _raw(data: bytes) -> Iterator[tuple[int, int, int, int, int, int, int, int, int, int, bytes]]:
    """The channels of one commit, as if each were a block."""
    (count,) = struct.unpack_from("<I", data)
    at = 4 + count * _ENTRY.size
    for number in range(count):
        stream, channel, first, n, start_us, period_us, utc_us, end_utc_us, provenance, *_ = _ENTRY.unpack_from(
            data, 4 + number * _ENTRY.size
        )
        yield stream, channel, first, start_us, period_us, utc_us, end_utc_us, provenance, 0, n, data[at : at + 2 * n]
        at += 2 * n


def _place(block: BareBlock) -> tuple[str, int, int, int]:
    return block.source, block.boot, block.channel, block.first_index


def _block(
    source: str,
    boot: int,
    channel: int,
    first_index: int,
    start_us: int,
    period_us: int,
    utc_us: int,
    end_utc_us: int,
    provenance: int,
    codec: int,
    count: int,
    data: bytes,
) -> BareBlock:
    offsets: Int64s = np.arange(count, dtype=np.int64) * period_us
    if codec == 0:
        samples = np.frombuffer(data, "<i2")
    elif codec == 1:
        samples = standalone.simple_decompress(data)
    else:
        length = int.from_bytes(data[:4], "little")
        samples = standalone.simple_decompress(data[4 : 4 + length])
        offsets = standalone.simple_decompress(data[4 + length :])
    whole = int(offsets[-1]) + period_us
    utc = utc_us + offsets * (end_utc_us - utc_us) // whole
    return BareBlock(source, boot, channel, first_index, start_us + offsets, utc, provenance == BACKFILLED, samples)

"""Reads a closed record by the tables of `docs/record.md` alone, with none of the code that writes or reads it.

Whoever compares must not ask the one that is compared: an error that `core/record` makes twice would not be seen.
"""

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
SELECT source.name, stream.boot, t.channel, t.first_index, t.start_us, t.period_us, t.utc_us,
       t.end_utc_us, t.provenance, t.codec,
       t.count, t.data
FROM (
    SELECT stream, channel, first_index, start_us, period_us, utc_us, end_utc_us, provenance, codec, count, data
    FROM tail
    UNION ALL
    SELECT stream, channel, first_index, start_us, period_us, utc_us, end_utc_us, provenance, codec, count,
           payload.data
    FROM block JOIN payload ON payload.block = block.id
) t JOIN stream ON stream.id = t.stream JOIN source ON source.id = stream.source
ORDER BY source.name, stream.boot, t.channel, t.first_index
"""


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
        blocks = tuple(_block(*row) for row in connection.execute(_ROWS))
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

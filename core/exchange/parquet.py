"""Apache Parquet: one long table of samples, for pandas, R, DuckDB and the like."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import pyarrow.parquet as pq

from core.exchange.manifest import origin_of
from core.exchange.table import COLUMNS, batches
from core.model.progress import Watch, unwatched
from core.record import RecordReader
from core.record.drafts import complete_path

METADATA: Final = b"smilescape"
"""Key of the schema's metadata: the origin as JSON, with each channel's unit, scale and offset, and what was lost."""
_DICTIONARIES: Final = ["source", "channel", "unit", "provenance"]
_DELTAS: Final = dict.fromkeys(("utc", "hub_us", "boot", "index"), "DELTA_BINARY_PACKED")


def export_parquet(
    reader: RecordReader,
    channels: Sequence[str],
    from_us: int,
    to_us: int,
    path: Path,
    watch: Watch = unwatched,
) -> int:
    """Write the samples of [from_us, to_us), UTC µs; returns the rows written.

    Columns as `core.exchange.table.COLUMNS`, rows by channel, source, boot and index, compressed by zstd. A row group
    holds one channel and at most 131,072 rows, and is all that is in memory at a time. The file appears when it is
    complete.

    Raises:
        NotFound: the record does not know a channel.
        ExportFailed: the file cannot be written.
        RecordDamaged: a block cannot be read.
        Cancelled: `watch` raised it.
    """
    origin = origin_of(reader, tuple(channels), from_us, to_us)
    schema = COLUMNS.with_metadata({METADATA: msgspec.json.encode(origin)})
    total = max(1, sum(span.samples for span in reader.spans() if span.channel in channels))
    rows = 0
    with (
        complete_path(path) as draft,
        pq.ParquetWriter(
            draft, schema, compression="zstd", use_dictionary=_DICTIONARIES, column_encoding=_DELTAS, version="2.6"
        ) as out,
    ):
        for key in channels:
            for batch in batches(reader, reader.channel(key), from_us, to_us):
                out.write_batch(batch, row_group_size=len(batch))
                rows += len(batch)
                watch(min(1.0, rows / total))
    return rows

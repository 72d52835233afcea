"""Samples that lie on no even grid, as comma-separated values with each one's own times."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from core.exchange.runs import Run
from core.exchange.table import COLUMNS, batches
from core.record import RecordReader


def write_uneven(reader: RecordReader, streams: Sequence[Run], from_us: int, to_us: int, path: Path) -> None:
    """One table of the streams of which these are the first runs; columns as `core.exchange.table.COLUMNS`."""
    plain = pa.schema([pa.field(one.name, _plain(one.type), nullable=False) for one in COLUMNS])
    with pyarrow.csv.CSVWriter(path, plain) as out:
        for run in streams:
            for batch in batches(reader, run.channel, from_us, to_us, (run.source, run.boot)):
                out.write_batch(batch.cast(plain))


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind

"""Samples that lie on no even grid, as comma-separated values with each one's own times."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.csv

from core.exchange.runs import Run
from core.exchange.table import COLUMNS, batches
from core.record import RecordReader
from core.record.days_csv import FORMULA

_SOURCE: Final = COLUMNS.get_field_index("source")


def write_uneven(reader: RecordReader, streams: Sequence[Run], from_us: int, to_us: int, path: Path) -> None:
    """One table of the streams of which these are the first runs; columns as `core.exchange.table.COLUMNS`."""
    plain = pa.schema([pa.field(one.name, _plain(one.type), nullable=False) for one in COLUMNS])
    with pyarrow.csv.CSVWriter(path, plain) as out:
        for run in streams:
            for batch in batches(reader, run.channel, from_us, to_us, (run.source, run.boot)):
                source = pa.array([_harmless(run.source)] * len(batch), pa.string())
                out.write_batch(batch.cast(plain).set_column(_SOURCE, plain.field(_SOURCE), source))


def _harmless(name: str) -> str:
    """What a device calls itself must be no formula to a spreadsheet."""
    return f"'{name}" if name.startswith(FORMULA) else name


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind

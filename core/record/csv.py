"""Samples as comma-separated values (RFC 4180), for a spreadsheet or a statistician."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from core.model.progress import Watch, unwatched, within
from core.record.drafts import complete_file
from core.record.reader import RecordReader
from core.record.types import RecordedChannel, StoredBlock

HEADER = "utc,channel,value,unit,provenance"


def export_csv(
    reader: RecordReader, channels: Sequence[str], from_us: int, to_us: int, path: Path, watch: Watch = unwatched
) -> int:
    """Write the samples of [from_us, to_us), UTC µs, channel by channel, in order; returns the rows written.

    Columns: UTC as ISO 8601 with µs, channel key, physical value, UCUM unit, provenance. The file appears when it is
    complete; on failure nothing is left, and a file of that name that was there before stays.

    Raises:
        NotFound: the record does not know a channel.
        ExportFailed: the file cannot be written.
        Cancelled: `watch` raised it.
    """
    wanted = [reader.channel(key) for key in channels]
    with complete_file(path) as out:
        out.write(HEADER + "\r\n")
        return sum(
            _write(
                reader, channel, from_us, to_us, out, within(watch, number / len(wanted), (number + 1) / len(wanted))
            )
            for number, channel in enumerate(wanted)
        )


def _write(reader: RecordReader, channel: RecordedChannel, from_us: int, to_us: int, out: TextIO, watch: Watch) -> int:
    rows = 0
    for block in reader.samples(None, channel.key, from_us, to_us):
        for line in _lines(block, channel, from_us, to_us):
            out.write(line)
            rows += 1
        watch((block.end_utc_us - from_us) / (to_us - from_us))
    return rows


def _lines(block: StoredBlock, channel: RecordedChannel, from_us: int, to_us: int) -> Iterator[str]:
    at_us = block.times_us()
    inside = (at_us >= from_us) & (at_us < to_us)
    stamps = np.datetime_as_string(at_us[inside].astype("datetime64[us]"), unit="us")
    values = block.samples[inside] * channel.scale + channel.offset
    end = f",{channel.unit},{block.provenance.name.lower()}\r\n"
    for stamp, value in zip(stamps.tolist(), values.tolist(), strict=True):
        yield f"{stamp}Z,{channel.key},{value:.10g}{end}"

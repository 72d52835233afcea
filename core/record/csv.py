"""Samples as comma-separated values (RFC 4180), for a spreadsheet or a statistician."""

import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from core.record.errors import ExportFailed
from core.record.reader import RecordReader
from core.record.sqlcipher import sync_folder
from core.record.types import RecordedChannel, StoredBlock

HEADER = "utc,channel,value,unit,provenance"


def export_csv(reader: RecordReader, channels: Sequence[str], from_us: int, to_us: int, path: Path) -> int:
    """Write the samples of [from_us, to_us), UTC µs, channel by channel, in order; returns the rows written.

    Columns: UTC as ISO 8601 with µs, channel key, physical value, UCUM unit, provenance. The file appears when it is
    complete; on failure nothing is left, and a file of that name that was there before stays.

    Raises:
        NotFound: the record does not know a channel.
        ExportFailed: the file cannot be written.
    """
    wanted = [reader.channel(key) for key in channels]
    with complete_file(path) as out:
        out.write(HEADER + "\r\n")
        return sum(_write(reader, channel, from_us, to_us, out) for channel in wanted)


@contextlib.contextmanager
def complete_file(path: Path) -> Iterator[TextIO]:
    """A text file that appears when it is complete; on failure nothing is left, and what was there before stays.

    Raises ExportFailed: it cannot be written.
    """
    if path.exists() and not path.is_file():
        raise ExportFailed(f"{path} is no file that could be replaced.", "Choose another name.")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with draft.open("x", encoding="utf-8", newline="") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise ExportFailed(f"{path} cannot be written: {error.strerror}.", "Choose another place.") from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _write(reader: RecordReader, channel: RecordedChannel, from_us: int, to_us: int, out: TextIO) -> int:
    rows = 0
    for block in reader.samples(None, channel.key, from_us, to_us):
        for line in _lines(block, channel, from_us, to_us):
            out.write(line)
            rows += 1
    return rows


def _lines(block: StoredBlock, channel: RecordedChannel, from_us: int, to_us: int) -> Iterator[str]:
    at_us = block.times_us()
    inside = (at_us >= from_us) & (at_us < to_us)
    stamps = np.datetime_as_string(at_us[inside].astype("datetime64[us]"), unit="us")
    values = block.samples[inside] * channel.scale + channel.offset
    end = f",{channel.unit},{block.provenance.name.lower()}\r\n"
    for stamp, value in zip(stamps.tolist(), values.tolist(), strict=True):
        yield f"{stamp}Z,{channel.key},{value:.10g}{end}"

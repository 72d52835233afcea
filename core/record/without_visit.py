"""The summary's cells that belong to no visit, made anew: they mix whoever had a hub, and some of these were erased."""

from collections.abc import Iterable

from core.record.blocks import COLUMNS, block_rows, sample_times
from core.record.sqlcipher import CipherFile
from core.record.summary import SummaryBook
from core.signals.codec import CodecError, checksum, decode
from core.signals.summary import Cells


def without_visit(file: CipherFile, channels: Iterable[int]) -> None:
    """Make them out of the settled blocks there are, in the open transaction.

    A block that is damaged counts in nothing; `verify` finds it.
    """
    book = SummaryBook(file)
    for channel in channels:
        base = book.base(channel)
        file.execute("DELETE FROM summary WHERE channel = ? AND visit = ''", (channel,))
        sql = f"SELECT 1, id, {COLUMNS} FROM block WHERE channel = ? AND visit IS NULL AND settled = 1 ORDER BY id"
        for row in block_rows(file.rows(sql, (channel,))):
            data = file.row("SELECT data FROM payload WHERE block = ?", (row.id,))
            if data is None or checksum(data[0]) != row.crc:
                continue
            try:
                samples, offsets = decode(row.codec, data[0], row.count)
            except CodecError:
                continue
            level = base if base is not None else book.base_for(channel, row.period_us)
            times = sample_times(row, offsets)
            book.add(channel, None, Cells.of(samples, times, row.end_utc_us, row.period_us, level))

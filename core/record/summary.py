"""The cells of a record: each settled block is counted in, once, on every level; nothing else is."""

from core.record.errors import RecordDamaged
from core.record.sqlcipher import CipherFile
from core.signals.summary import LEVELS, PAGE_BITS, Cells, SummaryError, base_level

_WITHOUT = ""
"""Stands for no visit."""


class SummaryBook:
    """Reads and writes the table `summary`."""

    def __init__(self, file: CipherFile) -> None:
        self._file = file

    def base(self, channel: int) -> int | None:
        """The finest level there is of a channel; None when nothing of it has settled."""
        row = self._file.row("SELECT level FROM summary WHERE channel = ? ORDER BY level LIMIT 1", (channel,))
        return None if row is None else int(row[0])

    def base_for(self, channel: int, period_us: int) -> int:
        """The level to begin with when a block of this channel settles: all of a channel begin with the same."""
        found = self.base(channel)
        return base_level(period_us) if found is None else found

    def add(self, channel: int, visit: str | None, cells: Cells) -> None:
        """Count cells of the finest level in, there and on all above, in the open transaction."""
        for level in LEVELS[LEVELS.index(cells.level) :]:
            cells = cells.coarser(level)
            for page, part in cells.pages():
                key = (channel, level, page, visit or _WITHOUT)
                row = self._file.row(
                    "SELECT cells FROM summary WHERE channel = ? AND level = ? AND page = ? AND visit = ?", key
                )
                whole = part if row is None else self._read(channel, level, [(page, row[0])]).merged(part)
                self._file.execute(
                    "INSERT INTO summary (channel, level, page, visit, cells) VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET cells = excluded.cells",
                    (*key, whole.to_bytes()),
                )

    def read(self, channel: int, level: int, from_us: int, to_us: int, visit: str | None) -> Cells:
        """Cells with samples in the range; one for each visit where two share a cell.

        Raises RecordDamaged.
        """
        shift = level + PAGE_BITS
        sql = "SELECT page, cells FROM summary WHERE channel = ? AND level = ? AND page BETWEEN ? AND ?"
        bounds: tuple[object, ...] = (channel, level, from_us >> shift, (to_us - 1) >> shift)
        if visit is not None:
            sql, bounds = f"{sql} AND visit = ?", (*bounds, visit)
        return self._read(channel, level, self._file.rows(sql, bounds)).within(from_us, to_us)

    def levels(self) -> list[tuple[int, int, str]]:
        """Channel, level and visit of everything there is."""
        rows = self._file.rows("SELECT DISTINCT channel, level, visit FROM summary ORDER BY channel, level, visit")
        return [(row[0], row[1], row[2]) for row in rows]

    def whole(self, channel: int, level: int, visit: str) -> Cells:
        """All cells of a channel and visit, empty for none. Raises RecordDamaged."""
        sql = "SELECT page, cells FROM summary WHERE channel = ? AND level = ? AND visit = ? ORDER BY page"
        return self._read(channel, level, self._file.rows(sql, (channel, level, visit)))

    @staticmethod
    def _read(channel: int, level: int, pages: list[tuple[int, bytes]]) -> Cells:
        try:
            return Cells.from_bytes(level, pages)
        except SummaryError as error:
            raise RecordDamaged(
                f"The summary of channel {channel} cannot be read: {error}",
                "Run `record verify` to see what is affected, and restore the record from a backup.",
            ) from error
